//! Events and links of spans, read back from their files.

#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of 32 bits come back from where they were widened"
)]

use std::ops::Range;

use model::batch::{BatchBuilder, EventRow, LinkRow};
use model::{SpanId, TraceId};

use super::SegmentError;
use super::assemble::{AttributeReader, child_rows};
use super::column::Column;
use super::meta::FileKind;
use super::open::Segment;
use super::page::PageOpener;

/// The events of some spans in one row group of their file.
#[derive(Debug)]
pub(crate) struct EventCells {
    rows: Vec<u32>,
    time: Column,
    name: Column,
    dropped: Column,
    attributes: AttributeReader,
}

/// The links of some spans in one row group of their file.
#[derive(Debug)]
pub(crate) struct LinkCells {
    rows: Vec<u32>,
    trace_id: Column,
    span_id: Column,
    trace_state: Column,
    flags: Column,
    dropped: Column,
    attributes: AttributeReader,
}

/// Calls `make` for every row group of a file that has children of some spans, with the rows of the spans, a reader
/// of columns by name and the attributes.
fn each_group<T>(
    segment: &Segment,
    kind: FileKind,
    spans: &Range<usize>,
    opener: &mut PageOpener,
    make: impl Fn(
        Vec<u32>,
        &mut dyn FnMut(&str) -> Result<Column, SegmentError>,
    ) -> Result<T, SegmentError>,
) -> Result<Vec<(T, AttributeReader)>, SegmentError> {
    let Some(footer) = segment.footer(kind)? else {
        return Ok(Vec::new());
    };
    let mut made = Vec::new();
    for group in 0..footer.groups.len() {
        let (found, rows) = child_rows(segment, (kind, &footer), group, spans, opener)?;
        if found.is_empty() {
            continue;
        }
        let mut column = |name: &str| {
            let missing = || {
                SegmentError::corrupt(&segment.path(kind), format!("it has no column \"{name}\""))
            };
            let place = footer.column(name).ok_or_else(missing)?;
            segment.column((kind, &footer), (group, place), &found, opener)
        };
        let cells = make(rows, &mut column)?;
        let attributes = AttributeReader::read(segment, (kind, &footer), (group, &found), opener)?;
        made.push((cells, attributes));
    }
    Ok(made)
}

/// The children of a span among ascending rows.
fn range_of(rows: &[u32], row: u32) -> Range<usize> {
    let from = rows.partition_point(|at| *at < row);
    let count = rows
        .get(from..)
        .unwrap_or_default()
        .iter()
        .take_while(|at| **at == row)
        .count();
    from..from + count
}

impl EventCells {
    pub(crate) fn read(
        segment: &Segment,
        spans: &Range<usize>,
        opener: &mut PageOpener,
    ) -> Result<Vec<Self>, SegmentError> {
        let groups = each_group(segment, FileKind::Events, spans, opener, |rows, column| {
            Ok((
                rows,
                column("time")?,
                column("name")?,
                column("dropped_attrs")?,
            ))
        })?;
        let cells = |((rows, time, name, dropped), attributes)| Self {
            rows,
            time,
            name,
            dropped,
            attributes,
        };
        Ok(groups.into_iter().map(cells).collect())
    }

    /// Writes the events of a span; `None` when the columns contradict each other.
    pub(crate) fn put(&mut self, row: u32, builder: &mut BatchBuilder) -> Option<()> {
        for at in range_of(&self.rows, row) {
            let attributes = self.attributes.put(at, builder)?;
            let name = builder.intern(self.name.bytes(at)?);
            let dropped_attributes = self.dropped.number(at).unwrap_or_default() as u32;
            builder.push_event(EventRow {
                time: self.time.number(at)?,
                name,
                attributes,
                dropped_attributes,
            });
        }
        Some(())
    }
}

impl LinkCells {
    pub(crate) fn read(
        segment: &Segment,
        spans: &Range<usize>,
        opener: &mut PageOpener,
    ) -> Result<Vec<Self>, SegmentError> {
        let groups = each_group(segment, FileKind::Links, spans, opener, |rows, column| {
            let ids = (column("trace_id")?, column("span_id")?);
            Ok((
                rows,
                ids,
                column("trace_state")?,
                column("flags")?,
                column("dropped_attrs")?,
            ))
        })?;
        let cells = |((rows, (trace_id, span_id), trace_state, flags, dropped), attributes)| Self {
            rows,
            trace_id,
            span_id,
            trace_state,
            flags,
            dropped,
            attributes,
        };
        Ok(groups.into_iter().map(cells).collect())
    }

    /// Writes the links of a span of this trace; `None` when the columns contradict each other.
    pub(crate) fn put(&mut self, row: u32, own: TraceId, builder: &mut BatchBuilder) -> Option<()> {
        for at in range_of(&self.rows, row) {
            let attributes = self.attributes.put(at, builder)?;
            let trace_state = builder.intern(self.trace_state.bytes(at).unwrap_or_default());
            let trace_id = match self.trace_id.bytes(at) {
                Some(id) => TraceId(id.try_into().ok()?),
                None => own,
            };
            builder.push_link(LinkRow {
                trace_id,
                span_id: SpanId::from_number(self.span_id.number(at)?),
                trace_state,
                attributes,
                dropped_attributes: self.dropped.number(at).unwrap_or_default() as u32,
                flags: self.flags.number(at)? as u32,
            });
        }
        Some(())
    }
}
