//! What the way on counts and measures.
//!
//! The ledger in spans: buffered + what is here at the start = sent + rejected + dropped + set aside + what is here
//! now.

use plumbing::Metrics;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use crate::words::Words;

type Labels = Vec<(&'static str, String)>;

/// What every buffer and who delivers from it count; clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct SinkMetrics {
    pub buffered_spans: Counter,
    pub sent_spans: Counter,
    pub sent_requests: Counter,
    pub set_aside_spans: Counter,
    dropped_spans: Family<Labels, Counter>,
    refused_batches: Family<Labels, Counter>,
    retries: Family<Labels, Counter>,
    pub missing_frames: Counter,
    pub held_bytes: Gauge,
    pub held_bytes_max: Gauge,
    pub waiting_spans: Gauge,
    pub waiting_frames: Gauge,
    pub oldest_seconds: Gauge,
    pub in_flight: Gauge,
    pub is_writable: Gauge,
}

/// What only collectors have.
#[derive(Debug, Clone, Default)]
pub(crate) struct CollectorMetrics {
    pub sent_bytes: Counter,
    pub rejected_spans: Counter,
    pub resolve_failures: Counter,
    pub addresses: Gauge,
    pub connections: Gauge,
}

impl SinkMetrics {
    pub(crate) fn register(metrics: &Metrics, words: &Words) -> Self {
        let made = Self::default();
        made.register_counters(metrics, words);
        made.register_gauges(metrics, words);
        made
    }

    fn register_counters(&self, metrics: &Metrics, words: &Words) {
        let taker = words.taker;
        let counters = [
            (
                "buffered_spans",
                "Spans that were written to the buffer".to_owned(),
                &self.buffered_spans,
            ),
            (
                "sent_spans",
                format!("Spans that {taker} took"),
                &self.sent_spans,
            ),
            (
                "sent_requests",
                format!("Requests that {taker} took"),
                &self.sent_requests,
            ),
            (
                "missing_frames",
                "Batches in the buffer that could not be read any more".to_owned(),
                &self.missing_frames,
            ),
        ];
        let of_files = words.sets_aside.then(|| {
            (
                "set_aside_spans",
                format!("Spans that {taker} did not take while it took others: they are in files"),
                &self.set_aside_spans,
            )
        });
        let families = [
            (
                "dropped_spans",
                format!("Spans that were given up, by why {taker} refused them for good"),
                &self.dropped_spans,
            ),
            (
                "refused_batches",
                "Batches that the buffer did not take, by why".to_owned(),
                &self.refused_batches,
            ),
            (
                "retries",
                format!("Requests that are sent again, by how {taker} answered"),
                &self.retries,
            ),
        ];
        metrics.register(|registry| {
            for (name, help, counter) in counters.into_iter().chain(of_files) {
                registry.register(format!("{}{name}", words.metrics), help, counter.clone());
            }
            for (name, help, family) in families {
                registry.register(format!("{}{name}", words.metrics), help, family.clone());
            }
        });
    }

    fn register_gauges(&self, metrics: &Metrics, words: &Words) {
        let taker = words.taker;
        let of_bytes = [
            (
                "bytes",
                "Bytes that the buffer holds on the disk",
                &self.held_bytes,
            ),
            ("bytes_max", "Bytes that it may hold", &self.held_bytes_max),
        ];
        let gauges = [
            (
                "waiting_spans",
                format!("Spans that wait for {taker}"),
                &self.waiting_spans,
            ),
            (
                "waiting_batches",
                format!("Batches that wait for {taker}"),
                &self.waiting_frames,
            ),
            (
                "oldest_seconds",
                "Age of the oldest of them".to_owned(),
                &self.oldest_seconds,
            ),
            (
                "requests_in_flight",
                format!("Requests that wait for the answer of {taker}"),
                &self.in_flight,
            ),
            (
                "is_writable",
                "Whether the buffer takes batches: 1 or 0".to_owned(),
                &self.is_writable,
            ),
        ];
        metrics.register(|registry| {
            for (name, help, gauge) in of_bytes {
                let name = format!("{}{name}", words.metrics_bytes);
                registry.register(name, help, gauge.clone());
            }
            for (name, help, gauge) in gauges {
                registry.register(format!("{}{name}", words.metrics), help, gauge.clone());
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

impl CollectorMetrics {
    pub(crate) fn register(metrics: &Metrics, words: &Words) -> Self {
        let made = Self::default();
        let counters = [
            (
                "sent_bytes",
                "Bytes of requests that a collector took, as they were sent",
                &made.sent_bytes,
            ),
            (
                "rejected_spans",
                "Spans that a collector left out of a request that it took",
                &made.rejected_spans,
            ),
            (
                "resolve_failures",
                "Look-ups of a collector's name that failed",
                &made.resolve_failures,
            ),
        ];
        let gauges = [
            (
                "addresses",
                "Addresses of collectors that are known",
                &made.addresses,
            ),
            (
                "connections",
                "Addresses to which there is a connection",
                &made.connections,
            ),
        ];
        metrics.register(|registry| {
            for (name, help, counter) in counters {
                registry.register(format!("{}{name}", words.metrics), help, counter.clone());
            }
            for (name, help, gauge) in gauges {
                registry.register(format!("{}{name}", words.metrics), help, gauge.clone());
            }
        });
        made
    }
}

/// As a gauge holds it.
pub(crate) fn gauge(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
