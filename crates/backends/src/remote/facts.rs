//! What a trace looks like from afar, from its spans.

use std::collections::BTreeMap;

use model::batch::SpanRef;
use model::facts::{RootFacts, ServiceFacts, TraceFacts};
use model::tree::{Tree, TreeSpan};
use model::{SpanBatch, TraceId};

/// OTLP's number.
const STATUS_ERROR: i32 = 2;

/// The facts of a trace; nothing when it has no span.
pub(super) fn of(trace_id: TraceId, spans: &SpanBatch) -> Option<TraceFacts> {
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
