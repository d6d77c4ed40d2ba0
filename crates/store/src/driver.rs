//! The store with its threads: what the program opens, writes to and asks.
//!
//! - One thread commits: it takes all requests that wait, writes them to the log with one sync, publishes them, and
//!   answers. While one sync runs, the next group forms, so groups grow by themselves when the disk is slow.
//! - One thread maintains: it freezes heads, prepares files for the log, and applies retention.
//! - One thread finalises: it merges segments, at a low priority; who wants all of it done at once waits for it.
//! - One thread reads the bytes at rest, slowly and at the lowest priority of all, to find damage.
//! - A pool answers questions; its queue is bounded, and a question whose asker went away is given up.
//!
//! When heads grow faster than they can be frozen, or segments faster than they can be merged, the committing thread
//! waits, and so do acknowledgements: the receivers' byte budget then refuses what is too much.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use model::contract::{
    Answer, DependencyAnswer, IncomingBatch, Kept, OperationsAnswer, ReadError, SearchAnswer,
    SearchRequest, SpanReader, SpanWriter, TraceAnswer, Window, WriteError,
};
use model::facts::FactsAnswer;
use model::rates::{RatesAnswer, RatesRequest};
use model::seen::{SeenAnswer, ValuesAnswer, ValuesRequest};
use model::{
    CountAnswer, CountRequest, OutlineAnswer, OverviewAnswer, OverviewRequest, SpanId,
    SpanSearchAnswer, SpanSearchRequest, StructureAnswer, StructureRequest, TenantId, TraceId,
};
use plumbing::{CpuPool, PoolError, Tasks, ThreadHandle};
use tokio::sync::oneshot;

use crate::engine::{Engine, lock};
use crate::error::Error;
use crate::finalise::When;
use crate::meter::IsCancelled;
use crate::metrics::seconds;
use crate::options::{OpenProgress, StoreOptions, StoreParts};
use crate::sampling::SamplingFile;
use crate::stats::Stats;

/// Requests that may wait for the committing thread; their bytes are bounded by the receivers' budget.
const COMMIT_QUEUE_MAX: usize = 4096;
/// Bytes after which a group is not made larger.
const GROUP_BYTES_MAX: usize = 4 << 20;
/// Questions that may wait for a thread.
const QUERY_QUEUE_MAX: usize = 256;
/// How often maintenance looks by itself.
const MAINTENANCE_PERIOD: Duration = Duration::from_millis(250);
/// How often finalisation looks whether there is something to merge.
const FINALISE_PERIOD: Duration = Duration::from_secs(1);
/// How willingly the finalising thread leaves the processor to others, from 0 to 19.
const FINALISE_NICENESS: i32 = 10;
/// How often some bytes at rest are checked.
const SCRUB_PERIOD: Duration = Duration::from_millis(250);
/// How willingly the thread that checks them leaves the processor to others.
const SCRUB_NICENESS: i32 = 19;
/// How often retention is applied, in maintenance periods.
const RETENTION_PERIODS: u64 = 40;
/// After a failure so much time passes before maintenance tries the same again.
const RETRY_NANOS: u64 = 1_000_000_000;

/// Who waits until all work is done that is put off; none when the thread has ended.
type Finalising = Mutex<Option<Vec<oneshot::Sender<Result<(), Error>>>>>;

type Waiting = (IncomingBatch, oneshot::Sender<Result<Kept, WriteError>>);

/// The embedded store; clones are the same store.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    engine: Arc<Engine>,
    commits: Mutex<Option<SyncSender<Waiting>>>,
    maintenance: Arc<Bell>,
    finalisation: Arc<Bell>,
    finalising: Arc<Finalising>,
    scrubbing: Arc<Bell>,
    queries: CpuPool,
    sampling: Arc<SamplingFile>,
    threads: Mutex<Vec<ThreadHandle>>,
}

/// Wakes the maintaining thread, and those who wait for what it does.
#[derive(Debug, Default)]
struct Bell {
    state: Mutex<BellState>,
    rung: Condvar,
}

