//! Asks a store of generated spans in its own process and says how long the answers take: numbers of spans, searches by
//! structure, the slowest traces, rates, traces by id.
//!
//! Usage: `ask SPANS DIR`. What lies in DIR already is asked as it is, else it is filled with SPANS spans of the shop
//! corpus and merged.

#![allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a report for people"
)]

use std::path::PathBuf;
use std::sync::Arc;

use journal::{Level, RealFiles};
use model::contract::{IncomingBatch, Order, SearchRequest, SpanReader, SpanWriter, Window};
use model::rates::{MINUTE_NANOS, RatesOf, RatesRequest};
use model::{
    CountRequest, Field, Literal, Operator, Place, Predicate, Relation, Structure,
    StructureRequest, TenantId, TraceId,
};
use plumbing::{Clock, Metrics, RealClock, RealRandom};
use store::{Store, StoreOptions, StoreParts};
use testkit::corpus::{Corpus, CorpusOptions, Profile};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Answers a question, of which the median is reported.
const REPETITIONS: usize = 9;
/// Figures are quoted for so many spans.
const QUOTED_SPANS: f64 = 1e7;
const START_UNIX_SECONDS: u64 = 1_790_000_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [spans, dir] = arguments.as_slice() else {
        return Err("usage: ask SPANS DIR".into());
    };
    let metrics = Metrics::new();
    let parts = StoreParts {
        files: Arc::new(RealFiles),
        clock: Arc::new(RealClock::default()),
        random: Arc::new(RealRandom::default()),
        metrics: &metrics,
    };
    let options = StoreOptions {
        level: Level::Memory,
        ..StoreOptions::new(PathBuf::from(dir))
    };
    let store = Store::open(options, parts, &|_| ())?;
    let tenant = TenantId::parse("default")?;
    let count = |predicate: Predicate| CountRequest {
        tenant: tenant.clone(),
        predicate,
        window: Window::ALWAYS,
    };
    let all = store.count(count(Predicate::All)).await?.spans;
    if all == 0 {
        fill(&store, &tenant, spans.parse()?).await?;
    }
    let all = store.count(count(Predicate::All)).await?.spans;
    println!("{all} spans");
    let run = Run {
        clock: RealClock::default(),
        spans: all as f64,
    };
    ask_counts_and_slowest(&store, &tenant, &run).await?;
    ask_structures(&store, &tenant, &run).await?;
    ask_rates(&store, &tenant, &run).await?;
    ask_traces(&store, &tenant, &run).await?;
    store.stop();
    Ok(())
}

async fn ask_counts_and_slowest(store: &Store, tenant: &TenantId, run: &Run) -> Fallible<()> {
    for (name, predicate) in predicates() {
        let request = CountRequest {
            tenant: tenant.clone(),
            predicate: predicate.clone(),
            window: Window::ALWAYS,
        };
        run.time(&format!("count {name}"), async || {
            let answer = store.count(request.clone()).await?;
            Ok(format!("{} spans, {} traces", answer.spans, answer.traces))
        })
        .await?;
        let request = SearchRequest {
            tenant: tenant.clone(),
            predicate,
            window: Window::ALWAYS,
            order: Order::SlowestFirst,
            limit: 20,
            after: None,
        };
        run.time(&format!("slowest 20 of {name}"), async || {
            let answer = store.search(request.clone()).await?;
            Ok(format!("{} traces", answer.traces.len()))
        })
        .await?;
    }
    Ok(())
}

async fn ask_structures(store: &Store, tenant: &TenantId, run: &Run) -> Fallible<()> {
    let service = |name: &str| {
        let name = Literal::String(name.to_owned());
        Predicate::Compare(Field::Service, Operator::Equal, name)
    };
    let database = Predicate::Exists(Field::Attribute {
        place: Place::Span,
        key: "db.system.name".to_owned(),
    });
    for (name, left, relation, right) in [
        (
            "recommend >> any",
            service("recommend"),
            Relation::Descendant,
            Predicate::All,
        ),
        (
            "checkout >> db",
            service("checkout"),
            Relation::Descendant,
            database.clone(),
        ),
        (
            "any >> db",
            Predicate::All,
            Relation::Descendant,
            database.clone(),
        ),
        (
            "db << frontend",
            database.clone(),
            Relation::Ancestor,
            service("frontend"),
        ),
        ("db ~ db", database.clone(), Relation::Sibling, database),
    ] {
        let request = StructureRequest {
            tenant: tenant.clone(),
            structure: Structure {
                left,
                relation,
                right,
            },
            window: Window::ALWAYS,
            limit: 20,
            after: None,
        };
        run.time(&format!("structure {name}"), async || {
            let answer = store.find_structure(request.clone()).await?;
            Ok(format!(
                "{} spans, {} traces",
                answer.all_spans, answer.all_traces
            ))
        })
        .await?;
    }
    Ok(())
}

