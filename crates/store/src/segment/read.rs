//! Spans, read back into a batch.
//!
//! Promises
//! - A span comes back with everything it was written with: its hash ([`SpanBatch::span_hash`]) is the same.
//! - [`Segment::read_trace`] gives spans in order of arrival, [`Segment::read_rows`] in order of rows.
//! - Only the pages that hold the rows are read, and only the columns that their shapes need.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows are below 2^32; numbers come back from where they were widened"
)]

use std::ops::Range;
use std::sync::Arc;

use model::batch::{BatchBuilder, SpanRow};
use model::{SpanBatch, SpanId, TraceId};

use super::SegmentError;
use super::assemble::{AttributeReader, TextCells};
use super::children::{EventCells, LinkCells};
use super::column::Column;
use super::envelope::EnvelopeCopier;
use super::footer::Footer;
use super::kin::{KinCells, SpanColumns};
use super::meta::FileKind;
use super::open::Segment;
use super::page::PageOpener;
use crate::index::{TraceEntry, TraceTable};

/// The pages of a trace of up to so many rows are kept for the next question: people come back to a trace, and traces
/// that are shown together lie together.
pub(crate) const KEPT_ROWS_MAX: usize = 16_384;

/// The columns of a span's own fields.
#[derive(Debug)]
struct SpanCells {
    trace_id: Column,
    kin: KinCells,
    arrival: Column,
    start: Column,
    duration: Column,
    name: TextCells,
    kind: Column,
    status: Column,
    status_message: TextCells,
    trace_state: TextCells,
    flags: Column,
    dropped: [Column; 3],
    resource: Column,
    scope: Column,
}

/// A piece of a question's rows: those in one row group.
#[derive(Debug)]
pub(crate) struct Piece {
    pub group: usize,
    /// Counted in the group.
    pub rows: Range<usize>,
    /// The same, counted in the segment.
    pub all: Range<usize>,
}

/// Cuts a range of the segment's rows at row groups.
pub(crate) fn pieces(footer: &Footer, rows: &Range<usize>) -> Vec<Piece> {
    let cut = |(at, group): (usize, &super::footer::Group)| {
        let all = rows.start.max(group.rows.start)..rows.end.min(group.rows.end);
        let start = group.rows.start;
        (!all.is_empty()).then(|| Piece {
            group: at,
            rows: all.start - start..all.end - start,
            all,
        })
    };
    footer.groups.iter().enumerate().filter_map(cut).collect()
}

/// Reads rows of one segment into one batch.
struct RowReader<'a> {
    segment: &'a Segment,
    footer: &'a Arc<Footer>,
    traces: &'a TraceTable,
    envelopes: EnvelopeCopier<'a>,
    opener: &'a mut PageOpener,
    builder: &'a mut BatchBuilder,
}

impl Segment {
    /// The spans of a trace, in order of arrival.
    pub fn read_trace(&self, entry: &TraceEntry) -> Result<SpanBatch, SegmentError> {
        self.read(&[entry.range()], true)
    }

    /// The spans of ranges of rows, in the order of the ranges. Rows that are not there are passed over.
    pub fn read_rows(&self, rows: &[Range<usize>]) -> Result<SpanBatch, SegmentError> {
        self.read(rows, false)
    }

    fn read(&self, ranges: &[Range<usize>], by_arrival: bool) -> Result<SpanBatch, SegmentError> {
        let traces = self.traces()?;
        self.read_with(&traces, ranges, by_arrival)
    }

    pub(crate) fn read_with(
        &self,
        traces: &TraceTable,
        ranges: &[Range<usize>],
        by_arrival: bool,
    ) -> Result<SpanBatch, SegmentError> {
        let rows: usize = ranges.iter().map(ExactSizeIterator::len).sum();
        let mut opener = if by_arrival && rows <= KEPT_ROWS_MAX {
            PageOpener::keeping()
        } else {
            PageOpener::new()
        };
        let mut builder = BatchBuilder::new();
        let into = (&mut builder, &mut opener);
        self.read_into(traces, ranges, by_arrival, into)?;
        Ok(builder.finish())
    }

