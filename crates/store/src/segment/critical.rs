//! How much of a trace's time each of its spans accounts for: its own time, and what of that is on the critical path.
//!
//! *Self time* is what of a span no child of it covers.
//!
//! The *critical path* is found backwards. From the end of a span on, the child that ended last is what the span waited
//! for; between that end and where one stood the span itself was at work. One goes on at the child's start, with the
//! child that had ended last by then, and so on; what is left before the first of them is the span's own. A child that
//! was still running where one stood ran beside the path and adds nothing. A child counts only as far as it lies inside
//! its parent, so work that goes on when nobody waits any more is not on the path. Where a trace has several roots,
//! they are taken for the children of one span from the first start to the last end.
//!
//! Promises: over all spans of a complete trace the critical times are the duration of its root.
//!
//! Source: Z. Zhang et al., "CRISP: Critical Path Analysis of Large-Scale Microservice Architectures", USENIX ATC 2022.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows of a segment are far below 2^32"
)]

use model::batch::SpanBatch;

use super::order::{NONE, RowOrder, TraceRows};

/// What of a span's duration is its own, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct OwnTime {
    /// What no child covers.
    pub own: u64,
    /// What of the trace's duration it is to account for.
    pub critical: u64,
}

/// From one moment to another, the second never before the first.
#[derive(Debug, Clone, Copy, Default)]
struct Time {
    from: u64,
    to: u64,
}

impl Time {
    fn of(from: u64, to: u64) -> Self {
        Self {
            from,
            to: to.max(from),
        }
    }

    /// What of it lies inside another.
    fn inside(self, other: Self) -> Self {
        let from = self.from.clamp(other.from, other.to);
        Self::of(from, self.to.min(other.to))
    }

    fn len(self) -> u64 {
        self.to - self.from
    }
}

/// The own times of all rows.
pub(crate) fn own_times(batch: &SpanBatch, order: &RowOrder) -> Vec<OwnTime> {
    let mut finder = Finder {
        times: order
            .source
            .iter()
            .map(|source| time_of(batch, *source))
            .collect(),
        own: Vec::with_capacity(order.source.len()),
        ..Finder::default()
    };
    for trace in &order.traces {
        finder.trace(trace, order);
    }
    finder.own
}

fn time_of(batch: &SpanBatch, source: u32) -> Time {
    let spans = batch.spans();
    let at = |column: &[u64]| column.get(source as usize).copied().unwrap_or_default();
    Time::of(at(&spans.start), at(&spans.end))
}

#[derive(Debug, Default)]
struct Finder {
    /// By row.
    times: Vec<Time>,
    own: Vec<OwnTime>,
    /// By row of the trace: its time inside its parent, where one stood when one came to it; `None` beside the path.
    on_path: Vec<Option<Time>>,
    /// By row of the trace: its first child and its next sibling, as rows of the trace.
    first_child: Vec<u32>,
    next_sibling: Vec<u32>,
    children: Vec<(Time, u32)>,
}

impl Finder {
    fn trace(&mut self, trace: &TraceRows, order: &RowOrder) {
        let base = trace.first_row as usize;
        let rows = trace.rows as usize;
        let mut roots = self.link(base, rows, order);
        let all = self.times.get(trace.range()).unwrap_or_default();
        let from = all.iter().map(|time| time.from).min().unwrap_or_default();
        let to = all.iter().map(|time| time.to).max().unwrap_or_default();
        self.on_path.clear();
        self.on_path.resize(rows, None);
        // One root is the whole path, whatever else goes on.
        let whole = match (roots, self.next(roots)) {
            (NONE, _) => Time::default(),
            (only, NONE) => self.time(base, only),
            _ => Time::of(from, to),
        };
        self.walk(base, roots, whole);
        // Rows are in pre-order, so a parent is settled before its children.
        for row in 0..rows as u32 {
            roots = at(&self.first_child, row);
            let time = self.time(base, row);
            let own = self.uncovered(base, roots, time);
            let critical = match self.on_path.get(row as usize).copied().flatten() {
                Some(inside) => self.walk(base, roots, inside),
                None => 0,
            };
            self.own.push(OwnTime { own, critical });
        }
    }

    /// Links the rows of a trace to their children; gives the first root.
    fn link(&mut self, base: usize, rows: usize, order: &RowOrder) -> u32 {
        self.first_child.clear();
        self.first_child.resize(rows, NONE);
        self.next_sibling.clear();
        self.next_sibling.resize(rows, NONE);
        let mut first_root = NONE;
        for row in (0..rows as u32).rev() {
            let delta = order.parent_delta.get(base + row as usize).copied();
            let delta = u32::try_from(delta.unwrap_or_default()).unwrap_or_default();
            let first = match (delta, row.checked_sub(delta)) {
                (0, _) | (_, None) => &mut first_root,
                (_, Some(parent)) => match self.first_child.get_mut(parent as usize) {
                    Some(first) => first,
                    None => continue,
                },
            };
            if let Some(next) = self.next_sibling.get_mut(row as usize) {
                *next = std::mem::replace(first, row);
            }
        }
        first_root
    }

    fn next(&self, row: u32) -> u32 {
        at(&self.next_sibling, row)
    }

    fn time(&self, base: usize, row: u32) -> Time {
        let time = self.times.get(base + row as usize);
        time.copied().unwrap_or_default()
    }

