//! What is left of traces that a judge dropped: hashes of their ids, so that what comes late of them is dropped, too,
//! how many each policy dropped, and the counts of their spans by minute, so that rates are those of all that came.
//!
//! It is a sidecar without Parquet files, with the sections `SYMS`, `ROPE`, `RCAL`, `DROP`, `DCAL` and `CRCS`. Rows of
//! the slowest spans in `ROPE` and `RCAL` mean nothing there.
//!
//! `DROP`, varints: number of policies; each as length and text of its name, traces, spans; number of traces; the
//! hashes of their ids, ascending (difference to the one before): the xxh3 of the 16 bytes.
//!
//! `DCAL`, varints: 1 if all calls are counted, as `DEPS` counts them, else 0 and nothing behind it; how many there
//! are; each as the minute in which its traces start (difference to the one before), how many minutes later they end,
//! caller and called (indexes in `SYMS`), calls.
//!
//! Memory: 8 bytes a trace, and those of the counts, while they are collected. It is read as it is walked over.

use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::contract::Window;
use model::rates::MINUTE_NANOS;
use model::{TenantId, TraceId};
use xxhash_rust::xxh3::xxh3_64;

use super::catalogue::CatalogueBuilder;
use super::rollup::RollupsBuilder;
use super::sidecar::{CALLS, CATALOGUE, DROPPED, DROPPED_CALLS, OPERATIONS, SUMS, SidecarWriter};
use crate::segment::decode::take_varint;
use crate::segment::encode::put_varint;
use crate::segment::order::NONE;
use crate::segment::parts::Parts;
use crate::segment::{SegmentError, SegmentId, SegmentMeta};

/// What a dropped trace is remembered by. Another one that has it in common would be dropped with it: of a slice of
/// 100,000 traces, with two million remembered, one in 10^8 times.
pub(crate) fn dropped_hash(trace_id: TraceId) -> u64 {
    xxh3_64(&trace_id.0)
}

/// More pairs of services and minutes than this are not counted.
const CALLS_MAX: usize = 1 << 16;

/// Calls of traces: the minutes in which these start and end, caller and called.
type Calls = (u64, u64, u32, u32);

/// How many traces and spans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub traces: u64,
    pub spans: u64,
}

/// Collects dropped traces, row group by row group.
#[derive(Debug, Default)]
pub(crate) struct DroppedBuilder {
    catalogue: CatalogueBuilder,
    rollups: RollupsBuilder,
    hashes: Vec<u64>,
    policies: BTreeMap<String, Tally>,
    calls: HashMap<Calls, u64, RandomState>,
    spans: u64,
    /// The earliest and the latest start, the latest end.
    bounds: Option<(u64, u64, u64)>,
}

impl DroppedBuilder {
    pub(crate) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Notes a trace with so many spans, by the name of the policy that dropped it; `is_new`: it was not known before.
    pub(crate) fn note(&mut self, trace_id: TraceId, policy: &str, spans: u64, is_new: bool) {
        self.hashes.push(dropped_hash(trace_id));
        let tally = self.policies.entry(policy.to_owned()).or_default();
        tally.traces += u64::from(is_new);
        tally.spans += spans;
    }

    /// Counts the spans of some traces.
    pub(crate) fn count(&mut self, parts: &Parts<'_>) {
        let operations = self.catalogue.add(parts);
        self.rollups.add(parts, &operations, 0);
        self.spans += parts.rows() as u64;
        let spans = parts.batch.spans();
        for row in 0..parts.rows() {
            let (start, end) = (parts.pick(&spans.start, row), parts.pick(&spans.end, row));
            let (first, last, behind) = self.bounds.get_or_insert((start, start, end));
            (*first, *last) = ((*first).min(start), (*last).max(start));
            *behind = (*behind).max(end);
        }
        for trace in &parts.order.traces {
            let ends = trace.range().map(|row| parts.pick(&spans.end, row));
            let (first, last) = (trace.start, ends.max().unwrap_or_default());
            let (first, last) = (first / MINUTE_NANOS, last.max(first) / MINUTE_NANOS);
            let service = |row: usize| operations.service_of.get(row).copied().unwrap_or_default();
            for row in trace.range() {
                let caller = parts.order.caller.get(row).copied().unwrap_or(NONE);
                if caller != NONE && self.calls.len() <= CALLS_MAX {
                    let calls = (first, last, service(caller as usize), service(row));
                    *self.calls.entry(calls).or_default() += 1;
                }
            }
        }
    }

