//! The calls between services: how often a span of one service is the parent of a span of another, in the same trace.
//!
//! Inside a segment the calls of each trace are known since it was written. A trace that lies in several segments, or
//! in a head, is put together from the ids and services of its spans, so late spans and restarts change nothing; where
//! a span id is there twice, it is read whole to tell which spans are the same. Only traces that lie wholly in the
//! window count, as in Jaeger.

use std::collections::{BTreeMap, HashMap};
use std::ops::{Range, RangeInclusive};

use foldhash::fast::RandomState;
use model::contract::{DependencyAnswer, DependencyLink, ReadError, Window};
use model::{SpanBatch, SpanId, TenantId, TraceId};

use crate::engine::{Engine, Placed, View};
use crate::head::HeadTrace;
use crate::index::TraceEntry;
use crate::segment::SegmentError;

use super::merged::{each_trace, id_ranges};
use super::{Skips, taken_back};

type ById<V> = HashMap<TraceId, V, RandomState>;

/// Traces that lie in several places are put together until they have so many spans, then the next ones.
const SPANS_AT_ONCE: u64 = 1 << 19;
/// Between so many traces it is looked whether the asker went away.
const TRACES_BETWEEN_LOOKS: u32 = 1 << 14;

#[derive(Debug, Default)]
struct Calls {
    counts: BTreeMap<(String, String), u64>,
}

impl Calls {
    fn add(&mut self, parent: &str, child: &str, calls: u64) {
        *self
            .counts
            .entry((parent.to_owned(), child.to_owned()))
            .or_default() += calls;
    }
}

/// A span, as far as calls are concerned.
#[derive(Debug)]
struct Member {
    span_id: SpanId,
    parent_span_id: SpanId,
    /// In [`Names`].
    service: u32,
}

/// Numbers for the names of services.
#[derive(Debug, Default)]
struct Names {
    names: Vec<String>,
    number_of: HashMap<String, u32, RandomState>,
}

impl Names {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "services are far below 2^32"
    )]
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.number_of.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.number_of.insert(name.to_owned(), number);
        number
    }

    fn name(&self, number: u32) -> &str {
        let name = self.names.get(number as usize);
        name.map(String::as_str).unwrap_or_default()
    }
}

/// A trace that lies in several places.
struct Split {
    trace: HeadTrace,
    /// Its parts in segments: places in [`Judged::fragments`].
    fragments: Range<usize>,
}

/// A segment of the view by its place, and rows there.
type Rows = (usize, Range<usize>);

/// The traces of a range of ids that lie wholly in the window.
struct Judged {
    /// By segment: the ordinals of those that lie there alone.
    whole: Vec<Vec<u32>>,
    /// Those that lie in several segments, or in a head.
    splits: Vec<Split>,
    fragments: Vec<Rows>,
}

