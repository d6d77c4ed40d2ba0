//! Finds the rows that satisfy a predicate, exactly.
//!
//! Granule by granule: what the sidecar rules out is not read; the rest is judged on columns, whole columns at a time;
//! rows that columns alone can't decide are read and judged one by one.
//!
//! Promises
//! - The rows are those for which [`crate::evaluate::matches`] holds and whose start is in the window; ascending.
//! - Between two granules, and every few thousand rows that are read, it looks whether it was cancelled.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows of a segment are below 2^32"
)]

use std::ops::Range;

use model::Predicate;
use model::contract::Window;

use super::SegmentError;
use super::bits::{Bits, Verdict};
use super::leaf::LeafReader;
use super::meta::FileKind;
use super::open::Segment;
use super::page::PageOpener;
use super::plan::{Node, Pruner, SearchPlan};
use super::read::pieces;
use crate::evaluate::matches;
use crate::index::GRANULE_ROWS;

/// Rows that are read at once to be judged one by one: those of a small page.
const BLOCK_ROWS: usize = 4_096;

/// The rows that were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matches {
    /// Rows of the segment, ascending.
    pub rows: Vec<u32>,
}

impl Segment {
    /// The rows that satisfy a predicate and start in the window; see [`Segment::search_plan`].
    pub fn search(
        &self,
        predicate: &Predicate,
        window: Window,
        cancel: &dyn Fn() -> bool,
    ) -> Result<Matches, SegmentError> {
        let plan =
            SearchPlan::new(predicate).map_err(|source| SegmentError::Question { source })?;
        self.search_plan(&plan, window, cancel)
    }

    /// The rows that satisfy a plan's predicate and start in the window.
    ///
    /// *Errors*: [`SegmentError::Cancelled`] when `cancel` says so; of class corrupt when something can't be read, also
    /// when it is the sidecar: rebuild it and ask again.
    pub fn search_plan(
        &self,
        plan: &SearchPlan,
        window: Window,
        cancel: &dyn Fn() -> bool,
    ) -> Result<Matches, SegmentError> {
        let meta = self.meta();
        let mut found = Matches::default();
        if window.end < meta.min_start || window.start > meta.max_start {
            return Ok(found);
        }
        let (filters, keys) = (self.filters()?, self.keys()?);
        let pruner = Pruner {
            filters: &filters,
            keys: &keys,
        };
        let rows = meta.spans as usize;
        let mut searcher = Searcher {
            segment: self,
            plan,
            window,
            cancel,
            leaves: LeafReader::new(self, &pruner)?,
            opener: PageOpener::new()?,
        };
        for granule in 0..rows.div_ceil(GRANULE_ROWS) {
            if cancel() {
                return Err(SegmentError::Cancelled);
            }
            if pruner.may_match(&plan.root, granule) {
                let range = granule * GRANULE_ROWS..((granule + 1) * GRANULE_ROWS).min(rows);
                searcher.granule(granule, &range, &mut found.rows)?;
            }
        }
        Ok(found)
    }
}

struct Searcher<'a> {
    segment: &'a Segment,
    plan: &'a SearchPlan,
    window: Window,
    cancel: &'a dyn Fn() -> bool,
    leaves: LeafReader<'a>,
    opener: PageOpener,
}

impl Searcher<'_> {
    fn granule(
        &mut self,
        granule: usize,
        range: &Range<usize>,
        found: &mut Vec<u32>,
    ) -> Result<(), SegmentError> {
        let verdict = self.judge(&self.plan.root, granule, range)?;
        if verdict.possible.is_empty() {
            return Ok(());
        }
        let (mut certain, mut possible) = (verdict.certain, verdict.possible);
        let meta = self.segment.meta();
        if !self.window.contains(meta.min_start) || !self.window.contains(meta.max_start) {
            let inside = self.starts_inside(range)?;
            certain = certain.and(&inside);
            possible = possible.and(&inside);
        }
        let open: Vec<usize> = possible.clone().without(&certain).rows().collect();
        for block in open.chunk_by(|a, b| a / BLOCK_ROWS == b / BLOCK_ROWS) {
            if (self.cancel)() {
                return Err(SegmentError::Cancelled);
            }
            let (Some(first), Some(last)) = (block.first(), block.last()) else {
                continue;
            };
            let batch = self.segment.read_rows(std::slice::from_ref(
                &(range.start + first..range.start + last + 1),
            ))?;
            for at in block {
                if batch
                    .span(at - first)
                    .is_some_and(|span| matches(span, &self.plan.rows))
                {
                    certain.set(*at);
                }
            }
        }
        found.extend(certain.rows().map(|at| (range.start + at) as u32));
        Ok(())
    }

    fn judge(
        &mut self,
        node: &Node,
        granule: usize,
        range: &Range<usize>,
    ) -> Result<Verdict, SegmentError> {
        let len = range.len();
        Ok(match node {
            Node::All => Verdict::all(len),
            Node::Not(one) => self.judge(one, granule, range)?.not(),
            Node::And(all) => {
                let mut verdict = Verdict::all(len);
                for one in all {
                    if verdict.possible.is_empty() {
                        break;
                    }
                    verdict = verdict.and(&self.judge(one, granule, range)?);
                }
                verdict
            }
            Node::Or(any) => {
                let mut verdict = Verdict::none(len);
                for one in any {
                    verdict = verdict.or(&self.judge(one, granule, range)?);
                }
                verdict
            }
            Node::Leaf(leaf) => self.leaves.judge(leaf, granule, range, &mut self.opener)?,
        })
    }

    fn starts_inside(&mut self, range: &Range<usize>) -> Result<Bits, SegmentError> {
        let footer = self.segment.spans_footer()?;
        let place = footer
            .column("start_time")
            .ok_or_else(|| self.segment.no_column("start_time"))?;
        let mut inside = Bits::none(range.len());
        for piece in pieces(&footer, range) {
            let of = (FileKind::Spans, &*footer);
            let starts =
                self.segment
                    .column(of, (piece.group, place), &piece.rows, &mut self.opener)?;
            for at in 0..piece.rows.len() {
                let start = starts.number(at).unwrap_or_default();
                let is_inside = if plumbing::planted("segment-window-off-by-one") {
                    self.window.start <= start && start < self.window.end
                } else {
                    self.window.contains(start)
                };
                if is_inside {
                    inside.set(piece.all.start - range.start + at);
                }
            }
        }
        Ok(inside)
    }
}
