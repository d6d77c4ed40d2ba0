//! The calls between services: how often a span of one service is the parent of a span of another, in the same trace.
//!
//! Traces of a segment that are alike share a form, which says who calls whom. A trace that is alone with its form, or
//! that lies in several segments or in a head, is put together from the ids and services of its spans, so late spans
//! and restarts change nothing; where a span id is there twice, it is read whole to tell which spans are the same. Only
//! traces that lie wholly in the window count, as in Jaeger.

use std::collections::{BTreeMap, HashMap};
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use foldhash::fast::RandomState;
use model::contract::{DependencyAnswer, DependencyLink, ReadError, Window};
use model::{SpanBatch, SpanId, TenantId, TraceId};

use crate::engine::{Engine, Placed, View};
use crate::head::HeadTrace;
use crate::index::patterns::{PatternSpan, Patterns};
use crate::index::{TraceEntry, trace_hash};
use crate::segment::SegmentError;

use super::merged::{Fragment, HashedTable, each_hash, hash_ranges};
use super::{Skips, taken_back};

type ById<V> = HashMap<TraceId, V, RandomState>;

/// The traces of heads by the hashes of their ids.
type Heads = HashMap<u32, Vec<HeadTrace>, RandomState>;

/// Traces whose spans must be looked at are put together until they have so many, then the next ones.
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

/// A trace whose spans must be looked at.
struct Split {
    /// Its id is zero where nobody asked for it.
    trace: HeadTrace,
    /// Its parts in segments: places in [`Judged::fragments`].
    fragments: Range<usize>,
}

/// A segment of the view by its place, and rows there.
type Rows = (usize, Range<usize>);

/// The traces of a range of hashes that lie wholly in the window.
#[derive(Default)]
struct Judged {
    /// By segment: how many traces have each of its shared forms.
    shared: Vec<Vec<u64>>,
    /// Those whose spans must be looked at.
    splits: Vec<Split>,
    fragments: Vec<Rows>,
}

