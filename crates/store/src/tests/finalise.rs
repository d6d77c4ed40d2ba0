//! Merging segments, step by step.

use std::collections::BTreeSet;
use std::time::Duration;

use model::TraceId;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use testkit::spans::request;

use super::machine::{Machine, START, options};
use super::traffic::{SpanSpec, encode, ids, incoming, tenant};
use super::truth::keys;
use crate::engine::Engine;
use crate::finalise::When;
use crate::options::StoreOptions;
use crate::segment::Level;

pub(super) fn spec(trace: u64, id: u64, parent: u64) -> SpanSpec {
    SpanSpec {
        trace,
        id,
        parent,
        service: (id % 5) as usize,
        name: (id % 4) as usize,
        start: START + trace * 1_000 + id,
        lasting: 10,
        version: 0,
        is_error: false,
    }
}

fn id(trace: u64) -> TraceId {
    TraceId(ids().trace(trace))
}

fn write(machine: &Machine, specs: &[SpanSpec]) {
    write_to(machine.engine(), specs);
}

pub(super) fn write_to(engine: &Engine, specs: &[SpanSpec]) {
    let batch = incoming(&tenant(0), &encode(specs));
    assert!(engine.commit(vec![batch])[0].is_ok());
}

fn places(machine: &Machine, trace: u64) -> Vec<(Level, u32)> {
    places_in(machine.engine(), trace)
}

/// The levels of the segments that have a trace, with its spans there; one that can't be read does not tell.
pub(super) fn places_in(engine: &Engine, trace: u64) -> Vec<(Level, u32)> {
    let view = engine.view(&tenant(0));
    let found = view.segments.iter().filter_map(|placed| {
        let entry = placed.segment.find_trace(id(trace)).ok()??;
        Some((placed.listed.meta.id.level, entry.rows))
    });
    found.collect()
}

fn levels(machine: &Machine) -> Vec<Level> {
    levels_of(machine.engine())
}

pub(super) fn levels_of(engine: &Engine) -> Vec<Level> {
    let view = engine.view(&tenant(0));
    let placed = view.segments.iter();
    placed.map(|placed| placed.listed.meta.id.level).collect()
}

fn spans_of(machine: &Machine, trace: u64) -> usize {
    let answer = machine.engine().trace(&tenant(0), id(trace)).unwrap();
    assert_eq!(answer.skipped, []);
    let spans = &answer.spans;
    let distinct: BTreeSet<_> = keys(&tenant(0), spans).collect();
    assert_eq!(distinct.len(), spans.len());
    spans.len()
}

/// Three segments, each with a part of each of 20 traces: a root, its child, and the child's child.
fn three_parts(machine: &Machine) {
    for part in 0..3 {
        let spans = (1..=20u64).map(|trace| {
            spec(
                trace,
                trace * 10 + part,
                match part {
                    0 => 0,
                    part => trace * 10 + part - 1,
                },
            )
        });
        write(machine, &spans.collect::<Vec<_>>());
        assert!(machine.freeze(true));
    }
}

