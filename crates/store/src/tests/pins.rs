//! Pinned traces outlive retention, whatever fails.

use std::collections::BTreeSet;
use std::time::Duration;

use journal::{Fault, FaultScope};
use model::TraceId;

use super::machine::{Machine, options, send_spec, spans_of, spec};
use super::traffic::{SpanSpec, encode, ids, incoming, tenant};
use super::truth::keys;
use crate::engine::lock;
use crate::finalise::When;
use crate::options::StoreOptions;
use crate::pins::PINS_MAX;
use crate::segment::Level;

const AGE: Duration = Duration::from_secs(3601);

fn id(trace: u64) -> TraceId {
    TraceId(ids().trace(trace))
}

fn pin(machine: &Machine, trace: u64) -> bool {
    machine.engine().pin(&tenant(0), id(trace)).unwrap()
}

fn pinned(machine: &Machine) -> Vec<TraceId> {
    let pins = machine.engine().pins(&tenant(0));
    pins.iter().map(|pin| pin.trace_id).collect()
}

/// Three segments, each with a span of traces 1 and 2, and of one of its own.
fn three_parts(machine: &Machine) {
    for part in 1..4 {
        let specs = [spec(1, part), spec(2, 10 + part), spec(2 + part, 20 + part)];
        let batch = incoming(&tenant(0), &encode(&specs));
        assert!(machine.engine().commit(vec![batch])[0].is_ok());
        assert!(machine.freeze(true));
        machine.clock.advance(Duration::from_secs(1));
    }
}

/// The levels of the segments that have a trace, with its spans there.
fn places(machine: &Machine, trace: u64) -> Vec<(Level, u32)> {
    let view = machine.engine().view(&tenant(0));
    let found = view.segments.iter().filter_map(|placed| {
        let entry = placed.segment.find_trace(id(trace)).unwrap()?;
        Some((placed.listed.meta.id.level, entry.rows))
    });
    found.collect()
}

fn left(machine: &Machine) -> [usize; 5] {
    [1, 2, 3, 4, 5].map(|trace| spans_of(machine.engine(), trace))
}

#[test]
fn a_pinned_trace_outlives_its_age_and_leaves_when_it_is_unpinned() {
    let mut machine = Machine::new();
    three_parts(&machine);
    assert!(pin(&machine, 1));
    assert!(pin(&machine, 1), "it is pinned already");
    assert!(!pin(&machine, 77), "there is no such trace");
    assert_eq!(pinned(&machine), [id(1)]);
    machine.clock.advance(AGE);
    assert_eq!(machine.engine().expire().unwrap(), 3);
    assert_eq!(left(&machine), [3, 0, 0, 0, 0]);
    assert_eq!(places(&machine, 1), [(Level::Pinned, 3)]);
    assert_eq!(
        lock(&machine.engine().manifest).contents().segments.len(),
        1
    );
    machine.check_files(false);
    machine.restart();
    machine.check_files(true);
    assert_eq!(pinned(&machine), [id(1)]);
    assert_eq!(machine.engine().expire().unwrap(), 0);
    assert_eq!(left(&machine), [3, 0, 0, 0, 0]);
    assert!(machine.engine().unpin(&tenant(0), id(1)).unwrap());
    assert!(!machine.engine().unpin(&tenant(0), id(1)).unwrap());
    assert_eq!(machine.engine().expire().unwrap(), 1);
    assert_eq!(left(&machine), [0; 5]);
    assert_eq!(machine.engine().services(&tenant(0)), Vec::<String>::new());
    machine.restart();
    assert_eq!((left(&machine), pinned(&machine)), ([0; 5], Vec::new()));
}

