//! The traces of a segment: `TRID` finds one by its id, `TRFA` says where its rows are, when it was and how it went.
//!
//! `TRID`: number of traces `u32`, the low halves of their ids ascending (`u64` each), then for each its ordinal
//! (2 bytes up to 65,536 traces, else 4), then by ordinal the high halves of the ids (`u64` each; none at all when all
//! are zero). Ordinals count traces in the order of their rows.
//! `TRFA`: by ordinal, column after column, as varints: rows, start (difference to the trace before, signed), end
//! (difference to the start, signed), error spans.
//! `TRAC`: the same in segments of the first version, whose traces are in order of start: there that difference is not
//! signed.

#![allow(
    clippy::cast_possible_truncation,
    reason = "traces and rows of a segment are far below 2^32"
)]

use std::ops::{Range, RangeInclusive};

use model::TraceId;

use crate::segment::decode::{take_varint, unzigzag};
use crate::segment::encode::{put_varint, zigzag};
use crate::segment::parts::Parts;

/// OTLP's number of the status of a span that failed.
const STATUS_ERROR: i32 = 2;

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
    /// The trace.
    pub trace_id: TraceId,
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
    entries: Vec<TraceEntry>,
    rows: u32,
}

impl TracesBuilder {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The start of the trace that starts last.
    pub(super) fn max_start(&self) -> u64 {
        let starts = self.entries.iter().map(|entry| entry.start);
        starts.max().unwrap_or_default()
    }

    /// Adds the traces of the next row group.
    pub(super) fn add(&mut self, parts: &Parts<'_>) {
        let spans = parts.batch.spans();
        for trace in &parts.order.traces {
            let ends = trace.range().map(|row| parts.pick(&spans.end, row));
            let states = trace.range().map(|row| parts.pick(&spans.status, row));
            self.entries.push(TraceEntry {
                ordinal: self.entries.len() as u32,
                trace_id: trace.trace_id,
                first_row: self.rows + trace.first_row,
                rows: trace.rows,
                start: trace.start,
                end: ends.max().unwrap_or_default(),
                errors: states.filter(|status| *status == STATUS_ERROR).count() as u32,
            });
        }
        self.rows += parts.rows() as u32;
    }

    pub(super) fn finish(self) -> TraceTable {
        TraceTable::from_entries(self.entries)
    }
}

/// The traces of a segment.
#[derive(Debug, Default)]
pub struct TraceTable {
    entries: Vec<TraceEntry>,
    /// Ordinals in ascending order of the low halves of ids.
    by_low_id: Vec<u32>,
    /// By block of [`START_BLOCK`] traces: the latest start of a trace in it or before it.
    latest_start: Vec<u64>,
}

/// Traces whose latest start is known together.
const START_BLOCK: usize = 64;

impl TraceTable {
    /// The number of traces.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Tells whether there is no trace.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A trace by its place.
    #[must_use]
    pub fn entry(&self, ordinal: u32) -> Option<TraceEntry> {
        self.entries.get(ordinal as usize).copied()
    }

    /// A trace by its id.
    #[must_use]
    pub fn find(&self, trace_id: TraceId) -> Option<TraceEntry> {
        let low = |ordinal: u32| {
            self.entries
                .get(ordinal as usize)
                .map_or(0, |entry| entry.trace_id.low())
        };
        let from = self
            .by_low_id
            .partition_point(|ordinal| low(*ordinal) < trace_id.low());
        let same_low = self
            .by_low_id
            .get(from..)?
            .iter()
            .map_while(|ordinal| self.entry(*ordinal));
        same_low
            .take_while(|entry| entry.trace_id.low() == trace_id.low())
            .find(|entry| entry.trace_id == trace_id)
    }

    /// The traces whose ids have a low half in a range, in order of it.
    pub(crate) fn with_low_ids(&self, range: &RangeInclusive<u64>) -> Vec<TraceEntry> {
        let low = |ordinal: &u32| self.entry(*ordinal).map_or(0, |entry| entry.trace_id.low());
        let first = self
            .by_low_id
            .partition_point(|at| low(at) < *range.start());
        let behind = self.by_low_id.partition_point(|at| low(at) <= *range.end());
        let ordinals = self.by_low_id.get(first..behind).unwrap_or_default();
        ordinals.iter().filter_map(|at| self.entry(*at)).collect()
    }

