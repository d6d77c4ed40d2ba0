//! When spans started, how long they took, and which of them failed: what is counted of those that match.

use std::ops::Range;

use model::{SpanId, TraceId};

use super::SegmentError;
use super::bits::Bits;
use super::column::Column;
use super::kin::SpanColumns;
use super::open::Segment;
use super::page::PageOpener;
use super::read::pieces;
use super::search::BLOCK_ROWS;
use crate::index::TraceEntry;

/// OTLP's numbers of the kinds of spans by which a service is entered.
const ENTRY_KINDS: [u64; 2] = [2, 5];

/// Tells whether a span enters a service: it has no parent, or is of the kinds server and consumer.
pub(crate) fn is_entry(kind: i32, parent: SpanId) -> bool {
    parent.is_zero() || u64::try_from(kind).is_ok_and(|kind| ENTRY_KINDS.contains(&kind))
}

impl Segment {
    /// Gives row, start and duration of some rows of a row group, counted from its first.
    pub(crate) fn each_point(
        &self,
        group: &Range<usize>,
        found: &Bits,
        mut give: impl FnMut(usize, u64, u64),
    ) -> Result<(), SegmentError> {
        let footer = self.spans_footer()?;
        let columns = SpanColumns {
            segment: self,
            footer: &footer,
        };
        let mut opener = PageOpener::new();
        for block in found.blocks(BLOCK_ROWS / 64) {
            let rows = group.start + block.start..group.start + block.end;
            for piece in pieces(&footer, &rows) {
                let starts = columns.read("start_time", &piece, &mut opener)?;
                let durations = columns.read("duration", &piece, &mut opener)?;
                let (starts, durations) = (numbers(&starts), numbers(&durations));
                let first = piece.all.start - group.start;
                for (row, (start, duration)) in (first..).zip(starts.iter().zip(&*durations)) {
                    if found.has(row) {
                        // What ends before it begins has no duration.
                        let duration = u64::try_from(duration.cast_signed()).unwrap_or_default();
                        give(row, *start, duration);
                    }
                }
            }
        }
        Ok(())
    }

    /// Those of some rows of a row group by which a service is entered: they name no parent, or their kind says so.
    pub(crate) fn entries_in(
        &self,
        group: &Range<usize>,
        found: &Bits,
    ) -> Result<Bits, SegmentError> {
        let footer = self.spans_footer()?;
        let columns = SpanColumns {
            segment: self,
            footer: &footer,
        };
        let mut opener = PageOpener::new();
        let mut entries = Bits::none(group.len());
        for block in found.blocks(BLOCK_ROWS / 64) {
            let rows = group.start + block.start..group.start + block.end;
            for piece in pieces(&footer, &rows) {
                let kinds = columns.read("kind", &piece, &mut opener)?;
                let parents = columns.read("parent_delta", &piece, &mut opener)?;
                let first = piece.all.start - group.start;
                for at in (0..piece.rows.len()).filter(|at| found.has(first + at)) {
                    let names_no_parent = parents.number(at) == Some(0)
                        && !plumbing::planted("store-overview-roots-forgotten");
                    let kind = kinds.number(at).unwrap_or_default();
                    if names_no_parent || ENTRY_KINDS.contains(&kind) {
                        entries.set(first + at);
                    }
                }
            }
        }
        Ok(entries)
    }
}

impl Segment {
    /// The ids of the traces of some rows, which ascend, and, if they are asked for, of their spans.
    pub(crate) fn ids_of_rows(
        &self,
        rows: &[u32],
        with_spans: bool,
    ) -> Result<Vec<(TraceId, SpanId)>, SegmentError> {
        let table = self.traces()?;
        let mut ids: Vec<(TraceId, SpanId)> = Vec::with_capacity(rows.len());
        let mut last: Option<(TraceEntry, TraceId)> = None;
        for row in rows {
            let trace_id = match (last, table.of_row(*row)) {
                (Some((before, trace_id)), _) if before.range().contains(&(*row as usize)) => {
                    trace_id
                }
                (_, Some(entry)) => {
                    let trace_id = self.trace_id(&table, &entry)?;
                    last = Some((entry, trace_id));
                    trace_id
                }
                (_, None) => TraceId::default(),
            };
            ids.push((trace_id, SpanId::default()));
        }
        if with_spans {
            self.span_ids(rows.iter().map(|row| *row as usize), |at, span_id| {
                if let Some((_, slot)) = ids.get_mut(at) {
                    *slot = span_id;
                }
            })?;
        }
        Ok(ids)
    }
}

/// The numbers of all rows of a column.
fn numbers(column: &Column) -> std::borrow::Cow<'_, [u64]> {
    match column.plain_numbers() {
        Some(numbers) => numbers.into(),
        None => (0..column.len())
            .map(|at| column.number(at).unwrap_or_default())
            .collect(),
    }
}
