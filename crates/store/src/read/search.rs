//! A search: the first N traces in an order, exactly, touching as few segments as the answer allows.
//!
//! A trace's spans may lie in several segments and in heads. A match in one of them makes the trace a *candidate*; its
//! place in the order is that of the whole trace. In the order *newest first* the start of the whole trace is never
//! after its start in a fragment. Rows are about in the order of their traces' start, so they are looked at from the
//! last one on, and the search ends when enough traces are known that start after everything that is left. For the
//! order *slowest first* see `slowest.rs`.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use model::contract::{Order, Position, ReadError, SearchAnswer, SearchRequest, TraceHit};
use model::{Field, Literal, Operator, Predicate, SpanBatch, TraceId};

use crate::batch_scan::{BatchScan, may_match};
use crate::engine::{Engine, Placed, View};
use crate::head::{Chunk, HeadTrace};
use crate::index::{Catalogue, TraceEntry, TraceTable};
use crate::meter::{IsCancelled, Meter};
use crate::segment::{SearchPlan, SegmentError};
use model::evaluate::Compiled;

use super::{Skips, bad_question, taken_back};

pub(super) type Ids = HashSet<TraceId, foldhash::fast::RandomState>;

/// The first traces that are known so far, in their order.
pub(super) struct Best<'a> {
    request: &'a SearchRequest,
    /// With whether the spans are counted exactly.
    hits: BTreeMap<(std::cmp::Reverse<u64>, TraceId), (TraceHit, bool)>,
    seen: Ids,
    pub skips: Skips,
}

impl Best<'_> {
    /// One more than is asked for, to know whether there are more.
    pub(super) fn wanted(&self) -> usize {
        self.request.limit.saturating_add(1)
    }

    /// Tells whether no trace that starts at `start` or before can still be among the first.
    fn is_closed_to(&self, start: u64) -> bool {
        self.request.order == Order::NewestFirst && self.is_full_before(start)
    }

    /// Tells whether no trace with this value in the order, or with a lower one, can still be among the first.
    pub(super) fn is_full_before(&self, order_value: u64) -> bool {
        self.last().is_some_and(|last| order_value < last)
    }

    /// The value in the order of the last trace that is wanted, once there are so many.
    pub(super) fn last(&self) -> Option<u64> {
        let is_full = self.hits.len() >= self.wanted();
        let last = self.hits.last_key_value().filter(|_| is_full);
        last.map(|((std::cmp::Reverse(last), _), _)| *last)
    }

    fn add(&mut self, engine: &Engine, view: &View, trace_id: TraceId) -> Result<(), ReadError> {
        if !self.seen.insert(trace_id) {
            return Ok(());
        }
        let Some(summary) = engine.summary(view, trace_id, &mut self.skips)? else {
            return Ok(());
        };
        self.put(summary.trace, summary.is_exact);
        Ok(())
    }

    /// Adds a trace, if it is behind the page before; `is_exact` when its spans are counted exactly.
    pub(super) fn put(&mut self, trace: HeadTrace, is_exact: bool) {
        let hit = TraceHit {
            trace_id: trace.trace_id,
            start: trace.start,
            end: trace.end,
            spans: trace.spans,
        };
        let position = hit.position(self.request.order);
        let is_behind = |after: Position| {
            after.is_before(&position)
                || after == position && plumbing::planted("store-cursor-repeats")
        };
        if self.request.after.is_some_and(|after| !is_behind(after)) {
            return;
        }
        let Position {
            order_value,
            trace_id,
        } = position;
        self.hits
            .insert((std::cmp::Reverse(order_value), trace_id), (hit, is_exact));
        let limit_first = plumbing::planted("store-limit-before-order");
        if self.hits.len() > self.wanted() {
            if limit_first {
                self.hits.pop_first()
            } else {
                self.hits.pop_last()
            };
        }
    }
}

