//! The calls between services: how often a span of one service is the parent of a span of another, in the same trace.
//!
//! Inside a segment the calls of each trace are known since it was written. A trace that lies in several segments, or
//! in a head, is put together from the ids and services of its spans, so late spans and restarts change nothing; where
//! a span id is there twice, it is read whole to tell which spans are the same. Only traces that lie wholly in the
//! window count, as in Jaeger.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use model::contract::{DependencyAnswer, DependencyLink, ReadError, Window};
use model::{SpanBatch, SpanId, TenantId, TraceId};

use crate::engine::{Engine, Placed, View};
use crate::index::{Edges, TraceEntry, TraceTable};
use crate::segment::SegmentError;

use super::trace::Summary;
use super::{Skips, taken_back};

type ById<V> = HashMap<TraceId, V, RandomState>;

/// Traces that lie in several places are put together until they have so many spans, then the next ones.
const SPANS_AT_ONCE: u64 = 1 << 19;

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

/// Traces that are put together, with their spans from all places.
#[derive(Debug, Default)]
struct Families {
    of: ById<Vec<Member>>,
    /// How many spans they have.
    spans: u64,
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

impl Engine {
    /// The calls between services in traces that lie wholly in the window.
    pub(crate) fn dependencies(
        &self,
        tenant: &TenantId,
        window: Window,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<DependencyAnswer, ReadError> {
        let view = self.view(tenant);
        let mut answer = DependencyAnswer::default();
        let mut calls = Calls::default();
        let mut skips = Skips::new();
        let split = self.split_traces(&view, &mut skips)?;
        self.add_whole(&view, window, &split, &mut calls, &mut skips)?;
        let mut families = Families::default();
        for trace_id in split.into_keys() {
            if is_cancelled() {
                return Err(taken_back());
            }
            let summary = self.summary(&view, trace_id, &mut skips)?;
            let is_inside =
                |s: &Summary| window.contains(s.trace.start) && window.contains(s.trace.end);
            let Some(summary) = summary.filter(is_inside) else {
                continue;
            };
            families.of.insert(trace_id, Vec::new());
            families.spans += summary.trace.spans;
            if families.spans >= SPANS_AT_ONCE {
                self.add_split(&view, std::mem::take(&mut families), &mut calls, &mut skips)?;
            }
        }
        self.add_split(&view, families, &mut calls, &mut skips)?;
        let links = calls.counts.into_iter();
        answer.links = links
            .map(|((parent, child), calls)| DependencyLink {
                parent,
                child,
                calls,
            })
            .collect();
        answer.skipped.extend(skips.into_values());
        Ok(answer)
    }

    /// The traces that lie in more than one segment, or in a head: they are read and judged whole.
    fn split_traces(&self, view: &View, skips: &mut Skips) -> Result<ById<()>, ReadError> {
        let mut split: ById<()> = ById::default();
        for chunk in &view.chunks {
            split.extend(chunk.traces.iter().map(|trace| (trace.trace_id, ())));
        }
        for (index, placed) in view.segments.iter().enumerate() {
            let (edges, traces) = match calls_of(placed) {
                Ok(read) => read,
                Err(error) => {
                    self.skip_once(placed, &error, skips)?;
                    continue;
                }
            };
            // A trace with all its parents at hand may still have fragments elsewhere, but then those have orphans or
            // roots: it is enough to look at segments whose times overlap.
            let meta = &placed.listed.meta;
            for (other_index, other) in view.segments.iter().enumerate() {
                let bounds = &other.listed.meta;
                let overlaps = bounds.min_start <= meta.max_end && meta.min_start <= bounds.max_end;
                if other_index <= index || !overlaps {
                    continue;
                }
                if let Ok(theirs) = other.segment.traces() {
                    let shared = traces
                        .iter()
                        .filter(|entry| theirs.find(entry.trace_id).is_some());
                    split.extend(shared.map(|entry| (entry.trace_id, ())));
                }
            }
            for trace in edges
                .orphans
                .iter()
                .filter_map(|orphan| traces.entry(orphan.trace))
            {
                if self
                    .summary(view, trace.trace_id, skips)?
                    .is_some_and(|summary| summary.fragments > 1)
                {
                    split.insert(trace.trace_id, ());
                }
            }
        }
        Ok(split)
    }

    /// Adds the calls of traces that lie in several places.
    fn add_split(
        &self,
        view: &View,
        families: Families,
        calls: &mut Calls,
        skips: &mut Skips,
    ) -> Result<(), ReadError> {
        let mut of = families.of;
        let mut names = Names::default();
        for placed in view.segments.iter() {
            if let Err(error) = add_segment(placed, &mut of, &mut names) {
                self.skip_once(placed, &error, skips)?;
            }
        }
        for chunk in &view.chunks {
            for span in chunk.batch.iter() {
                if let Some(spans) = of.get_mut(&span.trace_id()) {
                    spans.push(Member {
                        span_id: span.span_id(),
                        parent_span_id: span.parent_span_id(),
                        service: names.number(span.service()),
                    });
                }
            }
        }
        let mut service_of: HashMap<SpanId, u32, RandomState> = HashMap::default();
        let mut found: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        for (trace_id, spans) in of {
            service_of.clear();
            service_of.extend(spans.iter().map(|span| (span.span_id, span.service)));
            if service_of.len() < spans.len() {
                add_batch(&self.trace_in(view, trace_id, skips)?, calls);
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

    fn add_whole(
        &self,
        view: &View,
        window: Window,
        split: &ById<()>,
        calls: &mut Calls,
        skips: &mut Skips,
    ) -> Result<(), ReadError> {
        for placed in view.segments.iter() {
            let (edges, traces) = match calls_of(placed) {
                Ok(read) => read,
                Err(error) => {
                    self.skip_once(placed, &error, skips)?;
                    continue;
                }
            };
            let mut by_pattern = vec![0u64; edges.patterns.len()];
            for entry in traces.iter() {
                let is_inside = window.contains(entry.start) && window.contains(entry.end);
                let is_whole = !split.contains_key(&entry.trace_id);
                let pattern = edges
                    .pattern_of
                    .get(entry.ordinal as usize)
                    .map_or(usize::MAX, |at| *at as usize);
                if let Some(count) = by_pattern
                    .get_mut(pattern)
                    .filter(|_| is_inside && is_whole)
                {
                    *count += 1;
                }
            }
            let name = |at: u32| {
                edges
                    .services
                    .get(at as usize)
                    .map(String::as_str)
                    .unwrap_or_default()
            };
            for (pattern, traces) in edges
                .patterns
                .iter()
                .zip(by_pattern)
                .filter(|(_, traces)| *traces > 0)
            {
                for edge in pattern {
                    calls.add(
                        name(edge.parent),
                        name(edge.child),
                        u64::from(edge.calls) * traces,
                    );
                }
            }
        }
        Ok(())
    }
}

/// The calls inside a segment's traces, and those traces.
fn calls_of(placed: &Placed) -> Result<(Arc<Edges>, Arc<TraceTable>), SegmentError> {
    Ok((placed.segment.edges()?, placed.segment.traces()?))
}

/// Adds the spans of traces that a segment has.
fn add_segment(
    placed: &Placed,
    of: &mut ById<Vec<Member>>,
    names: &mut Names,
) -> Result<(), SegmentError> {
    let traces = placed.segment.traces()?;
    let mut here: Vec<TraceEntry> = of.keys().filter_map(|id| traces.find(*id)).collect();
    if here.is_empty() {
        return Ok(());
    }
    here.sort_unstable_by_key(|entry| entry.first_row);
    let envelopes = placed.segment.resources()?;
    let services: Vec<u32> = (0u32..)
        .zip(envelopes.resources())
        .map(|(row, _)| names.number(envelopes.resource(row).service()))
        .collect();
    let ranges: Vec<_> = here.iter().map(TraceEntry::range).collect();
    // All of them or none: a segment that can't be read counts as if it were not there.
    let mut read: Vec<(TraceId, Member)> = Vec::new();
    placed.segment.each_kin(&ranges, |at, kin| {
        if let Some(entry) = here.get(at) {
            let service = services.get(kin.resource as usize).copied();
            read.push((
                entry.trace_id,
                Member {
                    span_id: kin.span_id,
                    parent_span_id: kin.parent_span_id,
                    service: service.unwrap_or_default(),
                },
            ));
        }
    })?;
    for (trace_id, member) in read {
        of.entry(trace_id).or_default().push(member);
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
