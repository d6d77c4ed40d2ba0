//! What is known of a trace when all its spans are there: its root, its children, its times.
//!
//! Promises: the tree and the times are those of [`model::tree`], by which the store's merged segments tell them, too.

use model::batch::{SpanBatch, SpanRef};
use model::tree::{OwnTimes, Time, Tree, TreeRow, TreeSpan};

/// OTLP's number.
const STATUS_ERROR: i32 = 2;

/// What a trace is; rows are those of its batch.
#[derive(Debug, Default)]
pub(crate) struct TraceFacts<'a> {
    /// The span without a parent that starts first.
    pub root: Option<SpanRef<'a>>,
    /// Latest end minus earliest start, in nanoseconds.
    pub duration: u64,
    pub spans: usize,
    pub errors: usize,
    /// By row: the spans whose parent it is.
    pub children: Vec<u64>,
    /// By row, in nanoseconds.
    pub self_time: Vec<u64>,
    /// By row, in nanoseconds.
    pub critical_time: Vec<u64>,
}

impl<'a> TraceFacts<'a> {
    /// Looks at all spans of a trace.
    pub(crate) fn of(trace: &'a SpanBatch) -> Self {
        let start = trace
            .iter()
            .map(|span| span.start())
            .min()
            .unwrap_or_default();
        let end = trace
            .iter()
            .map(|span| span.end())
            .max()
            .unwrap_or_default();
        let roots = trace.iter().filter(|span| span.parent_span_id().is_zero());
        let mut facts = Self {
            root: roots.min_by_key(SpanRef::start),
            duration: end.saturating_sub(start),
            spans: trace.len(),
            errors: trace
                .iter()
                .filter(|span| span.status() == STATUS_ERROR)
                .count(),
            children: vec![0; trace.len()],
            self_time: vec![0; trace.len()],
            critical_time: vec![0; trace.len()],
        };
        facts.put_tree(trace);
        facts
    }

    /// Counts children, and tells what of the time of each span is its own.
    fn put_tree(&mut self, trace: &SpanBatch) {
        let mut tree = Tree::default();
        tree.build(trace.iter().map(|span| TreeSpan {
            id: span.span_id(),
            parent: span.parent_span_id(),
            start: span.start(),
        }));
        let rows: Vec<TreeRow> = tree.rows().collect();
        // By place in the tree: the row in the batch.
        let span_at = |place: u32| rows.get(place as usize).map(|row| row.span as usize);
        for row in &rows {
            // A span that names itself is no child.
            let parent = row.caller.and_then(span_at);
            let parent = parent.filter(|parent| *parent != row.span as usize);
            if let Some(count) = parent.and_then(|parent| self.children.get_mut(parent)) {
                *count += 1;
            }
        }
        let time = |row: &TreeRow| {
            let span = trace.span(row.span as usize);
            span.map_or_else(Time::default, |span| Time::of(span.start(), span.end()))
        };
        let times: Vec<Time> = rows.iter().map(time).collect();
        let deltas: Vec<i32> = rows.iter().map(|row| row.parent_delta).collect();
        let mut spans = rows.iter().map(|row| row.span as usize);
        OwnTimes::default().find(
            &times,
            &deltas,
            |of_row| {
                let Some(span) = spans.next() else { return };
                if let Some(own) = self.self_time.get_mut(span) {
                    *own = of_row.own;
                }
                if let Some(critical) = self.critical_time.get_mut(span) {
                    *critical = of_row.critical;
                }
            },
            |_| {},
        );
    }
}
