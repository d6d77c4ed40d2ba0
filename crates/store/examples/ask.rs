//! Asks a store of generated spans in its own process and says how long the answers take: numbers of spans, searches by
//! structure, the slowest traces, rates, calls between services, traces by id.
//!
//! Usage: `ask SPANS DIR [--window-seconds 1800] [--unkind | --one-trace]
//! [--only-fill | --only-rates | --only-overviews]`. What lies in DIR already is asked as it is, else it is filled with
//! SPANS spans of the shop corpus, or of the unkind one, which start within so many seconds, and merged. With
//! `--one-trace` they are all of one trace, whose outline is asked for. Filling says every few seconds how far it is;
//! its memory does not grow with SPANS but for 0.2 bytes a span of their truth.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a report for people"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use journal::{Level, RealFiles};
use model::contract::{IncomingBatch, Order, SearchRequest, SpanReader, SpanWriter, Window};
use model::overview::ANY_DURATION;
use model::rates::{MINUTE_NANOS, RatesOf, RatesRequest};
use model::{
    CountRequest, Field, Literal, Operator, OverviewOf, OverviewRequest, Place, Predicate,
    Relation, SpanId, SpanSearchRequest, Structure, StructureRequest, TenantId, TraceId,
};
use plumbing::{Clock, Metrics, RealClock, RealRandom};
use store::{Store, StoreOptions, StoreParts};
use testkit::corpus::{Corpus, CorpusOptions, Profile};
use testkit::spans::{Ids, request};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Answers a question, of which the median is reported.
const REPETITIONS: usize = 9;
/// Traces that last so long are slow ones.
const SLOW_NANOS: u64 = 500_000_000;
/// Figures are quoted for so many spans.
const QUOTED_SPANS: f64 = 1e7;
/// A full hour, so that as many hours have spans as the window has.
const START_UNIX_SECONDS: u64 = 1_790_002_800;
/// Where figures are quoted for traces of half an hour.
const WINDOW_SECONDS: u64 = 1800;
/// Rates are asked for a day from the start on, or for as long as the corpus is.
const DAY_SECONDS: u64 = 24 * 3600;
const HOUR_NANOS: u64 = 60 * MINUTE_NANOS;
/// Between two reports of how far the filling is.
const REPORT_NANOS: u64 = 5_000_000_000;
const USAGE: &str = "usage: ask SPANS DIR [--window-seconds 1800] [--unkind | --one-trace] \
                     [--only-fill | --only-rates | --only-overviews]";
/// Spans of a request of the one trace.
const REQUEST_SPANS: usize = 2_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Fallible<()> {
    let wanted = Wanted::from_arguments(std::env::args().skip(1))?;
    let metrics = Metrics::new();
    let parts = StoreParts {
        files: Arc::new(RealFiles),
        clock: Arc::new(RealClock::default()),
        random: Arc::new(RealRandom::default()),
        metrics: &metrics,
    };
    let options = StoreOptions {
        level: Level::Memory,
        ..StoreOptions::new(wanted.dir.clone())
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
        fill(&store, &tenant, &wanted).await?;
    }
    if wanted.is_only_filled {
        store.stop();
        return Ok(());
    }
    let all = store.count(count(Predicate::All)).await?.spans;
    println!("{all} spans");
    let run = Run {
        clock: RealClock::default(),
        spans: all as f64,
    };
    if wanted.is_one_trace {
        ask_outline(&store, &tenant, &run).await?;
        store.stop();
        return Ok(());
    }
    if !wanted.is_only_rates {
        ask_overviews(&store, &tenant, &run).await?;
        ask_first_spans(&store, &tenant, &run).await?;
    }
    if !wanted.is_only_rates && !wanted.is_only_overviews {
        ask_counts_and_slowest(&store, &tenant, &run).await?;
        ask_structures(&store, &tenant, &run).await?;
    }
    if !wanted.is_only_overviews {
        ask_rates(&store, &tenant, &run).await?;
    }
    if !wanted.is_only_rates && !wanted.is_only_overviews {
        ask_dependencies(&store, &tenant, &run).await?;
        ask_traces(&store, &tenant, &run).await?;
    }
    store.stop();
    Ok(())
}

