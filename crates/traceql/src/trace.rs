//! What is known of a trace when all its spans are there: its root, its children, its times.
//!
//! Promises: the tree and the times are those of [`model::tree`], by which the store's merged segments tell them, too.

use model::batch::{SpanBatch, SpanRef};
use model::tree::{OwnTimes, Time, Tree, TreeRow, TreeSpan};

/// OTLP's number.
const STATUS_ERROR: i32 = 2;

/// What a trace is.
#[derive(Debug, Default)]
pub(crate) struct TraceFacts<'a> {
    /// The span without a parent that starts first.
    pub root: Option<SpanRef<'a>>,
    /// Latest end minus earliest start, in nanoseconds.
    pub duration: u64,
    pub spans: usize,
    pub errors: usize,
    /// By place of the span: the spans whose parent it is.
    pub children: Vec<u64>,
    /// By place of the span, in nanoseconds.
    pub self_time: Vec<u64>,
    /// By place of the span, in nanoseconds.
    pub critical_time: Vec<u64>,
    /// The row of the span at a place; ascending. None: the batch holds the trace alone.
    rows: Option<&'a [usize]>,
}

impl<'a> TraceFacts<'a> {
    /// Looks at all spans of a batch, which are those of one trace.
    pub(crate) fn of(trace: &'a SpanBatch) -> Self {
        Self::new(None, &trace.iter().collect::<Vec<_>>())
    }

    /// Looks at the spans of a trace in a batch that holds others, too; their rows ascend.
    pub(crate) fn of_rows(batch: &'a SpanBatch, rows: &'a [usize]) -> Self {
        let spans = rows.iter().filter_map(|row| batch.span(*row));
        Self::new(Some(rows), &spans.collect::<Vec<_>>())
    }

    fn new(rows: Option<&'a [usize]>, spans: &[SpanRef<'a>]) -> Self {
        let start = spans.iter().map(SpanRef::start).min().unwrap_or_default();
        let end = spans.iter().map(SpanRef::end).max().unwrap_or_default();
        let roots = spans.iter().filter(|span| span.parent_span_id().is_zero());
        let errors = spans.iter().filter(|span| span.status() == STATUS_ERROR);
        let mut facts = Self {
            root: roots.min_by_key(|span| span.start()).copied(),
            duration: end.saturating_sub(start),
            spans: spans.len(),
            errors: errors.count(),
            children: vec![0; spans.len()],
            self_time: vec![0; spans.len()],
            critical_time: vec![0; spans.len()],
            rows,
        };
        facts.put_tree(spans);
        facts
    }

    /// A value of a column, by the row of the span.
    pub(crate) fn by_row(&self, column: &[u64], row: usize) -> u64 {
        let place = match self.rows {
            None => Some(row),
            Some(rows) => rows.binary_search(&row).ok(),
        };
        let value = place.and_then(|place| column.get(place));
        value.copied().unwrap_or_default()
    }

    /// Counts children, and tells what of the time of each span is its own.
    fn put_tree(&mut self, spans: &[SpanRef<'a>]) {
        let mut tree = Tree::default();
        tree.build(spans.iter().map(|span| TreeSpan {
            id: span.span_id(),
            parent: span.parent_span_id(),
            start: span.start(),
        }));
        let rows: Vec<TreeRow> = tree.rows().collect();
        // By place in the tree: the place of the span.
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
            let span = spans.get(row.span as usize);
            span.map_or_else(Time::default, |span| Time::of(span.start(), span.end()))
        };
        let times: Vec<Time> = rows.iter().map(time).collect();
        let deltas: Vec<i32> = rows.iter().map(|row| row.parent_delta).collect();
        let mut places = rows.iter().map(|row| row.span as usize);
        OwnTimes::default().find(
            &times,
            &deltas,
            |of_row| {
                let Some(span) = places.next() else { return };
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
