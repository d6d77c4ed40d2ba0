//! What the store counts and measures.

use plumbing::{Metrics, latency_buckets};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use crate::services::ServiceCalls;

/// What became of traces, and whose word that was.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerdictLabels {
    policy: String,
    verdict: String,
}

/// The store's metrics; clones count together.
#[derive(Debug, Clone)]
pub(crate) struct StoreMetrics {
    pub stored_spans: Counter,
    pub duplicate_requests: Counter,
    pub duplicate_spans: Counter,
    pub replayed_spans: Counter,
    pub journal_errors: Counter,
    pub freeze_errors: Counter,
    pub damaged_segments: Counter,
    pub damaged_lists: Counter,
    pub damaged_log_places: Counter,
    pub lost_frames: Counter,
    pub removed_segments: Counter,
    pub removed_spans: Counter,
    pub frozen_spans: Counter,
    pub merged_spans: Counter,
    pub finalise_errors: Counter,
    pub scrubbed_bytes: Counter,
    pub logged_bytes: Counter,
    pub frozen_bytes: Counter,
    pub merged_bytes: Counter,
    pub head_spans: Gauge,
    pub head_bytes: Gauge,
    pub segments: Gauge,
    pub segment_spans: Gauge,
    pub segment_bytes: Gauge,
    pub segment_bytes_max: Gauge,
    pub disk_bytes: Gauge,
    pub disk_free_bytes: Gauge,
    pub journal_bytes: Gauge,
    pub is_writable: Gauge,
    pub acknowledgement_level: Gauge,
    pub services: ServiceCalls,
    judged_traces: Family<VerdictLabels, Counter>,
    judged_spans: Family<VerdictLabels, Counter>,
    commit_seconds: Histogram,
    freeze_seconds: Histogram,
    finalise_seconds: Histogram,
    pub query_seconds: Histogram,
}

/// Sets gauges to what they show.
pub(crate) fn set_gauges<'g>(gauges: impl IntoIterator<Item = (&'g Gauge, u64)>) {
    for (gauge, value) in gauges {
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    }
}