    /// What of a time some siblings, in order of their start, don't cover.
    fn uncovered(&self, base: usize, first: u32, time: Time) -> u64 {
        let (mut covered_to, mut uncovered) = (time.from, 0);
        let mut row = first;
        while row != NONE {
            let child = self.time(base, row).inside(time);
            uncovered += child.from.saturating_sub(covered_to);
            covered_to = covered_to.max(child.to);
            row = self.next(row);
        }
        uncovered + time.to.saturating_sub(covered_to)
    }

    /// Goes back through a time from its end, and puts those siblings on the path that were waited for; gives what is
    /// left between them.
    fn walk(&mut self, base: usize, first: u32, time: Time) -> u64 {
        self.children.clear();
        let mut row = first;
        while row != NONE {
            let child = self.time(base, row).inside(time);
            if child.len() > 0 {
                self.children.push((child, row));
            }
            row = self.next(row);
        }
        // The last to end first; of several, the longest.
        self.children.sort_unstable_by(|(a, a_row), (b, b_row)| {
            (b.to, a.from, a_row).cmp(&(a.to, b.from, b_row))
        });
        let (mut stand, mut left) = (time.to, 0);
        for (child, row) in &self.children {
            if child.to > stand {
                continue;
            }
            left += stand - child.to;
            stand = child.from;
            if let Some(slot) = self.on_path.get_mut(*row as usize) {
                *slot = Some(*child);
            }
        }
        left + (stand - time.from)
    }
}

fn at(column: &[u32], row: u32) -> u32 {
    column.get(row as usize).copied().unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use model::batch::{BatchBuilder, SpanRow};
    use model::{SpanId, TraceId};
    use proptest::prelude::*;

    use super::super::order::{TraceOrder, order_rows};
    use super::*;

    /// By span id: (own, critical) of spans given as (id, parent, start, end).
    fn told(spans: &[(u64, u64, u64, u64)]) -> Vec<(u64, u64, u64)> {
        let mut builder = BatchBuilder::new();
        for (id, parent, start, end) in spans {
            builder.push_span(SpanRow {
                trace_id: TraceId([1; 16]),
                span_id: SpanId::from_number(*id),
                parent_span_id: SpanId::from_number(*parent),
                start: *start,
                end: *end,
                ..Default::default()
            });
        }
        let batch = builder.finish();
        let order = order_rows(&batch, TraceOrder::ByStart);
        let times = own_times(&batch, &order);
        let id = |source: &u32| batch.spans().span_id[*source as usize].number();
        let of_row = order.source.iter().zip(times);
        let mut told: Vec<_> = of_row.map(|(s, t)| (id(s), t.own, t.critical)).collect();
        told.sort_unstable();
        told
    }

    #[test]
    fn one_after_the_other_all_own_time_is_critical() {
        let spans = [
            (1, 0, 0, 100),
            (2, 1, 10, 40),
            (3, 1, 50, 90),
            (4, 3, 60, 70),
        ];
        assert_eq!(
            told(&spans),
            [(1, 30, 30), (2, 30, 30), (3, 30, 30), (4, 10, 10)]
        );
    }

    #[test]
    fn of_what_runs_side_by_side_only_the_last_to_end_is_waited_for() {
        // 2 and 3 overlap; 3 ends last. 4 ended before 3 began.
        let spans = [
            (1, 0, 0, 100),
            (2, 1, 20, 60),
            (3, 1, 30, 90),
            (4, 1, 5, 15),
        ];
        assert_eq!(
            told(&spans),
            [
                (1, 5 + 5 + 10, 10 + 15 + 5),
                (2, 40, 0),
                (3, 60, 60),
                (4, 10, 10)
            ]
        );
    }

    #[test]
    fn what_goes_on_after_its_parent_counts_only_as_far_as_the_parent_lasts() {
        let spans = [
            (1, 0, 0, 100),
            (2, 1, 80, 150),
            (3, 2, 110, 140),
            (4, 1, 200, 210),
        ];
        assert_eq!(
            told(&spans),
            [(1, 80, 80), (2, 40, 20), (3, 30, 0), (4, 10, 0)]
        );
    }

    #[test]
    fn several_roots_share_the_time_from_the_first_start_to_the_last_end() {
        let spans = [(2, 9, 0, 40), (3, 9, 60, 100), (4, 9, 30, 35)];
        assert_eq!(told(&spans), [(2, 40, 40), (3, 40, 40), (4, 5, 0)]);
    }

    proptest! {
        #[test]
        fn the_path_of_a_trace_with_one_root_is_as_long_as_the_root(
            spans in prop::collection::vec((0usize..20, 0u64..1000, 0u64..400), 0..20)
        ) {
            let mut all = vec![(1u64, 0u64, 100u64, 900u64)];
            for (n, (parent, start, length)) in spans.into_iter().enumerate() {
                let parent = all[parent % all.len()].0;
                all.push((n as u64 + 2, parent, start, start + length));
            }
            let told = told(&all);
            prop_assert_eq!(told.iter().map(|(_, _, critical)| critical).sum::<u64>(), 800);
            for ((id, own, critical), (_, _, start, end)) in told.iter().zip(&all) {
                prop_assert!(*own <= end - start, "{}", id);
                prop_assert!(*critical <= end - start, "{}", id);
            }
        }
    }
}
