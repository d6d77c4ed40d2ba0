//! How many spans satisfy something: the question and its answer.

use crate::TenantId;
use crate::contract::{Skipped, Window};
use crate::predicate::Predicate;

/// A question for a number of spans.
#[derive(Debug, Clone)]
pub struct CountRequest {
    /// Whose spans.
    pub tenant: TenantId,
    /// What a span must satisfy.
    pub predicate: Predicate,
    /// When it must start.
    pub window: Window,
}

/// The number of spans, exact but for what was skipped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CountAnswer {
    /// Spans that satisfy the predicate and start in the window. One that was stored twice counts once.
    pub spans: u64,
    /// Traces with at least one of them.
    pub traces: u64,
    /// What is not counted, and why; empty: the numbers are exact.
    pub skipped: Vec<Skipped>,
}
