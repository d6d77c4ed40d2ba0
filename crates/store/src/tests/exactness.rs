//! Random questions over random layouts: heads of one and of many chunks, segments, traces that lie in several of
//! them, spans that came twice. Every answer is the plain store's.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::time::Duration;

use model::contract::{SpanReader, Window};
use model::seen::{SeenKey, ValuesRequest};
use model::{Place, TenantId};
use testkit::oracle::OracleStore;

use super::first_spans::compare_first_spans;
use super::machine::{Machine, links, options};
use super::questions::{self, compare_count, compare_overview, compare_search, compare_structure};
use super::traffic::{Traffic, incoming, tenant};
use super::truth::{compare_catalogue, compare_outline, everything, now};
use crate::engine::Engine;
use crate::finalise::When;
use crate::options::StoreOptions;

const LAYOUTS: u64 = 40;
const QUESTIONS: usize = 120;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// A store and the plain store with the same spans, laid out by chance.
fn layout(rng: &mut SmallRng) -> (Machine, OracleStore) {
    let mut machine = Machine::with(StoreOptions {
        scan_threads: rng.random_range(1..3),
        ..options()
    });
    let (oracle, mut traffic) = (OracleStore::new(), Traffic::default());
    let freezes = *[0.0, 0.03, 0.1, 0.5].get(rng.random_range(0..4)).unwrap();
    for _ in 0..rng.random_range(5..120) {
        let of = rng.random_range(0..2);
        let otlp = traffic.request(rng, of, machine.now());
        let batch = incoming(&tenant(of), &otlp);
        oracle.keep(&tenant(of), &batch.batch);
        assert!(machine.engine().commit(vec![batch])[0].is_ok());
        if rng.random_bool(freezes) {
            assert!(machine.freeze(true));
        }
        if rng.random_bool(freezes / 2.0) {
            let when = [When::Due, When::NOW][rng.random_range(0..2)];
            assert!(machine.finalise(when));
        }
        if rng.random_bool(0.3) {
            machine
                .clock
                .advance(Duration::from_secs(rng.random_range(1..4)));
        }
        if rng.random_bool(0.02) {
            machine.restart();
        }
        if rng.random_bool(0.02) {
            // Repeats are not known as such any more.
            machine.clock.advance(Duration::from_secs(700));
        }
    }
    (machine, oracle)
}

fn compare(seed: u64) {
    let mut rng = SmallRng::seed_from_u64(seed);
    let (machine, oracle) = layout(&mut rng);
    for of in 0..2 {
        let tenant = tenant(of);
        compare_catalogue(machine.engine(), &oracle, &tenant);
        compare_seen(machine.engine(), &oracle, &tenant);
        let everything = now(oracle.search(everything(&tenant))).unwrap();
        for trace in everything.traces {
            let of = (&tenant, trace.trace_id);
            let wanted = now(oracle.trace(of.0, of.1)).unwrap().spans;
            compare_outline(machine.engine(), of, &wanted, &mut rng);
        }
        for key in [
            "uid", "version", "even", "ratio", "host", "attempt", "why", "absent",
        ] {
            compare_values(machine.engine(), &oracle, (&tenant, key), &mut rng);
        }
        for _ in 0..QUESTIONS {
            let request = questions::random(&mut rng, &tenant);
            compare_search(machine.engine(), &oracle, &request);
            compare_count(machine.engine(), &oracle, &request);
        }
        for _ in 0..QUESTIONS / 4 {
            let request = questions::structure(&mut rng, &tenant);
            compare_structure(machine.engine(), &oracle, &request);
        }
        for _ in 0..QUESTIONS / 3 {
            compare_first_spans(machine.engine(), &oracle, &tenant, &mut rng);
        }
        for _ in 0..QUESTIONS / 3 {
            let request = questions::overview(&mut rng, &tenant);
            compare_overview(machine.engine(), &oracle, &request, &mut rng);
        }
        for _ in 0..10 {
            let window = questions::window(&mut rng);
            let wanted = now(SpanReader::dependencies(&oracle, &tenant, window))
                .unwrap()
                .links;
            assert_eq!(
                links(machine.engine(), &tenant, window),
                wanted,
                "calls of {tenant} in {window:?}"
            );
        }
        assert_eq!(
            links(machine.engine(), &tenant, Window::ALWAYS),
            now(SpanReader::dependencies(&oracle, &tenant, Window::ALWAYS))
                .unwrap()
                .links
        );
    }
}

/// Operations to the nanosecond; keys with bounds that hold what there is.
fn compare_seen(engine: &Engine, oracle: &OracleStore, tenant: &TenantId) {
    let told = engine.seen(tenant, &|| false).unwrap();
    let wanted = now(oracle.seen(tenant)).unwrap();
    assert_eq!(told.operations, wanted.operations);
    assert_eq!((told.skipped.len(), told.has_all_keys), (0, true));
    assert_eq!(told.keys.len(), wanted.keys.len());
    for key in wanted.keys {
        let name = |key: &SeenKey| (key.place, key.key.clone(), key.value_type);
        let told = told
            .keys
            .iter()
            .find(|told| name(told) == name(&key))
            .unwrap();
        assert!(told.first <= key.first && key.last <= told.last, "{key:?}");
    }
}

fn compare_values(
    engine: &Engine,
    oracle: &OracleStore,
    (tenant, key): (&TenantId, &str),
    rng: &mut SmallRng,
) {
    let places = [
        Place::Anywhere,
        Place::Span,
        Place::Resource,
        Place::Event,
        Place::Link,
    ];
    let mut request = ValuesRequest {
        tenant: tenant.clone(),
        place: places[rng.random_range(0..places.len())],
        key: key.to_owned(),
        prefix: ["", "", "uid-1", "h", "t", "1"][rng.random_range(0..6)].to_owned(),
        limit: 10_000,
    };
    let wanted = now(oracle.values(request.clone())).unwrap();
    let told = engine.values(&request, &|| false).unwrap();
    assert_eq!(
        (told.values, told.is_all),
        (wanted.values.clone(), true),
        "{request:?}"
    );
    request.limit = 2;
    let told = engine.values(&request, &|| false).unwrap();
    assert_eq!(told.is_all, wanted.values.len() <= 2);
    assert_eq!(told.values.len(), wanted.values.len().min(2));
    assert!(
        told.values
            .iter()
            .all(|value| wanted.values.contains(value))
    );
}

#[test]
fn every_question_is_answered_as_the_plain_store_answers_it() {
    let seeds = match number("TRACKWAY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("TRACKWAY_SIMULATION_SEEDS").map_or(LAYOUTS, |seeds| seeds / 5),
    };
    for seed in seeds {
        if let Err(panic) = std::panic::catch_unwind(|| compare(seed)) {
            eprintln!(
                "replay: TRACKWAY_SEED={seed} cargo test --profile ci -p store every_question"
            );
            std::panic::resume_unwind(panic);
        }
    }
}
