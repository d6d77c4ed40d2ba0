//! The own times of a row group's spans: each trace's, by the tree that its rows make.

use model::batch::SpanBatch;
use model::tree::{OwnTime, OwnTimes, Time};

use super::order::RowOrder;

/// The own times of all rows.
pub(crate) fn own_times(batch: &SpanBatch, order: &RowOrder) -> Vec<OwnTime> {
    let spans = batch.spans();
    let at = |column: &[u64], row: u32| column.get(row as usize).copied().unwrap_or_default();
    let times: Vec<Time> = order
        .source
        .iter()
        .map(|row| Time::of(at(&spans.start, *row), at(&spans.end, *row)))
        .collect();
    let mut own = Vec::with_capacity(times.len());
    let mut finder = OwnTimes::default();
    for trace in &order.traces {
        let times = times.get(trace.range()).unwrap_or_default();
        let deltas = order.parent_delta.get(trace.range()).unwrap_or_default();
        finder.find(times, deltas, |of_row| own.push(of_row), |_| {});
    }
    own
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
    fn calls_in_sequence_are_on_the_path_where_a_clock_cut_their_starts_to_the_millisecond() {
        // 2, 3 and 5 follow each other; each seems to begin before the one in front has ended. 4 ended before 2 seems
        // to end, inside what counts of it.
        let spans = [
            (1, 0, 0, 12_400_000),
            (2, 1, 1_000_000, 4_700_000),
            (4, 2, 3_000_000, 4_500_000),
            (3, 1, 4_000_000, 9_300_000),
            (5, 1, 9_000_000, 12_900_000),
        ];
        assert_eq!(
            told(&spans),
            [
                (1, 1_000_000, 1_000_000),
                (2, 2_200_000, 2_000_000),
                (3, 5_300_000, 5_000_000),
                (4, 1_500_000, 1_000_000),
                (5, 3_900_000, 3_400_000),
            ]
        );
        // One that is short seems to lie inside the one in front of it, and is behind it all the same.
        let short = [
            (1, 0, 0, 9_000_000),
            (2, 1, 1_000_000, 4_700_000),
            (3, 1, 4_000_000, 4_200_000),
            (4, 1, 5_000_000, 8_000_000),
        ];
        assert_eq!(
            told(&short),
            [
                (1, 2_300_000, 2_800_000),
                (2, 3_700_000, 3_000_000),
                (3, 200_000, 200_000),
                (4, 3_000_000, 3_000_000),
            ]
        );
        // The first began in the millisecond of its parent, and before it; what is cut is the start, not what it shows.
        let early = [
            (1, 0, 500_000, 9_000_000),
            (2, 1, 0, 3_400_000),
            (3, 1, 3_000_000, 9_000_000),
        ];
        assert_eq!(
            told(&early),
            [
                (1, 0, 0),
                (2, 3_400_000, 2_500_000),
                (3, 6_000_000, 6_000_000)
            ]
        );
        // Beside 5 run what begins no whole milliseconds before it, what overlaps by one, and what begins with it.
        for beside in [
            (9, 1, 2_500_000, 9_900_000),
            (9, 1, 2_000_000, 10_000_000),
            (9, 1, 9_000_000, 9_900_000),
        ] {
            let told = told(&[&spans[..], &[beside]].concat());
            assert_eq!(told.last().map(|(_, _, critical)| *critical), Some(0));
            assert_eq!(
                told.get(2).map(|(_, _, critical)| *critical),
                Some(5_000_000)
            );
        }
    }

    #[test]
    fn several_roots_share_the_time_from_the_first_start_to_the_last_end() {
        let spans = [(2, 9, 0, 40), (3, 9, 60, 100), (4, 9, 30, 35)];
        assert_eq!(told(&spans), [(2, 40, 40), (3, 40, 40), (4, 5, 0)]);
    }

    proptest! {
        #[test]
        fn the_path_of_a_trace_with_one_root_is_as_long_as_the_root(
            spans in prop::collection::vec((0usize..20, 0u64..1000, 0u64..400), 0..20),
            // Nanoseconds, and hundreds of microseconds, some of whose starts a clock cuts to the millisecond.
            unit in prop::sample::select(&[1u64, 100_000]),
            cut in prop::sample::select(&[1u64, 1_000_000]),
        ) {
            let mut all = vec![(1u64, 0u64, 100 * unit, 900 * unit)];
            for (n, (parent, start, length)) in spans.into_iter().enumerate() {
                let parent = all[parent % all.len()].0;
                let start = start * unit / cut * cut;
                all.push((n as u64 + 2, parent, start, start + length * unit));
            }
            let told = told(&all);
            let path: u64 = told.iter().map(|(_, _, critical)| critical).sum();
            prop_assert_eq!(path, 800 * unit);
            for ((id, own, critical), (_, _, start, end)) in told.iter().zip(&all) {
                prop_assert!(*own <= end - start, "{}", id);
                prop_assert!(*critical <= end - start, "{}", id);
            }
        }
    }
}
