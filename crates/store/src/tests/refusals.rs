//! What can't be kept is refused: no memory, a full disk, syncs that fail. It recovers by itself where it can.

use journal::{Fault, FaultScope};
use model::contract::WriteError;

use super::machine::{Machine, options, send, send_spec, spans_of, spec};
use super::traffic::{encode, tenant};
use crate::engine::lock;
use crate::options::StoreOptions;

#[test]
fn memory_is_bounded_when_nothing_can_be_frozen() {
    let machine = Machine::with(StoreOptions {
        heads_bytes_max: 60_000,
        ..options()
    });
    // Segments can't be written, the log can.
    let full = |machine: &Machine| {
        machine
            .files
            .fail_operation(1, Fault::FULL, FaultScope::Forever);
        assert!(!machine.freeze(true));
        machine.files.clear_faults();
    };
    let mut refused = 0;
    for number in 1..400 {
        match send(&machine, &encode(&[spec(number, number)])) {
            Ok(kept) => assert_eq!(kept.spans, 1),
            Err(WriteError::Unavailable { reason }) => {
                assert!(reason.contains("60000 are allowed"), "{reason}");
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
        full(&machine);
        let bytes = machine.engine().heads_bytes();
        assert!(bytes < 80_000, "{bytes} bytes after {number} requests");
    }
    assert!(refused > 100, "{refused}");
    // It recovers by itself.
    assert!(machine.freeze(true));
    send_spec(&machine, &spec(1_000, 1_000));
}

#[test]
fn a_full_disk_refuses_and_recovers_and_reads_go_on() {
    let mut machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    let used: u64 = machine.files.paths().iter().map(|(_, len)| len).sum();
    machine.files.set_capacity(used);
    let mut number = 1;
    let refused = loop {
        number += 1;
        match send(&machine, &encode(&[spec(number, number)])) {
            Ok(_) => assert!(number < 1000),
            Err(refused) => break refused,
        }
    };
    assert!(
        matches!(refused, WriteError::Unavailable { .. }),
        "{refused}"
    );
    assert!(machine.engine().refusal().is_some());
    assert_eq!(spans_of(machine.engine(), 1), 1);
    // A start on the full disk is possible, too.
    machine.restart();
    assert_eq!(spans_of(machine.engine(), 1), 1);
    machine.files.set_capacity(u64::MAX);
    send_spec(&machine, &spec(number, number));
    assert_eq!(machine.engine().refusal(), None);
}

#[test]
fn a_failed_sync_is_refused_and_heads_are_frozen_at_once() {
    let machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    assert!(!machine.engine().is_due());
    machine.files.fail_sync(FaultScope::Once);
    let refused = send(&machine, &encode(&[spec(2, 2)])).unwrap_err();
    assert!(matches!(refused, WriteError::Busy { .. }), "{refused}");
    assert_eq!(spans_of(machine.engine(), 2), 0);
    assert!(machine.engine().is_due());
    assert!(machine.freeze(false));
    assert!(!machine.engine().is_due());
    assert_eq!(
        lock(&machine.engine().state).tenants[&tenant(0)]
            .segments
            .len(),
        1
    );
    // On a new file it goes on.
    send_spec(&machine, &spec(2, 2));
}

#[test]
fn syncs_that_fail_for_ever_end_in_a_clear_refusal() {
    let mut machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    machine.files.fail_sync(FaultScope::Forever);
    let mut last = None;
    for number in 2..6 {
        last = Some(send(&machine, &encode(&[spec(number, number)])).unwrap_err());
    }
    assert!(
        matches!(&last, Some(WriteError::Failed { reason }) if reason.contains("restart")),
        "{last:?}"
    );
    assert!(
        machine
            .engine()
            .is_fatal
            .load(std::sync::atomic::Ordering::Acquire)
    );
    machine.files.clear_faults();
    machine.cut_power(1);
    machine.open().unwrap();
    assert_eq!(spans_of(machine.engine(), 1), 1);
}
