//! Spans kept in a real OpenSearch, through TLS with a password: what kills, outages and refusals do to them.
//!
//! Promises checked: an acknowledged span is found exactly once with all its content, whoever was killed or away; what
//! can't be kept is refused with the reason, `/ready` says it too, and all is well again without a start. With a buffer
//! everything is acknowledged while the server is away, and is there once when it is back.
//!
//! One server serves all of it, since it takes half a minute to start.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::folder::Folder;
use crate::http::{self, Connection};
use crate::jaeger::trace;
use crate::ledger::total;
use crate::load::{Load, Numbers, Outcome, Request, SERVICE, Truth, seed, send};
use crate::outages::{Persistent, RECOVERY_MAX, pause, until_not_ready, until_ready};
use crate::program::{COLLECTOR_LISTENERS, Program, QUERY_LISTENERS};
use crate::server::{Server, USER, other_authority};
use crate::wait::{Stopwatch, let_pass, report, until};

const KILLS: u64 = 10;
const CONNECTIONS: u64 = 3;

/// The flags of a program that keeps its spans there.
fn flags(server: &Server, password_file: &Path, ca_file: &Path) -> Vec<String> {
    let settings = [
        "kind=elasticsearch".to_owned(),
        format!("elasticsearch.hosts={}", server.url),
        format!("elasticsearch.username={USER}"),
        format!("elasticsearch.password_file={}", password_file.display()),
        format!("elasticsearch.tls.ca_file={}", ca_file.display()),
        "elasticsearch.shards=1".to_owned(),
        "elasticsearch.replicas=0".to_owned(),
        "elasticsearch.timeout=3s".to_owned(),
    ];
    let flags = settings.map(|setting| ["--set".to_owned(), format!("backend.{setting}")]);
    flags.into_iter().flatten().collect()
}

/// A program on the server, and what is known of its spans.
struct Scene {
    server: Server,
    folder: Folder,
    flags: Vec<String>,
    truth: Truth,
    numbers: Numbers,
}

impl Scene {
    fn start(&self) -> Program {
        self.start_with(&self.flags)
    }

    fn start_with(&self, flags: &[String]) -> Program {
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        Program::start_with(&self.folder.join("data"), &flags)
    }

    fn check(&self, program: &Program) {
        self.server.curl("POST", "/_refresh", "");
        self.truth.check(program, &self.truth.trace_ids());
    }
}

#[test]
fn opensearch_keeps_every_acknowledged_span_over_kills_and_outages() {
    let Some(server) = Server::start("opensearch", true) else {
        return;
    };
    let seed = seed();
    println!("replay with TRACKWAY_SEED={seed}");
    let flags = flags(&server, &server.password_file(), &server.ca_file());
    let mut scene = Scene {
        flags,
        server,
        folder: Folder::new("elastic"),
        truth: Truth::default(),
        numbers: Numbers::new(seed),
    };
    let program = kill_the_program(&mut scene);
    kill_the_server(&mut scene, &program);
    pause_the_server(&mut scene, &program);
    refuse_to_write(&mut scene, &program);
    set_aside_what_is_poison(&mut scene, &program);
    scene.check(&program);
    drop(program);
    share_the_store(&mut scene);
    buffer_what_comes_while_the_server_is_away(&mut scene);
    say_who_is_wrong(&mut scene);
}

fn kill_the_program(scene: &mut Scene) -> Program {
    let watch = Stopwatch::start();
    let mut program = scene.start();
    for _ in 0..KILLS {
        let load = Load::start(&program, scene.numbers.next(), CONNECTIONS, 0);
        let_pass(Duration::from_millis(50 + scene.numbers.below(600)));
        program.kill();
        load.stop_into(&mut scene.truth);
        program = scene.start();
        scene.check(&program);
        scene.truth.resend_unsure(&program);
    }
    scene.check(&program);
    let spans = scene.truth.span_count();
    assert!(spans > 0, "nothing was acknowledged, so nothing was shown");
    report(&format!(
        "elastic: {KILLS} kills in {:.1} s, {spans} spans acknowledged and found",
        watch.elapsed().as_secs_f64(),
    ));
    program
}

fn kill_the_server(scene: &mut Scene, program: &Program) {
    let load = Persistent::start(program, scene.numbers.next());
    let_pass(Duration::from_millis(500));
    scene.server.signal("KILL");
    let is_gone = until(RECOVERY_MAX, || (!scene.server.is_alive()).then_some(()));
    is_gone.expect("a killed process ends");
    let said = until_not_ready(program);
    assert!(
        said.contains("Elasticsearch at https://localhost:"),
        "{said}"
    );
    scene.server.start_again();
    until_ready(program);
    let_pass(Duration::from_millis(500));
    let refused = load.stop_into(&mut scene.truth);
    assert!(refused > 0, "nobody sent while the server was away");
    scene.check(program);
}

