//! What a trace looks like, span by span. How many are alike is left out: it depends on what was merged together.

use std::collections::BTreeMap;

use model::TraceId;
use model::batch::SpanRef;
use model::facts::{RootFacts, ServiceFacts, TraceFacts};

/// OTLP's number.
const STATUS_ERROR: i32 = 2;

pub(super) fn facts(spans: &[SpanRef<'_>], trace_id: TraceId) -> Option<TraceFacts> {
    let of_trace: Vec<&SpanRef<'_>> = spans
        .iter()
        .filter(|span| span.trace_id() == trace_id)
        .collect();
    let is_error = |span: &&&SpanRef<'_>| span.status() == STATUS_ERROR;
    let mut services: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for span in &of_trace {
        let counts = services.entry(span.service()).or_default();
        counts.0 += 1;
        counts.1 += u64::from(is_error(&span));
    }
    let roots: Vec<_> = of_trace
        .iter()
        .filter(|span| span.parent_span_id().is_zero())
        .collect();
    let root = roots.iter().min_by_key(|span| span.start());
    // From every span on one comes to the root, by the first to arrive of those with the parent's id.
    let parent_of = |span: &SpanRef<'_>| {
        let id = span.parent_span_id();
        of_trace.iter().find(|other| other.span_id() == id).copied()
    };
    let reaches_root = |span: &&&SpanRef<'_>| {
        let mut at = **span;
        for _ in 0..of_trace.len() {
            if at.parent_span_id().is_zero() {
                return true;
            }
            let Some(parent) = parent_of(at) else {
                return false;
            };
            at = parent;
        }
        false
    };
    Some(TraceFacts {
        trace_id,
        start: of_trace.iter().map(|span| span.start()).min()?,
        end: of_trace.iter().map(|span| span.end()).max()?,
        spans: of_trace.len() as u64,
        errors: of_trace.iter().filter(is_error).count() as u64,
        root: root.map(|span| RootFacts {
            service: span.service().to_owned(),
            name: span.name().to_owned(),
            kind: span.kind(),
        }),
        services: services
            .into_iter()
            .map(|(service, (spans, errors))| ServiceFacts {
                service: service.to_owned(),
                spans,
                errors,
            })
            .collect(),
        is_complete: roots.len() == 1 && of_trace.iter().all(|span| reaches_root(&span)),
        alike: 0,
    })
}