    /// The trace that a row belongs to.
    #[must_use]
    pub fn of_row(&self, row: u32) -> Option<TraceEntry> {
        let behind = self.entries.partition_point(|entry| entry.first_row <= row);
        let entry = self.entry(behind.checked_sub(1)? as u32)?;
        (row - entry.first_row < entry.rows).then_some(entry)
    }

    /// A start that no trace up to this one is later than: what is left to look at when traces are looked at backwards.
    #[must_use]
    pub fn latest_start(&self, ordinal: u32) -> u64 {
        let block = self.latest_start.get(ordinal as usize / START_BLOCK);
        block.copied().unwrap_or(u64::MAX)
    }

    /// All traces in order of their rows.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = TraceEntry> + '_ {
        self.entries.iter().copied()
    }

    /// Memory held, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<TraceEntry>()
            + self.by_low_id.capacity() * 4
            + self.latest_start.capacity() * 8
    }

    fn from_entries(entries: Vec<TraceEntry>) -> Self {
        let mut by_low_id: Vec<u32> = (0..entries.len() as u32).collect();
        by_low_id.sort_unstable_by_key(|ordinal| {
            entries
                .get(*ordinal as usize)
                .map(|entry| (entry.trace_id.low(), *ordinal))
        });
        let latest_start = latest_starts(&entries);
        Self {
            entries,
            by_low_id,
            latest_start,
        }
    }

    /// The table of traces and their rows, in order; times are not known.
    pub(crate) fn of_runs(runs: &[(TraceId, u32)]) -> Self {
        let mut next = 0;
        let entries = runs.iter().enumerate().map(|(ordinal, (trace_id, rows))| {
            let (ordinal, first_row) = (ordinal as u32, next);
            next += rows;
            TraceEntry {
                ordinal,
                trace_id: *trace_id,
                first_row,
                rows: *rows,
                start: 0,
                end: 0,
                errors: 0,
            }
        });
        Self::from_entries(entries.collect())
    }

    /// The section `TRID`.
    pub(super) fn ids_section(&self) -> Vec<u8> {
        let mut out = (self.entries.len() as u32).to_le_bytes().to_vec();
        for ordinal in &self.by_low_id {
            let low = self.entry(*ordinal).map_or(0, |entry| entry.trace_id.low());
            out.extend_from_slice(&low.to_le_bytes());
        }
        let width = ordinal_bytes(self.entries.len());
        for ordinal in &self.by_low_id {
            out.extend_from_slice(ordinal.to_le_bytes().get(..width).unwrap_or_default());
        }
        if self.entries.iter().any(|entry| entry.trace_id.high() != 0) {
            self.entries
                .iter()
                .for_each(|entry| out.extend_from_slice(&entry.trace_id.high().to_le_bytes()));
        }
        out
    }

    /// The section `TRFA`, or `TRAC` when differences are not signed.
    pub(super) fn facts_section(&self, is_signed: bool) -> Vec<u8> {
        let mut out = Vec::new();
        self.entries
            .iter()
            .for_each(|entry| put_varint(u64::from(entry.rows), &mut out));
        let mut before = 0u64;
        for entry in &self.entries {
            let difference = entry.start.wrapping_sub(before);
            let number = if is_signed {
                zigzag(difference.cast_signed())
            } else {
                difference
            };
            put_varint(number, &mut out);
            before = entry.start;
        }
        for entry in &self.entries {
            put_varint(
                zigzag(entry.end.wrapping_sub(entry.start).cast_signed()),
                &mut out,
            );
        }
        self.entries
            .iter()
            .for_each(|entry| put_varint(u64::from(entry.errors), &mut out));
        out
    }

    /// The table that both sections hold; `None` when they don't fit together or say nonsense.
    pub(crate) fn parse(ids: &[u8], facts: Facts<'_>, spans: u64) -> Option<Self> {
        let (count, ids) = ids.split_first_chunk::<4>()?;
        let count = u32::from_le_bytes(*count) as usize;
        let width = ordinal_bytes(count);
        let (lows, rest) = ids.split_at_checked(count.checked_mul(8)?)?;
        let (ordinals, highs) = rest.split_at_checked(count * width)?;
        if !highs.is_empty() && highs.len() != lows.len() {
            return None;
        }
        let mut entries = parse_facts(facts, count)?;
        for (entry, high) in entries.iter_mut().zip(highs.chunks_exact(8)) {
            let high = u64::from_le_bytes(high.try_into().ok()?);
            entry
                .trace_id
                .0
                .get_mut(..8)?
                .copy_from_slice(&high.to_be_bytes());
        }
        let mut by_low_id = Vec::with_capacity(count);
        for (low, ordinal) in lows.chunks_exact(8).zip(ordinals.chunks_exact(width)) {
            let low = u64::from_le_bytes(low.try_into().ok()?);
            let ordinal = ordinal
                .iter()
                .rev()
                .fold(0u32, |number, byte| number << 8 | u32::from(*byte));
            let id = &mut entries.get_mut(ordinal as usize)?.trace_id;
            id.0.get_mut(8..)?.copy_from_slice(&low.to_be_bytes());
            by_low_id.push(ordinal);
        }
        let rows: u64 = entries.iter().map(|entry| u64::from(entry.rows)).sum();
        let latest_start = latest_starts(&entries);
        (rows == spans).then_some(Self {
            entries,
            by_low_id,
            latest_start,
        })
    }
}

