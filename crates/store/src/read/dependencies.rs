//! The calls between services: how often a span of one service is the parent of a span of another, in the same trace.
//!
//! A segment knows the sum of all calls of its traces, so one whose traces all lie in the window is read off. Where
//! some don't, those that do are counted by their forms, or from the ids and services of their spans where they are
//! alone with their form. What the parts of a trace that lies in several places say is taken out of the sums; then the
//! trace is put together from them and counted whole, so late spans and restarts change nothing. Where a span id is
//! there twice, the trace is read to tell which spans are the same. Only traces that lie wholly in the window count, as
//! in Jaeger; those that were dropped, with the minutes in which they start and end.

#![allow(
    clippy::cast_possible_truncation,
    reason = "services, segments, and traces in several places are far below 2^32"
)]

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;
use model::contract::{DependencyAnswer, DependencyLink, ReadError, Window};
use model::{SpanBatch, SpanId, TenantId, TraceId};

use crate::engine::{Engine, Placed, View};
use crate::head::HeadTrace;
use crate::index::patterns::{PatternSpan, Patterns};
use crate::index::{CallSums, Catalogue};
use crate::segment::{SegmentError, SegmentId};

use super::splits::Splits;
use super::{Skips, taken_back, too_many};

/// Traces that lie in several places are put together until they have so many spans, then the next ones.
const SPANS_AT_ONCE: u64 = 1 << 19;

/// The part of a trace that is in heads.
const IN_HEADS: u32 = u32::MAX;

/// A span, as far as calls are concerned.
#[derive(Debug, Clone, Copy)]
struct Member {
    span_id: SpanId,
    parent_span_id: SpanId,
    /// In [`Calls::names`].
    service: u32,
    /// The segment's place in the view, or [`IN_HEADS`].
    part: u32,
}

/// What is counted so far. Calls that are taken out may come before those that they are taken out of.
#[derive(Debug, Default)]
struct Calls {
    names: Vec<String>,
    number_of: HashMap<String, u32, RandomState>,
    counts: HashMap<(u32, u32), i64, RandomState>,
    service_of: HashMap<SpanId, u32, RandomState>,
}

