//! The traces of a segment: `TRHA` finds one by its id, `TRFA` says where its rows are, when it was and how it went.
//!
//! The ids themselves are only in the column `trace_id`: four bytes of their hash are enough to know where to look, and
//! whoever finds a trace compares the whole id (`segment/trace_ids.rs`).
//!
//! `TRHA`: number of traces, the hashes of their ids ascending (difference to the one before; the high half of xxh3
//! over the 16 bytes), as varints; then their ordinals, 2 bytes each up to 65,536 traces, 3 up to 2^24, else 4: first
//! the lowest byte of all, then the next. Ordinals count traces in the order of their rows. `TRFA`: by ordinal, column
//! after column, as varints: rows, start (difference to the trace before, signed), end (difference to the start,
//! signed), error spans. `TRAC`: the same in segments of the first version, whose traces are in order of start: there
//! that difference is not signed.

#![allow(
    clippy::cast_possible_truncation,
    reason = "traces and rows of a segment are far below 2^32"
)]

use std::ops::Range;

use model::TraceId;
use xxhash_rust::xxh3::xxh3_64;

use crate::segment::decode::{take_varint, unzigzag};
use crate::segment::encode::{put_varint, zigzag};
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
    columns: Columns,
    hashes: Vec<u32>,
}

impl TracesBuilder {
    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// The start of the trace that starts last.
    pub(super) fn max_start(&self) -> u64 {
        self.columns.start.iter().copied().max().unwrap_or_default()
    }

    /// Adds the traces of the next row group.
    pub(super) fn add(&mut self, parts: &Parts<'_>) {
        let spans = parts.batch.spans();
        for trace in &parts.order.traces {
            let ends = trace.range().map(|row| parts.pick(&spans.end, row));
            let states = trace.range().map(|row| parts.pick(&spans.status, row));
            let errors = states.filter(|status| *status == STATUS_ERROR).count() as u32;
            self.columns.push(
                trace.rows,
                trace.start,
                ends.max().unwrap_or_default(),
                errors,
            );
            self.hashes.push(trace_hash(trace.trace_id));
        }
    }

    pub(super) fn finish(self) -> TraceTable {
        TraceTable::new(self.columns, &self.hashes)
    }
}

/// By ordinal.
#[derive(Debug, Default, PartialEq, Eq)]
struct Columns {
    /// One more than there are traces: the first row behind the last one.
    first_row: Vec<u32>,
    start: Vec<u64>,
    end: Vec<u64>,
    errors: Vec<u32>,
}

impl Columns {
    fn push(&mut self, rows: u32, start: u64, end: u64, errors: u32) {
        let first = self.first_row.last().copied();
        if first.is_none() {
            self.first_row.push(0);
        }
        self.first_row.push(first.unwrap_or_default() + rows);
        self.start.push(start);
        self.end.push(end);
        self.errors.push(errors);
    }
}

/// The traces of a segment.
#[derive(Debug, Default)]
pub struct TraceTable {
    columns: Columns,
    /// Ascending.
    hashes: Vec<u32>,
    /// By place among the hashes.
    ordinals: Vec<u32>,
    /// By block of [`START_BLOCK`] traces: the latest start of a trace in it or before it.
    latest_start: Vec<u64>,
}

/// Traces whose latest start is known together.
const START_BLOCK: usize = 64;

impl TraceTable {
    fn new(columns: Columns, hash_of: &[u32]) -> Self {
        let mut by_hash: Vec<(u32, u32)> = hash_of.iter().copied().zip(0..).collect();
        by_hash.sort_unstable();
        let (hashes, ordinals) = by_hash.into_iter().unzip();
        Self {
            latest_start: latest_starts(&columns.start),
            columns,
            hashes,
            ordinals,
        }
    }

    /// The number of traces.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Tells whether there is no trace.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// A trace by its place.
    #[must_use]
    pub fn entry(&self, ordinal: u32) -> Option<TraceEntry> {
        let at = ordinal as usize;
        let first_row = *self.columns.first_row.get(at)?;
        Some(TraceEntry {
            ordinal,
            first_row,
            rows: self.columns.first_row.get(at + 1)? - first_row,
            start: *self.columns.start.get(at)?,
            end: *self.columns.end.get(at)?,
            errors: *self.columns.errors.get(at)?,
        })
    }