/// What the arguments ask for.
struct Wanted {
    spans: u64,
    dir: PathBuf,
    window_seconds: u64,
    profile: Profile,
    is_only_filled: bool,
    is_only_rates: bool,
    is_only_overviews: bool,
    is_one_trace: bool,
}

impl Wanted {
    fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Fallible<Self> {
        let (Some(spans), Some(dir)) = (arguments.next(), arguments.next()) else {
            return Err(USAGE.into());
        };
        let mut wanted = Self {
            spans: spans.parse().map_err(|_| USAGE)?,
            dir: PathBuf::from(dir),
            window_seconds: WINDOW_SECONDS,
            profile: Profile::Kind,
            is_only_filled: false,
            is_only_rates: false,
            is_only_overviews: false,
            is_one_trace: false,
        };
        while let Some(option) = arguments.next() {
            match option.as_str() {
                "--window-seconds" => {
                    wanted.window_seconds = arguments.next().ok_or(USAGE)?.parse()?;
                }
                "--unkind" => wanted.profile = Profile::Unkind,
                "--one-trace" => wanted.is_one_trace = true,
                "--only-fill" => wanted.is_only_filled = true,
                "--only-overviews" => wanted.is_only_overviews = true,
                "--only-rates" => wanted.is_only_rates = true,
                _ => return Err(USAGE.into()),
            }
        }
        Ok(wanted)
    }
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

async fn ask_dependencies(store: &Store, tenant: &TenantId, run: &Run) -> Fallible<()> {
    let start = START_UNIX_SECONDS * 1_000_000_000;
    // Both ends of ten minutes cut segments in two.
    let cut = Window {
        start: start + 300 * 1_000_000_000,
        end: start + 900 * 1_000_000_000,
    };
    for (name, window) in [("all", Window::ALWAYS), ("of ten minutes", cut)] {
        run.time(&format!("calls between services, {name}"), async || {
            let answer = store.dependencies(tenant, window).await?;
            let calls = answer.links.iter().map(|link| link.calls);
            Ok(format!("{} calls", calls.sum::<u64>()))
        })
        .await?;
    }
    Ok(())
}

async fn ask_rates(store: &Store, tenant: &TenantId, run: &Run) -> Fallible<()> {
    let operations = RatesOf::Operations;
    for (name, of, by_operation, step_nanos) in [
        ("operations, one step", operations, true, 0),
        ("operations, by hour", operations, true, HOUR_NANOS),
        ("operations, by minute", operations, true, MINUTE_NANOS),
        ("services, one step", operations, false, 0),
        ("services, by hour", operations, false, HOUR_NANOS),
        ("services, by minute", operations, false, MINUTE_NANOS),
        ("calls, one step", RatesOf::Calls, false, 0),
        ("calls, by hour", RatesOf::Calls, false, HOUR_NANOS),
    ] {
        let start = START_UNIX_SECONDS * 1_000_000_000;
        let request = RatesRequest {
            tenant: tenant.clone(),
            of,
            window: Window {
                start,
                end: start + DAY_SECONDS * 1_000_000_000 - 1,
            },
            step_nanos,
            services: Vec::new(),
            kinds: Vec::new(),
            by_operation,
            by_kind: false,
            with_examples: false,
        };
        run.time(&format!("rates of {name}"), async || {
            let answer = store.rates(request.clone()).await?;
            let points = answer.series.iter().flat_map(|series| &series.points);
            // Two quantiles of each point belong to the answer, as a table of rates shows them.
            let (mut count, mut spans, mut slowest) = (0, 0, 0.0);
            for point in points {
                count += 1;
                spans += point.spans;
                let quantiles = [0.5, 0.99].map(|share| point.durations.quantile(share));
                slowest = quantiles.into_iter().flatten().fold(slowest, f64::max);
            }
            Ok(format!(
                "{} series, {count} points, {spans} spans, slowest p99 {:.0} ms",
                answer.series.len(),
                slowest / 1e6
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

/// All that matches, in a hundred steps of the half hour, without and with six facets, of all traces and of slow ones.
async fn ask_overviews(store: &Store, tenant: &TenantId, run: &Run) -> Fallible<()> {
    let start = START_UNIX_SECONDS * 1_000_000_000;
    let whole = Window {
        start,
        end: start + (WINDOW_SECONDS + 60) * 1_000_000_000,
    };
    let attribute = |key: &str| Field::Attribute {
        place: Place::Anywhere,
        key: key.to_owned(),
    };
    let facets = vec![
        Field::Service,
        Field::Name,
        Field::Kind,
        Field::Status,
        attribute("db.system.name"),
        attribute("host.name"),
    ];
    let (of_spans, of_traces) = (OverviewOf::Spans, OverviewOf::Traces);
    let mut asked = vec![
        ("all spans", Predicate::All, of_spans, Vec::new()),
        (
            "all entry spans",
            Predicate::All,
            OverviewOf::EntrySpans,
            Vec::new(),
        ),
        ("all traces", Predicate::All, of_traces, Vec::new()),
        (
            "all spans, 6 facets",
            Predicate::All,
            of_spans,
            facets.clone(),
        ),
    ];
    for (name, predicate) in predicates() {
        asked.push((name, predicate, of_spans, facets.clone()));
    }
    let request = |(name, predicate, of, facets): (&str, _, _, _)| {
        let request = OverviewRequest {
            tenant: tenant.clone(),
            predicate,
            window: whole,
            trace_duration: ANY_DURATION,
            of,
            time_steps: 100,
            facets,
            facet_values_max: 20,
            rows_max: u64::MAX,
        };
        (format!("overview {name}"), request)
    };
    let mut requests: Vec<(String, OverviewRequest)> = asked.into_iter().map(request).collect();
    for at in 0..4 {
        let (name, request) = requests[at].clone();
        let request = OverviewRequest {
            trace_duration: SLOW_NANOS..=u64::MAX,
            ..request
        };
        requests.push((format!("{name}, slow traces"), request));
    }
    for (name, request) in requests {
        run.time(&name, async || {
            let answer = store.overview(request.clone()).await?;
            let values = answer.facets.iter().map(|facet| facet.distinct);
            Ok(format!(
                "{} points, {} cells, {} values",
                answer.points,
                answer.cells.len(),
                values.sum::<u64>()
            ))
        })
        .await?;
    }
    Ok(())
}

/// The first fifty spans in each order, and the fifty behind them.
async fn ask_first_spans(store: &Store, tenant: &TenantId, run: &Run) -> Fallible<()> {
    let mut asked = vec![("all", Predicate::All)];
    asked.extend(predicates());
    for (name, predicate) in asked {
        for order in [Order::NewestFirst, Order::SlowestFirst] {
            let mut request = SpanSearchRequest {
                tenant: tenant.clone(),
                predicate: predicate.clone(),
                window: Window::ALWAYS,
                order,
                limit: 50,
                after: None,
            };
            for page in ["first", "second"] {
                run.time(
                    &format!("spans {name}, {order:?}, {page} page"),
                    async || {
                        let answer = store.search_spans(request.clone()).await?;
                        Ok(format!("{} spans", answer.spans.len()))
                    },
                )
                .await?;
                let answer = store.search_spans(request.clone()).await?;
                request.after = answer.positions.last().copied();
            }
        }
    }
    Ok(())
}

/// The outline of the one trace that is there, and a few of its spans.
async fn ask_outline(store: &Store, tenant: &TenantId, run: &Run) -> Fallible<()> {
    let trace_id = TraceId(Ids::new(1).trace(1));
    run.time("outline", async || {
        let outline = store.outline(tenant, trace_id).await?.outline;
        Ok(format!("{} spans", outline.len()))
    })
    .await?;
    let ids = |count: u64| (1..=count).map(|id| SpanId(Ids::new(1).span(id * 1_999)));
    for count in [1, 100] {
        run.time(&format!("{count} of its spans"), async || {
            let answer = store.spans_of(tenant, trace_id, ids(count).collect());
            Ok(format!("{} spans", answer.await?.spans.len()))
        })
        .await?;
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    println!("{}", peak.unwrap_or_default());
    Ok(())
}

/// A trace of so many spans, a request at a time.
fn one_trace(spans: u64) -> impl Iterator<Item = Vec<u8>> {
    (1..=spans).step_by(REQUEST_SPANS).map(move |first| {
        let mut builder = request().seed(1);
        for id in first..(first + REQUEST_SPANS as u64).min(spans + 1) {
            builder = builder.service(&format!("service-{}", id % 12));
            builder = builder.span(&format!("operation {}", id % 97), |span| {
                let start = START_UNIX_SECONDS * 1_000_000_000 + id * 1_000;
                let span = span.trace(1).id(id).start_ns(start).lasting_ns(900_000);
                let span = if id > 1 {
                    span.parent(id / 6 + 1)
                } else {
                    span
                };
                let span = span
                    .attr("item", format!("item-{id}"))
                    .attr("try", id.cast_signed() % 3);
                if id % 10 == 0 {
                    span.event("retry")
                } else {
                    span
                }
            });
        }
        builder.encode()
    })
}

async fn fill_one_trace(store: &Store, tenant: &TenantId, spans: u64) -> Fallible<()> {
    for bytes in one_trace(spans) {
        let otlp = bytes::Bytes::from(bytes);
        let decoded = codec::otlp::decode_proto(&otlp).map_err(|error| error.to_string())?;
        let incoming = IncomingBatch {
            tenant: tenant.clone(),
            batch: decoded.batch,
            otlp,
        };
        store.write(incoming).await?;
    }
    store.freeze_now()?;
    finalise(store, &RealClock::default())
}

async fn fill(store: &Store, tenant: &TenantId, wanted: &Wanted) -> Fallible<()> {
    if wanted.is_one_trace {
        return fill_one_trace(store, tenant, wanted.spans).await;
    }
    let options = CorpusOptions::new(wanted.profile, wanted.spans, START_UNIX_SECONDS);
    let corpus = Corpus::new(match wanted.window_seconds {
        WINDOW_SECONDS => options,
        seconds => options.lying_over(seconds),
    })?;
    let clock = RealClock::default();
    let (mut spans, mut reported) = (0, 0);
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
        spans += request.spans as u64;
        let now = clock.monotonic_nanos();
        if now >= reported + REPORT_NANOS {
            reported = now;
            report(spans, now, store);
        }
    }
    report(spans, clock.monotonic_nanos(), store);
    store.freeze_now()?;
    finalise(store, &clock)
}

/// Has everything merged, and says meanwhile how far that is.
fn finalise(store: &Store, clock: &RealClock) -> Fallible<()> {
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut reported = clock.monotonic_nanos();
            while !is_done.load(Ordering::Relaxed) {
                clock.sleep(Duration::from_millis(100));
                let now = clock.monotonic_nanos();
                if now >= reported + REPORT_NANOS {
                    reported = now;
                    report(0, now, store);
                }
            }
        });
        let result = store.finalise_now();
        is_done.store(true, Ordering::Relaxed);
        result
    })?;
    Ok(())
}

/// Says how far the filling is; of 0 spans written, how far the merging is.
fn report(spans: u64, nanos: u64, store: &Store) {
    let stats = store.stats();
    let fresh = stats.levels.get("fresh").map_or(0, |level| level.segments);
    let written = match spans {
        0 => "merging".to_owned(),
        _ => format!("{spans} spans written"),
    };
    eprintln!(
        "{:>5} s: {written}, {} segments, {fresh} of them to be merged, {} MiB",
        nanos / 1_000_000_000,
        stats.segments,
        stats.segment_bytes >> 20
    );
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
