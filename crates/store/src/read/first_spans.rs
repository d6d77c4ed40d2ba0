//! A search for spans: the first N in an order of their own, exactly, whatever traces they are of.
//!
//! Row groups are looked at on few threads, the newest first. The values of the first spans that are known so far are
//! shared: a group is asked only for spans that can still be among them, which mostly rules it out unread. Ids are read
//! of what is left in the end, and whole spans of what is given.

#![allow(
    clippy::cast_possible_truncation,
    reason = "segments, chunks and rows are below 2^32"
)]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::{Arc, Mutex};

use model::contract::{Order, ReadError, Window};
use model::span_search::order_value;
use model::{
    BatchBuilder, Field, Literal, Operator, Predicate, SpanBatch, SpanId, SpanPosition,
    SpanSearchAnswer, SpanSearchRequest, TraceId,
};

use crate::engine::{Engine, View, lock};
use crate::meter::{IsCancelled, Meter, WHOLE_ROW_COST};
use crate::segment::{SearchPlan, SegmentError, SegmentId};

use super::cells::PointRef;
use super::groups::GroupPlace;
use super::heads::each_in_heads;
use super::repeats::Repeats;
use super::splits::Splits;
use super::trace::READ_SPAN_BYTES;
use super::{Skips, bad_question, taken_back};

/// A span that may be among the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Candidate {
    value: u64,
    at: PointRef,
    /// Read when something depends on them.
    ids: Option<(TraceId, SpanId)>,
}

/// The values of the first spans that are known so far.
#[derive(Debug, Default)]
struct Known {
    values: BinaryHeap<Reverse<u64>>,
    wanted: usize,
}

/// A question that is being answered.
struct Asked<'a> {
    request: &'a SpanSearchRequest,
    /// One more than is asked for, to know whether there are more.
    wanted: usize,
    plan: Arc<SearchPlan>,
    splits: Splits,
    repeats: Repeats,
    attempt: Attempt,
}

/// What is known while segments are looked at, with those left out that could not be read before.
struct Attempt {
    known: Mutex<Known>,
    /// The plan, for spans of at least so many nanoseconds.
    plan_from: Mutex<(u64, Arc<SearchPlan>)>,
    left_out: BTreeSet<SegmentId>,
}

impl Attempt {
    fn new(wanted: usize, plan: &Arc<SearchPlan>, skips: &Skips) -> Self {
        Self {
            known: Mutex::new(Known {
                wanted,
                ..Known::default()
            }),
            plan_from: Mutex::new((0, Arc::clone(plan))),
            left_out: skips.keys().copied().collect(),
        }
    }
}

impl Known {
    /// The value of the last span that is wanted, once there are so many: a span of a lower one is not among the first.
    fn last(&self) -> Option<u64> {
        let is_full = self.values.len() >= self.wanted;
        self.values
            .peek()
            .filter(|_| is_full)
            .map(|Reverse(last)| *last)
    }

    fn add(&mut self, value: u64) {
        self.values.push(Reverse(value));
        if self.values.len() > self.wanted {
            self.values.pop();
        }
    }
}

impl Asked<'_> {
    /// The value of a span, if its page is not before the one that is asked for; with whether it may be of either.
    fn value_of(&self, start: u64, duration: i64) -> Option<(u64, bool)> {
        let value = order_value(self.request.order, start, duration);
        let last_page = self.request.after.map(|after| after.order_value.0);
        match last_page {
            Some(before) if value > before => None,
            Some(before) => Some((value, value == before)),
            None => Some((value, false)),
        }
    }

    /// The question as it is asked of the next row group: without spans that can't be among the first any more, and
    /// those of pages before.
    fn narrowed(&self) -> (Arc<SearchPlan>, Window) {
        let (last, mut window) = (lock(&self.attempt.known).last(), self.request.window);
        let before = self.request.after.map(|after| after.order_value.0);
        match self.request.order {
            Order::NewestFirst => {
                window.start = window.start.max(last.unwrap_or_default());
                window.end = window.end.min(before.unwrap_or(u64::MAX));
                (Arc::clone(&self.plan), window)
            }
            Order::SlowestFirst => (self.plan_from(last.unwrap_or_default()), window),
        }
    }

    fn plan_from(&self, shortest: u64) -> Arc<SearchPlan> {
        let mut known = lock(&self.attempt.plan_from);
        let (from, plan) = &mut *known;
        if shortest > *from
            && let Ok(nanos) = i64::try_from(shortest)
        {
            let is_as_long = Predicate::Compare(
                Field::Duration,
                Operator::GreaterOrEqual,
                Literal::Int(nanos),
            );
            let narrower = self.request.predicate.clone().and(is_as_long);
            if let Ok(narrower) = SearchPlan::new(&narrower) {
                (*from, *plan) = (shortest, Arc::new(narrower));
            }
        }
        Arc::clone(plan)
    }

    /// Whether a span with these ids and the value that the page before ended with may be of this page; if the ids are
    /// those of its last span, what the span holds tells.
    fn is_not_before(&self, ids: (TraceId, SpanId)) -> bool {
        let after = self.request.after;
        after.is_none_or(|after| ids >= (after.trace_id, after.span_id))
    }

    fn is_at_end_of_page(&self, candidate: &Candidate) -> bool {
        self.request.after.is_some_and(|after| {
            candidate.value == after.order_value.0
                && candidate.ids == Some((after.trace_id, after.span_id))
        })
    }

    /// Keeps as many of some candidates whose ids are known as are wanted. Those that nothing but what they hold tells
    /// apart from the last one stay with it, and those that may be the last one of the page before don't count.
    fn thin(&self, candidates: &mut Vec<Candidate>) {
        let open = candidates
            .iter()
            .filter(|candidate| self.is_at_end_of_page(candidate));
        let wanted = self.wanted + open.count();
        let key = |candidate: &Candidate| (Reverse(candidate.value), candidate.ids);
        candidates.sort_unstable_by_key(key);
        if let Some(last) = wanted.checked_sub(1).and_then(|last| candidates.get(last)) {
            let last = key(last);
            let kept = candidates.partition_point(|candidate| key(candidate) <= last);
            candidates.truncate(kept);
        }
    }
}