#[test]
fn only_the_services_of_what_stays_are_known() {
    let machine = Machine::new();
    let other = SpanSpec {
        service: 1,
        ..spec(2, 2)
    };
    let batch = incoming(&tenant(0), &encode(&[spec(1, 1), other]));
    assert!(machine.engine().commit(vec![batch])[0].is_ok());
    assert!(machine.freeze(true));
    assert!(pin(&machine, 1));
    machine.clock.advance(AGE);
    assert_eq!(machine.engine().expire().unwrap(), 1);
    assert_eq!(machine.engine().services(&tenant(0)), ["shop"]);
}

#[test]
fn a_pinned_trace_outlives_a_lack_of_room_and_takes_no_more_than_half_of_it() {
    let mut machine = Machine::new();
    three_parts(&machine);
    assert!(pin(&machine, 1));
    machine.kill();
    machine.options.retention_bytes = Some(0);
    machine.open().unwrap();
    assert_eq!(machine.engine().expire().unwrap(), 3);
    assert_eq!(left(&machine), [3, 0, 0, 0, 0]);
    // What is pinned fills all the room there is; half of it is for what comes.
    let bytes_of = |machine: &Machine| -> Vec<u64> {
        let view = machine.engine().view(&tenant(0));
        view.segments
            .iter()
            .map(|placed| placed.listed.meta.bytes())
            .collect()
    };
    send_spec(&machine, &spec(6, 6));
    assert!(machine.freeze(true));
    let bytes = bytes_of(&machine);
    machine.kill();
    machine.options.retention_bytes = Some(2 * bytes[1]);
    machine.open().unwrap();
    assert!(bytes[0] >= bytes[1]);
    assert_eq!(machine.engine().expire().unwrap(), 0);
    send_spec(&machine, &spec(7, 7));
    assert!(machine.freeze(true));
    assert_eq!(machine.engine().expire().unwrap(), 1);
    assert_eq!(
        [1, 6, 7].map(|trace| spans_of(machine.engine(), trace)),
        [3, 0, 1]
    );
}

#[test]
fn what_comes_late_of_a_pinned_trace_is_kept_too_and_comes_together_in_the_end() {
    let machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    assert!(machine.freeze(true));
    assert!(pin(&machine, 1));
    // In a head, in a fresh segment, in a merged one: it is all the same.
    for late in 2..40 {
        send_spec(&machine, &spec(1, late));
        send_spec(&machine, &spec(100 + late, 100 + late));
        assert!(machine.freeze(true));
        assert!(late % 2 == 0 || machine.finalise(When::NOW));
        machine.clock.advance(AGE);
        machine.engine().expire().unwrap();
        assert_eq!(
            spans_of(machine.engine(), 1),
            usize::try_from(late).unwrap()
        );
        assert_eq!(spans_of(machine.engine(), 100 + late), 0);
        let placed = places(&machine, 1);
        assert!(placed.len() <= 17, "{placed:?}");
        assert!(placed.iter().all(|(level, _)| *level == Level::Pinned));
    }
    machine.check_files(false);
}

#[test]
fn a_pinned_trace_that_is_longer_than_a_row_group_is_kept_in_pieces() {
    let mut machine = Machine::new();
    for part in 0..5u64 {
        let mut specs: Vec<SpanSpec> = (1..7).map(|n| spec(1, part * 10 + n)).collect();
        specs.push(spec(2, 100 + part));
        let batch = incoming(&tenant(0), &encode(&specs));
        assert!(machine.engine().commit(vec![batch])[0].is_ok());
        assert!(machine.freeze(true));
    }
    assert!(pin(&machine, 1) && pin(&machine, 2));
    machine.clock.advance(AGE);
    assert_eq!(machine.engine().expire().unwrap(), 5);
    assert_eq!(
        places(&machine, 1),
        [(Level::Pinned, 18), (Level::Pinned, 12)]
    );
    assert_eq!(places(&machine, 2), [(Level::Pinned, 5)]);
    machine.restart();
    machine.check_files(true);
    assert_eq!(
        [1, 2].map(|trace| spans_of(machine.engine(), trace)),
        [30, 5]
    );
}

