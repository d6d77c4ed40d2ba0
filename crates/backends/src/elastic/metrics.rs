//! What is counted of writing.

use plumbing::Metrics;
use prometheus_client::metrics::counter::Counter;

/// The counters; clones share them.
#[derive(Debug, Clone, Default)]
pub struct ElasticMetrics {
    pub(super) spans_kept: Counter,
    pub(super) sent_again: Counter,
    pub(super) set_aside: Counter,
}

impl ElasticMetrics {
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
                "trackway_backend_documents_sent_again",
                "Documents that Elasticsearch had no room for when they were sent",
                made.sent_again.clone(),
            );
            registry.register(
                "trackway_backend_documents_set_aside",
                "Documents that Elasticsearch does not take, kept as texts with the reason",
                made.set_aside.clone(),
            );
        });
        made
    }
}
