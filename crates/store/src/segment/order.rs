//! The order of a segment's rows, which carries the structure of its traces.
//!
//! Traces are contiguous; [`TraceOrder`] says in which order they come. Inside a trace the rows are in pre-order of the
//! tree: a span is followed by its children, by start, then arrival, each with all that is below it. So a subtree is a
//! range of rows, and a parent is named by a distance.
//!
//! Promises
//! - A span without a parent in the segment is a root; so is a span that names itself, and in every cycle the span
//!   that starts first. Each span has exactly one row, whatever its ids are.
//! - The order inside a trace depends only on its spans and their order of arrival, so it is found again when the
//!   segment is read back.
//! - No recursion: the depth of a trace costs no stack.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows of a segment are far below 2^32; a depth is capped on purpose"
)]

use std::ops::Range;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::batch::{SpanBatch, Symbol};
use model::{SpanId, TraceId};
use xxhash_rust::xxh3::xxh3_64;

/// No row.
pub(crate) const NONE: u32 = u32::MAX;

/// In which order the traces of a row group come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TraceOrder {
    /// As they come in the batch: those of a segment that is read back.
    AsGiven,
    /// By start, then id.
    ByStart,
    /// In slices of [`SLICE_TRACES`] by start, so that what is new lies together; inside a slice by root and pattern,
    /// so that what is alike lies together, which halves what its columns take.
    InSlices,
}

/// Traces of a slice.
const SLICE_TRACES: usize = 2_048;

/// A trace of the row group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceRows {
    pub trace_id: TraceId,
    pub first_row: u32,
    pub rows: u32,
    /// The earliest start of its spans.
    pub start: u64,
}

impl TraceRows {
    pub(crate) fn range(&self) -> Range<usize> {
        self.first_row as usize..self.first_row as usize + self.rows as usize
    }
}

/// The order of rows, and what follows from it; all columns are by row of the group.
#[derive(Debug, Default)]
pub(crate) struct RowOrder {
    /// The row in the batch.
    pub source: Vec<u32>,
    /// Rank of arrival inside the trace.
    pub arrival: Vec<u32>,
    /// Distance to the parent's row; 0 for a root without parent id, -1 where the parent is none above in the tree.
    pub parent_delta: Vec<i32>,
    /// Distance from the root, at most 65,535.
    pub depth: Vec<u16>,
    /// The row of the span that the parent id names, in the same trace: also where the tree was cut; or [`NONE`].
    pub caller: Vec<u32>,
    pub traces: Vec<TraceRows>,
}

/// Finds the order of a batch's spans.
pub(crate) fn order_rows(batch: &SpanBatch, traces: TraceOrder) -> RowOrder {
    let rows = batch.len();
    let grouped = group_by_trace(batch);
    let mut order = RowOrder {
        source: Vec::with_capacity(rows),
        arrival: Vec::with_capacity(rows),
        parent_delta: Vec::with_capacity(rows),
        depth: Vec::with_capacity(rows),
        caller: Vec::with_capacity(rows),
        traces: Vec::with_capacity(grouped.traces.len()),
    };
    let mut order_of_traces: Vec<usize> = (0..grouped.traces.len()).collect();
    if traces != TraceOrder::AsGiven {
        order_of_traces.sort_unstable_by_key(|at| {
            let trace = grouped.traces.get(*at);
            trace.map(|trace| (trace.start, trace.trace_id))
        });
    }
    let mut tree = Tree::default();
    let mut put = |at: usize, order: &mut RowOrder| {
        let trace = grouped.traces.get(at)?;
        let members = grouped.rows.get(trace.range()).unwrap_or_default();
        tree.build(batch, members);
        tree.put_rows(members, order);
        let first_row = (order.source.len() - members.len()) as u32;
        order.traces.push(TraceRows {
            first_row,
            ..*trace
        });
        Some(())
    };
    if traces != TraceOrder::InSlices {
        for at in order_of_traces {
            put(at, &mut order);
        }
        return order;
    }
    let mut patterns = Patterns::new(batch);
    let mut slice = RowOrder::default();
    for of_slice in order_of_traces.chunks(SLICE_TRACES) {
        slice.clear();
        for at in of_slice {
            put(*at, &mut slice);
        }
        let mut by_pattern: Vec<_> = (0..slice.traces.len())
            .map(|at| (patterns.of(&slice, at), at))
            .collect();
        // Where hardly two traces are alike, their starts are what repeats. Those of one pattern stay in that order.
        if is_worth_sorting(&by_pattern) {
            by_pattern.sort_unstable();
        }
        for (_, at) in by_pattern {
            order.append_trace(&slice, at);
        }
    }
    order
}

