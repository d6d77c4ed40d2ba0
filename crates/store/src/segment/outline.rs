//! The outline of a trace, and single spans of one, read from few columns.
//!
//! Promises
//! - Rows come in the order in which [`Segment::read_trace`] gives them.
//! - Where something can't be read nothing was added.

#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of 32 bits come back from where they were widened"
)]

use std::ops::Range;

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use model::batch::BatchBuilder;
use model::outline::{OutlineBuilder, OutlineRow};
use model::{SpanBatch, SpanId};

use super::SegmentError;
use super::assemble::child_rows;
use super::column::Column;
use super::footer::Footer;
use super::kin::{KinCells, SpanColumns};
use super::meta::FileKind;
use super::open::Segment;
use super::page::PageOpener;
use super::read::{KEPT_ROWS_MAX, Piece, arrival_order, pieces};
use crate::index::{TraceEntry, TraceTable};

/// No place is known yet.
const UNKNOWN: u32 = u32::MAX;

/// The columns of an outline in one row group.
struct OutlineCells {
    /// Counted in the segment.
    rows: Range<usize>,
    span_id: Column,
    parents: Vec<SpanId>,
    start: Column,
    duration: Column,
    name: Column,
    kind: Column,
    status: Column,
    resource: Column,
    /// Counted from the first row.
    order: Vec<usize>,
}

impl Segment {
    /// Adds the rows of a trace to an outline; gives them as rows of the segment, in the order in which they came.
    pub(crate) fn outline(
        &self,
        entry: &TraceEntry,
        builder: &mut OutlineBuilder,
    ) -> Result<Vec<u32>, SegmentError> {
        let traces = self.traces()?;
        let footer = self.spans_footer()?;
        let rows = entry.range();
        let mut opener = opener_for(rows.len());
        let mut all: Vec<OutlineCells> = Vec::new();
        for piece in pieces(&footer, &rows) {
            all.push(self.outline_cells(&traces, &footer, &piece, &mut opener)?);
        }
        let events = self.child_counts(FileKind::Events, &rows, &mut opener)?;
        let links = self.child_counts(FileKind::Links, &rows, &mut opener)?;
        let resources = self.resources()?;
        let mut places: Vec<u32> = vec![UNKNOWN; resources.resources().len()];
        let is_known = |resource: usize| resource < places.len();
        for cells in &all {
            let numbers = (0..cells.rows.len()).filter_map(|at| cells.resource.number(at));
            if let Some(number) = numbers.map(|n| n as usize).find(|n| !is_known(*n)) {
                let what = format!("there is no resource {number}");
                return Err(SegmentError::corrupt(&self.path(FileKind::Spans), what));
            }
        }
        builder.reserve(rows.len());
        let mut added = Vec::with_capacity(rows.len());
        for cells in &all {
            let mut names: Vec<u32> = vec![UNKNOWN; cells.name.values().len()];
            for at in &cells.order {
                let row = cells.rows.start + at;
                let number = |column: &Column| column.number(*at).unwrap_or_default();
                let resource = number(&cells.resource);
                let resource = known(&mut places, resource as usize, || {
                    builder.resource(resources.resource(resource as u32))
                });
                let name = known(
                    &mut names,
                    cells.name.place(*at).unwrap_or(usize::MAX),
                    || {
                        let name = cells.name.bytes(*at).unwrap_or_default();
                        // Texts are checked when they are taken in.
                        builder.name(std::str::from_utf8(name).unwrap_or_default())
                    },
                );
                let start = number(&cells.start);
                let children =
                    |counts: &[u32]| counts.get(row - rows.start).copied().unwrap_or_default();
                builder.push(&OutlineRow {
                    span_id: SpanId::from_number(number(&cells.span_id)),
                    parent: cells.parents.get(*at).copied().unwrap_or_default(),
                    start,
                    end: start.wrapping_add(number(&cells.duration)),
                    name,
                    resource,
                    kind: number(&cells.kind) as i32,
                    status: number(&cells.status) as i32,
                    events: children(&events),
                    links: children(&links),
                });
                added.push(row as u32);
            }
        }
        Ok(added)
    }