    /// Appends the spans of ranges of rows to a batch. Within one range those of a trace are together, in order of
    /// arrival if it is asked for.
    pub(crate) fn read_into(
        &self,
        traces: &TraceTable,
        ranges: &[Range<usize>],
        by_arrival: bool,
        (builder, opener): (&mut BatchBuilder, &mut PageOpener),
    ) -> Result<(), SegmentError> {
        let footer = self.spans_footer()?;
        let resources = self.resources()?;
        let mut reader = RowReader {
            segment: self,
            footer: &footer,
            traces,
            envelopes: EnvelopeCopier::new(&resources),
            opener,
            builder,
        };
        for range in ranges {
            for piece in &pieces(&footer, range) {
                reader.piece(piece, by_arrival)?;
            }
        }
        Ok(())
    }

    /// All spans, traces in order of rows, spans of a trace in order of arrival: what rows were ordered from.
    #[cfg(test)]
    pub(crate) fn read_all(&self) -> Result<SpanBatch, SegmentError> {
        let all = 0..self.meta().spans as usize;
        self.read_with(&*self.traces()?, std::slice::from_ref(&all), true)
    }

    pub(crate) fn spans_footer(&self) -> Result<Arc<Footer>, SegmentError> {
        let footer = self
            .footer(FileKind::Spans)?
            .ok_or_else(|| SegmentError::bug("no spans file"))?;
        if footer.rows as u64 != self.meta().spans {
            return Err(SegmentError::corrupt(
                &self.path(FileKind::Spans),
                "its rows are not the manifest's spans",
            ));
        }
        Ok(footer)
    }

    /// The numbers of a column of the spans, 0 where there is none.
    pub(crate) fn numbers(&self, name: &str) -> Result<Vec<u64>, SegmentError> {
        let mut numbers = Vec::with_capacity(self.meta().spans as usize);
        self.each_cell(name, |column, at| {
            numbers.push(column.number(at).unwrap_or_default());
        })?;
        Ok(numbers)
    }

    /// The numbers of a column in some rows.
    pub(crate) fn numbers_of(
        &self,
        name: &str,
        rows: &Range<usize>,
    ) -> Result<Vec<u64>, SegmentError> {
        let footer = self.spans_footer()?;
        let columns = SpanColumns {
            segment: self,
            footer: &footer,
        };
        let mut numbers = Vec::with_capacity(rows.len());
        let mut opener = PageOpener::keeping();
        for piece in pieces(&footer, rows) {
            let column = columns.read(name, &piece, &mut opener)?;
            numbers.extend((0..piece.rows.len()).map(|at| column.number(at).unwrap_or_default()));
        }
        Ok(numbers)
    }

    pub(crate) fn each_cell(
        &self,
        name: &str,
        mut take: impl FnMut(&Column, usize),
    ) -> Result<(), SegmentError> {
        let footer = self.spans_footer()?;
        let place = footer.column(name).ok_or_else(|| self.no_column(name))?;
        let mut opener = PageOpener::new();
        for (at, group) in footer.groups.iter().enumerate() {
            let rows = 0..group.rows.len();
            let column =
                self.column((FileKind::Spans, &footer), (at, place), &rows, &mut opener)?;
            rows.for_each(|row| take(&column, row));
        }
        Ok(())
    }

    pub(crate) fn no_column(&self, name: &str) -> SegmentError {
        SegmentError::corrupt(
            &self.path(FileKind::Spans),
            format!("it has no column \"{name}\""),
        )
    }
}

/// Rows of a row group, counted from the first, so that those of a trace are in the order of their ranks of arrival.
pub(crate) fn arrival_order(
    traces: &TraceTable,
    rows: &Range<usize>,
    rank: impl Fn(usize) -> usize,
) -> Vec<usize> {
    if plumbing::planted("segment-arrival-ignored") {
        return (0..rows.len()).collect();
    }
    let mut order = vec![usize::MAX; rows.len()];
    let mut first = 0;
    while let Some(trace) = traces.of_row((rows.start + first) as u32) {
        let end = (trace.range().end.min(rows.end)).saturating_sub(rows.start);
        for at in first..end {
            // The ranks of a trace count its rows.
            let slot = order
                .get_mut(first + rank(at))
                .filter(|_| rank(at) < end - first);
            slot.into_iter().for_each(|slot| *slot = at);
        }
        if end <= first || end == order.len() {
            break;
        }
        first = end;
    }
    if order.contains(&usize::MAX) {
        // A part of a trace: ranks are missing.
        let trace = |at: usize| traces.of_row((rows.start + at) as u32);
        order = (0..rows.len()).collect();
        order.sort_by_cached_key(|at| (trace(*at).map(|trace| trace.ordinal), rank(*at)));
    }
    order
}

