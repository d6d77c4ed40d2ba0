//! The structured filter of Jaeger's API v3 (`query.filter`): its JSON into a tree, the tree into a predicate.
//!
//! Promises: what is accepted is answered exactly. A comparison needs a value to compare, so `ne`, `not_in` and all
//! others are false where there is none; of several values (events, links) one that fits is enough, and for `ne` and
//! `not_in` none may be equal. A constant without a type is compared as text, for order as a number where it is one.
//! A `regex` is found anywhere in the value.
//! Refuses, each with the operator's name: two references in one comparison, a reference on neither side, fields that
//! the store has not (`endTime`, `schemaURL`, times of events, trace state of links), several conditions on one event
//! or link in `some`, and what Jaeger itself refuses: anchors, `\b`, lazy repetition and flags in a `regex`, wrong
//! numbers of arguments, nesting deeper than [`CALLS_DEEP_MAX`].

mod json;
mod lower;
mod pattern;
#[cfg(test)]
mod tests;

pub(super) use json::parse;
pub(super) use lower::lower;

/// Calls within calls.
const CALLS_DEEP_MAX: usize = 20;
/// Calls, references and constants of one filter.
const TERMS_MAX: usize = 1_000;

fn too_deep() -> String {
    format!("calls are nested deeper than {CALLS_DEEP_MAX}")
}
