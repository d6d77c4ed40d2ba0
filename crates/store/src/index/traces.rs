//! The traces of a segment: `TRHA` finds one by its id, `TRFA` says where its rows are, when it was and how it went.
//!
//! The ids themselves are only in the column `trace_id`: four bytes of their hash are enough to know where to look, and
//! whoever finds a trace compares the whole id (`segment/trace_ids.rs`).
//!
//! `TRHA`: number of traces, the hashes of their ids ascending (difference to the one before; the high half of xxh3
//! over the 16 bytes), as varints; then their ordinals, 2 bytes each up to 65,536 traces, 3 up to 2^24, else 4: first
//! the lowest byte of all, then the next. Ordinals count traces in the order of their rows. For `TRFA` see
//! `trace_facts.rs`.
//!
//! In memory the table is what is stored: of a hundred segments it must fit into the cache, and a look-up needs one
//! trace of it.

#![allow(
    clippy::cast_possible_truncation,
    reason = "traces and rows of a segment are far below 2^32"
)]

use std::ops::Range;
use std::sync::Arc;

use model::TraceId;
use xxhash_rust::xxh3::xxh3_64;

use super::call_sums::TraceBounds;
use super::presence::TracePresence;
use super::trace_facts::{FactsBuilder, TraceFacts, TraceWalk};
use crate::segment::decode::take_varint;
use crate::segment::encode::put_varint;
use crate::segment::parts::Parts;

/// OTLP's number of the status of a span that failed.
pub(crate) const STATUS_ERROR: i32 = 2;

/// What a trace is found by; traces that have it in common are told apart by their ids.
pub(crate) fn trace_hash(trace_id: TraceId) -> u32 {
    (xxh3_64(&trace_id.0) >> 32) as u32
}

/// The bytes of `TRFA`, or of `TRAC`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Facts<'a> {
    /// `TRFA`
    Signed(&'a [u8]),
    /// `TRAC`
    ByStart(&'a [u8]),
}

/// What a segment knows of a trace. Other segments may have more of its spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceEntry {
    /// Its place among the segment's traces, in order of their rows.
    pub ordinal: u32,
    /// Its first row.
    pub first_row: u32,
    /// Its rows: one a span, duplicates included.
    pub rows: u32,
    /// The earliest start of its spans here, ns since the epoch.
    pub start: u64,
    /// The latest end of its spans here, ns since the epoch.
    pub end: u64,
    /// Its spans here whose status is an error.
    pub errors: u32,
}

impl TraceEntry {
    /// Its rows.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.first_row as usize..self.first_row as usize + self.rows as usize
    }
}

/// Collects the traces of a segment, row group by row group.
#[derive(Debug, Default)]
pub(super) struct TracesBuilder {
    facts: FactsBuilder,
    hashes: Vec<u32>,
}

impl TracesBuilder {
    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// The start of the trace that starts last.
    pub(super) fn max_start(&self) -> u64 {
        self.facts.max_start()
    }

    /// Adds the traces of the next row group.
    pub(super) fn add(&mut self, parts: &Parts<'_>) {
        let spans = parts.batch.spans();
        for trace in &parts.order.traces {
            let ends = trace.range().map(|row| parts.pick(&spans.end, row));
            let times = (trace.start, ends.max().unwrap_or_default());
            let states = trace.range().map(|row| parts.pick(&spans.status, row));
            let errors = states.filter(|status| *status == STATUS_ERROR).count() as u32;
            self.facts.push(trace.rows, times, errors);
            self.hashes.push(trace_hash(trace.trace_id));
        }
    }

    /// When the traces are.
    pub(super) fn bounds(&self) -> Option<TraceBounds> {
        self.facts.bounds()
    }

    /// The sections `TRHA` and `TRFA`.
    pub(super) fn sections(self) -> (Vec<u8>, Vec<u8>) {
        let (hashes, ordinals) = by_hash(&self.hashes);
        let mut out = Vec::new();
        put_varint(hashes.len() as u64, &mut out);
        let mut before = 0;
        for hash in &hashes {
            put_varint(u64::from(hash - before), &mut out);
            before = *hash;
        }
        out.extend(planes(&ordinals));
        (out, self.facts.section())
    }
}