#[derive(Debug, Default)]
struct BellState {
    is_rung: bool,
    is_stopping: bool,
    rounds: u64,
}

impl Bell {
    fn ring(&self) {
        lock(&self.state).is_rung = true;
        self.rung.notify_all();
    }

    fn stop(&self) {
        lock(&self.state).is_stopping = true;
        self.rung.notify_all();
    }

    fn is_stopping(&self) -> bool {
        lock(&self.state).is_stopping
    }

    /// Waits until the bell is rung, or a period has passed. False: the store is stopping.
    fn wait(&self, period: Duration) -> bool {
        let state = lock(&self.state);
        let idle = |state: &mut BellState| !state.is_rung && !state.is_stopping;
        let (mut state, _) = self
            .rung
            .wait_timeout_while(state, period, idle)
            .unwrap_or_else(PoisonError::into_inner);
        state.is_rung = false;
        !state.is_stopping
    }

    fn round_is_done(&self) {
        lock(&self.state).rounds += 1;
        self.rung.notify_all();
    }

    /// Waits until maintenance has gone round once more, or a period has passed.
    fn wait_for_round(&self, period: Duration) {
        let state = lock(&self.state);
        let before = state.rounds;
        let unchanged = |state: &mut BellState| state.rounds == before && !state.is_stopping;
        drop(
            self.rung
                .wait_timeout_while(state, period, unchanged)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}

impl Store {
    /// Opens a data folder and starts the threads. Blocks: call it on a thread of its own.
    pub fn open(
        options: StoreOptions,
        parts: StoreParts<'_>,
        progress: &dyn Fn(OpenProgress),
    ) -> Result<Self, Error> {
        let dir = options.dir.clone();
        let query_threads = options.query_threads;
        let files = Arc::clone(&parts.files);
        let engine = Arc::new(Engine::open(options, parts, progress)?);
        engine.keep_what_is_in_doubt();
        let (sender, receiver) = sync_channel(COMMIT_QUEUE_MAX);
        let maintenance = Arc::new(Bell::default());
        let io = |e: std::io::Error| Error::io("start threads for", &dir)(e);
        let committer = {
            let (engine, bell) = (Arc::clone(&engine), Arc::clone(&maintenance));
            Tasks::thread("commit", move || {
                commit_until_closed(&engine, &receiver, &bell);
            })
            .map_err(io)?
        };
        let finalisation = Arc::new(Bell::default());
        let maintainer = {
            let (engine, bell) = (Arc::clone(&engine), Arc::clone(&maintenance));
            let finalisation = Arc::clone(&finalisation);
            Tasks::thread("maintain", move || {
                maintain_until_stopped(&engine, &bell, &finalisation);
            })
            .map_err(io)?
        };
        let finalising: Arc<Finalising> = Arc::new(Mutex::new(Some(Vec::new())));
        let scrubbing = Arc::new(Bell::default());
        let finaliser = {
            let (engine, bell) = (Arc::clone(&engine), Arc::clone(&finalisation));
            let waiting = Arc::clone(&finalising);
            Tasks::thread("finalise", move || {
                finalise_until_stopped(&engine, &bell, &waiting);
            })
            .map_err(io)?
        };
        let scrubber = {
            let (engine, bell) = (Arc::clone(&engine), Arc::clone(&scrubbing));
            Tasks::thread("scrub", move || scrub_until_stopped(&engine, &bell)).map_err(io)?
        };
        let queries = CpuPool::start("query", query_threads, QUERY_QUEUE_MAX).map_err(io)?;
        let sampling = Arc::new(SamplingFile::open(files, &dir));
        let threads = Mutex::new(vec![committer, maintainer, finaliser, scrubber]);
        let commits = Mutex::new(Some(sender));
        maintenance.ring();
        Ok(Self {
            shared: Arc::new(Shared {
                engine,
                commits,
                maintenance,
                finalisation,
                finalising,
                scrubbing,
                queries,
                sampling,
                threads,
            }),
        })
    }

    /// Finishes what waits and ends the threads. Blocks. What is in memory is in the log and is found at the next
    /// start; at the level `memory`, where there is no log, it is written to segments.
    pub fn stop(&self) {
        drop(lock(&self.shared.commits).take());
        let threads = std::mem::take(&mut *lock(&self.shared.threads));
        let mut threads = threads.into_iter();
        if let Some(committer) = threads.next() {
            report_panic(committer);
        }
        if self.shared.engine.options.level == journal::Level::Memory
            && let Err(why) = self.freeze_now()
        {
            tracing::error!(%why, "spans that were only in memory are lost");
        }
        self.shared.maintenance.stop();
        self.shared.finalisation.stop();
        self.shared.scrubbing.stop();
        threads.for_each(report_panic);
    }

    /// Writes everything that is in memory to segments. Blocks.
    pub fn freeze_now(&self) -> Result<(), Error> {
        freeze_all(&self.shared.engine, true)
    }

    /// Does all work that is deferred: what is in memory goes to segments, and these are merged. Blocks.
    pub fn finalise_now(&self) -> Result<(), Error> {
        let bell = &self.shared.finalisation;
        finalise_all(&self.shared.engine, &|| bell.is_stopping())
    }

    /// As [`Store::finalise_now`], on the thread that merges: those who ask while it works wait for the next turn, and
    /// questions go on.
    pub async fn finalise(&self) -> Result<(), Error> {
        let (tell, told) = oneshot::channel();
        match lock(&self.shared.finalising).as_mut() {
            Some(waiting) => waiting.push(tell),
            None => drop(tell),
        }
        self.shared.finalisation.ring();
        told.await.unwrap_or_else(|_| {
            Err(Error::Stopped {
                reason: "the work that was put off is done after the next start".to_owned(),
            })
        })
    }

    /// Has a thread of the pool do something that is no question. The outer error: it was not begun, or not finished.
    pub(crate) fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> impl Future<Output = Result<T, PoolError>> + Send + 'static {
        let engine = Arc::clone(&self.shared.engine);
        let pool = self.shared.queries.clone();
        async move { pool.run(move || work(&engine)).await }
    }

    pub(crate) fn sampling(&self) -> Arc<SamplingFile> {
        Arc::clone(&self.shared.sampling)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.shared.engine
    }

    /// What the store holds now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats::of(&self.shared.engine)
    }