#[test]
fn the_parts_of_a_trace_come_together_and_its_tree_is_whole() {
    let mut machine = Machine::new();
    three_parts(&machine);
    assert_eq!(places(&machine, 7), [(Level::Fresh, 1); 3]);
    assert!(machine.finalise(When::NOW));
    assert_eq!(levels(&machine), [Level::Merged]);
    let view = machine.engine().view(&tenant(0));
    let segment = &view.segments[0].segment;
    assert_eq!(segment.verify().unwrap(), []);
    let forms = segment.patterns().unwrap().unwrap();
    let orphans = forms
        .shared()
        .iter()
        .flatten()
        .filter(|span| span.is_orphan);
    assert_eq!((forms.shared().len(), orphans.count()), (2, 0));
    let facts = machine
        .engine()
        .facts(&tenant(0), &[id(7), id(8)], &|| false)
        .unwrap()
        .facts;
    let alike: Vec<u64> = facts.iter().map(|facts| facts.alike).collect();
    assert_eq!(
        alike,
        [10, 10],
        "kinds alternate with the number of the trace"
    );
    assert!(facts.iter().all(|facts| facts.is_complete));
    for trace in 1..=20 {
        assert_eq!(places(&machine, trace), [(Level::Merged, 3)]);
        assert_eq!(spans_of(&machine, trace), 3);
        let rows = segment.find_trace(id(trace)).unwrap().unwrap().range();
        let depths = &segment.numbers("depth").unwrap()[rows];
        assert_eq!(depths, [0, 1, 2]);
    }
    drop(view);
    machine.restart();
    machine.check_files(true);
    assert_eq!(spans_of(&machine, 20), 3);
    // There is nothing left to do, also later.
    machine.clock.advance(Duration::from_secs(3600));
    assert!(!machine.engine().finalise(When::NOW, &|| false).unwrap());
}

#[test]
fn a_span_that_came_twice_is_kept_once_and_one_that_only_shares_its_ids_is_kept() {
    let machine = Machine::new();
    let other = SpanSpec {
        version: 1,
        ..spec(1, 1, 0)
    };
    for specs in [[spec(1, 1, 0), spec(1, 2, 1)], [spec(1, 2, 1), other]] {
        write(&machine, &specs);
        assert!(machine.freeze(true));
    }
    assert!(machine.finalise(When::NOW));
    assert_eq!(places(&machine, 1), [(Level::Merged, 3)]);
    assert_eq!(spans_of(&machine, 1), 3);
}

#[test]
fn a_trace_that_goes_on_behind_the_slice_waits_and_comes_together_in_the_next() {
    let mut machine = Machine::new();
    let ending = (1..=30u64).map(|trace| spec(trace, trace * 10, 0));
    write(&machine, &ending.collect::<Vec<_>>());
    assert!(machine.freeze(true));
    write(&machine, &[spec(100, 1, 0), spec(31, 310, 0)]);
    assert!(machine.freeze(true));
    write(&machine, &[spec(100, 2, 1)]);
    // Not yet: neither large nor old.
    machine.clock.advance(Duration::from_secs(6));
    assert!(!machine.engine().finalise(When::Due, &|| false).unwrap());
    machine.clock.advance(Duration::from_secs(40));
    assert!(machine.engine().finalise(When::Due, &|| false).unwrap());
    machine.restart();
    assert_eq!(levels(&machine), [Level::Merged, Level::Open]);
    assert_eq!(places(&machine, 100), [(Level::Open, 1)]);
    assert_eq!(places(&machine, 31), [(Level::Merged, 1)]);
    assert_eq!(spans_of(&machine, 100), 2);
    assert!(machine.freeze(true));
    assert!(machine.finalise(When::NOW));
    assert_eq!(places(&machine, 100), [(Level::Merged, 2)]);
    assert_eq!(spans_of(&machine, 100), 2);
    assert_eq!(levels(&machine), [Level::Merged, Level::Merged]);
}

#[test]
fn so_much_may_wait_and_not_for_ever() {
    let machine = Machine::new();
    // All of them go on: only one in twenty spans waits.
    let begun = |first: u64| (first..first + 20).map(|trace| spec(trace, trace * 10, 0));
    for first in [1, 21] {
        write(&machine, &begun(first).collect::<Vec<_>>());
        assert!(machine.freeze(true));
    }
    let gone_on = (1..=40u64).map(|trace| spec(trace, trace * 10 + 1, trace * 10));
    write(&machine, &gone_on.collect::<Vec<_>>());
    machine.clock.advance(Duration::from_secs(41));
    assert!(machine.engine().finalise(When::Due, &|| false).unwrap());
    let open = |machine: &Machine| {
        let view = machine.engine().view(&tenant(0));
        let mut open = view.segments.iter().map(|placed| &placed.listed.meta);
        open.find(|meta| meta.id.level == Level::Open)
            .map(|meta| meta.spans)
    };
    assert_eq!(open(&machine), Some(2));
    for trace in 1..=40 {
        assert_eq!(spans_of(&machine, trace), 2, "trace {trace}");
    }
    // What waits alone, waits no longer.
    machine.clock.advance(Duration::from_secs(41));
    assert!(machine.engine().finalise(When::Due, &|| false).unwrap());
    assert_eq!(open(&machine), None);
}

