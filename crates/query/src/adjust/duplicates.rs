//! Shows a span once that was sent several times. Spans are the same when all they hold is the same, resource and
//! scope included, after attributes were brought into order.

use model::SpanId;
use std::collections::HashMap;

use super::trace::{AdjustableAttribute, AdjustableResource, AdjustableSpan, AdjustableTrace};

/// Most spans of one id that are compared with one another; beyond, all are kept.
const SPANS_OF_ONE_ID_MAX: usize = 64;

pub(super) fn remove(trace: &mut AdjustableTrace<'_>) {
    let mut of_id: HashMap<SpanId, Vec<usize>> = HashMap::with_capacity(trace.spans.len());
    let mut is_kept = vec![true; trace.spans.len()];
    for (index, (span, kept)) in trace.spans.iter().zip(&mut is_kept).enumerate() {
        let known = of_id.entry(span.span_id).or_default();
        let mut earlier = known.iter().filter_map(|at| trace.spans.get(*at));
        if earlier.any(|earlier| is_same(trace, earlier, span)) {
            *kept = false;
        } else if known.len() < SPANS_OF_ONE_ID_MAX {
            known.push(index);
        }
    }
    let mut kept = is_kept.into_iter();
    trace.spans.retain(|_| kept.next().unwrap_or(true));
}

fn is_same(
    trace: &AdjustableTrace<'_>,
    one: &AdjustableSpan<'_>,
    two: &AdjustableSpan<'_>,
) -> bool {
    let fields = |span: &AdjustableSpan<'_>| {
        let ids = (span.parent_span_id, span.start, span.end);
        (ids, span.kind, span.status, span.flags, span.dropped)
    };
    fields(one) == fields(two)
        && (one.name, one.status_message, one.trace_state)
            == (two.name, two.status_message, two.trace_state)
        && one.warnings == two.warnings
        && has_same_attributes(&one.attributes, &two.attributes)
        && has_same_events(one, two)
        && has_same_links(one, two)
        && has_same_owners(trace, one, two)
}

fn has_same_attributes(one: &[AdjustableAttribute<'_>], two: &[AdjustableAttribute<'_>]) -> bool {
    one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.is_same(two))
}

fn has_same_events(one: &AdjustableSpan<'_>, two: &AdjustableSpan<'_>) -> bool {
    let mut pairs = one.events.iter().zip(&two.events);
    one.events.len() == two.events.len()
        && pairs.all(|(one, two)| {
            (one.time, one.name, one.dropped_attributes)
                == (two.time, two.name, two.dropped_attributes)
                && has_same_attributes(&one.attributes, &two.attributes)
        })
}

fn has_same_links(one: &AdjustableSpan<'_>, two: &AdjustableSpan<'_>) -> bool {
    let mut pairs = one.links.iter().zip(&two.links);
    one.links.len() == two.links.len()
        && pairs.all(|(one, two)| {
            (one.trace_id, one.span_id, one.trace_state)
                == (two.trace_id, two.span_id, two.trace_state)
                && (one.flags, one.dropped_attributes) == (two.flags, two.dropped_attributes)
                && has_same_attributes(&one.attributes, &two.attributes)
        })
}

fn has_same_owners(
    trace: &AdjustableTrace<'_>,
    one: &AdjustableSpan<'_>,
    two: &AdjustableSpan<'_>,
) -> bool {
    let resource = |span: &AdjustableSpan<'_>| trace.resources.get(span.resource);
    let attributes =
        |resource: Option<&AdjustableResource<'_>>| resource.map(|r| r.attributes.len());
    let same_resource = one.resource == two.resource
        || match (resource(one), resource(two)) {
            (Some(one), Some(two)) => has_same_attributes(&one.attributes, &two.attributes),
            (one, two) => attributes(one) == attributes(two),
        };
    let scope = |span: &AdjustableSpan<'_>| trace.scopes.get(span.scope);
    let same_scope = one.scope == two.scope
        || match (scope(one), scope(two)) {
            (Some(one), Some(two)) => {
                (one.name, one.version) == (two.name, two.version)
                    && has_same_attributes(&one.attributes, &two.attributes)
            }
            (one, two) => one.is_none() && two.is_none(),
        };
    same_resource && same_scope
}
