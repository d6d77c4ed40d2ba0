//! The calls between services: how often a span of one service is the parent of a span of another, in the same trace.
//!
//! Inside a segment the calls of each trace are known since it was written. A span whose parent lies elsewhere is
//! looked up in the other fragments of its trace, so late spans and restarts change nothing. Only traces that lie
//! wholly in the window count, as in Jaeger.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::contract::{DependencyAnswer, DependencyLink, ReadError, Window};
use model::{SpanBatch, SpanId, TenantId, TraceId};

use crate::engine::{Engine, Placed, View};
use crate::index::{Edges, TraceTable};
use crate::segment::SegmentError;

use super::{Skips, taken_back};

type ById<V> = HashMap<TraceId, V, foldhash::fast::RandomState>;

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
        for trace_id in split.into_keys() {
            if is_cancelled() {
                return Err(taken_back());
            }
            let is_inside = self
                .summary(&view, trace_id, &mut skips)?
                .is_some_and(|s| window.contains(s.trace.start) && window.contains(s.trace.end));
            if is_inside {
                add_batch(&self.trace_in(&view, trace_id, &mut skips)?, &mut calls);
            }
        }
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
