//! The section `TRFA` as it is stored, with a mark every few traces, from which any trace is near.
//!
//! By ordinal, column after column, as varints: rows, start (difference to the trace before, signed), end (difference
//! to the start, signed), error spans. `TRAC`, of segments of the first version, whose traces are in order of start,
//! is the same, but that difference is not signed.
//!
//! Taken apart it is four times as large, and took most of the time of a trace by its id where no cache holds the
//! tables of all segments.
//!
//! Promises: what was read says where every row is; no bytes make a panic.

#![allow(
    clippy::cast_possible_truncation,
    reason = "bytes of a section are below 2^32; traces and rows of a segment are far below"
)]

use super::TraceEntry;
use super::call_sums::TraceBounds;
use super::traces::Facts;
use crate::segment::decode::{take_varint, unzigzag};
use crate::segment::encode::{put_varint, zigzag};

/// From one mark to the next there are so many traces.
const MARK_TRACES: usize = 32;
const COLUMNS: usize = 4;

/// What is written of traces, by ordinal.
#[derive(Debug, Default)]
pub(super) struct FactsBuilder {
    rows: Vec<u32>,
    start: Vec<u64>,
    end: Vec<u64>,
    errors: Vec<u32>,
}

impl FactsBuilder {
    pub(super) fn push(&mut self, rows: u32, (start, end): (u64, u64), errors: u32) {
        self.rows.push(rows);
        self.start.push(start);
        self.end.push(end);
        self.errors.push(errors);
    }

    /// The start of the trace that starts last.
    pub(super) fn max_start(&self) -> u64 {
        self.start.iter().copied().max().unwrap_or_default()
    }

    /// The earliest and latest start and end of a trace; `None` when there is none.
    pub(super) fn bounds(&self) -> Option<TraceBounds> {
        let range = |times: &[u64]| Some(*times.iter().min()?..=*times.iter().max()?);
        Some(TraceBounds {
            starts: range(&self.start)?,
            ends: range(&self.end)?,
        })
    }

    /// The section `TRFA`.
    pub(super) fn section(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.rows
            .iter()
            .for_each(|rows| put_varint(u64::from(*rows), &mut out));
        let mut before = 0u64;
        for start in &self.start {
            put_varint(zigzag(start.wrapping_sub(before).cast_signed()), &mut out);
            before = *start;
        }
        for (start, end) in self.start.iter().zip(&self.end) {
            put_varint(zigzag(end.wrapping_sub(*start).cast_signed()), &mut out);
        }
        self.errors
            .iter()
            .for_each(|errors| put_varint(u64::from(*errors), &mut out));
        out
    }
}

/// Where a trace is in the columns.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    first_row: u32,
    /// Where the columns go on.
    at: [u32; COLUMNS],
    /// What the difference of its start counts from.
    start: u64,
    /// The latest start of a trace before the next mark.
    latest_start: u64,
}

/// What a segment says of its traces.
#[derive(Debug, Default)]
pub(super) struct TraceFacts {
    bytes: Vec<u8>,
    is_signed: bool,
    count: u32,
    rows: u32,
    marks: Vec<Mark>,
}

/// Walks traces in the order of their rows.
#[derive(Debug, Clone)]
pub(crate) struct TraceWalk<'a> {
    columns: [&'a [u8]; COLUMNS],
    is_signed: bool,
    ordinal: u32,
    behind: u32,
    first_row: u32,
    start: u64,
}

impl TraceFacts {
    /// Those of so many traces, which have so many rows; `None` when that is not what the bytes say.
    pub(super) fn parse(facts: Facts<'_>, count: usize, rows: u64) -> Option<Self> {
        let (bytes, is_signed) = match facts {
            Facts::Signed(bytes) => (bytes, true),
            Facts::ByStart(bytes) => (bytes, false),
        };
        // Each trace takes some bytes, so a count that is wrong costs no memory.
        let count = Some(count).filter(|count| *count <= bytes.len() / COLUMNS)?;
        let mut marks = vec![Mark::default(); count.div_ceil(MARK_TRACES)];
        let mut rest = bytes;
        let mut first_row = 0u32;
        let mut column = 0;
        let mut walk = |step: &mut dyn FnMut(&mut Mark, u64, bool) -> Option<()>| {
            for (block, mark) in marks.iter_mut().enumerate() {
                *mark.at.get_mut(column)? = (bytes.len() - rest.len()) as u32;
                let of_block = (count - block * MARK_TRACES).min(MARK_TRACES);
                for nth in 0..of_block {
                    step(mark, take_varint(&mut rest)?, nth == 0)?;
                }
            }
            column += 1;
            Some(())
        };
        walk(&mut |mark, number, is_first| {
            if is_first {
                mark.first_row = first_row;
            }
            first_row = first_row.checked_add(u32::try_from(number).ok()?)?;
            Some(())
        })?;
        let (mut start, mut latest) = (0u64, 0u64);
        walk(&mut |mark, number, is_first| {
            if is_first {
                mark.start = start;
            }
            start = start.wrapping_add(difference(number, is_signed));
            latest = latest.max(start);
            mark.latest_start = latest;
            Some(())
        })?;
        walk(&mut |_, _, _| Some(()))?;
        walk(&mut |_, number, _| u32::try_from(number).ok().map(drop))?;
        (rest.is_empty() && u64::from(first_row) == rows).then(|| Self {
            bytes: bytes.to_vec(),
            is_signed,
            count: count as u32,
            rows: first_row,
            marks,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.count as usize
    }

    /// All traces from one on, in order of their rows.
    pub(super) fn walk(&self, ordinal: u32) -> TraceWalk<'_> {
        let block = ordinal as usize / MARK_TRACES;
        let mut walk = self.walk_from(block);
        while walk.ordinal < ordinal && walk.next().is_some() {}
        walk
    }

    fn walk_from(&self, block: usize) -> TraceWalk<'_> {
        let Some(mark) = self.marks.get(block) else {
            return TraceWalk {
                columns: [&[]; COLUMNS],
                is_signed: self.is_signed,
                ordinal: self.count,
                behind: self.count,
                first_row: self.rows,
                start: 0,
            };
        };
        let column = |at: u32| self.bytes.get(at as usize..).unwrap_or_default();
        TraceWalk {
            columns: mark.at.map(column),
            is_signed: self.is_signed,
            ordinal: (block * MARK_TRACES) as u32,
            behind: self.count,
            first_row: mark.first_row,
            start: mark.start,
        }
    }

