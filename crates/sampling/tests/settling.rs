//! Simulated traffic: clients that ask once a minute, collectors that share what they count, and a probability that
//! must give the wanted rate within ten minutes, however the traffic is and however it changes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "a simulation of small numbers, and helpers that fail by panicking"
)]

use std::sync::Arc;

use model::batch::{BatchBuilder, PackedValue, ResourceRow, ScopeRow, SpanRow};
use model::throughput::{Decisions, ThroughputSlice};
use model::{SpanBatch, SpanId, TraceId};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use sampling::{Adaptive, AdaptiveOptions, FileStrategies, Strategies as _};

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const OPERATION: &str = "GET /cart";

/// How the first span of a trace says with which probability it was recorded.
#[derive(Debug, Clone, Copy)]
enum Says {
    Nothing,
    Tags,
    TraceState,
}

fn root(service: &str, says: Says, probability: f64) -> SpanBatch {
    let mut builder = BatchBuilder::new();
    let mut cursor = builder.begin_attributes();
    builder.push_attribute(
        &mut cursor,
        b"service.name",
        PackedValue::String(service.as_bytes()),
    );
    let attributes = builder.finish_attributes(cursor);
    let resource = builder.add_resource(ResourceRow {
        attributes,
        ..ResourceRow::default()
    });
    let scope = builder.add_scope(ScopeRow::default());
    let mut cursor = builder.begin_attributes();
    if matches!(says, Says::Tags) {
        builder.push_attribute(
            &mut cursor,
            b"sampler.type",
            PackedValue::String(b"probabilistic"),
        );
        builder.push_attribute(
            &mut cursor,
            b"sampler.param",
            PackedValue::Double(probability),
        );
    }
    let attributes = builder.finish_attributes(cursor);
    let state = match says {
        Says::TraceState => {
            let threshold = ((1.0 - probability) * (1u64 << 56) as f64) as u64;
            format!("ot=th:{threshold:014x}")
        }
        Says::Nothing | Says::Tags => String::new(),
    };
    let (name, trace_state) = (
        builder.intern(OPERATION.as_bytes()),
        builder.intern(state.as_bytes()),
    );
    builder.push_span(SpanRow {
        trace_id: TraceId([1; 16]),
        span_id: SpanId([1; 8]),
        name,
        trace_state,
        resource,
        scope,
        attributes,
        ..SpanRow::default()
    });
    builder.finish()
}

/// Clients of one service, each of which asks once a minute at a second of its own.
struct Clients {
    service: &'static str,
    says: Says,
    told: Vec<f64>,
    /// Traces that begin in a second, recorded or not.
    rate: f64,
}

impl Clients {
    fn new(service: &'static str, says: Says, rate: f64) -> Self {
        let told = vec![AdaptiveOptions::default().initial_probability; 20];
        Self {
            service,
            says,
            told,
            rate,
        }
    }

    fn ask(&mut self, second: u64, collector: &Adaptive) {
        for (number, told) in self.told.iter_mut().enumerate() {
            if !(second + number as u64 * 3).is_multiple_of(60) {
                continue;
            }
            let strategy = collector.strategy(self.service);
            let operations = strategy.operation_sampling.unwrap();
            let own = operations
                .per_operation_strategies
                .iter()
                .find(|one| one.operation == OPERATION);
            *told = own.map_or(operations.default_sampling_probability, |own| {
                own.probabilistic_sampling.as_ref().unwrap().sampling_rate
            });
        }
    }

    /// Records for a second, and gives how many traces were to be expected.
    fn work(&self, random: &mut SmallRng, collectors: &[Adaptive]) -> f64 {
        let each = self.rate / self.told.len() as f64;
        let mut expected = 0.0;
        for told in &self.told {
            expected += each * told;
            // Whole traces, and one more by chance for what is left.
            let whole = each.floor();
            let traces = whole as u64 + u64::from(random.random_bool(each - whole));
            for _ in 0..traces {
                if random.random_bool(*told) {
                    let at = random.random_range(0..collectors.len());
                    collectors[at].observe(&root(self.service, self.says, *told));
                }
            }
        }
        expected
    }
}

fn collectors(count: usize) -> Vec<Adaptive> {
    let one = || {
        let file = Arc::new(FileStrategies::without_file(1.0));
        Adaptive::new(AdaptiveOptions::default(), file)
    };
    std::iter::repeat_with(one).take(count).collect()
}

/// Lets minutes pass and gives the rates that were to be expected in each, by service.
fn live(
    minutes: std::ops::Range<u64>,
    clients: &mut [Clients],
    collectors: &[Adaptive],
    (slices, decisions): (&mut Vec<ThroughputSlice>, &mut Decisions),
    random: &mut SmallRng,
) -> Vec<Vec<f64>> {
    let mut rates = Vec::new();
    for minute in minutes {
        let mut of_minute = vec![0.0; clients.len()];
        for second in minute * 60..(minute + 1) * 60 {
            for (client, rate) in clients.iter_mut().zip(&mut of_minute) {
                client.ask(second, &collectors[0]);
                *rate += client.work(random, collectors) / 60.0;
            }
        }
        let now = (minute + 1) * MINUTE;
        for collector in collectors {
            slices.push(collector.take_slice(minute * MINUTE, now));
        }
        let kept = slices.len().saturating_sub(16 * collectors.len());
        slices.drain(..kept);
        *decisions = collectors[0].decide(slices, decisions, now);
        for collector in collectors {
            collector.adopt(decisions, now);
        }
        rates.push(of_minute);
    }
    rates
}

