//! Steps before spans are kept: what they take out is found in no file of the data folder, whichever door it came by,
//! before and after `kill -9`, in the log and in segments; what they leave is found, and counted.

use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::spans::{Ids, SpanKind, request};

use crate::folder::{Folder, project_root};
use crate::http::{self, Connection};
use crate::ledger;
use crate::program::{FREEZE_SOON, Program};
use crate::wait::until;

/// What is in no file. As long as a text of the recorded datagram, whose place it takes there.
const SECRET: &str = "hunter2-4711";
const SEED: u64 = 7;
/// Traces of the service that is sampled, and the part of them that is kept.
const BULK_TRACES: u64 = 200;
const BULK_PROBABILITY: f64 = 0.25;
/// Of 56 bits of randomness, those from here on.
const BULK_THRESHOLD: u128 = 0xc0_0000_0000_0000;
/// How long a datagram may take until it is kept.
const ARRIVAL_MAX: Duration = Duration::from_secs(20);

fn steps() -> String {
    let steps = json!([
        {"redact": {"patterns": ["hunter2[-0-9]*"], "keys": ["*password*"]}},
        {"filter": {"drop": "{ name = \"GET /health\" }"}},
        {"sample": {"services": {"bulk": BULK_PROBABILITY}}},
        {"metrics": null},
    ]);
    format!("process={steps}")
}

/// A span with the secret in all its places, and one that is left out.
fn login() -> Vec<u8> {
    let all = request()
        .seed(SEED)
        .service("shop")
        .resource_attr("host.token", SECRET);
    let all = all.span(&format!("login {SECRET}"), |span| {
        let nested = testkit::map([
            (
                "password",
                testkit::array([SECRET.into(), "other secret".into()]),
            ),
            ("note", format!("it was {SECRET}").into()),
        ]);
        let span = span
            .trace(1)
            .id(1)
            .attr("form", nested)
            .attr("raw", SECRET.as_bytes().to_vec());
        let span = span.event(SECRET).event_attr("message", SECRET);
        span.link(2, 2).link_attr("of", SECRET).error(SECRET)
    });
    all.span("GET /health", |span| {
        span.trace(3).id(3).attr("body", SECRET)
    })
    .encode()
}

fn bulk() -> Vec<u8> {
    let all = request().seed(SEED).service("bulk");
    let all = (0..BULK_TRACES).fold(all, |all, number| {
        all.span("work", |span| {
            span.trace(1_000 + number)
                .id(number + 10)
                .kind(SpanKind::Server)
        })
    });
    all.encode()
}

/// The traces of the sampled service that must be there.
fn bulk_kept() -> Vec<String> {
    let numbers = (0..BULK_TRACES).map(|number| 1_000 + number);
    let is_kept = |number: &u64| {
        let id = u128::from_be_bytes(Ids::new(SEED).trace(*number));
        id & ((1 << 56) - 1) >= BULK_THRESHOLD
    };
    let mut ids: Vec<String> = numbers
        .filter(is_kept)
        .map(|number| Ids::new(SEED).trace_hex(number))
        .collect();
    ids.sort();
    ids
}

/// A recorded datagram of a Jaeger client whose operation is the secret.
fn datagram() -> Vec<u8> {
    let path = project_root().join("tests/golden/thrift/hand-made-udp.json");
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap();
    let case = cases
        .iter()
        .find(|case| case["name"] == "compact full")
        .unwrap();
    let hex = case["packet_hex"].as_str().unwrap();
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
    let digits: Vec<u8> = hex.bytes().map(digit).collect();
    let mut packet: Vec<u8> = digits.chunks(2).map(|two| two[0] << 4 | two[1]).collect();
    let operation = b"compact full";
    let place = packet
        .windows(operation.len())
        .position(|one| one == operation)
        .unwrap();
    packet.splice(place..place + operation.len(), SECRET.bytes());
    packet
}

