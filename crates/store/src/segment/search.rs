//! Finds the rows that satisfy a predicate, exactly.
//!
//! Granule by granule: what the sidecar rules out is not read; the rest is judged on columns, many rows at a time, what
//! rules out most first; rows that columns alone can't decide are read and judged one by one.
//!
//! Promises
//! - The rows are those for which [`model::evaluate::matches`] holds and whose start is in the window.
//! - Between two granules, and every few thousand rows that are read, it looks whether it was cancelled.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows of a segment are below 2^32"
)]

use std::ops::{ControlFlow, Range};

use model::Predicate;
use model::contract::Window;

use super::SegmentError;
use super::bits::{Bits, Verdict};
use super::kin::SpanColumns;
use super::leaf::LeafReader;
use super::open::Segment;
use super::page::PageOpener;
use super::plan::{Node, Pruner, SearchPlan};
use super::read::pieces;
use crate::index::GRANULE_ROWS;
use crate::meter::{IsCancelled, Meter, WHOLE_ROW_COST};
use model::evaluate::matches;

/// Rows that are read at once to be judged one by one: those of a small page.
pub(super) const BLOCK_ROWS: usize = 4_096;

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
        cancel: IsCancelled<'_>,
    ) -> Result<Matches, SegmentError> {
        let plan =
            SearchPlan::new(predicate).map_err(|source| SegmentError::Question { source })?;
        self.search_plan(&plan, window, &Meter::new(u64::MAX, cancel))
    }

    /// The rows that satisfy a plan's predicate and start in the window; see [`Segment::search_backwards`].
    fn search_plan(
        &self,
        plan: &SearchPlan,
        window: Window,
        meter: &Meter<'_>,
    ) -> Result<Matches, SegmentError> {
        let mut pieces: Vec<Vec<u32>> = Vec::new();
        self.search_backwards(plan, window, meter, &mut |rows| {
            pieces.push(rows);
            ControlFlow::Continue(())
        })?;
        Ok(Matches {
            rows: pieces.into_iter().rev().flatten().collect(),
        })
    }

    /// Gives the rows that satisfy a plan's predicate and start in the window, piece by piece, until it is told to
    /// stop. The last rows come first; each piece ascends. Rows are in order of their traces' start, so whoever looks
    /// for the newest traces sees them first.
    ///
    /// *Errors*: [`SegmentError::Cancelled`] and [`SegmentError::Spent`] when the meter says so; of class corrupt when
    /// something can't be read, also when it is the sidecar: rebuild it and ask again. What was given before is true.
    pub(crate) fn search_backwards(
        &self,
        plan: &SearchPlan,
        window: Window,
        meter: &Meter<'_>,
        give: &mut dyn FnMut(Vec<u32>) -> ControlFlow<()>,
    ) -> Result<(), SegmentError> {
        let meta = self.meta();
        if window.end < meta.min_start || window.start > meta.max_start {
            return Ok(());
        }
        let (filters, keys) = (self.filters()?, self.keys()?);
        let pruner = Pruner {
            filters: &filters,
            keys: &keys,
        };
        if !pruner.keys_may_match(&plan.root)? {
            return Ok(());
        }
        let rows = meta.spans as usize;
        // Mostly nothing is left to be looked at, and with very many segments their footers are in no cache.
        let mut searcher: Option<Searcher<'_>> = None;
        // Often the first few rows are enough, so pieces begin small.
        let mut piece_rows = BLOCK_ROWS;
        for granule in (0..rows.div_ceil(GRANULE_ROWS)).rev() {
            let first = granule * GRANULE_ROWS;
            let mut left = first..(first + GRANULE_ROWS).min(rows);
            if !pruner.may_match(&plan.root, &left)? {
                continue;
            }
            let searcher = match &mut searcher {
                Some(searcher) => searcher,
                none => none.insert(Searcher::new(self, &pruner, (plan, window), meter)?),
            };
            while !left.is_empty() {
                let blocks = left.len().div_ceil(BLOCK_ROWS);
                let start = first + blocks.saturating_sub(piece_rows / BLOCK_ROWS) * BLOCK_ROWS;
                let piece = start..left.end;
                meter.take(piece.len() as u64)?;
                let found = searcher.piece(&piece, &Bits::all(piece.len()))?;
                let found: Vec<u32> = found.rows().map(|at| (start + at) as u32).collect();
                if !found.is_empty() && give(found).is_break() {
                    return Ok(());
                }
                left.end = start;
                piece_rows = (piece_rows * 2).min(GRANULE_ROWS);
            }
        }
        Ok(())
    }
}

