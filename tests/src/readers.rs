//! Segments are Parquet: pyarrow and DuckDB read them, see every span as it was sent, count the same, and answer
//! questions as Trackway does.
//!
//! The reading is done by `tests/readers/read_segments.py`, the asking by `ask_segments.py`; here the truth is made,
//! the program is fed, and the counts are compared with the truth of the corpus, which is counted apart from the spans
//! themselves. `answers` knows the answers.
//!
//! Promises: the versions of the readers are pinned (`tests/readers/requirements.txt`); the program is running while
//! its files are read, as it will be for those who do so.

mod answers;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value as AnyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde::Deserialize;
use serde_json::{Value, json};
use testkit::corpus::{Corpus, CorpusOptions, Profile, Truth};

use self::answers::{Answers, Seen, asked_over_http, sorted};
use crate::folder::{Folder, project_root};
use crate::http::Connection;
use crate::ledger;
use crate::program::Program;
use crate::wait::unix_now_ns;

/// Enough for several segments of [`HEAD_SPANS_MAX`].
const SPANS: u64 = 20_000;
const HEAD_SPANS_MAX: &str = "store.head.spans_max=6000";

/// What a reader counts over all segments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Counted {
    spans: u64,
    traces: u64,
    error_spans: u64,
    spans_by_service: BTreeMap<String, u64>,
    duration_sum: u64,
    events: u64,
    links: u64,
    postgresql_traces: u64,
}

#[derive(Debug, Deserialize)]
struct Read {
    segments: u64,
    pyarrow: Counted,
    duckdb: Counted,
}

