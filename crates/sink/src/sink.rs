//! The sink: the buffer's thread, the one who delivers, and what the rest of the program sees of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use codec::otlp::ResourceAttributes;
use model::contract::{Answer, IncomingBatch, Kept, SpanWriter, WriteError};
use plumbing::{Clock, CpuPool, Metrics, Random, Shutdown, Tasks, ThreadHandle};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::oneshot;

use crate::buffer::{Buffer, BufferParts, BufferState, Order};
use crate::collectors::Collectors;
use crate::deliver::{Context, Deliverer, DelivererLimits, GivenUp};
use crate::error::Error;
use crate::metrics::{SinkMetrics, gauge};
use crate::options::{BufferOptions, DeliveryOptions};

/// Orders that may wait for the buffer's thread; bytes of batches are bounded by the receivers' budget.
const ORDERS_MAX: usize = 4096;

/// What a sink stands on.
#[derive(Debug)]
pub struct SinkParts<'a> {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The registry of metrics.
    pub metrics: &'a Metrics,
    /// Where requests are compressed.
    pub pool: CpuPool,
    /// What resources are given where they lack it.
    pub attributes: ResourceAttributes,
    /// Where connections live.
    pub tasks: Tasks,
}

/// Keeps spans until collectors have them.
#[derive(Debug)]
pub struct Sink {
    orders: Mutex<Option<Sender<Order>>>,
    thread: Mutex<Option<ThreadHandle>>,
    state: Arc<BufferState>,
    metrics: SinkMetrics,
    clock: Arc<dyn Clock>,
    collectors: Collectors,
    oldest_unix_nanos: Arc<AtomicU64>,
    deliverer: Mutex<Option<Deliverer>>,
}

impl Sink {
    /// Opens the buffer and starts its thread. Nothing is delivered before [`Sink::deliver`]. Blocks.
    ///
    /// # Errors
    /// When the folder can't be used.
    pub fn open(
        buffer: &BufferOptions,
        delivery: &DeliveryOptions,
        parts: SinkParts<'_>,
    ) -> Result<Self, Error> {
        let metrics = SinkMetrics::register(parts.metrics);
        let collectors = Collectors::new(
            delivery.clone(),
            Arc::clone(&parts.clock),
            Arc::clone(&parts.random),
            metrics.clone(),
            parts.tasks,
        );
        let (opened, floor) = Buffer::open(
            buffer,
            BufferParts::on_real_files(
                Arc::clone(&parts.clock),
                &*parts.random,
                metrics.clone(),
                parts.attributes,
            ),
        )?;
        let (orders, given) = channel(ORDERS_MAX);
        let (state, written) = (opened.state(), opened.written());
        let oldest_unix_nanos = Arc::<AtomicU64>::default();
        let context = Context {
            collectors: collectors.clone(),
            pool: parts.pool,
            state: Arc::clone(&state),
            metrics: metrics.clone(),
            clock: Arc::clone(&parts.clock),
            compression: delivery.compression,
            oldest_unix_nanos: Arc::clone(&oldest_unix_nanos),
            given_up: Mutex::new(GivenUp::default()),
        };
        let limits = DelivererLimits {
            request_bytes_max: delivery.request_bytes_max,
            request_delay: delivery.request_delay,
            requests_max: delivery.requests_max,
        };
        let deliverer = Deliverer::new(Arc::new(context), orders.clone(), written, floor, limits);
        let thread = Tasks::thread("sink-buffer", move || opened.run(given));
        let thread = thread.map_err(|source| Error::Io {
            doing: "start a thread for",
            path: buffer.dir.clone(),
            source,
        })?;
        Ok(Self {
            orders: Mutex::new(Some(orders)),
            thread: Mutex::new(Some(thread)),
            state,
            metrics,
            clock: parts.clock,
            collectors,
            oldest_unix_nanos,
            deliverer: Mutex::new(Some(deliverer)),
        })
    }

    /// Delivers until the stop, and then, for so long at most, what is left.
    pub async fn deliver(&self, stop: Shutdown, drain_timeout: Duration) {
        let deliverer = lock(&self.deliverer).take();
        if let Some(deliverer) = deliverer {
            deliverer.run(stop, drain_timeout).await;
        }
    }

    /// The collectors, for questions. Their names are looked up by [`Collectors::run`], which the program starts.
    #[must_use]
    pub fn collectors(&self) -> &Collectors {
        &self.collectors
    }

    /// Spans that wait for a collector.
    #[must_use]
    pub fn waiting_spans(&self) -> u64 {
        u64::try_from(self.state.waiting_spans.load(Ordering::Acquire)).unwrap_or(0)
    }

    /// Tells whether nothing can be made durable any more, so that the program should end and be started again.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.state.is_fatal.load(Ordering::Acquire)
    }

    /// Sets the gauges that are read off the state; call it before metrics are printed.
    pub fn refresh_metrics(&self) {
        self.collectors.refresh_metrics();
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
    pub fn stop(&self) {
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

impl SpanWriter for Sink {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        let (tell, told) = oneshot::channel();
        let order = Order::Write(Box::new(incoming), tell);
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

    fn readiness(&self) -> Result<(), String> {
        self.state.refusal().map_or(Ok(()), Err)
    }
}

fn stopped() -> WriteError {
    WriteError::Unavailable {
        reason: "the agent is stopping".to_owned(),
    }
}
