//! What is counted of writing.

use plumbing::Metrics;
use prometheus_client::metrics::counter::Counter;

/// The counters; clones share them.
#[derive(Debug, Clone, Default)]
pub struct CassandraMetrics {
    pub(super) spans_kept: Counter,
    pub(super) rows_sent_again: Counter,
}

impl CassandraMetrics {
    /// Makes the counters and registers them.
    #[must_use]
    pub fn register(metrics: &Metrics) -> Self {
        let made = Self::default();
        metrics.register(|registry| {
            registry.register(
                "trackway_backend_spans_kept",
                "Spans that the store of others has confirmed, or that are set aside there",
                made.spans_kept.clone(),
            );
            registry.register(
                "trackway_backend_rows_sent_again",
                "Rows that Cassandra had not confirmed when they were sent before",
                made.rows_sent_again.clone(),
            );
        });
        made
    }
}