/// Whether a slice's traces, by pattern and place, have less than half as many patterns.
fn is_worth_sorting(by_pattern: &[((u64, u64), usize)]) -> bool {
    let mut patterns: Vec<(u64, u64)> = by_pattern.iter().map(|(pattern, _)| *pattern).collect();
    patterns.sort_unstable();
    patterns.dedup();
    patterns.len() * 2 <= by_pattern.len()
}

impl RowOrder {
    fn clear(&mut self) {
        self.source.clear();
        self.arrival.clear();
        self.parent_delta.clear();
        self.depth.clear();
        self.caller.clear();
        self.traces.clear();
    }

    /// Appends a trace of another order of the same batch.
    fn append_trace(&mut self, other: &Self, at: usize) {
        fn copy<T: Copy>(to: &mut Vec<T>, from: &[T], rows: &Range<usize>) {
            to.extend_from_slice(from.get(rows.clone()).unwrap_or_default());
        }
        let Some(trace) = other.traces.get(at) else {
            return;
        };
        let (first_row, rows) = (self.source.len() as u32, trace.range());
        copy(&mut self.source, &other.source, &rows);
        copy(&mut self.arrival, &other.arrival, &rows);
        copy(&mut self.parent_delta, &other.parent_delta, &rows);
        copy(&mut self.depth, &other.depth, &rows);
        let callers = other.caller.get(rows).unwrap_or_default().iter();
        self.caller.extend(callers.map(|caller| match *caller {
            NONE => NONE,
            caller => caller - trace.first_row + first_row,
        }));
        self.traces.push(TraceRows {
            first_row,
            ..*trace
        });
    }
}

/// Tells traces of the same form apart from others: by the services, names and kinds of their spans in pre-order.
struct Patterns<'a> {
    batch: &'a SpanBatch,
    /// By symbol: the hash of its text, once it is known.
    hashes: Vec<Option<u64>>,
    /// The form of the trace that is looked at.
    form: Vec<u8>,
}

impl<'a> Patterns<'a> {
    fn new(batch: &'a SpanBatch) -> Self {
        Self {
            batch,
            hashes: vec![None; batch.strings().len()],
            form: Vec::new(),
        }
    }

    fn hash(&mut self, symbol: Symbol) -> u64 {
        let text = self.batch.strings().get_bytes(symbol);
        let Some(slot) = self.hashes.get_mut(symbol.0 as usize) else {
            return 0;
        };
        *slot.get_or_insert_with(|| xxh3_64(text))
    }

    /// The hash of the root's service and name, then that of the whole form: texts are hashed, not symbols, since the
    /// order must not depend on how the batch was put together.
    fn of(&mut self, order: &RowOrder, at: usize) -> (u64, u64) {
        let spans = self.batch.spans();
        let rows = order.traces.get(at).map(TraceRows::range);
        let rows = rows.unwrap_or_default();
        let (source, depth) = (order.source.get(rows.clone()), order.depth.get(rows));
        let (source, depth) = source.zip(depth).unwrap_or_default();
        self.form.clear();
        let mut root = 0;
        for (place, (row, depth)) in source.iter().zip(depth).enumerate() {
            let row = *row as usize;
            let resource = spans.resource.get(row).copied().unwrap_or_default();
            let service = self.hash(self.batch.resource(resource).row().service);
            let name = self.hash(spans.name.get(row).copied().unwrap_or_default());
            let operation = service.rotate_left(17) ^ name;
            if place == 0 {
                root = operation;
            }
            let kind = spans.kind.get(row).copied().unwrap_or_default();
            self.form.extend_from_slice(&operation.to_le_bytes());
            self.form.extend_from_slice(&kind.to_le_bytes());
            self.form.extend_from_slice(&depth.to_le_bytes());
        }
        (root, xxh3_64(&self.form))
    }
}

struct Grouped {
    /// `first_row` points into `rows`.
    traces: Vec<TraceRows>,
    /// Rows of the batch, those of a trace together, in order of arrival.
    rows: Vec<u32>,
}

