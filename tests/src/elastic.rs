//! Spans kept in a real OpenSearch, through TLS with a password: what kills, outages and refusals do to them.
//!
//! Promises checked: an acknowledged span is found exactly once with all its content, whoever was killed or away; what
//! can't be kept is refused with the reason, `/ready` says it too, and all is well again without a start.
//!
//! One server serves all of it, since it takes half a minute to start.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::folder::Folder;
use crate::http::{self, Connection};
use crate::jaeger::trace;
use crate::load::{Load, Numbers, Outcome, Request, Truth, seed, send};
use crate::outages::{Persistent, RECOVERY_MAX, pause, until_not_ready, until_ready};
use crate::program::{COLLECTOR_LISTENERS, Program};
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
    let listeners = ["query_http", "query_grpc", "admin", "health"];
    let query = Program::start_role("query", &listeners, &flags);
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