    /// Everything that the manifest keeps, but for the file.
    pub(crate) fn describe(&self, id: SegmentId, tenant: &TenantId) -> SegmentMeta {
        let (min_start, max_start, max_end) = self.bounds.unwrap_or_default();
        SegmentMeta {
            id,
            tenant: tenant.clone(),
            version: SegmentMeta::VERSION,
            spans: self.spans,
            traces: self.policies.values().map(|tally| tally.traces).sum(),
            events: 0,
            links: 0,
            min_start,
            max_start,
            max_trace_start: max_start,
            max_end,
            files: Vec::new(),
        }
    }

    /// The bytes of the file, and where its directory begins.
    pub(crate) fn finish(mut self, meta: &SegmentMeta) -> Result<(Vec<u8>, usize), SegmentError> {
        let mut writer = SidecarWriter::new(meta.id)?;
        self.hashes.sort_unstable();
        self.hashes.dedup();
        let (catalogue, places) = self.catalogue.finish();
        writer.add(CATALOGUE, &catalogue.section())?;
        let (operations, calls) = self.rollups.sections(true, &places);
        writer.add(OPERATIONS, &operations)?;
        writer.add(CALLS, &calls)?;
        writer.add(DROPPED, &section(&self.policies, &self.hashes))?;
        let calls = self.calls.into_iter();
        let calls = calls.map(|((first, last, caller, called), calls)| {
            (
                (first, last, places.service(caller), places.service(called)),
                calls,
            )
        });
        writer.add(DROPPED_CALLS, &section_of_calls(calls.collect()))?;
        let sums = serde_json::to_vec(meta)
            .map_err(|error| SegmentError::bug(format!("no checksums: {error}")))?;
        writer.add(SUMS, &sums)?;
        Ok(writer.finish())
    }
}

fn section(policies: &BTreeMap<String, Tally>, hashes: &[u64]) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(policies.len() as u64, &mut out);
    for (name, tally) in policies {
        put_varint(name.len() as u64, &mut out);
        out.extend_from_slice(name.as_bytes());
        put_varint(tally.traces, &mut out);
        put_varint(tally.spans, &mut out);
    }
    put_varint(hashes.len() as u64, &mut out);
    let mut before = 0;
    for hash in hashes {
        put_varint(hash - before, &mut out);
        before = *hash;
    }
    out
}

fn section_of_calls(mut calls: Vec<(Calls, u64)>) -> Vec<u8> {
    if calls.len() > CALLS_MAX {
        return vec![0];
    }
    calls.sort_unstable();
    let mut out = vec![1];
    put_varint(calls.len() as u64, &mut out);
    let mut before = 0;
    for ((first, last, caller, called), calls) in calls {
        put_varint(first - before, &mut out);
        put_varint(last - first, &mut out);
        put_varint(caller.into(), &mut out);
        put_varint(called.into(), &mut out);
        put_varint(calls, &mut out);
        before = first;
    }
    out
}

/// The calls of dropped traces.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct DroppedCalls {
    /// Whether they are counted; if not, nothing is known.
    pub is_complete: bool,
    calls: Vec<(Calls, u64)>,
}

