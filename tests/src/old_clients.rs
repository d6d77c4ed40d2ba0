//! The clients that came before OpenTelemetry, as their makers left them, and OpenTelemetry's exporters to Zipkin: each
//! sends a trace by its own door; the old JSON API, version 3 over HTTP, and both versions over gRPC say of it what the
//! client knows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clients::read_by_grpc;
use crate::folder::{Folder, project_root};
use crate::http;
use crate::ledger;
use crate::program::Program;
use crate::wait::{skipped, until};

/// In Python Jaeger's client with ids of 64 and of 128 bits, py-zipkin with both versions, OpenTelemetry with JSON and
/// protobuf.
const CLIENTS_PYTHON: usize = 6;
/// In the other languages Jaeger's client, by datagrams and over HTTP.
const CLIENTS_OTHER: usize = 2;
/// How long a datagram may take until it is kept.
const ARRIVAL_MAX: Duration = Duration::from_secs(20);

/// Installs the clients where `make test` has not done so; a second call does nothing.
fn set_up() {
    let status = Command::new(project_root().join("tests/clients/setup")).status();
    assert!(status.unwrap().success(), "see tests/clients/setup");
}

fn port(address: &str) -> &str {
    address.rsplit(':').next().unwrap()
}

fn python(program: &Program) -> Command {
    let root = project_root();
    let mut python = Command::new(root.join("target/clients/old/bin/python"));
    python
        .arg("-B")
        .arg(root.join("tests/clients/old/clients.py"))
        .args(["--compact", port(&program.addresses.jaeger_compact)])
        .args(["--zipkin", &program.addresses.zipkin]);
    python
}

fn node(program: &Program) -> Command {
    let root = project_root();
    let mut node = Command::new("node");
    node.arg(root.join("tests/clients/node/jaeger.js"))
        .args(["--binary", port(&program.addresses.jaeger_binary)])
        .args(["--http", &jaeger_url(program)])
        .env("NODE_PATH", root.join("target/clients/node/node_modules"));
    node
}

fn go(program: &Program, folder: &Path) -> Command {
    let mut go = Command::new(folder.join("client"));
    go.args(["--compact", port(&program.addresses.jaeger_compact)])
        .args(["--http", &jaeger_url(program)]);
    go
}

fn java(program: &Program, folder: &Path) -> Command {
    let mut java = Command::new("java");
    // The folder has its class, and the jars that it needs.
    java.arg("-cp")
        .arg(format!("{0}:{0}/*", folder.display()))
        .args(["Client", port(&program.addresses.jaeger_compact)])
        .arg(jaeger_url(program));
    java
}

fn jaeger_url(program: &Program) -> String {
    format!("http://{}", program.addresses.jaeger_http)
}

/// What a client says that it sent, a trace on a line.
fn said(client: &mut Command) -> Vec<Value> {
    let output = client.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{complaint}");
    told.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The spans of a trace by id, once all are there: nobody says when a datagram was kept.
fn spans(program: &Program, trace_id: &str, count: usize) -> BTreeMap<String, (Value, String)> {
    let path = format!("/api/traces/{trace_id}");
    let all = until(ARRIVAL_MAX, || {
        let answer = http::get(&program.addresses.query_http, &path).unwrap();
        let trace = answer.json()["data"][0].clone();
        let found = trace["spans"].as_array().cloned().unwrap_or_default();
        (found.len() == count).then_some((trace, found))
    });
    let (trace, found) = all.unwrap_or_else(|| panic!("the trace {trace_id} did not come"));
    let of = |span: Value| {
        let process = &trace["processes"][span["processID"].as_str().unwrap()];
        let service = process["serviceName"].as_str().unwrap().to_owned();
        (span["spanID"].as_str().unwrap().to_owned(), (span, service))
    };
    found.into_iter().map(of).collect()
}

fn tag<'a>(span: &'a Value, key: &str) -> Option<&'a Value> {
    let tags = span["tags"].as_array().unwrap();
    tags.iter()
        .rev()
        .find(|tag| tag["key"] == key)
        .map(|tag| &tag["value"])
}

/// What every way of reading tells of a span.
fn known(span: &Value, service: &Value) -> Value {
    json!({
        "name": span["name"],
        "id": span["id"],
        "parent": span["parent"],
        "service": service,
        "kind": span["kind"],
        "error": span["error"] == true,
    })
}

fn by_id(mut spans: Vec<Value>) -> Vec<Value> {
    spans.sort_by_key(|span| span["id"].as_str().unwrap().to_owned());
    spans
}