#[test]
fn a_trace_longer_than_a_row_group_stays_in_pieces_and_is_found_whole() {
    let machine = Machine::new();
    for part in 0..5u64 {
        let mut specs: Vec<SpanSpec> = (0..6).map(|n| spec(1, part * 6 + n + 1, 1)).collect();
        specs.push(spec(2, 1_000 + part, 0));
        write(&machine, &specs);
        assert!(machine.freeze(true));
    }
    assert!(machine.finalise(When::NOW));
    // 15 spans are a row group; pieces end with an input.
    assert_eq!(
        places(&machine, 1),
        [(Level::Piece, 18), (Level::Piece, 12)]
    );
    assert_eq!(places(&machine, 2), [(Level::Merged, 5)]);
    assert_eq!(spans_of(&machine, 1), 30);
    assert!(!machine.engine().finalise(When::NOW, &|| false).unwrap());
}

#[test]
fn a_merge_is_of_several_row_groups_and_of_no_more_spans_than_it_may() {
    let machine = Machine::new();
    for head in 0..6u64 {
        let specs = (0..36u64).map(|n| spec(1 + head * 36 + n, 1 + head * 36 + n, 0));
        write(&machine, &specs.collect::<Vec<_>>());
        assert!(machine.freeze(true));
    }
    assert!(machine.finalise(When::NOW));
    let view = machine.engine().view(&tenant(0));
    let spans: Vec<u64> = view
        .segments
        .iter()
        .map(|placed| placed.listed.meta.spans)
        .collect();
    assert_eq!(spans, [108, 108]);
    let groups = view.segments[0]
        .segment
        .spans_footer()
        .unwrap()
        .groups
        .len();
    assert_eq!(groups, 8);
    assert_eq!(view.segments[0].segment.verify().unwrap(), []);
    assert_eq!((spans_of(&machine, 1), spans_of(&machine, 200)), (1, 1));
}

#[test]
fn who_reads_while_segments_are_merged_reads_on_and_their_files_go_then() {
    let machine = Machine::new();
    three_parts(&machine);
    let view = machine.engine().view(&tenant(0));
    let files = || {
        machine
            .paths()
            .iter()
            .filter(|path| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with('f'))
            })
            .count()
    };
    let before = files();
    assert!(machine.finalise(When::NOW));
    assert_eq!(files(), before);
    for placed in view.segments.iter() {
        assert_eq!(placed.segment.read_all().unwrap().len(), 20);
    }
    drop(view);
    assert_eq!(files(), 0);
    machine.check_files(true);
}

#[test]
fn what_retention_removes_during_a_merge_does_not_come_back() {
    let machine = Machine::with(StoreOptions {
        retention_age: Duration::from_secs(100),
        ..options()
    });
    write(&machine, &[spec(1, 1, 0)]);
    assert!(machine.freeze(true));
    machine.clock.advance(Duration::from_secs(99));
    write(&machine, &[spec(2, 2, 0)]);
    assert!(machine.freeze(true));
    let expired = std::cell::Cell::new(0);
    let expire = || {
        machine.clock.advance(Duration::from_secs(2));
        expired.set(expired.get() + machine.engine().expire().unwrap());
        false
    };
    assert!(machine.engine().finalise(When::NOW, &expire).unwrap());
    assert_eq!(expired.get(), 1);
    assert_eq!(levels(&machine), [Level::Fresh]);
    assert!(machine.finalise(When::NOW));
    assert_eq!((spans_of(&machine, 1), spans_of(&machine, 2)), (0, 1));
}

