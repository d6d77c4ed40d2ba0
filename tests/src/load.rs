//! Load whose truth is known: requests made from a seed, sent by several connections, and what was acknowledged.
//!
//! Promises: the same seed makes the same spans; a request counts as acknowledged only when its whole answer was read
//! and says that nothing was rejected; a request whose answer broke off is kept apart as unsure.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1 as otlp;
use prost::Message as _;
use serde_json::Value;

use crate::expected::{Attribute, Event, Lines, Scope, Sent, Status, Typed, jaeger_trace_id};
use crate::http::Connection;
use crate::jaeger::{differences, trace};
use crate::ledger;
use crate::program::Program;
use crate::wait::unix_now_ns;

const SPANS_PER_REQUEST_MAX: u64 = 12;
/// Every so many requests adds a late span to the trace of the request before.
const LATE_EVERY: u64 = 5;
pub(crate) const SERVICE: &str = "load";

/// A small generator of numbers that look random (SplitMix64): the same seed gives the same numbers everywhere.
#[derive(Debug, Clone)]
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// A seed that differs from run to run, unless the environment gives one.
pub(crate) fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    let given = std::env::var("TRACKWAY_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish())
}

/// One request and what must be found once it is acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// 32 hex digits.
    pub(crate) trace_id: String,
    pub(crate) body: Vec<u8>,
    pub(crate) spans: Lines,
}

impl Request {
    /// Makes the request with a number; `payload_bytes` is added to the first span as one attribute.
    pub(crate) fn new(seed: u64, number: u64, payload_bytes: usize) -> Self {
        let is_late = number % LATE_EVERY == LATE_EVERY - 1;
        let mut of_trace =
            Numbers::new(seed ^ (number - u64::from(is_late)).wrapping_mul(0xD6E8_FEB8_6659_FD93));
        let trace_id = format!("{:016x}{:016x}", of_trace.next() | 1, of_trace.next());
        let root_id = format!("{:016x}", of_trace.next() | 1);
        let mut numbers = Numbers::new(seed ^ number.wrapping_mul(0xA076_1D64_78BD_642F) ^ 1);
        let count = if is_late {
            1
        } else {
            1 + numbers.below(SPANS_PER_REQUEST_MAX)
        };
        let mut sent = Vec::new();
        for index in 0..count {
            let is_root = index == 0 && !is_late;
            let own = format!("{:016x}", numbers.next() | 1);
            let (span_id, parent) = if is_root {
                (root_id.clone(), None)
            } else {
                (own, Some(root_id.clone()))
            };
            sent.push(make_span(&mut numbers, &trace_id, span_id, parent));
        }
        if payload_bytes > 0 {
            sent[0]
                .attributes
                .push(text("payload", &noise(&mut numbers, payload_bytes)));
        }
        let spans = sent
            .iter()
            .map(|span| (span.span_id.clone(), span.lines()))
            .collect();
        Self {
            body: encode(&sent),
            trace_id,
            spans,
        }
    }
}

