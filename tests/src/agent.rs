//! The agent beside an application: collectors that are away, agents that are killed, buffers that are full.
//!
//! Promises checked: every acknowledged span arrives exactly once, whatever is killed meanwhile; what has no room is
//! refused where that can be said, and counted where it can't.

use std::net::UdpSocket;
use std::time::Duration;

use crate::folder::{Folder, project_root};
use crate::http::{self, Connection};
use crate::jaeger::trace;
use crate::ledger::{check, total};
use crate::load::{Load, Numbers, Outcome, Request, Truth, seed, send};
use crate::program::{FREEZE_SOON, Program};
use crate::wait::{Stopwatch, let_pass, report, until};

/// Far longer than anything here takes.
const TIME_MAX: Duration = Duration::from_secs(60);
const CONNECTIONS: u64 = 3;
/// Between two bursts of a long outage.
const BURST_PAUSE: Duration = Duration::from_millis(500);
/// Short pauses, and nothing added, so that what arrives is what was sent.
const AGENT: [&str; 6] = [
    "--set",
    "agent.detect=off",
    "--set",
    "agent.request.delay=10ms",
    "--set",
    "agent.retry.pause_max=300ms",
];

fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let found = until(TIME_MAX, || holds().then_some(()));
    assert!(found.is_some(), "{what}: not after {TIME_MAX:?}");
}