impl Engine {
    /// The calls between services in traces that lie wholly in the window.
    pub(crate) fn dependencies(
        &self,
        tenant: &TenantId,
        window: Window,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<DependencyAnswer, ReadError> {
        let view = self.view(tenant);
        let mut calls = Calls::default();
        let mut skips = Skips::new();
        let mut heads: ById<HeadTrace> = ById::default();
        for trace in view.chunks.iter().flat_map(|chunk| &chunk.traces) {
            let known = heads.entry(trace.trace_id);
            known
                .and_modify(|known| known.absorb(trace))
                .or_insert(*trace);
        }
        let traces = view.segments.iter().map(|placed| placed.listed.meta.traces);
        for ids in id_ranges(traces.sum()) {
            let tables = self.tables(&view, &ids, &mut skips, is_cancelled)?;
            let mut judged = judge(&tables, window, &mut heads, is_cancelled)?;
            drop(tables);
            for (placed, ordinals) in view.segments.iter().zip(&judged.whole) {
                if let Err(error) = add_whole(placed, ordinals, &mut calls) {
                    self.skip_once(placed, &error, &mut skips)?;
                }
            }
            // Neighbours lie in the same segments.
            let first_of = |split: &Split| judged.fragments.get(split.fragments.start).cloned();
            judged.splits.sort_by_cached_key(|split| {
                first_of(split).map(|(segment, rows)| (segment, rows.start))
            });
            self.add_splits(&view, &judged, (&mut calls, &mut skips), is_cancelled)?;
        }
        let is_inside = |trace: &HeadTrace| is_within(window, trace);
        let only_in_heads = heads.into_values().filter(is_inside);
        let judged = Judged {
            whole: Vec::new(),
            splits: only_in_heads
                .map(|trace| Split {
                    trace,
                    fragments: 0..0,
                })
                .collect(),
            fragments: Vec::new(),
        };
        self.add_splits(&view, &judged, (&mut calls, &mut skips), is_cancelled)?;
        let links = calls.counts.into_iter();
        let links = links.map(|((parent, child), calls)| DependencyLink {
            parent,
            child,
            calls,
        });
        Ok(DependencyAnswer {
            links: links.collect(),
            skipped: skips.into_values().collect(),
        })
    }

    /// By segment of the view: its traces in a range of ids; none where it can't be read.
    fn tables(
        &self,
        view: &View,
        ids: &RangeInclusive<u64>,
        skips: &mut Skips,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<Vec<TraceEntry>>, ReadError> {
        let mut tables = Vec::new();
        for placed in view.segments.iter() {
            if is_cancelled() {
                return Err(taken_back());
            }
            // Both or none: calls that can't be read are not counted, whole or in part.
            let read = placed.segment.edges();
            let read = read.and_then(|_| Ok(placed.segment.traces()?.with_low_ids(ids)));
            tables.push(match read {
                Ok(entries) => entries,
                Err(error) => {
                    self.skip_once(placed, &error, skips)?;
                    Vec::new()
                }
            });
        }
        Ok(tables)
    }

    /// Adds the calls of traces that lie in several places, some of them at a time.
    fn add_splits(
        &self,
        view: &View,
        judged: &Judged,
        (calls, skips): (&mut Calls, &mut Skips),
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<(), ReadError> {
        let mut left = judged.splits.as_slice();
        while !left.is_empty() {
            let mut spans = 0;
            let is_now = |split: &&Split| {
                let had = spans;
                spans += split.trace.spans;
                had < SPANS_AT_ONCE
            };
            let (now, later) = left.split_at(left.iter().take_while(is_now).count());
            self.add_split(view, (&judged.fragments, now), (calls, skips), is_cancelled)?;
            left = later;
        }
        Ok(())
    }

    /// Adds the calls of traces that lie in several places.
    fn add_split(
        &self,
        view: &View,
        (fragments, splits): (&[Rows], &[Split]),
        (calls, skips): (&mut Calls, &mut Skips),
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<(), ReadError> {
        let mut names = Names::default();
        let mut members: Vec<Vec<Member>> = splits.iter().map(|_| Vec::new()).collect();
        // By segment, then rows, with whose spans they are.
        let mut wanted: Vec<(usize, Range<usize>, usize)> = Vec::new();
        for (at, split) in splits.iter().enumerate() {
            let fragments = fragments.get(split.fragments.clone()).unwrap_or_default();
            wanted.extend(
                fragments
                    .iter()
                    .map(|(segment, rows)| (*segment, rows.clone(), at)),
            );
        }
        wanted.sort_unstable_by_key(|(segment, rows, _)| (*segment, rows.start));
        for wanted in wanted.chunk_by(|a, b| a.0 == b.0) {
            if is_cancelled() {
                return Err(taken_back());
            }
            let placed = wanted.first().and_then(|(at, ..)| view.segments.get(*at));
            let Some(placed) = placed else { continue };
            if let Err(error) = add_segment(placed, wanted, &mut members, &mut names) {
                self.skip_once(placed, &error, skips)?;
            }
        }
        let place_of = |(at, split): (usize, &Split)| (split.trace.trace_id, at);
        let place_of: ById<usize> = splits.iter().enumerate().map(place_of).collect();
        for span in view.chunks.iter().flat_map(|chunk| chunk.batch.iter()) {
            let place = place_of.get(&span.trace_id());
            if let Some(members) = place.and_then(|place| members.get_mut(*place)) {
                members.push(Member {
                    span_id: span.span_id(),
                    parent_span_id: span.parent_span_id(),
                    service: names.number(span.service()),
                });
            }
        }
        let mut found: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        let mut service_of: HashMap<SpanId, u32, RandomState> = HashMap::default();
        for (split, spans) in splits.iter().zip(&members) {
            service_of.clear();
            service_of.extend(spans.iter().map(|span| (span.span_id, span.service)));
            if service_of.len() < spans.len() {
                add_batch(&self.trace_in(view, split.trace.trace_id, skips)?, calls);
                continue;
            }
            for span in spans.iter().filter(|span| !span.parent_span_id.is_zero()) {
                if let Some(parent) = service_of.get(&span.parent_span_id) {
                    *found.entry((*parent, span.service)).or_default() += 1;
                }
            }
        }
        for ((parent, child), count) in found {
            calls.add(names.name(parent), names.name(child), count);
        }
        Ok(())
    }
}

/// Judges the traces of some tables and those of them that are in heads as well, which are taken out of `heads`.
fn judge(
    tables: &[Vec<TraceEntry>],
    window: Window,
    heads: &mut ById<HeadTrace>,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<Judged, ReadError> {
    let mut judged = Judged {
        whole: tables.iter().map(|_| Vec::new()).collect(),
        splits: Vec::new(),
        fragments: Vec::new(),
    };
    let mut traces = 0u32;
    each_trace(tables, |fragments| {
        traces = traces.wrapping_add(1);
        if traces.is_multiple_of(TRACES_BETWEEN_LOOKS) && is_cancelled() {
            return Err(taken_back());
        }
        let mut all = fragments.iter().map(|(_, entry)| of_entry(entry));
        let Some(mut trace) = all.next() else {
            return Ok(());
        };
        all.for_each(|other| trace.absorb(&other));
        let in_head = heads.remove(&trace.trace_id);
        in_head.iter().for_each(|other| trace.absorb(other));
        if !is_within(window, &trace) {
            return Ok(());
        }
        if let ([(segment, entry)], None) = (fragments, in_head) {
            let whole = judged.whole.get_mut(*segment);
            whole
                .into_iter()
                .for_each(|whole| whole.push(entry.ordinal));
            return Ok(());
        }
        let first = judged.fragments.len();
        let parts = fragments.iter();
        judged
            .fragments
            .extend(parts.map(|(segment, entry)| (*segment, entry.range())));
        judged.splits.push(Split {
            trace,
            fragments: first..judged.fragments.len(),
        });
        Ok(())
    })?;
    Ok(judged)
}

fn is_within(window: Window, trace: &HeadTrace) -> bool {
    window.contains(trace.start) && window.contains(trace.end)
}

fn of_entry(entry: &TraceEntry) -> HeadTrace {
    HeadTrace {
        trace_id: entry.trace_id,
        start: entry.start,
        end: entry.end,
        spans: entry.rows.into(),
    }
}

/// Adds the calls of traces that lie in one segment alone.
fn add_whole(placed: &Placed, ordinals: &[u32], calls: &mut Calls) -> Result<(), SegmentError> {
    if ordinals.is_empty() {
        return Ok(());
    }
    let edges = placed.segment.edges()?;
    let mut by_pattern = vec![0u64; edges.patterns.len()];
    for ordinal in ordinals {
        let pattern = edges.pattern_of.get(*ordinal as usize);
        let count = pattern.and_then(|pattern| by_pattern.get_mut(*pattern as usize));
        count.into_iter().for_each(|count| *count += 1);
    }
    let name = |at: u32| {
        let name = edges.services.get(at as usize);
        name.map(String::as_str).unwrap_or_default()
    };
    let counted = edges.patterns.iter().zip(by_pattern);
    for (pattern, traces) in counted.filter(|(_, traces)| *traces > 0) {
        for edge in pattern {
            let count = u64::from(edge.calls) * traces;
            calls.add(name(edge.parent), name(edge.child), count);
        }
    }
    Ok(())
}

/// Adds the spans of traces that a segment has.
fn add_segment(
    placed: &Placed,
    wanted: &[(usize, Range<usize>, usize)],
    members: &mut [Vec<Member>],
    names: &mut Names,
) -> Result<(), SegmentError> {
    let envelopes = placed.segment.resources()?;
    let services: Vec<u32> = (0u32..)
        .zip(envelopes.resources())
        .map(|(row, _)| names.number(envelopes.resource(row).service()))
        .collect();
    let ranges: Vec<Range<usize>> = wanted.iter().map(|(_, rows, _)| rows.clone()).collect();
    // All of them or none: a segment that can't be read counts as if it were not there.
    let mut read: Vec<(usize, Member)> = Vec::new();
    placed.segment.each_kin(&ranges, |at, kin| {
        if let Some((_, _, place)) = wanted.get(at) {
            let service = services.get(kin.resource as usize).copied();
            let member = Member {
                span_id: kin.span_id,
                parent_span_id: kin.parent_span_id,
                service: service.unwrap_or_default(),
            };
            read.push((*place, member));
        }
    })?;
    for (place, member) in read {
        if let Some(members) = members.get_mut(place) {
            members.push(member);
        }
    }
    Ok(())
}

/// Adds the calls of one whole trace.
fn add_batch(spans: &SpanBatch, calls: &mut Calls) {
    let mut service_of: HashMap<SpanId, &str> = HashMap::new();
    for span in spans.iter() {
        service_of
            .entry(span.span_id())
            .or_insert_with(|| span.service());
    }
    for span in spans.iter().filter(|span| !span.parent_span_id().is_zero()) {
        if let Some(parent) = service_of.get(&span.parent_span_id()) {
            calls.add(parent, span.service(), 1);
        }
    }
}