impl<'a> RowReader<'a> {
    fn columns(&self) -> SpanColumns<'a> {
        SpanColumns {
            segment: self.segment,
            footer: self.footer,
        }
    }

    fn span_cells(&mut self, piece: &Piece) -> Result<SpanCells, SegmentError> {
        let columns = self.columns();
        let kin = KinCells::read(&columns, piece, self.opener)?;
        let mut column = |name: &str| columns.read(name, piece, self.opener);
        Ok(SpanCells {
            trace_id: column("trace_id")?,
            kin,
            arrival: column("arrival")?,
            start: column("start_time")?,
            duration: column("duration")?,
            name: TextCells::new(column("name")?),
            kind: column("kind")?,
            status: column("status")?,
            status_message: TextCells::new(column("status_message")?),
            trace_state: TextCells::new(column("trace_state")?),
            flags: column("flags")?,
            dropped: [
                column("dropped_attrs")?,
                column("dropped_events")?,
                column("dropped_links")?,
            ],
            resource: column("resource_id")?,
            scope: column("scope_id")?,
        })
    }

    /// Appends the rows of a piece.
    fn piece(&mut self, piece: &Piece, by_arrival: bool) -> Result<(), SegmentError> {
        let mut cells = self.span_cells(piece)?;
        let of = (FileKind::Spans, self.footer);
        let mut attributes =
            AttributeReader::read(self.segment, of, (piece.group, &piece.rows), self.opener)?;
        let parents = cells.kin.parents(&self.columns(), piece, self.opener)?;
        let mut events = EventCells::read(self.segment, &piece.all, self.opener)?;
        let mut links = LinkCells::read(self.segment, &piece.all, self.opener)?;
        let order = self.order_of(piece, &cells, by_arrival);
        for at in order {
            let row = piece.all.start + at;
            let parent = parents.get(at).copied().unwrap_or_default();
            let put = self.put_span(
                (row, at),
                (&mut cells, &mut attributes),
                parent,
                (&mut events, &mut links),
            );
            put.ok_or_else(|| {
                SegmentError::corrupt(
                    &self.segment.path(FileKind::Spans),
                    format!("row {row} contradicts itself"),
                )
            })?;
        }
        Ok(())
    }

    /// The rows of a piece, counted in it, in the order in which they are read.
    fn order_of(&self, piece: &Piece, cells: &SpanCells, by_arrival: bool) -> Vec<usize> {
        if !by_arrival {
            return (0..piece.rows.len()).collect();
        }
        let rank = |at: usize| cells.arrival.number(at).unwrap_or_default() as usize;
        arrival_order(self.traces, &piece.all, rank)
    }

    fn put_span(
        &mut self,
        (row, at): (usize, usize),
        (cells, attributes): (&mut SpanCells, &mut AttributeReader),
        parent_span_id: SpanId,
        (events, links): (&mut [EventCells], &mut [LinkCells]),
    ) -> Option<()> {
        let trace_id = TraceId(cells.trace_id.bytes(at)?.try_into().ok()?);
        let attributes = attributes.put(at, self.builder)?;
        for group in events {
            group.put(row as u32, self.builder)?;
        }
        for group in links {
            group.put(row as u32, trace_id, self.builder)?;
        }
        let number = |column: &Column| column.number(at).unwrap_or_default();
        let resource = self
            .envelopes
            .resource(number(&cells.resource) as usize, self.builder)?;
        let scope = self
            .envelopes
            .scope(number(&cells.scope) as usize, self.builder)?;
        let [dropped_attributes, dropped_events, dropped_links] =
            cells.dropped.each_ref().map(|c| number(c) as u32);
        let start = cells.start.number(at)?;
        let mut text = |cells: &mut TextCells| cells.symbol(at, self.builder).unwrap_or_default();
        let [name, status_message, trace_state] = [
            &mut cells.name,
            &mut cells.status_message,
            &mut cells.trace_state,
        ]
        .map(&mut text);
        let span = SpanRow {
            trace_id,
            span_id: SpanId::from_number(cells.kin.span_id.number(at)?),
            parent_span_id,
            name,
            kind: cells.kind.number(at)? as i32,
            start,
            end: start.wrapping_add(cells.duration.number(at)?),
            status: cells.status.number(at)? as i32,
            status_message,
            trace_state,
            flags: cells.flags.number(at)? as u32,
            resource,
            scope,
            attributes,
            dropped_attributes,
            dropped_events,
            dropped_links,
        };
        self.builder.push_span(span);
        Some(())
    }
}
