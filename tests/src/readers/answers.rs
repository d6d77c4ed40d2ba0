//! What DuckDB must answer to the questions of `tests/readers/ask_segments.py`, from the spans as they were sent; and
//! what Trackway itself answers to those of them that Jaeger's API can ask.
//!
//! Promises: nothing of the store or its files is used here; every answer is a plain walk over a list of spans.

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};

use super::hex;
use crate::jaeger::read_traces;
use crate::program::Program;

const STATUS_ERROR: i32 = 2;
const RARE_VALUE: &str = "platinum-founder";
const LONG_NS: u64 = 200_000_000;
const MINUTE_NS: u64 = 60_000_000_000;

/// For each question its rows, as texts of JSON and sorted.
pub(super) type Answers = BTreeMap<String, Vec<String>>;

/// The spans that were sent.
#[derive(Debug, Default)]
pub(super) struct Seen(Vec<SeenSpan>);

#[derive(Debug)]
struct SeenSpan {
    trace: String,
    id: String,
    /// Empty: it names none.
    parent: String,
    service: String,
    name: String,
    is_error: bool,
    is_rare: bool,
    start_ns: u64,
    duration_ns: u64,
    events: Vec<String>,
    links: Vec<(String, String)>,
}

/// Puts rows in the form in which they are compared.
pub(super) fn sorted(rows: impl IntoIterator<Item = Value>) -> Vec<String> {
    let mut rows: Vec<String> = rows.into_iter().map(|row| row.to_string()).collect();
    rows.sort();
    rows
}

impl Seen {
    pub(super) fn add(&mut self, service: &str, span: &Span, tier: Option<&Value>) {
        let links = span.links.iter();
        self.0.push(SeenSpan {
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            service: service.to_owned(),
            name: span.name.clone(),
            is_error: span
                .status
                .as_ref()
                .is_some_and(|status| status.code == STATUS_ERROR),
            is_rare: tier.is_some_and(|tier| tier == RARE_VALUE),
            start_ns: span.start_time_unix_nano,
            duration_ns: span.end_time_unix_nano - span.start_time_unix_nano,
            events: span.events.iter().map(|event| event.name.clone()).collect(),
            links: links
                .map(|link| (hex(&link.trace_id), hex(&link.span_id)))
                .collect(),
        });
    }

    /// Answers every question.
    pub(super) fn answers(&self) -> Answers {
        let answers = [
            ("spans and traces of each service", self.services()),
            (
                "errors of each service",
                self.counts(|span| span.is_error.then(|| json!([span.service]))),
            ),
            ("p99 of each operation", self.p99()),
            ("traces with a rare value", self.traces(|span| span.is_rare)),
            ("traces of checkout over 200 ms", self.traces(is_long)),
            (
                "roots of each operation",
                self.counts(|span| {
                    let is_root = span.parent.is_empty();
                    is_root.then(|| json!([span.service, span.name]))
                }),
            ),
            ("calls between services", self.calls()),
            ("parents by their number of children", self.families()),
            ("events of each service by name", self.events()),
            (
                "spans of each minute",
                self.counts(|span| Some(json!([span.start_ns / MINUTE_NS]))),
            ),
            ("links", self.links()),
        ];
        let named = answers.map(|(name, rows)| (name.to_owned(), sorted(rows)));
        named.into_iter().collect()
    }

    /// Rows of what spans are grouped by, each with the number of its spans.
    fn counts(&self, group: impl Fn(&SeenSpan) -> Option<Value>) -> Vec<Value> {
        count(self.0.iter().filter_map(group))
    }

    fn services(&self) -> Vec<Value> {
        let mut of_service: BTreeMap<&str, (u64, BTreeSet<&str>)> = BTreeMap::new();
        for span in &self.0 {
            let (spans, traces) = of_service.entry(&span.service).or_default();
            *spans += 1;
            traces.insert(&span.trace);
        }
        let rows = of_service.iter();
        rows.map(|(service, (spans, traces))| json!([service, spans, traces.len()]))
            .collect()
    }

