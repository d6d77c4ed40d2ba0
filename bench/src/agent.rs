//! What an agent costs beside an application, and what datagrams cost a collector: a constant rate for a short time.
//!
//! 1. A collector and an agent before it start on empty folders; the agent's memory is read when it has rested.
//! 2. The kind corpus is sent to the agent at [`OTLP_PER_SECOND`], and waited for until the collector has all of it.
//! 3. A collector alone, held to one core, is sent the same kind of spans as Jaeger's datagrams at
//!    [`DATAGRAMS_PER_SECOND`] spans a second.
//!
//! Promises: senders keep to the clock and not to the answers ([`crate::pace`]); what is sent is made before it is
//! sent. Spans that were acknowledged and did not arrive, or came twice, fail the run; lost datagrams are counted.

use std::collections::VecDeque;
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use plumbing::{Clock, RealClock};
use serde::Serialize;
use testkit::corpus::{Corpus, CorpusOptions, Profile};

use crate::datagrams::{self, Datagram};
use crate::figures::{Spread, Stopwatch, millis, ratio};
use crate::http::Connection;
use crate::load::together;
use crate::options::{Options, Protocol};
use crate::pace::Pace;
use crate::process;
use crate::program::Program;
use crate::run::{REST, end_folder, fresh_folder, mib};
use crate::sender::{Counts, Sender};
use crate::watching::metric;

/// Spans a second to the agent, and of a request: what a busy service sends.
const OTLP_PER_SECOND: u64 = 20_000;
const REQUEST_SPANS: usize = 100;
/// Spans a second as datagrams.
const DATAGRAMS_PER_SECOND: u64 = 50_000;
/// Nothing has arrived for so long: nothing more comes.
const QUIET: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// The one core of who takes datagrams.
const CORE: &str = "0";

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measured {
    pub(crate) seconds: u64,
    pub(crate) agent: AgentFigures,
    pub(crate) datagrams: DatagramFigures,
}

/// The agent under a load over OTLP.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AgentFigures {
    pub(crate) spans_per_second: u64,
    pub(crate) request_spans: usize,
    /// Resident memory when it had just started, how much of it is its own, and the most.
    pub(crate) idle_mib: f64,
    pub(crate) idle_own_mib: f64,
    pub(crate) peak_mib: f64,
    /// Processor time of the agent until all was delivered, by the seconds of the load.
    pub(crate) cores: f64,
    pub(crate) acknowledged_spans: u64,
    pub(crate) delivered_spans: u64,
    pub(crate) wire_bytes_per_span: f64,
    pub(crate) acknowledgement: Option<Spread>,
    pub(crate) latest_ms: f64,
    pub(crate) sent_back: u64,
}

/// A collector that is sent datagrams.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DatagramFigures {
    pub(crate) spans_per_second: u64,
    /// Whether it was held to one core; else it had all of them.
    pub(crate) is_held: bool,
    pub(crate) datagrams: u64,
    pub(crate) spans: u64,
    pub(crate) bytes: u64,
    pub(crate) lost_spans: u64,
    pub(crate) latest_ms: f64,
    /// Processor time of the program during the load, by its seconds.
    pub(crate) cores: f64,
    pub(crate) peak_mib: f64,
}

/// Runs both.
pub(crate) fn measure(seconds: u64, options: &Options) -> anyhow::Result<Measured> {
    let clock = RealClock::default();
    Ok(Measured {
        seconds,
        agent: measure_agent(seconds, options, &clock)?,
        datagrams: measure_datagrams(seconds, options, &clock)?,
    })
}

/// Spans of the kind corpus that end about now, as many as a load takes.
fn corpus(
    spans: u64,
    batch_spans: usize,
    options: &Options,
    clock: &dyn Clock,
) -> anyhow::Result<Corpus> {
    const WINDOW_SECONDS: u64 = 600;
    let start = clock.unix_nanos() / 1_000_000_000 - 2 * WINDOW_SECONDS;
    Ok(Corpus::new(CorpusOptions {
        seed: options.seed,
        batch_spans,
        ..CorpusOptions::new(Profile::Kind, spans, start).lying_over(WINDOW_SECONDS)
    })?)
}

