//! Reads traces from Jaeger's JSON into lines of text that can be compared and shown.
//!
//! Promises: two spans are equal exactly when their lines are: times, ids, every tag with type and value, every log,
//! every reference. Numbers are compared as they were written, so no digit can get lost in the comparison itself.
//! Refuses: JSON that lacks a field Jaeger always sends.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::http::{Answer, Connection};

#[derive(Debug, Deserialize)]
struct Envelope {
    data: Option<Vec<Trace>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Trace {
    #[serde(rename = "traceID")]
    pub(crate) trace_id: String,
    pub(crate) spans: Vec<Span>,
    processes: BTreeMap<String, Process>,
    warnings: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Span {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    pub(crate) span_id: String,
    pub(crate) operation_name: String,
    references: Vec<Reference>,
    start_time: u64,
    duration: u64,
    pub(crate) tags: Vec<Tag>,
    logs: Vec<Log>,
    #[serde(rename = "processID")]
    process_id: String,
    warnings: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    ref_type: String,
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Tag {
    pub(crate) key: String,
    #[serde(rename = "type")]
    kind: String,
    value: Box<RawValue>,
}

#[derive(Debug, Deserialize)]
struct Log {
    timestamp: u64,
    fields: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    service_name: String,
    tags: Vec<Tag>,
}

/// Asks for one trace; `None` when there is none.
pub(crate) fn trace(
    connection: &mut Connection,
    trace_id: &str,
    parameters: &str,
) -> Option<Trace> {
    let answer = connection
        .get(&format!("/api/traces/{trace_id}{parameters}"))
        .unwrap();
    if answer.status == 404 {
        return None;
    }
    let mut traces = read_traces(&answer);
    assert_eq!(traces.len(), 1, "one trace was asked for");
    traces.pop()
}

/// Reads an answer that holds traces.
pub(crate) fn read_traces(answer: &Answer) -> Vec<Trace> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let envelope: Envelope = serde_json::from_slice(&answer.body)
        .unwrap_or_else(|error| panic!("not Jaeger's JSON ({error}): {}", answer.text()));
    envelope.data.unwrap()
}

impl Tag {
    /// The tag in one line: `key (type) = value`.
    pub(crate) fn line(&self) -> String {
        tag_line(&self.key, &self.kind, self.value.get())
    }
}

/// Writes a tag in one line; `json` is its value as JSON. Text is compared by content, numbers by value, but exactly.
pub(crate) fn tag_line(key: &str, kind: &str, json: &str) -> String {
    let value = match kind {
        "float64" => format!("{:?}", json.parse::<f64>().unwrap_or(f64::NAN)),
        "string" => format!(
            "{:?}",
            serde_json::from_str::<String>(json).unwrap_or_else(|_| format!("no text: {json}"))
        ),
        _ => json.to_owned(),
    };
    format!("{key} ({kind}) = {value}")
}

impl Trace {
    /// All spans as text: the span's id, then its lines in a fixed order.
    pub(crate) fn canonical(&self) -> BTreeMap<String, Vec<String>> {
        let spans = self
            .spans
            .iter()
            .map(|span| (span.span_id.clone(), self.span_lines(span)));
        let lines: BTreeMap<_, _> = spans.collect();
        assert_eq!(
            lines.len(),
            self.spans.len(),
            "a span of trace {} is there twice",
            self.trace_id
        );
        lines
    }

    /// All warnings, of the trace and of its spans.
    pub(crate) fn warnings(&self) -> Vec<&str> {
        let of_spans = self.spans.iter().filter_map(|span| span.warnings.as_ref());
        self.warnings
            .iter()
            .chain(of_spans)
            .flatten()
            .map(String::as_str)
            .collect()
    }

    fn span_lines(&self, span: &Span) -> Vec<String> {
        let process = self
            .processes
            .get(&span.process_id)
            .expect("a span names a process that is not there");
        let mut lines = vec![
            format!("trace {}", span.trace_id),
            format!("operation {:?}", span.operation_name),
            format!("start {} duration {}", span.start_time, span.duration),
            format!("service {:?}", process.service_name),
        ];
        for (number, reference) in span.references.iter().enumerate() {
            lines.push(format!(
                "reference {number} {} {} {}",
                reference.ref_type, reference.trace_id, reference.span_id
            ));
        }
        lines.extend(span.tags.iter().map(|tag| format!("tag {}", tag.line())));
        lines.extend(
            process
                .tags
                .iter()
                .map(|tag| format!("process tag {}", tag.line())),
        );
        lines.extend(
            span.logs
                .iter()
                .map(|log| log_line(log.timestamp, log.fields.iter().map(Tag::line).collect())),
        );
        lines.sort();
        lines
    }
}

/// Writes a log in one line; the order of its fields does not matter here.
pub(crate) fn log_line(timestamp_us: u64, mut fields: Vec<String>) -> String {
    fields.sort();
    format!("log {timestamp_us} {}", fields.join("; "))
}

/// Compares two sets of spans and says every line that differs.
pub(crate) fn differences(
    expected: &BTreeMap<String, Vec<String>>,
    found: &BTreeMap<String, Vec<String>>,
) -> Vec<String> {
    let ids: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let mut differences = Vec::new();
    for id in ids {
        match (expected.get(id), found.get(id)) {
            (Some(_), None) => differences.push(format!("span {id} is missing")),
            (None, _) => differences.push(format!("span {id} was never sent")),
            (Some(expected), Some(found)) if expected != found => {
                let lacks = |line| format!("span {id} lacks {line}");
                let has = |line| format!("span {id} has instead, or too often, {line}");
                differences.extend(without(expected, found).into_iter().map(lacks));
                differences.extend(without(found, expected).into_iter().map(has));
            }
            _ => {}
        }
    }
    differences
}

/// The lines that are left when those of `other` are taken away, each once.
fn without<'a>(lines: &'a [String], other: &[String]) -> Vec<&'a String> {
    let mut other: Vec<&String> = other.iter().collect();
    let mut left = Vec::new();
    for line in lines {
        match other.iter().position(|candidate| *candidate == line) {
            Some(index) => {
                other.swap_remove(index);
            }
            None => left.push(line),
        }
    }
    left
}
