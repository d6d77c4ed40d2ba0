//! Answers about finding: queries and their completion, all matches from afar, spans as they arrive.

use serde::Serialize;

use super::{Diagnostic, MatchedSpan, Skipped};

/// A comparison, as a chip is edited.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct Comparison {
    pub(in crate::ui) field: String,
    pub(in crate::ui) op: String,
    /// A literal of the query language; empty where a field stands alone.
    pub(in crate::ui) value: String,
}

/// A conjunct of a query.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct Chip {
    /// Its text without braces.
    pub(in crate::ui) text: String,
    /// Where it is a simple comparison; else it can only be edited as text.
    pub(in crate::ui) comparison: Option<Comparison>,
}

/// A query, read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct QueryAnswer {
    /// As it is printed; null when it has errors.
    pub(in crate::ui) canonical: Option<String>,
    pub(in crate::ui) chips: Vec<Chip>,
    pub(in crate::ui) diagnostics: Vec<Diagnostic>,
}

/// What a completion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) enum CompletionKind {
    Field,
    Attribute,
    Operator,
    Value,
    Logic,
}

/// Something that may stand there.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct CompletionItem {
    pub(in crate::ui) text: String,
    pub(in crate::ui) kind: CompletionKind,
    pub(in crate::ui) detail: String,
    /// How often it was seen, where that is known.
    pub(in crate::ui) count: Option<u64>,
}

/// What may stand at a place of a query; offsets are in UTF-16 units.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct CompletionAnswer {
    pub(in crate::ui) from: u32,
    pub(in crate::ui) to: u32,
    pub(in crate::ui) items: Vec<CompletionItem>,
    /// Whether there is nothing else.
    pub(in crate::ui) is_all: bool,
}

/// A span that something points to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct SpanPointer {
    pub(in crate::ui) trace_id: String,
    pub(in crate::ui) span_id: Option<String>,
    pub(in crate::ui) duration_ns: f64,
}

/// The bounds of a row of the heatmap in nanoseconds: from, included, to, not included.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct Bucket {
    pub(in crate::ui) from_ns: f64,
    pub(in crate::ui) to_ns: f64,
}

/// Cells of the heatmap that are not empty, as columns.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct Cells {
    pub(in crate::ui) step: Vec<u32>,
    /// An index of `buckets`.
    pub(in crate::ui) bucket: Vec<u32>,
    pub(in crate::ui) count: Vec<u64>,
    pub(in crate::ui) errors: Vec<u64>,
    pub(in crate::ui) slowest: Vec<SpanPointer>,
}

/// A value of a facet.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct FacetValue {
    pub(in crate::ui) value: String,
    /// As a query writes it.
    pub(in crate::ui) literal: String,
    pub(in crate::ui) count: u64,
    pub(in crate::ui) errors: u64,
}

/// The values of a field.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct Facet {
    /// As a query writes it.
    pub(in crate::ui) field: String,
    pub(in crate::ui) values: Vec<FacetValue>,
    /// Spans with values that are not listed.
    pub(in crate::ui) others: u64,
    /// Spans without a value.
    pub(in crate::ui) missing: u64,
}

/// All matches from afar.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct OverviewAnswer {
    pub(in crate::ui) from_ns: String,
    pub(in crate::ui) to_ns: String,
    pub(in crate::ui) step_ns: f64,
    /// Traces or spans that match, as the scope says.
    pub(in crate::ui) points: u64,
    /// Those of them that failed.
    pub(in crate::ui) errors: u64,
    /// Spans that match.
    pub(in crate::ui) spans: u64,
    pub(in crate::ui) cells: Cells,
    /// Ascending.
    pub(in crate::ui) buckets: Vec<Bucket>,
    pub(in crate::ui) facets: Vec<Facet>,
    /// The share of the matching spans that facets were counted over, 0 to 1.
    pub(in crate::ui) facet_share: f64,
    pub(in crate::ui) skipped: Vec<Skipped>,
}

/// A span that has just arrived.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct TailSpan {
    pub(in crate::ui) trace_id: String,
    pub(in crate::ui) span: MatchedSpan,
}

/// An event of the live tail.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(
    rename_all = "camelCase",
    tag = "type",
    rename_all_fields = "camelCase"
)]
pub(in crate::ui) enum TailEvent {
    /// Spans that match.
    Spans { spans: Vec<TailSpan> },
    /// So many came too fast to be sent.
    Dropped { spans: u64 },
}