/// Hashes, ascending, with the ordinals of their traces.
fn by_hash(hash_of: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut by_hash: Vec<(u32, u32)> = hash_of.iter().copied().zip(0..).collect();
    by_hash.sort_unstable();
    by_hash.into_iter().unzip()
}

/// Ordinals as they are stored: first the lowest byte of all, then the next.
fn planes(ordinals: &[u32]) -> Vec<u8> {
    let planes = 0..ordinal_bytes(ordinals.len());
    let plane = |byte: usize| {
        let ordinals = ordinals.iter();
        ordinals.map(move |ordinal| (ordinal >> (8 * byte)) as u8)
    };
    planes.flat_map(plane).collect()
}

/// The traces of a segment.
#[derive(Debug)]
pub struct TraceTable {
    hashes: Arc<TracePresence>,
    /// By place among the hashes, as they are stored.
    ordinals: Vec<u8>,
    facts: TraceFacts,
}

impl TraceTable {
    /// The number of traces.
    #[must_use]
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Tells whether there is no trace.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A trace by its place.
    #[must_use]
    pub fn entry(&self, ordinal: u32) -> Option<TraceEntry> {
        self.facts.walk(ordinal).next()
    }

    /// The traces that may be this one, mostly none or one: those with the same hash.
    pub(crate) fn candidates(&self, hash: u32) -> impl Iterator<Item = TraceEntry> + '_ {
        let places = self.hashes.places_of(hash);
        places.filter_map(|place| self.by_hash(place))
    }

    /// The hashes of all traces, ascending.
    pub(crate) fn hashes(&self) -> &[u32] {
        self.hashes.hashes()
    }

    /// A trace by its place among the hashes.
    pub(crate) fn by_hash(&self, place: usize) -> Option<TraceEntry> {
        let count = self.len();
        let mut ordinal = 0;
        for byte in 0..ordinal_bytes(count) {
            let bits = self.ordinals.get(byte * count + place)?;
            ordinal |= u32::from(*bits) << (8 * byte);
        }
        Some(ordinal)
            .filter(|_| place < count)
            .and_then(|ordinal| self.entry(ordinal))
    }

    /// The trace that a row belongs to.
    #[must_use]
    pub fn of_row(&self, row: u32) -> Option<TraceEntry> {
        self.facts.of_row(row)
    }

    /// A start that no trace up to this one is later than: what is left to look at when traces are looked at backwards.
    #[must_use]
    pub fn latest_start(&self, ordinal: u32) -> u64 {
        self.facts.latest_start(ordinal)
    }

    /// All traces in order of their rows.
    pub fn iter(&self) -> impl Iterator<Item = TraceEntry> + '_ {
        self.facts.walk(0)
    }

    /// All traces from one on, in order of their rows.
    pub(crate) fn iter_from(&self, ordinal: u32) -> TraceWalk<'_> {
        self.facts.walk(ordinal)
    }

    /// Memory held, in bytes; the hashes are counted where they are kept by themselves.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.ordinals.capacity() + self.facts.size_bytes()
    }

    /// The table of traces and their rows, in order; times are not known. `None`: they have too many rows.
    pub(crate) fn of_runs(runs: &[(TraceId, u32)]) -> Option<Self> {
        let mut facts = FactsBuilder::default();
        runs.iter()
            .for_each(|(_, rows)| facts.push(*rows, (0, 0), 0));
        let ids: Vec<TraceId> = runs.iter().map(|(id, _)| *id).collect();
        let spans = runs.iter().map(|(_, rows)| u64::from(*rows)).sum();
        Self::parse_with_ids(&ids, Facts::Signed(&facts.section()), spans)
    }

    /// The table of these hashes, of the section that they are from, and of the other one; `None` when they don't fit
    /// together or say nonsense.
    pub(crate) fn parse(
        hashes: Arc<TracePresence>,
        section: &[u8],
        facts: Facts<'_>,
        spans: u64,
    ) -> Option<Self> {
        let count = hashes.hashes().len();
        let mut rest = section;
        (take_varint(&mut rest)? == count as u64).then_some(())?;
        for _ in 0..count {
            take_varint(&mut rest)?;
        }
        (rest.len() == count.checked_mul(ordinal_bytes(count))?).then_some(())?;
        Some(Self {
            hashes,
            ordinals: rest.to_vec(),
            facts: TraceFacts::parse(facts, count, spans)?,
        })
    }

    /// The table of a segment of an older version, whose hashes follow from the ids of its traces.
    pub(crate) fn parse_with_ids(ids: &[TraceId], facts: Facts<'_>, spans: u64) -> Option<Self> {
        let hashes: Vec<u32> = ids.iter().map(|id| trace_hash(*id)).collect();
        let (hashes, ordinals) = by_hash(&hashes);
        Some(Self {
            hashes: Arc::new(TracePresence::new(hashes)),
            ordinals: planes(&ordinals),
            facts: TraceFacts::parse(facts, ids.len(), spans)?,
        })
    }
}