fn pause_the_server(scene: &mut Scene, program: &Program) {
    let load = Persistent::start(program, scene.numbers.next());
    let_pass(Duration::from_millis(300));
    scene.server.signal("STOP");
    let_pass(pause());
    let said = until_not_ready(program);
    assert!(said.contains("does not answer within 3 s"), "{said}");
    scene.server.signal("CONT");
    until_ready(program);
    let refused = load.stop_into(&mut scene.truth);
    assert!(refused > 0, "nobody sent while the server was paused");
    scene.check(program);
}

fn refuse_to_write(scene: &mut Scene, program: &Program) {
    let block = |is_blocked: bool| {
        let body = format!(r#"{{"index.blocks.write":{is_blocked}}}"#);
        let told = scene.server.curl("PUT", "/jaeger-span-*/_settings", &body);
        assert!(told.contains("true"), "{told}");
    };
    block(true);
    let request = Request::new(scene.numbers.next(), 0, 0);
    let answer = post(program, &request).unwrap();
    assert_eq!(answer.status, 503);
    let said = answer.text();
    assert!(said.contains("cluster_block_exception"), "{said}");
    block(false);
    let mut connection = Connection::open(&program.addresses.otlp_http).unwrap();
    assert_eq!(
        send(&mut connection, &request).unwrap(),
        Outcome::Acknowledged
    );
    scene.truth.acknowledge(request);
    scene.check(program);
}

/// A document that the server never takes does not hold up the others, and can be looked at.
fn set_aside_what_is_poison(scene: &mut Scene, program: &Program) {
    let limit = |nested: &str| {
        let body = format!(r#"{{"index.mapping.nested_objects.limit":{nested}}}"#);
        let told = scene.server.curl("PUT", "/jaeger-span-*/_settings", &body);
        assert!(told.contains("true"), "{told}");
    };
    limit("1");
    let request = Request::new(scene.numbers.next(), 0, 0);
    let answer = post(program, &request).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    limit("10000");
    scene.server.curl("POST", "/_refresh", "");
    let aside = scene
        .server
        .curl("GET", "/trackway-set-aside/_search?size=100", "");
    let aside: serde_json::Value = serde_json::from_str(&aside).unwrap();
    let documents = aside["hits"]["hits"].as_array().unwrap();
    assert_eq!(documents.len(), request.spans.len());
    for document in documents {
        let text = document["_source"]["document"].as_str().unwrap();
        assert!(text.contains(&request.trace_id), "{text}");
        let reason = document["_source"]["reason"].as_str().unwrap();
        assert!(reason.contains("nested"), "{reason}");
    }
}

/// What one process takes another finds.
fn share_the_store(scene: &mut Scene) {
    let flags: Vec<&str> = scene.flags.iter().map(String::as_str).collect();
    let collectors = [0, 1].map(|_| Program::start_role("collector", &COLLECTOR_LISTENERS, &flags));
    let query = Program::start_role("query", &QUERY_LISTENERS, &flags);
    for collector in &collectors {
        assert_eq!(collector.addresses.query_http, "");
        let request = Request::new(scene.numbers.next(), 0, 0);
        let mut connection = Connection::open(&collector.addresses.otlp_http).unwrap();
        assert_eq!(
            send(&mut connection, &request).unwrap(),
            Outcome::Acknowledged
        );
        scene.server.curl("POST", "/_refresh", "");
        let found = trace(
            &mut query.query_connection(),
            &request.trace_id,
            "?raw=true",
        );
        assert_eq!(found.unwrap().canonical(), request.spans);
        scene.truth.acknowledge(request);
    }
    assert_eq!(query.addresses.otlp_http, "");
    // A stop has what was counted last kept, too.
    for collector in collectors {
        collector.stop();
    }
    scene.server.curl("POST", "/_refresh", "");
    let kinds =
        "spanKind=internal&spanKind=server&spanKind=client&spanKind=producer&spanKind=consumer";
    let hours = "lookback=10800000&step=10800000&ratePer=10800000";
    let rates = query.query(&format!(
        "/api/metrics/calls?service={SERVICE}&{kinds}&{hours}"
    ));
    let rates = rates.json();
    let points = rates.pointer("/metrics/0/metricPoints");
    let points = points.and_then(serde_json::Value::as_array).unwrap();
    let rate = |point: &serde_json::Value| point["gaugeValue"]["doubleValue"].as_f64();
    assert!(
        points.iter().filter_map(rate).any(|rate| rate > 0.0),
        "{rates}"
    );
}

fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let found = until(RECOVERY_MAX, || holds().then_some(()));
    assert!(found.is_some(), "{what}: not after {RECOVERY_MAX:?}");
}

/// Spans in the buffer of a collector.
fn waiting(collector: &Program) -> u64 {
    total(collector, "backend_buffer_waiting_spans")
}

/// Sends until the collector has taken so many spans more; nothing is refused.
fn send_spans(collector: &Program, scene: &mut Scene, truth: &mut Truth, spans: u64) {
    let taken = || total(collector, "backend_buffer_buffered_spans_total");
    let before = taken();
    let load = Load::start(collector, scene.numbers.next(), CONNECTIONS, 0);
    wait_for("spans are taken", || taken() > before + spans);
    let sent = load.stop();
    assert!(sent.is_sure(), "all was acknowledged");
    truth.merge(sent);
}

/// A collector with a buffer acknowledges while the server is away, and is killed meanwhile. The server is paused,
/// which is the worse way of being away; where there is time for its start it is killed.
fn buffer_what_comes_while_the_server_is_away(scene: &mut Scene) {
    let watch = Stopwatch::start();
    let is_killed = std::env::var_os("TRACKWAY_ALL_SERVERS").is_some();
    let shared = scene.flags.clone();
    let shared: Vec<&str> = shared.iter().map(String::as_str).collect();
    let dir = scene.folder.join("buffer");
    let dir = format!("backend.buffer.dir={}", dir.display());
    let flags = [&shared[..], &["--set", &dir]].concat();
    let start = || Program::start_role("collector", &COLLECTOR_LISTENERS, &flags);
    // The same configuration, which is no quarrel about the folder.
    let query = Program::start_role("query", &QUERY_LISTENERS, &flags);
    let (collector, mut truth) = (start(), Truth::default());
    send_spans(&collector, scene, &mut truth, 300);
    wait_for("spans are kept", || waiting(&collector) == 0);
    // The server goes away in the middle of it.
    let load = Load::start(&collector, scene.numbers.next(), CONNECTIONS, 0);
    scene.server.signal(if is_killed { "KILL" } else { "STOP" });
    wait_for("spans wait", || waiting(&collector) > 300);
    load.stop_into(&mut truth);
    wait_for("the circuit opens", || {
        total(&collector, "backend_circuit_is_open") == 1
    });
    send_spans(&collector, scene, &mut truth, 300);
    let ready = http::get(&collector.addresses.admin, "/ready").unwrap();
    assert_eq!(ready.status, 200, "that is what the buffer is for");
    let before = waiting(&collector);
    let load = Load::start(&collector, scene.numbers.next(), CONNECTIONS, 0);
    wait_for("more wait", || waiting(&collector) > before + 300);
    collector.kill();
    load.stop_into(&mut truth);
    let collector = start();
    assert!(waiting(&collector) > 900, "{}", waiting(&collector));
    truth.resend_unsure(&collector);
    send_spans(&collector, scene, &mut truth, 300);
    match is_killed {
        true => scene.server.start_again(),
        false => scene.server.signal("CONT"),
    }
    wait_for("it catches up", || {
        total(&collector, "backend_buffer_sent_spans_total") > 0
    });
    // Once more, while it catches up: some of what was written was not confirmed yet, and is written again.
    collector.kill();
    let collector = start();
    wait_for("everything is kept", || waiting(&collector) == 0);
    for lost in ["dropped", "set_aside"] {
        let name = format!("backend_buffer_{lost}_spans_total");
        assert_eq!(total(&collector, &name), 0, "{name}");
    }
    assert_eq!(total(&collector, "backend_circuit_is_open"), 0);
    scene.server.curl("POST", "/_refresh", "");
    truth.check(&query, &truth.trace_ids());
    report(&format!(
        "elastic: {} spans through a buffer over an outage and two kills in {:.1} s, each found once",
        truth.span_count(),
        watch.elapsed().as_secs_f64(),
    ));
}

/// What is wrong is said where somebody looks, and no secret with it; a password that is put right is used at once.
fn say_who_is_wrong(scene: &mut Scene) {
    let wrong_password = scene.folder.join("password");
    std::fs::write(&wrong_password, "wrong-sekrit-34").unwrap();
    let program = scene.start_with(&flags(
        &scene.server,
        &wrong_password,
        &scene.server.ca_file(),
    ));
    let said = until_not_ready(&program);
    assert!(
        said.contains("401") && said.contains("password_file"),
        "{said}"
    );
    let request = Request::new(scene.numbers.next(), 0, 0);
    assert_eq!(post(&program, &request).unwrap().status, 503);
    let asked = program.query("/api/services");
    assert!(
        asked.status >= 500 && asked.text().contains("401"),
        "{}",
        asked.text()
    );
    let right = std::fs::read(scene.server.password_file()).unwrap();
    std::fs::write(&wrong_password, right).unwrap();
    let mut connection = Connection::open(&program.addresses.otlp_http).unwrap();
    assert_eq!(
        send(&mut connection, &request).unwrap(),
        Outcome::Acknowledged
    );
    scene.truth.acknowledge(request);
    scene.check(&program);
    let log = program.stop().log;
    assert!(!log.contains("sekrit"), "{log}");

    let other_ca = other_authority(scene.folder.join("other-ca.pem"));
    let program = scene.start_with(&flags(
        &scene.server,
        &scene.server.password_file(),
        &other_ca,
    ));
    let said = until_not_ready(&program);
    assert!(said.contains("ca_file"), "{said}");
}

fn post(program: &Program, request: &Request) -> io::Result<http::Answer> {
    let mut connection = Connection::open(&program.addresses.otlp_http)?;
    connection.post("/v1/traces", "application/x-protobuf", &request.body)
}