/// How long the collector is away at least: as long as spans take to gather, or as `TRACKWAY_OUTAGE_SECONDS` says.
fn outage() -> Duration {
    let given = std::env::var("TRACKWAY_OUTAGE_SECONDS").ok();
    Duration::from_secs(given.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// Sends in bursts for as long as the collector is still to be away.
fn endure(agent: &Program, numbers: &mut Numbers, truth: &mut Truth, time: Duration) {
    let watch = Stopwatch::start();
    while watch.elapsed() < time {
        let before = waiting(agent);
        let load = Load::start(agent, numbers.next(), 1, 0);
        wait_for("spans wait", || waiting(agent) > before + 300);
        load.stop_into(truth);
        let_pass(BURST_PAUSE);
    }
}

fn waiting(agent: &Program) -> u64 {
    total(agent, "sink_waiting_spans")
}

/// A collector at the address of one before.
fn start_again(folder: &Folder, otlp_grpc: &str) -> Program {
    let address = format!("listen.otlp_grpc={otlp_grpc}");
    let flags = [&FREEZE_SOON[..], &["--set", &address]].concat();
    Program::start_with(&folder.join("collector"), &flags)
}

#[test]
fn every_acknowledged_span_arrives_once_over_an_outage_and_kills_of_the_agent() {
    let seed = seed();
    println!("replay with TRACKWAY_SEED={seed}");
    let mut numbers = Numbers::new(seed);
    let folder = Folder::new("agent-outage");
    let buffer = folder.join("buffer");
    let collector = Program::start_with(&folder.join("collector"), &FREEZE_SOON);
    let address = collector.addresses.otlp_grpc.clone();
    let start = || Program::start_agent(&address, &buffer, &AGENT);
    let mut truth = Truth::default();
    let agent = start();
    let load = Load::start(&agent, numbers.next(), CONNECTIONS, 0);
    wait_for("spans arrive", || {
        total(&agent, "sink_sent_spans_total") > 300
    });
    // The collector goes away in the middle of it, and the agent is killed twice before it is back.
    collector.kill();
    wait_for("spans wait", || waiting(&agent) > 600);
    load.stop_into(&mut truth);
    endure(&agent, &mut numbers, &mut truth, outage() / 2);
    let before = waiting(&agent);
    let load = Load::start(&agent, numbers.next(), CONNECTIONS, 0);
    wait_for("more spans wait", || waiting(&agent) > before + 300);
    agent.kill();
    load.stop_into(&mut truth);
    let agent = start();
    let before = waiting(&agent);
    assert!(before > 600, "{before} spans wait after the first kill");
    endure(&agent, &mut numbers, &mut truth, outage() / 2);
    let before = waiting(&agent);
    let load = Load::start(&agent, numbers.next(), CONNECTIONS, 0);
    wait_for("more spans wait", || waiting(&agent) > before + 600);
    agent.kill();
    load.stop_into(&mut truth);
    let agent = start();
    let load = Load::start(&agent, numbers.next(), CONNECTIONS, 0);
    let collector = start_again(&folder, &address);
    // Once more, while it catches up: some of what it sent was not confirmed yet, and is sent again.
    wait_for("it catches up", || {
        total(&agent, "sink_sent_spans_total") > 300
    });
    agent.kill();
    load.stop_into(&mut truth);
    let agent = start();
    truth.resend_unsure(&agent);
    wait_for("everything is delivered", || waiting(&agent) == 0);
    assert_eq!(total(&agent, "sink_dropped_spans_total"), 0);
    truth.check(&collector, &truth.trace_ids());
    let count = truth.span_count();
    assert!(count > 1_500, "{count} spans were acknowledged");
    report(&format!(
        "agent: {count} spans over an outage and three kills, each found once"
    ));
    let ended = agent.stop();
    assert!(ended.status.success(), "{}", ended.log);
}

#[test]
fn a_full_buffer_refuses_otlp_drops_the_oldest_datagrams_and_recovers() {
    let folder = Folder::new("agent-full");
    // A collector that is gone leaves an address where nobody listens.
    let collector = Program::start_with(&folder.join("collector"), &[]);
    let address = collector.addresses.otlp_grpc.clone();
    collector.kill();
    let small = ["--buffer-size", "4MiB", "--set", "memory.limit=64MiB"];
    let agent = Program::start_agent(
        &address,
        &folder.join("buffer"),
        &[&AGENT[..], &small].concat(),
    );
    let mut connection = Connection::open(&agent.addresses.otlp_http).unwrap();
    let mut truth = Truth::default();
    let refused = (0..1_000).find_map(|number| {
        let request = Request::new(7, number, 20_000);
        match send(&mut connection, &request).unwrap() {
            Outcome::Acknowledged => truth.acknowledge(request),
            Outcome::Refused(status, retry_after) => return Some((status, retry_after)),
        }
        None
    });
    let (status, retry_after) = refused.expect("it never is full");
    assert_eq!((status, retry_after.is_some()), (503, true));
    let ready = http::get(&agent.addresses.admin, "/ready").unwrap();
    assert_eq!(ready.status, 503);
    assert!(
        ready.text().contains("agent.buffer.bytes_max"),
        "{}",
        ready.text()
    );
    assert_eq!(
        http::get(&agent.addresses.admin, "/live").unwrap().status,
        200
    );
    // Datagrams can't be refused: they wait in memory, and when there is no more of that the oldest go.
    let datagram = a_datagram();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    wait_for("datagrams are dropped", || {
        for _ in 0..500 {
            socket
                .send_to(&datagram, &agent.addresses.jaeger_compact)
                .unwrap();
        }
        dropped_bytes(&agent) > 0
    });
    let collector = start_again(&folder, &address);
    wait_for("there is room again", || {
        http::get(&agent.addresses.admin, "/ready").unwrap().status == 200
    });
    wait_for("everything is delivered", || waiting(&agent) == 0);
    truth.check(&collector, &truth.trace_ids());
    // A pile that waits in memory is tried again after a pause.
    wait_for("datagrams arrive that had waited", || {
        let trace_id = "747261636b7761790000000000002001";
        trace(&mut collector.query_connection(), trace_id, "?raw=true").is_some()
    });
}

/// Bytes of datagrams that were let go because there was no room for them.
fn dropped_bytes(agent: &Program) -> u64 {
    let series = "trackway_receive_bytes_refused_total{transport=\"jaeger_udp_compact\",reason=\"overloaded\"}";
    let text = http::get(&agent.addresses.admin, "/metrics")
        .unwrap()
        .text();
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    line.unwrap().trim().parse().unwrap()
}

/// One that a Jaeger took, as it was recorded.
fn a_datagram() -> Vec<u8> {
    let file = project_root().join("tests/golden/thrift/hand-made-udp.json");
    let recorded: serde_json::Value =
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let cases = recorded["cases"].as_array().unwrap();
    let case = cases
        .iter()
        .find(|case| case["name"] == "compact full")
        .unwrap();
    let digits = case["packet_hex"].as_str().unwrap().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

#[test]
fn resources_are_given_what_they_lack_and_clients_what_the_collector_says() {
    let folder = Folder::new("agent-attributes");
    let strategies = folder.join("strategies.json");
    let told = r#"{"service_strategies":[{"service":"shop","type":"probabilistic","param":0.25}]}"#;
    std::fs::write(&strategies, told).unwrap();
    let file = format!("sampling.strategies_file={}", strategies.display());
    let collector = Program::start_with(&folder.join("collector"), &["--set", &file]);
    let flags = [
        "--tags",
        "team=shop,host.name=not-used",
        "--set",
        "agent.request.delay=10ms",
    ];
    let agent = Program::start_agent(
        &collector.addresses.otlp_grpc,
        &folder.join("buffer"),
        &flags,
    );
    // One that asks the other over gRPC, as a client of the kind would.
    let asks = format!(
        "agent.sampling.collectors={}",
        agent.addresses.sampling_grpc
    );
    let second = Program::start_agent(
        &collector.addresses.otlp_grpc,
        &folder.join("second"),
        &["--set", &asks],
    );
    let sampling = |of: &Program, service: &str| {
        let path = format!("/sampling?service={service}");
        http::get(&of.addresses.sampling_http, &path).unwrap()
    };
    let rate =
        |of: &Program| sampling(of, "shop").json()["probabilisticSampling"]["samplingRate"].clone();
    assert_eq!((rate(&agent), rate(&second)), (0.25.into(), 0.25.into()));
    let request = Request::new(1, 0, 0);
    let mut connection = Connection::open(&agent.addresses.otlp_http).unwrap();
    assert_eq!(
        send(&mut connection, &request).unwrap(),
        Outcome::Acknowledged
    );
    wait_for("the span arrives", || {
        total(&agent, "sink_sent_spans_total") > 0
    });
    let found = collector
        .query(&format!("/api/traces/{}?raw=true", request.trace_id))
        .json();
    let processes = found["data"][0]["processes"].as_object().unwrap();
    let tags = processes.values().next().unwrap()["tags"]
        .as_array()
        .unwrap();
    let of = |key: &str| {
        let mut values = tags.iter().filter(|tag| tag["key"] == key);
        let value = values.next().map(|tag| tag["value"].clone());
        assert!(values.next().is_none(), "{key} is there twice");
        value.unwrap_or_default()
    };
    assert_eq!(
        (of("team"), of("host.name")),
        ("shop".into(), "crash-test".into())
    );
    assert_eq!(of("os.type"), "linux");
    check(&collector);
    // What is known is told on; what is not known is an error with the reason.
    collector.kill();
    assert_eq!(rate(&agent), 0.25);
    for of in [&agent, &second] {
        let unknown = sampling(of, "new");
        assert_eq!(unknown.status, 503);
        assert!(unknown.text().contains("not known"), "{}", unknown.text());
    }
}