    /// What the store holds now, as far as it is known without reading a file: no columns and no names.
    #[must_use]
    pub fn brief_stats(&self) -> Stats {
        Stats::brief(&self.shared.engine)
    }

    /// Bytes that are free on the store's disk; `None` where the system doesn't say.
    #[must_use]
    pub fn disk_free_bytes(&self) -> Option<u64> {
        self.shared.engine.disk_free_bytes()
    }

    /// Sets the gauges that are read off the state; call it before metrics are printed.
    pub fn refresh_metrics(&self) {
        self.shared.engine.refresh_gauges();
    }

    /// Tells whether nothing can be made durable any more, so that the program should end and be started again.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.shared.engine.is_fatal.load(Ordering::Acquire)
    }

    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine, IsCancelled<'_>) -> Result<T, ReadError> + Send + 'static,
    ) -> Answer<'_, Result<T, ReadError>> {
        let engine = Arc::clone(&self.shared.engine);
        let pool = self.shared.queries.clone();
        Box::pin(async move {
            let gone = Arc::new(AtomicBool::new(false));
            // Dropped with this future: a question whose asker went away stops between segments.
            let _guard = SetOnDrop(Arc::clone(&gone));
            let answered = pool.run(move || {
                let started = engine.clock.monotonic_nanos();
                let answer = work(&engine, &|| gone.load(Ordering::Relaxed));
                let nanos = engine.clock.monotonic_nanos().saturating_sub(started);
                engine.metrics.query_seconds.observe(seconds(nanos));
                answer
            });
            match answered.await {
                Ok(answer) => answer,
                Err(PoolError::Full) => Err(ReadError::Busy {
                    reason: "too many questions wait".to_owned(),
                }),
                Err(PoolError::Gone) => Err(ReadError::Failed {
                    reason: "the question could not be finished".to_owned(),
                }),
            }
        })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // A store that was not stopped must not keep its threads and its folder for ever.
        self.maintenance.stop();
        self.finalisation.stop();
        self.scrubbing.stop();
    }
}

