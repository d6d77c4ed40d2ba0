//! The sink of an agent: a buffer before collectors.

use std::sync::Arc;
use std::time::Duration;

use codec::otlp::ResourceAttributes;
use model::contract::{Answer, IncomingBatch, Kept, SpanWriter, WriteError};
use plumbing::{Clock, CpuPool, Metrics, Random, Shutdown, Tasks};

use crate::breaker::Pauses;
use crate::buffer::BufferParts;
use crate::collectors::Collectors;
use crate::deliver::DelivererLimits;
use crate::error::Error;
use crate::metrics::{CollectorMetrics, SinkMetrics};
use crate::options::{BufferOptions, DeliveryOptions};
use crate::outlet::CollectorOutlet;
use crate::way::{Way, WayParts};
use crate::words::COLLECTORS;

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
    way: Way,
    collectors: Collectors,
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
        let metrics = SinkMetrics::register(parts.metrics, &COLLECTORS);
        let own_metrics = CollectorMetrics::register(parts.metrics, &COLLECTORS);
        let collectors = Collectors::new(
            delivery.clone(),
            Arc::clone(&parts.clock),
            Arc::clone(&parts.random),
            (metrics.clone(), own_metrics.clone()),
            parts.tasks,
        );
        let outlet = CollectorOutlet {
            collectors: collectors.clone(),
            pool: parts.pool,
            compression: delivery.compression,
            metrics: own_metrics,
        };
        let limits = DelivererLimits {
            request_bytes_max: delivery.request_bytes_max,
            request_delay: delivery.request_delay,
            requests_max: delivery.requests_max,
        };
        let on_disk = BufferParts::on_real_files(
            parts.clock,
            &*parts.random,
            metrics,
            parts.attributes,
            &COLLECTORS,
        );
        let parts = WayParts {
            buffer: on_disk,
            random: Arc::clone(&parts.random),
            outlet: Arc::new(outlet),
            // Collectors have their own: what comes back from them is final.
            pauses: Pauses::default(),
            limits,
        };
        let way = Way::open(buffer, parts)?;
        Ok(Self { way, collectors })
    }

    /// Delivers until the stop, and then, for so long at most, what is left.
    pub async fn deliver(&self, stop: Shutdown, drain_timeout: Duration) {
        self.way.deliver(stop, drain_timeout).await;
    }

    /// The collectors, for questions. Their names are looked up by [`Collectors::run`], which the program starts.
    #[must_use]
    pub fn collectors(&self) -> &Collectors {
        &self.collectors
    }

    /// Spans that wait for a collector.
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
        self.collectors.refresh_metrics();
        self.way.refresh_metrics();
    }

    /// Ends the buffer's thread; what is left is delivered after the next start. Blocks.
    pub fn stop(&self) {
        self.way.stop();
    }
}

impl SpanWriter for Sink {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        self.way.write(incoming)
    }

    fn readiness(&self) -> Result<(), String> {
        self.way.refusal().map_or(Ok(()), Err)
    }
}
