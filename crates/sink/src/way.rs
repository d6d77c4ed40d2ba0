//! The way on, whoever is at its end: the buffer's thread, the one who delivers, and what is told of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::contract::{Answer, IncomingBatch, Kept, WriteError};
use plumbing::{Clock, Random, Shutdown, Tasks, ThreadHandle};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::oneshot;

use crate::breaker::Pauses;
use crate::buffer::{Buffer, BufferParts, BufferState, Order};
use crate::deliver::{Context, Deliverer, DelivererLimits, GivenUp};
use crate::error::Error;
use crate::metrics::{SinkMetrics, gauge};
use crate::options::BufferOptions;
use crate::outlet::Outlet;

/// Orders that may wait for the buffer's thread; bytes of batches are bounded by the receivers' budget.
const ORDERS_MAX: usize = 4096;

/// What a way on stands on.
#[derive(Debug)]
pub(crate) struct WayParts<'a> {
    pub(crate) buffer: BufferParts<'a>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) outlet: Arc<dyn Outlet>,
    pub(crate) pauses: Pauses,
    pub(crate) limits: DelivererLimits,
}

/// A buffer and who delivers from it.
#[derive(Debug)]
pub(crate) struct Way {
    orders: Mutex<Option<Sender<Order>>>,
    thread: Mutex<Option<ThreadHandle>>,
    state: Arc<BufferState>,
    metrics: SinkMetrics,
    clock: Arc<dyn Clock>,
    oldest_unix_nanos: Arc<AtomicU64>,
    deliverer: Mutex<Option<Deliverer>>,
}

impl Way {
    /// Opens the buffer and starts its thread; blocks.
    pub(crate) fn open(options: &BufferOptions, parts: WayParts<'_>) -> Result<Self, Error> {
        let metrics = parts.buffer.metrics.clone();
        let clock = Arc::clone(&parts.buffer.clock);
        let (opened, floor) = Buffer::open(options, parts.buffer)?;
        let (orders, given) = channel(ORDERS_MAX);
        let (state, written) = (opened.state(), opened.written());
        let oldest_unix_nanos = Arc::<AtomicU64>::default();
        let context = Context {
            outlet: parts.outlet,
            state: Arc::clone(&state),
            metrics: metrics.clone(),
            clock: Arc::clone(&clock),
            random: parts.random,
            pauses: parts.pauses,
            orders: orders.clone(),
            oldest_unix_nanos: Arc::clone(&oldest_unix_nanos),
            taken_requests: AtomicU64::default(),
            given_up: Mutex::new(GivenUp::default()),
            complaints: plumbing::Complaints::default(),
        };
        let deliverer = Deliverer::new(Arc::new(context), written, floor, parts.limits);
        let thread = Tasks::thread("sink-buffer", move || opened.run(given));
        let thread = thread.map_err(|source| Error::Io {
            doing: "start a thread for",
            path: options.dir.clone(),
            source,
        })?;
        Ok(Self {
            orders: Mutex::new(Some(orders)),
            thread: Mutex::new(Some(thread)),
            state,
            metrics,
            clock,
            oldest_unix_nanos,
            deliverer: Mutex::new(Some(deliverer)),
        })
    }

    /// Delivers until the stop, and then, for so long at most, what is left.
    pub(crate) async fn deliver(&self, stop: Shutdown, drain_timeout: Duration) {
        let deliverer = lock(&self.deliverer).take();
        if let Some(deliverer) = deliverer {
            deliverer.run(stop, drain_timeout).await;
        }
    }

    /// Keeps a batch on the disk.
    pub(crate) fn write(
        &self,
        incoming: IncomingBatch,
    ) -> Answer<'static, Result<Kept, WriteError>> {
        let (tell, told) = oneshot::channel();
        let order = Order::Write(Box::new(incoming), tell);
        let words = self.state.words;
        let stopped = || WriteError::Unavailable {
            reason: words.stopping.to_owned(),
        };
        let sent = match lock(&self.orders).as_ref() {
            Some(orders) => orders.try_send(order).map_err(|refused| match refused {
                TrySendError::Full(_) => {
                    self.metrics.refuse("busy");
                    WriteError::Busy {
                        reason: "too many batches wait to be written to the buffer".to_owned(),
                    }
                }
                TrySendError::Closed(_) => stopped(),
            }),
            None => Err(stopped()),
        };
        Box::pin(async move {
            sent?;
            told.await.unwrap_or_else(|_| Err(stopped()))
        })
    }

    /// Why no batch is taken now, if so.
    pub(crate) fn refusal(&self) -> Option<String> {
        self.state.refusal()
    }

    pub(crate) fn waiting_spans(&self) -> u64 {
        u64::try_from(self.state.waiting_spans.load(Ordering::Acquire)).unwrap_or(0)
    }

    /// Tells whether nothing can be made durable any more.
    pub(crate) fn has_failed(&self) -> bool {
        self.state.is_fatal.load(Ordering::Acquire)
    }

    /// Sets the gauges that are read off the state.
    pub(crate) fn refresh_metrics(&self) {
        let (spans, frames) = (&self.state.waiting_spans, &self.state.waiting_frames);
        let waiting_spans = spans.load(Ordering::Acquire);
        self.metrics.waiting_spans.set(waiting_spans);
        self.metrics
            .waiting_frames
            .set(frames.load(Ordering::Acquire));
        let age_nanos = match self.oldest_unix_nanos.load(Ordering::Acquire) {
            0 => 0,
            oldest => self.clock.unix_nanos().saturating_sub(oldest),
        };
        self.metrics
            .oldest_seconds
            .set(gauge(age_nanos / 1_000_000_000));
        self.metrics
            .is_writable
            .set(i64::from(self.state.refusal().is_none()));
    }

    /// Ends the buffer's thread; what is left is delivered after the next start. Blocks.
    pub(crate) fn stop(&self) {
        drop(lock(&self.deliverer).take());
        drop(lock(&self.orders).take());
        let thread = lock(&self.thread).take();
        if thread.is_some_and(|thread| !thread.join()) {
            tracing::error!("the thread of the buffer panicked");
        }
    }
}

/// A std mutex: held for moments only, never across an await.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
