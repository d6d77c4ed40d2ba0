//! Heads become segments, and the log is let go: nothing acknowledged is lost on the way, or there twice.

use journal::{Fault, FaultScope};
use model::TraceId;

use super::machine::{Machine, found, options, send_spec, spans_of, spec};
use super::traffic::{SpanSpec, ids, tenant};
use crate::engine::lock;
use crate::options::StoreOptions;

#[test]
fn what_was_acknowledged_can_be_found_at_once() {
    let machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    assert_eq!(spans_of(machine.engine(), 1), 1);
    assert_eq!(found(&machine), [(TraceId(ids().trace(1)), 1)]);
    assert_eq!(machine.engine().services(&tenant(0)), ["shop"]);
}

#[test]
fn a_power_cut_right_after_a_freeze_loses_nothing() {
    for seed in 0..40 {
        let mut machine = Machine::new();
        for number in 1..5 {
            send_spec(&machine, &spec(number, number));
            assert!(machine.freeze(true));
        }
        machine.cut_power(seed);
        machine.open().unwrap();
        for number in 1..5 {
            assert_eq!(
                spans_of(machine.engine(), number),
                1,
                "seed {seed}, trace {number}"
            );
        }
    }
}

#[test]
fn the_log_is_let_go_only_when_the_list_names_the_segment() {
    // Every operation of the second freeze fails in turn, and the power is cut.
    for nth in 1..200 {
        let mut machine = Machine::with(StoreOptions {
            journal_file_bytes: 512,
            ..options()
        });
        for number in 1..4 {
            send_spec(&machine, &spec(number, number));
        }
        machine
            .files
            .fail_operation(nth, Fault::IO, FaultScope::Forever);
        let is_done = machine.freeze(true);
        machine.files.clear_faults();
        machine.cut_power(nth);
        machine.open().unwrap();
        for number in 1..4 {
            assert_eq!(
                spans_of(machine.engine(), number),
                1,
                "trace {number}, failure {nth}"
            );
        }
        if is_done {
            return;
        }
    }
    panic!("the freeze never got through");
}

#[test]
fn a_freeze_is_taken_back_whole_when_the_list_could_not_be_synced() {
    // The commit may be on the disk although its sync failed. The files that it names are then written again.
    let with_one_in_memory = |seed: u64| {
        let mut machine = Machine::new();
        // What a failed sync leaves is up to the disk, which a power cut gives another seed.
        machine.cut_power(seed);
        machine.open().unwrap();
        send_spec(&machine, &spec(1, 1));
        assert!(machine.freeze(true));
        send_spec(&machine, &spec(2, 2));
        machine
    };
    for seed in 0..400 {
        let dry = with_one_in_memory(seed);
        let before = dry.files.operations();
        assert!(dry.freeze(true));
        let log = dry.files.operation_log();
        let is_sync = |operation: &String| operation.starts_with("sync_data /data/manifest/");
        let at = log.iter().rposition(is_sync).unwrap() as u64;
        let mut machine = with_one_in_memory(seed);
        machine
            .files
            .fail_operation(at + 1 - before, Fault::IO, FaultScope::Once);
        assert!(!machine.freeze(true));
        // The second attempt is cut short somewhere.
        machine
            .files
            .fail_operation(seed % 40 + 1, Fault::IO, FaultScope::Forever);
        machine.freeze(true);
        machine.files.clear_faults();
        machine.cut_power(seed);
        machine.open().unwrap();
        assert_eq!(spans_of(machine.engine(), 1), 1, "seed {seed}");
        assert_eq!(spans_of(machine.engine(), 2), 1, "seed {seed}");
    }
}

#[test]
fn a_span_that_comes_while_a_head_is_frozen_is_not_lost() {
    let mut machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    let sealed = machine.engine().seal_due(true);
    send_spec(
        &machine,
        &SpanSpec {
            parent: 1,
            ..spec(1, 2)
        },
    );
    assert_eq!(spans_of(machine.engine(), 1), 2);
    for (of, head) in &sealed {
        machine.engine().freeze(of, head).unwrap();
    }
    assert_eq!(spans_of(machine.engine(), 1), 2);
    machine.restart();
    assert_eq!(spans_of(machine.engine(), 1), 2);
}

#[test]
fn a_head_that_two_want_to_freeze_becomes_one_segment() {
    let machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    let (first, second) = (
        machine.engine().seal_due(true),
        machine.engine().seal_due(true),
    );
    assert_eq!((first.len(), second.len()), (1, 1));
    for (of, head) in first.iter().chain(&second) {
        machine.engine().freeze(of, head).unwrap();
    }
    assert_eq!(
        lock(&machine.engine().state).tenants[&tenant(0)]
            .segments
            .len(),
        1
    );
    assert_eq!(spans_of(machine.engine(), 1), 1);
}
