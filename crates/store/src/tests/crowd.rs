//! More operations than indexes, lists and answers have room for: nothing that is found or counted changes, and where
//! names are left out it is said.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use journal::{Files, OpenMode};
use model::contract::{OTHER_OPERATIONS, Operation, SpanReader, Window};
use model::rates::{RatePoint, RateSeries, RatesOf, RatesRequest};
use model::{Field, Literal, Operator, Predicate};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use testkit::oracle::OracleStore;
use testkit::spans::{SpanKind, request};

use super::machine::{Machine, START, links};
use super::questions::{all, compare_search};
use super::traffic::{incoming, tenant};
use super::truth::{compare_facts, now};
use crate::engine::Engine;
use crate::finalise::When;
use crate::names::{OPERATIONS_MAX, SERVICE_OPERATIONS_MIN};
use crate::segment::FileKind;

const SECOND: u64 = 1_000_000_000;
const SERVICES: [&str; 3] = ["loud", "quiet", "db"];
const KINDS: [SpanKind; 2] = [SpanKind::Server, SpanKind::Client];

/// A trace of a few spans whose operations are mostly nobody else's.
fn trace(rng: &mut SmallRng, number: u64, now: u64) -> Bytes {
    let mut builder = request().seed(7);
    for nth in 0..rng.random_range(1..5u64) {
        let service = match rng.random_range(0..10) {
            0 => 1,
            1 | 2 => 2,
            _ => 0,
        };
        let operation = match service {
            0 => rng.random_range(0..6 * OPERATIONS_MAX),
            _ => rng.random_range(0..30),
        };
        builder = builder.service(SERVICES[service]).scope("lib", "1");
        builder = builder.span(&format!("GET /{operation}"), |s| {
            let s = s.trace(number).id(number * 10 + nth).start_ns(now + nth);
            let s = s.lasting_ns(rng.random_range(0..4) * SECOND / 2);
            let s = if nth == 0 {
                s
            } else {
                s.parent(number * 10 + rng.random_range(0..nth))
            };
            let s = if rng.random_bool(0.2) {
                s.error("it failed")
            } else {
                s
            };
            s.kind(KINDS[operation % 2])
        });
    }
    builder.encode().into()
}

/// A store with very many operations, in heads, fresh segments and merged ones.
fn crowd(rng: &mut SmallRng) -> (Machine, OracleStore) {
    let (mut machine, oracle) = (Machine::new(), OracleStore::new());
    for number in 1..rng.random_range(1_000..1_800) {
        let batch = incoming(&tenant(0), &trace(rng, number, machine.now()));
        oracle.keep(&tenant(0), &batch.batch);
        assert!(machine.engine().commit(vec![batch])[0].is_ok());
        machine.clock.advance(Duration::from_secs(1));
        match rng.random_range(0..1_500) {
            0 => assert!(machine.freeze(true)),
            1 => assert!(machine.freeze(true) && machine.finalise(When::NOW)),
            2 => machine.restart(),
            _ => {}
        }
    }
    (machine, oracle)
}

/// What is counted of each service and kind at each time.
fn by_service(series: &[RateSeries]) -> BTreeMap<(String, Option<i32>, u64), RatePoint> {
    let mut sums: BTreeMap<(String, Option<i32>, u64), RatePoint> = BTreeMap::new();
    for series in series {
        for point in &series.points {
            let key = (series.key.service.clone(), series.key.kind, point.start);
            let sum = sums.entry(key).or_default();
            sum.start = point.start;
            sum.spans += point.spans;
            sum.errors += point.errors;
            sum.duration = sum.duration.wrapping_add(point.duration);
            sum.durations.merge(&point.durations);
        }
    }
    sums
}

fn compare_rates(engine: &Engine, oracle: &OracleStore, step_nanos: u64) {
    let request = RatesRequest {
        tenant: tenant(0),
        of: RatesOf::Operations,
        window: Window {
            start: START,
            end: START + 1_800 * SECOND,
        },
        step_nanos,
        services: Vec::new(),
        kinds: Vec::new(),
        by_operation: true,
        by_kind: true,
        with_examples: false,
    };
    let wanted = now(oracle.rates(request.clone())).unwrap().series;
    for by_rows in [false, true] {
        let told = engine.count_rates(&request, by_rows, &|| false).unwrap();
        assert!(
            !told.has_all_operations,
            "it is not said that there are more"
        );
        assert_eq!(by_service(&told.series), by_service(&wanted), "{by_rows}");
        for series in told.series {
            let is_other = series.key.operation.as_deref() == Some(OTHER_OPERATIONS);
            let known = wanted.iter().find(|wanted| wanted.key == series.key);
            for point in series.points.iter().filter(|_| !is_other) {
                let known = known.unwrap().points.iter();
                let known = known.filter(|known| known.start == point.start);
                assert!(known.map(|known| known.spans).sum::<u64>() >= point.spans);
            }
        }
    }
    let whole = RatesRequest {
        by_operation: false,
        ..request
    };
    let wanted = now(oracle.rates(whole.clone())).unwrap().series;
    let told = engine.rates(&whole, &|| false).unwrap();
    assert!(told.has_all_operations);
    assert_eq!(by_service(&told.series), by_service(&wanted));
}

