//! What is told of the store and of services: calls, age, growth.

use std::time::Duration;

use super::machine::{Machine, options, send, send_spec, spec};
use super::traffic::{SpanSpec, encode};
use crate::filling::Growth;
use crate::finalise::When;
use crate::options::StoreOptions;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn calls_of_services_are_counted_once_however_often_they_are_sent_and_never_again_by_a_start() {
    let mut machine = Machine::new();
    let of = |id, service, parent| SpanSpec {
        service,
        parent,
        is_error: id == 1,
        ..spec(1, id)
    };
    // The second is a server below the first, the third a client there, which enters nothing.
    let request = encode(&[of(1, 0, 0), of(2, 1, 1), of(3, 0, 1), of(4, 0, 0)]);
    let counted = |machine: &Machine| machine.engine().metrics.services.counts();
    send(&machine, &request).unwrap();
    let calls = counted(&machine);
    assert_eq!(
        calls,
        [("cart".to_owned(), 1, 0), ("shop".to_owned(), 2, 1)]
    );
    send(&machine, &request).unwrap();
    assert!(machine.freeze(true) && machine.finalise(When::NOW));
    assert_eq!(counted(&machine), calls, "sent twice, counted once");
    machine.restart();
    assert_eq!(counted(&machine), []);
}

#[test]
fn growth_is_that_of_the_last_hours_and_is_not_told_of_a_few_minutes() {
    let machine = Machine::with(StoreOptions {
        retention_age: HOUR * 1_000,
        retention_bytes: Some(1 << 20),
        ..options()
    });
    let filling = || machine.engine().filling();
    assert_eq!(
        (filling().oldest_unix_nanos, filling().growth),
        (None, None)
    );
    let began = machine.now();
    for trace in 0..10 {
        send_spec(&machine, &spec(trace, trace + 1));
        assert!(machine.freeze(true));
        machine.clock.advance(HOUR);
        if trace == 0 {
            assert!(filling().growth.is_some());
        }
    }
    let told = filling();
    assert_eq!(told.oldest_unix_nanos, Some(began));
    assert_eq!(told.bytes_max, Some(1 << 20));
    assert!(told.written_bytes > 0 && !told.is_merging);
    let Growth {
        over,
        bytes,
        full_in,
    } = told.growth.unwrap();
    assert_eq!(over, HOUR * 6, "older growth is of another time");
    let all = machine.engine().filling_bytes();
    assert!(
        all * 5 / 10 <= bytes && bytes <= all * 7 / 10,
        "6 of 10: {bytes} of {all}"
    );
    let expected = ((1 << 20) - all) * 6 / bytes;
    let hours = full_in.unwrap().as_secs() / 3600;
    assert!(
        hours.abs_diff(expected) <= 1,
        "{hours} hours, not {expected}"
    );
}

#[test]
fn a_store_that_age_empties_before_it_is_full_is_not_said_to_fill() {
    let machine = Machine::with(StoreOptions {
        retention_age: HOUR * 2,
        retention_bytes: Some(1 << 30),
        ..options()
    });
    send_spec(&machine, &spec(1, 1));
    assert!(machine.freeze(true));
    machine.clock.advance(Duration::from_secs(1799));
    assert_eq!(machine.engine().filling().growth, None);
    machine.clock.advance(Duration::from_secs(1));
    let growth = machine.engine().filling().growth.unwrap();
    assert!(growth.bytes > 0);
    assert_eq!(
        (growth.over, growth.full_in),
        (Duration::from_secs(1800), None)
    );
}