impl StoreMetrics {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        let made = Self {
            stored_spans: Counter::default(),
            duplicate_requests: Counter::default(),
            duplicate_spans: Counter::default(),
            replayed_spans: Counter::default(),
            journal_errors: Counter::default(),
            freeze_errors: Counter::default(),
            damaged_segments: Counter::default(),
            damaged_lists: Counter::default(),
            damaged_log_places: Counter::default(),
            lost_frames: Counter::default(),
            removed_segments: Counter::default(),
            removed_spans: Counter::default(),
            frozen_spans: Counter::default(),
            merged_spans: Counter::default(),
            finalise_errors: Counter::default(),
            scrubbed_bytes: Counter::default(),
            logged_bytes: Counter::default(),
            frozen_bytes: Counter::default(),
            merged_bytes: Counter::default(),
            head_spans: Gauge::default(),
            head_bytes: Gauge::default(),
            segments: Gauge::default(),
            segment_spans: Gauge::default(),
            segment_bytes: Gauge::default(),
            segment_bytes_max: Gauge::default(),
            disk_bytes: Gauge::default(),
            disk_free_bytes: Gauge::default(),
            journal_bytes: Gauge::default(),
            is_writable: Gauge::default(),
            acknowledgement_level: Gauge::default(),
            services: ServiceCalls::register(metrics),
            judged_traces: Family::default(),
            judged_spans: Family::default(),
            commit_seconds: Histogram::new(latency_buckets()),
            freeze_seconds: Histogram::new(latency_buckets()),
            finalise_seconds: Histogram::new(latency_buckets()),
            query_seconds: Histogram::new(latency_buckets()),
        };
        made.register_counters(metrics);
        made.register_gauges(metrics);
        made.register_verdicts(metrics);
        made
    }

    // tidy: long-function: a table of names and what they count
    fn register_counters(&self, metrics: &Metrics) {
        let counters = [
            ("stored_spans", "Spans that were kept", &self.stored_spans),
            (
                "duplicate_requests",
                "Requests that had been kept before and were not stored again",
                &self.duplicate_requests,
            ),
            (
                "duplicate_spans",
                "Spans of such requests; what the receivers accepted is these and the stored ones",
                &self.duplicate_spans,
            ),
            (
                "replayed_spans",
                "Spans that the last start took from the log",
                &self.replayed_spans,
            ),
            (
                "journal_errors",
                "Failures of the log",
                &self.journal_errors,
            ),
            (
                "freeze_errors",
                "Heads that could not be written as segments and are tried again",
                &self.freeze_errors,
            ),
            (
                "damaged_segments",
                "Segments in which damage was found",
                &self.damaged_segments,
            ),
            (
                "damaged_lists",
                "Starts that found the list of segments damaged and made it again",
                &self.damaged_lists,
            ),
            (
                "damaged_log_places",
                "Damaged places that the last start found in the log",
                &self.damaged_log_places,
            ),
            (
                "lost_frames",
                "Requests that the last start missed in the log",
                &self.lost_frames,
            ),
            (
                "removed_segments",
                "Segments that retention removed",
                &self.removed_segments,
            ),
            (
                "removed_spans",
                "Spans that retention removed",
                &self.removed_spans,
            ),
            (
                "frozen_spans",
                "Spans that were written to segments",
                &self.frozen_spans,
            ),
            (
                "merged_spans",
                "Spans that were moved from several segments into one",
                &self.merged_spans,
            ),
            (
                "finalise_errors",
                "Slices of segments that could not be merged and are tried again",
                &self.finalise_errors,
            ),
            (
                "logged_bytes",
                "Bytes that were written to the log; with the frozen and the merged they are all that is written",
                &self.logged_bytes,
            ),
            (
                "frozen_bytes",
                "Bytes of segments that were made of what was in memory",
                &self.frozen_bytes,
            ),
            (
                "merged_bytes",
                "Bytes of segments that were made of others",
                &self.merged_bytes,
            ),
            (
                "scrubbed_bytes",
                "Bytes of segments that were read to find damage",
                &self.scrubbed_bytes,
            ),
        ];
        metrics.register(|registry| {
            for (name, help, counter) in counters {
                registry.register(format!("trackway_store_{name}"), help, counter.clone());
            }
        });
    }

    fn register_gauges(&self, metrics: &Metrics) {
        let gauges = [
            (
                "head_spans",
                "Spans in memory that are in no segment yet",
                &self.head_spans,
            ),
            (
                "head_bytes",
                "Bytes of memory that they take",
                &self.head_bytes,
            ),
            ("segments", "Segments", &self.segments),
            ("segment_spans", "Spans in segments", &self.segment_spans),
            (
                "segment_bytes",
                "Bytes of all segments",
                &self.segment_bytes,
            ),
            (
                "segment_bytes_max",
                "Bytes that segments may have before the oldest leave",
                &self.segment_bytes_max,
            ),
            ("disk_bytes", "Size of the disk", &self.disk_bytes),
            (
                "disk_free_bytes",
                "Bytes that are free on it",
                &self.disk_free_bytes,
            ),
            ("journal_bytes", "Bytes of the log", &self.journal_bytes),
            ("writable", "1 when spans can be kept", &self.is_writable),
            (
                "acknowledgement_level",
                "2 sync, 1 page_cache, 0 memory",
                &self.acknowledgement_level,
            ),
        ];
        let histograms = [
            (
                "commit_seconds",
                "Time to write a group of requests to the log",
                &self.commit_seconds,
            ),
            (
                "freeze_seconds",
                "Time to write a head as a segment",
                &self.freeze_seconds,
            ),
            (
                "finalise_seconds",
                "Time to merge a slice of segments",
                &self.finalise_seconds,
            ),
            (
                "query_seconds",
                "Time to answer a question",
                &self.query_seconds,
            ),
        ];
        metrics.register(|registry| {
            for (name, help, gauge) in gauges {
                registry.register(format!("trackway_store_{name}"), help, gauge.clone());
            }
            for (name, help, histogram) in histograms {
                registry.register(format!("trackway_store_{name}"), help, histogram.clone());
            }
        });
    }

    fn register_verdicts(&self, metrics: &Metrics) {
        metrics.register(|registry| {
            registry.register(
                "trackway_store_judged_traces",
                "Traces that tail sampling kept or dropped, by the policy that did",
                self.judged_traces.clone(),
            );
            registry.register(
                "trackway_store_judged_spans",
                "Their spans; those stored are the ones in memory and in segments, the dropped and the removed, less \
                 what came twice",
                self.judged_spans.clone(),
            );
        });
    }

    /// Counts traces that a policy kept or dropped, and their spans.
    pub(crate) fn count_verdict(&self, policy: &str, is_kept: bool, (traces, spans): (u64, u64)) {
        let labels = VerdictLabels {
            policy: policy.to_owned(),
            verdict: if is_kept { "kept" } else { "dropped" }.to_owned(),
        };
        self.judged_traces.get_or_create(&labels).inc_by(traces);
        self.judged_spans.get_or_create(&labels).inc_by(spans);
    }

    /// How many spans were dropped.
    #[cfg(test)]
    pub(crate) fn judged(&self, policy: &str, verdict: &str) -> (u64, u64) {
        let labels = VerdictLabels {
            policy: policy.to_owned(),
            verdict: verdict.to_owned(),
        };
        let of = |family: &Family<VerdictLabels, Counter>| family.get_or_create(&labels).get();
        (of(&self.judged_traces), of(&self.judged_spans))
    }

    /// Shows what an acknowledged span survives.
    pub(crate) fn set_level(&self, level: journal::Level) {
        self.acknowledgement_level.set(match level {
            journal::Level::Sync => 2,
            journal::Level::PageCache => 1,
            journal::Level::Memory => 0,
        });
    }

    pub(crate) fn observe_commit(&self, nanos: u64) {
        self.commit_seconds.observe(seconds(nanos));
    }

    pub(crate) fn observe_freeze(&self, nanos: u64, (spans, bytes): (u64, u64)) {
        self.freeze_seconds.observe(seconds(nanos));
        self.frozen_spans.inc_by(spans);
        self.frozen_bytes.inc_by(bytes);
    }

    pub(crate) fn observe_finalise(&self, nanos: u64, spans: u64) {
        self.finalise_seconds.observe(seconds(nanos));
        self.merged_spans.inc_by(spans);
    }
}

/// Nanoseconds as seconds.
#[allow(
    clippy::cast_precision_loss,
    reason = "a duration in a histogram needs no 53 bits"
)]
pub(crate) fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}
