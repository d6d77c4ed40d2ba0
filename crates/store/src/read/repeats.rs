//! The rows of a view that hold a span which another row holds as well, so that all others can be counted where they
//! are.
//!
//! A span can only lie twice in a trace that lies in several places. Of those traces the ids of all spans are read;
//! only where one comes again the rows that have it are read whole and compared.

#![allow(
    clippy::cast_possible_truncation,
    reason = "segments, chunks and rows are below 2^32"
)]

use std::ops::Range;

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use model::SpanId;
use model::contract::{ReadError, Window};

use crate::engine::{Engine, View};
use crate::meter::{Meter, WHOLE_ROW_COST};
use crate::segment::{Segment, SegmentError};

use super::cells::PointRef;
use super::splits::Splits;
use super::{Skips, taken_back};

/// Rows that are read whole at once to be compared.
const COMPARED_ROWS: usize = 1_024;

/// Rows that are left out where spans are counted.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// By segment of the view, then chunk: rows, ascending.
    rows: Vec<Vec<u32>>,
    segments: usize,
}

impl Repeats {
    /// Those of a segment that lie in a range of rows.
    pub(super) fn in_rows(&self, segment: usize, rows: &Range<usize>) -> &[u32] {
        let all = self.rows.get(segment).map_or([].as_slice(), |all| all);
        let first = all.partition_point(|row| (*row as usize) < rows.start);
        let behind = all.partition_point(|row| (*row as usize) < rows.end);
        all.get(first..behind).unwrap_or_default()
    }

    /// Whether a row of a chunk is one of them.
    pub(super) fn has(&self, chunk: usize, row: usize) -> bool {
        let of_chunk = self.rows.get(self.segments + chunk);
        of_chunk.is_some_and(|rows| rows.binary_search(&(row as u32)).is_ok())
    }
}

impl Engine {
    /// Finds the rows that hold a span again, of spans that may start in a window.
    pub(super) fn repeated_rows(
        &self,
        view: &View,
        (splits, window): (&Splits, Window),
        (meter, skips): (&Meter<'_>, &mut Skips),
    ) -> Result<Repeats, ReadError> {
        let segments = view.segments.len();
        let mut repeats = Repeats {
            rows: vec![Vec::new(); segments + view.chunks.len()],
            segments,
        };
        // By trace and id, then place.
        let mut all: Vec<(u32, SpanId, PointRef)> = Vec::new();
        for (at, placed) in view.segments.iter().enumerate() {
            // A span starts when it starts, wherever it lies.
            let meta = placed.segment.meta();
            if window.end < meta.min_start || window.start > meta.max_start {
                continue;
            }
            let ranges = splits.of_segment(at);
            if ranges.is_empty() {
                continue;
            }
            if meter.is_cancelled() {
                return Err(taken_back());
            }
            match members(&placed.segment, ranges) {
                Ok(members) => {
                    let place = |row: usize| PointRef {
                        place: at as u32,
                        row: row as u32,
                    };
                    let members = members.into_iter();
                    all.extend(members.map(|(split, id, row)| (split, id, place(row))));
                }
                Err(error) => self.skip_once(placed, &error, skips)?,
            }
        }
        for (at, chunk) in view.chunks.iter().enumerate() {
            let spans = chunk.batch.spans();
            let ids = spans.trace_id.iter().zip(&spans.span_id).enumerate();
            let of_splits = ids.filter_map(|(row, (trace_id, id))| {
                let split = splits.place_of(*trace_id)?;
                let at = PointRef {
                    place: (segments + at) as u32,
                    row: row as u32,
                };
                Some((split, *id, at))
            });
            all.extend(of_splits);
        }
        all.sort_unstable();
        let same = all.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1));
        let again: Vec<(u32, SpanId, PointRef)> = same
            .filter(|same| same.len() > 1)
            .flatten()
            .copied()
            .collect();
        drop(all);
        if again.is_empty() || plumbing::planted("store-overview-counts-again") {
            return Ok(repeats);
        }
        let places: Vec<PointRef> = again.iter().map(|(.., at)| *at).collect();
        let hashes = self.contents(view, &places, (meter, skips))?;
        let mut seen: HashSet<(u32, SpanId, u64), RandomState> = HashSet::default();
        for ((split, id, at), hash) in again.iter().zip(hashes) {
            if hash.is_some_and(|hash| !seen.insert((*split, *id, hash)))
                && let Some(rows) = repeats.rows.get_mut(at.place as usize)
            {
                rows.push(at.row);
            }
        }
        repeats
            .rows
            .iter_mut()
            .for_each(|rows| rows.sort_unstable());
        Ok(repeats)
    }

    /// The hashes of what some rows hold; `None` where they can't be read, or would cost too much, which is told.
    pub(super) fn contents(
        &self,
        view: &View,
        rows: &[PointRef],
        (meter, skips): (&Meter<'_>, &mut Skips),
    ) -> Result<Vec<Option<u64>>, ReadError> {
        let mut hashes = vec![None; rows.len()];
        let mut by_place: Vec<(PointRef, usize)> = rows.iter().copied().zip(0..).collect();
        by_place.sort_unstable();
        let mut buf = Vec::new();
        for of_place in by_place.chunk_by(|a, b| a.0.place == b.0.place) {
            let place = of_place.first().map_or(0, |(at, _)| at.place as usize);
            let Some(placed) = view.segments.get(place) else {
                let chunk = place.checked_sub(view.segments.len());
                let chunk = chunk.and_then(|chunk| view.chunks.get(chunk));
                for (PointRef { row, .. }, at) in of_place {
                    let hash = chunk.map(|c| c.batch.span_hash_with(*row as usize, &mut buf));
                    if let Some(slot) = hashes.get_mut(*at) {
                        *slot = hash;
                    }
                }
                continue;
            };
            for block in of_place.chunks(COMPARED_ROWS) {
                let of_block: Vec<u32> = block.iter().map(|(at, _)| at.row).collect();
                let read = meter
                    .take(of_block.len() as u64 * WHOLE_ROW_COST)
                    .and_then(|()| placed.segment.read_single_rows(&of_block));
                match read {
                    Ok(batch) => {
                        for (row, (_, at)) in block.iter().enumerate() {
                            if let Some(slot) = hashes.get_mut(*at) {
                                *slot = Some(batch.span_hash_with(row, &mut buf));
                            }
                        }
                    }
                    Err(SegmentError::Cancelled) => return Err(taken_back()),
                    Err(SegmentError::Spent) => return Ok(hashes),
                    Err(error) => self.skip_once(placed, &error, skips)?,
                }
            }
        }
        Ok(hashes)
    }
}

/// The spans of some ranges of rows, each of a trace: the trace, the span's id, its row.
fn members(
    segment: &Segment,
    ranges: &[(Range<usize>, u32)],
) -> Result<Vec<(u32, SpanId, usize)>, SegmentError> {
    let of_range = |(rows, split): &(Range<usize>, u32)| {
        let split = *split;
        rows.clone().map(move |row| (split, SpanId::default(), row))
    };
    let mut members: Vec<(u32, SpanId, usize)> = ranges.iter().flat_map(of_range).collect();
    let rows: Vec<usize> = members.iter().map(|(.., row)| *row).collect();
    segment.span_ids(rows.into_iter(), |at, id| {
        if let Some((_, slot, _)) = members.get_mut(at) {
            *slot = id;
        }
    })?;
    Ok(members)
}
