//! A search by structure: the newest traces in which a span stands in a relation to another, and how many there are.
//!
//! Both sides are judged on columns, row group by row group. A trace that lies in one segment is told by the order of
//! its rows (`segment/relate.rs`). A trace that lies in several places, or in a head, and one whose parents go round in
//! a circle, is put together from the ids of its spans; where an id comes twice, the trace is read whole.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;
use model::contract::{Order, Position, ReadError, TraceHit, Window};
use model::{Relation, StructureAnswer, StructureRequest, TraceId};

use crate::batch_scan::BatchScan;
use crate::engine::{Engine, View};
use crate::head::{HeadTrace, Seen};
use crate::index::TraceEntry;
use crate::meter::{IsCancelled, Meter, WHOLE_ROW_COST};
use crate::segment::bits::Bits;
use crate::segment::relate::inside;
use crate::segment::{SearchPlan, SegmentError};
use model::evaluate::matches;

use super::groups::GroupPlace;
use super::kinship::{Member, count_related, has_repeats};
use super::splits::Splits;
use super::{Skips, bad_question, taken_back, trace_of};

/// Traces that are judged by ids are put together until they have so many spans, then the next ones.
const SPANS_AT_ONCE: u64 = 1 << 19;
/// Candidates beyond this many, or twice what is wanted, are thinned out.
const CANDIDATES_MIN: usize = 1 << 16;

/// The question, ready to be asked of segments.
#[derive(Debug)]
struct Plans {
    left: SearchPlan,
    right: SearchPlan,
    relation: Relation,
    window: Window,
}

/// A part of a trace that must be judged by ids.
#[derive(Debug)]
struct Part {
    /// Its place in [`Splits::traces`]; `None`: it is all of the trace.
    split: Option<u32>,
    entry: TraceEntry,
    /// Rows of the part, counted in it.
    left: Vec<u32>,
    right: Vec<u32>,
}

/// What a row group has.
#[derive(Debug, Default)]
struct GroupFinds {
    found: Vec<(TraceEntry, u64)>,
    parts: Vec<Part>,
}

/// What is known of a trace that must be judged by ids.
#[derive(Debug, Default)]
struct Open {
    trace: Option<HeadTrace>,
    /// By segment: rows, and which of them are on which side.
    parts: Vec<(usize, TraceEntry, Vec<u32>, Vec<u32>)>,
    members: Vec<Member>,
    has_left: bool,
    has_right: bool,
}

/// Where a trace is that was found.
#[derive(Debug, Clone, Copy)]
enum Found {
    Known(TraceId),
    /// By segment.
    Entry(usize, TraceEntry),
}

/// The newest traces of all that are found.
struct Newest {
    after: Option<Position>,
    wanted: usize,
    /// Those that start when the page before ended; their ids tell whether they are behind it.
    tied: Vec<Found>,
    later: Vec<(u64, Found)>,
    all_spans: u64,
    all_traces: u64,
}

impl Newest {
    fn add(&mut self, start: u64, spans: u64, found: Found) {
        self.all_spans += spans;
        self.all_traces += 1;
        match self.after {
            Some(after) if start > after.order_value => {}
            Some(after) if start == after.order_value => self.tied.push(found),
            _ => self.later.push((start, found)),
        }
        if self.later.len() > CANDIDATES_MIN.max(self.wanted.saturating_mul(2)) {
            self.thin_out();
        }
    }

    /// Keeps the newest that are wanted, and those that start with the last of them.
    fn thin_out(&mut self) {
        let Some(last) = self
            .wanted
            .checked_sub(1)
            .filter(|last| *last < self.later.len())
        else {
            return;
        };
        let by_start = |found: &(u64, Found)| Reverse(found.0);
        let (_, (start, _), _) = self.later.select_nth_unstable_by_key(last, by_start);
        let start = *start;
        self.later.retain(|(other, _)| *other >= start);
    }
}

