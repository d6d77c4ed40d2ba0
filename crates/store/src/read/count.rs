//! How many spans satisfy something, exactly, without reading them: bits of row groups are counted.
//!
//! A span that lies in several places counts once. It can only do so in a trace that does, so only there the ids of the
//! spans that match are compared; where one comes again, the trace is read whole to tell which spans are the same.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use model::contract::{ReadError, Window};
use model::{CountAnswer, CountRequest, SpanId, TraceId};

use crate::batch_scan::{BatchScan, may_match};
use crate::engine::{Engine, View};
use crate::head::Seen;
use crate::meter::{IsCancelled, Meter, WHOLE_ROW_COST};
use crate::segment::relate::{inside, traces_of};
use crate::segment::{SearchPlan, SegmentError};
use model::evaluate::matches;

use super::groups::GroupPlace;
use super::splits::Splits;
use super::{Skips, bad_question, taken_back};

/// What a row group has.
#[derive(Debug, Default)]
struct GroupCount {
    /// Of traces that lie here only.
    spans: u64,
    traces: u64,
    /// The spans of other traces, by their places.
    members: Vec<(u32, SpanId)>,
}

impl Engine {
    /// The number of spans that satisfy a predicate.
    pub(crate) fn count(
        &self,
        request: &CountRequest,
        is_cancelled: IsCancelled<'_>,
    ) -> Result<CountAnswer, ReadError> {
        let plan = SearchPlan::new(&request.predicate).map_err(bad_question)?;
        let meter = Meter::new(self.options.question_rows_max, is_cancelled);
        let view = self.view(&request.tenant);
        let mut skips = Skips::new();
        let splits = self.splits(&view, &mut skips)?;
        let of_groups = self.each_group(&view, &splits, (&meter, &mut skips), |place| {
            count_group(place, &splits, (&plan, request.window), &meter)
        })?;
        let mut answer = CountAnswer::default();
        let mut members: Vec<(u32, SpanId)> = Vec::new();
        for (_, of_group) in of_groups {
            answer.spans += of_group.spans;
            answer.traces += of_group.traces;
            members.extend(of_group.members);
        }
        count_heads(
            &view,
            &splits,
            (&plan, request.window),
            &mut answer,
            &mut members,
        );
        members.sort_unstable();
        for of_trace in members.chunk_by(|a, b| a.0 == b.0) {
            if meter.is_cancelled() {
                return Err(taken_back());
            }
            let is_repeated = of_trace.windows(2).any(|pair| pair.first() == pair.last());
            let mut spans = of_trace.len() as u64;
            if is_repeated && !plumbing::planted("store-resent-counted-twice") {
                let split = of_trace
                    .first()
                    .and_then(|(place, _)| splits.traces.get(*place as usize));
                let Some(split) = split else { continue };
                // What is left out is told by the meter.
                if meter.take(split.spans * WHOLE_ROW_COST).is_err() {
                    continue;
                }
                let whole = self.trace_in(&view, split.trace_id, &mut skips)?;
                let found = whole.iter().filter(|span| {
                    request.window.contains(span.start()) && matches(*span, &plan.rows)
                });
                spans = found.count() as u64;
            }
            answer.spans += spans;
            answer.traces += u64::from(spans > 0);
        }
        answer.skipped.extend(skips.into_values());
        answer.skipped.extend(meter.skipped());
        Ok(answer)
    }
}

fn count_group(
    place: &GroupPlace<'_>,
    splits: &Splits,
    asked: (&SearchPlan, Window),
    meter: &Meter<'_>,
) -> Result<GroupCount, SegmentError> {
    let mut count = GroupCount::default();
    let segment = &place.placed.segment;
    let mut found = segment.matches_in(&place.rows, None, asked, meter)?;
    if found.is_empty() {
        return Ok(count);
    }
    let mut rows: Vec<(usize, u32)> = Vec::new();
    for (range, split) in splits.in_rows(place.at, &place.rows) {
        let range = range.start - place.rows.start..range.end - place.rows.start;
        if found.any_in(&range) {
            let of_split = found.rows_in(&range).into_iter();
            rows.extend(of_split.map(|row| (place.rows.start + row, *split)));
            found.clear(&range);
        }
    }
    segment.span_ids(rows.iter().map(|(row, _)| *row), |at, span_id| {
        count
            .members
            .extend(rows.get(at).map(|(_, split)| (*split, span_id)));
    })?;
    count.spans = found.count() as u64;
    if count.spans > 0 {
        let table = segment.traces()?;
        let traces = traces_of(&table, &place.rows);
        let has_some = traces.filter(|entry| found.any_in(&inside(&place.rows, entry)));
        count.traces = has_some.count() as u64;
    }
    Ok(count)
}

/// Adds what is in memory: traces that are only there to the answer, others to the members of their places.
fn count_heads(
    view: &View,
    splits: &Splits,
    (plan, window): (&SearchPlan, Window),
    answer: &mut CountAnswer,
    members: &mut Vec<(u32, SpanId)>,
) {
    let mut seen = Seen::default();
    let mut traces: HashSet<TraceId, RandomState> = HashSet::default();
    for chunk in view
        .chunks
        .iter()
        .filter(|chunk| may_match(&plan.rows, &chunk.batch))
    {
        let spans = chunk.batch.spans();
        let mut scan = BatchScan::new(&plan.rows, &chunk.batch);
        let ids = spans.trace_id.iter().zip(&spans.span_id);
        for (row, (start, (trace_id, span_id))) in spans.start.iter().zip(ids).enumerate() {
            if !window.contains(*start) || !scan.matches(row) {
                continue;
            }
            if let Some(place) = splits.place_of(*trace_id) {
                members.push((place, *span_id));
            } else if !seen.is_repeat(&chunk.batch, row) {
                answer.spans += 1;
                traces.insert(*trace_id);
            }
        }
    }
    answer.traces += traces.len() as u64;
}
