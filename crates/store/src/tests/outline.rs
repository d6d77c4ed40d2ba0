//! The outline of a trace, and some of its spans: one test for each thing that must not be got wrong. Random layouts
//! are in `exactness`.

#![allow(clippy::cast_possible_truncation, reason = "ids of spans are small")]

use std::cell::Cell;
use std::time::Duration;

use model::contract::{ReadError, SpanReader};
use model::outline::spans_with_ids;
use model::{SpanBatch, SpanId, TraceId, TraceOutline};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use testkit::oracle::OracleStore;

use super::machine::{Machine, options, send, send_spec, spec};
use super::traffic::{NAMES, SERVICES, SpanSpec, encode, ids, incoming, tenant};
use super::truth::{compare_outline, now};
use crate::finalise::When;
use crate::options::StoreOptions;

fn trace_id() -> TraceId {
    TraceId(ids().trace(1))
}

fn outline(machine: &Machine) -> TraceOutline {
    let answer = machine.engine().outline(&tenant(0), trace_id(), &|| false);
    let answer = answer.unwrap();
    assert_eq!(answer.skipped, []);
    answer.outline
}

fn spans_of(machine: &Machine, wanted: &[u64]) -> SpanBatch {
    let wanted: Vec<SpanId> = wanted.iter().map(|id| SpanId(ids().span(*id))).collect();
    let answer = machine
        .engine()
        .spans_of(&tenant(0), trace_id(), &wanted, &|| false)
        .unwrap();
    assert_eq!(answer.skipped, []);
    answer.spans
}

#[test]
fn a_span_that_lies_in_several_places_is_drawn_once_and_others_of_its_id_as_well() {
    let machine = Machine::new();
    let changed = SpanSpec {
        version: 1,
        ..spec(1, 2)
    };
    let both = encode(&[spec(1, 1), spec(1, 2)]);
    let mut shown = 2;
    for round in 0..3 {
        send(&machine, &both).unwrap();
        assert_eq!(outline(&machine).len(), shown, "round {round}, in a head");
        assert!(machine.freeze(true));
        assert_eq!(outline(&machine).len(), shown, "round {round}, frozen");
        if round == 1 {
            send_spec(&machine, &changed);
            shown = 3;
            assert_eq!(outline(&machine).len(), shown, "another of the same id");
        }
        assert_eq!(spans_of(&machine, &[2]).len(), shown - 1);
        assert_eq!(spans_of(&machine, &[2, 2, 9]).len(), shown - 1);
        assert_eq!(spans_of(&machine, &[1]).len(), 1);
        // Repeats are not known as such any more.
        machine.clock.advance(Duration::from_secs(700));
    }
    let shown = machine.engine().trace(&tenant(0), trace_id()).unwrap();
    assert_eq!(outline(&machine), TraceOutline::of(&shown.spans));
    assert_eq!(spans_of(&machine, &[]).len(), 0);
    assert!(machine.finalise(When::NOW));
    assert_eq!(
        (outline(&machine).len(), spans_of(&machine, &[2]).len()),
        (3, 2)
    );
    let none = TraceId(ids().trace(2));
    let none = machine.engine().outline(&tenant(0), none, &|| false);
    assert!(none.unwrap().outline.is_empty());
}