impl Calls {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.number_of.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.number_of.insert(name.to_owned(), number);
        number
    }

    /// By index of a catalogue's services.
    fn numbers(&mut self, catalogue: &Catalogue) -> Vec<u32> {
        let services = catalogue.services.iter();
        services.map(|name| self.number(name)).collect()
    }

    /// By resource of a batch.
    fn numbers_of_resources(&mut self, batch: &SpanBatch) -> Vec<u32> {
        let resources = (0u32..).zip(batch.resources());
        resources
            .map(|(row, _)| self.number(batch.resource(row).service()))
            .collect()
    }

    fn add(&mut self, pair: (u32, u32), calls: i64) {
        let count = self.counts.entry(pair).or_default();
        *count = count.saturating_add(calls);
    }

    fn add_sums(&mut self, sums: &CallSums, catalogue: &Catalogue) {
        let numbers = self.numbers(catalogue);
        let number = |at: u32| numbers.get(at as usize).copied().unwrap_or_default();
        for (caller, called, calls) in &sums.calls {
            self.add((number(*caller), number(*called)), calls.cast_signed());
        }
    }

    /// Adds the calls of dropped traces that lie in a window. False: they are not counted.
    fn add_dropped(&mut self, placed: &Placed, window: Window) -> Result<bool, SegmentError> {
        let Some(dropped) = placed.segment.dropped_calls()? else {
            return Ok(false);
        };
        let numbers = self.numbers(&*placed.segment.catalogue()?);
        let number = |at: u32| numbers.get(at as usize).copied().unwrap_or_default();
        for ((caller, called), calls) in dropped.within(window) {
            self.add((number(caller), number(called)), calls.cast_signed());
        }
        Ok(true)
    }

    /// Adds the calls of spans of a trace so many times. False: an id is there twice, and nothing was added.
    fn add_members(&mut self, members: &[Member], times: i64) -> bool {
        self.service_of.clear();
        let services = members.iter().map(|span| (span.span_id, span.service));
        self.service_of.extend(services);
        if self.service_of.len() < members.len() {
            return false;
        }
        for span in members.iter().filter(|span| !span.parent_span_id.is_zero()) {
            if let Some(parent) = self.service_of.get(&span.parent_span_id).copied() {
                self.add((parent, span.service), times);
            }
        }
        true
    }

    /// Adds the calls of spans of a trace, in order of arrival, so many times.
    fn add_batch(&mut self, spans: &SpanBatch, times: i64) {
        let mut service_of: HashMap<SpanId, &str, RandomState> = HashMap::default();
        for span in spans.iter() {
            service_of
                .entry(span.span_id())
                .or_insert_with(|| span.service());
        }
        for span in spans.iter().filter(|span| !span.parent_span_id().is_zero()) {
            if let Some(parent) = service_of.get(&span.parent_span_id()) {
                let pair = (self.number(parent), self.number(span.service()));
                self.add(pair, times);
            }
        }
    }

    /// Adds the traces of a segment that lie in a window, but for those that lie in several places.
    fn add_traces(
        &mut self,
        placed: &Placed,
        splits: &[(Range<usize>, u32)],
        window: Window,
    ) -> Result<(), SegmentError> {
        let (table, forms) = (placed.segment.traces()?, placed.segment.patterns()?);
        let mut splits = splits.iter().peekable();
        let mut shared: Vec<u64> = Vec::new();
        let mut own: Vec<Range<usize>> = Vec::new();
        for entry in table.iter() {
            let is_here = |(rows, _): &&(Range<usize>, u32)| rows.start == entry.first_row as usize;
            let is_split = splits.next_if(is_here).is_some();
            if is_split || !window.contains(entry.start) || !window.contains(entry.end) {
                continue;
            }
            match forms.as_ref().and_then(|f| f.pattern_of(entry.ordinal)) {
                Some(number) => {
                    let number = number as usize;
                    shared.resize(shared.len().max(number + 1), 0);
                    if let Some(traces) = shared.get_mut(number) {
                        *traces += 1;
                    }
                }
                None => own.push(entry.range()),
            }
        }
        if let Some(forms) = forms {
            self.add_shared(&*placed.segment.catalogue()?, &forms, &shared);
        }
        self.add_own(placed, &own)
    }

    /// Adds the calls of traces that share their forms.
    fn add_shared(&mut self, catalogue: &Catalogue, forms: &Patterns, traces_of: &[u64]) {
        let numbers = self.numbers(catalogue);
        let service_of = |span: &PatternSpan| {
            let operation = catalogue.operations.get(span.operation as usize);
            let service = operation.and_then(|o| numbers.get(o.service as usize));
            service.copied().unwrap_or_default()
        };
        let mut above: Vec<u32> = Vec::new();
        let counted = forms.shared().iter().zip(traces_of);
        for (form, traces) in counted.filter(|(_, traces)| **traces > 0) {
            above.clear();
            for span in form {
                above.truncate(span.depth.into());
                let child = service_of(span);
                if let Some(parent) = above.last() {
                    self.add((*parent, child), traces.cast_signed());
                }
                above.push(child);
            }
        }
    }

    /// Adds the calls of traces, by their rows, that are alone with their forms.
    fn add_own(&mut self, placed: &Placed, traces: &[Range<usize>]) -> Result<(), SegmentError> {
        let mut repeated: Vec<usize> = Vec::new();
        let (mut last, mut members) = (0, Vec::new());
        self.each_member(placed, (traces, 0), |calls, at, member| {
            if at != last {
                if !calls.add_members(&members, 1) {
                    repeated.push(last);
                }
                members.clear();
                last = at;
            }
            members.push(member);
        })?;
        if !self.add_members(&members, 1) {
            repeated.push(last);
        }
        for rows in repeated.into_iter().filter_map(|at| traces.get(at)) {
            self.add_batch(&read_part(placed, rows)?, 1);
        }
        Ok(())
    }

    /// Gives the spans of some ranges of rows, which ascend.
    fn each_member(
        &mut self,
        placed: &Placed,
        (ranges, part): (&[Range<usize>], u32),
        mut give: impl FnMut(&mut Self, usize, Member),
    ) -> Result<(), SegmentError> {
        if ranges.is_empty() {
            return Ok(());
        }
        let services = self.numbers_of_resources(&*placed.segment.resources()?);
        placed.segment.each_kin(ranges, |at, kin| {
            let service = services.get(kin.resource as usize).copied();
            let member = Member {
                span_id: kin.span_id,
                parent_span_id: kin.parent_span_id,
                service: service.unwrap_or_default(),
                part,
            };
            give(self, at, member);
        })
    }

    /// Gives the spans of a batch in memory, each with its trace.
    fn each_of_heads(&mut self, batch: &SpanBatch, mut give: impl FnMut(TraceId, Member)) {
        let services = self.numbers_of_resources(batch);
        let spans = batch.spans();
        let ids = spans.trace_id.iter().zip(&spans.span_id);
        let above = spans.parent_span_id.iter().zip(&spans.resource);
        for ((trace_id, span_id), (parent_span_id, resource)) in ids.zip(above) {
            let service = services.get(*resource as usize).copied();
            let member = Member {
                span_id: *span_id,
                parent_span_id: *parent_span_id,
                service: service.unwrap_or_default(),
                part: IN_HEADS,
            };
            give(*trace_id, member);
        }
    }

    fn into_links(self) -> Vec<DependencyLink> {
        let mut links: BTreeMap<(String, String), u64> = BTreeMap::new();
        let name = |number: u32| {
            let name = self.names.get(number as usize);
            name.cloned().unwrap_or_default()
        };
        for ((parent, child), calls) in &self.counts {
            if let Some(calls) = u64::try_from(*calls).ok().filter(|calls| *calls > 0) {
                links.insert((name(*parent), name(*child)), calls);
            }
        }
        let links = links.into_iter();
        let links = links.map(|((parent, child), calls)| DependencyLink {
            parent,
            child,
            calls,
        });
        links.collect()
    }
}

