//! Bytes at rest that rot are found before somebody asks for them.

use std::path::PathBuf;
use std::time::Duration;

use super::machine::{Machine, options, send_spec, spans_of, spec};
use super::traffic::tenant;
use super::truth::everything;
use crate::options::StoreOptions;

const EVERY: Duration = Duration::from_secs(3_000);

fn with_segments(count: u64) -> Machine {
    let machine = Machine::with(StoreOptions {
        scrub_every: EVERY,
        ..options()
    });
    for number in 1..=count {
        send_spec(&machine, &spec(number, number));
        assert!(machine.freeze(true));
        machine.clock.advance(Duration::from_secs(1));
    }
    machine
}

/// A round: until nothing is due.
fn round(machine: &Machine) -> u64 {
    let mut bytes = 0;
    loop {
        match machine.engine().scrub(1_000) {
            0 => return bytes,
            read => bytes += read,
        }
    }
}

fn damaged(machine: &Machine) -> u64 {
    machine.engine().metrics.damaged_segments.get()
}

fn file(machine: &Machine, nth: usize, ending: &str) -> PathBuf {
    let paths = machine.paths().into_iter();
    let mut of_kind = paths.filter(|path| path.to_string_lossy().ends_with(ending));
    of_kind.nth(nth).unwrap()
}

#[test]
fn a_round_reads_every_byte_once_and_begins_again_when_it_is_due() {
    let machine = with_segments(3);
    let view = machine.engine().view(&tenant(0));
    let all: u64 = view
        .segments
        .iter()
        .map(|placed| placed.listed.meta.bytes())
        .sum();
    assert!(machine.engine().scrub(1_000) <= 1_000);
    assert_eq!(round(&machine) + 1_000, all);
    assert_eq!(round(&machine), 0);
    machine.clock.advance(EVERY);
    assert_eq!(round(&machine), all);
    assert_eq!(damaged(&machine), 0);
}

#[test]
fn a_flipped_bit_in_any_file_is_found_within_a_round_and_counted_once() {
    for ending in ["spans.parquet", "resources.parquet"] {
        let machine = with_segments(3);
        let path = file(&machine, 1, ending);
        let length = machine.files.read_file(&path).unwrap().len() as u64;
        machine.files.flip_bit(&path, length / 2, 4).unwrap();
        for _ in 0..2 {
            round(&machine);
            assert_eq!(damaged(&machine), 1, "{ending}");
            machine.clock.advance(EVERY);
        }
        // The others are untouched by it.
        assert_eq!(
            [1, 3].map(|trace| spans_of(machine.engine(), trace)),
            [1; 2]
        );
    }
}

#[test]
fn a_damaged_sidecar_is_made_again_and_answers_are_whole_again() {
    let machine = with_segments(3);
    // A question has it open already.
    assert_eq!(spans_of(machine.engine(), 2), 1);
    let path = file(&machine, 1, ".tix");
    let sound = machine.files.read_file(&path).unwrap();
    for byte in (0..sound.len() as u64).step_by(7) {
        machine.files.flip_bit(&path, byte, 2).unwrap();
        let before = damaged(&machine);
        round(&machine);
        assert_eq!(damaged(&machine), before + 1, "byte {byte}");
        assert_eq!(machine.files.read_file(&path).unwrap(), sound);
        let view = machine.engine().view(&tenant(0));
        for placed in view.segments.iter() {
            assert_eq!(placed.segment.verify().unwrap(), []);
        }
        let answer = machine
            .engine()
            .search(&everything(&tenant(0)), &|| false)
            .unwrap();
        assert_eq!(
            (answer.traces.len(), answer.skipped),
            (3, Vec::new()),
            "byte {byte}"
        );
        machine.clock.advance(EVERY);
    }
    assert!(damaged(&machine) > 10);
}

#[test]
fn a_sidecar_is_not_made_of_damaged_files() {
    let machine = with_segments(1);
    for ending in ["spans.parquet", ".tix"] {
        let path = file(&machine, 0, ending);
        machine.files.flip_bit(&path, 40, 4).unwrap();
    }
    let before = machine.files.read_file(&file(&machine, 0, ".tix")).unwrap();
    round(&machine);
    assert_eq!(damaged(&machine), 1);
    assert_eq!(
        machine.files.read_file(&file(&machine, 0, ".tix")).unwrap(),
        before
    );
}
