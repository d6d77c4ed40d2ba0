//! Searches for traces in a store that can tell which may match by their newest span: these are read and judged here in
//! the order of their starts, until nothing unseen can come before.
//!
//! Why this is exact: a trace that was not given yet has no span that may match behind the last one given, so it starts
//! no later. Those that start later than that are in their final order; they are read one after another until the page
//! is full. By duration there is no such end: all that may match must be known. Where the store tells how long a trace
//! takes, only the longest are read then; the others are read to find out, up to [`Limits::traces_max`].

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::future::Future;

use model::contract::{
    Order, Position, ReadError, SearchAnswer, SearchRequest, Skipped, TraceAnswer, TraceHit, Window,
};
use model::evaluate::{Compiled, matches};
use model::{Predicate, SpanBatch, TraceId};
use plumbing::planted;

use crate::facts;

/// Traces that are asked for at once.
const PAGE_MIN: usize = 20;
const PAGE_MAX: usize = 1_000;
const NANOS_PER_MICRO: u64 = 1_000;
/// So many are read at least, should fewer be wanted: not all may match.
const READ_MIN: usize = 8;
/// The most traces that are put in order before any is read.
const ORDERED_MAX: usize = 200_000;
/// The place of a trace that must be read to find it out.
const UNKNOWN: u64 = u64::MAX;

/// Traces that may match.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// Those that were not given before, each once.
    pub(crate) ids: Vec<TraceId>,
    /// No span that may match and was not given starts later than this, in microseconds.
    pub(crate) cursor: u64,
    /// There are no others.
    pub(crate) is_exhausted: bool,
}

/// What is known of a trace before it is read; times are in microseconds, where they are known to one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    pub(crate) start: Option<u64>,
    pub(crate) end: Option<u64>,
    pub(crate) spans: usize,
}

pub(crate) type Known = HashMap<TraceId, Times>;

impl Times {
    /// What the trace is ordered by, in microseconds.
    fn place(&self, order: Order) -> u64 {
        let place = match order {
            Order::NewestFirst => self.start,
            Order::SlowestFirst => self
                .start
                .zip(self.end)
                .map(|(start, end)| end.saturating_sub(start)),
        };
        place.unwrap_or(UNKNOWN)
    }
}

/// What the traces are found in.
pub(crate) trait Source: Send {
    /// The next traces that may match, by the start of their newest span that may.
    fn next(&mut self, size: usize) -> impl Future<Output = Result<Candidates, ReadError>> + Send;

    /// When traces start and, where it is known, end, wherever their spans are.
    fn times(&self, ids: &[TraceId]) -> impl Future<Output = Result<Known, ReadError>> + Send;

    /// Reads traces and judges them.
    fn judged(
        &self,
        ids: Vec<TraceId>,
    ) -> impl Future<Output = Result<(Vec<TraceHit>, Vec<Skipped>), ReadError>> + Send;
}

/// How far a search may go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The store, for people.
    pub(crate) store: &'static str,
    /// The key that allows more.
    pub(crate) key: &'static str,
    /// The most traces that may match of which one search is decided.
    pub(crate) traces_max: usize,
    /// The most spans that are read at once, unless one trace has more.
    pub(crate) spans_at_once: usize,
}

/// A trace that may match, by its place in the order.
type Waiting = (Reverse<u64>, TraceId);

/// A search that is under way.
struct Walk<'a, S> {
    source: S,
    request: &'a SearchRequest,
    limits: Limits,
    seen: usize,
    /// Those that must be read to find out their place.
    unknown: usize,
    cursor: u64,
    is_exhausted: bool,
    /// Each with the number of its spans.
    waiting: BTreeMap<Waiting, usize>,
    hits: Vec<TraceHit>,
    skipped: Vec<Skipped>,
}

/// Answers a search.
pub(crate) async fn search<S: Source>(
    source: S,
    request: &SearchRequest,
    limits: Limits,
) -> Result<SearchAnswer, ReadError> {
    let mut walk = Walk {
        source,
        request,
        limits,
        seen: 0,
        unknown: 0,
        cursor: u64::MAX,
        is_exhausted: false,
        waiting: BTreeMap::new(),
        hits: Vec::new(),
        skipped: Vec::new(),
    };
    walk.go().await?;
    Ok(walk.answer())
}

