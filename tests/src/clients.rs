//! Two small services, instrumented with the stock OpenTelemetry SDKs of Python and Node.js, call each other and send
//! their spans; Jaeger's API must return them as one trace, equal in everything the services know of it.
//!
//! A stock gRPC client reads it by both versions of Jaeger's query service.
//!
//! Between them they send by gRPC, HTTP/protobuf (plain and gzip) and HTTP/JSON. What the services sent they write
//! down themselves, so the expectation comes from the SDKs and not from this project.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::expected::{Lines, Sent, jaeger_trace_id};
use crate::folder::{Folder, project_root};
use crate::http;
use crate::jaeger::{differences, trace};
use crate::ledger;
use crate::program::Program;

/// Given to the first service as its caller's context: id of the trace, id of the calling span, state.
const CALLER: [(&str, &str); 2] = [
    (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
    ("tracestate", "shop=a1,rojo=2"),
];
/// The services' spans of one order: front 6, prices 4.
const SPAN_COUNT: usize = 10;

struct Service {
    child: Child,
    address: String,
}

impl Service {
    /// Starts a service; its first line is its port.
    fn start(mut command: Command, transport: &str, endpoint: &str, records: &Path) -> Self {
        command
            .args([
                "--transport",
                transport,
                "--endpoint",
                endpoint,
                "--records",
            ])
            .arg(records);
        // Without these the SDKs could pick up settings of the person who runs the tests.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_")) {
            command.env_remove(name);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let read = BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(
            read > 0,
            "the service ended before it said its port: {command:?}"
        );
        Self {
            child,
            address: format!("127.0.0.1:{}", line.trim()),
        }
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> serde_json::Value {
        let mut connection = http::Connection::open(&self.address).unwrap();
        let answer = connection.send("GET", path, headers, &[]).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        if let Err(error) = ended {
            eprintln!("cannot end a service: {error}");
        }
    }
}

fn python() -> Command {
    let root = project_root();
    let mut command = Command::new(root.join("target/clients/python/bin/python"));
    command.arg(root.join("tests/clients/python/service.py"));
    command
}

fn node() -> Command {
    let root = project_root();
    let mut command = Command::new("node");
    command.arg(root.join("tests/clients/node/service.js"));
    command.env("NODE_PATH", root.join("target/clients/node/node_modules"));
    command
}

/// Installs the SDKs where `make test` has not done so; a second call does nothing.
pub(crate) fn set_up() {
    let status = Command::new(project_root().join("tests/clients/setup"))
        .status()
        .unwrap();
    assert!(
        status.success(),
        "the SDKs cannot be installed; see tests/clients/setup"
    );
}

fn endpoint(program: &Program, transport: &str) -> String {
    let address = if transport == "grpc" {
        &program.addresses.otlp_grpc
    } else {
        &program.addresses.otlp_http
    };
    format!("http://{address}")
}

/// Lets one order run through both services and returns what they wrote down.
fn run_order(program: &Program, front: &str, prices: &str, caller: &[(&str, &str)]) -> Vec<Sent> {
    let folder = Folder::new("clients");
    let records = [folder.join("front.jsonl"), folder.join("prices.jsonl")];
    let front = Service::start(python(), front, &endpoint(program, front), &records[0]);
    let prices = Service::start(node(), prices, &endpoint(program, prices), &records[1]);
    let answer = front.get(&format!("/order?other=http://{}", prices.address), caller);
    assert_eq!(answer["price"]["stock"]["stock"], 12, "{answer}");
    // Returns once the SDK has its acknowledgement.
    assert_eq!(front.get("/flush", &[])["ok"], true);
    assert_eq!(prices.get("/flush", &[])["ok"], true);
    let lines = records
        .iter()
        .flat_map(|file| BufReader::new(File::open(file).unwrap()).lines());
    lines
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect()
}

/// One trace, complete, and equal in every line, in both modes of reading.
fn check(program: &Program, sent: &[Sent]) {
    ledger::check(program);
    let expected: Lines = sent
        .iter()
        .map(|span| (span.span_id.clone(), span.lines()))
        .collect();
    assert_eq!(
        expected.len(),
        SPAN_COUNT,
        "the services wrote down another number of spans"
    );
    let trace_id = &sent.first().unwrap().trace_id;
    assert!(
        sent.iter().all(|span| &span.trace_id == trace_id),
        "the services made more than one trace"
    );
    let mut connection = program.query_connection();
    for parameters in ["?raw=true", ""] {
        // No waiting: what is acknowledged can be found.
        let found = trace(&mut connection, trace_id, parameters)
            .expect("an acknowledged trace is not found");
        assert_eq!(found.trace_id, jaeger_trace_id(trace_id));
        if !parameters.is_empty() {
            // Without `raw` the parent outside of this trace is a warning, as in Jaeger.
            assert_eq!(found.warnings(), Vec::<&str>::new());
        }
        let differences = differences(&expected, &found.canonical());
        assert!(
            differences.is_empty(),
            "with \"{parameters}\":\n{}",
            differences.join("\n")
        );
    }
}

/// The same spans by both versions of the query service, on its own port and on the one that it shares with HTTP.
fn check_by_grpc(program: &Program, sent: &[Sent]) {
    let mut names: Vec<&str> = sent.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    let trace_id = &sent.first().unwrap().trace_id;
    for address in [&program.addresses.query_grpc, &program.addresses.query_http] {
        let mut read = read_by_grpc(address, trace_id);
        for version in ["v2", "v3"] {
            let read = read[version].as_array_mut().unwrap();
            read.sort_by_key(|name| name.as_str().unwrap().to_owned());
            assert_eq!(*read, names, "{version} on {address}");
        }
        assert_eq!(read["health"], "0801", "{address}");
        assert_eq!(read["absent"], "NOT_FOUND: trace not found", "{address}");
    }
}

/// The names of a trace's spans by both versions of the query service, by a client in Python.
pub(crate) fn read_by_grpc(address: &str, trace_id: &str) -> serde_json::Value {
    let root = project_root();
    let output = Command::new(root.join("target/clients/python/bin/python"))
        .arg(root.join("tests/clients/python/query.py"))
        .args([address, trace_id])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{address}: {error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn round_trip(front: &str, prices: &str, caller: &[(&str, &str)]) {
    set_up();
    let folder = Folder::new("round-trip");
    let program = Program::start(&folder.join("data"));
    let sent = run_order(&program, front, prices, caller);
    check(&program, &sent);
    let services = program.query("/api/services").json();
    assert_eq!(services["data"], serde_json::json!(["front", "prices"]));
    check_by_grpc(&program, &sent);
    // Also what is read from disk after a restart is the same.
    let ended = program.stop();
    assert!(ended.status.success(), "{}", ended.log);
    check(&Program::start(&folder.join("data")), &sent);
}

#[test]
fn returns_what_stock_sdks_sent_by_grpc_and_http_json() {
    round_trip("grpc", "http-json", &[]);
}

#[test]
fn returns_what_stock_sdks_sent_by_http_protobuf() {
    round_trip("http-protobuf", "http-protobuf", &CALLER);
}

#[test]
fn returns_what_stock_sdks_sent_by_gzipped_http_protobuf_and_grpc() {
    round_trip("http-protobuf-gzip", "grpc", &CALLER);
}

/// Protects the comparison itself: it must see a difference in any field.
#[test]
fn sees_every_kind_of_difference() {
    let line = r#"{"trace_id":"00000000000000000af7651916cd43dd","span_id":"00f067aa0ba902b7","parent_span_id":null,
        "trace_state":"","name":"a","kind":"server","start_ns":"1000000","end_ns":"3000000",
        "attributes":[{"key":"n","type":"int64","value":"9007199254740993"}],
        "events":[{"name":"e","time_ns":"2000000","attributes":[]}],
        "links":[{"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331"}],
        "status":{"code":"unset","message":""},"resource":[{"key":"service.name","type":"string","value":"s"}],
        "scope":{"name":"i","version":"1"}}"#;
    let sent: Sent = serde_json::from_str(line).unwrap();
    let lines = |sent: &Sent| BTreeMap::from([(sent.span_id.clone(), sent.lines())]);
    let expected = lines(&sent);
    assert!(differences(&expected, &lines(&sent)).is_empty());
    let changes: [fn(&mut Sent); 9] = [
        |span| span.name = "b".to_owned(),
        |span| span.kind = "client".to_owned(),
        |span| span.end_ns = "4000000".to_owned(),
        |span| span.parent_span_id = Some("00f067aa0ba902b8".to_owned()),
        |span| span.attributes[0].value.value = "9007199254740992".into(),
        |span| span.attributes[0].value.kind = "string".to_owned(),
        |span| span.events[0].time_ns = "2001000".to_owned(),
        |span| span.links.clear(),
        |span| span.status.code = "error".to_owned(),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut changed = sent.clone();
        change(&mut changed);
        assert!(
            !differences(&expected, &lines(&changed)).is_empty(),
            "change {number} is not seen"
        );
    }
}
