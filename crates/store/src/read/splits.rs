//! The traces of a view that lie in several places, so that all others can be judged where they are.
//!
//! A trace that lies in one segment and nowhere else is whole there, and a segment has a span once. All others are
//! told by the hashes of their ids: those that come in several segments, or in a segment and a head, are few, and only
//! of them the ids are read.

#![allow(
    clippy::cast_possible_truncation,
    reason = "segments, traces and bits of a hash are below 2^32"
)]

use std::collections::HashMap;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use foldhash::fast::RandomState;
use model::TraceId;
use model::contract::ReadError;

use crate::engine::{Engine, Placed, View};
use crate::head::HeadTrace;
use crate::index::{TraceEntry, TracePresence, trace_hash};
use crate::segment::SegmentError;

use super::{Skips, trace_of};

/// About so many traces are looked at together.
const TRACES_AT_ONCE: u64 = 1 << 20;

/// Bits that hashes of a range are told apart by before they are compared; 1 MiB for each of two sets.
const SEEN_BITS: u64 = 1 << 23;

/// A part of a trace: the segment's place in the view, and what it says.
type Fragment = (usize, TraceEntry);

/// The traces of a view that lie in several places.
#[derive(Debug, Default)]
pub(super) struct Splits {
    /// By segment of the view; one that can't be read counts as if it were not there.
    is_read: Vec<bool>,
    /// Each over all of its places; spans that are there twice are counted twice.
    pub traces: Vec<HeadTrace>,
    /// What heads have of each trace.
    pub heads: HashMap<TraceId, HeadTrace, RandomState>,
    /// By segment: rows that belong to these traces, ascending, with the trace's place.
    by_segment: Vec<Vec<(Range<usize>, u32)>>,
    place_of: HashMap<TraceId, u32, RandomState>,
}

impl Splits {
    /// Whether a segment could be read.
    pub(super) fn has_read(&self, segment: usize) -> bool {
        self.is_read.get(segment).is_some_and(|is| *is)
    }

    /// All of a segment, each with its rows, which ascend.
    pub(super) fn of_segment(&self, segment: usize) -> &[(Range<usize>, u32)] {
        let all = self.by_segment.get(segment);
        all.map_or([].as_slice(), |all| all)
    }

    /// Those of a segment that begin in a range of rows, each with its rows.
    pub(super) fn in_rows(&self, segment: usize, rows: &Range<usize>) -> &[(Range<usize>, u32)] {
        let all = self.of_segment(segment);
        let first = all.partition_point(|(of, _)| of.start < rows.start);
        let behind = all.partition_point(|(of, _)| of.start < rows.end);
        all.get(first..behind).unwrap_or_default()
    }

    /// The place of a trace among them.
    pub(super) fn place_of(&self, trace_id: TraceId) -> Option<u32> {
        self.place_of.get(&trace_id).copied()
    }
}

impl Engine {
    /// Finds the traces that lie in several places.
    pub(super) fn splits(&self, view: &View, skips: &mut Skips) -> Result<Splits, ReadError> {
        let mut splits = Splits::default();
        let mut all: Vec<Option<Arc<TracePresence>>> = Vec::new();
        for placed in view.segments.iter() {
            let hashes = placed.segment.trace_presence();
            if let Err(error) = &hashes {
                self.skip_once(placed, error, skips)?;
            }
            splits.is_read.push(hashes.is_ok());
            all.push(hashes.ok());
        }
        for trace in view.chunks.iter().flat_map(|chunk| &chunk.traces) {
            let known = splits.heads.entry(trace.trace_id);
            known
                .and_modify(|known| known.absorb(trace))
                .or_insert(*trace);
        }
        let mut in_heads: Vec<u32> = splits.heads.keys().map(|id| trace_hash(*id)).collect();
        in_heads.sort_unstable();
        in_heads.dedup();
        let traces = all.iter().flatten().map(|of| of.hashes().len() as u64);
        let mut perhaps: Vec<(usize, usize)> = Vec::new();
        for hashes in hash_ranges(traces.sum()) {
            perhaps.extend(repeated(&all, &in_heads, &hashes));
        }
        drop(all);
        perhaps.sort_unstable();
        let mut parts: Vec<(TraceId, Fragment)> = Vec::new();
        for of_segment in perhaps.chunk_by(|a, b| a.0 == b.0) {
            let segment = of_segment.first().map_or(0, |(segment, _)| *segment);
            let Some(placed) = view.segments.get(segment) else {
                continue;
            };
            let places = of_segment.iter().map(|(_, place)| *place);
            match traces_at(placed, places) {
                Ok(traces) => {
                    let traces = traces.into_iter();
                    parts.extend(traces.map(|(id, entry)| (id, (segment, entry))));
                }
                Err(error) => {
                    self.skip_once(placed, &error, skips)?;
                    if let Some(is_read) = splits.is_read.get_mut(segment) {
                        *is_read = false;
                    }
                }
            }
        }
        // Stable: parts of a trace stay in order of arrival.
        parts.sort_by_key(|(trace_id, (segment, _))| (*trace_id, *segment));
        splits.add(&parts, view.segments.len());
        Ok(splits)
    }
}