fn make_span(
    numbers: &mut Numbers,
    trace_id: &str,
    span_id: String,
    parent_span_id: Option<String>,
) -> Sent {
    let start_ns = hour_ago_ns() + numbers.below(3_600_000_000_000);
    let kinds = ["internal", "server", "client", "producer", "consumer"];
    let is_error = numbers.below(10) == 0;
    let event = Event {
        name: "retried".to_owned(),
        time_ns: (start_ns + 1000).to_string(),
        attributes: vec![integer("attempt", numbers.below(9))],
    };
    Sent {
        trace_id: trace_id.to_owned(),
        span_id,
        parent_span_id,
        trace_state: String::new(),
        name: format!("operation {}", numbers.below(20)),
        kind: kinds[usize::try_from(numbers.below(5)).unwrap()].to_owned(),
        start_ns: start_ns.to_string(),
        end_ns: (start_ns + 1 + numbers.below(5_000_000_000)).to_string(),
        attributes: vec![
            integer("http.response.status_code", 200 + numbers.below(300)),
            text("user.id", &format!("user-{}", numbers.below(1000))),
            text("note", &noise(numbers, 40)),
            Attribute {
                key: "cached".to_owned(),
                value: Typed {
                    kind: "bool".to_owned(),
                    value: Value::Bool(is_error),
                },
            },
            Attribute {
                key: "ratio".to_owned(),
                value: Typed {
                    kind: "float64".to_owned(),
                    value: Value::from(format!("{}.25", numbers.below(100))),
                },
            },
        ],
        events: if numbers.below(4) == 0 {
            vec![event]
        } else {
            Vec::new()
        },
        links: Vec::new(),
        status: Status {
            code: if is_error { "error" } else { "unset" }.to_owned(),
            message: if is_error { "it went wrong" } else { "" }.to_owned(),
        },
        resource: vec![
            text("service.name", SERVICE),
            text("host.name", "crash-test"),
        ],
        scope: Scope {
            name: "load".to_owned(),
            version: "1".to_owned(),
        },
    }
}

/// The begin of the hour in which all spans of one run lie: recent, so that no retention by age touches them.
fn hour_ago_ns() -> u64 {
    static BEGIN: OnceLock<u64> = OnceLock::new();
    *BEGIN.get_or_init(|| unix_now_ns() - 3_600_000_000_000)
}

pub(crate) fn text(key: &str, value: &str) -> Attribute {
    Attribute {
        key: key.to_owned(),
        value: Typed {
            kind: "string".to_owned(),
            value: Value::from(value),
        },
    }
}

pub(crate) fn integer(key: &str, value: u64) -> Attribute {
    Attribute {
        key: key.to_owned(),
        value: Typed {
            kind: "int64".to_owned(),
            value: Value::from(value.to_string()),
        },
    }
}

/// Text that no compressor makes small.
pub(crate) fn noise(numbers: &mut Numbers, bytes: usize) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let mut text = String::with_capacity(bytes + 16);
    while text.len() < bytes {
        let number = numbers.next();
        let places = (0..16u32).rev();
        text.extend(
            places.map(|place| DIGITS[usize::try_from(number >> (4 * place) & 15).unwrap()]),
        );
    }
    text.truncate(bytes);
    text
}

fn encode(sent: &[Sent]) -> Vec<u8> {
    ExportTraceServiceRequest {
        resource_spans: vec![encode_resource_spans(sent)],
    }
    .encode_to_vec()
}

/// Spans of one resource and scope, those of the first.
pub(crate) fn encode_resource_spans(sent: &[Sent]) -> otlp::ResourceSpans {
    let first = sent.first().unwrap();
    let scope = InstrumentationScope {
        name: first.scope.name.clone(),
        version: first.scope.version.clone(),
        ..InstrumentationScope::default()
    };
    let scope_spans = otlp::ScopeSpans {
        scope: Some(scope),
        spans: sent.iter().map(encode_span).collect(),
        ..Default::default()
    };
    let resource = Resource {
        attributes: encode_attributes(&first.resource),
        ..Default::default()
    };
    otlp::ResourceSpans {
        resource: Some(resource),
        scope_spans: vec![scope_spans],
        ..Default::default()
    }
}

fn encode_span(span: &Sent) -> otlp::Span {
    let kind = [
        "unspecified",
        "internal",
        "server",
        "client",
        "producer",
        "consumer",
    ];
    let events = span.events.iter().map(|event| otlp::span::Event {
        time_unix_nano: event.time_ns.parse().unwrap(),
        name: event.name.clone(),
        attributes: encode_attributes(&event.attributes),
        ..Default::default()
    });
    otlp::Span {
        trace_id: bytes_of(&span.trace_id),
        span_id: bytes_of(&span.span_id),
        parent_span_id: span
            .parent_span_id
            .as_deref()
            .map(bytes_of)
            .unwrap_or_default(),
        name: span.name.clone(),
        kind: i32::try_from(kind.iter().position(|kind| *kind == span.kind).unwrap()).unwrap(),
        start_time_unix_nano: span.start_ns.parse().unwrap(),
        end_time_unix_nano: span.end_ns.parse().unwrap(),
        attributes: encode_attributes(&span.attributes),
        events: events.collect(),
        status: Some(otlp::Status {
            code: if span.status.code == "error" { 2 } else { 0 },
            message: span.status.message.clone(),
        }),
        ..Default::default()
    }
}