#[test]
fn a_segment_that_cannot_be_read_stays_as_long_as_something_is_pinned() {
    let machine = Machine::new();
    three_parts(&machine);
    assert!(pin(&machine, 1));
    let path = machine.paths().into_iter();
    let mut path = path.filter(|path| path.to_string_lossy().ends_with("spans.parquet"));
    let path = path.nth(1).unwrap();
    for byte in (100..1_500).step_by(50) {
        machine.files.flip_bit(&path, byte, 3).unwrap();
    }
    machine.clock.advance(AGE);
    assert_eq!(machine.engine().expire().unwrap(), 2);
    let view = machine.engine().view(&tenant(0));
    let levels = view
        .segments
        .iter()
        .map(|placed| placed.listed.meta.id.level);
    assert_eq!(levels.collect::<Vec<_>>(), [Level::Fresh, Level::Pinned]);
    assert!(machine.engine().unpin(&tenant(0), id(1)).unwrap());
    assert_eq!(machine.engine().expire().unwrap(), 2);
}

#[test]
fn so_many_traces_can_be_pinned_and_it_is_said_when_there_are_more() {
    let machine = Machine::new();
    let last = PINS_MAX as u64 + 1;
    let specs: Vec<SpanSpec> = (1..=last).map(|trace| spec(trace, trace)).collect();
    let batch = incoming(&tenant(0), &encode(&specs));
    assert!(machine.engine().commit(vec![batch])[0].is_ok());
    for trace in 1..last {
        assert!(pin(&machine, trace));
    }
    let refused = machine.engine().pin(&tenant(0), id(last)).unwrap_err();
    assert!(
        refused.to_string().contains("unpin some first"),
        "{refused}"
    );
    assert!(machine.engine().unpin(&tenant(0), id(1)).unwrap());
    assert!(pin(&machine, last));
}

#[test]
fn pins_are_found_again_when_the_list_is_lost_as_far_as_they_were_moved() {
    let mut machine = Machine::new();
    three_parts(&machine);
    assert!(pin(&machine, 1));
    machine.clock.advance(AGE);
    assert_eq!(machine.engine().expire().unwrap(), 3);
    machine.kill();
    for path in machine.paths() {
        if path.starts_with("/data/manifest") {
            let length = machine.files.read_file(&path).unwrap().len() as u64;
            for byte in 0..length {
                machine.files.flip_bit(&path, byte, 1).unwrap();
            }
        }
    }
    machine.open().unwrap();
    assert_eq!(pinned(&machine), [id(1)]);
    assert_eq!(machine.engine().expire().unwrap(), 0);
    // Of the others the log may still have some.
    assert_eq!(left(&machine)[0], 3);
}

/// Pins, expires and unpins; gives whether the pins of traces 1 and 2 and the end of the latter were acknowledged.
fn scenario(machine: &Machine) -> [bool; 3] {
    let engine = machine.engine();
    let first = engine.pin(&tenant(0), id(1)).is_ok_and(|is_done| is_done);
    let second = engine.pin(&tenant(0), id(2)).is_ok_and(|is_done| is_done);
    machine.clock.advance(AGE);
    engine.expire().ok();
    let third = engine.unpin(&tenant(0), id(2)).is_ok_and(|is_done| is_done);
    engine.expire().ok();
    [first, second, third]
}

