//! Which spans of a segment stand in a relation to others of their trace: by the order of rows alone, without ids.
//!
//! The rows of a trace are in pre-order and say how far above their parent is, so one pass up or down the rows of a
//! trace tells all relations. Where a circle of parents was cut to make a tree of it, the rows don't tell the whole
//! truth; such traces are given back to be judged by ids.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows of a group are below 2^32; distances come back from where they were widened"
)]

use std::ops::Range;

use model::Relation;

use super::SegmentError;
use super::bits::Bits;
use super::kin::SpanColumns;
use super::open::Segment;
use super::page::PageOpener;
use super::read::{Piece, pieces};
use crate::index::{TraceEntry, TraceTable};

/// What was found in some rows.
#[derive(Debug, Default)]
pub(crate) struct Related {
    /// Traces with spans that were found, by ordinal, and how many.
    pub found: Vec<(TraceEntry, u64)>,
    /// Traces that must be judged by ids.
    pub by_ids: Vec<TraceEntry>,
}

/// No row above: a root of the trace.
const NO_PARENT: u32 = 0;

impl Segment {
    /// Finds the rows on the right that stand in a relation to rows on the left, in whole traces of a row group; the
    /// bits are counted from its first row.
    pub(crate) fn relate(
        &self,
        traces: &TraceTable,
        group: &Range<usize>,
        relation: Relation,
        (left, right): (&Bits, &Bits),
    ) -> Result<Related, SegmentError> {
        let mut related = Related::default();
        let is_candidate = |entry: &TraceEntry| {
            let rows = inside(group, entry);
            left.any_in(&rows) && right.any_in(&rows)
        };
        let candidates: Vec<TraceEntry> = traces_of(traces, group).filter(is_candidate).collect();
        let (Some(first), Some(last)) = (candidates.first(), candidates.last()) else {
            return Ok(related);
        };
        let footer = self.spans_footer()?;
        let columns = SpanColumns {
            segment: self,
            footer: &footer,
        };
        let mut opener = PageOpener::new();
        let mut pass = Pass::default();
        let rows = first.range().start..last.range().end;
        for piece in pieces(&footer, &rows) {
            let deltas = columns.read("parent_delta", &piece, &mut opener)?;
            let within = |entry: &&TraceEntry| piece.all.contains(&(entry.first_row as usize));
            for entry in candidates.iter().filter(within) {
                let rows = inside(group, entry);
                let first = entry.range().start - piece.all.start;
                let delta = |at: usize| deltas.number(first + at).unwrap_or_default() as i32;
                pass.begin(rows.len(), delta, |at| left.has(rows.start + at));
                if !pass.cut.is_empty() && self.is_circle(entry, &columns, &piece, &pass)? {
                    related.by_ids.push(*entry);
                    continue;
                }
                pass.relate(relation);
                let is_found = |at: &usize| pass.is_related(*at) && right.has(rows.start + *at);
                let found = (0..rows.len()).filter(is_found).count();
                if found > 0 {
                    related.found.push((*entry, found as u64));
                }
            }
        }
        Ok(related)
    }

    /// Tells whether a span that looks like a root has its parent below it.
    fn is_circle(
        &self,
        entry: &TraceEntry,
        columns: &SpanColumns<'_>,
        piece: &Piece,
        pass: &Pass,
    ) -> Result<bool, SegmentError> {
        let rows = entry.range().start - piece.all.start..entry.range().end - piece.all.start;
        let of_trace = Piece {
            group: piece.group,
            rows: piece.rows.start + rows.start..piece.rows.start + rows.end,
            all: entry.range(),
        };
        let mut opener = PageOpener::new();
        let ids = columns.read("span_id", &of_trace, &mut opener)?;
        let named = columns.read("parent_span_id", &of_trace, &mut opener)?;
        Ok(pass.cut.iter().any(|cut| {
            let named = named.number(*cut as usize);
            let mut below = *cut as usize + 1..rows.len();
            named.is_some() && below.any(|at| ids.number(at) == named)
        }))
    }
}

/// The traces that begin in a row group.
pub(crate) fn traces_of<'a>(
    traces: &'a TraceTable,
    group: &Range<usize>,
) -> impl Iterator<Item = TraceEntry> + use<'a> {
    let first = traces.of_row(group.start as u32);
    let behind = group.end;
    let entries = traces.iter_from(first.map_or(0, |entry| entry.ordinal));
    entries.take_while(move |entry| (entry.first_row as usize) < behind)
}