impl Segment {
    /// Those of some rows that satisfy a plan's predicate and start in the window, counted from the first. Costs least
    /// when they are those of a row group, whose pages are then opened once. With `asked` only those are looked at.
    pub(crate) fn matches_in(
        &self,
        rows: &Range<usize>,
        asked: Option<&Bits>,
        (plan, window): (&SearchPlan, Window),
        meter: &Meter<'_>,
    ) -> Result<Bits, SegmentError> {
        let meta = self.meta();
        let mut found = Bits::none(rows.len());
        if window.end < meta.min_start || window.start > meta.max_start {
            return Ok(found);
        }
        let (filters, keys) = (self.filters()?, self.keys()?);
        let pruner = Pruner {
            filters: &filters,
            keys: &keys,
        };
        if !pruner.may_match(&plan.root, rows)? || plumbing::planted("segment-group-skipped") {
            return Ok(found);
        }
        let mut searcher = Searcher::new(self, &pruner, (plan, window), meter)?;
        let Some(asked) = asked else {
            meter.take(rows.len() as u64)?;
            return searcher.piece(rows, &Bits::all(rows.len()));
        };
        for block in asked.blocks(BLOCK_ROWS / 64) {
            let part = asked.part(&block);
            meter.take(part.count() as u64)?;
            let piece = rows.start + block.start..rows.start + block.end;
            found.put(block.start, &searcher.piece(&piece, &part)?);
        }
        Ok(found)
    }
}

struct Searcher<'a> {
    segment: &'a Segment,
    plan: &'a SearchPlan,
    window: Window,
    meter: &'a Meter<'a>,
    leaves: LeafReader<'a>,
    opener: PageOpener,
}

impl<'a> Searcher<'a> {
    fn new(
        segment: &'a Segment,
        pruner: &'a Pruner<'a>,
        (plan, window): (&'a SearchPlan, Window),
        meter: &'a Meter<'a>,
    ) -> Result<Self, SegmentError> {
        Ok(Self {
            segment,
            plan,
            window,
            meter,
            leaves: LeafReader::new(segment, pruner)?,
            opener: PageOpener::new(),
        })
    }

    /// Those rows of a piece that are asked for and match, counted in it.
    fn piece(&mut self, range: &Range<usize>, asked: &Bits) -> Result<Bits, SegmentError> {
        let verdict = self.judge(&self.plan.root, (range, asked))?;
        let (mut certain, mut possible) = (verdict.certain.and(asked), verdict.possible.and(asked));
        if possible.is_empty() {
            return Ok(possible);
        }
        let meta = self.segment.meta();
        if !self.window.contains(meta.min_start) || !self.window.contains(meta.max_start) {
            let inside = self.starts_inside(range, &possible)?;
            certain = certain.and(&inside);
            possible = possible.and(&inside);
        }
        let open: Vec<usize> = possible.clone().without(&certain).rows().collect();
        for block in open.chunk_by(|a, b| a / BLOCK_ROWS == b / BLOCK_ROWS) {
            let (Some(first), Some(last)) = (block.first(), block.last()) else {
                continue;
            };
            self.meter
                .take((last + 1 - first) as u64 * WHOLE_ROW_COST)?;
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
        Ok(certain)
    }

    /// Judges the rows that are asked for; what the verdict says of others means nothing.
    fn judge(
        &mut self,
        node: &Node,
        (range, asked): (&Range<usize>, &Bits),
    ) -> Result<Verdict, SegmentError> {
        let len = range.len();
        Ok(match node {
            Node::All => Verdict::all(len),
            Node::Not(one) => self.judge(one, (range, asked))?.not(),
            Node::And(all) => {
                let mut verdict = Verdict::all(len);
                for one in all {
                    // What the ones before have ruled out is not read.
                    let open = verdict.possible.clone().and(asked);
                    let mut next = Verdict::none(len);
                    for block in open.blocks(BLOCK_ROWS / 64) {
                        let rows = range.start + block.start..range.start + block.end;
                        let judged = self.judge(one, (&rows, &open.part(&block)))?;
                        next.put(block.start, &judged);
                    }
                    verdict = verdict.and(&next);
                }
                verdict
            }
            Node::Or(any) => {
                let mut verdict = Verdict::none(len);
                for one in any {
                    verdict = verdict.or(&self.judge(one, (range, asked))?);
                }
                verdict
            }
            Node::Leaf(leaf) => {
                let rows = (range, asked);
                self.leaves.judge(leaf, rows, &mut self.opener)?
            }
        })
    }

    /// Those rows of a piece that start in the window, as far as they are `asked` for.
    fn starts_inside(&mut self, range: &Range<usize>, asked: &Bits) -> Result<Bits, SegmentError> {
        let footer = self.segment.spans_footer()?;
        let columns = SpanColumns {
            segment: self.segment,
            footer: &footer,
        };
        let mut inside = Bits::none(range.len());
        for block in asked.blocks(BLOCK_ROWS / 64) {
            let rows = range.start + block.start..range.start + block.end;
            for piece in pieces(&footer, &rows) {
                let starts = columns.read("start_time", &piece, &mut self.opener)?;
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
        }
        Ok(inside)
    }
}