fn encode_attributes(attributes: &[Attribute]) -> Vec<KeyValue> {
    let encode = |attribute: &Attribute| {
        let value = &attribute.value.value;
        let text = value.as_str().unwrap_or_default();
        let value = match attribute.value.kind.as_str() {
            "bool" => any_value::Value::BoolValue(value.as_bool().unwrap()),
            "int64" => any_value::Value::IntValue(text.parse().unwrap()),
            "float64" => any_value::Value::DoubleValue(text.parse().unwrap()),
            _ => any_value::Value::StringValue(text.to_owned()),
        };
        KeyValue {
            key: attribute.key.clone(),
            value: Some(AnyValue { value: Some(value) }),
            ..Default::default()
        }
    };
    attributes.iter().map(encode).collect()
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap())
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// What became of a request whose whole answer was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Acknowledged,
    /// Status and the seconds of `Retry-After`.
    Refused(u16, Option<String>),
}

/// Sends one request over an open connection.
pub(crate) fn send(connection: &mut Connection, request: &Request) -> io::Result<Outcome> {
    let answer = connection.post("/v1/traces", "application/x-protobuf", &request.body)?;
    if answer.status != 200 {
        return Ok(Outcome::Refused(
            answer.status,
            answer.header("retry-after").map(str::to_owned),
        ));
    }
    let response =
        ExportTraceServiceResponse::decode(answer.body.as_slice()).expect("200 with an odd body");
    let rejected = response
        .partial_success
        .map_or(0, |partial| partial.rejected_spans);
    assert_eq!(rejected, 0, "good spans are rejected");
    Ok(Outcome::Acknowledged)
}

/// Everything that was sent so far: what must be found, and what may be.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    /// By trace id: the spans acknowledged.
    acknowledged: BTreeMap<String, Lines>,
    /// Requests whose answer broke off: each is there wholly or not at all.
    pub(crate) unsure: Vec<Request>,
    pub(crate) refused: usize,
}

impl Truth {
    pub(crate) fn acknowledge(&mut self, request: Request) {
        self.acknowledged
            .entry(request.trace_id)
            .or_default()
            .extend(request.spans);
    }

    pub(crate) fn span_count(&self) -> usize {
        self.acknowledged.values().map(BTreeMap::len).sum()
    }

    pub(crate) fn trace_ids(&self) -> Vec<String> {
        self.acknowledged.keys().cloned().collect()
    }

    /// The acknowledged spans of a trace.
    pub(crate) fn of(&self, trace_id: &str) -> &Lines {
        &self.acknowledged[trace_id]
    }

    /// Tells whether every request was acknowledged.
    pub(crate) fn is_sure(&self) -> bool {
        self.unsure.is_empty() && self.refused == 0
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (trace_id, spans) in other.acknowledged {
            self.acknowledged.entry(trace_id).or_default().extend(spans);
        }
        self.unsure.extend(other.unsure);
        self.refused += other.refused;
    }

    /// Sends all unsure requests again, as a client does that got no answer; they are sure afterwards.
    pub(crate) fn resend_unsure(&mut self, program: &Program) {
        let mut connection = Connection::open(&program.addresses.otlp_http).unwrap();
        for request in std::mem::take(&mut self.unsure) {
            assert_eq!(
                send(&mut connection, &request).unwrap(),
                Outcome::Acknowledged
            );
            self.acknowledge(request);
        }
    }

