//! What the way on counts and measures.
//!
//! The ledger in spans: buffered + what is here at the start = sent + rejected + dropped + what is here now.

use plumbing::Metrics;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

type Labels = Vec<(&'static str, String)>;

/// The sink's metrics; clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct SinkMetrics {
    pub buffered_spans: Counter,
    pub sent_spans: Counter,
    pub sent_requests: Counter,
    pub sent_bytes: Counter,
    pub rejected_spans: Counter,
    dropped_spans: Family<Labels, Counter>,
    refused_batches: Family<Labels, Counter>,
    retries: Family<Labels, Counter>,
    pub missing_frames: Counter,
    pub resolve_failures: Counter,
    pub held_bytes: Gauge,
    pub held_bytes_max: Gauge,
    pub waiting_spans: Gauge,
    pub waiting_frames: Gauge,
    pub oldest_seconds: Gauge,
    pub in_flight: Gauge,
    pub addresses: Gauge,
    pub connections: Gauge,
    pub is_writable: Gauge,
}

impl SinkMetrics {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        let made = Self::default();
        made.register_counters(metrics);
        made.register_gauges(metrics);
        made
    }

    fn register_counters(&self, metrics: &Metrics) {
        let counters = [
            (
                "buffered_spans",
                "Spans that were written to the buffer",
                &self.buffered_spans,
            ),
            (
                "sent_spans",
                "Spans that a collector took",
                &self.sent_spans,
            ),
            (
                "sent_requests",
                "Requests that a collector took",
                &self.sent_requests,
            ),
            (
                "sent_bytes",
                "Bytes of these requests, as they were sent",
                &self.sent_bytes,
            ),
            (
                "rejected_spans",
                "Spans that a collector left out of a request that it took",
                &self.rejected_spans,
            ),
            (
                "missing_frames",
                "Batches in the buffer that could not be read any more",
                &self.missing_frames,
            ),
            (
                "resolve_failures",
                "Look-ups of a collector's name that failed",
                &self.resolve_failures,
            ),
        ];
        let families = [
            (
                "dropped_spans",
                "Spans that were given up, by why a collector refused them for good",
                &self.dropped_spans,
            ),
            (
                "refused_batches",
                "Batches that the buffer did not take, by why",
                &self.refused_batches,
            ),
            (
                "retries",
                "Requests that are sent again, by how the collector answered",
                &self.retries,
            ),
        ];
        metrics.register(|registry| {
            for (name, help, counter) in counters {
                registry.register(format!("trackway_sink_{name}"), help, counter.clone());
            }
            for (name, help, family) in families {
                registry.register(format!("trackway_sink_{name}"), help, family.clone());
            }
        });
    }

    fn register_gauges(&self, metrics: &Metrics) {
        let gauges = [
            (
                "buffer_bytes",
                "Bytes that the buffer holds on the disk",
                &self.held_bytes,
            ),
            (
                "buffer_bytes_max",
                "Bytes that it may hold",
                &self.held_bytes_max,
            ),
            (
                "waiting_spans",
                "Spans that no collector has answered for yet",
                &self.waiting_spans,
            ),
            (
                "waiting_batches",
                "Batches that no collector has answered for yet",
                &self.waiting_frames,
            ),
            (
                "oldest_seconds",
                "Age of the oldest of them",
                &self.oldest_seconds,
            ),
            (
                "requests_in_flight",
                "Requests that wait for a collector's answer",
                &self.in_flight,
            ),
            (
                "addresses",
                "Addresses of collectors that are known",
                &self.addresses,
            ),
            (
                "connections",
                "Addresses to which there is a connection",
                &self.connections,
            ),
            (
                "is_writable",
                "Whether the buffer takes batches: 1 or 0",
                &self.is_writable,
            ),
        ];
        metrics.register(|registry| {
            for (name, help, gauge) in gauges {
                registry.register(format!("trackway_sink_{name}"), help, gauge.clone());
            }
        });
    }

    pub(crate) fn drop_spans(&self, reason: &str, spans: u64) {
        let labels = vec![("reason", reason.to_owned())];
        self.dropped_spans.get_or_create(&labels).inc_by(spans);
    }

    pub(crate) fn refuse(&self, reason: &str) {
        let labels = vec![("reason", reason.to_owned())];
        self.refused_batches.get_or_create(&labels).inc();
    }

    pub(crate) fn retry(&self, reason: &str) {
        let labels = vec![("reason", reason.to_owned())];
        self.retries.get_or_create(&labels).inc();
    }
}

/// As a gauge holds it.
pub(crate) fn gauge(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