impl Engine {
    /// The spans that stand in a relation to others.
    pub(crate) fn find_structure(
        &self,
        request: &StructureRequest,
        is_cancelled: IsCancelled<'_>,
    ) -> Result<StructureAnswer, ReadError> {
        let plans = Plans {
            left: SearchPlan::new(&request.structure.left).map_err(bad_question)?,
            right: SearchPlan::new(&request.structure.right).map_err(bad_question)?,
            relation: request.structure.relation,
            window: request.window,
        };
        let meter = Meter::new(self.options.question_rows_max, is_cancelled);
        let view = self.view(&request.tenant);
        let mut skips = Skips::new();
        let splits = self.splits(&view, &mut skips)?;
        let of_groups = self.each_group(&view, &splits, (&meter, &mut skips), |place| {
            look_at_group(place, &splits, &plans, &meter)
        })?;
        let mut newest = Newest {
            after: request.after,
            wanted: request.limit.saturating_add(1),
            tied: Vec::new(),
            later: Vec::new(),
            all_spans: 0,
            all_traces: 0,
        };
        let mut open: Vec<Open> = splits.traces.iter().map(|_| Open::default()).collect();
        for (at, finds) in of_groups {
            for (entry, spans) in finds.found {
                newest.add(entry.start, spans, Found::Entry(at, entry));
            }
            for part in finds.parts {
                put_part(&mut open, at, part);
            }
        }
        put_heads(&view, &splits, &plans, &mut open);
        open.retain(|trace| trace.has_left && trace.has_right);
        // Neighbours lie in the same segments.
        open.sort_by_key(|trace| {
            trace
                .parts
                .first()
                .map(|(at, entry, ..)| (*at, entry.first_row))
        });
        let mut left = open.as_mut_slice();
        while !left.is_empty() {
            let mut spans = 0;
            let is_now = |open: &&Open| {
                let had = spans;
                spans += open.trace.map_or(1, |trace| trace.spans);
                had < SPANS_AT_ONCE
            };
            let count = left.iter().take_while(is_now).count().max(1);
            let (now, later) = left.split_at_mut(count);
            self.judge_by_ids(&view, (&plans, &meter), now, (&mut newest, &mut skips))?;
            left = later;
        }
        let mut answer = self.answer(&view, newest, request.limit, &mut skips)?;
        answer.skipped.extend(skips.into_values());
        answer.skipped.extend(meter.skipped());
        Ok(answer)
    }

    /// Judges traces whose parts are known, putting their spans together first.
    fn judge_by_ids(
        &self,
        view: &View,
        (plans, meter): (&Plans, &Meter<'_>),
        open: &mut [Open],
        (newest, skips): (&mut Newest, &mut Skips),
    ) -> Result<(), ReadError> {
        // By segment, then rows, with whose they are and which part of it.
        let mut wanted: Vec<(usize, Range<usize>, usize, usize)> = Vec::new();
        for (of, trace) in open.iter().enumerate() {
            let parts = trace.parts.iter().enumerate();
            wanted.extend(parts.map(|(part, (at, entry, ..))| (*at, entry.range(), of, part)));
        }
        wanted.sort_unstable_by_key(|(at, rows, ..)| (*at, rows.start));
        let mut read: Vec<Vec<Member>> = open.iter().map(|_| Vec::new()).collect();
        for of_segment in wanted.chunk_by(|a, b| a.0 == b.0) {
            if meter.is_cancelled() {
                return Err(taken_back());
            }
            let Some(placed) = of_segment
                .first()
                .and_then(|(at, ..)| view.segments.get(*at))
            else {
                continue;
            };
            if let Err(error) = read_members(&placed.segment, of_segment, open, &mut read) {
                self.skip_once(placed, &error, skips)?;
            }
        }
        for (trace, mut members) in open.iter_mut().zip(read) {
            // Heads came after all segments.
            members.append(&mut trace.members);
            let Some(of) = trace.trace else { continue };
            let mut found = Found::Known(of.trace_id);
            if of.trace_id.is_zero()
                && let Some((at, entry, ..)) = trace.parts.first()
            {
                found = Found::Entry(*at, *entry);
            }
            if has_repeats(&members) {
                if meter.take(of.spans * WHOLE_ROW_COST).is_err() {
                    continue;
                }
                let Some(trace_id) = self.found_id(view, found, skips)? else {
                    continue;
                };
                members = self.whole_members(view, trace_id, plans, skips)?;
            }
            let spans = count_related(&members, plans.relation);
            if spans > 0 {
                newest.add(of.start, spans, found);
            }
        }
        Ok(())
    }

    /// The spans of a trace in order of arrival, each once and judged.
    fn whole_members(
        &self,
        view: &View,
        trace_id: TraceId,
        plans: &Plans,
        skips: &mut Skips,
    ) -> Result<Vec<Member>, ReadError> {
        let whole = self.trace_in(view, trace_id, skips)?;
        let member = |span: model::batch::SpanRef<'_>| Member {
            span_id: span.span_id(),
            parent_span_id: span.parent_span_id(),
            is_left: matches(span, &plans.left.rows),
            is_right: plans.window.contains(span.start()) && matches(span, &plans.right.rows),
        };
        Ok(whole.iter().map(member).collect())
    }

