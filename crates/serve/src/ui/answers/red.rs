//! Answers about rates: services, operations, calls, home.

use serde::Serialize;

use super::{Skipped, SpanKind};

/// Spans of a time; durations in nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct RedPoint {
    pub(in crate::ui) spans: u64,
    pub(in crate::ui) errors: u64,
    pub(in crate::ui) p50: f64,
    pub(in crate::ui) p95: f64,
    pub(in crate::ui) p99: f64,
}

/// A service or an operation over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct RedSeries {
    pub(in crate::ui) service: String,
    pub(in crate::ui) operation: Option<String>,
    pub(in crate::ui) kind: Option<SpanKind>,
    /// The whole window.
    pub(in crate::ui) total: RedPoint,
    /// The same time a day before.
    pub(in crate::ui) day_before: Option<RedPoint>,
    /// Nanoseconds in which no child was running, where that is known.
    pub(in crate::ui) own_ns: f64,
    /// Nanoseconds on critical paths, where that is known.
    pub(in crate::ui) critical_ns: f64,
    /// By step; null where there were no spans.
    pub(in crate::ui) points: Vec<Option<RedPoint>>,
    /// A trace with one of the slowest spans.
    pub(in crate::ui) slowest: Option<String>,
    /// A trace with one of the slowest spans that failed.
    pub(in crate::ui) failed: Option<String>,
}

/// Rate, errors and duration over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct RedAnswer {
    /// When the first step begins.
    pub(in crate::ui) from_ns: String,
    pub(in crate::ui) step_ns: f64,
    pub(in crate::ui) steps: u64,
    /// Seconds of the window that have passed: what rates are made with.
    pub(in crate::ui) seconds: f64,
    pub(in crate::ui) series: Vec<RedSeries>,
    pub(in crate::ui) has_all_operations: bool,
    pub(in crate::ui) skipped: Vec<Skipped>,
}

/// A service of the map.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct MapNode {
    pub(in crate::ui) service: String,
    pub(in crate::ui) total: RedPoint,
}

/// Calls between two services.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct Edge {
    pub(in crate::ui) caller: String,
    pub(in crate::ui) callee: String,
    /// Whether the called one consumes what was sent to it, instead of answering.
    pub(in crate::ui) is_async: bool,
    pub(in crate::ui) total: RedPoint,
    pub(in crate::ui) slowest: Option<String>,
    pub(in crate::ui) failed: Option<String>,
}

/// The map of services.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct EdgesAnswer {
    pub(in crate::ui) seconds: f64,
    pub(in crate::ui) nodes: Vec<MapNode>,
    pub(in crate::ui) edges: Vec<Edge>,
    pub(in crate::ui) skipped: Vec<Skipped>,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) enum LookKind {
    Slow,
    Failing,
}

/// Something that needs a look.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct Look {
    pub(in crate::ui) service: String,
    pub(in crate::ui) operation: String,
    pub(in crate::ui) kind: SpanKind,
    pub(in crate::ui) what: LookKind,
    /// p95 in nanoseconds, or the share that fails.
    pub(in crate::ui) now: f64,
    pub(in crate::ui) before: Option<f64>,
    /// The rule with its numbers.
    pub(in crate::ui) rule: String,
    /// The query that finds such spans.
    pub(in crate::ui) query: String,
    pub(in crate::ui) example: Option<String>,
    pub(in crate::ui) spans: u64,
}

/// How everything is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct HomeAnswer {
    pub(in crate::ui) spans_per_second: f64,
    pub(in crate::ui) services: RedAnswer,
    pub(in crate::ui) needs_a_look: Vec<Look>,
    /// The last start of a span that is known; null when nothing has arrived yet.
    pub(in crate::ui) last_span_ns: Option<String>,
    pub(in crate::ui) skipped: Vec<Skipped>,
}

/// What the time of an operation goes to, on the average of a sample of its spans.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct PathAnswer {
    /// Spans of the sample.
    pub(in crate::ui) spans: u64,
    /// Their average duration.
    pub(in crate::ui) mean_ns: f64,
    /// The operations that were at work, those with most time first.
    pub(in crate::ui) parts: Vec<PathPart>,
    /// The share of time of operations that are not told.
    pub(in crate::ui) others: f64,
    /// Attributes of the sample's spans whose values repeat, as a query writes them.
    pub(in crate::ui) attributes: Vec<String>,
    /// Traces that were too long to be looked at.
    pub(in crate::ui) left_out: u64,
    pub(in crate::ui) skipped: Vec<Skipped>,
}

/// An operation on the critical path of another.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct PathPart {
    pub(in crate::ui) service: String,
    pub(in crate::ui) operation: String,
    /// Its time in each span of the sample, on the average.
    pub(in crate::ui) mean_ns: f64,
    /// Its share of all time, from 0 to 1.
    pub(in crate::ui) share: f64,
    /// Its spans on the path in each span of the sample, on the average.
    pub(in crate::ui) calls: f64,
    /// Spans of the sample with any of it on their path.
    pub(in crate::ui) of_spans: u64,
    /// A trace in which it had much time.
    pub(in crate::ui) trace_id: String,
    pub(in crate::ui) span_id: String,
}