impl Engine {
    /// The first spans that match.
    pub(crate) fn search_spans(
        &self,
        request: &SpanSearchRequest,
        is_cancelled: IsCancelled<'_>,
    ) -> Result<SpanSearchAnswer, ReadError> {
        if request.limit == 0 {
            return Ok(SpanSearchAnswer::default());
        }
        let plan = Arc::new(SearchPlan::new(&request.predicate).map_err(bad_question)?);
        let meter = Meter::new(self.options.question_rows_max, is_cancelled);
        let view = self.view(&request.tenant);
        let mut skips = Skips::new();
        let splits = self.splits(&view, &mut skips)?;
        let wanted = request.limit.saturating_add(1);
        let mut asked = Asked {
            request,
            wanted,
            repeats: self.repeated_rows(&view, (&splits, request.window), (&meter, &mut skips))?,
            attempt: Attempt::new(wanted, &plan, &skips),
            plan,
            splits,
        };
        let mut answer = loop {
            let answer = self.first_spans(&view, &asked, (&meter, &mut skips))?;
            let left_out = &asked.attempt.left_out;
            let is_whole = skips.keys().all(|segment| left_out.contains(segment));
            if is_whole || plumbing::planted("store-first-spans-of-damaged") {
                break answer;
            }
            // What a segment gave before it turned out to be damaged has ruled out spans of others.
            asked.attempt = Attempt::new(wanted, &asked.plan, &skips);
        };
        answer.skipped.extend(skips.into_values());
        answer.skipped.extend(meter.skipped());
        Ok(answer)
    }

