//! What a trace looks like from afar, from its spans; and its spans, each once.

use std::collections::{BTreeMap, HashSet};

use model::batch::SpanRef;
use model::contract::{TraceAnswer, TraceHit};
use model::facts::{FactsAnswer, RootFacts, ServiceFacts, TraceFacts};
use model::tree::{Tree, TreeSpan};
use model::{BatchBuilder, SpanBatch, TraceId};

/// OTLP's number.
const STATUS_ERROR: i32 = 2;
/// Traces that are held whole at once.
pub(crate) const TRACES_AT_ONCE: usize = 50;

/// Adds what some traces look like to an answer.
pub(crate) fn add(mut answer: FactsAnswer, traces: Vec<(TraceId, TraceAnswer)>) -> FactsAnswer {
    for (trace_id, trace) in traces {
        answer.facts.extend(of(trace_id, &trace.spans));
        answer.skipped.extend(trace.skipped);
    }
    answer
}

/// The facts of a trace; nothing when it has no span.
pub(crate) fn of(trace_id: TraceId, spans: &SpanBatch) -> Option<TraceFacts> {
    let is_error = |span: &SpanRef<'_>| span.status() == STATUS_ERROR;
    let mut tree = Tree::default();
    tree.build(spans.iter().map(|span| TreeSpan {
        id: span.span_id(),
        parent: span.parent_span_id(),
        start: span.start(),
    }));
    let tops = tree.rows().filter(|row| row.parent_delta <= 0).count();
    let root = tree.rows().find(|row| row.parent_delta == 0);
    let root = root.and_then(|row| spans.span(usize::try_from(row.span).ok()?));
    let root = root.map(|span| RootFacts {
        service: span.service().to_owned(),
        name: span.name().to_owned(),
        kind: span.kind(),
    });
    let mut services: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for span in spans.iter() {
        let counts = services.entry(span.service()).or_default();
        counts.0 += 1;
        counts.1 += u64::from(is_error(&span));
    }
    let services = services
        .into_iter()
        .map(|(service, (spans, errors))| ServiceFacts {
            service: service.to_owned(),
            spans,
            errors,
        });
    Some(TraceFacts {
        trace_id,
        start: spans.iter().map(|span| span.start()).min()?,
        end: spans.iter().map(|span| span.end()).max()?,
        spans: u64::try_from(spans.len()).unwrap_or(u64::MAX),
        errors: u64::try_from(spans.iter().filter(is_error).count()).unwrap_or(u64::MAX),
        is_complete: tops == 1 && root.is_some(),
        root,
        services: services.collect(),
        alike: 0,
    })
}

/// A trace as a search finds it; nothing when it has no span.
pub(crate) fn hit(trace_id: TraceId, spans: &SpanBatch) -> Option<TraceHit> {
    Some(TraceHit {
        trace_id,
        start: spans.iter().map(|span| span.start()).min()?,
        end: spans.iter().map(|span| span.end()).max()?,
        spans: u64::try_from(spans.len()).unwrap_or(u64::MAX),
    })
}

/// The spans without those that are the same as one before.
pub(crate) fn each_once(spans: SpanBatch) -> SpanBatch {
    let mut known = HashSet::new();
    let new: Vec<usize> = spans
        .iter()
        .filter(|span| known.insert((span.span_id(), spans.span_hash(span.row()))))
        .map(|span| span.row())
        .collect();
    if new.len() == spans.len() {
        return spans;
    }
    let mut builder = BatchBuilder::new();
    builder.append_rows(&spans, new);
    builder.finish()
}