/// The spans, in order of arrival, of the part of a trace that has these rows.
fn read_part(placed: &Placed, rows: &Range<usize>) -> Result<SpanBatch, SegmentError> {
    let traces = placed.segment.traces()?;
    placed
        .segment
        .read_with(&traces, std::slice::from_ref(rows), true)
}

/// A question, at work.
struct Question<'a> {
    view: &'a View,
    window: Window,
    splits: &'a Splits,
    /// By segment: whether its sums were added, in which all its traces are.
    is_added: Vec<bool>,
    is_cancelled: &'a dyn Fn() -> bool,
}

/// The traces that are put together.
#[derive(Default)]
struct Together {
    /// First those that lie in several places, by their place among them; then those that are only in heads.
    traces: Vec<HeadTrace>,
    only_in_heads: HashMap<TraceId, u32, RandomState>,
}

impl Engine {
    /// The calls between services in traces that lie wholly in the window.
    pub(crate) fn dependencies(
        &self,
        tenant: &TenantId,
        window: Window,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<DependencyAnswer, ReadError> {
        let mut view = self.view(tenant);
        let mut skips = Skips::new();
        loop {
            let mut calls = self.calls_in(&view, window, &mut skips, is_cancelled)?;
            // A segment that can't be read counts as if it were not there, and parts of it may have been counted.
            let is_skipped = |id: SegmentId| skips.contains_key(&id);
            let mut left = view.segments.as_ref().clone();
            left.retain(|placed| !is_skipped(placed.listed.meta.id));
            if left.len() == view.segments.len() {
                for placed in view.dropped.iter() {
                    match calls.add_dropped(placed, window) {
                        Ok(true) => {}
                        Ok(false) => drop(skips.insert(placed.listed.meta.id, too_many(placed))),
                        Err(error) => self.skip_once(placed, &error, &mut skips)?,
                    }
                }
                return Ok(DependencyAnswer {
                    links: calls.into_links(),
                    skipped: skips.into_values().collect(),
                });
            }
            view.segments = Arc::new(left);
        }
    }

    /// The calls in a view; what is said of segments that can't be read means nothing.
    fn calls_in(
        &self,
        view: &View,
        window: Window,
        skips: &mut Skips,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Calls, ReadError> {
        let splits = self.splits(view, skips)?;
        let mut question = Question {
            view,
            window,
            splits: &splits,
            is_added: vec![false; view.segments.len()],
            is_cancelled,
        };
        let mut calls = Calls::default();
        for (at, placed) in view.segments.iter().enumerate() {
            if is_cancelled() {
                return Err(taken_back());
            }
            if !splits.has_read(at) {
                continue;
            }
            match question.add_segment((at, placed), &mut calls) {
                Ok(is_added) => {
                    if let Some(slot) = question.is_added.get_mut(at) {
                        *slot = is_added;
                    }
                }
                Err(error) => self.skip_once(placed, &error, skips)?,
            }
        }
        let together = question.together();
        for places in question.batches(&together.traces) {
            self.add_together(&question, (&together, &places), &mut calls, skips)?;
        }
        Ok(calls)
    }

    /// Puts some traces together and adds their calls.
    fn add_together(
        &self,
        question: &Question<'_>,
        (together, places): (&Together, &[u32]),
        calls: &mut Calls,
        skips: &mut Skips,
    ) -> Result<(), ReadError> {
        let view = question.view;
        let mut slot_of: Vec<Option<usize>> = vec![None; together.traces.len()];
        for (slot, place) in places.iter().enumerate() {
            if let Some(of_place) = slot_of.get_mut(*place as usize) {
                *of_place = Some(slot);
            }
        }
        let slot_of = |place: u32| slot_of.get(place as usize).copied().flatten();
        let mut members: Vec<Vec<Member>> = vec![Vec::new(); places.len()];
        for (at, placed) in view.segments.iter().enumerate() {
            if (question.is_cancelled)() {
                return Err(taken_back());
            }
            let of_segment = question.splits.of_segment(at).iter();
            let wanted = of_segment
                .filter(|(_, place)| question.is_wanted(&together.traces, at, *place))
                .filter_map(|(rows, place)| Some((rows.clone(), slot_of(*place)?)));
            let (ranges, slots): (Vec<Range<usize>>, Vec<usize>) = wanted.unzip();
            let read = calls.each_member(placed, (&ranges, at as u32), |_, range, member| {
                let slot = slots.get(range).copied();
                if let Some(members) = slot.and_then(|slot| members.get_mut(slot)) {
                    members.push(member);
                }
            });
            if let Err(error) = read {
                self.skip_once(placed, &error, skips)?;
            }
        }
        for chunk in &view.chunks {
            calls.each_of_heads(&chunk.batch, |id, member| {
                let place = question.splits.place_of(id);
                let place = place.or_else(|| together.only_in_heads.get(&id).copied());
                let slot = place.and_then(slot_of);
                if let Some(members) = slot.and_then(|slot| members.get_mut(slot)) {
                    members.push(member);
                }
            });
        }
        for (place, members) in places.iter().zip(&members) {
            let Some(trace) = together.traces.get(*place as usize) else {
                continue;
            };
            let is_counted = question.is_inside(trace);
            if is_counted && !calls.add_members(members, 1) {
                let whole = self.trace_in(view, trace.trace_id, skips)?;
                calls.add_batch(&whole, 1);
            }
            for part in members.chunk_by(|a, b| a.part == b.part) {
                self.take_out(question, (*place, part), calls, skips)?;
            }
        }
        Ok(())
    }

    /// Takes a part of a trace out of the sums that it is in.
    fn take_out(
        &self,
        question: &Question<'_>,
        (place, members): (u32, &[Member]),
        calls: &mut Calls,
        skips: &mut Skips,
    ) -> Result<(), ReadError> {
        let at = members.first().map_or(IN_HEADS, |member| member.part) as usize;
        let is_added = question.is_added.get(at).is_some_and(|is| *is);
        if !is_added
            || plumbing::planted("store-split-calls-twice")
            || calls.add_members(members, -1)
        {
            return Ok(());
        }
        let mut of_segment = question.splits.of_segment(at).iter();
        let rows = of_segment.find(|(_, other)| *other == place);
        let (Some((rows, _)), Some(placed)) = (rows, question.view.segments.get(at)) else {
            return Ok(());
        };
        match read_part(placed, rows) {
            Ok(part) => calls.add_batch(&part, -1),
            Err(error) => self.skip_once(placed, &error, skips)?,
        }
        Ok(())
    }
}

impl Question<'_> {
    fn is_inside(&self, trace: &HeadTrace) -> bool {
        self.window.contains(trace.start) && self.window.contains(trace.end)
    }

    /// Whether the part that a segment has of a trace must be looked at: to count the trace, or to take it out.
    fn is_wanted(&self, traces: &[HeadTrace], segment: usize, place: u32) -> bool {
        let trace = traces.get(place as usize);
        trace.is_some_and(|trace| self.is_inside(trace))
            || self.is_added.get(segment).is_some_and(|is| *is)
    }

    /// Adds what a segment says. True: all its traces were added.
    fn add_segment(
        &self,
        (at, placed): (usize, &Placed),
        calls: &mut Calls,
    ) -> Result<bool, SegmentError> {
        match placed.segment.call_sums()? {
            Some(sums) if sums.are_outside(self.window) => Ok(false),
            Some(sums) if sums.are_within(self.window) => {
                calls.add_sums(&sums, &*placed.segment.catalogue()?);
                Ok(true)
            }
            _ => {
                let splits = self.splits.of_segment(at);
                calls.add_traces(placed, splits, self.window)?;
                Ok(false)
            }
        }
    }

    fn together(&self) -> Together {
        let mut together = Together {
            traces: self.splits.traces.clone(),
            ..Together::default()
        };
        for trace in self.splits.heads.values() {
            if self.splits.place_of(trace.trace_id).is_none() {
                let place = together.traces.len() as u32;
                together.only_in_heads.insert(trace.trace_id, place);
                together.traces.push(*trace);
            }
        }
        together
    }

    /// The places of the traces to put together, so many at a time; neighbours lie in the same segments.
    fn batches(&self, traces: &[HeadTrace]) -> Vec<Vec<u32>> {
        // Where the first part lies that must be looked at; those that are only in heads come last.
        let in_heads_only = self.splits.traces.len();
        let mut first_of: Vec<Option<(usize, usize)>> = vec![None; in_heads_only];
        for segment in 0..self.view.segments.len() {
            for (rows, place) in self.splits.of_segment(segment) {
                let first = first_of.get_mut(*place as usize);
                if let Some(first) = first.filter(|_| self.is_wanted(traces, segment, *place)) {
                    first.get_or_insert((segment, rows.start));
                }
            }
        }
        let only_in_heads = traces.iter().zip(0u32..).skip(in_heads_only);
        let only_in_heads = only_in_heads.filter(|(trace, _)| self.is_inside(trace));
        let found = first_of.into_iter().zip(0u32..);
        let mut wanted: Vec<((usize, usize), u32)> = found
            .filter_map(|(first, place)| Some((first?, place)))
            .chain(only_in_heads.map(|(_, place)| ((usize::MAX, 0), place)))
            .collect();
        wanted.sort_unstable();
        let mut batches: Vec<Vec<u32>> = Vec::new();
        let mut spans = SPANS_AT_ONCE;
        for (_, place) in wanted {
            if spans >= SPANS_AT_ONCE {
                batches.push(Vec::new());
                spans = 0;
            }
            spans += traces.get(place as usize).map_or(0, |trace| trace.spans);
            if let Some(batch) = batches.last_mut() {
                batch.push(place);
            }
        }
        batches
    }
}
