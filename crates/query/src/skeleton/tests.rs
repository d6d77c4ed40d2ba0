//! Skeletons of small traces by hand, and of any trace.

use model::outline::{OutlineResource, OutlineRow};
use model::{SpanId, TraceOutline, Value};
use proptest::prelude::*;

use super::{CriticalPiece, Skeleton, flag};

/// A span as (id, parent, start, end); all of one operation unless said otherwise.
type Span = (u64, u64, u64, u64);

fn outline(spans: &[Span], change: impl Fn(usize, &mut OutlineRow)) -> TraceOutline {
    let host = |name: &str| OutlineResource {
        service: format!("of {name}"),
        attributes: vec![("host.name".to_owned(), Value::String(name.to_owned()))],
    };
    let mut outline = TraceOutline {
        names: vec!["a".to_owned(), "b".to_owned()],
        resources: vec![host("one"), host("two")],
        ..TraceOutline::default()
    };
    for (at, (id, parent, start, end)) in spans.iter().enumerate() {
        let mut row = OutlineRow {
            span_id: SpanId::from_number(*id),
            parent: SpanId::from_number(*parent),
            start: *start,
            end: *end,
            ..OutlineRow::default()
        };
        change(at, &mut row);
        outline.push(&row);
    }
    outline
}

fn skeleton(spans: &[Span]) -> Skeleton {
    Skeleton::of(&outline(spans, |_, _| {}), 0)
}

fn ids(skeleton: &Skeleton) -> Vec<u64> {
    skeleton.rows.span_id.iter().map(|id| id.number()).collect()
}

#[test]
fn rows_stand_below_their_parents_and_times_begin_with_the_trace() {
    let told = skeleton(&[
        (3, 1, 130, 150),
        (1, 0, 100, 200),
        (4, 2, 115, 119),
        (2, 1, 110, 120),
    ]);
    assert_eq!(ids(&told), [1, 2, 4, 3]);
    assert_eq!(told.rows.source, [1, 3, 2, 0]);
    assert_eq!(told.rows.depth, [0, 1, 2, 1]);
    assert_eq!(told.rows.subtree, [4, 2, 1, 1]);
    assert_eq!(told.rows.start, [0, 10, 15, 30]);
    assert_eq!(told.rows.duration, [100, 10, 4, 20]);
    assert_eq!(told.rows.own, [70, 6, 4, 20]);
    assert_eq!(
        (told.start, told.duration, told.is_complete),
        (100, 100, true)
    );
    assert!(told.warnings.is_empty(), "{:?}", told.warnings);
}