    fn found_id(
        &self,
        view: &View,
        found: Found,
        skips: &mut Skips,
    ) -> Result<Option<TraceId>, ReadError> {
        let (at, entry) = match found {
            Found::Known(trace_id) => return Ok(Some(trace_id)),
            Found::Entry(at, entry) => (at, entry),
        };
        let Some(placed) = view.segments.get(at) else {
            return Ok(None);
        };
        match placed.segment.trace_id_of(&entry) {
            Ok(trace_id) => Ok(Some(trace_id)),
            Err(error) => {
                self.skip_once(placed, &error, skips)?;
                Ok(None)
            }
        }
    }

    /// The page of traces that is asked for.
    fn answer(
        &self,
        view: &View,
        mut newest: Newest,
        limit: usize,
        skips: &mut Skips,
    ) -> Result<StructureAnswer, ReadError> {
        let mut answer = StructureAnswer {
            all_spans: newest.all_spans,
            all_traces: newest.all_traces,
            ..StructureAnswer::default()
        };
        newest.thin_out();
        let tied_start = newest.after.map_or(0, |after| after.order_value);
        let tied = newest.tied.into_iter().map(|found| (tied_start, found));
        let mut candidates: Vec<Position> = Vec::new();
        for (order_value, found) in tied.chain(newest.later) {
            let trace_id = self.found_id(view, found, skips)?;
            candidates.extend(trace_id.map(|trace_id| Position {
                order_value,
                trace_id,
            }));
        }
        if let Some(after) = newest.after {
            candidates.retain(|position| after.is_before(position));
        }
        candidates
            .sort_unstable_by_key(|position| (Reverse(position.order_value), position.trace_id));
        answer.has_more = candidates.len() > limit;
        for position in candidates.iter().take(limit) {
            let Some(summary) = self.summary(view, position.trace_id, skips)? else {
                continue;
            };
            let mut hit = TraceHit {
                trace_id: position.trace_id,
                start: summary.trace.start,
                end: summary.trace.end,
                spans: summary.trace.spans,
            };
            debug_assert_eq!(hit.position(Order::NewestFirst), *position);
            if !summary.is_exact {
                hit.spans = self.trace_in(view, position.trace_id, skips)?.len() as u64;
            }
            answer.traces.push(hit);
        }
        Ok(answer)
    }
}

fn look_at_group(
    place: &GroupPlace<'_>,
    splits: &Splits,
    plans: &Plans,
    meter: &Meter<'_>,
) -> Result<GroupFinds, SegmentError> {
    let mut finds = GroupFinds::default();
    let segment = &place.placed.segment;
    let of_splits = splits.in_rows(place.at, &place.rows);
    let mut left = segment.matches_in(&place.rows, None, (&plans.left, Window::ALWAYS), meter)?;
    if left.is_empty() && of_splits.is_empty() {
        return Ok(finds);
    }
    let right = (&plans.right, plans.window);
    let mut right = segment.matches_in(&place.rows, None, right, meter)?;
    let table = segment.traces()?;
    for (range, split) in of_splits {
        let entry = u32::try_from(range.start)
            .ok()
            .and_then(|row| table.of_row(row));
        let Some(entry) = entry else { continue };
        let part = part_of(place, entry, Some(*split), (&left, &right));
        let range = inside(&place.rows, &entry);
        left.clear(&range);
        right.clear(&range);
        finds.parts.push(part);
    }
    let related = segment.relate(&table, &place.rows, plans.relation, (&left, &right))?;
    finds.found = related.found;
    let by_ids = related.by_ids.into_iter();
    finds
        .parts
        .extend(by_ids.map(|entry| part_of(place, entry, None, (&left, &right))));
    Ok(finds)
}

