//! A start that shows the end of the log and can't make it durable: a request that was never acknowledged is there,
//! and a power cut may still take it.

use journal::FaultScope;

use super::machine::{Machine, send, send_spec, spans_of, spec};
use super::traffic::encode;

/// A store with one span that was acknowledged, and one that was refused because its sync failed; then the process
/// died.
fn left_in_doubt() -> Machine {
    let mut machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    machine.files.fail_sync(FaultScope::Once);
    send(&machine, &encode(&[spec(2, 2)])).unwrap_err();
    machine.kill();
    machine
}

/// The same, and a sync fails again while it starts.
fn started_in_doubt(scope: FaultScope) -> Machine {
    let mut machine = left_in_doubt();
    machine.files.fail_sync(scope);
    machine.open().unwrap();
    machine
}

#[test]
fn what_is_sent_again_after_a_start_in_doubt_survives_a_power_cut_once_it_is_acknowledged() {
    let mut acknowledged = 0;
    for seed in 0..60 {
        let mut machine = started_in_doubt(FaultScope::Once);
        let again = send(&machine, &encode(&[spec(2, 2)]));
        machine.files.clear_faults();
        machine.cut_power(seed);
        machine.open().unwrap();
        assert_eq!(spans_of(machine.engine(), 1), 1, "seed {seed}");
        if again.is_ok() {
            acknowledged += 1;
            assert_eq!(spans_of(machine.engine(), 2), 1, "seed {seed}");
        }
    }
    assert!(acknowledged > 0);
}

#[test]
fn nothing_is_accepted_until_what_is_in_doubt_is_in_a_segment() {
    let machine = started_in_doubt(FaultScope::Forever);
    let refused = send(&machine, &encode(&[spec(2, 2)])).unwrap_err();
    assert!(refused.to_string().contains("end of the log"), "{refused}");
    assert!(machine.engine().refusal().is_some());
    assert!(machine.engine().is_due());
    machine.files.clear_faults();
    assert!(machine.freeze(false));
    assert_eq!(machine.engine().refusal(), None);
    assert!(send(&machine, &encode(&[spec(2, 2)])).is_ok());
    assert_eq!(spans_of(machine.engine(), 2), 1);
}

#[test]
fn a_check_of_a_store_in_doubt_says_so_and_freezes_nothing() {
    let mut machine = left_in_doubt();
    machine.files.fail_sync(FaultScope::Once);
    let files = std::sync::Arc::new(machine.files.clone());
    let report = crate::check(machine.options.clone(), files).unwrap();
    let said = report.damage.join("\n");
    assert!(said.contains("not be made durable"), "{said}");
    assert!(
        machine
            .paths()
            .iter()
            .all(|path| !path.starts_with("/data/seg"))
    );
    // What was acknowledged outlives the check, the next start and its retention.
    machine.files.clear_faults();
    machine.open().unwrap();
    machine.engine().expire().unwrap();
    assert_eq!(spans_of(machine.engine(), 1), 1);
}
