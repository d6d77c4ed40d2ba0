//! Zipkin lets client and server share one span id; here the server's span gets an id of its own below the client's.
//!
//! New ids count up from 1 past those that are in use. Spans whose parent was the shared id become children of the
//! server's span, since that is where they ran.

use model::SpanId;
use std::collections::{HashMap, HashSet};

use super::trace::AdjustableTrace;

const KIND_SERVER: i32 = 2;
const KIND_CLIENT: i32 = 3;

const TOO_MANY: &str = "cannot assign unique span ID, too many spans in the trace";

pub(super) fn separate(trace: &mut AdjustableTrace<'_>) {
    let ids_of = |kind| {
        let of_kind = trace.spans.iter().filter(move |span| span.kind == kind);
        of_kind.map(|span| span.span_id).collect::<HashSet<_>>()
    };
    let clients = ids_of(KIND_CLIENT);
    if ids_of(KIND_SERVER).is_disjoint(&clients) {
        return;
    }
    let used: HashSet<SpanId> = trace.spans.iter().map(|span| span.span_id).collect();
    let mut last_number = 0;
    let mut new_ids = HashMap::new();
    for span in &mut trace.spans {
        if span.kind != KIND_SERVER || !clients.contains(&span.span_id) {
            continue;
        }
        match next_free(&used, &mut last_number) {
            Some(new_id) => {
                new_ids.insert(span.span_id, new_id);
                span.parent_span_id = span.span_id;
                span.span_id = new_id;
            }
            None => span.warnings.push(TOO_MANY.to_owned()),
        }
    }
    for span in &mut trace.spans {
        if let Some(new_parent) = new_ids.get(&span.parent_span_id)
            && span.span_id != *new_parent
        {
            span.parent_span_id = *new_parent;
        }
    }
}

/// The next id that no span has; passes each used id at most once over all calls.
fn next_free(used: &HashSet<SpanId>, last_number: &mut u64) -> Option<SpanId> {
    loop {
        *last_number = last_number.checked_add(1)?;
        let id = SpanId::from_number(*last_number);
        if !used.contains(&id) {
            return Some(id);
        }
    }
}