#[test]
fn the_critical_path_is_told_in_pieces_by_time() {
    let told = skeleton(&[(1, 0, 0, 100), (2, 1, 20, 60), (3, 1, 30, 90)]);
    let piece = |row, from, to| CriticalPiece { row, from, to };
    assert_eq!(
        told.critical,
        [piece(0, 0, 30), piece(2, 30, 90), piece(0, 90, 100)]
    );
    let is_critical = told
        .rows
        .flags
        .iter()
        .map(|flags| flags & flag::CRITICAL != 0);
    assert_eq!(is_critical.collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn orphans_and_circles_are_shown_and_told() {
    let told = skeleton(&[
        (1, 0, 0, 9),
        (2, 77, 3, 5),
        (3, 4, 6, 7),
        (4, 3, 5, 8),
        (5, 1, 8, 2),
    ]);
    assert_eq!(ids(&told), [1, 5, 2, 4, 3]);
    assert_eq!(told.rows.subtree, [2, 1, 1, 2, 1]);
    assert!(!told.is_complete);
    assert_eq!(
        told.warnings,
        [
            "1 span has a parent that is not in the trace",
            "1 span is its own ancestor",
            "1 span has no end, or one before its start"
        ]
    );
}

#[test]
fn a_client_and_a_server_may_share_an_id() {
    let spans = [
        (1, 0, 0, 100),
        (2, 1, 10, 90),
        (2, 1, 20, 80),
        (3, 2, 30, 40),
    ];
    let kinds = [2, 3, 2, 1];
    let told = Skeleton::of(&outline(&spans, |at, row| row.kind = kinds[at]), 0);
    assert_eq!(told.rows.source, [0, 1, 2, 3]);
    assert_eq!(
        told.rows.depth,
        [0, 1, 2, 3],
        "what the server called stands below it"
    );
    assert_eq!(ids(&told), [1, 2, 2, 3], "ids are told as they were sent");
    assert!(told.warnings.is_empty(), "{:?}", told.warnings);
}

#[test]
fn an_id_that_a_server_is_given_is_no_orphans_parent() {
    let spans = [(8, 0, 0, 100), (8, 0, 20, 80), (9, 1, 30, 40)];
    let kinds = [3, 2, 1];
    let told = Skeleton::of(&outline(&spans, |at, row| row.kind = kinds[at]), 0);
    assert_eq!(told.rows.depth, [0, 1, 0]);
    assert_eq!(told.rows.flags[2] & flag::ORPHAN, flag::ORPHAN);
}

#[test]
fn four_like_siblings_one_after_the_other_are_a_run() {
    let mut spans = vec![(1, 0, 0, 100)];
    spans.extend((2..15).map(|n| (n, 1, n * 2, n * 2 + 1)));
    // Another operation ends the run; what is below a sibling does not.
    spans.push((20, 3, 6, 7));
    let name = |at: usize, row: &mut OutlineRow| row.name = u32::from(matches!(at, 5 | 9));
    let told = Skeleton::of(&outline(&spans, name), 0);
    assert_eq!(ids(&told)[..4], [1, 2, 3, 20]);
    assert_eq!(
        told.rows.group,
        [0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 2, 2, 2, 2]
    );
    let heads: Vec<usize> = (0..told.rows.len())
        .filter(|row| told.rows.flags[*row] & flag::GROUP_HEAD != 0)
        .collect();
    assert_eq!(heads, [1, 11]);
}

#[test]
fn a_clock_that_differs_is_corrected_up_to_the_limit() {
    // The second host is 50 behind: its span seems to start before it was called.
    let spans = [(1, 0, 100, 200), (2, 1, 60, 120), (3, 2, 70, 80)];
    let of_host = |at: usize, row: &mut OutlineRow| row.resource = u32::from(at > 0);
    let outline = outline(&spans, of_host);
    let left = Skeleton::of(&outline, 10);
    assert_eq!(left.rows.start, [40, 0, 10]);
    assert_eq!(
        left.warnings,
        ["2 spans lie outside of their parents; clocks may differ"]
    );
    let moved = Skeleton::of(&outline, 1_000);
    assert_eq!(
        moved.rows.start,
        [0, 20, 30],
        "in the middle of the span that called it"
    );
    assert_eq!(
        moved.rows.flags[2] & flag::SKEW_ADJUSTED,
        flag::SKEW_ADJUSTED
    );
    assert_eq!(
        moved.warnings,
        ["2 spans were moved, since the clocks of their hosts differ"]
    );
}

#[test]
fn the_version_changes_with_every_span_and_not_with_their_order() {
    let spans = [(1, 0, 0, 9), (2, 1, 3, 5), (3, 1, 4, 5)];
    let turned = [spans[2], spans[0], spans[1]];
    assert_eq!(skeleton(&spans).version, skeleton(&turned).version);
    assert_ne!(skeleton(&spans).version, skeleton(&spans[..2]).version);
    assert_ne!(
        skeleton(&spans).version,
        skeleton(&[spans[0], spans[1], (3, 1, 4, 6)]).version
    );
}

proptest! {
    #[test]
    fn every_span_has_one_row_in_the_subtree_of_its_parent(
        spans in prop::collection::vec((0u64..12, 0u64..12, 0u64..50, 0u64..50), 0..40)
    ) {
        let told = skeleton(&spans);
        let mut sources = told.rows.source.clone();
        sources.sort_unstable();
        prop_assert_eq!(sources, (0..).take(spans.len()).collect::<Vec<u32>>());
        let subtree = &told.rows.subtree;
        for row in 0..subtree.len() {
            let below = row + 1..row + subtree[row] as usize;
            prop_assert!(below.end <= subtree.len());
            prop_assert!(below.clone().all(|at| told.rows.depth[at] > told.rows.depth[row]));
            let next = told.rows.depth.get(below.end);
            prop_assert!(next.is_none_or(|depth| *depth <= told.rows.depth[row]));
        }
        let top = (0..subtree.len()).filter(|row| told.rows.depth[*row] == 0);
        prop_assert_eq!(top.map(|row| subtree[row] as usize).sum::<usize>(), spans.len());
        for piece in &told.critical {
            prop_assert!(piece.from < piece.to && piece.to <= told.duration);
        }
    }
}