fn part_of(
    place: &GroupPlace<'_>,
    entry: TraceEntry,
    split: Option<u32>,
    (left, right): (&Bits, &Bits),
) -> Part {
    let rows = inside(&place.rows, &entry);
    let of_side = |side: &Bits| {
        let of_trace = if side.any_in(&rows) {
            side.rows_in(&rows)
        } else {
            Vec::new()
        };
        let counted = of_trace.into_iter().map(|row| row - rows.start);
        counted.filter_map(|row| u32::try_from(row).ok()).collect()
    };
    Part {
        split,
        entry,
        left: of_side(left),
        right: of_side(right),
    }
}

/// Adds a part to its trace.
fn put_part(open: &mut Vec<Open>, at: usize, part: Part) {
    let known = part.split.map(|place| place as usize);
    let place = known.unwrap_or_else(|| {
        open.push(Open::default());
        open.len() - 1
    });
    let Some(trace) = open.get_mut(place) else {
        return;
    };
    trace.has_left |= !part.left.is_empty();
    trace.has_right |= !part.right.is_empty();
    if part.split.is_none() {
        trace.trace = Some(trace_of(&part.entry, TraceId::ZERO));
    }
    trace.parts.push((at, part.entry, part.left, part.right));
}

/// Adds the spans in memory to their traces.
fn put_heads(view: &View, splits: &Splits, plans: &Plans, open: &mut Vec<Open>) {
    for (split, trace) in splits.traces.iter().zip(open.iter_mut()) {
        trace.trace = Some(*split);
    }
    let mut place_of: HashMap<TraceId, usize, RandomState> = HashMap::default();
    let mut seen = Seen::default();
    for chunk in &view.chunks {
        let batch = &chunk.batch;
        let mut left = BatchScan::new(&plans.left.rows, batch);
        let mut right = BatchScan::new(&plans.right.rows, batch);
        for trace in &chunk.traces {
            let known = place_of.entry(trace.trace_id).or_insert_with(|| {
                let split = splits.place_of(trace.trace_id);
                split.map_or_else(
                    || {
                        open.push(Open::default());
                        open.len() - 1
                    },
                    |place| place as usize,
                )
            });
            if splits.place_of(trace.trace_id).is_none()
                && let Some(of) = open.get_mut(*known)
            {
                match &mut of.trace {
                    Some(whole) => whole.absorb(trace),
                    None => of.trace = Some(*trace),
                }
            }
        }
        for span in batch.iter() {
            let place = place_of.get(&span.trace_id());
            let Some(trace) = place.and_then(|place| open.get_mut(*place)) else {
                continue;
            };
            if seen.is_repeat(batch, span.row()) {
                continue;
            }
            let member = Member {
                span_id: span.span_id(),
                parent_span_id: span.parent_span_id(),
                is_left: left.matches(span.row()),
                is_right: plans.window.contains(span.start()) && right.matches(span.row()),
            };
            trace.has_left |= member.is_left;
            trace.has_right |= member.is_right;
            trace.members.push(member);
        }
    }
}

/// Reads the ids of spans of a segment: all that are wanted, or none.
fn read_members(
    segment: &crate::segment::Segment,
    wanted: &[(usize, Range<usize>, usize, usize)],
    open: &[Open],
    read: &mut [Vec<Member>],
) -> Result<(), SegmentError> {
    let ranges: Vec<Range<usize>> = wanted.iter().map(|(_, rows, ..)| rows.clone()).collect();
    let mut members: Vec<(usize, Member)> = Vec::new();
    let mut row = (0, 0u32);
    segment.each_kin(&ranges, |at, kin| {
        row = if row.0 == at { (at, row.1) } else { (at, 0) };
        let part = wanted.get(at).and_then(|(_, _, of, part)| {
            let parts = &open.get(*of)?.parts;
            Some((*of, parts.get(*part)?))
        });
        if let Some((of, (_, _, left, right))) = part {
            let member = Member {
                span_id: kin.span_id,
                parent_span_id: kin.parent_span_id,
                is_left: left.binary_search(&row.1).is_ok(),
                is_right: right.binary_search(&row.1).is_ok(),
            };
            members.push((of, member));
        }
        row.1 += 1;
    })?;
    for (of, member) in members {
        if let Some(read) = read.get_mut(of) {
            read.push(member);
        }
    }
    Ok(())
}