fn all_kinds(rate: f64) -> Vec<Clients> {
    vec![
        Clients::new("plain", Says::Nothing, rate),
        Clients::new("tags", Says::Tags, rate),
        Clients::new("state", Says::TraceState, rate),
    ]
}

fn assert_settled(rates: &[Vec<f64>], what: &str) {
    for (service, number) in ["plain", "tags", "state"].iter().zip(0..) {
        let of: Vec<f64> = rates.iter().map(|minute| minute[number]).collect();
        assert!(
            of.iter().all(|rate| (0.8..=1.2).contains(rate)),
            "{what}, {service}: {of:.2?}"
        );
    }
}

/// Chance alone makes an estimate from a hundred traces wrong by a tenth, so now and then a minute is off.
#[test]
fn the_rate_is_within_a_fifth_of_the_target_after_ten_minutes_and_stays() {
    let (mut minutes, mut good, mut worst) = (0, 0, 0.0_f64);
    for seed in 0..60 {
        let mut random = SmallRng::seed_from_u64(seed);
        let rate = [1.5, 3.0, 20.0, 400.0, 60.0, 3000.0][seed as usize % 6];
        let collectors = collectors(1 + seed as usize % 2);
        let mut clients = all_kinds(rate);
        let (mut slices, mut decisions) = (Vec::new(), Decisions::default());
        let state = (&mut slices, &mut decisions);
        let rates = live(0..20, &mut clients, &collectors, state, &mut random);
        for rate in rates.iter().skip(10).flatten() {
            minutes += 1;
            good += usize::from((0.8..=1.2).contains(rate));
            worst = worst.max((rate - 1.0).abs());
        }
    }
    assert_eq!(minutes, 60 * 3 * 10);
    assert!(good * 100 >= minutes * 98, "{good} of {minutes}");
    assert!(worst < 0.4, "{worst}");
}

#[test]
fn traffic_that_grows_or_shrinks_tenfold_is_followed_within_ten_minutes() {
    for (seed, before, after) in [(11, 30.0, 300.0), (12, 300.0, 30.0)] {
        let mut random = SmallRng::seed_from_u64(seed);
        let collectors = collectors(2);
        let mut clients = all_kinds(before);
        let (mut slices, mut decisions) = (Vec::new(), Decisions::default());
        let state = (&mut slices, &mut decisions);
        live(0..12, &mut clients, &collectors, state, &mut random);
        for client in &mut clients {
            client.rate = after;
        }
        let state = (&mut slices, &mut decisions);
        let rates = live(12..30, &mut clients, &collectors, state, &mut random);
        assert_settled(&rates[10..], &format!("from {before} to {after} a second"));
    }
}

#[test]
fn what_is_seldom_is_recorded_always() {
    let mut random = SmallRng::seed_from_u64(21);
    let collectors = collectors(1);
    let mut clients = all_kinds(0.05);
    let (mut slices, mut decisions) = (Vec::new(), Decisions::default());
    let state = (&mut slices, &mut decisions);
    live(0..30, &mut clients, &collectors, state, &mut random);
    for client in &clients {
        assert!(
            client.told.iter().all(|told| *told >= 0.99),
            "{:?}",
            client.told
        );
    }
}

#[test]
fn a_start_goes_on_from_what_was_kept() {
    let mut random = SmallRng::seed_from_u64(31);
    let first = collectors(1);
    let mut clients = all_kinds(200.0);
    let (mut slices, mut decisions) = (Vec::new(), Decisions::default());
    let state = (&mut slices, &mut decisions);
    live(0..12, &mut clients, &first, state, &mut random);
    let second = collectors(1);
    second[0].adopt(&decisions, 12 * MINUTE);
    let state = (&mut slices, &mut decisions);
    let rates = live(12..15, &mut clients, &second, state, &mut random);
    assert_settled(&rates, "after a start");
}

#[test]
fn a_service_that_the_file_names_has_what_the_file_says() {
    let file = FileStrategies::without_file(1.0);
    let text =
        r#"{"service_strategies": [{"service": "pay", "type": "probabilistic", "param": 0.75}]}"#;
    file.replace(text).unwrap();
    let adaptive = Adaptive::new(AdaptiveOptions::default(), Arc::new(file));
    let of = |service: &str| adaptive.strategy(service);
    assert_eq!(
        of("pay").probabilistic_sampling.unwrap().sampling_rate,
        0.75
    );
    assert!(of("pay").operation_sampling.is_none());
    let other = of("cart").operation_sampling.unwrap();
    assert_eq!(other.default_sampling_probability, 0.001);
    assert_eq!(other.default_lower_bound_traces_per_second, 1.0 / 60.0);
}

#[test]
fn names_and_numbers_of_operations_are_bounded() {
    let adaptive = &collectors(1)[0];
    let long = "x".repeat(model::throughput::NAME_BYTES_MAX + 1);
    adaptive.observe(&root(&long, Says::Nothing, 1.0));
    for number in 0..model::throughput::OPERATIONS_MAX + 10 {
        adaptive.observe(&root(&format!("service {number}"), Says::Nothing, 1.0));
    }
    let slice = adaptive.take_slice(0, MINUTE);
    assert_eq!(slice.of.len(), model::throughput::OPERATIONS_MAX);
    let decisions = adaptive.decide(&[slice], &Decisions::default(), MINUTE);
    assert_eq!(decisions.of.len(), model::throughput::OPERATIONS_MAX / 2);
    // Each has a probability for what is not seen yet beside its own.
    assert!(decisions.of.values().all(|of| of.len() == 2));
}