/// The old JSON, which also has the tag that the client gave the span that failed.
fn read_old(program: &Program, client: &str, trace_id: &str, count: usize) -> Vec<Value> {
    let found = spans(program, trace_id, count).into_values();
    let told = found.map(|(span, service)| {
        let is_error = tag(&span, "otel.status_code") == Some(&"ERROR".into());
        if is_error {
            let rows = tag(&span, "rows").map(ToString::to_string);
            assert_eq!(rows.unwrap().trim_matches('"'), "3", "{client}");
        }
        let start = span["startTime"].as_u64().unwrap();
        assert!(start > 1_700_000_000_000_000, "{client}");
        json!({
            "name": span["operationName"],
            "id": span["spanID"],
            "parent": span["references"][0]["spanID"],
            "service": service,
            "kind": tag(&span, "span.kind"),
            "error": is_error,
        })
    });
    told.collect()
}

/// Version 3 over HTTP: OTLP's JSON in an envelope.
fn read_v3(program: &Program, trace_id: &str) -> Vec<Value> {
    const KINDS: [&str; 6] = [
        "unspecified",
        "internal",
        "server",
        "client",
        "producer",
        "consumer",
    ];
    let path = format!("/api/v3/traces/{trace_id}");
    let answer = program.query(&path).json();
    let list = |of: &Value| of.as_array().cloned().unwrap_or_default();
    let mut told = Vec::new();
    for of_resource in list(&answer["result"]["resourceSpans"]) {
        let attributes = list(&of_resource["resource"]["attributes"]);
        let service = attributes.iter().find(|one| one["key"] == "service.name");
        let service = service.unwrap()["value"]["stringValue"].clone();
        let scopes = list(&of_resource["scopeSpans"]);
        for span in scopes.iter().flat_map(|scope| list(&scope["spans"])) {
            let kind = span["kind"].as_u64().unwrap_or_default();
            let parent = span["parentSpanId"].as_str().filter(|id| !id.is_empty());
            told.push(json!({
                "name": span["name"],
                "id": span["spanId"],
                "parent": parent,
                "service": service,
                "kind": KINDS[usize::try_from(kind).unwrap()],
                "error": span["status"]["code"] == 2,
            }));
        }
    }
    told
}

/// Reads a trace in all ways; each says what the client knows.
fn check(program: &Program, trace: &Value) {
    let client = trace["client"].as_str().unwrap();
    let trace_id = trace["traceId"].as_str().unwrap();
    let wanted = trace["spans"].as_array().unwrap().iter();
    let wanted = by_id(wanted.map(|span| known(span, &trace["service"])).collect());
    let old = read_old(program, client, trace_id, wanted.len());
    assert_eq!(by_id(old), wanted, "{client}, old JSON");
    assert_eq!(by_id(read_v3(program, trace_id)), wanted, "{client}, v3");
    let read = read_by_grpc(&program.addresses.query_grpc, trace_id);
    for version in ["v2", "v3"] {
        let read = read["spans"][version].as_array().cloned().unwrap();
        assert_eq!(by_id(read), wanted, "{client}, {version} over gRPC");
    }
}

/// Has clients send, and checks that there are as many traces as expected.
fn check_all(program: &Program, client: &mut Command, count: usize) {
    let sent = said(client);
    assert_eq!(sent.len(), count, "{client:?}");
    for trace in &sent {
        check(program, trace);
    }
    ledger::check(program);
}

#[test]
fn clients_from_before_opentelemetry_are_understood() {
    set_up();
    let folder = Folder::new("old-clients");
    let program = Program::start(&folder.join("data"));
    check_all(&program, &mut python(&program), CLIENTS_PYTHON);
    check_all(&program, &mut node(&program), CLIENTS_OTHER);
    program.stop();
}

/// The folder of a client that is only installed where its language is.
fn installed(language: &str) -> Option<PathBuf> {
    set_up();
    let folder = project_root().join("target/clients").join(language);
    if folder.join(".pins").exists() {
        return Some(folder);
    }
    skipped(&format!("{language} is not on this machine"));
    None
}

#[test]
fn jaegers_client_for_go_is_understood() {
    let Some(client) = installed("go") else {
        return;
    };
    let folder = Folder::new("go-client");
    let program = Program::start(&folder.join("data"));
    check_all(&program, &mut go(&program, &client), CLIENTS_OTHER);
    program.stop();
}

#[test]
fn jaegers_client_for_java_is_understood() {
    let Some(client) = installed("java") else {
        return;
    };
    let folder = Folder::new("java-client");
    let program = Program::start(&folder.join("data"));
    check_all(&program, &mut java(&program, &client), CLIENTS_OTHER);
    program.stop();
}