/// The lists of operations: what they have is there, and what is missing is said.
fn compare_lists(engine: &Engine, oracle: &OracleStore) {
    let seen = engine.seen(&tenant(0), &|| false).unwrap();
    assert!(!seen.has_all_operations);
    for service in now(oracle.services(&tenant(0))).unwrap() {
        let wanted = now(oracle.operations(&tenant(0), &service))
            .unwrap()
            .operations;
        let wanted: BTreeSet<Operation> = wanted.into_iter().collect();
        let check = |told: Vec<Operation>, is_all: bool| {
            let (other, named): (BTreeSet<Operation>, BTreeSet<Operation>) =
                told.into_iter().partition(|o| o.name == OTHER_OPERATIONS);
            assert!(named.is_subset(&wanted), "{service}");
            assert_eq!(is_all, other.is_empty(), "{service}");
            assert!(!is_all || named == wanted, "{service}");
            // What stands for others takes room as well.
            let least = SERVICE_OPERATIONS_MIN - KINDS.len();
            assert!(named.len() >= wanted.len().min(least), "{service}");
        };
        let answer = engine.operations(&tenant(0), &service);
        check(answer.operations, answer.is_all);
        let of_service = seen.operations.iter().filter(|o| o.service == service);
        let of_service: Vec<Operation> = of_service
            .map(|o| Operation {
                name: o.name.clone(),
                kind: o.kind,
            })
            .collect();
        let is_all = of_service.iter().all(|o| o.name != OTHER_OPERATIONS);
        check(of_service, is_all);
    }
    assert!(!engine.operations(&tenant(0), "loud").is_all);
}

#[test]
fn with_more_operations_than_there_is_room_for_nothing_is_lost_and_it_is_said() {
    for seed in 0..6 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let (machine, oracle) = crowd(&mut rng);
        for is_merged in [false, true] {
            if is_merged {
                assert!(machine.freeze(true) && machine.finalise(When::NOW));
            }
            let engine = machine.engine();
            compare_lists(engine, &oracle);
            compare_rates(engine, &oracle, 0);
            compare_rates(engine, &oracle, 60 * SECOND);
            for _ in 0..40 {
                let name = format!("GET /{}", rng.random_range(0..6 * OPERATIONS_MAX));
                let is_named =
                    Predicate::Compare(Field::Name, Operator::Equal, Literal::String(name));
                compare_search(engine, &oracle, &all(&tenant(0), is_named));
            }
            let everything = now(oracle.search(all(&tenant(0), Predicate::All))).unwrap();
            let traces = everything.traces.iter().map(|hit| hit.trace_id).collect();
            compare_facts(engine, &oracle, &tenant(0), traces);
            let wanted = now(oracle.dependencies(&tenant(0), Window::ALWAYS))
                .unwrap()
                .links;
            assert_eq!(links(engine, &tenant(0), Window::ALWAYS), wanted);
        }
        machine.check_files(false);
    }
}

#[test]
fn a_sidecar_without_room_for_all_names_is_made_again_byte_for_byte() {
    let (machine, _) = crowd(&mut SmallRng::seed_from_u64(3));
    assert!(machine.freeze(true) && machine.finalise(When::NOW));
    let view = machine.engine().view(&tenant(0));
    let mut capped = 0;
    for placed in view.segments.iter() {
        let catalogue = placed.segment.catalogue().unwrap();
        let is_other = |o: &crate::index::CatalogueOperation| o.name == OTHER_OPERATIONS;
        capped += usize::from(catalogue.operations.iter().any(is_other));
        let path = placed.segment.path(FileKind::Index);
        let read = || {
            let file = machine.files.open(&path, OpenMode::Read).unwrap();
            journal::read_to_end(&*file).unwrap()
        };
        let before = read();
        placed.segment.rebuild_sidecar().unwrap();
        assert!(before == read());
    }
    assert!(capped > 0);
}