/// The rows of a trace, counted from the first of a row group.
pub(crate) fn inside(group: &Range<usize>, entry: &TraceEntry) -> Range<usize> {
    let rows = entry.range();
    rows.start.saturating_sub(group.start)..rows.end.min(group.end).saturating_sub(group.start)
}

/// One trace at a time; its buffers are used again. Rows are counted from the trace's first.
#[derive(Debug, Default)]
struct Pass {
    /// By row: how far above its parent is; [`NO_PARENT`].
    above: Vec<u32>,
    left: Vec<bool>,
    /// Rows that name a parent which is not above them, but are above others.
    cut: Vec<u32>,
    /// By row: how many of the left it has below it, or as children; or whether it is related.
    counts: Vec<u32>,
    related: Vec<bool>,
}

impl Pass {
    fn begin(
        &mut self,
        rows: usize,
        delta: impl Fn(usize) -> i32,
        is_left: impl Fn(usize) -> bool,
    ) {
        self.above.clear();
        self.left.clear();
        self.cut.clear();
        let mut cut_before = false;
        for at in 0..rows {
            let delta = delta(at);
            // In pre-order the first child is the next row.
            if cut_before && delta == 1 {
                self.cut.push(at as u32 - 1);
            }
            cut_before = delta < 0;
            let above = u32::try_from(delta).unwrap_or(NO_PARENT);
            self.above.push(if above as usize <= at {
                above
            } else {
                NO_PARENT
            });
            self.left.push(is_left(at));
        }
    }

    fn parent(&self, at: usize) -> Option<usize> {
        let above = self.above.get(at).copied().unwrap_or(NO_PARENT);
        (above != NO_PARENT).then(|| at - above as usize)
    }

    fn is_left(&self, at: usize) -> bool {
        self.left.get(at).copied().unwrap_or_default()
    }

    fn is_related(&self, at: usize) -> bool {
        self.related.get(at).copied().unwrap_or_default()
    }

    fn count(&self, at: usize) -> u32 {
        self.counts.get(at).copied().unwrap_or_default()
    }

    fn relate(&mut self, relation: Relation) {
        let rows = self.above.len();
        self.related.clear();
        match relation {
            Relation::Descendant => {
                for at in 0..rows {
                    let parent = self.parent(at);
                    let is = parent.is_some_and(|p| self.is_left(p) || self.is_related(p));
                    self.related.push(is);
                }
            }
            Relation::Child => {
                for at in 0..rows {
                    let is = self.parent(at).is_some_and(|parent| self.is_left(parent));
                    self.related.push(is);
                }
            }
            Relation::Ancestor => {
                self.related.resize(rows, false);
                for at in (0..rows).rev() {
                    let is = self.is_left(at) || self.is_related(at);
                    let slot = self
                        .parent(at)
                        .and_then(|parent| self.related.get_mut(parent));
                    slot.into_iter().for_each(|slot| *slot |= is);
                }
            }
            Relation::Parent => {
                self.count_children();
                let counts = self.counts.iter();
                self.related.extend(counts.map(|count| *count > 0));
            }
            Relation::Sibling => {
                self.count_children();
                let is_itself = |at| u32::from(self.is_left(at));
                let is_related = |at| {
                    let of_parent = self.parent(at).map(|parent| self.count(parent));
                    of_parent.is_some_and(|count| count > is_itself(at))
                };
                let related: Vec<bool> = (0..rows).map(is_related).collect();
                self.related = related;
                if plumbing::planted("store-sibling-of-itself") {
                    let left = self.left.iter().zip(&mut self.related);
                    left.for_each(|(is_left, related)| *related |= is_left);
                }
            }
        }
    }

    /// Counts the left among each row's children.
    fn count_children(&mut self) {
        self.counts.clear();
        self.counts.resize(self.above.len(), 0);
        for at in 0..self.above.len() {
            if self.is_left(at)
                && let Some(parent) = self.parent(at)
                && let Some(count) = self.counts.get_mut(parent)
            {
                *count += 1;
            }
        }
    }
}
