//! How spans of one trace stand to each other: the question for spans that are above, below or beside others.
//!
//! Meaning
//! - A trace is judged whole. The parent of a span is the span of its trace that arrived first of those with its parent
//!   id; a span is never its own parent, and without such a span it has none.
//! - The ancestors of a span are its parent, the parent's parent and so on, without the span itself, also where parents
//!   go round in a circle.
//! - Siblings are different spans that have the same parent.

use crate::TenantId;
use crate::contract::{Position, Skipped, TraceHit, Window};
use crate::predicate::Predicate;

/// How the spans that are asked for stand to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// Below one of them, at any depth.
    Descendant,
    /// Its parent is one of them.
    Child,
    /// Above one of them, at any distance.
    Ancestor,
    /// It is the parent of one of them.
    Parent,
    /// Another child of the parent of one of them.
    Sibling,
}

/// The spans that satisfy `right` and stand in the relation to some span of their trace that satisfies `left`.
#[derive(Debug, Clone, PartialEq)]
pub struct Structure {
    /// What the spans satisfy that others are related to.
    pub left: Predicate,
    /// How those on the right stand to those on the left.
    pub relation: Relation,
    /// What the spans satisfy that are found.
    pub right: Predicate,
}

/// A search by structure; the newest traces come first.
#[derive(Debug, Clone)]
pub struct StructureRequest {
    /// Whose spans.
    pub tenant: TenantId,
    /// What is looked for.
    pub structure: Structure,
    /// When a span that is found must start; those on the left may start at any time.
    pub window: Window,
    /// The most traces to give.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<Position>,
}

/// What a search by structure found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StructureAnswer {
    /// Traces with a span that was found, by [`Order::NewestFirst`](crate::contract::Order::NewestFirst).
    pub traces: Vec<TraceHit>,
    /// Whether there are more behind the last one.
    pub has_more: bool,
    /// All spans that were found, whatever the limit is.
    pub all_spans: u64,
    /// All traces that were found, whatever the limit is.
    pub all_traces: u64,
    /// What could not be read or was not looked at; the rest is true without it.
    pub skipped: Vec<Skipped>,
}
