//! Brings attributes into the order of their keys' bytes, where the last of equal keys remains, and events into the
//! order of their names. Events of one name keep their order.

use plumbing::planted;

use super::trace::{AdjustableAttribute, AdjustableTrace, WARNINGS_KEY};

pub(super) fn sort(trace: &mut AdjustableTrace<'_>) {
    for resource in &mut trace.resources {
        sort_attributes(&mut resource.attributes);
    }
    for scope in &mut trace.scopes {
        sort_attributes(&mut scope.attributes);
    }
    for span in &mut trace.spans {
        sort_attributes(&mut span.attributes);
        // What the store would have kept with the span has its place among the attributes; later warnings follow them.
        let has_warnings = !span.warnings.is_empty();
        let place = || (span.attributes).partition_point(|attribute| attribute.key < WARNINGS_KEY);
        span.warnings_place = has_warnings.then(place);
        for event in &mut span.events {
            sort_attributes(&mut event.attributes);
        }
        span.events.sort_by_key(|event| event.name);
        for link in &mut span.links {
            sort_attributes(&mut link.attributes);
        }
    }
}

fn sort_attributes(attributes: &mut Vec<AdjustableAttribute<'_>>) {
    let is_sorted = |pair: &[AdjustableAttribute<'_>]| match pair {
        [one, two] => one.key < two.key,
        _ => true,
    };
    if attributes.windows(2).all(is_sorted) {
        return;
    }
    attributes.sort_by_key(|attribute| attribute.key);
    if planted("adjust-first-of-equal-keys") {
        attributes.dedup_by(|next, kept| next.key == kept.key);
        return;
    }
    attributes.dedup_by(|next, kept| {
        let is_equal = next.key == kept.key;
        if is_equal {
            std::mem::swap(next, kept);
        }
        is_equal
    });
}
