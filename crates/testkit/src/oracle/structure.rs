//! Searches by structure: the words of `model::structure`, pair of spans by pair of spans.

use model::batch::SpanRef;
use model::contract::{Order, ReadError, TraceHit};
use model::{Relation, StructureAnswer, StructureRequest};

use super::{Evaluator, bad_question, by_trace, hit};

/// All traces with a span that is found.
pub(super) fn find(
    spans: &[SpanRef<'_>],
    request: &StructureRequest,
) -> Result<StructureAnswer, ReadError> {
    let structure = &request.structure;
    let left = Evaluator::new(&structure.left).map_err(bad_question)?;
    let right = Evaluator::new(&structure.right).map_err(bad_question)?;
    let mut answer = StructureAnswer::default();
    for of_trace in by_trace(spans).values() {
        let is_found = |at: &usize| {
            request.window.contains(of_trace[*at].start())
                && right.holds(of_trace[*at])
                && (0..of_trace.len()).any(|other| {
                    left.holds(of_trace[other])
                        && is_related(of_trace, other, structure.relation, *at)
                })
        };
        let found = (0..of_trace.len()).filter(is_found).count();
        if found > 0 {
            answer.all_spans += found as u64;
            answer.all_traces += 1;
            answer.traces.push(hit(of_trace));
        }
    }
    let position = |hit: &TraceHit| hit.position(Order::NewestFirst);
    answer
        .traces
        .sort_by_key(|hit| (std::cmp::Reverse(position(hit).order_value), hit.trace_id));
    if let Some(after) = request.after {
        answer.traces.retain(|hit| after.is_before(&position(hit)));
    }
    answer.has_more = answer.traces.len() > request.limit;
    answer.traces.truncate(request.limit);
    Ok(answer)
}

/// Tells how the span at `right` stands to the one at `left`.
fn is_related(spans: &[SpanRef<'_>], left: usize, relation: Relation, right: usize) -> bool {
    if left == right {
        return false;
    }
    match relation {
        Relation::Child => parent(spans, right) == Some(left),
        Relation::Parent => parent(spans, left) == Some(right),
        Relation::Sibling => {
            let parents = (parent(spans, left), parent(spans, right));
            parents.0.is_some() && parents.0 == parents.1
        }
        Relation::Descendant => ancestors(spans, right).contains(&left),
        Relation::Ancestor => ancestors(spans, left).contains(&right),
    }
}

fn parent(spans: &[SpanRef<'_>], of: usize) -> Option<usize> {
    let id = spans[of].parent_span_id();
    let first = spans
        .iter()
        .position(|span| !id.is_zero() && span.span_id() == id);
    first.filter(|parent| *parent != of)
}

fn ancestors(spans: &[SpanRef<'_>], of: usize) -> Vec<usize> {
    let mut above = Vec::new();
    let mut next = parent(spans, of);
    while let Some(span) = next.filter(|span| *span != of && !above.contains(span)) {
        above.push(span);
        next = parent(spans, span);
    }
    above
}