#[test]
fn other_readers_see_every_span_as_it_was_sent_and_count_the_same() {
    let folder = Folder::new("readers");
    let data = folder.join("data");
    let program = Program::start_with(&data, &["--set", HEAD_SPANS_MAX]);
    let expected_file = folder.join("expected.jsonl");
    let (truth, mut expected, seen) = send_corpus(&program, &expected_file);
    ledger::check(&program);
    expected.spans = truth.spans;
    expected.traces = truth.traces;
    expected.error_spans = truth.error_spans;
    expected.spans_by_service = truth.spans_by_service.clone();
    let common = truth.question("common-attribute").unwrap();
    assert_eq!(
        common.tags,
        [("db.system.name".to_owned(), "postgresql".to_owned())]
    );
    expected.postgresql_traces = common.total_traces;

    finalise(&program);

    let read = read_segments(&data, &expected_file);
    assert!(
        read.segments >= 2,
        "{} segments are no union",
        read.segments
    );
    assert_eq!(read.pyarrow, expected);
    assert_eq!(read.duckdb, expected);

    let expected = seen.answers();
    let answered = ask_segments(&data);
    assert!(answered.len() >= 10);
    compare("DuckDB", &answered, &expected);
    assert_eq!(
        answered.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    compare(
        "over HTTP",
        &asked_over_http(&program, &truth.services),
        &expected,
    );
}

/// Names the first answer that differs, and its first rows that do.
fn compare(who: &str, answered: &Answers, expected: &Answers) {
    for (question, rows) in answered {
        let expected = &expected[question];
        assert!(!expected.is_empty(), "{question}: nothing to find");
        let differs = |here: &[String], there: &[String]| {
            let here = here.iter().filter(|row| !there.contains(row));
            here.take(5).cloned().collect::<Vec<_>>()
        };
        assert!(
            rows == expected,
            "{who}: {question}: only there {:?}, lacking {:?}",
            differs(rows, expected),
            differs(expected, rows)
        );
    }
}

/// Has everything written to segments, and these merged.
fn finalise(program: &Program) {
    let mut admin = Connection::open(&program.addresses.admin).unwrap();
    let done = admin.post("/admin/finalise", "text/plain", b"").unwrap();
    assert_eq!(done.status / 100, 2, "{}", done.text());
}

/// Sends a corpus and writes each span as a line; half-way what is there is merged, so that there are two segments at
/// the end, and traces in both. Gives the truth, and the counts that it does not have.
fn send_corpus(program: &Program, expected_file: &Path) -> (Truth, Counted, Seen) {
    let start_seconds = unix_now_ns() / 1_000_000_000 - 3600;
    let options = CorpusOptions::new(Profile::Kind, SPANS, start_seconds);
    let mut corpus = Corpus::new(options).unwrap();
    let mut connection = Connection::open(&program.addresses.otlp_http).unwrap();
    let mut lines = BufWriter::new(File::create(expected_file).unwrap());
    let (mut counted, mut seen) = (Counted::default(), Seen::default());
    let mut is_merged = false;
    let mut sent = 0;
    for request in &mut corpus {
        if sent > SPANS / 2 && !is_merged {
            finalise(program);
            is_merged = true;
        }
        let answer = connection.post("/v1/traces", "application/x-protobuf", &request.bytes);
        assert_eq!(answer.unwrap().status, 200);
        let request = ExportTraceServiceRequest::decode(request.bytes.as_slice()).unwrap();
        let scopes = request.resource_spans.iter().flat_map(|r| &r.scope_spans);
        sent += scopes.map(|scope| scope.spans.len() as u64).sum::<u64>();
        for resource_spans in request.resource_spans {
            let resource = attributes(&resource_spans.resource.unwrap().attributes);
            let service = &resource["service.name"];
            for span in resource_spans
                .scope_spans
                .iter()
                .flat_map(|scope| &scope.spans)
            {
                let line = line(service, span);
                let tier = line["attributes"].get("app.user.tier");
                seen.add(service.as_str().unwrap(), span, tier);
                writeln!(lines, "{line}").unwrap();
                counted.duration_sum += span.end_time_unix_nano - span.start_time_unix_nano;
                counted.events += span.events.len() as u64;
                counted.links += span.links.len() as u64;
            }
        }
    }
    lines.flush().unwrap();
    assert!(
        counted.events > 0 && counted.links > 0,
        "the corpus is too small for this test"
    );
    (corpus.into_truth(), counted, seen)
}

/// Gives a span as the reader in Python describes a row.
fn line(service: &Value, span: &Span) -> Value {
    let status = span.status.clone().unwrap_or_default();
    json!({
        "trace_id": hex(&span.trace_id),
        "span_id": hex(&span.span_id),
        "parent_span_id": hex(&span.parent_span_id),
        "name": span.name,
        "service": service,
        "kind": span.kind,
        "status": status.code,
        "status_message": status.message,
        "start": span.start_time_unix_nano,
        "end": span.end_time_unix_nano,
        "attributes": attributes(&span.attributes),
    })
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, Value> {
    let plain = |pair: &KeyValue| match pair.value.as_ref().unwrap().value.as_ref().unwrap() {
        AnyValue::StringValue(text) => Value::from(text.as_str()),
        AnyValue::BoolValue(truth) => Value::from(*truth),
        AnyValue::IntValue(number) => Value::from(*number),
        AnyValue::DoubleValue(number) => Value::from(*number),
        other => panic!("the corpus has no {other:?}"),
    };
    pairs
        .iter()
        .map(|pair| (pair.key.clone(), plain(pair)))
        .collect()
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Has the readers installed and the segments read.
fn read_segments(data: &Path, expected_file: &Path) -> Read {
    let root = project_root();
    let setup = Command::new(root.join("tests/readers/setup")).status();
    assert!(setup.unwrap().success(), "the readers cannot be installed");
    serde_json::from_slice(&run("read_segments.py", &[data, expected_file])).unwrap()
}

/// Has the segments asked, once the readers are installed.
fn ask_segments(data: &Path) -> Answers {
    let said = run("ask_segments.py", &[data]);
    let answers: BTreeMap<String, Vec<Value>> = serde_json::from_slice(&said).unwrap();
    let answers = answers.into_iter();
    answers
        .map(|(question, rows)| (question, sorted(rows)))
        .collect()
}

/// Gives what one of the programs in Python prints.
fn run(program: &str, arguments: &[&Path]) -> Vec<u8> {
    let root = project_root();
    let output = Command::new(root.join("target/readers/bin/python"))
        .arg(root.join("tests/readers").join(program))
        .args(arguments)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    output.stdout
}