/// The traces of a range of hashes in the segments of a view, by their places.
struct Tables {
    /// Empty where the segment can't be read.
    traces: Vec<HashedTable>,
    forms: Vec<Option<Arc<Patterns>>>,
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
        let mut heads = Heads::default();
        for trace in view.chunks.iter().flat_map(|chunk| &chunk.traces) {
            let same_hash = heads.entry(trace_hash(trace.trace_id)).or_default();
            match same_hash
                .iter_mut()
                .find(|known| known.trace_id == trace.trace_id)
            {
                Some(known) => known.absorb(trace),
                None => same_hash.push(*trace),
            }
        }
        let traces = view.segments.iter().map(|placed| placed.listed.meta.traces);
        for hashes in hash_ranges(traces.sum()) {
            let tables = self.tables(&view, &hashes, &mut skips, is_cancelled)?;
            let mut judge = Judge {
                engine: self,
                view: &view,
                window,
                forms: &tables.forms,
                judged: Judged::default(),
            };
            let mut looks = 0u32;
            each_hash(&tables.traces, |hash, fragments| {
                looks = looks.wrapping_add(1);
                if looks.is_multiple_of(TRACES_BETWEEN_LOOKS) && is_cancelled() {
                    return Err(taken_back());
                }
                let in_heads = heads.remove(&hash).unwrap_or_default();
                judge.add(fragments, &in_heads, &mut skips)
            })?;
            let mut judged = judge.judged;
            for ((placed, forms), counts) in
                (view.segments.iter().zip(&tables.forms)).zip(&judged.shared)
            {
                let Some(forms) = forms else { continue };
                if let Err(error) = add_shared(placed, forms, counts, &mut calls) {
                    self.skip_once(placed, &error, &mut skips)?;
                }
            }
            drop(tables);
            // Neighbours lie in the same segments.
            let first_of = |split: &Split| judged.fragments.get(split.fragments.start).cloned();
            judged.splits.sort_by_cached_key(|split| {
                first_of(split).map(|(segment, rows)| (segment, rows.start))
            });
            self.add_splits(&view, &judged, (&mut calls, &mut skips), is_cancelled)?;
        }
        let only_in_heads = heads.into_values().flatten();
        let judged = Judged {
            splits: only_in_heads
                .filter(|trace| is_within(window, trace))
                .map(|trace| Split {
                    trace,
                    fragments: 0..0,
                })
                .collect(),
            ..Judged::default()
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

    fn tables(
        &self,
        view: &View,
        hashes: &RangeInclusive<u32>,
        skips: &mut Skips,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Tables, ReadError> {
        let mut tables = Tables {
            traces: Vec::new(),
            forms: Vec::new(),
        };
        for placed in view.segments.iter() {
            if is_cancelled() {
                return Err(taken_back());
            }
            // Both or none: calls that can't be read are not counted, whole or in part.
            let read = placed.segment.patterns().and_then(|forms| {
                let traces = placed.segment.traces()?;
                Ok((traces.in_hash_order(hashes).collect(), forms))
            });
            let (traces, forms) = match read {
                Ok(read) => read,
                Err(error) => {
                    self.skip_once(placed, &error, skips)?;
                    (HashedTable::new(), None)
                }
            };
            tables.traces.push(traces);
            tables.forms.push(forms);
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
                match self.id_of(view, (fragments, split)) {
                    Ok(trace_id) => add_batch(&self.trace_in(view, trace_id, skips)?, calls),
                    Err((placed, error)) => self.skip_once(placed, &error, skips)?,
                }
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

    fn id_of<'v>(
        &self,
        view: &'v View,
        (fragments, split): (&[Rows], &Split),
    ) -> Result<TraceId, (&'v Placed, SegmentError)> {
        if !split.trace.trace_id.is_zero() {
            return Ok(split.trace.trace_id);
        }
        let first = fragments.get(split.fragments.start);
        let place =
            first.and_then(|(segment, rows)| Some((view.segments.get(*segment)?, rows.start)));
        let Some((placed, row)) = place else {
            return Ok(TraceId::ZERO);
        };
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        let read = placed.segment.trace_id_of_row(row);
        read.map(Option::unwrap_or_default)
            .map_err(|error| (&**placed, error))
    }
}

/// Decides which traces count, and what must be looked at for it.
struct Judge<'a> {
    engine: &'a Engine,
    view: &'a View,
    window: Window,
    forms: &'a [Option<Arc<Patterns>>],
    judged: Judged,
}

impl Judge<'_> {
    /// Takes everything that has one hash, mostly the parts of one trace.
    fn add(
        &mut self,
        fragments: &[Fragment],
        in_heads: &[HeadTrace],
        skips: &mut Skips,
    ) -> Result<(), ReadError> {
        if let ([(segment, entry)], []) = (fragments, in_heads) {
            self.add_trace(TraceId::ZERO, &[(*segment, *entry)], None);
            return Ok(());
        }
        let mut parts: Vec<(TraceId, Fragment)> = Vec::new();
        for (segment, entry) in fragments {
            let Some(placed) = self.view.segments.get(*segment) else {
                continue;
            };
            match placed.segment.trace_id_of(entry) {
                Ok(trace_id) => parts.push((trace_id, (*segment, *entry))),
                Err(error) => self.engine.skip_once(placed, &error, skips)?,
            }
        }
        // Those of a trace stay in the order of arrival.
        parts.sort_by_key(|(trace_id, _)| *trace_id);
        for of_trace in parts.chunk_by(|a, b| a.0 == b.0) {
            let trace_id = of_trace.first().map(|part| part.0).unwrap_or_default();
            let in_head = in_heads.iter().find(|trace| trace.trace_id == trace_id);
            let fragments: Vec<Fragment> = of_trace.iter().map(|part| part.1).collect();
            self.add_trace(trace_id, &fragments, in_head);
        }
        let is_known = |trace: &HeadTrace| parts.iter().any(|part| part.0 == trace.trace_id);
        for trace in in_heads.iter().filter(|trace| !is_known(trace)) {
            self.add_trace(trace.trace_id, &[], Some(trace));
        }
        Ok(())
    }

    fn add_trace(&mut self, trace_id: TraceId, parts: &[Fragment], in_head: Option<&HeadTrace>) {
        let of_entry = |(_, entry): &Fragment| HeadTrace {
            trace_id,
            start: entry.start,
            end: entry.end,
            spans: entry.rows.into(),
        };
        let mut all = parts.iter().map(of_entry).chain(in_head.copied());
        let Some(mut trace) = all.next() else { return };
        all.for_each(|other| trace.absorb(&other));
        if !is_within(self.window, &trace) {
            return;
        }
        if let ([(segment, entry)], None) = (parts, in_head)
            && self.count_shared(*segment, entry)
        {
            return;
        }
        let first = self.judged.fragments.len();
        let rows = parts
            .iter()
            .map(|(segment, entry)| (*segment, entry.range()));
        self.judged.fragments.extend(rows);
        self.judged.splits.push(Split {
            trace,
            fragments: first..self.judged.fragments.len(),
        });
    }

    /// Counts a trace by its form. False: the form is its own.
    fn count_shared(&mut self, segment: usize, entry: &TraceEntry) -> bool {
        let forms = self.forms.get(segment).and_then(Option::as_ref);
        let Some((forms, number)) = forms.and_then(|f| Some((f, f.pattern_of(entry.ordinal)?)))
        else {
            return false;
        };
        let shared = &mut self.judged.shared;
        if shared.len() <= segment {
            shared.resize(segment + 1, Vec::new());
        }
        let Some(counts) = shared.get_mut(segment) else {
            return false;
        };
        if counts.is_empty() {
            counts.resize(forms.shared().len(), 0);
        }
        match counts.get_mut(number as usize) {
            Some(count) => {
                *count += 1;
                true
            }
            None => false,
        }
    }
}

fn is_within(window: Window, trace: &HeadTrace) -> bool {
    window.contains(trace.start) && window.contains(trace.end)
}

/// Adds the calls of traces that share their forms.
fn add_shared(
    placed: &Placed,
    forms: &Patterns,
    counts: &[u64],
    calls: &mut Calls,
) -> Result<(), SegmentError> {
    let catalogue = placed.segment.catalogue()?;
    let service_of = |span: &PatternSpan| {
        let operation = catalogue.operations.get(span.operation as usize);
        operation.map_or(0, |operation| operation.service)
    };
    let mut found: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    let mut above: Vec<u32> = Vec::new();
    let counted = forms.shared().iter().zip(counts);
    for (form, traces) in counted.filter(|(_, traces)| **traces > 0) {
        above.clear();
        for span in form {
            above.truncate(span.depth.into());
            let child = service_of(span);
            if let Some(parent) = above.last() {
                *found.entry((*parent, child)).or_default() += traces;
            }
            above.push(child);
        }
    }
    let name = |at: u32| {
        let name = catalogue.services.get(at as usize);
        name.map(String::as_str).unwrap_or_default()
    };
    for ((parent, child), count) in found {
        calls.add(name(parent), name(child), count);
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