fn sweep(fault: Fault, scope: FaultScope, is_power_cut: bool) {
    for nth in 1.. {
        assert!(nth < 1_000, "the scenario does not end");
        let mut machine = Machine::new();
        three_parts(&machine);
        let before = machine.files.operations();
        machine.files.fail_operation(nth, fault, scope);
        let [first, second, unpinned] = scenario(&machine);
        let is_untouched = machine.files.operations() - before < nth;
        machine.files.clear_faults();
        if is_power_cut {
            machine.cut_power(nth);
        } else {
            machine.kill();
        }
        machine.open().unwrap();
        machine.check_files(true);
        let of = format!("operation {nth}, power cut: {is_power_cut}, {first} {second} {unpinned}");
        let pins: BTreeSet<TraceId> = pinned(&machine).into_iter().collect();
        assert!(!first || pins.contains(&id(1)), "{of}: {pins:?}");
        assert!(!unpinned || !pins.contains(&id(2)), "{of}: {pins:?}");
        // What was not acknowledged is there or not; what is there holds.
        for _ in 0..2 {
            machine.engine().expire().unwrap();
            let found = left(&machine);
            // What was unpinned stays as far as it lies with something that is pinned.
            let may_be = |trace: u64, spans: usize| spans == 3 || !pins.contains(&id(trace));
            assert!(
                may_be(1, found[0]) && may_be(2, found[1]),
                "{of}: {found:?}"
            );
            assert!(!pins.is_empty() || found == [0; 5], "{of}: {found:?}");
            assert_eq!(found[2..], [0; 3], "{of}");
            let view = machine.engine().view(&tenant(0));
            let mut all = BTreeSet::new();
            for placed in view.segments.iter() {
                let spans = placed.segment.read_all().unwrap();
                for key in keys(&tenant(0), &spans) {
                    assert!(all.insert(key), "{of}: a span is there twice");
                }
            }
            drop(view);
            machine.check_files(false);
            machine.cut_power(nth);
            machine.open().unwrap();
        }
        if is_untouched {
            assert!(
                first && second && unpinned && nth > 40,
                "only {nth} operations"
            );
            return;
        }
    }
}

#[test]
fn a_pin_holds_whichever_operation_fails_once() {
    sweep(Fault::IO, FaultScope::Once, false);
    sweep(Fault::IO, FaultScope::Once, true);
}

#[test]
fn a_pin_holds_whichever_operation_is_the_last_to_succeed() {
    sweep(Fault::IO, FaultScope::Forever, false);
    sweep(Fault::IO, FaultScope::Forever, true);
    sweep(Fault::FULL, FaultScope::Forever, true);
}

#[test]
fn a_pin_that_was_acknowledged_is_there_after_a_power_cut() {
    for nth in 1..30 {
        let mut machine = Machine::new();
        three_parts(&machine);
        machine
            .files
            .fail_operation(nth, Fault::IO, FaultScope::Forever);
        let is_pinned = machine.engine().pin(&tenant(0), id(1)).unwrap_or(false);
        machine.files.clear_faults();
        machine.cut_power(nth);
        machine.open().unwrap();
        assert!(!is_pinned || pinned(&machine) == [id(1)], "operation {nth}");
    }
}

#[test]
fn a_trace_that_is_pinned_while_retention_works_stays() {
    let machine = Machine::with(StoreOptions {
        finalise_after: Duration::from_secs(9_999),
        ..options()
    });
    three_parts(&machine);
    machine.clock.advance(AGE);
    // A merge runs: what holds pinned traces waits for it.
    assert!(pin(&machine, 1));
    let merging = lock(&machine.engine().finaliser);
    assert_eq!(machine.engine().expire().unwrap(), 0);
    assert_eq!(left(&machine), [3, 3, 1, 1, 1]);
    drop(merging);
    assert!(!machine.engine().finalise(When::Due, &|| false).unwrap());
    assert_eq!(left(&machine), [3, 0, 0, 0, 0]);
}

#[test]
fn a_pin_that_a_start_has_read_is_acknowledged_only_when_no_power_cut_can_take_it_back() {
    for seed in 0..20 {
        let mut machine = Machine::new();
        three_parts(&machine);
        machine.files.fail_sync(FaultScope::Once);
        machine.engine().pin(&tenant(0), id(1)).unwrap_err();
        // The process dies, and the page cache has what the disk does not.
        machine.restart();
        assert_eq!(pinned(&machine), [id(1)]);
        assert!(pin(&machine, 1));
        machine.cut_power(seed);
        machine.open().unwrap();
        assert_eq!(pinned(&machine), [id(1)], "seed {seed}");
    }
}