struct SetOnDrop(Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn report_panic(thread: ThreadHandle) {
    if !thread.join() {
        tracing::error!("a thread of the store panicked");
    }
}

impl SpanWriter for Store {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        if plumbing::planted("store-acknowledge-early") {
            let spans = incoming.batch.len() as u64;
            let (tell, _told) = oneshot::channel();
            if let Some(sender) = lock(&self.shared.commits).as_ref() {
                drop(sender.try_send((incoming, tell)));
            }
            return Box::pin(async move {
                Ok(Kept {
                    spans,
                    duplicate_spans: 0,
                })
            });
        }
        let (tell, told) = oneshot::channel();
        let sent = match lock(&self.shared.commits).as_ref() {
            Some(sender) => sender
                .try_send((incoming, tell))
                .map_err(|refused| match refused {
                    TrySendError::Full(_) => WriteError::Busy {
                        reason: "too many requests wait to be written".to_owned(),
                    },
                    TrySendError::Disconnected(_) => stopped(),
                }),
            None => Err(stopped()),
        };
        Box::pin(async move {
            sent?;
            told.await.unwrap_or_else(|_| Err(stopped()))
        })
    }

    fn readiness(&self) -> Result<(), String> {
        self.shared.engine.refusal().map_or(Ok(()), Err)
    }
}

fn stopped() -> WriteError {
    WriteError::Unavailable {
        reason: "the store is stopping".to_owned(),
    }
}

impl SpanReader for Store {
    fn trace(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
    ) -> Answer<'_, Result<TraceAnswer, ReadError>> {
        let tenant = tenant.clone();
        self.ask(move |engine, _| engine.trace(&tenant, trace_id))
    }

    fn outline(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
    ) -> Answer<'_, Result<OutlineAnswer, ReadError>> {
        let tenant = tenant.clone();
        self.ask(move |engine, is_cancelled| engine.outline(&tenant, trace_id, is_cancelled))
    }

    fn spans_of(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
        span_ids: Vec<SpanId>,
    ) -> Answer<'_, Result<TraceAnswer, ReadError>> {
        let tenant = tenant.clone();
        self.ask(move |engine, is_cancelled| {
            engine.spans_of(&tenant, trace_id, &span_ids, is_cancelled)
        })
    }

    fn search(&self, request: SearchRequest) -> Answer<'_, Result<SearchAnswer, ReadError>> {
        self.ask(move |engine, is_cancelled| engine.search(&request, is_cancelled))
    }

    fn services(&self, tenant: &TenantId) -> Answer<'_, Result<Vec<String>, ReadError>> {
        let services = self.shared.engine.services(tenant);
        Box::pin(async move { Ok(services) })
    }

    fn operations(
        &self,
        tenant: &TenantId,
        service: &str,
    ) -> Answer<'_, Result<OperationsAnswer, ReadError>> {
        let answer = self.shared.engine.operations(tenant, service);
        Box::pin(async move { Ok(answer) })
    }

    fn dependencies(
        &self,
        tenant: &TenantId,
        window: Window,
    ) -> Answer<'_, Result<DependencyAnswer, ReadError>> {
        let tenant = tenant.clone();
        self.ask(move |engine, is_cancelled| engine.dependencies(&tenant, window, is_cancelled))
    }

    fn facts(
        &self,
        tenant: &TenantId,
        traces: Vec<TraceId>,
    ) -> Answer<'_, Result<FactsAnswer, ReadError>> {
        let tenant = tenant.clone();
        self.ask(move |engine, is_cancelled| engine.facts(&tenant, &traces, is_cancelled))
    }

    fn seen(&self, tenant: &TenantId) -> Answer<'_, Result<SeenAnswer, ReadError>> {
        let tenant = tenant.clone();
        self.ask(move |engine, is_cancelled| engine.seen(&tenant, is_cancelled))
    }

    fn values(&self, request: ValuesRequest) -> Answer<'_, Result<ValuesAnswer, ReadError>> {
        self.ask(move |engine, is_cancelled| engine.values(&request, is_cancelled))
    }

    fn rates(&self, request: RatesRequest) -> Answer<'_, Result<RatesAnswer, ReadError>> {
        self.ask(move |engine, is_cancelled| engine.rates(&request, is_cancelled))
    }

    fn count(&self, request: CountRequest) -> Answer<'_, Result<CountAnswer, ReadError>> {
        self.ask(move |engine, is_cancelled| engine.count(&request, is_cancelled))
    }

    fn overview(&self, request: OverviewRequest) -> Answer<'_, Result<OverviewAnswer, ReadError>> {
        self.ask(move |engine, is_cancelled| engine.overview(&request, is_cancelled))
    }

    fn search_spans(
        &self,
        request: SpanSearchRequest,
    ) -> Answer<'_, Result<SpanSearchAnswer, ReadError>> {
        self.ask(move |engine, is_cancelled| engine.search_spans(&request, is_cancelled))
    }

    fn find_structure(
        &self,
        request: StructureRequest,
    ) -> Answer<'_, Result<StructureAnswer, ReadError>> {
        self.ask(move |engine, is_cancelled| engine.find_structure(&request, is_cancelled))
    }
}