    /// Checks traces: every acknowledged span once and with all its content, unsure requests wholly or not at all.
    pub(crate) fn check(&self, program: &Program, trace_ids: &[String]) {
        ledger::check(program);
        self.check_at(program.query_connection(), trace_ids);
    }

    /// The same by whoever answers at the other end.
    pub(crate) fn check_at(&self, mut connection: Connection, trace_ids: &[String]) {
        let nothing = Lines::new();
        let mut wrong = Vec::new();
        for trace_id in trace_ids {
            let mut found = match trace(&mut connection, trace_id, "?raw=true") {
                Some(found) => {
                    assert_eq!(found.trace_id, jaeger_trace_id(trace_id));
                    found.canonical()
                }
                None => Lines::new(),
            };
            for request in self
                .unsure
                .iter()
                .filter(|request| &request.trace_id == trace_id)
            {
                let there = request
                    .spans
                    .keys()
                    .filter(|id| found.contains_key(*id))
                    .count();
                if there != 0 && there != request.spans.len() {
                    wrong.push(format!("trace {trace_id}: a request is there by half"));
                }
                if there == request.spans.len() {
                    wrong.extend(
                        request
                            .spans
                            .iter()
                            .filter(|(id, lines)| found.get(*id) != Some(lines))
                            .map(|(id, _)| {
                                format!("trace {trace_id}: unsure span {id} has other content")
                            }),
                    );
                }
                found.retain(|id, _| !request.spans.contains_key(id));
            }
            let expected = self.acknowledged.get(trace_id).unwrap_or(&nothing);
            wrong.extend(
                differences(expected, &found)
                    .into_iter()
                    .map(|line| format!("trace {trace_id}: {line}")),
            );
        }
        let shown: Vec<_> = wrong.iter().take(20).map(String::as_str).collect();
        assert!(
            wrong.is_empty(),
            "{} things are wrong, for instance:\n{}",
            wrong.len(),
            shown.join("\n")
        );
    }
}

/// Several connections that send until they are stopped or the program goes away.
#[derive(Debug)]
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Truth>>,
}

impl Load {
    /// Starts `connections` senders; each makes requests of its own from the seed.
    pub(crate) fn start(
        program: &Program,
        seed: u64,
        connections: u64,
        payload_bytes: usize,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let senders = (0..connections).map(|number| {
            let (stop, address) = (Arc::clone(&stop), program.addresses.otlp_http.clone());
            let seed = Numbers::new(seed.wrapping_add(number)).next();
            std::thread::spawn(move || send_until(&stop, &address, seed, payload_bytes))
        });
        Self {
            threads: senders.collect(),
            stop,
        }
    }

    /// Ends the senders and returns what they know.
    pub(crate) fn stop(self) -> Truth {
        self.stop.store(true, Ordering::Relaxed);
        self.join()
    }

    /// Waits until all senders found the program gone or full.
    pub(crate) fn join(self) -> Truth {
        let mut all = Truth::default();
        for thread in self.threads {
            all.merge(thread.join().unwrap());
        }
        all
    }

    /// Adds what the senders know to what is known already.
    pub(crate) fn stop_into(self, truth: &mut Truth) {
        truth.merge(self.stop());
    }
}

/// Sends until stopped, refused, or cut off.
fn send_until(stop: &AtomicBool, address: &str, seed: u64, payload_bytes: usize) -> Truth {
    let mut truth = Truth::default();
    let Ok(mut connection) = Connection::open(address) else {
        return truth;
    };
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let request = Request::new(seed, number, payload_bytes);
        match send(&mut connection, &request) {
            Ok(Outcome::Acknowledged) => truth.acknowledge(request),
            Ok(Outcome::Refused(status, retry_after)) => {
                assert_eq!(
                    status, 503,
                    "only a program that is full or stopping may refuse"
                );
                assert!(retry_after.is_some(), "a 503 without Retry-After");
                truth.refused += 1;
                truth.unsure.push(request);
                break;
            }
            Err(_) => {
                truth.unsure.push(request);
                break;
            }
        }
    }
    truth
}