impl<S: Source> Walk<'_, S> {
    async fn go(&mut self) -> Result<(), ReadError> {
        loop {
            self.next_page().await?;
            let is_final = match self.request.order {
                Order::NewestFirst => true,
                Order::SlowestFirst => self.is_exhausted,
            };
            if is_final {
                self.read_waiting().await?;
            }
            if self.is_full() || self.is_exhausted {
                return Ok(());
            }
        }
    }

    async fn next_page(&mut self) -> Result<(), ReadError> {
        let traces_max = self.limits.traces_max;
        let most = match self.request.order {
            Order::NewestFirst => traces_max,
            Order::SlowestFirst => ORDERED_MAX,
        };
        if self.seen > most {
            return Err(self.too_many(most));
        }
        let wanted = match self.request.order {
            Order::NewestFirst => self.request.limit.saturating_add(1),
            Order::SlowestFirst => PAGE_MAX,
        };
        let found = self.source.next(wanted.clamp(PAGE_MIN, PAGE_MAX)).await?;
        self.seen += found.ids.len();
        self.cursor = found.cursor;
        self.is_exhausted = found.is_exhausted;
        self.wait_for(&found.ids).await?;
        if self.request.order == Order::SlowestFirst && self.unknown > traces_max {
            return Err(self.too_many(traces_max));
        }
        Ok(())
    }

    async fn wait_for(&mut self, ids: &[TraceId]) -> Result<(), ReadError> {
        if ids.is_empty() {
            return Ok(());
        }
        let known = self.source.times(ids).await?;
        let (order, after) = (self.request.order, self.request.after);
        for &trace_id in ids {
            let times = known.get(&trace_id).copied().unwrap_or_default();
            let place = times.place(order);
            // One whose place is not known is read to find out.
            let is_wanted = place == UNKNOWN
                || after.is_none_or(|after| after.is_before(&position_of(place, trace_id)));
            self.unknown += usize::from(place == UNKNOWN);
            if is_wanted {
                self.waiting.insert((Reverse(place), trace_id), times.spans);
            }
        }
        Ok(())
    }

    /// Reads and judges those that are in their final order, until there are enough.
    async fn read_waiting(&mut self) -> Result<(), ReadError> {
        let (order, after) = (self.request.order, self.request.after);
        while !self.is_full() {
            let chunk = self.next_chunk();
            if chunk.is_empty() {
                return Ok(());
            }
            let (hits, skipped) = self.source.judged(chunk).await?;
            let behind =
                |hit: &TraceHit| after.is_none_or(|after| after.is_before(&hit.position(order)));
            self.hits.extend(hits.into_iter().filter(behind));
            self.skipped.extend(skipped);
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        match (self.request.order, self.waiting.first_key_value()) {
            // What starts nobody knows when may be newer than all that was read.
            (Order::NewestFirst, Some((&(Reverse(UNKNOWN), _), _))) => false,
            (Order::NewestFirst, _) => self.hits.len() > self.request.limit,
            // What was read to find out its place may come behind what was not read.
            (Order::SlowestFirst, Some((&(Reverse(place), trace_id), _))) => {
                let next = position_of(place, trace_id);
                let hits = self
                    .hits
                    .iter()
                    .map(|hit| hit.position(Order::SlowestFirst));
                self.is_exhausted
                    && hits.filter(|hit| hit.is_before(&next)).count() > self.request.limit
            }
            (Order::SlowestFirst, None) => false,
        }
    }

    /// The next traces whose place is settled: as many as are wanted and are read at once.
    fn next_chunk(&mut self) -> Vec<TraceId> {
        let is_unknown = |first: (&Waiting, _)| first.0.0.0 == UNKNOWN;
        let wanted = match self.request.order {
            Order::NewestFirst => (self.request.limit + 1).saturating_sub(self.hits.len()),
            Order::SlowestFirst if self.waiting.first_key_value().is_some_and(is_unknown) => {
                PAGE_MAX
            }
            Order::SlowestFirst => self.request.limit + 1,
        };
        let (mut chunk, mut spans) = (Vec::new(), 0);
        while let Some(first) = self.waiting.first_entry() {
            let (Reverse(place), trace_id) = *first.key();
            let is_settled = self.is_exhausted || place > self.cursor;
            if !is_settled && !planted("elastic-unseen-forgotten") {
                break;
            }
            spans += *first.get();
            let is_enough =
                chunk.len() >= wanted.max(READ_MIN) || spans >= self.limits.spans_at_once;
            if is_enough && !chunk.is_empty() {
                break;
            }
            first.remove();
            chunk.push(trace_id);
        }
        chunk
    }

    fn too_many(&self, most: usize) -> ReadError {
        let can = match self.request.order {
            Order::SlowestFirst if self.unknown <= self.limits.traces_max => {
                "order so many traces by duration"
            }
            Order::SlowestFirst => "order traces by duration without reading all that may match",
            Order::NewestFirst => {
                "decide more of this question by itself than which traces may match"
            }
        };
        let Limits { store, key, .. } = self.limits;
        let raise = match most == self.limits.traces_max {
            true => format!(", or raise {key}"),
            false => String::new(),
        };
        let reason = format!(
            "{store} can't {can}, and more than {most} traces may; narrow the window or the search{raise}"
        );
        ReadError::OverLimit { reason }
    }

    fn answer(self) -> SearchAnswer {
        let (order, limit) = (self.request.order, self.request.limit);
        let mut traces = self.hits;
        traces.sort_unstable_by_key(|hit| {
            let position = hit.position(order);
            (Reverse(position.order_value), position.trace_id)
        });
        let has_more = traces.len() > limit;
        traces.truncate(limit);
        SearchAnswer {
            traces,
            has_more,
            skipped: self.skipped,
        }
    }
}

/// Where a trace of a place, which is known, stands.
fn position_of(place: u64, trace_id: TraceId) -> Position {
    Position {
        order_value: place.saturating_mul(NANOS_PER_MICRO),
        trace_id,
    }
}

/// A predicate as it is judged.
pub(crate) fn compiled(predicate: &Predicate) -> Result<Compiled, ReadError> {
    Compiled::new(predicate).map_err(|error| ReadError::BadQuestion {
        reason: error.to_string(),
    })
}

/// Judges traces that were read, away from the sockets.
pub(crate) fn judge(
    traces: Vec<(TraceId, TraceAnswer)>,
    predicate: &Compiled,
    window: Window,
) -> (Vec<TraceHit>, Vec<Skipped>) {
    let (mut hits, mut skipped) = (Vec::new(), Vec::new());
    for (trace_id, trace) in traces {
        if is_found(&trace.spans, predicate, window) || planted("elastic-candidates-not-judged") {
            hits.extend(facts::hit(trace_id, &trace.spans));
        }
        skipped.extend(trace.skipped);
    }
    (hits, skipped)
}

fn is_found(spans: &SpanBatch, predicate: &Compiled, window: Window) -> bool {
    spans
        .iter()
        .any(|span| window.contains(span.start()) && matches(span, predicate))
}
