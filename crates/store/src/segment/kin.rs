//! Which span is whose child, read back without anything else of the spans.
//!
//! A parent that lies in the same trace of the same segment is stored as how many rows it is above, any other by its
//! id; both come back as ids.

#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of 32 bits come back from where they were widened"
)]

use std::ops::Range;

use model::SpanId;

use super::SegmentError;
use super::column::Column;
use super::footer::Footer;
use super::meta::FileKind;
use super::open::Segment;
use super::page::PageOpener;
use super::read::{Piece, pieces};

/// Ranges that are closer than this are read as one: a page has so many rows, so nothing more is unpacked.
const GAP_ROWS: usize = 4_096;

/// The columns that say who is whose child.
#[derive(Debug)]
pub(crate) struct KinCells {
    pub span_id: Column,
    parent_delta: Column,
    parent_span_id: Column,
}

/// A span and its place among its kin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kin {
    pub span_id: SpanId,
    /// Zero when it has none.
    pub parent_span_id: SpanId,
    /// The resource's row in [`Segment::resources`].
    pub resource: u32,
}

/// The columns of the spans file, by name.
pub(crate) struct SpanColumns<'a> {
    pub segment: &'a Segment,
    pub footer: &'a Footer,
}

impl SpanColumns<'_> {
    pub(crate) fn read(
        &self,
        name: &str,
        piece: &Piece,
        opener: &mut PageOpener,
    ) -> Result<Column, SegmentError> {
        let place = self.footer.column(name);
        let place = place.ok_or_else(|| self.segment.no_column(name))?;
        let of = (FileKind::Spans, self.footer);
        self.segment
            .column(of, (piece.group, place), &piece.rows, opener)
    }
}

impl KinCells {
    pub(crate) fn read(
        columns: &SpanColumns<'_>,
        piece: &Piece,
        opener: &mut PageOpener,
    ) -> Result<Self, SegmentError> {
        Ok(Self {
            span_id: columns.read("span_id", piece, opener)?,
            parent_delta: columns.read("parent_delta", piece, opener)?,
            parent_span_id: columns.read("parent_span_id", piece, opener)?,
        })
    }

    /// The parent ids of a piece's rows: given, or those of rows above, which may lie outside the piece.
    pub(crate) fn parents(
        &self,
        columns: &SpanColumns<'_>,
        piece: &Piece,
        opener: &mut PageOpener,
    ) -> Result<Vec<SpanId>, SegmentError> {
        let contradiction = |row: usize| {
            let path = columns.segment.path(FileKind::Spans);
            SegmentError::corrupt(
                &path,
                format!("row {row} has a parent before the first row"),
            )
        };
        let mut parents = Vec::with_capacity(piece.rows.len());
        let mut outside: Vec<(usize, usize)> = Vec::new();
        for at in 0..piece.rows.len() {
            let row = piece.all.start + at;
            let delta = self
                .parent_delta
                .number(at)
                .unwrap_or_default()
                .cast_signed();
            let id = match usize::try_from(delta) {
                Err(_) => self.parent_span_id.number(at),
                Ok(0) => None,
                Ok(delta) => {
                    let parent = row.checked_sub(delta).ok_or_else(|| contradiction(row))?;
                    match parent.checked_sub(piece.all.start) {
                        Some(inside) => self.span_id.number(inside),
                        None => {
                            outside.push((parent, at));
                            None
                        }
                    }
                }
            };
            parents.push(id.map(SpanId::from_number).unwrap_or_default());
        }
        outside.sort_unstable();
        let mut from = 0;
        while let Some(&(first, _)) = outside.get(from) {
            let count = outside
                .iter()
                .skip(from)
                .take_while(|(parent, _)| *parent < first + GAP_ROWS)
                .count();
            let near = outside.get(from..from + count).unwrap_or_default();
            let last = near.last().map_or(first, |(parent, _)| *parent);
            for piece in pieces(columns.footer, &(first..last + 1)) {
                let ids = columns.read("span_id", &piece, opener)?;
                for (parent, at) in near.iter().filter(|(parent, _)| piece.all.contains(parent)) {
                    let id = ids
                        .number(parent - piece.all.start)
                        .map(SpanId::from_number);
                    if let (Some(slot), Some(id)) = (parents.get_mut(*at), id) {
                        *slot = id;
                    }
                }
            }
            from += count;
        }
        Ok(parents)
    }
}

impl Segment {
    /// Gives the span ids of some rows, which ascend, each with its place among them.
    pub(crate) fn span_ids(
        &self,
        rows: impl Iterator<Item = usize>,
        mut give: impl FnMut(usize, SpanId),
    ) -> Result<(), SegmentError> {
        let rows: Vec<usize> = rows.collect();
        let footer = self.spans_footer()?;
        let columns = SpanColumns {
            segment: self,
            footer: &footer,
        };
        let mut opener = PageOpener::new();
        let mut before = 0;
        for near in rows.chunk_by(|a, b| b - a < GAP_ROWS) {
            let (Some(first), Some(last)) = (near.first(), near.last()) else {
                continue;
            };
            for piece in pieces(&footer, &(*first..last + 1)) {
                let ids = columns.read("span_id", &piece, &mut opener)?;
                let inside = near
                    .iter()
                    .enumerate()
                    .filter(|(_, row)| piece.all.contains(row));
                for (at, row) in inside {
                    let id = ids.number(row - piece.all.start).unwrap_or_default();
                    give(before + at, SpanId::from_number(id));
                }
            }
            before += near.len();
        }
        Ok(())
    }

    /// Gives the kin of the rows of some ranges, which ascend and don't overlap, range by range.
    pub(crate) fn each_kin(
        &self,
        ranges: &[Range<usize>],
        mut give: impl FnMut(usize, Kin),
    ) -> Result<(), SegmentError> {
        let footer = self.spans_footer()?;
        let columns = SpanColumns {
            segment: self,
            footer: &footer,
        };
        let mut opener = PageOpener::new();
        let is_near = |a: &Range<usize>, b: &Range<usize>| b.start.saturating_sub(a.end) < GAP_ROWS;
        let mut range_at = 0;
        for near in ranges.chunk_by(is_near) {
            let (Some(first), Some(last)) = (near.first(), near.last()) else {
                continue;
            };
            let mut wanted = near.iter().enumerate().peekable();
            for piece in pieces(&footer, &(first.start..last.end)) {
                let cells = KinCells::read(&columns, &piece, &mut opener)?;
                let resources = columns.read("resource_id", &piece, &mut opener)?;
                let parents = cells.parents(&columns, &piece, &mut opener)?;
                while let Some((at, range)) = wanted.peek() {
                    let start = range.start.max(piece.all.start);
                    for row in start..range.end.min(piece.all.end) {
                        let cell = row - piece.all.start;
                        let number = |column: &Column| column.number(cell).unwrap_or_default();
                        let kin = Kin {
                            span_id: SpanId::from_number(number(&cells.span_id)),
                            parent_span_id: parents.get(cell).copied().unwrap_or_default(),
                            resource: number(&resources) as u32,
                        };
                        give(range_at + at, kin);
                    }
                    if range.end > piece.all.end {
                        break;
                    }
                    wanted.next();
                }
            }
            range_at += near.len();
        }
        Ok(())
    }
}
