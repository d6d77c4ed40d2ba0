//! Answers about one trace as a whole, beside its rows.

use serde::Serialize;

use super::{Diagnostic, Skipped, SpanEvent};

/// The rows of a trace that match.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct FindAnswer {
    /// The version of the skeleton whose rows they are.
    pub(in crate::ui) version: String,
    pub(in crate::ui) rows: Vec<u32>,
    pub(in crate::ui) diagnostics: Vec<Diagnostic>,
    pub(in crate::ui) skipped: Vec<Skipped>,
}

/// A field that spans of the trace have.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct TraceKey {
    /// As a query writes it.
    pub(in crate::ui) field: String,
    /// Spans that have it.
    pub(in crate::ui) spans: u64,
    /// Distinct values, as far as they were counted.
    pub(in crate::ui) distinct: u64,
}

/// The fields that spans of a trace have.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct TraceKeysAnswer {
    pub(in crate::ui) keys: Vec<TraceKey>,
    /// Whether there are no others.
    pub(in crate::ui) is_all: bool,
    pub(in crate::ui) skipped: Vec<Skipped>,
}

/// A field's values, by row of the skeleton.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct TraceColumnAnswer {
    pub(in crate::ui) version: String,
    /// The distinct values, the most frequent first.
    pub(in crate::ui) values: Vec<String>,
    /// By row: one more than the place in `values`; 0 for none.
    pub(in crate::ui) rows: Vec<u32>,
    pub(in crate::ui) skipped: Vec<Skipped>,
}

/// An event of a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct TraceEvent {
    /// The row of its span.
    pub(in crate::ui) row: u32,
    pub(in crate::ui) event: SpanEvent,
}

/// The events of a trace by time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct TraceEventsAnswer {
    pub(in crate::ui) version: String,
    pub(in crate::ui) events: Vec<TraceEvent>,
    /// Whether there are no others.
    pub(in crate::ui) is_all: bool,
    pub(in crate::ui) skipped: Vec<Skipped>,
}
