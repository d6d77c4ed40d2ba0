//! The seam to threads: named threads, asynchronous tasks that shutdown waits for, and a bounded pool for CPU work.
//!
//! Work on sockets runs on the async runtime; decoding, freezing and evaluating run on a [`CpuPool`], so that a
//! long piece of work never delays a socket. The pool's queue is bounded: when it is full, the asker is told at once.

use std::future::Future;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

type Job = Box<dyn FnOnce() + Send>;

/// Starts asynchronous tasks and threads, and waits for them at the end.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
}

/// A named thread; join it to wait for its end.
#[derive(Debug)]
pub struct ThreadHandle {
    handle: JoinHandle<()>,
}

impl ThreadHandle {
    /// Waits until the thread has ended; tells whether it ended without a panic.
    #[must_use]
    pub fn join(self) -> bool {
        self.handle.join().is_ok()
    }
}

impl Tasks {
    /// Makes an empty set of tasks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts an asynchronous task on the current runtime.
    pub fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        drop(self.tracker.spawn(task));
    }

    /// Starts a named thread.
    pub fn thread(
        name: &str,
        work: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<ThreadHandle> {
        let handle = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(work)?;
        Ok(ThreadHandle { handle })
    }

    /// Runs the same work `count` times at once, one time on this thread, and gives the results in order of the number
    /// that each was given. Ends when all have; a panic in one is a panic here.
    pub fn side_by_side<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
        let work = &work;
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..count).map(|n| scope.spawn(move || work(n))).collect();
            let mut results = vec![work(0)];
            for other in others {
                match other.join() {
                    Ok(result) => results.push(result),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            results
        })
    }

    /// Waits until every asynchronous task has ended.
    pub async fn wait(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// A fixed number of threads with a bounded queue of work.
#[derive(Debug, Clone)]
pub struct CpuPool {
    sender: SyncSender<Job>,
}

/// Says that the pool's queue is full or the pool has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// The queue is full: ask again later.
    #[error("the queue of work is full; try again later")]
    Full,
    /// The pool has ended, or the work panicked.
    #[error("the work was given up")]
    Gone,
}

impl CpuPool {
    /// Starts `threads` threads that share a queue of at most `queue_jobs_max` pieces of work.
    pub fn start(name: &str, threads: usize, queue_jobs_max: usize) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel::<Job>(queue_jobs_max);
        let receiver = Arc::new(Mutex::new(receiver));
        for index in 0..threads.max(1) {
            let receiver = Arc::clone(&receiver);
            let _detached: ThreadHandle = Tasks::thread(&format!("{name}-{index}"), move || {
                work_until_closed(&receiver);
            })?;
        }
        Ok(Self { sender })
    }

    /// Runs a piece of work and gives its result; refuses at once when the queue is full.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PoolError> {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move || {
            // The asker may have gone away (a client that hung up): the result is then of no use to anybody.
            let _ignored = tell.send(work());
        });
        self.sender.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => PoolError::Full,
            TrySendError::Disconnected(_) => PoolError::Gone,
        })?;
        told.await.map_err(|_| PoolError::Gone)
    }
}

fn work_until_closed(receiver: &Mutex<Receiver<Job>>) {
    loop {
        // A std mutex: it is held only while waiting for the next piece of work, never across work or an await.
        let next = receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        match next {
            // A panic in one piece of work must not take the thread: its asker learns by the dropped channel.
            Ok(job) => drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(job))),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_in_one_piece_of_work_leaves_the_pool_working() {
        let pool = CpuPool::start("test", 1, 4).unwrap();
        let panicked: Result<(), PoolError> = pool.run(|| panic!("on purpose")).await;
        assert_eq!(panicked, Err(PoolError::Gone));
        assert_eq!(pool.run(|| 6 * 7).await, Ok(42));
    }

    #[test]
    fn work_side_by_side_may_borrow_and_gives_its_results_in_order() {
        let numbers = [5, 6, 7];
        assert_eq!(Tasks::side_by_side(3, |n| numbers[n]), numbers);
        assert_eq!(Tasks::side_by_side(0, |n| numbers[n]), [5]);
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let pool = CpuPool::start("test", 1, 1).unwrap();
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let (started, begun) = std::sync::mpsc::channel::<()>();
        let tasks = Tasks::new();
        let blocker = pool.clone();
        tasks.spawn(async move {
            let done = blocker
                .run(move || {
                    started.send(()).unwrap();
                    wait.recv().unwrap();
                })
                .await;
            assert_eq!(done, Ok(()));
        });
        tokio::task::yield_now().await;
        begun.recv().unwrap();
        let queued = pool.clone();
        tasks.spawn(async move {
            assert_eq!(queued.run(|| ()).await, Ok(()));
        });
        tokio::task::yield_now().await;
        assert_eq!(pool.run(|| ()).await, Err(PoolError::Full));
        release.send(()).unwrap();
        tasks.wait().await;
    }
}