async fn ask_rates(store: &Store, tenant: &TenantId, run: &Run) -> Fallible<()> {
    for (name, of, step_nanos) in [
        ("operations, one step", RatesOf::Operations, 0),
        ("operations, by minute", RatesOf::Operations, MINUTE_NANOS),
        ("calls, one step", RatesOf::Calls, 0),
    ] {
        let start = START_UNIX_SECONDS * 1_000_000_000;
        let half_a_day = 12 * 60 * MINUTE_NANOS;
        let request = RatesRequest {
            tenant: tenant.clone(),
            of,
            window: Window {
                start: start - half_a_day,
                end: start + half_a_day,
            },
            step_nanos,
            services: Vec::new(),
            kinds: Vec::new(),
            by_operation: true,
            by_kind: false,
            with_examples: false,
        };
        run.time(&format!("rates of {name}"), async || {
            let answer = store.rates(request.clone()).await?;
            let points = answer.series.iter().map(|series| series.points.len());
            Ok(format!(
                "{} series, {} points",
                answer.series.len(),
                points.sum::<usize>()
            ))
        })
        .await?;
    }
    Ok(())
}

/// Traces by id, spread over all that is there: the slowest of a service, and what they look like from afar.
async fn ask_traces(store: &Store, tenant: &TenantId, run: &Run) -> Fallible<()> {
    let request = SearchRequest {
        tenant: tenant.clone(),
        predicate: Predicate::All,
        window: Window::ALWAYS,
        order: Order::SlowestFirst,
        limit: 200,
        after: None,
    };
    let found = store.search(request).await?.traces;
    let ids: Vec<TraceId> = found.iter().map(|hit| hit.trace_id).collect();
    let mut times = Vec::new();
    for _ in 0..3 {
        times.clear();
        for trace_id in &ids {
            let started = run.clock.monotonic_nanos();
            store.trace(tenant, *trace_id).await?;
            times.push(run.clock.monotonic_nanos() - started);
        }
    }
    times.sort_unstable();
    let millis = |share: usize| {
        let at = times.len() * share / 100;
        times.get(at).copied().unwrap_or_default() as f64 / 1e6
    };
    println!(
        "trace by id, third time: p50 {:.2} ms, p99 {:.2} ms",
        millis(50),
        millis(99)
    );
    let absent = TraceId([0xee; 16]);
    run.time("absent id", async || {
        let answer = store.trace(tenant, absent).await?;
        Ok(format!("{} spans", answer.spans.len()))
    })
    .await?;
    run.time("what 200 traces look like", async || {
        let answer = store.facts(tenant, ids.clone()).await?;
        Ok(format!("{} traces", answer.facts.len()))
    })
    .await
}

async fn fill(store: &Store, tenant: &TenantId, spans: u64) -> Fallible<()> {
    let corpus = Corpus::new(CorpusOptions::new(Profile::Kind, spans, START_UNIX_SECONDS))?;
    for request in corpus {
        let otlp = bytes::Bytes::from(request.bytes);
        let batch = codec::otlp::decode_proto(&otlp)
            .map_err(|error| error.to_string())?
            .batch;
        store
            .write(IncomingBatch {
                tenant: tenant.clone(),
                batch,
                otlp,
            })
            .await?;
    }
    store.freeze_now()?;
    store.finalise_now()?;
    Ok(())
}

fn predicates() -> Vec<(&'static str, Predicate)> {
    let attribute = |key: &str| Field::Attribute {
        place: Place::Anywhere,
        key: key.to_owned(),
    };
    let text = |text: &str| Literal::Text(text.to_owned());
    let longer = |millis: i64| {
        let nanos = Literal::Int(millis * 1_000_000);
        Predicate::Compare(Field::Duration, Operator::Greater, nanos)
    };
    let system = attribute("db.system.name");
    vec![
        (
            "a common value",
            Predicate::Compare(system, Operator::Equal, text("postgresql")),
        ),
        ("spans over 200 ms", longer(200)),
        ("spans over 10 ms", longer(10)),
        (
            "a service",
            Predicate::Compare(
                Field::Service,
                Operator::Equal,
                Literal::String("checkout".to_owned()),
            ),
        ),
        (
            "a rare value",
            Predicate::Compare(
                attribute("app.user.tier"),
                Operator::Equal,
                text("platinum-founder"),
            ),
        ),
    ]
}

/// The processor's time of this process, which the kernel counts in hundredths of a second.
fn cpu_millis() -> Fallible<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(") ").ok_or("no fields")?;
    let numbers: Vec<&str> = fields.split(' ').skip(11).take(2).collect();
    let ticks = numbers
        .iter()
        .map(|ticks| ticks.parse::<f64>())
        .sum::<Result<f64, _>>()?;
    Ok(ticks * 10.0)
}

struct Run {
    clock: RealClock,
    spans: f64,
}

impl Run {
    /// Asks some times and prints the median, also for as many spans as are quoted.
    async fn time(&self, name: &str, ask: impl AsyncFn() -> Fallible<String>) -> Fallible<()> {
        let (mut times, mut answer) = (Vec::new(), String::new());
        let cpu_before = cpu_millis()?;
        for _ in 0..REPETITIONS {
            let started = self.clock.monotonic_nanos();
            answer = ask().await?;
            times.push(self.clock.monotonic_nanos() - started);
        }
        times.sort_unstable();
        let millis = times.get(REPETITIONS / 2).copied().unwrap_or_default() as f64 / 1e6;
        let quoted = millis * QUOTED_SPANS / self.spans;
        let cpu = (cpu_millis()? - cpu_before) / REPETITIONS as f64 * QUOTED_SPANS / self.spans;
        println!(
            "{name:<32} {millis:>8.2} ms; for 10M {quoted:>7.1} ms, CPU {cpu:>7.1} ms; {answer}"
        );
        Ok(())
    }
}
