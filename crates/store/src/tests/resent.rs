//! What is sent again, or twice at once, is there once.

use std::time::Duration;

use bytes::Bytes;
use model::TraceId;
use model::contract::Kept;

use super::machine::{Machine, found, options, send, send_spec, spans_of, spec};
use super::traffic::{SpanSpec, encode, ids};
use crate::options::StoreOptions;

#[test]
fn every_request_sent_again_out_of_order_an_hour_later_across_a_restart_and_a_freeze_is_shown_once()
{
    let mut machine = Machine::with(StoreOptions {
        retention_age: Duration::from_secs(1 << 30),
        ..options()
    });
    let requests: Vec<Bytes> = (0..12)
        .map(|n| encode(&[spec(n / 3 + 1, n + 1), spec(n / 3 + 1, n + 101)]))
        .collect();
    for (number, otlp) in requests.iter().enumerate() {
        assert_eq!(send(&machine, otlp).unwrap().spans, 2);
        if number == 5 {
            assert!(machine.freeze(true));
        }
    }
    // At once: the request itself is known.
    assert_eq!(
        send(&machine, &requests[11]).unwrap(),
        Kept {
            spans: 0,
            duplicate_spans: 2
        }
    );
    machine.restart();
    assert_eq!(
        send(&machine, &requests[10]).unwrap(),
        Kept {
            spans: 0,
            duplicate_spans: 2
        }
    );
    machine.clock.advance(Duration::from_secs(3600));
    for round in 0..2 {
        for otlp in requests.iter().rev() {
            send(&machine, otlp).unwrap();
        }
        for (trace_id, spans) in found(&machine) {
            assert_eq!(spans, 6, "{trace_id:?} in round {round}");
        }
        for trace in 1..5 {
            assert_eq!(spans_of(machine.engine(), trace), 6, "round {round}");
        }
        machine.restart();
        assert!(machine.freeze(true));
    }
    assert_eq!(found(&machine).len(), 4);
    assert_eq!(
        found(&machine).iter().map(|(_, spans)| spans).sum::<u64>(),
        24
    );
}

#[test]
fn a_span_that_one_request_holds_twice_is_counted_once() {
    let machine = Machine::new();
    send(&machine, &encode(&[spec(1, 1), spec(1, 1), spec(1, 2)])).unwrap();
    assert_eq!(spans_of(machine.engine(), 1), 2);
    assert_eq!(found(&machine), [(TraceId(ids().trace(1)), 2)]);
    assert!(machine.freeze(true));
    assert_eq!(found(&machine), [(TraceId(ids().trace(1)), 2)]);
}

#[test]
fn spans_of_the_same_ids_and_another_content_are_both_shown() {
    let machine = Machine::new();
    send_spec(&machine, &spec(1, 1));
    send_spec(
        &machine,
        &SpanSpec {
            version: 1,
            ..spec(1, 1)
        },
    );
    assert_eq!(spans_of(machine.engine(), 1), 2);
    assert!(machine.freeze(true));
    assert_eq!(spans_of(machine.engine(), 1), 2);
}