    fn first_spans(
        &self,
        view: &View,
        asked: &Asked<'_>,
        (meter, skips): (&Meter<'_>, &mut Skips),
    ) -> Result<SpanSearchAnswer, ReadError> {
        let mut candidates = look_at_heads(view, asked, meter)?;
        let found = self.each_group(view, &asked.splits, (meter, skips), |place| {
            look_at_group(place, asked, meter)
        })?;
        candidates.extend(found.into_iter().flat_map(|(_, of_group)| of_group));
        // Ids are only read of what may be among the first by its value.
        if let Some(last) = lock(&asked.attempt.known).last() {
            candidates.retain(|candidate| candidate.value >= last);
        }
        self.read_ids(view, &mut candidates, (meter, skips))?;
        asked.thin(&mut candidates);
        let contents = self.contents_of_alike(view, asked, &candidates, (meter, skips))?;
        let mut first: Vec<(SpanPosition, PointRef)> = candidates
            .iter()
            .map(|candidate| {
                let (trace_id, span_id) = candidate.ids.unwrap_or_default();
                let position = SpanPosition {
                    order_value: Reverse(candidate.value),
                    trace_id,
                    span_id,
                    content: contents.get(&candidate.at).copied().unwrap_or_default(),
                };
                (position, candidate.at)
            })
            .collect();
        if let Some(after) = request_after(asked) {
            first.retain(|(position, _)| *position > after);
        }
        first.sort_unstable();
        let has_more = first.len() > asked.request.limit;
        first.truncate(asked.request.limit);
        let rows: Vec<PointRef> = first.into_iter().map(|(_, at)| at).collect();
        let spans = self.read_in_order(view, &rows, (meter, skips))?;
        let mut buf = Vec::new();
        let position = |row| SpanPosition::of(&spans, row, asked.request.order, &mut buf);
        Ok(SpanSearchAnswer {
            positions: (0..spans.len()).filter_map(position).collect(),
            spans,
            has_more,
            skipped: Vec::new(),
        })
    }

    /// Reads the ids of candidates that don't have them yet; those that can't be read are left out.
    fn read_ids(
        &self,
        view: &View,
        candidates: &mut Vec<Candidate>,
        (meter, skips): (&Meter<'_>, &mut Skips),
    ) -> Result<(), ReadError> {
        candidates.sort_unstable_by_key(|candidate| candidate.at);
        for of_place in candidates.chunk_by_mut(|a, b| a.at.place == b.at.place) {
            if meter.is_cancelled() {
                return Err(taken_back());
            }
            let place = of_place.first().map_or(0, |first| first.at.place as usize);
            let Some(placed) = view.segments.get(place) else {
                continue;
            };
            let without = of_place
                .iter_mut()
                .filter(|candidate| candidate.ids.is_none());
            let without: Vec<&mut Candidate> = without.collect();
            let rows: Vec<u32> = without.iter().map(|candidate| candidate.at.row).collect();
            match placed.segment.ids_of_rows(&rows, true) {
                Ok(ids) => {
                    for (candidate, ids) in without.into_iter().zip(ids) {
                        candidate.ids = Some(ids);
                    }
                }
                Err(error) => self.skip_once(placed, &error, skips)?,
            }
        }
        candidates.retain(|candidate| candidate.ids.is_some());
        Ok(())
    }

    /// The hashes of candidates that nothing else tells apart, from each other or from the last of the page before.
    fn contents_of_alike(
        &self,
        view: &View,
        asked: &Asked<'_>,
        sorted: &[Candidate],
        (meter, skips): (&Meter<'_>, &mut Skips),
    ) -> Result<BTreeMap<PointRef, u64>, ReadError> {
        let alike = sorted.chunk_by(|a, b| (a.value, a.ids) == (b.value, b.ids));
        let is_open = |alike: &&[Candidate]| {
            alike.len() > 1 || alike.iter().any(|one| asked.is_at_end_of_page(one))
        };
        let open = alike.filter(is_open).flatten();
        let rows: Vec<PointRef> = open.map(|candidate| candidate.at).collect();
        let hashes = self.contents(view, &rows, (meter, skips))?;
        let known = rows.into_iter().zip(hashes);
        Ok(known
            .filter_map(|(at, hash)| hash.map(|hash| (at, hash)))
            .collect())
    }

    /// Some rows, whole and in their order; those that can't be read are left out.
    fn read_in_order(
        &self,
        view: &View,
        rows: &[PointRef],
        (meter, skips): (&Meter<'_>, &mut Skips),
    ) -> Result<SpanBatch, ReadError> {
        let _room = self.trace_room.take(rows.len() * READ_SPAN_BYTES);
        let mut by_place: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for at in rows {
            by_place.entry(at.place as usize).or_default().push(at.row);
        }
        let mut read: BTreeMap<usize, SpanBatch> = BTreeMap::new();
        let mut bytes = 0;
        for (place, of_place) in by_place {
            let Some(placed) = view.segments.get(place) else {
                continue;
            };
            let cost = of_place.len() as u64 * WHOLE_ROW_COST;
            let batch = meter
                .take(cost)
                .and_then(|()| placed.segment.read_single_rows(&of_place));
            match batch {
                Ok(batch) => {
                    bytes += batch.size_bytes();
                    self.check_page_bytes(bytes)?;
                    read.insert(place, batch);
                }
                Err(SegmentError::Spent) => {}
                Err(error) => self.skip_once(placed, &error, skips)?,
            }
        }
        let mut next: BTreeMap<usize, usize> = BTreeMap::new();
        let mut builder = BatchBuilder::new();
        for at in rows {
            let place = at.place as usize;
            if let Some(batch) = read.get(&place) {
                let row = next.entry(place).or_default();
                builder.append_rows(batch, [*row]);
                *row += 1;
                continue;
            }
            let chunk = place.checked_sub(view.segments.len());
            if let Some(chunk) = chunk.and_then(|chunk| view.chunks.get(chunk)) {
                builder.append_rows(&chunk.batch, [at.row as usize]);
            }
        }
        Ok(builder.finish())
    }

    fn check_page_bytes(&self, bytes: usize) -> Result<(), ReadError> {
        let bytes_max = self.options.trace_bytes_max;
        if bytes <= bytes_max {
            return Ok(());
        }
        let reason = format!(
            "these spans take more than query.answer_bytes_max ({bytes_max} bytes); ask for fewer at once"
        );
        Err(ReadError::OverLimit { reason })
    }
}

fn request_after(asked: &Asked<'_>) -> Option<SpanPosition> {
    let after = asked.request.after?;
    if plumbing::planted("store-first-spans-repeat") {
        return Some(SpanPosition {
            content: 0,
            ..after
        });
    }
    Some(after)
}

fn look_at_group(
    place: &GroupPlace<'_>,
    asked: &Asked<'_>,
    meter: &Meter<'_>,
) -> Result<Vec<Candidate>, SegmentError> {
    let segment = &place.placed.segment;
    if asked
        .attempt
        .left_out
        .contains(&place.placed.listed.meta.id)
    {
        return Ok(Vec::new());
    }
    let (plan, window) = asked.narrowed();
    let mut found = segment.matches_in(&place.rows, None, (&plan, window), meter)?;
    for row in asked.repeats.in_rows(place.at, &place.rows) {
        let row = (*row as usize).saturating_sub(place.rows.start);
        found.clear(&(row..row + 1));
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let (mut later, mut tied): (Vec<Candidate>, Vec<Candidate>) = (Vec::new(), Vec::new());
    segment.each_point(&place.rows, &found, |row, start, duration| {
        let candidate = |value| Candidate {
            value,
            at: PointRef {
                place: place.at as u32,
                row: (place.rows.start + row) as u32,
            },
            ids: None,
        };
        match asked.value_of(start, duration.cast_signed()) {
            Some((value, true)) => tied.push(candidate(value)),
            Some((value, false)) => later.push(candidate(value)),
            None => {}
        }
    })?;
    keep_first(&mut later, asked.wanted);
    let mut known = lock(&asked.attempt.known);
    later
        .iter()
        .take(asked.wanted)
        .for_each(|candidate| known.add(candidate.value));
    drop(known);
    // Where very many have one value, only their ids tell which are first.
    if later.len() > asked.wanted.saturating_mul(2) {
        read_ids_here(place, &mut later, meter)?;
        asked.thin(&mut later);
    }
    if !tied.is_empty() {
        read_ids_here(place, &mut tied, meter)?;
        tied.retain(|candidate| asked.is_not_before(candidate.ids.unwrap_or_default()));
        asked.thin(&mut tied);
    }
    later.append(&mut tied);
    Ok(later)
}

/// Keeps the first of some candidates by value, and all that have the value of the last one; the first stand in front.
fn keep_first(candidates: &mut Vec<Candidate>, wanted: usize) {
    let Some(last) = wanted
        .checked_sub(1)
        .filter(|last| *last < candidates.len())
    else {
        return;
    };
    let by_value = |candidate: &Candidate| Reverse(candidate.value);
    let (_, last, _) = candidates.select_nth_unstable_by_key(last, by_value);
    let last = last.value;
    candidates.retain(|candidate| candidate.value >= last);
}

fn read_ids_here(
    place: &GroupPlace<'_>,
    candidates: &mut [Candidate],
    meter: &Meter<'_>,
) -> Result<(), SegmentError> {
    meter.take(candidates.len() as u64)?;
    candidates.sort_unstable_by_key(|candidate| candidate.at);
    let rows: Vec<u32> = candidates
        .iter()
        .map(|candidate| candidate.at.row)
        .collect();
    let ids = place.placed.segment.ids_of_rows(&rows, true)?;
    for (candidate, ids) in candidates.iter_mut().zip(ids) {
        candidate.ids = Some(ids);
    }
    Ok(())
}

/// What is in memory, the newest first.
fn look_at_heads(
    view: &View,
    asked: &Asked<'_>,
    meter: &Meter<'_>,
) -> Result<Vec<Candidate>, ReadError> {
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut chunk = 0;
    let of_question = (&*asked.plan, asked.request.window);
    let known = (&asked.splits, &asked.repeats);
    each_in_heads(view, of_question, known, meter, |found| {
        if found.at.place != chunk {
            chunk = found.at.place;
            asked.thin(&mut candidates);
        }
        let ids = (found.span.trace_id(), found.span.span_id());
        let value = asked.value_of(found.span.start(), found.span.duration());
        let Some((value, is_tied)) = value.filter(|_| !found.is_again) else {
            return;
        };
        if is_tied && !asked.is_not_before(ids) {
            return;
        }
        if !is_tied {
            lock(&asked.attempt.known).add(value);
        }
        candidates.push(Candidate {
            value,
            at: found.at,
            ids: Some(ids),
        });
    })?;
    asked.thin(&mut candidates);
    Ok(candidates)
}