fn commit_until_closed(engine: &Engine, queue: &Receiver<Waiting>, bell: &Bell) {
    while let Ok(first) = queue.recv() {
        let mut bytes = first.0.otlp.len();
        let mut group = vec![first];
        while bytes < GROUP_BYTES_MAX {
            let Ok(next) = queue.try_recv() else { break };
            bytes += next.0.otlp.len();
            group.push(next);
        }
        wait_for_room(engine, bell);
        let (batches, waiters): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        let answers = engine.commit(batches);
        for (waiter, answer) in waiters.into_iter().zip(answers) {
            // A sender that hung up learns nothing; its spans are kept all the same.
            drop(waiter.send(answer));
        }
        if engine.is_due() {
            bell.ring();
        }
    }
}

/// Waits while heads take too much memory and freezing makes progress.
fn wait_for_room(engine: &Engine, bell: &Bell) {
    while engine.heads_bytes() > engine.options.heads_bytes_max
        && engine.refusal().is_none()
        && !bell.is_stopping()
    {
        bell.ring();
        bell.wait_for_round(MAINTENANCE_PERIOD);
    }
}

fn maintain_until_stopped(engine: &Engine, bell: &Bell, finalisation: &Bell) {
    let mut round = 0u64;
    let mut chores = Chores::default();
    chores.prepare_spares(engine);
    while bell.wait(MAINTENANCE_PERIOD) {
        round += 1;
        if engine.look_at_backlog() {
            finalisation.ring();
        }
        chores.freeze(engine);
        chores.prepare_spares(engine);
        if round % RETENTION_PERIODS == 1
            && let Err(why) = engine.expire()
        {
            tracing::error!(%why, "retention could not be applied; it is tried again");
        }
        bell.round_is_done();
    }
}

fn finalise_until_stopped(engine: &Engine, bell: &Bell, waiting: &Finalising) {
    if let Err(why) = rustix::process::nice(FINALISE_NICENESS) {
        tracing::warn!(%why, "segments are merged at the priority of everything else");
    }
    let is_stopping = || bell.is_stopping();
    let is_wanted = || {
        lock(waiting)
            .as_ref()
            .is_some_and(|waiting| !waiting.is_empty())
    };
    loop {
        finalise_for_those_who_wait(engine, bell, waiting);
        loop {
            match engine.finalise(When::Due, &is_stopping) {
                Ok(true) if !is_stopping() && !is_wanted() => {}
                Ok(_) => break,
                Err(why) => {
                    tracing::error!(%why, "segments could not be merged; they stay as they are, to be tried again");
                    break;
                }
            }
        }
        if !is_wanted() && !bell.wait(FINALISE_PERIOD) || is_stopping() {
            break;
        }
    }
    drop(lock(waiting).take());
}