    /// The trace that a row belongs to.
    pub(super) fn of_row(&self, row: u32) -> Option<TraceEntry> {
        let behind = self.marks.partition_point(|mark| mark.first_row <= row);
        self.walk_from(behind.checked_sub(1)?)
            .find(|entry| row < entry.first_row + entry.rows)
            .filter(|entry| entry.first_row <= row)
    }

    /// A start that no trace up to this one is later than.
    pub(super) fn latest_start(&self, ordinal: u32) -> u64 {
        let mark = self.marks.get(ordinal as usize / MARK_TRACES);
        mark.map_or(u64::MAX, |mark| mark.latest_start)
    }

    /// Memory held, in bytes.
    pub(super) fn size_bytes(&self) -> usize {
        self.bytes.capacity() + self.marks.capacity() * size_of::<Mark>()
    }
}

impl Iterator for TraceWalk<'_> {
    type Item = TraceEntry;

    fn next(&mut self) -> Option<TraceEntry> {
        if self.ordinal >= self.behind {
            return None;
        }
        let [rows, starts, ends, errors] = &mut self.columns;
        let (rows, first_row) = (take_varint(rows)? as u32, self.first_row);
        let start = take_varint(starts)?;
        self.start = self.start.wrapping_add(difference(start, self.is_signed));
        let lasted = unzigzag(take_varint(ends)?).cast_unsigned();
        let entry = TraceEntry {
            ordinal: self.ordinal,
            first_row,
            rows,
            start: self.start,
            end: self.start.wrapping_add(lasted),
            errors: take_varint(errors)? as u32,
        };
        self.ordinal += 1;
        self.first_row = first_row.checked_add(rows)?;
        Some(entry)
    }
}

fn difference(number: u64, is_signed: bool) -> u64 {
    if is_signed {
        unzigzag(number).cast_unsigned()
    } else {
        number
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_trace_is_found_as_it_was_written(
            traces in prop::collection::vec((0u32..9, any::<u64>(), any::<u64>(), 0u32..300), 0..200),
        ) {
            let mut builder = FactsBuilder::default();
            let mut all: Vec<TraceEntry> = Vec::new();
            let mut first_row = 0;
            for (ordinal, (rows, start, end, errors)) in (0..).zip(traces) {
                builder.push(rows, (start, end), errors);
                all.push(TraceEntry { ordinal, first_row, rows, start, end, errors });
                first_row += rows;
            }
            let section = builder.section();
            let facts = TraceFacts::parse(Facts::Signed(&section), all.len(), first_row.into());
            let facts = facts.unwrap();
            prop_assert_eq!(facts.walk(0).collect::<Vec<_>>(), all.clone());
            for entry in &all {
                prop_assert_eq!(facts.walk(entry.ordinal).next(), Some(*entry));
                let before = all.iter().filter(|other| other.ordinal <= entry.ordinal);
                prop_assert!(before.map(|other| other.start).max() <= Some(facts.latest_start(entry.ordinal)));
                for row in entry.first_row..entry.first_row + entry.rows {
                    prop_assert_eq!(facts.of_row(row), Some(*entry));
                }
            }
            prop_assert_eq!(facts.of_row(first_row), None);
            prop_assert!(facts.walk(all.len() as u32).next().is_none());
            let more = TraceFacts::parse(Facts::Signed(&section), all.len(), u64::from(first_row) + 1);
            prop_assert!(more.is_none());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            count in 0usize..80,
            is_signed in any::<bool>(),
        ) {
            let facts = if is_signed { Facts::Signed(&bytes) } else { Facts::ByStart(&bytes) };
            for rows in 0..3 {
                if let Some(read) = TraceFacts::parse(facts, count, rows) {
                    prop_assert_eq!(read.walk(0).count(), count);
                }
            }
        }
    }
}
