//! What a trace looks like from afar: what lists of traces show.

use crate::TraceId;
use crate::contract::Skipped;

/// What traces look like.
#[derive(Debug, Clone, Default)]
pub struct FactsAnswer {
    /// In the order asked for; traces that are not known are left out.
    pub facts: Vec<TraceFacts>,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

/// A trace from afar, over all its known spans, each counted once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceFacts {
    /// The trace.
    pub trace_id: TraceId,
    /// Start of its earliest span, ns since the epoch.
    pub start: u64,
    /// Latest end of its spans, ns since the epoch.
    pub end: u64,
    /// Its spans.
    pub spans: u64,
    /// Those of them whose status is an error.
    pub errors: u64,
    /// The span without a parent that starts first; `None` where no such span is known.
    pub root: Option<RootFacts>,
    /// Its services, ascending by name.
    pub services: Vec<ServiceFacts>,
    /// Whether it has one span without a parent, and all others are below that one.
    pub is_complete: bool,
    /// How many traces of those that were merged with it have its form: the same operations below one another, itself
    /// counted. 1: it is alone with it. 0: not known, since it was not merged or goes on elsewhere.
    pub alike: u64,
}

/// The root of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootFacts {
    /// Its service.
    pub service: String,
    /// Its name.
    pub name: String,
    /// OTLP's number of its kind.
    pub kind: i32,
}

/// The share of a service in a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFacts {
    /// The service.
    pub service: String,
    /// Its spans in the trace.
    pub spans: u64,
    /// Those of them whose status is an error.
    pub errors: u64,
}