fn measure_agent(
    seconds: u64,
    options: &Options,
    clock: &dyn Clock,
) -> anyhow::Result<AgentFigures> {
    let folder = fresh_folder(options, "agent")?;
    let (mut requests, mut spans) = (VecDeque::new(), 0);
    for request in corpus(OTLP_PER_SECOND * seconds, REQUEST_SPANS, options, clock)? {
        requests.push_back((spans, request.bytes));
        spans += request.spans as u64;
    }
    let collector = Program::start(options, &folder, 1, clock)?;
    let to = &collector.addresses.otlp_grpc;
    let agent = Program::start_agent(to, (options, &folder), 2, clock)?;
    clock.sleep(REST);
    let idle = process::memory(agent.pid())?;
    let cpu_before = process::cpu_millis(agent.pid())?;
    let (requests, counts) = (Mutex::new(requests), Counts::default());
    let pace = Pace::begin(OTLP_PER_SECOND, clock);
    let times_ms = together(options.connections, || {
        let mut sender = Sender::new(Protocol::Http, &agent.addresses, clock, &counts)?;
        let mut times_ms = Vec::new();
        loop {
            let next = requests.lock().map(|mut requests| requests.pop_front());
            let next = next.map_err(|_| anyhow!("another sender panicked"))?;
            let Some((before, bytes)) = next else {
                return Ok(times_ms);
            };
            let due = pace.due(before);
            let lateness = pace.wait_until(due);
            sender.send_until_kept(&bytes)?;
            let acknowledged = pace.passed().saturating_sub(due);
            times_ms.push((millis(lateness), millis(acknowledged)));
        }
    })
    .with_context(|| agent.end_of_log())?;
    let load = pace.passed();
    let arrived = || {
        figure(
            &collector,
            "trackway_receive_spans_accepted_total{transport=\"otlp_grpc\"}",
        )
    };
    let delivered_spans = await_all(spans, arrived, clock)?;
    ensure!(
        delivered_spans == spans,
        "{spans} spans were acknowledged and {delivered_spans} arrived:\n{}",
        agent.end_of_log()
    );
    // Behind it all, so that what was sent late counts.
    let cpu = process::cpu_millis(agent.pid())? - cpu_before;
    let peak_mib = mib(process::memory(agent.pid())?.peak_kib);
    let wire_bytes = figure(&agent, "trackway_sink_sent_bytes_total")?;
    agent.stop()?;
    collector.stop()?;
    end_folder(options, &folder)?;
    Ok(AgentFigures {
        spans_per_second: OTLP_PER_SECOND,
        request_spans: REQUEST_SPANS,
        idle_mib: mib(idle.resident_kib),
        idle_own_mib: mib(idle.own_kib),
        peak_mib,
        cores: ratio(cpu, 1000) / load.as_secs_f64(),
        acknowledged_spans: spans,
        delivered_spans,
        wire_bytes_per_span: ratio(wire_bytes, spans),
        acknowledgement: Spread::of(
            times_ms
                .iter()
                .map(|(_, acknowledged)| *acknowledged)
                .collect(),
        ),
        latest_ms: times_ms.iter().map(|(late, _)| *late).fold(0.0, f64::max),
        sent_back: counts.sent_back.into_inner(),
    })
}

fn measure_datagrams(
    seconds: u64,
    options: &Options,
    clock: &dyn Clock,
) -> anyhow::Result<DatagramFigures> {
    let folder = fresh_folder(options, "datagrams")?;
    let mut all: Vec<Datagram> = Vec::new();
    for request in corpus(DATAGRAMS_PER_SECOND * seconds, 1000, options, clock)? {
        all.append(&mut datagrams::of_request(&request.bytes)?);
    }
    let mut with_door = options.clone();
    with_door
        .settings
        .insert(0, "listen.jaeger_compact=0".to_owned());
    let program = Program::start(&with_door, &folder, 1, clock)?;
    let is_held = hold(program.pid());
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(&program.addresses.jaeger_compact)?;
    let cpu_before = process::cpu_millis(program.pid())?;
    let pace = Pace::begin(DATAGRAMS_PER_SECOND, clock);
    let (mut spans, mut bytes, mut latest) = (0, 0, Duration::ZERO);
    for datagram in &all {
        latest = latest.max(pace.wait_until(pace.due(spans)));
        socket.send(&datagram.bytes)?;
        spans += datagram.spans;
        bytes += datagram.bytes.len() as u64;
    }
    let load = pace.passed();
    let cpu = process::cpu_millis(program.pid())? - cpu_before;
    let name = "trackway_receive_spans_accepted_total{transport=\"jaeger_udp_compact\"}";
    let arrived = await_all(spans, || figure(&program, name), clock)?;
    ensure!(arrived <= spans, "{arrived} of {spans} spans arrived");
    let peak_mib = mib(process::memory(program.pid())?.peak_kib);
    program.stop()?;
    end_folder(options, &folder)?;
    Ok(DatagramFigures {
        spans_per_second: DATAGRAMS_PER_SECOND,
        is_held,
        datagrams: all.len() as u64,
        spans,
        bytes,
        lost_spans: spans - arrived,
        latest_ms: millis(latest),
        cores: ratio(cpu, 1000) / load.as_secs_f64(),
        peak_mib,
    })
}

/// Holds all threads of a process to one core; false where that can't be done.
fn hold(pid: u32) -> bool {
    let mut command = Command::new("taskset");
    command.args(["-a", "-p", "-c", CORE, &pid.to_string()]);
    let held = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    held.is_ok_and(|status| status.success())
}

/// Waits until so many are there, or nothing more comes; gives how many there are.
fn await_all(
    wanted: u64,
    count: impl Fn() -> anyhow::Result<u64>,
    clock: &dyn Clock,
) -> anyhow::Result<u64> {
    let (mut last, mut since) = (count()?, Stopwatch::start(clock));
    // Whether more than that comes is seen, too.
    while since.elapsed() < if last >= wanted { REST / 5 } else { QUIET } {
        clock.sleep(LOOK_AGAIN);
        let now = count()?;
        if now != last {
            (last, since) = (now, Stopwatch::start(clock));
        }
    }
    Ok(last)
}

/// A figure of a program's own; 0 while it has not been counted.
fn figure(program: &Program<'_>, name: &str) -> anyhow::Result<u64> {
    let answer = Connection::to(&program.addresses.admin).get("/metrics")?;
    ensure!(answer.status == 200, "/metrics got {}", answer.status);
    Ok(metric(&String::from_utf8_lossy(&answer.body), name).unwrap_or(0))
}
