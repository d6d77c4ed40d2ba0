//! The calls between services: how often a span of one service is the parent of a span of another, in the same trace.
//!
//! Inside a segment the calls of each trace are known since it was written. A trace that lies in several segments, or
//! in a head, is put together from the ids and services of its spans, so late spans and restarts change nothing; where
//! a span id is there twice, it is read whole to tell which spans are the same. Only traces that lie wholly in the
//! window count, as in Jaeger.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;
use model::contract::{DependencyAnswer, DependencyLink, ReadError, Window};
use model::{SpanBatch, SpanId, TenantId, TraceId};

use crate::engine::{Engine, Placed, View};
use crate::head::HeadTrace;
use crate::index::{Edges, TraceEntry, TraceTable};
use crate::segment::SegmentError;

use super::merged::{Fragment, each_trace};
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

/// A segment that can be read.
struct Source<'a> {
    placed: &'a Placed,
    edges: Arc<Edges>,
    /// By pattern: whole traces that have it.
    by_pattern: Vec<u64>,
}

/// A trace that lies in several places.
struct Split {
    trace: HeadTrace,
    /// Its parts in segments: places in [`Splits::fragments`].
    fragments: Range<usize>,
}

/// A source, and rows there.
type Rows = (usize, Range<usize>);

/// The traces that lie in several segments, or in a head.
#[derive(Default)]
struct Splits {
    traces: Vec<Split>,
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
        let (mut sources, tables) = self.sources(&view, &mut skips)?;
        let splits = judge(&view, window, (&mut sources, &tables), is_cancelled)?;
        sources
            .iter()
            .for_each(|source| source.add_whole(&mut calls));
        let mut left = splits.traces.as_slice();
        while !left.is_empty() {
            if is_cancelled() {
                return Err(taken_back());
            }
            let mut spans = 0;
            let is_within = |split: &&Split| {
                let had = spans;
                spans += split.trace.spans;
                had < SPANS_AT_ONCE
            };
            let count = left.iter().take_while(is_within).count();
            let (now, later) = left.split_at(count);
            self.add_split(
                &view,
                (&sources, &splits.fragments, now),
                &mut calls,
                &mut skips,
            )?;
            left = later;
        }
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

    /// The segments that can be read, and their tables of traces.
    fn sources<'a>(
        &self,
        view: &'a View,
        skips: &mut Skips,
    ) -> Result<(Vec<Source<'a>>, Vec<Arc<TraceTable>>), ReadError> {
        let (mut sources, mut tables) = (Vec::new(), Vec::new());
        for placed in view.segments.iter() {
            let read = placed.segment.edges();
            match read.and_then(|edges| Ok((edges, placed.segment.traces()?))) {
                Ok((edges, traces)) => {
                    let by_pattern = vec![0; edges.patterns.len()];
                    sources.push(Source {
                        placed,
                        edges,
                        by_pattern,
                    });
                    tables.push(traces);
                }
                Err(error) => self.skip_once(placed, &error, skips)?,
            }
        }
        Ok((sources, tables))
    }

    /// Adds the calls of traces that lie in several places.
    fn add_split(
        &self,
        view: &View,
        (sources, fragments, splits): (&[Source<'_>], &[Rows], &[Split]),
        calls: &mut Calls,
        skips: &mut Skips,
    ) -> Result<(), ReadError> {
        let mut names = Names::default();
        let mut members: Vec<Vec<Member>> = splits.iter().map(|_| Vec::new()).collect();
        // By source, then rows, with whose spans they are.
        let mut wanted: Vec<(usize, Range<usize>, usize)> = Vec::new();
        for (at, split) in splits.iter().enumerate() {
            let fragments = fragments.get(split.fragments.clone()).unwrap_or_default();
            wanted.extend(
                fragments
                    .iter()
                    .map(|(source, rows)| (*source, rows.clone(), at)),
            );
        }
        wanted.sort_unstable_by_key(|(source, rows, _)| (*source, rows.start));
        for wanted in wanted.chunk_by(|a, b| a.0 == b.0) {
            let source = wanted.first().and_then(|(source, ..)| sources.get(*source));
            let Some(source) = source else { continue };
            if let Err(error) = add_segment(source.placed, wanted, &mut members, &mut names) {
                self.skip_once(source.placed, &error, skips)?;
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

/// Counts the traces in the window that lie in one segment, by pattern there; gives those that lie in several places.
fn judge(
    view: &View,
    window: Window,
    (sources, tables): (&mut [Source<'_>], &[Arc<TraceTable>]),
    is_cancelled: &dyn Fn() -> bool,
) -> Result<Splits, ReadError> {
    let mut heads: ById<HeadTrace> = ById::default();
    for trace in view.chunks.iter().flat_map(|chunk| &chunk.traces) {
        let known = heads.entry(trace.trace_id);
        known
            .and_modify(|known| known.absorb(trace))
            .or_insert(*trace);
    }
    let is_inside = |trace: &HeadTrace| window.contains(trace.start) && window.contains(trace.end);
    let mut splits = Splits::default();
    let mut traces = 0u32;
    each_trace(tables, |fragments| {
        traces = traces.wrapping_add(1);
        if traces.is_multiple_of(TRACES_BETWEEN_LOOKS) && is_cancelled() {
            return Err(taken_back());
        }
        let mut all = fragments.iter().map(|(_, entry)| of_entry(entry));
        let Some(mut whole) = all.next() else {
            return Ok(());
        };
        all.for_each(|other| whole.absorb(&other));
        let in_head = heads.remove(&whole.trace_id);
        in_head.iter().for_each(|other| whole.absorb(other));
        if !is_inside(&whole) {
            return Ok(());
        }
        match fragments {
            [(source, entry)] if in_head.is_none() => {
                if let Some(source) = sources.get_mut(*source) {
                    source.count(entry);
                }
            }
            _ => splits.add(whole, fragments),
        }
        Ok(())
    })?;
    let only_in_heads = heads.into_values().filter(is_inside);
    only_in_heads.for_each(|trace| splits.add(trace, &[]));
    Ok(splits)
}

fn of_entry(entry: &TraceEntry) -> HeadTrace {
    HeadTrace {
        trace_id: entry.trace_id,
        start: entry.start,
        end: entry.end,
        spans: entry.rows.into(),
    }
}

impl Splits {
    fn add(&mut self, trace: HeadTrace, fragments: &[Fragment]) {
        let first = self.fragments.len();
        let parts = fragments.iter();
        self.fragments
            .extend(parts.map(|(source, entry)| (*source, entry.range())));
        self.traces.push(Split {
            trace,
            fragments: first..self.fragments.len(),
        });
    }
}

impl Source<'_> {
    fn count(&mut self, entry: &TraceEntry) {
        let pattern = self.edges.pattern_of.get(entry.ordinal as usize);
        let count = pattern.and_then(|pattern| self.by_pattern.get_mut(*pattern as usize));
        if let Some(count) = count {
            *count += 1;
        }
    }

    /// Adds the calls of the traces that were counted.
    fn add_whole(&self, calls: &mut Calls) {
        let name = |at: u32| {
            let name = self.edges.services.get(at as usize);
            name.map(String::as_str).unwrap_or_default()
        };
        let counted = self.edges.patterns.iter().zip(&self.by_pattern);
        for (pattern, traces) in counted.filter(|(_, traces)| **traces > 0) {
            for edge in pattern {
                let count = u64::from(edge.calls) * traces;
                calls.add(name(edge.parent), name(edge.child), count);
            }
        }
    }
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