fn post(program: &Program, body: &[u8]) {
    let mut connection = Connection::open(&program.addresses.otlp_http).unwrap();
    let answer = connection
        .post("/v1/traces", "application/x-protobuf", body)
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// Files of the store that hold a text, and bytes that were looked at. Segments are compressed: what must not be in
/// them is also asked of the answers.
pub(crate) fn holding(data: &Path, text: &str) -> (Vec<PathBuf>, usize) {
    let mut bytes = 0;
    let found = files(data).into_iter().filter(|path| {
        // Files come and go while the program runs.
        let content = std::fs::read(path).unwrap_or_default();
        bytes += content.len();
        content
            .windows(text.len())
            .any(|one| one == text.as_bytes())
    });
    (found.collect(), bytes)
}

/// Looks at every file, and at what is answered.
fn check_nowhere(program: &Program, data: &Path) {
    for text in [SECRET, "other secret"] {
        let (found, bytes) = holding(data, text);
        assert!(found.is_empty() && bytes > 0, "{text} is in {found:?}");
    }
    let login = Ids::new(SEED).trace_hex(1);
    let trace = program.query(&format!("/api/traces/{login}")).json();
    assert_eq!(
        trace["data"][0]["spans"].as_array().unwrap().len(),
        1,
        "{trace}"
    );
    let text = trace.to_string();
    assert!(
        text.contains("login ***") && text.contains("it was ***"),
        "{text}"
    );
    assert!(
        !text.contains("hunter2") && !text.contains("other secret"),
        "{text}"
    );
    let health = Ids::new(SEED).trace_hex(3);
    assert_eq!(program.query(&format!("/api/traces/{health}")).status, 404);
    let found = program
        .query("/api/traces?service=bulk&limit=1000&start=1&end=9000000000000000")
        .json();
    let found = found["data"].as_array().unwrap().iter();
    let mut ids: Vec<String> = found
        .map(|trace| trace["traceID"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    assert_eq!(ids, bulk_kept());
}

/// The datagram's span, once it is there: nobody says when a datagram was kept.
fn check_datagram(program: &Program) {
    let path = "/api/traces/747261636b7761790000000000002001";
    let span = until(ARRIVAL_MAX, || {
        let answer = program.query(path).json();
        let span = answer["data"][0]["spans"][0].clone();
        span.is_object().then_some(span)
    });
    let span = span.expect("the datagram's span did not come");
    assert_eq!(span["operationName"], "***");
}

#[test]
fn what_steps_take_out_is_in_no_file_and_what_they_leave_is_found_and_counted() {
    let folder = Folder::new("processing");
    let data = folder.join("data");
    let steps = steps();
    let flags: Vec<&str> = ["--set", &steps].into_iter().chain(FREEZE_SOON).collect();
    let program = Program::start_with(&data, &flags);
    post(&program, &login());
    post(&program, &bulk());
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .send_to(&datagram(), &program.addresses.jaeger_compact)
        .unwrap();
    check_datagram(&program);
    check_nowhere(&program, &data);
    // Sent again it ends the same, and counts are as they were.
    post(&program, &bulk());
    let kept = bulk_kept().len() as u64;
    assert_eq!(ledger::filtered(&program), 1 + 2 * (BULK_TRACES - kept));
    let metrics = http::get(&program.addresses.admin, "/metrics")
        .unwrap()
        .text();
    let counted = metrics.lines().find_map(|line| {
        let is_meant = line.starts_with("traces_span_metrics_calls_total{service_name=\"bulk\"");
        let (_, count) = line.rsplit_once(' ').filter(|_| is_meant)?;
        count.parse().ok()
    });
    assert_eq!(counted, Some(kept * 4));
    ledger::check(&program);
    program.kill();
    let (found, bytes) = holding(&data, SECRET);
    assert!(
        found.is_empty() && bytes > 0,
        "after the kill it is in {found:?}"
    );
    let program = Program::start_with(&data, &flags);
    check_nowhere(&program, &data);
    let mut admin = Connection::open(&program.addresses.admin).unwrap();
    let finalised = admin.post("/admin/finalise", "text/plain", b"").unwrap();
    assert!(finalised.status < 300, "{}", finalised.text());
    check_nowhere(&program, &data);
    check_datagram(&program);
    let segments = files(&data)
        .into_iter()
        .filter(|path| path.starts_with(data.join("seg")));
    assert!(
        segments.count() > 0,
        "nothing was written to segments, so nothing was shown of them"
    );
    program.stop();
}
