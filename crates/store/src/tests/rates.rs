//! Rates are those of the plain store: before a merge for what is stored once, after it for everything that was sent.

use std::time::Duration;

use model::contract::Window;
use model::rates::{RateSeries, RatesOf, RatesRequest};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use testkit::oracle::OracleStore;

use super::machine::{Machine, START, spans_of, spec};
use super::traffic::{NAMES, SERVICES, SpanSpec, Traffic, encode, incoming, tenant};
use super::truth::now;
use crate::engine::Engine;
use crate::finalise::When;

const MINUTE: u64 = 60_000_000_000;

fn request(of: RatesOf, window: Window, step_nanos: u64) -> RatesRequest {
    RatesRequest {
        tenant: tenant(0),
        of,
        window,
        step_nanos,
        services: Vec::new(),
        kinds: Vec::new(),
        by_operation: true,
        by_kind: true,
        with_examples: true,
    }
}

fn random(rng: &mut SmallRng, of: RatesOf) -> RatesRequest {
    let minutes = rng.random_range(0..400);
    let first = START - 200 * MINUTE + rng.random_range(0..400 * MINUTE);
    let window = if rng.random_bool(0.2) {
        Window::ALWAYS
    } else {
        Window {
            start: first,
            end: first + minutes * MINUTE,
        }
    };
    let step = match rng.random_range(0..4) {
        _ if window == Window::ALWAYS => 0,
        0 => 0,
        1 => 60 * MINUTE,
        2 => 7 * MINUTE,
        _ => MINUTE,
    };
    let mut request = request(of, window, step);
    if rng.random_bool(0.3) {
        let service = SERVICES[rng.random_range(0..SERVICES.len())];
        request.services = vec![service.to_owned()];
    }
    if rng.random_bool(0.2) {
        request.kinds = vec![2];
    }
    request.by_operation = rng.random_bool(0.5);
    request.by_kind = rng.random_bool(0.5);
    request
}

/// Series without what the plain store does not say. Checks that examples are traces with such a span.
fn told(engine: &Engine, request: &RatesRequest, by_rows: bool) -> Vec<RateSeries> {
    let answer = engine.count_rates(request, by_rows, &|| false).unwrap();
    assert_eq!(answer.skipped, []);
    let mut series = answer.series;
    for RateSeries { key, points } in &mut series {
        for point in points {
            assert_eq!(point.failed.is_some(), point.errors > 0);
            for (example, is_failed) in [(point.slowest.take(), false), (point.failed.take(), true)]
            {
                let Some(trace_id) = example else { continue };
                let trace = engine.trace(&tenant(0), trace_id).unwrap().spans;
                let is_it = |span: model::batch::SpanRef<'_>| {
                    span.service() == key.service
                        && key
                            .operation
                            .as_deref()
                            .is_none_or(|name| name == span.name())
                        && (!is_failed || span.status() == 2)
                        && request.steps().unwrap().of_nanos(span.start()).is_some()
                };
                assert!(trace.iter().any(is_it), "{key:?}");
            }
            (point.timed_spans, point.own, point.critical) = (0, 0, 0);
        }
    }
    series
}

fn compare(machine: &Machine, oracle: &OracleStore, request: &RatesRequest) {
    let wanted = now(model::contract::SpanReader::rates(oracle, request.clone())).unwrap();
    for by_rows in [false, true] {
        let told = told(machine.engine(), request, by_rows);
        assert!(told == wanted.series, "by rows: {by_rows}, {request:?}");
    }
}

/// Sends what comes, spread over hours, and lays it out by chance; late, repeated and changed spans among it.
fn operations_of(seed: u64) {
    let mut rng = SmallRng::seed_from_u64(seed);
    let (mut machine, oracle, mut traffic) =
        (Machine::new(), OracleStore::new(), Traffic::default());
    for _ in 0..rng.random_range(10..90) {
        let otlp = traffic.request(&mut rng, 0, machine.now());
        let batch = incoming(&tenant(0), &otlp);
        oracle.keep(&tenant(0), &batch.batch);
        assert!(machine.engine().commit(vec![batch])[0].is_ok());
        let step = [1, 20, 700][rng.random_range(0..3)];
        machine.clock.advance(Duration::from_secs(step));
        match rng.random_range(0..12) {
            0 | 1 => assert!(machine.freeze(true)),
            2 => assert!(machine.finalise(When::Due)),
            3 => assert!(machine.freeze(true) && machine.finalise(When::NOW)),
            4 => machine.restart(),
            _ => {}
        }
    }
    assert!(machine.freeze(true) && machine.finalise(When::NOW));
    for _ in 0..40 {
        compare(&machine, &oracle, &random(&mut rng, RatesOf::Operations));
    }
}