/// Takes the hashes, which ascend, off the front of `TRHA`.
pub(super) fn take_hashes(rest: &mut &[u8]) -> Option<Vec<u32>> {
    let count = usize::try_from(take_varint(rest)?).ok()?;
    // Each takes two bytes at least, so a count that is wrong costs no memory.
    let count = Some(count).filter(|count| *count <= rest.len())?;
    let mut hashes = Vec::with_capacity(count);
    let mut hash = 0u32;
    for _ in 0..count {
        hash = hash.checked_add(u32::try_from(take_varint(rest)?).ok()?)?;
        hashes.push(hash);
    }
    Some(hashes)
}

fn ordinal_bytes(traces: usize) -> usize {
    match traces {
        0..=0x1_0000 => 2,
        0x1_0001..=0x100_0000 => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(ordinal: u32) -> TraceId {
        TraceId(u128::from(ordinal + 1).to_be_bytes())
    }

    #[test]
    fn traces_are_found_by_hash_by_row_and_by_place_after_reading() {
        for count in [5u32, 70_000] {
            let mut builder = TracesBuilder::default();
            for ordinal in 0..count {
                let times = if ordinal == 4 {
                    (u64::MAX, 1)
                } else {
                    (u64::from(ordinal), 70)
                };
                builder.facts.push(ordinal % 5 + 1, times, 1);
            }
            builder.hashes = (0..count).map(|ordinal| trace_hash(id(ordinal))).collect();
            // Two traces have the same hash.
            builder.hashes[3] = builder.hashes[1];
            let hashes = builder.hashes.clone();
            let (section, facts) = builder.sections();
            let parse = |section: &[u8], spans| {
                let hashes = Arc::new(TracePresence::parse(section)?);
                TraceTable::parse(hashes, section, Facts::Signed(&facts), spans)
            };
            let spans = u64::from(count) * 3;
            let read = parse(&section, spans).unwrap();
            for entry in read.iter().take(500) {
                let of_hash = read.candidates(hashes[entry.ordinal as usize]);
                let found: Vec<TraceEntry> = of_hash.collect();
                let is_shared = entry.ordinal == 1 || entry.ordinal == 3;
                assert_eq!(found.len(), 1 + usize::from(is_shared));
                assert!(found.contains(&entry));
                assert_eq!(read.of_row(entry.first_row + entry.rows - 1), Some(entry));
            }
            let mut ordinals: Vec<u32> = (0..count as usize)
                .map(|place| read.by_hash(place).unwrap().ordinal)
                .collect();
            ordinals.sort_unstable();
            assert!(ordinals.into_iter().eq(0..count));
            assert_eq!(read.by_hash(count as usize), None);
            assert_eq!(read.candidates(trace_hash(id(77_777))).count(), 0);
            assert_eq!(read.of_row(spans as u32), None);
            assert!(parse(&section, spans + 1).is_none());
            assert!(parse(&section[..section.len() - 1], spans).is_none());
        }
    }
}