impl DroppedCalls {
    /// Of the section of a segment with so many services; `None` when it makes no sense.
    pub(crate) fn parse(section: &[u8], services: usize) -> Option<Self> {
        let (flag, mut rest) = section.split_first()?;
        let rest = &mut rest;
        let mut calls = Self {
            is_complete: *flag == 1,
            calls: Vec::new(),
        };
        if !calls.is_complete {
            return (*flag == 0 && rest.is_empty()).then_some(calls);
        }
        let service = |number: u64| {
            let number = u32::try_from(number).ok()?;
            Some(number).filter(|number| (*number as usize) < services)
        };
        let mut before = 0u64;
        for _ in 0..take_varint(rest)? {
            let first = before.checked_add(take_varint(rest)?)?;
            let last = first.checked_add(take_varint(rest)?)?;
            let caller = service(take_varint(rest)?)?;
            let called = service(take_varint(rest)?)?;
            let count = take_varint(rest)?;
            calls.calls.push(((first, last, caller, called), count));
            before = first;
        }
        rest.is_empty().then_some(calls)
    }

    /// The calls, by caller and called, in traces whose minutes lie in a window.
    pub(crate) fn within(&self, window: Window) -> impl Iterator<Item = ((u32, u32), u64)> + '_ {
        let is_within = move |(first, last, ..): &Calls| {
            let starts = first.saturating_mul(MINUTE_NANOS);
            let ends = last
                .saturating_mul(MINUTE_NANOS)
                .saturating_add(MINUTE_NANOS - 1);
            window.contains(starts) && window.contains(ends)
        };
        let calls = self.calls.iter().filter(move |(of, _)| is_within(of));
        calls.map(|((_, _, caller, called), calls)| ((*caller, *called), *calls))
    }
}

/// What is remembered of dropped traces.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// By policy.
    pub policies: BTreeMap<String, Tally>,
    /// How many hashes there are.
    pub len: u64,
    hashes: Vec<u8>,
}

impl Dropped {
    /// Of the section; `None` when it makes no sense.
    pub(crate) fn parse(section: &[u8]) -> Option<Self> {
        let mut dropped = Self::default();
        let mut rest = section;
        for _ in 0..take_varint(&mut rest)? {
            let length = usize::try_from(take_varint(&mut rest)?).ok()?;
            let (name, behind) = rest.split_at_checked(length)?;
            rest = behind;
            let name = String::from_utf8(name.to_vec()).ok()?;
            let (traces, spans) = (take_varint(&mut rest)?, take_varint(&mut rest)?);
            dropped.policies.insert(name, Tally { traces, spans });
        }
        dropped.len = take_varint(&mut rest)?;
        dropped.hashes = rest.to_vec();
        let (mut hash, mut count) = (0u64, 0u64);
        while !rest.is_empty() {
            hash = hash.checked_add(take_varint(&mut rest)?)?;
            count += 1;
        }
        (count == dropped.len).then_some(dropped)
    }

    /// The hashes, ascending.
    pub(crate) fn hashes(&self) -> impl Iterator<Item = u64> + '_ {
        let (mut rest, mut hash) = (self.hashes.as_slice(), 0u64);
        std::iter::from_fn(move || {
            // It was looked through when it was read.
            hash = hash.checked_add(take_varint(&mut rest)?)?;
            Some(hash)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_dropped_is_read_as_it_was_written(
            mut hashes in prop::collection::vec(any::<u64>(), 0..50),
            policies in prop::collection::btree_map("[a-z_é]{0,9}", (any::<u64>(), any::<u64>()), 0..4),
        ) {
            hashes.sort_unstable();
            hashes.dedup();
            let policies: BTreeMap<String, Tally> = policies
                .into_iter()
                .map(|(name, (traces, spans))| (name, Tally { traces, spans }))
                .collect();
            let section = section(&policies, &hashes);
            let read = Dropped::parse(&section).unwrap();
            prop_assert_eq!(&read.policies, &policies);
            prop_assert!(read.hashes().eq(hashes.iter().copied()));
            for length in 0..section.len() {
                prop_assert_eq!(Dropped::parse(&section[..length]), None);
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Some(read) = Dropped::parse(&bytes) {
                prop_assert_eq!(read.hashes().count() as u64, read.len);
            }
            if let Some(read) = DroppedCalls::parse(&bytes, 9) {
                let mut calls = read.within(Window::ALWAYS);
                prop_assert!(calls.all(|((caller, called), _)| caller < 9 && called < 9));
            }
        }
    }
}
