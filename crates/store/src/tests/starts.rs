//! Starts: on a folder that another process has, that can't be read for a moment, or that lost the end of its log.

use std::path::Path;

use journal::{Fault, FaultScope};

use super::machine::{Machine, send_spec, spans_of, spec};
use super::traffic::{encode, incoming, tenant};

#[test]
fn a_second_process_is_refused_and_told_who_has_the_folder() {
    let machine = Machine::new();
    let refused =
        super::machine::open_on(&machine.files, &machine.clock, &machine.options).unwrap_err();
    assert!(matches!(refused, crate::Error::Locked { .. }), "{refused}");
    assert!(refused.to_string().contains("process "), "{refused}");
}

#[test]
fn sequences_that_segments_have_are_not_given_again_when_the_log_lost_its_end() {
    let mut machine = Machine::new();
    let pinned = incoming(&tenant(1), &encode(&[spec(9, 9)]));
    assert!(machine.engine().commit(vec![pinned])[0].is_ok());
    send_spec(&machine, &spec(1, 1));
    send_spec(&machine, &spec(2, 2));
    let sealed = machine.engine().seal_due(true);
    let (of, head) = sealed.iter().find(|(of, _)| *of == tenant(0)).unwrap();
    machine.engine().freeze(of, head).unwrap();
    machine.kill();
    for path in machine
        .paths()
        .iter()
        .filter(|path| path.starts_with("/data/wal"))
    {
        let bytes = machine.files.read_file(path).unwrap();
        machine
            .files
            .write_file(path, &bytes[..bytes.len().min(100)]);
    }
    machine.open().unwrap();
    assert_eq!(spans_of(machine.engine(), 1), 1);
    // Two new requests, as many as the segment has sequences.
    send_spec(&machine, &spec(3, 3));
    send_spec(&machine, &spec(4, 4));
    machine.restart();
    assert_eq!(
        [1, 2, 3, 4].map(|trace| spans_of(machine.engine(), trace)),
        [1; 4]
    );
    assert!(machine.freeze(true));
    machine.restart();
    assert_eq!(
        [1, 2, 3, 4].map(|trace| spans_of(machine.engine(), trace)),
        [1; 4]
    );
}

#[test]
fn one_failed_look_at_a_folder_sets_no_segment_aside() {
    let mut machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    assert!(machine.freeze(true));
    machine.kill();
    let start = machine.files.operations();
    machine.open().unwrap();
    let operations = machine.files.operations() - start;
    for nth in 1..=operations {
        machine.kill();
        machine
            .files
            .fail_operation(nth, Fault::IO, FaultScope::Once);
        if machine.open().is_ok() {
            machine.files.clear_faults();
            assert_eq!(spans_of(machine.engine(), 1), 1, "operation {nth}");
            assert_eq!(
                machine.engine().services(&tenant(0)),
                ["shop"],
                "operation {nth}"
            );
        }
        machine.files.clear_faults();
    }
    machine.restart();
    assert_eq!(spans_of(machine.engine(), 1), 1);
    assert!(
        !machine
            .paths()
            .iter()
            .any(|path| path.starts_with(Path::new("/data/quarantine")))
    );
}

#[test]
fn a_damaged_index_is_made_again_at_the_start_and_its_services_are_known() {
    let mut machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    assert!(machine.freeze(true));
    machine.kill();
    let path = machine
        .paths()
        .into_iter()
        .find(|path| path.extension().is_some_and(|kind| kind == "tix"))
        .unwrap();
    let sound = machine.files.read_file(&path).unwrap();
    for byte in 0..sound.len() as u64 {
        machine.kill();
        machine.files.write_file(&path, &sound);
        machine.files.flip_bit(&path, byte, 2).unwrap();
        machine.open().unwrap();
        assert_eq!(
            machine.engine().services(&tenant(0)),
            ["shop"],
            "byte {byte}"
        );
        assert_eq!(
            machine
                .engine()
                .operations(&tenant(0), "shop")
                .operations
                .len(),
            1,
            "byte {byte}"
        );
    }
}
