//! The order of a segment's rows, which carries the structure of its traces.
//!
//! Traces are contiguous; [`TraceOrder`] says in which order they come. Inside a trace the rows are in pre-order of the
//! tree: a span is followed by its children, by start, then arrival, each with all that is below it. So a subtree is a
//! range of rows, and a parent is named by a distance.
//!
//! Promises
//! - Each span has exactly one row, whatever its ids are; [`model::tree`] says which span stands below which.
//! - The order inside a trace depends only on its spans and their order of arrival, so it is found again when the
//!   segment is read back.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows of a segment are far below 2^32; a depth is capped on purpose"
)]

use std::ops::Range;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::batch::{SpanBatch, Symbol};
use model::tree::{Tree, TreeSpan};
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
        build_tree(&mut tree, batch, members);
        put_rows(&tree, members, order);
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

/// Puts the rows of one trace, given by arrival, in the order of its tree.
fn put_rows(tree: &Tree, members: &[u32], order: &mut RowOrder) {
    let base = order.source.len() as u32;
    for row in tree.rows() {
        let source = members.get(row.span as usize).copied();
        order.source.push(source.unwrap_or_default());
        order.arrival.push(row.span);
        order.depth.push(row.depth.min(u32::from(u16::MAX)) as u16);
        order.parent_delta.push(row.parent_delta);
        order
            .caller
            .push(row.caller.map_or(NONE, |caller| base + caller));
    }
}

fn build_tree(tree: &mut Tree, batch: &SpanBatch, members: &[u32]) {
    let spans = batch.spans();
    let id_of = |column: &[SpanId], row: usize| column.get(row).copied().unwrap_or_default();
    tree.build(members.iter().map(|row| {
        let row = *row as usize;
        TreeSpan {
            id: id_of(&spans.span_id, row),
            parent: id_of(&spans.parent_span_id, row),
            start: spans.start.get(row).copied().unwrap_or_default(),
        }
    }));
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