#[test]
fn a_trace_that_is_too_long_to_be_shown_whole_is_drawn_and_its_spans_are_given() {
    let machine = Machine::with(StoreOptions {
        head_spans_max: 60_000,
        journal_file_bytes: 64 << 20,
        group_spans_max: 16_000,
        finalise_spans_max: 100_000,
        trace_bytes_max: 1 << 20,
        cache_bytes: 8 << 20,
        ..options()
    });
    let oracle = OracleStore::new();
    let (spans, batch) = (200_000u64, 10_000);
    for first in (1..=spans).step_by(batch) {
        let specs: Vec<SpanSpec> = (first..first + batch as u64)
            .map(|id| SpanSpec {
                parent: id / 7,
                service: id as usize / 64 % SERVICES.len(),
                name: id as usize % NAMES.len(),
                start: spec(1, 1).start + id * 1_000,
                is_error: id % 1_000 == 0,
                ..spec(1, id)
            })
            .collect();
        let again = specs.iter().step_by(500).cloned();
        let all: Vec<SpanSpec> = specs.iter().cloned().chain(again).collect();
        let request = incoming(&tenant(0), &encode(&all));
        oracle.keep(&tenant(0), &request.batch);
        assert!(machine.engine().commit(vec![request])[0].is_ok());
        if first % 50_000 == 1 {
            assert!(machine.freeze(true));
        }
    }
    // Some of it once more, long after.
    machine.clock.advance(Duration::from_secs(700));
    let late: Vec<SpanSpec> = (1..100).map(|id| spec(1, id * 31)).collect();
    let request = incoming(&tenant(0), &encode(&late));
    oracle.keep(&tenant(0), &request.batch);
    assert!(machine.engine().commit(vec![request])[0].is_ok());
    let wanted = now(oracle.trace(&tenant(0), trace_id())).unwrap().spans;
    assert_eq!(wanted.len() as u64, spans + 99);
    let mut rng = SmallRng::seed_from_u64(1);
    for is_merged in [false, true] {
        assert!(!is_merged || machine.freeze(true) && machine.finalise(When::NOW));
        let whole = machine.engine().trace(&tenant(0), trace_id());
        assert!(matches!(whole, Err(ReadError::OverLimit { .. })));
        let told = outline(&machine);
        assert_eq!(told.len(), wanted.len());
        assert_eq!(told, TraceOutline::of(&wanted));
        let few = spans_of(&machine, &[1, 31, 77_777, spans]);
        let ids = [1, 31, 77_777, spans].map(|id| SpanId(ids().span(id)));
        assert_eq!(few.len(), 5);
        let few = few.iter().map(|span| few.span_hash(span.row()));
        let same = spans_with_ids(&wanted, &ids);
        assert!(few.eq(same.iter().map(|span| same.span_hash(span.row()))));
    }
    let small = TraceId(ids().trace(2));
    let request = incoming(&tenant(0), &encode(&[spec(2, 3)]));
    oracle.keep(&tenant(0), &request.batch);
    assert!(machine.engine().commit(vec![request])[0].is_ok());
    let wanted = now(oracle.trace(&tenant(0), small)).unwrap().spans;
    compare_outline(machine.engine(), (&tenant(0), small), &wanted, &mut rng);
}

#[test]
fn an_outline_that_would_be_too_large_is_refused_and_says_why() {
    let machine = Machine::with(StoreOptions {
        outline_spans_max: 10,
        trace_bytes_max: 2_000,
        ..options()
    });
    let long: Vec<SpanSpec> = (1..12).map(|id| spec(1, id)).collect();
    send(&machine, &encode(&long)).unwrap();
    for _ in 0..2 {
        let refused = machine.engine().outline(&tenant(0), trace_id(), &|| false);
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("has 11 spans"), "{refused}");
        assert!(refused.contains("an outline of 10"), "{refused}");
        // Single ones are there.
        assert_eq!(spans_of(&machine, &[3, 5]).len(), 2);
        let all: Vec<SpanId> = (1..12).map(|id| SpanId(ids().span(id))).collect();
        let refused = machine
            .engine()
            .spans_of(&tenant(0), trace_id(), &all, &|| false);
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("query.answer_bytes_max"), "{refused}");
        assert!(machine.freeze(true));
    }
    let many = vec![SpanId([1; 8]); 10_001];
    let refused = machine
        .engine()
        .spans_of(&tenant(0), trace_id(), &many, &|| false);
    assert!(refused.unwrap_err().to_string().contains("10001 spans"));
}

#[test]
fn who_goes_away_is_not_waited_for() {
    let machine = Machine::new();
    for round in 0..4 {
        send(&machine, &encode(&[spec(1, round + 1), spec(1, 1)])).unwrap();
        assert!(machine.freeze(true));
    }
    // Cancelled at the first look, the second, and so on.
    for looks in 0..4u32 {
        let left = Cell::new(looks);
        let is_cancelled = || left.replace(left.get().saturating_sub(1)) == 0;
        let refused = machine
            .engine()
            .outline(&tenant(0), trace_id(), &is_cancelled);
        assert!(matches!(refused, Err(ReadError::Busy { .. })), "{looks}");
        let left = Cell::new(looks);
        let is_cancelled = || left.replace(left.get().saturating_sub(1)) == 0;
        let refused =
            machine
                .engine()
                .spans_of(&tenant(0), trace_id(), &[SpanId([1; 8])], &is_cancelled);
        assert!(matches!(refused, Err(ReadError::Busy { .. })), "{looks}");
    }
    assert_eq!(outline(&machine).len(), 4);
}