fn group_by_trace(batch: &SpanBatch) -> Grouped {
    let ids = &batch.spans().trace_id;
    let mut traces: Vec<TraceRows> = Vec::new();
    let mut known: HashMap<TraceId, u32, RandomState> = HashMap::default();
    let mut trace_of = Vec::with_capacity(ids.len());
    let mut last: Option<(TraceId, u32)> = None;
    for (id, start) in ids.iter().zip(&batch.spans().start) {
        let at = match last {
            Some((last_id, at)) if last_id == *id => at,
            _ => *known.entry(*id).or_insert_with(|| {
                traces.push(TraceRows {
                    trace_id: *id,
                    first_row: 0,
                    rows: 0,
                    start: u64::MAX,
                });
                traces.len() as u32 - 1
            }),
        };
        last = Some((*id, at));
        trace_of.push(at);
        if let Some(trace) = traces.get_mut(at as usize) {
            trace.rows += 1;
            trace.start = trace.start.min(*start);
        }
    }
    let mut next = Vec::with_capacity(traces.len());
    let mut first = 0;
    for trace in &mut traces {
        trace.first_row = first;
        next.push(first);
        first += trace.rows;
    }
    let mut rows = vec![0; ids.len()];
    for (row, trace) in trace_of.iter().enumerate() {
        let Some(place) = next.get_mut(*trace as usize) else {
            continue;
        };
        if let Some(slot) = rows.get_mut(*place as usize) {
            *slot = row as u32;
        }
        *place += 1;
    }
    Grouped { traces, rows }
}

/// The tree of one trace; spans are numbered by arrival.
#[derive(Debug, Default)]
struct Tree {
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

impl Tree {
    fn build(&mut self, batch: &SpanBatch, members: &[u32]) {
        let spans = batch.spans();
        let count = members.len() as u32;
        self.find_callers(batch, members);
        self.parent.clear();
        let cut_self = self
            .caller
            .iter()
            .enumerate()
            .map(|(n, caller)| if *caller == n as u32 { NONE } else { *caller });
        self.parent.extend(cut_self);
        let start_of = |n: &u32| {
            let row = members.get(*n as usize).copied().unwrap_or_default();
            (
                spans.start.get(row as usize).copied().unwrap_or_default(),
                *n,
            )
        };
        self.by_start.clear();
        self.by_start.extend(0..count);
        self.by_start.sort_unstable_by_key(start_of);
        reset(&mut self.last_child, members.len());
        reset(&mut self.sibling_before, members.len());
        reset(&mut self.place, members.len());
        reset(&mut self.walked_from, members.len());
        self.visited.clear();
        for n in &self.by_start {
            let parent = at(&self.parent, *n);
            if parent != NONE {
                set(&mut self.sibling_before, *n, at(&self.last_child, parent));
                set(&mut self.last_child, parent, *n);
            }
        }
        for index in 0..self.by_start.len() {
            let n = at(&self.by_start, index as u32);
            if at(&self.parent, n) == NONE {
                self.visit(n);
            }
        }
        // What is left hangs below cycles.
        for index in 0..self.by_start.len() {
            let n = at(&self.by_start, index as u32);
            if at(&self.place, n) == NONE {
                let root = self.cut_cycle(n, &start_of);
                self.visit(root);
            }
        }
    }