#[test]
fn a_merged_segment_is_as_old_as_its_newest_span_and_goes_whole() {
    let machine = Machine::with(StoreOptions {
        retention_age: Duration::from_secs(100),
        ..options()
    });
    for trace in 1..=2 {
        write(&machine, &[spec(trace, trace, 0)]);
        assert!(machine.freeze(true));
        machine.clock.advance(Duration::from_secs(60));
    }
    assert!(machine.finalise(When::NOW));
    assert_eq!(machine.engine().expire().unwrap(), 0);
    machine.clock.advance(Duration::from_secs(41));
    assert_eq!(machine.engine().expire().unwrap(), 1);
    assert_eq!((spans_of(&machine, 1), spans_of(&machine, 2)), (0, 0));
}

#[test]
fn an_input_that_cannot_be_read_is_left_alone_and_the_others_are_merged() {
    let machine = Machine::new();
    three_parts(&machine);
    let path = machine
        .paths()
        .into_iter()
        .filter(|path| path.to_string_lossy().ends_with("spans.parquet"))
        .nth(1)
        .unwrap();
    for byte in (100..1_500).step_by(50) {
        machine.files.flip_bit(&path, byte, 3).unwrap();
    }
    assert!(machine.finalise(When::NOW));
    let left = levels(&machine);
    assert_eq!(left, [Level::Merged, Level::Fresh, Level::Merged]);
    // The two that are sound: the damaged one lies between them.
    assert_eq!(
        places(&machine, 3),
        [(Level::Merged, 1), (Level::Merged, 1)]
    );
}

#[test]
fn a_merge_that_is_cancelled_or_fails_leaves_everything_as_it_was() {
    let mut machine = Machine::new();
    three_parts(&machine);
    let before = machine.paths();
    assert!(!machine.engine().finalise(When::NOW, &|| true).unwrap());
    assert_eq!(machine.paths(), before);
    machine.files.set_capacity(0);
    assert!(
        machine
            .engine()
            .finalise(When::NOW, &|| false)
            .unwrap_err()
            .is_disk_full()
    );
    assert_eq!(levels(&machine), [Level::Fresh; 3]);
    assert_eq!(spans_of(&machine, 5), 3);
    machine.files.set_capacity(u64::MAX);
    machine.restart();
    machine.check_files(true);
    assert!(machine.finalise(When::NOW));
    assert_eq!(spans_of(&machine, 5), 3);
}

#[test]
fn spans_with_large_values_are_merged_a_few_at_a_time() {
    let machine = Machine::new();
    let mut rng = SmallRng::seed_from_u64(5);
    for trace in 1..=6u64 {
        // Two hex digits a byte: half of it is left when it is stored.
        let blob: String = (0..1 << 17)
            .map(|_| format!("{:016x}", rng.random::<u64>()))
            .collect();
        let builder = request().seed(7).service("shop").scope("lib", "1");
        let builder = builder.span("upload", |s| {
            let s = s
                .trace(trace)
                .id(trace)
                .start_ns(START + trace)
                .lasting_ns(1);
            s.attr("blob", blob)
        });
        let batch = incoming(&tenant(0), &builder.encode().into());
        assert!(machine.engine().commit(vec![batch])[0].is_ok());
        assert!(machine.freeze(true));
    }
    assert!(machine.finalise(When::NOW));
    let view = machine.engine().view(&tenant(0));
    let footer = view.segments[0].segment.spans_footer().unwrap();
    let rows: Vec<usize> = footer.groups.iter().map(|group| group.rows.len()).collect();
    assert_eq!(rows, [3, 3], "4 MiB are a row group");
    assert!((1..=6).all(|trace| spans_of(&machine, trace) == 1));
}