impl Engine {
    /// The traces that a search finds.
    pub(crate) fn search(
        &self,
        request: &SearchRequest,
        is_cancelled: IsCancelled<'_>,
    ) -> Result<SearchAnswer, ReadError> {
        let plan = SearchPlan::new(&request.predicate).map_err(bad_question)?;
        let meter = Meter::new(self.options.question_rows_max, is_cancelled);
        let view = self.view(&request.tenant);
        let mut answer = SearchAnswer::default();
        let mut best = Best {
            request,
            hits: BTreeMap::new(),
            seen: Ids::default(),
            skips: Skips::new(),
        };
        if request.limit == 0 {
            return Ok(answer);
        }
        match request.order {
            Order::NewestFirst => self.add_newest(&view, &plan, &mut best, &meter)?,
            Order::SlowestFirst => {
                self.add_slowest(&view, (&plan, request), &mut best, &meter)?;
            }
        }
        answer.has_more = best.hits.len() > request.limit;
        let hits: Vec<(TraceHit, bool)> = best.hits.into_values().take(request.limit).collect();
        for (mut hit, is_exact) in hits {
            if !is_exact {
                // Only reading them tells which spans are there twice.
                let spans_max = self.options.trace_spans_max;
                match self.trace_within((&view, spans_max), hit.trace_id, &mut best.skips) {
                    Ok(trace) => hit.spans = trace.len() as u64,
                    // Of one that is too long for that, those that are there twice are counted twice.
                    Err(ReadError::OverLimit { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            answer.traces.push(hit);
        }
        answer.skipped.extend(best.skips.into_values());
        answer.skipped.extend(meter.skipped());
        Ok(answer)
    }

    /// Adds the newest traces that a search finds.
    fn add_newest(
        &self,
        view: &View,
        plan: &SearchPlan,
        best: &mut Best<'_>,
        meter: &Meter<'_>,
    ) -> Result<(), ReadError> {
        self.add_newest_of_heads(view, plan, best, meter)?;
        let mut segments: Vec<&Placed> = view.segments.iter().map(AsRef::as_ref).collect();
        segments.sort_by_key(|placed| std::cmp::Reverse(placed.listed.meta.max_trace_start));
        for placed in segments {
            if meter.is_cancelled() {
                return Err(taken_back());
            }
            if best.is_closed_to(placed.listed.meta.max_trace_start) {
                break;
            }
            if let Err(error) = self.search_segment(placed, plan, view, best, meter) {
                match error {
                    Failure::Segment(SegmentError::Spent) => break,
                    Failure::Segment(error) => self.skip_once(placed, &error, &mut best.skips)?,
                    Failure::Question(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Adds the newest traces with a span in a head that matches. Heads may hold thousands of them, and whoever adds
    /// one asks all segments for it.
    fn add_newest_of_heads(
        &self,
        view: &View,
        plan: &SearchPlan,
        best: &mut Best<'_>,
        meter: &Meter<'_>,
    ) -> Result<(), ReadError> {
        let mut chunks: Vec<&Chunk> = view.chunks.iter().map(AsRef::as_ref).collect();
        if !plumbing::planted("store-heads-by-arrival") {
            chunks.sort_by_key(|chunk| std::cmp::Reverse(chunk.max_trace_start));
        }
        for chunk in chunks {
            if meter.is_cancelled() {
                return Err(taken_back());
            }
            if best.is_closed_to(chunk.max_trace_start) {
                break;
            }
            let found = chunk_matches(chunk, &plan.rows, best.request).into_iter();
            let mut found: Vec<HeadTrace> =
                found.filter_map(|id| chunk.trace(id).copied()).collect();
            found.sort_unstable_by_key(|trace| std::cmp::Reverse(trace.start));
            for trace in found {
                // The whole trace starts no later than what is here of it.
                if best.is_closed_to(trace.start) {
                    break;
                }
                best.add(self, view, trace.trace_id)?;
            }
        }
        Ok(())
    }

    /// Adds the traces of a segment with a span that matches, from the last row on, until no other can be among the
    /// first.
    fn search_segment(
        &self,
        placed: &Placed,
        plan: &SearchPlan,
        view: &View,
        best: &mut Best<'_>,
        meter: &Meter<'_>,
    ) -> Result<(), Failure> {
        let window = best.request.window;
        // Not all operations have their names in the catalogue, so it rules nothing out.
        if plumbing::planted("store-search-trusts-names")
            && !is_listed(&best.request.predicate, &*placed.segment.catalogue()?)
        {
            return Ok(());
        }
        let mut failed = None;
        // Mostly no row matches, and with very many segments their tables of traces are in no cache.
        let mut table: Option<Arc<TraceTable>> = None;
        let mut take = |rows: Vec<u32>| {
            let traces = match table.take().map_or_else(|| placed.segment.traces(), Ok) {
                Ok(traces) => Arc::clone(table.insert(traces)),
                Err(error) => {
                    failed = Some(Failure::Segment(error));
                    return ControlFlow::Break(());
                }
            };
            // Rows ascend and those of a trace lie together, so one look-up a trace is enough.
            let mut found: Vec<TraceEntry> = Vec::new();
            let mut covered_to = 0;
            for row in rows {
                if row < covered_to {
                    continue;
                }
                if let Some(entry) = traces.of_row(row) {
                    covered_to = entry.first_row + entry.rows;
                    found.push(entry);
                }
            }
            for entry in found.into_iter().rev() {
                if best.is_closed_to(traces.latest_start(entry.ordinal)) {
                    return ControlFlow::Break(());
                }
                // The whole trace starts no later than what is here of it.
                if best.is_closed_to(entry.start) {
                    continue;
                }
                let added = match placed.segment.trace_id(&traces, &entry) {
                    Ok(trace_id) => best.add(self, view, trace_id).map_err(Failure::Question),
                    Err(error) => Err(Failure::Segment(error)),
                };
                if let Err(error) = added {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        };
        placed
            .segment
            .search_backwards(plan, window, meter, &mut take)?;
        failed.map_or(Ok(()), Err)
    }
}

/// What [`Engine::search_segment`] must not ask.
fn is_listed(predicate: &Predicate, catalogue: &Catalogue) -> bool {
    match predicate {
        Predicate::Compare(Field::Name, Operator::Equal, Literal::String(name)) => {
            catalogue.operations.iter().any(|o| o.name == *name)
        }
        _ => true,
    }
}

/// Why a segment could not be searched.
enum Failure {
    /// The segment is at fault.
    Segment(SegmentError),
    /// The question is over.
    Question(ReadError),
}

impl From<SegmentError> for Failure {
    fn from(error: SegmentError) -> Self {
        Self::Segment(error)
    }
}

/// The traces of a chunk with a span that matches.
pub(super) fn chunk_matches(chunk: &Chunk, compiled: &Compiled, request: &SearchRequest) -> Ids {
    let mut found = Ids::default();
    let batch: &SpanBatch = &chunk.batch;
    if !may_match(compiled, batch) {
        return found;
    }
    let spans = batch.spans();
    let mut scan = BatchScan::new(compiled, batch);
    for (row, (start, trace_id)) in spans.start.iter().zip(&spans.trace_id).enumerate() {
        let is_at_end =
            *start == request.window.end && plumbing::planted("store-window-off-by-one");
        if request.window.contains(*start)
            && !is_at_end
            && !found.contains(trace_id)
            && scan.matches(row)
        {
            found.insert(*trace_id);
        }
    }
    found
}
