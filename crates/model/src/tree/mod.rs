//! The tree of one trace: which span stands below which, in which order, whatever the ids are.
//!
//! - [`Tree`] finds the pre-order of a trace's spans: a span is followed by its children, by start, then arrival, each
//!   with all that is below it. So a subtree is a range of rows, and a parent is named by a distance.
//! - [`OwnTimes`] tells what of the spans' time is their own, and what of it is on the critical path.
//!
//! Promises
//! - A span without a parent among the spans is a root; so is a span that names itself, and in every cycle the span
//!   that starts first. Each span has exactly one row.
//! - The order depends only on the spans and their order of arrival.
//! - No recursion: the depth of a trace costs no stack.

#![allow(
    clippy::cast_possible_truncation,
    reason = "the spans of a trace in memory are far below 2^32"
)]

mod own_time;

pub use own_time::{OwnTime, OwnTimes, PathPiece, Time};

use crate::SpanId;

/// No span.
const NONE: u32 = u32::MAX;

/// What the tree asks of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeSpan {
    /// Its id.
    pub id: SpanId,
    /// The id of its parent; zero for none.
    pub parent: SpanId,
    /// Its start.
    pub start: u64,
}

/// A row of the pre-order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeRow {
    /// The span, numbered by arrival.
    pub span: u32,
    /// Distance from the root.
    pub depth: u32,
    /// Distance to the parent's row; 0 for a root without parent id, -1 where the parent is none above in the tree.
    pub parent_delta: i32,
    /// The row of the span that the parent id names: also where the tree was cut.
    pub caller: Option<u32>,
}

/// The tree of one trace; spans are numbered by arrival. It keeps its memory from one trace to the next.
#[derive(Debug, Default)]
pub struct Tree {
    start: Vec<u64>,
    /// The span that the parent id names.
    caller: Vec<u32>,
    /// The same, but [`NONE`] where the tree is cut.
    parent: Vec<u32>,
    has_parent_id: Vec<bool>,
    /// Spans by start, then arrival.
    by_start: Vec<u32>,
    /// By span: its last child, and the child before.
    last_child: Vec<u32>,
    sibling_before: Vec<u32>,
    /// Spans in pre-order with their depth.
    visited: Vec<(u32, u32)>,
    stack: Vec<(u32, u32)>,
    /// By span: its place in `visited`.
    place: Vec<u32>,
    by_id: Vec<(SpanId, u32)>,
    /// By span: where the last walk up a cycle began that came by.
    walked_from: Vec<u32>,
}

impl Tree {
    /// Finds the tree of some spans, given in the order of their arrival.
    pub fn build(&mut self, spans: impl ExactSizeIterator<Item = TreeSpan> + Clone) {
        let count = spans.len();
        self.find_callers(spans);
        self.parent.clear();
        let cut_self = self
            .caller
            .iter()
            .enumerate()
            .map(|(n, caller)| if *caller == n as u32 { NONE } else { *caller });
        self.parent.extend(cut_self);
        self.by_start.clear();
        self.by_start.extend(0..count as u32);
        let start = &self.start;
        self.by_start
            .sort_unstable_by_key(|n| (start.get(*n as usize).copied(), *n));
        reset(&mut self.last_child, count);
        reset(&mut self.sibling_before, count);
        reset(&mut self.place, count);
        reset(&mut self.walked_from, count);
        self.visited.clear();
        for n in &self.by_start {
            let parent = at(&self.parent, *n);
            if parent != NONE {
                set(&mut self.sibling_before, *n, at(&self.last_child, parent));
                set(&mut self.last_child, parent, *n);
            }
        }
        for index in 0..count as u32 {
            let n = at(&self.by_start, index);
            if at(&self.parent, n) == NONE {
                self.visit(n);
            }
        }
        // What is left hangs below cycles.
        for index in 0..count as u32 {
            let n = at(&self.by_start, index);
            if at(&self.place, n) == NONE {
                let root = self.cut_cycle(n);
                self.visit(root);
            }
        }
    }

    /// The rows in pre-order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = TreeRow> {
        self.visited.iter().enumerate().map(|(place, (n, depth))| {
            let parent = at(&self.parent, *n);
            let has_parent_id = self.has_parent_id.get(*n as usize) == Some(&true);
            let caller = at(&self.caller, *n);
            TreeRow {
                span: *n,
                depth: *depth,
                parent_delta: match at(&self.place, parent) {
                    above if parent != NONE => (place as u32 - above).cast_signed(),
                    _ if has_parent_id => -1,
                    _ => 0,
                },
                caller: (caller != NONE).then(|| at(&self.place, caller)),
            }
        })
    }

    fn find_callers(&mut self, spans: impl ExactSizeIterator<Item = TreeSpan> + Clone) {
        self.by_id.clear();
        self.start.clear();
        for (n, span) in spans.clone().enumerate() {
            self.by_id.push((span.id, n as u32));
            self.start.push(span.start);
        }
        self.by_id.sort_unstable();
        self.caller.clear();
        self.has_parent_id.clear();
        for TreeSpan { parent, .. } in spans {
            self.has_parent_id.push(!parent.is_zero());
            // The first to arrive of those with the id.
            let first = self.by_id.partition_point(|(id, _)| *id < parent);
            let found = self
                .by_id
                .get(first)
                .filter(|(id, _)| *id == parent && !parent.is_zero());
            self.caller.push(found.map_or(NONE, |(_, n)| *n));
        }
    }

    fn start_of(&self, n: u32) -> (Option<u64>, u32) {
        (self.start.get(n as usize).copied(), n)
    }

    /// Visits a span and all below it, in pre-order.
    fn visit(&mut self, root: u32) {
        self.stack.clear();
        self.stack.push((root, 0));
        while let Some((n, depth)) = self.stack.pop() {
            set(&mut self.place, n, self.visited.len() as u32);
            self.visited.push((n, depth));
            // Last child first, so that the first one is on top.
            let mut child = at(&self.last_child, n);
            while child != NONE {
                // The cut span of a cycle is still among its parent's children.
                if at(&self.parent, child) == n {
                    self.stack.push((child, depth + 1));
                }
                child = at(&self.sibling_before, child);
            }
        }
    }

    /// Makes a root of the span that starts first in the cycle above `n`, and gives it.
    fn cut_cycle(&mut self, n: u32) -> u32 {
        // Every span on the way is visited right after this walk, so all walks together are as long as the trace.
        let mut on_cycle = n;
        while on_cycle != NONE && at(&self.walked_from, on_cycle) != n {
            set(&mut self.walked_from, on_cycle, n);
            on_cycle = at(&self.parent, on_cycle);
        }
        let (mut first, mut step) = (on_cycle, at(&self.parent, on_cycle));
        while step != on_cycle && step != NONE {
            if self.start_of(step) < self.start_of(first) {
                first = step;
            }
            step = at(&self.parent, step);
        }
        set(&mut self.parent, first, NONE);
        first
    }
}

fn at(column: &[u32], index: u32) -> u32 {
    column.get(index as usize).copied().unwrap_or(NONE)
}

fn set(column: &mut [u32], index: u32, value: u32) {
    if let Some(slot) = column.get_mut(index as usize) {
        *slot = value;
    }
}

fn reset(column: &mut Vec<u32>, len: usize) {
    column.clear();
    column.resize(len, NONE);
}
