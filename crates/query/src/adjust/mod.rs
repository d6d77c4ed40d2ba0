//! A trace as it is shown: spans that may be edited, and the edits that Jaeger makes before it shows a trace.
//!
//! [`AdjustableTrace::sanitized`] makes what Jaeger would have stored (names for what has none, an end behind every
//! start): it is shown even when a reader asks for raw spans. [`adjust`] then does, in this order: ids that a client
//! and a server share, order of attributes and events, duplicates, clock skew, addresses, the library's attributes,
//! links to nothing.
//!
//! Promises: texts and values are borrowed from the batch, so that a big trace is not copied; the work grows with the
//! number of spans and attributes, whatever the shape of the trace.

mod addresses;
pub(crate) mod clock;
mod duplicates;
mod library;
mod links;
mod sanitize;
mod shared_ids;
mod skew;
mod sort;
#[cfg(test)]
mod tests;
mod to_batch;
mod trace;

pub use trace::{
    AdjustableAttribute, AdjustableEvent, AdjustableLink, AdjustableResource, AdjustableScope,
    AdjustableSpan, AdjustableTrace, AdjustableValue,
};

/// What may be chosen about the edits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AdjustOptions {
    /// The greatest clock skew that is corrected, in nanoseconds; 0 only warns of it.
    pub clock_skew_max_nanos: u64,
}

/// Edits a trace as Jaeger does before it shows it.
pub fn adjust(trace: &mut AdjustableTrace<'_>, options: AdjustOptions) {
    shared_ids::separate(trace);
    sort::sort(trace);
    duplicates::remove(trace);
    skew::correct(trace, options.clock_skew_max_nanos);
    addresses::normalise(trace);
    library::move_to_resource(trace);
    links::remove_empty(trace);
}
