//! All that matches from afar, span by span: the words of `model::overview`. Which of several points a cell shows is
//! left to a rule of its own: there is more than one right answer.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use model::batch::{AttrValue, SpanRef};
use model::contract::ReadError;
use model::overview::{Cell, FacetAnswer, FacetValue, OverviewAnswer, bucket_of};
use model::{Field, OverviewOf, OverviewRequest, SpanId, TraceId, ValueType};

use super::evaluate::{self, Evaluator};
use super::{bad_question, by_trace, hit};

/// OTLP's numbers.
const STATUS_ERROR: i32 = 2;
const ENTRY_KINDS: [i32; 2] = [2, 5];

/// A point: its start, its duration, whether it failed, and whose it is.
type Point = (u64, u64, bool, (TraceId, SpanId));

pub(super) fn overview(
    spans: &[SpanRef<'_>],
    request: &OverviewRequest,
) -> Result<OverviewAnswer, ReadError> {
    request.check()?;
    let evaluator = Evaluator::new(&request.predicate).map_err(bad_question)?;
    let mut traces = by_trace(spans);
    traces.retain(|_, spans| request.trace_duration.contains(&hit(spans).duration()));
    let matches = |span: &&SpanRef<'_>| {
        let lasts = traces.contains_key(&span.trace_id());
        lasts && request.window.contains(span.start()) && evaluator.holds(**span)
    };
    let found: Vec<SpanRef<'_>> = spans.iter().filter(matches).copied().collect();
    let points = points(spans, &found, request.of);
    let steps = request.steps();
    let mut cells: BTreeMap<(u32, i32), Cell> = BTreeMap::new();
    for (start, duration, is_error, id) in &points {
        let (step, bucket) = (steps.of(*start), bucket_of(*duration));
        let cell = cells.entry((step, bucket)).or_insert(Cell {
            step,
            duration_bucket: bucket,
            count: 0,
            errors: 0,
            slowest: (id.0, id.1, *duration),
            failed: None,
        });
        cell.count += 1;
        if *duration > cell.slowest.2 {
            cell.slowest = (id.0, id.1, *duration);
        }
        if *is_error {
            cell.errors += 1;
            cell.failed = Some(*id);
        }
    }
    let looked_at = match request.facets.len() {
        0 => 0,
        _ => request.rows_max.min(found.len() as u64),
    };
    let last = found.len() - usize::try_from(looked_at).unwrap_or_default();
    let facets = request.facets.iter();
    Ok(OverviewAnswer {
        points: points.len() as u64,
        errors: points.iter().filter(|point| point.2).count() as u64,
        spans: found.len() as u64,
        cells: cells.into_values().collect(),
        facets: facets
            .map(|field| facet(&found[last..], field, request.facet_values_max))
            .collect(),
        facets_looked_at: looked_at,
        facets_matching: match request.facets.len() {
            0 => 0,
            _ => found.len() as u64,
        },
        skipped: Vec::new(),
    })
}

fn points(spans: &[SpanRef<'_>], found: &[SpanRef<'_>], of: OverviewOf) -> Vec<Point> {
    if of == OverviewOf::Traces {
        let traces: BTreeSet<TraceId> = found.iter().map(SpanRef::trace_id).collect();
        let all = by_trace(spans);
        let of_found = all.iter().filter(|(id, _)| traces.contains(*id));
        let point = |(id, spans): (&TraceId, &Vec<SpanRef<'_>>)| {
            let is_error = spans.iter().any(|span| span.status() == STATUS_ERROR);
            let hit = hit(spans);
            (
                hit.start,
                hit.duration(),
                is_error,
                (*id, SpanId::default()),
            )
        };
        return of_found.map(point).collect();
    }
    let is_point = |span: &&SpanRef<'_>| {
        let is_entry = span.parent_span_id().is_zero() || ENTRY_KINDS.contains(&span.kind());
        of == OverviewOf::Spans || is_entry
    };
    let point = |span: &SpanRef<'_>| {
        let duration = span.end().saturating_sub(span.start());
        let is_error = span.status() == STATUS_ERROR;
        (
            span.start(),
            duration,
            is_error,
            (span.trace_id(), span.span_id()),
        )
    };
    found.iter().filter(is_point).map(point).collect()
}

fn facet(spans: &[SpanRef<'_>], field: &Field, values_max: usize) -> FacetAnswer {
    let mut counts: BTreeMap<(String, ValueType), (u64, u64)> = BTreeMap::new();
    let mut missing = 0;
    for span in spans {
        let values: BTreeSet<(String, ValueType)> = evaluate::texts(field, *span)
            .into_iter()
            .filter(|value| !is_none(field, value))
            .map(|value| (value.canonical_text().into_owned(), value.value_type()))
            .collect();
        missing += u64::from(values.is_empty());
        for value in values {
            let counts = counts.entry(value).or_default();
            counts.0 += 1;
            counts.1 += u64::from(span.status() == STATUS_ERROR);
        }
    }
    let distinct = counts.len() as u64;
    let mut values: Vec<FacetValue> = counts
        .into_iter()
        .map(|((text, value_type), (count, errors))| FacetValue {
            text,
            value_type,
            count,
            errors,
        })
        .collect();
    // Stable: by text and type where counts are equal.
    values.sort_by_key(|value| Reverse(value.count));
    let others = values.iter().skip(values_max).map(|value| value.count);
    let others = others.sum();
    values.truncate(values_max);
    FacetAnswer {
        field: field.clone(),
        values,
        others,
        distinct,
        missing,
        is_exact: true,
    }
}

fn is_none(field: &Field, value: &AttrValue<'_>) -> bool {
    let may_be_none = [
        Field::StatusMessage,
        Field::TraceState,
        Field::ScopeName,
        Field::ScopeVersion,
    ];
    may_be_none.contains(field) && *value == AttrValue::String("")
}
