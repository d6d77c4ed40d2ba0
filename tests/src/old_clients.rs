//! The clients that came before OpenTelemetry, as their makers left them, and OpenTelemetry's exporters to Zipkin: each
//! sends a trace by its own door, and the old JSON API and version 3 return what the client knows of it.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::clients::read_by_grpc;
use crate::folder::{Folder, project_root};
use crate::http;
use crate::ledger;
use crate::program::Program;
use crate::wait::until;

/// In Python Jaeger's client with ids of 64 and of 128 bits, py-zipkin with both versions, OpenTelemetry with JSON and
/// protobuf.
const CLIENTS_PYTHON: usize = 6;
/// In JavaScript Jaeger's client by datagrams and over HTTP.
const CLIENTS_NODE: usize = 2;
/// How long a datagram may take until it is kept.
const ARRIVAL_MAX: Duration = Duration::from_secs(20);

/// What the clients say that they sent.
fn send_all(program: &Program) -> Vec<Value> {
    let root = project_root();
    let status = Command::new(root.join("tests/clients/setup")).status();
    assert!(status.unwrap().success(), "see tests/clients/setup");
    let compact = program.addresses.jaeger_compact.rsplit(':').next().unwrap();
    let mut python = Command::new(root.join("target/clients/old/bin/python"));
    python
        .arg("-B")
        .arg(root.join("tests/clients/old/clients.py"))
        .args(["--compact", compact, "--zipkin", &program.addresses.zipkin]);
    let binary = program.addresses.jaeger_binary.rsplit(':').next().unwrap();
    let mut node = Command::new("node");
    node.arg(root.join("tests/clients/node/jaeger.js"))
        .args(["--binary", binary])
        .args([
            "--http",
            &format!("http://{}", program.addresses.jaeger_http),
        ])
        .env("NODE_PATH", root.join("target/clients/node/node_modules"));
    let mut sent = said(&mut python);
    assert_eq!(sent.len(), CLIENTS_PYTHON);
    sent.extend(said(&mut node));
    assert_eq!(sent.len(), CLIENTS_PYTHON + CLIENTS_NODE);
    sent
}

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

fn check(client: &str, wanted: &Value, found: &Value) {
    assert_eq!(found["operationName"], wanted["name"], "{client}");
    assert_eq!(
        tag(found, "span.kind"),
        Some(&wanted["kind"]),
        "{client}: {found}"
    );
    let parent = found["references"][0]["spanID"].as_str();
    assert_eq!(parent, wanted["parent"].as_str(), "{client}");
    if wanted["error"] == true {
        assert_eq!(
            tag(found, "otel.status_code"),
            Some(&"ERROR".into()),
            "{client}"
        );
        let rows = tag(found, "rows").map(ToString::to_string);
        assert_eq!(rows.unwrap().trim_matches('"'), "3", "{client}");
    }
    assert!(
        found["startTime"].as_u64().unwrap() > 1_700_000_000_000_000,
        "{client}"
    );
}

#[test]
fn clients_from_before_opentelemetry_are_understood() {
    let folder = Folder::new("old-clients");
    let program = Program::start(&folder.join("data"));
    let sent = send_all(&program);
    for trace in &sent {
        let client = trace["client"].as_str().unwrap();
        let trace_id = trace["traceId"].as_str().unwrap();
        let wanted = trace["spans"].as_array().unwrap();
        let found = spans(&program, trace_id, wanted.len());
        for span in wanted {
            let (shown, service) = &found[span["id"].as_str().unwrap()];
            assert_eq!(service, trace["service"].as_str().unwrap());
            check(client, span, shown);
        }
        let answer = http::get(
            &program.addresses.query_http,
            &format!("/api/v3/traces/{trace_id}"),
        );
        let text = answer.unwrap().text();
        let ids = wanted.iter().map(|span| span["id"].as_str().unwrap());
        assert!(
            ids.into_iter().all(|id| text.contains(id)),
            "{client}: {text}"
        );
        let read = read_by_grpc(&program.addresses.query_grpc, trace_id);
        for version in ["v2", "v3"] {
            let mut names: Vec<&str> = wanted
                .iter()
                .map(|span| span["name"].as_str().unwrap())
                .collect();
            let mut read: Vec<&str> = read[version]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap())
                .collect();
            names.sort_unstable();
            read.sort_unstable();
            assert_eq!(read, names, "{client}, {version}");
        }
    }
    ledger::check(&program);
    program.stop();
}
