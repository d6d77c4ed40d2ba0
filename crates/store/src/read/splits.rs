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

use crate::engine::{Engine, View};
use crate::head::HeadTrace;
use crate::index::{TraceEntry, TraceTable, trace_hash};

use super::Skips;
use super::merged::{Fragment, hash_ranges};

/// Bits that hashes of a range are told apart by before they are compared; 1 MiB for each of two sets.
const SEEN_BITS: u64 = 1 << 23;

/// The traces of a view that lie in several places.
#[derive(Debug, Default)]
pub(super) struct Splits {
    /// By segment of the view; `None`: it can't be read and counts as if it were not there.
    pub tables: Vec<Option<Arc<TraceTable>>>,
    /// Each over all of its places; spans that are there twice are counted twice.
    pub traces: Vec<HeadTrace>,
    /// By segment: rows that belong to these traces, ascending, with the trace's place.
    by_segment: Vec<Vec<(Range<usize>, u32)>>,
    place_of: HashMap<TraceId, u32, RandomState>,
}

impl Splits {
    /// Those of a segment that begin in a range of rows, each with its rows.
    pub(super) fn in_rows(&self, segment: usize, rows: &Range<usize>) -> &[(Range<usize>, u32)] {
        let all = self
            .by_segment
            .get(segment)
            .map_or([].as_slice(), |all| all);
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
        for placed in view.segments.iter() {
            let table = match placed.segment.traces() {
                Ok(table) => Some(table),
                Err(error) => {
                    self.skip_once(placed, &error, skips)?;
                    None
                }
            };
            splits.tables.push(table);
        }
        let mut heads: HashMap<TraceId, HeadTrace, RandomState> = HashMap::default();
        for trace in view.chunks.iter().flat_map(|chunk| &chunk.traces) {
            let known = heads.entry(trace.trace_id);
            known
                .and_modify(|known| known.absorb(trace))
                .or_insert(*trace);
        }
        let mut in_heads: Vec<u32> = heads.keys().map(|id| trace_hash(*id)).collect();
        in_heads.sort_unstable();
        in_heads.dedup();
        let traces = splits
            .tables
            .iter()
            .flatten()
            .map(|table| table.len() as u64);
        let traces: u64 = traces.sum();
        let mut parts: Vec<(TraceId, Fragment)> = Vec::new();
        for hashes in hash_ranges(traces) {
            for (segment, place) in repeated(&splits.tables, &in_heads, &hashes) {
                let table = splits.tables.get(segment).and_then(Option::as_ref);
                let placed = view.segments.get(segment);
                let (Some(table), Some(placed)) = (table, placed) else {
                    continue;
                };
                let Some(entry) = table.by_hash(place) else {
                    continue;
                };
                match placed.segment.trace_id(table, &entry) {
                    Ok(trace_id) => parts.push((trace_id, (segment, entry))),
                    Err(error) => {
                        self.skip_once(placed, &error, skips)?;
                        if let Some(table) = splits.tables.get_mut(segment) {
                            *table = None;
                        }
                    }
                }
            }
        }
        let is_read = |segment: usize| splits.tables.get(segment).is_some_and(Option::is_some);
        parts.retain(|(_, (segment, _))| is_read(*segment));
        // Stable: parts of a trace stay in order of arrival.
        parts.sort_by_key(|(trace_id, (segment, _))| (*trace_id, *segment));
        splits.add(&parts, &heads, view.segments.len());
        Ok(splits)
    }
}

impl Splits {
    fn add(
        &mut self,
        parts: &[(TraceId, Fragment)],
        heads: &HashMap<TraceId, HeadTrace, RandomState>,
        segments: usize,
    ) {
        self.by_segment.resize(segments, Vec::new());
        for of_trace in parts.chunk_by(|a, b| a.0 == b.0) {
            let Some((trace_id, _)) = of_trace.first() else {
                continue;
            };
            let in_heads = heads.get(trace_id);
            let is_whole = of_trace.len() == 1 && in_heads.is_none();
            if is_whole || plumbing::planted("store-split-forgotten") {
                continue;
            }
            let place = self.traces.len() as u32;
            let of_part = |entry: &TraceEntry| HeadTrace {
                trace_id: *trace_id,
                start: entry.start,
                end: entry.end,
                spans: entry.rows.into(),
            };
            let all = of_trace.iter().map(|(_, (_, entry))| of_part(entry));
            let whole = all.chain(in_heads.copied()).reduce(|mut whole, part| {
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

/// The segments and places by hash of all traces whose hash comes in another segment or in a head.
fn repeated(
    tables: &[Option<Arc<TraceTable>>],
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
    let tables: Vec<(usize, &[u32], Range<usize>)> = tables
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
