//! Asking: from a front end's question to what the store is asked, and from spans to the trace that is shown.
//!
//! - [`Query`] asks a [`model::contract::SpanReader`]: searches, traces, services, operations, dependencies.
//! - [`jaeger_search`] lowers the search parameters of Jaeger's API to a [`model::Predicate`].
//! - [`adjust`] turns a batch into a trace that may be edited, and edits it as Jaeger does before it shows one.
//! - [`skeleton`] lays a trace of any size out for drawing.
//! - [`Question`] is a text of the query language, understood.
//! - [`red`] tells rates, errors and durations.
//! - [`AveragePath`] is what the time of an operation goes to; [`TraceDiff`] is two traces compared.
//! - [`go_time`] writes times and durations as Go programs write them, since warnings quote them.
//!
//! Refuses: knowing any protocol (that is `serve`) or any file (that is `store`).

pub mod adjust;
mod average_path;
mod compare;
mod cursor;
mod error;
pub mod go_time;
pub mod jaeger_search;
mod near;
mod question;
pub mod red;
mod run;
pub mod skeleton;
mod summaries;
mod walk;

pub use average_path::{AveragePath, PathPart, PathRequest};
pub use compare::{Cause, DiffNode, Side as DiffSide, TraceDiff};
pub use error::{Error, ErrorKind};
pub use question::{Counted, Question, Scope};
pub use run::{
    FindTraces, FoundHits, FoundTrace, FoundTraces, Query, QueryLimits, SHOWN_SPAN_BYTES,
    TracesById,
};
pub use summaries::{ListedSpan, SpanList, Summaries, Summary};
pub use walk::{Step, Walk};

/// What a span without a name is called when it is shown; Jaeger's words.
pub const SPAN_NAME_EMPTY: &str = "empty-span-name";