    fn outline_cells(
        &self,
        traces: &TraceTable,
        footer: &Footer,
        piece: &Piece,
        opener: &mut PageOpener,
    ) -> Result<OutlineCells, SegmentError> {
        let columns = SpanColumns {
            segment: self,
            footer,
        };
        let kin = KinCells::read(&columns, piece, opener)?;
        let parents = kin.parents(&columns, piece, opener)?;
        let arrival = columns.read("arrival", piece, opener)?;
        let rank = |at: usize| arrival.number(at).unwrap_or_default() as usize;
        Ok(OutlineCells {
            rows: piece.all.clone(),
            span_id: kin.span_id,
            parents,
            start: columns.read("start_time", piece, opener)?,
            duration: columns.read("duration", piece, opener)?,
            name: columns.read("name", piece, opener)?,
            kind: columns.read("kind", piece, opener)?,
            status: columns.read("status", piece, opener)?,
            resource: columns.read("resource_id", piece, opener)?,
            order: arrival_order(traces, &piece.all, rank),
        })
    }

    /// How many events or links the spans of a range of rows have; nothing when there are none at all.
    fn child_counts(
        &self,
        kind: FileKind,
        rows: &Range<usize>,
        opener: &mut PageOpener,
    ) -> Result<Vec<u32>, SegmentError> {
        let Some(footer) = self.footer(kind)? else {
            return Ok(Vec::new());
        };
        let mut counts = vec![0u32; rows.len()];
        for group in 0..footer.groups.len() {
            let (_, spans) = child_rows(self, (kind, &footer), group, rows, opener)?;
            for row in spans {
                let count = (row as usize).checked_sub(rows.start);
                if let Some(count) = count.and_then(|at| counts.get_mut(at)) {
                    *count += 1;
                }
            }
        }
        Ok(counts)
    }

    /// The rows of those spans of a trace that have one of some ids, in order of arrival.
    pub(crate) fn rows_with_ids(
        &self,
        entry: &TraceEntry,
        ids: &HashSet<SpanId, RandomState>,
    ) -> Result<Vec<u32>, SegmentError> {
        let footer = self.spans_footer()?;
        let columns = SpanColumns {
            segment: self,
            footer: &footer,
        };
        let rows = entry.range();
        let mut opener = opener_for(rows.len());
        let mut found = Vec::new();
        for piece in pieces(&footer, &rows) {
            let column = columns.read("span_id", &piece, &mut opener)?;
            let is_wanted = |at: &usize| {
                let id = column.number(*at).unwrap_or_default();
                ids.contains(&SpanId::from_number(id))
            };
            let wanted: Vec<usize> = (0..piece.rows.len()).filter(is_wanted).collect();
            let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else {
                continue;
            };
            let near = Piece {
                group: piece.group,
                rows: piece.rows.start + first..piece.rows.start + last + 1,
                all: piece.all.start + first..piece.all.start + last + 1,
            };
            let arrival = columns.read("arrival", &near, &mut opener)?;
            let mut ranked: Vec<(u64, u32)> = wanted
                .iter()
                .map(|at| {
                    let rank = arrival.number(at - first).unwrap_or_default();
                    (rank, (piece.all.start + at) as u32)
                })
                .collect();
            ranked.sort_unstable();
            found.extend(ranked.into_iter().map(|(_, row)| row));
        }
        Ok(found)
    }

    /// The spans of some rows, in the order of the rows as they are given.
    pub(crate) fn read_single_rows(&self, rows: &[u32]) -> Result<SpanBatch, SegmentError> {
        let mut ascending: Vec<u32> = rows.to_vec();
        ascending.sort_unstable();
        let ranges = ascending.chunk_by(|a, b| a + 1 == *b).map(|near| {
            let first = near.first().copied().unwrap_or_default() as usize;
            first..first + near.len()
        });
        let batch = self.read_rows(&ranges.collect::<Vec<_>>())?;
        if ascending == rows {
            return Ok(batch);
        }
        let mut builder = BatchBuilder::new();
        let place = |row: &u32| ascending.binary_search(row).unwrap_or(usize::MAX);
        builder.append_rows(&batch, rows.iter().map(place));
        Ok(builder.finish())
    }
}

/// The place that is known of something, or that is given now.
fn known(places: &mut [u32], of: usize, give: impl FnOnce() -> u32) -> u32 {
    match places.get_mut(of) {
        Some(place) if *place != UNKNOWN => *place,
        Some(place) => {
            *place = give();
            *place
        }
        None => give(),
    }
}

fn opener_for(rows: usize) -> PageOpener {
    if rows <= KEPT_ROWS_MAX {
        PageOpener::keeping()
    } else {
        PageOpener::new()
    }
}