fn latest_starts(entries: &[TraceEntry]) -> Vec<u64> {
    let mut latest = 0;
    let blocks = entries.chunks(START_BLOCK).map(|block| {
        latest = block
            .iter()
            .fold(latest, |latest, trace| trace.start.max(latest));
        latest
    });
    blocks.collect()
}

fn ordinal_bytes(traces: usize) -> usize {
    if traces <= 1 << 16 { 2 } else { 4 }
}

/// The entries, still without their ids.
fn parse_facts(facts: Facts<'_>, count: usize) -> Option<Vec<TraceEntry>> {
    let (mut facts, is_signed) = match facts {
        Facts::Signed(facts) => (facts, true),
        Facts::ByStart(facts) => (facts, false),
    };
    let entry = |ordinal| {
        let trace_id = TraceId::ZERO;
        TraceEntry {
            ordinal,
            trace_id,
            first_row: 0,
            rows: 0,
            start: 0,
            end: 0,
            errors: 0,
        }
    };
    let mut entries: Vec<TraceEntry> = (0..count as u32).map(entry).collect();
    let mut first_row = 0u32;
    for entry in &mut entries {
        entry.rows = u32::try_from(take_varint(&mut facts)?).ok()?;
        entry.first_row = first_row;
        first_row = first_row.checked_add(entry.rows)?;
    }
    let mut before = 0u64;
    for entry in &mut entries {
        let number = take_varint(&mut facts)?;
        let difference = if is_signed {
            unzigzag(number).cast_unsigned()
        } else {
            number
        };
        entry.start = before.wrapping_add(difference);
        before = entry.start;
    }
    for entry in &mut entries {
        entry.end = entry
            .start
            .wrapping_add(unzigzag(take_varint(&mut facts)?).cast_unsigned());
    }
    for entry in &mut entries {
        entry.errors = u32::try_from(take_varint(&mut facts)?).ok()?;
    }
    facts.is_empty().then_some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_found_by_id_by_row_and_by_place_after_reading() {
        let mut first_row = 0;
        let entries = (0..5u32).map(|ordinal| {
            let mut id = [7u8; 16];
            // Two traces have the same low half.
            id[0] = ordinal as u8;
            id[15] = [9, 3, 3, 200, 0][ordinal as usize];
            let (start, end) = if ordinal == 4 {
                (u64::MAX, 1)
            } else {
                (u64::from(ordinal), 70)
            };
            let rows = ordinal + 1;
            first_row += rows;
            TraceEntry {
                ordinal,
                trace_id: TraceId(id),
                first_row: first_row - rows,
                rows,
                start,
                end,
                errors: 1,
            }
        });
        let table = TraceTable::from_entries(entries.collect());
        let read = TraceTable::parse(
            &table.ids_section(),
            Facts::Signed(&table.facts_section(true)),
            15,
        )
        .unwrap();
        assert_eq!(read.entries, table.entries);
        for entry in table.iter() {
            assert_eq!(read.find(entry.trace_id), Some(entry));
            assert_eq!(read.of_row(entry.first_row + entry.rows - 1), Some(entry));
        }
        assert_eq!(read.find(TraceId([7; 16])), None);
        assert_eq!(read.of_row(15), None);
        assert!(
            TraceTable::parse(
                &table.ids_section(),
                Facts::Signed(&table.facts_section(true)),
                16
            )
            .is_none()
        );
    }
}