impl Splits {
    fn add(&mut self, parts: &[(TraceId, Fragment)], segments: usize) {
        self.by_segment.resize(segments, Vec::new());
        for of_trace in parts.chunk_by(|a, b| a.0 == b.0) {
            let Some((trace_id, _)) = of_trace.first() else {
                continue;
            };
            let in_heads = self.heads.get(trace_id).copied();
            let is_whole = of_trace.len() == 1 && in_heads.is_none();
            if is_whole || plumbing::planted("store-split-forgotten") {
                continue;
            }
            let place = self.traces.len() as u32;
            let all = of_trace.iter();
            let all = all.map(|(_, (_, entry))| trace_of(entry, *trace_id));
            let whole = all.chain(in_heads).reduce(|mut whole, part| {
                whole.absorb(&part);
                whole
            });
            for (_, (segment, entry)) in of_trace {
                if let Some(rows) = self.by_segment.get_mut(*segment) {
                    rows.push((entry.range(), place));
                }
            }
            self.place_of.insert(*trace_id, place);
            self.traces.extend(whole);
        }
        for rows in &mut self.by_segment {
            rows.sort_unstable_by_key(|(rows, _)| rows.start);
        }
    }
}

/// The traces of a segment with these places by hash.
fn traces_at(
    placed: &Placed,
    places: impl Iterator<Item = usize>,
) -> Result<Vec<(TraceId, TraceEntry)>, SegmentError> {
    let table = placed.segment.traces()?;
    let mut entries: Vec<TraceEntry> = places.filter_map(|place| table.by_hash(place)).collect();
    // Neighbours share what is read for their ids.
    entries.sort_unstable_by_key(|entry| entry.ordinal);
    let named = entries
        .into_iter()
        .map(|entry| Ok((placed.segment.trace_id(&table, &entry)?, entry)));
    named.collect()
}

/// Ranges of hashes that together are all of them, and hold about as many traces as can be looked at together, when
/// there are so many in all.
fn hash_ranges(traces: u64) -> impl Iterator<Item = RangeInclusive<u32>> {
    let all = u64::from(u32::MAX) + 1;
    let count = traces.div_ceil(TRACES_AT_ONCE).clamp(1, all);
    let bound = move |at: u64| at * all / count;
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    (0..count).map(move |at| number(bound(at))..=number(bound(at + 1) - 1))
}

/// The segments and places by hash of all traces whose hash comes in another segment or in a head.
fn repeated(
    all: &[Option<Arc<TracePresence>>],
    in_heads: &[u32],
    hashes: &RangeInclusive<u32>,
) -> Vec<(usize, usize)> {
    let range = u64::from(hashes.end() - hashes.start()) + 1;
    let bit_of = |hash: u32| (u64::from(hash - hashes.start()) * SEEN_BITS / range) as usize;
    let mut once = vec![0u64; (SEEN_BITS / 64) as usize];
    let mut again = once.clone();
    let mut see = |hash: u32| {
        let (word, bit) = (bit_of(hash) / 64, 1 << (bit_of(hash) % 64));
        if let (Some(once), Some(again)) = (once.get_mut(word), again.get_mut(word)) {
            *again |= *once & bit;
            *once |= bit;
        }
    };
    let within = |of: &[u32]| {
        let first = of.partition_point(|hash| hash < hashes.start());
        first..of.partition_point(|hash| hash <= hashes.end())
    };
    let of_heads = in_heads.get(within(in_heads)).unwrap_or_default();
    of_heads.iter().for_each(|hash| see(*hash));
    let tables: Vec<(usize, &[u32], Range<usize>)> = all
        .iter()
        .enumerate()
        .filter_map(|(at, table)| {
            let of = table.as_ref()?.hashes();
            Some((at, of, within(of)))
        })
        .collect();
    for (_, of, places) in &tables {
        let of = of.get(places.clone()).unwrap_or_default();
        of.iter().for_each(|hash| see(*hash));
    }
    // By hash, then segment.
    let mut perhaps: Vec<(u32, usize, usize)> = Vec::new();
    for (at, of, places) in &tables {
        for place in places.clone() {
            let Some(hash) = of.get(place).copied() else {
                continue;
            };
            let bits = again.get(bit_of(hash) / 64).copied().unwrap_or_default();
            if bits >> (bit_of(hash) % 64) & 1 == 1 {
                perhaps.push((hash, *at, place));
            }
        }
    }
    perhaps.sort_unstable();
    let mut found = Vec::new();
    for same in perhaps.chunk_by(|a, b| a.0 == b.0) {
        let (Some(first), Some(last)) = (same.first(), same.last()) else {
            continue;
        };
        if first.1 != last.1 || of_heads.binary_search(&first.0).is_ok() {
            found.extend(same.iter().map(|(_, segment, place)| (*segment, *place)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_all_hashes_each_once() {
        let counts = [
            0,
            1,
            TRACES_AT_ONCE,
            TRACES_AT_ONCE + 1,
            13 * TRACES_AT_ONCE,
        ];
        for traces in counts {
            let ranges: Vec<_> = hash_ranges(traces).collect();
            assert_eq!(ranges.len() as u64, traces.div_ceil(TRACES_AT_ONCE).max(1));
            assert_eq!(*ranges[0].start(), 0);
            assert_eq!(*ranges.last().unwrap().end(), u32::MAX);
            for pair in ranges.windows(2) {
                assert_eq!(pair[0].end() + 1, *pair[1].start());
            }
        }
    }

    #[test]
    fn a_hash_counts_that_comes_in_two_segments_or_in_a_head() {
        let of = |hashes: &[u32]| Some(Arc::new(TracePresence::new(hashes.to_vec())));
        // Two traces of one segment may have one hash.
        let all = [of(&[3, 4, 4, 9]), None, of(&[1, 3, !0]), of(&[9, 9])];
        let found = |in_heads: &[u32], hashes| {
            let mut found = repeated(&all, in_heads, &hashes);
            found.sort_unstable();
            found
        };
        let in_two = [(0, 0), (0, 3), (2, 1), (3, 0), (3, 1)];
        assert_eq!(found(&[], 0..=!0), in_two);
        assert_eq!(found(&[], 4..=!0), [(0, 3), (3, 0), (3, 1)]);
        assert_eq!(found(&[!0], 10..=!0), [(2, 2)]);
    }
}
