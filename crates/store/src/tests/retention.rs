//! Retention: what is removed, what is not, and that nothing of it comes back.

use std::path::Path;
use std::time::Duration;

use journal::{Files, OpenMode};

use super::machine::{Machine, send, send_spec, spans_of, spec};
use super::traffic::{SpanSpec, encode, incoming, tenant};
use crate::engine::lock;

#[test]
fn retention_removes_what_is_older_than_its_age_and_nothing_younger() {
    let mut machine = Machine::new();
    for number in 1..4 {
        send_spec(
            &machine,
            &SpanSpec {
                service: usize::try_from(number).unwrap(),
                ..spec(number, number)
            },
        );
        assert!(machine.freeze(true));
        machine.clock.advance(Duration::from_secs(1000));
    }
    // Written 3000, 2000 and 1000 seconds ago; 3600 is the age.
    assert_eq!(machine.engine().expire().unwrap(), 0);
    machine.clock.advance(Duration::from_secs(600));
    assert_eq!(
        machine.engine().expire().unwrap(),
        0,
        "exactly as old as is kept"
    );
    machine.clock.advance(Duration::from_nanos(1));
    assert_eq!(machine.engine().expire().unwrap(), 1);
    let left = |machine: &Machine| [1, 2, 3].map(|trace| spans_of(machine.engine(), trace));
    assert_eq!(left(&machine), [0, 1, 1]);
    assert_eq!(machine.engine().services(&tenant(0)), ["mail", "pay"]);
    assert!(
        !machine
            .paths()
            .iter()
            .any(|path| path.to_string_lossy().contains("f0000000000000001-"))
    );
    machine.restart();
    assert_eq!(left(&machine), [0, 1, 1]);
    assert_eq!(machine.engine().services(&tenant(0)), ["mail", "pay"]);
}

#[test]
fn a_power_cut_after_retention_leaves_nothing_that_looks_damaged() {
    for seed in 0..40 {
        let mut machine = Machine::new();
        for number in 1..4 {
            send_spec(&machine, &spec(number, number));
            assert!(machine.freeze(true));
            machine.clock.advance(Duration::from_secs(1600));
        }
        assert_eq!(machine.engine().expire().unwrap(), 1);
        machine.cut_power(seed);
        machine.open().unwrap();
        assert_eq!(
            machine.engine().findings,
            Vec::<String>::new(),
            "seed {seed}"
        );
        assert_eq!(
            [1, 2, 3].map(|trace| spans_of(machine.engine(), trace)),
            [0, 1, 1],
            "seed {seed}"
        );
    }
}

#[test]
fn retention_by_size_removes_the_oldest_first() {
    let mut machine = Machine::new();
    for number in 1..4 {
        send_spec(&machine, &spec(number, number));
        assert!(machine.freeze(true));
        machine.clock.advance(Duration::from_secs(10));
    }
    let bytes: Vec<u64> = {
        let state = lock(&machine.engine().state);
        state.tenants[&tenant(0)]
            .segments
            .iter()
            .map(|placed| placed.listed.meta.bytes())
            .collect()
    };
    machine.kill();
    machine.options.retention_bytes = Some(bytes[1] + bytes[2]);
    machine.open().unwrap();
    assert_eq!(machine.engine().expire().unwrap(), 1);
    assert_eq!(
        [1, 2, 3].map(|trace| spans_of(machine.engine(), trace)),
        [0, 1, 1]
    );
}

#[test]
fn a_disk_that_others_fill_is_no_reason_to_remove_what_was_accepted() {
    let mut machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    assert!(machine.freeze(true));
    machine.kill();
    machine.options.retention_bytes = None;
    // Others have nine tenths of the disk.
    let used: u64 = machine.files.paths().iter().map(|(_, len)| len).sum();
    let ballast = machine
        .files
        .open(Path::new("/others"), OpenMode::CreateNew)
        .unwrap();
    ballast.set_len(20 * used).unwrap();
    machine.files.set_capacity(22 * used);
    machine.open().unwrap();
    assert_eq!(machine.engine().expire().unwrap(), 0);
    assert_eq!(spans_of(machine.engine(), 1), 1);
    // How little room there is stands in the metrics.
    let metrics = &machine.engine().metrics;
    let total = i64::try_from(22 * used).unwrap();
    assert_eq!(metrics.disk_bytes.get(), total);
    assert!((1..total / 5).contains(&metrics.disk_free_bytes.get()));
    let least = i64::try_from(22 * used / 100 * 5).unwrap();
    assert_eq!(metrics.segment_bytes_max.get(), least);
}

#[test]
fn what_retention_removed_does_not_come_back_from_the_log() {
    let mut machine = Machine::new();
    // An unfrozen span of another tenant keeps the log.
    let pinned = incoming(&tenant(1), &encode(&[spec(9, 9)]));
    assert!(machine.engine().commit(vec![pinned])[0].is_ok());
    send_spec(&machine, &spec(1, 1));
    let sealed = machine.engine().seal_due(true);
    let (of, head) = sealed.iter().find(|(of, _)| *of == tenant(0)).unwrap();
    machine.engine().freeze(of, head).unwrap();
    machine.clock.advance(Duration::from_secs(4000));
    let removed = machine.engine().expire().unwrap();
    assert_eq!(spans_of(machine.engine(), 1), 1 - removed);
    machine.restart();
    assert_eq!(spans_of(machine.engine(), 1), 1 - removed);
    // Once the log has been let go, retention goes on.
    assert!(machine.freeze(true));
    machine.engine().expire().unwrap();
    assert_eq!(spans_of(machine.engine(), 1), 0);
    machine.restart();
    assert_eq!(spans_of(machine.engine(), 1), 0);
}

#[test]
fn a_request_that_retention_removed_is_kept_when_it_comes_again() {
    let mut machine = Machine::new();
    let pinned = incoming(&tenant(1), &encode(&[spec(9, 9)]));
    assert!(machine.engine().commit(vec![pinned])[0].is_ok());
    let otlp = encode(&[spec(1, 1)]);
    send(&machine, &otlp).unwrap();
    let sealed = machine.engine().seal_due(true);
    let (of, head) = sealed.iter().find(|(of, _)| *of == tenant(0)).unwrap();
    machine.engine().freeze(of, head).unwrap();
    machine.clock.advance(Duration::from_secs(4000));
    // The start reads the frame again, which is in a segment.
    machine.restart();
    assert!(machine.freeze(true));
    assert_eq!(machine.engine().expire().unwrap(), 1);
    assert_eq!(send(&machine, &otlp).unwrap().spans, 1);
    assert_eq!(spans_of(machine.engine(), 1), 1);
}