/// Does all that is put off, once for all who wait for it now.
fn finalise_for_those_who_wait(engine: &Engine, bell: &Bell, waiting: &Finalising) {
    let waiters = lock(waiting)
        .as_mut()
        .map(std::mem::take)
        .unwrap_or_default();
    if waiters.is_empty() {
        return;
    }
    let done = finalise_all(engine, &|| bell.is_stopping());
    if bell.is_stopping() {
        // It may not have been finished: who waits is told that the store stops.
        return;
    }
    for waiter in waiters {
        let told = done.as_ref().copied().map_err(|why| Error::Unfinished {
            reason: why.to_string(),
        });
        drop(waiter.send(told));
    }
}

fn scrub_until_stopped(engine: &Engine, bell: &Bell) {
    let Some(bytes_per_second) = engine.options.scrub_bytes_per_second else {
        return;
    };
    if let Err(why) = rustix::process::nice(SCRUB_NICENESS) {
        tracing::warn!(%why, "bytes at rest are checked at the priority of everything else");
    }
    let periods = 1_000 / SCRUB_PERIOD.as_millis().max(1);
    let bytes = u64::try_from(u128::from(bytes_per_second) / periods).unwrap_or(u64::MAX);
    while bell.wait(SCRUB_PERIOD) {
        engine.scrub(bytes.max(1));
    }
}

fn finalise_all(engine: &Engine, is_stopping: &dyn Fn() -> bool) -> Result<(), Error> {
    freeze_all(engine, true)?;
    // What comes meanwhile is for the next time, else this might never end.
    let end = engine.floor();
    while engine.finalise(When::Below(end), is_stopping)? {}
    Ok(())
}

/// What maintenance does in every round, and when it tries again what failed.
#[derive(Debug, Default)]
struct Chores {
    /// On the monotonic clock.
    freeze_again_at: u64,
    spares_again_at: u64,
    /// A failure that lasts is logged once.
    is_short_of_spares: bool,
}

impl Chores {
    fn freeze(&mut self, engine: &Engine) {
        let now = engine.clock.monotonic_nanos();
        if !engine.is_due() || now < self.freeze_again_at {
            return;
        }
        let result = freeze_all(engine, false);
        if let Err(why) = &result {
            engine.metrics.freeze_errors.inc();
            tracing::error!(%why, "spans could not be written to a segment; they stay in the log, to be tried again");
            self.freeze_again_at = now.saturating_add(RETRY_NANOS);
        }
        // What fills the disk must not fill memory as well: it is a refusal as soon as heads are over their bound.
        lock(&engine.state).memory_refusal = result.err().map(|why| why.to_string());
    }

    /// Makes files for the log ready, off the path of requests. When the disk was full, this finds out that it is no
    /// longer, even if nobody sends.
    fn prepare_spares(&mut self, engine: &Engine) {
        let now = engine.clock.monotonic_nanos();
        if now < self.spares_again_at {
            return;
        }
        loop {
            let Some(task) = lock(&engine.journal).spare_task() else {
                return;
            };
            let made = task.run();
            match lock(&engine.journal).adopt_spare(made) {
                Ok(()) => {
                    self.is_short_of_spares = false;
                    engine.log_takes_again();
                }
                Err(why) => {
                    self.spares_again_at = now.saturating_add(RETRY_NANOS);
                    if !std::mem::replace(&mut self.is_short_of_spares, true) {
                        tracing::warn!(%why, "could not make a file for the log ready; it is tried again");
                    }
                    return;
                }
            }
        }
    }
}

fn freeze_all(engine: &Engine, all: bool) -> Result<(), Error> {
    let mut result = Ok(());
    for (tenant, head) in engine.seal_due(all) {
        let frozen = engine.freeze(&tenant, &head);
        result = result.and(frozen);
    }
    result
}
