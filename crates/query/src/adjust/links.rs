//! Links to no trace lead nowhere and are removed, with one warning each.

use super::trace::AdjustableTrace;

const REMOVED: &str = "Invalid span link removed";

pub(super) fn remove_empty(trace: &mut AdjustableTrace<'_>) {
    for span in &mut trace.spans {
        let before = span.links.len();
        span.links.retain(|link| !link.trace_id.is_zero());
        let removed = before - span.links.len();
        span.warnings
            .extend((0..removed).map(|_| REMOVED.to_owned()));
    }
}
