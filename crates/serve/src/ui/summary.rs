//! A trace in a list: what it looks like, and those of its spans that match.

use model::batch::SpanRef;
use model::contract::Window;
use model::facts::TraceFacts;
use model::{SpanBatch, TraceId};
use plumbing::planted;
use query::{Question, Summary};
use traceql::{Field, FieldReader};

use super::answers::{MatchedSpan, Root, ServiceShare, SpanKind, SpanStatus, TraceSummary};

/// Matching spans of a trace that are told; of the others only the number.
const MATCHED_MAX: usize = 20;

/// What is looked for and shown.
pub(super) struct Shown<'a> {
    pub(super) question: &'a Question,
    pub(super) fields: &'a [Field],
    pub(super) window: Window,
}

/// The traces of a page.
#[derive(Default)]
pub(super) struct Told {
    pub(super) traces: Vec<TraceSummary>,
    /// Traces of which it is not known whether they match.
    pub(super) too_long: Vec<TraceId>,
}

/// Tells traces; those that do not match after all are left out.
pub(super) fn all(found: Vec<Summary>, shown: &Shown<'_>) -> Told {
    let mut told = Told::default();
    for Summary { facts, spans } in found {
        let rows = spans
            .as_ref()
            .map(|spans| shown.question.matches(spans, shown.window));
        match (&rows, shown.question.is_exact) {
            (Some(rows), false) if rows.is_empty() && !planted("ui-search-not-judged") => continue,
            (None, false) => {
                told.too_long.push(facts.trace_id);
                continue;
            }
            _ => {}
        }
        // Of a trace that reaches beyond the window it is not known how many of its spans start in it.
        let is_inside = shown.window.contains(facts.start) && shown.window.contains(facts.end);
        let mut trace = summary(facts);
        if let (Some(spans), Some(rows)) = (&spans, rows) {
            trace.matched_spans = Some(rows.len() as u64);
            trace.matched = matched(spans, &rows, shown.fields);
        } else if shown.question.is_all && is_inside {
            trace.matched_spans = Some(trace.spans);
        }
        told.traces.push(trace);
    }
    told
}

fn matched(spans: &SpanBatch, rows: &[usize], fields: &[Field]) -> Vec<MatchedSpan> {
    let reader = FieldReader::new(spans, fields);
    let mut first: Vec<SpanRef<'_>> = rows.iter().filter_map(|row| spans.span(*row)).collect();
    first.sort_by_key(|span| (span.start(), span.row()));
    let told = first.into_iter().take(MATCHED_MAX);
    told.map(|span| {
        let columns = fields.iter().map(|field| reader.text(field, span.row()));
        matched_span(span, columns.collect())
    })
    .collect()
}

pub(super) fn matched_span(span: SpanRef<'_>, columns: Vec<Option<String>>) -> MatchedSpan {
    MatchedSpan {
        span_id: span.span_id().to_string(),
        service: span.service().to_owned(),
        name: span.name().to_owned(),
        start_ns: span.start().to_string(),
        duration_ns: span.end().saturating_sub(span.start()),
        status: SpanStatus::of(span.status()),
        kind: SpanKind::of(span.kind()),
        columns,
    }
}

fn summary(facts: TraceFacts) -> TraceSummary {
    TraceSummary {
        trace_id: facts.trace_id.to_string(),
        start_ns: facts.start.to_string(),
        duration_ns: facts.end.saturating_sub(facts.start),
        spans: facts.spans,
        errors: facts.errors,
        root: facts.root.map(|root| Root {
            service: root.service,
            name: root.name,
            kind: SpanKind::of(root.kind),
        }),
        services: facts
            .services
            .into_iter()
            .map(|share| ServiceShare {
                service: share.service,
                spans: share.spans,
                errors: share.errors,
            })
            .collect(),
        is_complete: facts.is_complete,
        matched: Vec::new(),
        matched_spans: None,
    }
}
