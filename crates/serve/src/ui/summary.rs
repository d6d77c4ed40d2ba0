//! A trace or a span in a list: what the trace looks like, and those of its spans that match.

use std::collections::{HashMap, HashSet};

use model::batch::SpanRef;
use model::contract::Window;
use model::facts::TraceFacts;
use model::{SpanBatch, TraceId};
use plumbing::planted;
use query::{Question, SpanList, Summary};
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

/// A page, told.
#[derive(Default)]
pub(super) struct Told {
    /// Each with the cursor of the page behind it.
    pub(super) traces: Vec<(TraceSummary, String)>,
    /// Traces of which it is not known whether they match.
    pub(super) too_long: Vec<TraceId>,
}

/// Tells traces; those that do not match after all are left out.
pub(super) fn all(found: Vec<Summary>, shown: &Shown<'_>) -> Told {
    let mut told = Told::default();
    for found in found {
        let (facts, spans) = (found.facts, found.spans);
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
        told.traces.push((trace, found.cursor));
    }
    told
}

/// Tells spans, each as the only one of its trace that is told; those that do not match after all are left out.
pub(super) fn spans(list: SpanList, shown: &Shown<'_>) -> Told {
    let mut told = Told::default();
    let rows = shown.question.matches(&list.spans, shown.window);
    let is_judged_alone = shown.question.is_exact || !shown.question.needs_whole_trace();
    let matching = (!is_judged_alone).then(|| matching(&list.traces, shown));
    let reader = FieldReader::new(&list.spans, shown.fields);
    for listed in list.listed {
        let Some(span) = list.spans.span(listed.row) else {
            continue;
        };
        let is_meant = match &matching {
            None => shown.question.is_exact || rows.binary_search(&listed.row).is_ok(),
            Some(_) if !list.traces.contains_key(&span.trace_id()) => {
                if !told.too_long.contains(&span.trace_id()) {
                    told.too_long.push(span.trace_id());
                }
                continue;
            }
            Some(matching) => matching.contains(&list.spans.span_hash(listed.row)),
        };
        if !is_meant && !planted("ui-span-search-not-judged") {
            continue;
        }
        let columns = shown.fields.iter();
        let columns = columns.map(|field| reader.text(field, listed.row));
        let mut trace = summary(listed.trace);
        trace.matched = vec![matched_span(span, columns.collect())];
        told.traces.push((trace, listed.cursor));
    }
    told
}

/// The hashes of the spans that match, of whole traces.
fn matching(traces: &HashMap<TraceId, SpanBatch>, shown: &Shown<'_>) -> HashSet<u64> {
    let of_trace = |trace: &SpanBatch| {
        let rows = shown.question.matches(trace, shown.window);
        let hashes = rows.into_iter().map(|row| trace.span_hash(row));
        hashes.collect::<Vec<u64>>()
    };
    traces.values().flat_map(of_trace).collect()
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
