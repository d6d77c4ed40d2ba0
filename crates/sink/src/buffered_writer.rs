//! A buffer before a store of others: a writer that acknowledges what is on the disk here.
//!
//! Promises
//! - A batch is acknowledged at the level chosen, whether the store is there or not, and let go when the store has
//!   confirmed it: at least once, also over a death of the program.
//! - A batch that the store does not take while it takes others is set aside as a file, and holds up nothing.
//! - When there is no room left the sender is told to come again, with the store's reason.

use std::sync::Arc;
use std::time::Duration;

use codec::otlp::ResourceAttributes;
use model::contract::{Answer, IncomingBatch, Kept, SpanWriter, WriteError};
use plumbing::{Clock, Complaints, CpuPool, Metrics, Random, Shutdown};

use crate::buffer::BufferParts;
use crate::deliver::DelivererLimits;
use crate::error::Error;
use crate::guarded::GuardedWriter;
use crate::metrics::SinkMetrics;
use crate::options::BufferOptions;
use crate::outlet::Outlet;
use crate::store_outlet::StoreOutlet;
use crate::way::{Way, WayParts};
use crate::words::STORE;

/// A write is not made larger than this, unless one batch is by itself: some thousands of spans.
const WRITE_BYTES_MAX: u64 = 1 << 20;
/// How long a batch waits for others to share its write: it is found so much later.
const WRITE_DELAY: Duration = Duration::from_millis(50);

/// What a buffered writer stands on.
#[derive(Debug)]
pub struct BufferedParts<'a> {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The registry of metrics.
    pub metrics: &'a Metrics,
    /// Where spans are decoded.
    pub pool: CpuPool,
    /// Who writes to the store.
    pub writer: GuardedWriter,
    /// Writes under way at once.
    pub writes_max: usize,
}

/// Keeps spans until a store has them.
#[derive(Debug)]
pub struct BufferedWriter {
    way: Way,
    outlet: Arc<StoreOutlet>,
}

impl BufferedWriter {
    /// Opens the buffer and starts its thread. Nothing is delivered before [`BufferedWriter::deliver`]. Blocks.
    ///
    /// # Errors
    /// When the folder can't be used.
    pub fn open(buffer: &BufferOptions, parts: BufferedParts<'_>) -> Result<Self, Error> {
        let metrics = SinkMetrics::register(parts.metrics, &STORE);
        let pauses = parts.writer.pauses();
        let outlet = Arc::new(StoreOutlet {
            writer: parts.writer,
            pool: parts.pool,
            random: Arc::clone(&parts.random),
            metrics: metrics.clone(),
            complaints: Complaints::default(),
        });
        let limits = DelivererLimits {
            request_bytes_max: WRITE_BYTES_MAX,
            request_delay: WRITE_DELAY,
            requests_max: parts.writes_max,
        };
        let on_disk = BufferParts::on_real_files(
            parts.clock,
            &*parts.random,
            metrics,
            ResourceAttributes::default(),
            &STORE,
        );
        let parts = WayParts {
            buffer: on_disk,
            random: Arc::clone(&parts.random),
            outlet: Arc::clone(&outlet) as Arc<dyn Outlet>,
            pauses,
            limits,
        };
        let way = Way::open(buffer, parts)?;
        Ok(Self { way, outlet })
    }

    /// Delivers until the stop, and then, for so long at most, what is left.
    pub async fn deliver(&self, stop: Shutdown, drain_timeout: Duration) {
        self.way.deliver(stop, drain_timeout).await;
    }

    /// Spans that wait for the store.
    #[must_use]
    pub fn waiting_spans(&self) -> u64 {
        self.way.waiting_spans()
    }

    /// Tells whether nothing can be made durable any more, so that the program should end and be started again.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.way.has_failed()
    }

    /// Sets the gauges that are read off the state; call it before metrics are printed.
    pub fn refresh_metrics(&self) {
        self.way.refresh_metrics();
    }

    /// Ends the buffer's thread; what is left is delivered after the next start. Blocks.
    pub fn stop(&self) {
        self.way.stop();
    }

    /// Why no batch is taken, with what is known of the store where that is the cause.
    fn refusal(&self) -> Option<String> {
        let refusal = self.way.refusal()?;
        let trouble = self.outlet.trouble().filter(|_| refusal == STORE.full);
        Some(with_trouble(refusal, trouble))
    }
}

fn with_trouble(refusal: String, trouble: Option<String>) -> String {
    match trouble {
        Some(trouble) => format!("{refusal}: {trouble}"),
        None => refusal,
    }
}

impl SpanWriter for BufferedWriter {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        let (writing, outlet) = (self.way.write(incoming), Arc::clone(&self.outlet));
        Box::pin(async move {
            writing.await.map_err(|error| match error {
                WriteError::Unavailable { reason } if reason == STORE.full => {
                    WriteError::Unavailable {
                        reason: with_trouble(reason, outlet.trouble()),
                    }
                }
                other => other,
            })
        })
    }

    fn readiness(&self) -> Result<(), String> {
        self.refusal().map_or(Ok(()), Err)
    }
}