#[test]
fn operations_are_counted_as_the_plain_store_counts_them_once_all_is_merged() {
    for seed in 0..60 {
        operations_of(seed);
    }
}

/// Spans that came once, in heads, fresh segments and merged ones; calls where traces are whole.
#[test]
fn what_is_stored_once_is_counted_wherever_it_lies() {
    for seed in 0..30 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let (machine, oracle) = (Machine::new(), OracleStore::new());
        for trace in 1..rng.random_range(20..80u64) {
            let start = START + trace * rng.random_range(1..90) * 1_000_000_000;
            let specs: Vec<SpanSpec> = (0..rng.random_range(1..9u64))
                .map(|n| SpanSpec {
                    parent: if n == 0 {
                        0
                    } else {
                        trace * 10 + rng.random_range(0..n)
                    },
                    service: rng.random_range(0..SERVICES.len()),
                    name: rng.random_range(0..NAMES.len()),
                    start: start + n,
                    lasting: rng.random_range(0..5) * 700_000_000,
                    is_error: rng.random_bool(0.3),
                    ..spec(trace, trace * 10 + n)
                })
                .collect();
            let batch = incoming(&tenant(0), &encode(&specs));
            oracle.keep(&tenant(0), &batch.batch);
            assert!(machine.engine().commit(vec![batch])[0].is_ok());
            match rng.random_range(0..8) {
                0 => assert!(machine.freeze(true)),
                1 => assert!(machine.finalise(When::NOW)),
                _ => {}
            }
        }
        for _ in 0..20 {
            compare(&machine, &oracle, &random(&mut rng, RatesOf::Operations));
        }
        assert!(machine.freeze(true));
        for _ in 0..20 {
            compare(&machine, &oracle, &random(&mut rng, RatesOf::Calls));
        }
    }
}

#[test]
fn own_times_of_merged_traces_add_up_to_what_their_spans_have() {
    let machine = Machine::new();
    // A root of 10 s, and a child of 4 s in its middle.
    let child = SpanSpec {
        parent: 1,
        service: 1,
        start: START + 4_000_000_000,
        lasting: 4_000_000_000,
        ..spec(1, 2)
    };
    let root = SpanSpec {
        start: START + 1_000_000_000,
        lasting: 10_000_000_000,
        ..spec(1, 1)
    };
    let batch = incoming(&tenant(0), &encode(&[root, child]));
    assert!(machine.engine().commit(vec![batch])[0].is_ok());
    let own = || {
        let request = request(RatesOf::Operations, Window::ALWAYS, 0);
        let answer = machine.engine().rates(&request, &|| false).unwrap();
        let points = answer.series.iter().flat_map(|series| &series.points);
        points
            .map(|point| (point.timed_spans, point.own, point.critical))
            .collect::<Vec<_>>()
    };
    assert!(machine.freeze(true));
    assert_eq!(own(), [(0, 0, 0); 2], "unknown as long as more may come");
    assert!(machine.finalise(When::NOW));
    let seconds = 1_000_000_000;
    let (cart, shop) = ((1, 4 * seconds, 4 * seconds), (1, 6 * seconds, 6 * seconds));
    assert_eq!(own(), [cart, shop]);
}

#[test]
fn a_span_that_is_sent_again_long_after_its_trace_was_merged_is_stored_once() {
    let mut machine = Machine::new();
    let send = |machine: &Machine, ids: &[u64]| {
        let specs: Vec<SpanSpec> = ids.iter().map(|id| spec(1, *id)).collect();
        let batch = incoming(&tenant(0), &encode(&specs));
        assert!(machine.engine().commit(vec![batch])[0].is_ok());
        assert!(machine.freeze(true) && machine.finalise(When::NOW));
    };
    send(&machine, &[1, 2]);
    // All of it, then some of it with a new one.
    machine.clock.advance(Duration::from_secs(1000));
    send(&machine, &[2, 1]);
    machine.clock.advance(Duration::from_secs(1000));
    send(&machine, &[2, 3]);
    let spans: u64 = {
        let view = machine.engine().view(&tenant(0));
        view.segments
            .iter()
            .map(|placed| placed.listed.meta.spans)
            .sum()
    };
    assert_eq!(spans, 3);
    machine.check_files(false);
    machine.restart();
    machine.check_files(true);
    assert_eq!(spans_of(machine.engine(), 1), 3);
}