    fn find_callers(&mut self, batch: &SpanBatch, members: &[u32]) {
        let spans = batch.spans();
        let id_of =
            |column: &[SpanId], row: u32| column.get(row as usize).copied().unwrap_or_default();
        self.by_id.clear();
        self.by_id.extend(
            members
                .iter()
                .enumerate()
                .map(|(n, row)| (id_of(&spans.span_id, *row), n as u32)),
        );
        self.by_id.sort_unstable();
        self.caller.clear();
        self.has_parent_id.clear();
        for row in members {
            let parent_id = id_of(&spans.parent_span_id, *row);
            self.has_parent_id.push(!parent_id.is_zero());
            // The first to arrive of those with the id.
            let first = self.by_id.partition_point(|(id, _)| *id < parent_id);
            let found = self
                .by_id
                .get(first)
                .filter(|(id, _)| *id == parent_id && !parent_id.is_zero());
            self.caller.push(found.map_or(NONE, |(_, n)| *n));
        }
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
    fn cut_cycle(&mut self, n: u32, start_of: &impl Fn(&u32) -> (u64, u32)) -> u32 {
        // Every span on the way is visited right after this walk, so all walks together are as long as the trace.
        let mut on_cycle = n;
        while on_cycle != NONE && at(&self.walked_from, on_cycle) != n {
            set(&mut self.walked_from, on_cycle, n);
            on_cycle = at(&self.parent, on_cycle);
        }
        let (mut first, mut step) = (on_cycle, at(&self.parent, on_cycle));
        while step != on_cycle && step != NONE {
            if start_of(&step) < start_of(&first) {
                first = step;
            }
            step = at(&self.parent, step);
        }
        set(&mut self.parent, first, NONE);
        first
    }

    fn put_rows(&self, members: &[u32], order: &mut RowOrder) {
        let base = order.source.len() as u32;
        for (place, (n, depth)) in self.visited.iter().enumerate() {
            order
                .source
                .push(members.get(*n as usize).copied().unwrap_or_default());
            order.arrival.push(*n);
            order.depth.push((*depth).min(u32::from(u16::MAX)) as u16);
            let parent = at(&self.parent, *n);
            let has_parent_id = self
                .has_parent_id
                .get(*n as usize)
                .copied()
                .unwrap_or_default();
            order.parent_delta.push(match at(&self.place, parent) {
                above if parent != NONE => (place as u32 - above).cast_signed(),
                _ if has_parent_id => -1,
                _ => 0,
            });
            let caller = at(&self.caller, *n);
            order.caller.push(if caller == NONE {
                NONE
            } else {
                base + at(&self.place, caller)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use model::batch::{BatchBuilder, SpanRow};
    use proptest::prelude::*;

    use super::*;

    /// Spans as (trace, id, parent id, start).
    fn batch(spans: &[(u8, u64, u64, u64)]) -> SpanBatch {
        let mut builder = BatchBuilder::new();
        for (trace, id, parent, start) in spans {
            builder.push_span(SpanRow {
                trace_id: TraceId([*trace; 16]),
                span_id: SpanId::from_number(*id),
                parent_span_id: SpanId::from_number(*parent),
                start: *start,
                ..Default::default()
            });
        }
        builder.finish()
    }

    #[test]
    fn traces_are_in_order_of_start_and_spans_in_pre_order() {
        let spans = [
            (1, 3, 1, 30),
            (2, 9, 0, 5),
            (1, 1, 0, 10),
            (1, 4, 2, 25),
            (1, 2, 1, 20),
            (1, 5, 77, 1),
        ];
        let order = order_rows(&batch(&spans), TraceOrder::ByStart);
        assert_eq!(order.source, [5, 2, 4, 3, 0, 1]);
        assert_eq!(order.parent_delta, [-1, 0, 1, 1, 3, 0]);
        assert_eq!(order.depth, [0, 0, 1, 2, 1, 0]);
        assert_eq!(order.arrival, [4, 1, 3, 2, 0, 0]);
        assert_eq!(order.caller, [NONE, NONE, 1, 2, 1, NONE]);
        let traces: Vec<_> = order
            .traces
            .iter()
            .map(|t| (t.trace_id.0[0], t.first_row, t.rows, t.start))
            .collect();
        assert_eq!(traces, [(1, 0, 5, 1), (2, 5, 1, 5)]);
    }

    #[test]
    fn cycles_and_spans_that_name_themselves_are_cut_where_they_start_first() {
        // 1 -> 2 -> 3 -> 1, 4 below 3, 5 its own parent.
        let spans = [
            (1, 4, 3, 0),
            (1, 1, 3, 12),
            (1, 2, 1, 11),
            (1, 3, 2, 13),
            (1, 5, 5, 40),
        ];
        let order = order_rows(&batch(&spans), TraceOrder::ByStart);
        assert_eq!(
            order.source,
            [4, 2, 3, 0, 1],
            "the span of its own, then the cycle from its first span"
        );
        assert_eq!(order.parent_delta, [-1, -1, 1, 1, 2]);
        assert_eq!(order.caller, [0, 4, 1, 2, 2]);
    }

    /// Were each cycle looked for from the start, this would take minutes.
    #[test]
    fn many_cycles_cost_no_more_than_the_trace_is_long() {
        let spans: Vec<_> = (1..200_000u64).map(|n| (1, n, (n ^ 1).max(1), n)).collect();
        let order = order_rows(&batch(&spans), TraceOrder::ByStart);
        assert_eq!(order.source.len(), spans.len());
        assert!(order.depth.iter().all(|depth| *depth <= 1));
    }

    proptest! {
        #[test]
        fn every_span_has_one_row_and_every_parent_stands_above(
            spans in prop::collection::vec((0u8..3, 1u64..9, 0u64..9, 0u64..5), 0..40)
        ) {
            let order = order_rows(&batch(&spans), TraceOrder::ByStart);
            let mut rows = order.source.clone();
            rows.sort_unstable();
            prop_assert_eq!(rows, (0..spans.len() as u32).collect::<Vec<_>>());
            for row in 0..spans.len() {
                let span = spans[order.source[row] as usize];
                let delta = order.parent_delta[row];
                prop_assert_eq!(delta == 0, span.2 == 0);
                if delta > 0 {
                    let parent = row - delta.unsigned_abs() as usize;
                    let named = spans[order.source[parent] as usize];
                    prop_assert_eq!((named.0, named.1), (span.0, span.2));
                    prop_assert_eq!(order.depth[row], order.depth[parent] + 1);
                } else {
                    prop_assert_eq!(order.depth[row], 0);
                }
            }
        }
    }
}