    /// The traces that may be this one, mostly none or one: those with the same hash.
    pub(crate) fn candidates(&self, hash: u32) -> impl Iterator<Item = TraceEntry> + '_ {
        let first = self.hashes.partition_point(|other| *other < hash);
        let behind = self.hashes.partition_point(|other| *other <= hash);
        let ordinals = self.ordinals.get(first..behind).unwrap_or_default();
        ordinals.iter().filter_map(|ordinal| self.entry(*ordinal))
    }

    /// The hashes of all traces, ascending.
    pub(crate) fn hashes(&self) -> &[u32] {
        &self.hashes
    }

    /// A trace by its place among the hashes.
    pub(crate) fn by_hash(&self, place: usize) -> Option<TraceEntry> {
        self.entry(*self.ordinals.get(place)?)
    }

    /// The trace that a row belongs to.
    #[must_use]
    pub fn of_row(&self, row: u32) -> Option<TraceEntry> {
        let behind = self
            .columns
            .first_row
            .partition_point(|first| *first <= row);
        self.entry(behind.checked_sub(1)? as u32)
    }

    /// A start that no trace up to this one is later than: what is left to look at when traces are looked at backwards.
    #[must_use]
    pub fn latest_start(&self, ordinal: u32) -> u64 {
        let block = self.latest_start.get(ordinal as usize / START_BLOCK);
        block.copied().unwrap_or(u64::MAX)
    }

    /// All traces in order of their rows.
    pub fn iter(&self) -> impl Iterator<Item = TraceEntry> + '_ {
        (0..self.len() as u32).filter_map(|ordinal| self.entry(ordinal))
    }

    /// Memory held, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let Columns {
            first_row,
            start,
            end,
            errors,
        } = &self.columns;
        (first_row.capacity() + errors.capacity()) * 4
            + (self.hashes.capacity() + self.ordinals.capacity()) * 4
            + (start.capacity() + end.capacity() + self.latest_start.capacity()) * 8
    }

    /// The table of traces and their rows, in order; times are not known.
    pub(crate) fn of_runs(runs: &[(TraceId, u32)]) -> Self {
        let mut columns = Columns::default();
        runs.iter()
            .for_each(|(_, rows)| columns.push(*rows, 0, 0, 0));
        let hashes: Vec<u32> = runs.iter().map(|(id, _)| trace_hash(*id)).collect();
        Self::new(columns, &hashes)
    }

    /// The section `TRHA`.
    pub(super) fn hashes_section(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(self.len() as u64, &mut out);
        let mut before = 0;
        for hash in &self.hashes {
            put_varint(u64::from(hash - before), &mut out);
            before = *hash;
        }
        for byte in 0..ordinal_bytes(self.len()) {
            out.extend(
                self.ordinals
                    .iter()
                    .map(|ordinal| (ordinal >> (8 * byte)) as u8),
            );
        }
        out
    }

    /// The section `TRFA`.
    pub(super) fn facts_section(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.iter()
            .for_each(|entry| put_varint(u64::from(entry.rows), &mut out));
        let mut before = 0u64;
        for start in &self.columns.start {
            put_varint(zigzag(start.wrapping_sub(before).cast_signed()), &mut out);
            before = *start;
        }
        for (start, end) in self.columns.start.iter().zip(&self.columns.end) {
            put_varint(zigzag(end.wrapping_sub(*start).cast_signed()), &mut out);
        }
        let errors = self.columns.errors.iter();
        errors.for_each(|errors| put_varint(u64::from(*errors), &mut out));
        out
    }

    /// The table that both sections hold; `None` when they don't fit together or say nonsense.
    pub(crate) fn parse(hashes: &[u8], facts: Facts<'_>, spans: u64) -> Option<Self> {
        let mut rest = hashes;
        let hashes = take_hashes(&mut rest)?;
        let count = hashes.len();
        if rest.len() != count.checked_mul(ordinal_bytes(count))? {
            return None;
        }
        let mut ordinals = vec![0u32; count];
        for (byte, plane) in rest.chunks_exact(count.max(1)).enumerate() {
            for (ordinal, bits) in ordinals.iter_mut().zip(plane) {
                *ordinal |= u32::from(*bits) << (8 * byte);
            }
        }
        let columns = parse_facts(facts, count, spans)?;
        Some(Self {
            latest_start: latest_starts(&columns.start),
            columns,
            hashes,
            ordinals,
        })
    }

    /// The table of a segment of an older version, whose hashes follow from the ids of its traces.
    pub(crate) fn parse_with_ids(ids: &[TraceId], facts: Facts<'_>, spans: u64) -> Option<Self> {
        let hashes: Vec<u32> = ids.iter().map(|id| trace_hash(*id)).collect();
        let columns = parse_facts(facts, ids.len(), spans)?;
        Some(Self::new(columns, &hashes))
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

fn latest_starts(starts: &[u64]) -> Vec<u64> {
    let mut latest = 0;
    let blocks = starts.chunks(START_BLOCK).map(|block| {
        latest = block
            .iter()
            .fold(latest, |latest, start| latest.max(*start));
        latest
    });
    blocks.collect()
}

fn ordinal_bytes(traces: usize) -> usize {
    match traces {
        0..=0x1_0000 => 2,
        0x1_0001..=0x100_0000 => 3,
        _ => 4,
    }
}

fn parse_facts(facts: Facts<'_>, count: usize, spans: u64) -> Option<Columns> {
    let (mut facts, is_signed) = match facts {
        Facts::Signed(facts) => (facts, true),
        Facts::ByStart(facts) => (facts, false),
    };
    // Each trace takes a byte at least, so a count that is wrong costs no memory.
    let count = Some(count).filter(|count| *count <= facts.len())?;
    let mut columns = Columns {
        first_row: Vec::with_capacity(count + 1),
        start: Vec::with_capacity(count),
        end: Vec::with_capacity(count),
        errors: Vec::with_capacity(count),
    };
    let mut row = 0u32;
    columns.first_row.push(row);
    for _ in 0..count {
        row = row.checked_add(u32::try_from(take_varint(&mut facts)?).ok()?)?;
        columns.first_row.push(row);
    }
    let mut start = 0u64;
    for _ in 0..count {
        let number = take_varint(&mut facts)?;
        let difference = if is_signed {
            unzigzag(number).cast_unsigned()
        } else {
            number
        };
        start = start.wrapping_add(difference);
        columns.start.push(start);
    }
    for start in &columns.start {
        let duration = unzigzag(take_varint(&mut facts)?).cast_unsigned();
        columns.end.push(start.wrapping_add(duration));
    }
    for _ in 0..count {
        columns
            .errors
            .push(u32::try_from(take_varint(&mut facts)?).ok()?);
    }
    (facts.is_empty() && u64::from(row) == spans).then_some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(ordinal: u32) -> TraceId {
        TraceId(u128::from(ordinal + 1).to_be_bytes())
    }

    #[test]
    fn traces_are_found_by_hash_by_row_and_by_place_after_reading() {
        let mut columns = Columns::default();
        for ordinal in 0..5 {
            let (start, end) = if ordinal == 4 {
                (u64::MAX, 1)
            } else {
                (u64::from(ordinal), 70)
            };
            columns.push(ordinal + 1, start, end, 1);
        }
        let mut hashes: Vec<u32> = (0..5).map(|ordinal| trace_hash(id(ordinal))).collect();
        // Two traces have the same hash.
        hashes[3] = hashes[1];
        let table = TraceTable::new(columns, &hashes);
        let parse = |spans| {
            let facts = table.facts_section();
            TraceTable::parse(&table.hashes_section(), Facts::Signed(&facts), spans)
        };
        let read = parse(15).unwrap();
        assert_eq!(read.columns, table.columns);
        for entry in table.iter() {
            let of_hash = read.candidates(hashes[entry.ordinal as usize]);
            let found: Vec<TraceEntry> = of_hash.collect();
            assert_eq!(found.len(), [1, 2, 1, 2, 1][entry.ordinal as usize]);
            assert!(found.contains(&entry));
            assert_eq!(read.of_row(entry.first_row + entry.rows - 1), Some(entry));
        }
        assert_eq!(read.candidates(trace_hash(id(77))).count(), 0);
        assert_eq!(read.of_row(15), None);
        assert!(parse(16).is_none());
    }
}
