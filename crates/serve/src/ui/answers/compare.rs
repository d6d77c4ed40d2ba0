//! Answers about two traces compared.

use serde::Serialize;

use super::Skipped;

/// Two traces compared: one tree of both, and what explains the difference. Times are in nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct CompareAnswer {
    pub(in crate::ui) a: ComparedTrace,
    pub(in crate::ui) b: ComparedTrace,
    /// The operations whose own time differs, the largest difference first.
    pub(in crate::ui) causes: Vec<CompareCause>,
    /// The common tree in pre-order, the larger difference of siblings first.
    pub(in crate::ui) nodes: Vec<CompareNode>,
    /// How many nodes there are; those that are not told are the last ones.
    pub(in crate::ui) all_nodes: u64,
    pub(in crate::ui) skipped: Vec<Skipped>,
}

/// One of the two.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct ComparedTrace {
    pub(in crate::ui) trace_id: String,
    pub(in crate::ui) duration_ns: u64,
    pub(in crate::ui) spans: u64,
    /// Spans without a counterpart.
    pub(in crate::ui) only_here: u64,
}

/// An operation that explains a part of the difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct CompareCause {
    pub(in crate::ui) service: String,
    pub(in crate::ui) operation: String,
    /// Own time, the first minus the second.
    pub(in crate::ui) difference_ns: i64,
    pub(in crate::ui) spans_a: u64,
    pub(in crate::ui) spans_b: u64,
}

/// A node of the common tree: spans with the same path of services and names.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS, utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::ui) struct CompareNode {
    pub(in crate::ui) depth: u32,
    pub(in crate::ui) service: String,
    pub(in crate::ui) operation: String,
    /// 0: it is only in the other trace.
    pub(in crate::ui) spans_a: u64,
    pub(in crate::ui) spans_b: u64,
    /// Of all of them together.
    pub(in crate::ui) duration_ns_a: u64,
    pub(in crate::ui) duration_ns_b: u64,
    pub(in crate::ui) own_ns_a: u64,
    pub(in crate::ui) own_ns_b: u64,
    /// The first of them.
    pub(in crate::ui) span_id_a: Option<String>,
    pub(in crate::ui) span_id_b: Option<String>,
}