    fn p99(&self) -> Vec<Value> {
        let mut durations: BTreeMap<(&str, &str), Vec<u64>> = BTreeMap::new();
        for span in &self.0 {
            let operation = (span.service.as_str(), span.name.as_str());
            durations
                .entry(operation)
                .or_default()
                .push(span.duration_ns);
        }
        let rows = durations.into_iter().map(|((service, name), mut all)| {
            all.sort_unstable();
            let rank = (all.len() * 99).div_ceil(100);
            json!([service, name, all[rank - 1]])
        });
        rows.collect()
    }

    fn traces(&self, is_wanted: impl Fn(&SeenSpan) -> bool) -> Vec<Value> {
        let wanted = self.0.iter().filter(|span| is_wanted(span));
        let ids: BTreeSet<&str> = wanted.map(|span| span.trace.as_str()).collect();
        ids.into_iter().map(|id| json!([id])).collect()
    }

    fn calls(&self) -> Vec<Value> {
        let of_span = self
            .0
            .iter()
            .map(|span| ((&span.trace, &span.id), &span.service));
        let service_of: BTreeMap<_, _> = of_span.collect();
        self.counts(|span| {
            let parent = service_of.get(&(&span.trace, &span.parent))?;
            Some(json!([parent, span.service]))
        })
    }

    fn families(&self) -> Vec<Value> {
        let mut children: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for span in self.0.iter().filter(|span| !span.parent.is_empty()) {
            *children.entry((&span.trace, &span.parent)).or_default() += 1;
        }
        count(children.values().map(|number| json!([number])))
    }

    fn events(&self) -> Vec<Value> {
        let events = self.0.iter().flat_map(|span| {
            let names = span.events.iter();
            names.map(|name| json!([span.service, name]))
        });
        count(events)
    }

    fn links(&self) -> Vec<Value> {
        let links = self.0.iter().flat_map(|span| {
            let links = span.links.iter();
            links.map(|(trace, id)| json!([span.trace, span.id, trace, id]))
        });
        links.collect()
    }
}

fn is_long(span: &SeenSpan) -> bool {
    span.service == "checkout" && span.duration_ns >= LONG_NS
}

/// Each different row once, with how often it came behind it.
fn count(rows: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut counts: BTreeMap<String, (Value, u64)> = BTreeMap::new();
    for row in rows {
        counts.entry(row.to_string()).or_insert((row, 0)).1 += 1;
    }
    let with_count = counts.into_values().map(|(mut row, count)| {
        row.as_array_mut().unwrap().push(json!(count));
        row
    });
    with_count.collect()
}

/// What Trackway answers over HTTP to the questions that Jaeger's API knows.
pub(super) fn asked_over_http(program: &Program, services: &[String]) -> Answers {
    let found = |service: &str, what: &str| -> Vec<Value> {
        let path = format!("/api/traces?service={service}&limit=5000&start=0{what}");
        let traces = read_traces(&program.query(&path));
        traces.iter().map(|trace| json!([trace.trace_id])).collect()
    };
    // A tag of a span is searched in one service after the other.
    let rare = services.iter().flat_map(|service| {
        let what = format!("&tag=app.user.tier:{RARE_VALUE}");
        found(service, &what)
    });
    let rare: BTreeSet<String> = rare.map(|row| row.to_string()).collect();
    let long = sorted(found("checkout", "&minDuration=200ms"));
    let calls = program.query("/api/dependencies?lookback=86400000").json();
    let calls = calls["data"].as_array().unwrap().iter();
    let calls = calls.map(|call| json!([call["parent"], call["child"], call["callCount"]]));
    BTreeMap::from([
        (
            "traces with a rare value".to_owned(),
            rare.into_iter().collect(),
        ),
        ("traces of checkout over 200 ms".to_owned(), long),
        ("calls between services".to_owned(), sorted(calls)),
    ])
}
