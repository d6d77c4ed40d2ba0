//! Spans that are written to a store, in OTLP's and in Jaeger's model, and questions with the traces that they find.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1 as otlp;
use testkit::google::protobuf::{Duration, Timestamp};
use testkit::jaeger::api_v2;
use testkit::spans::Ids;

pub(super) const MS: u64 = 1_000_000;

/// A value of an attribute.
#[derive(Debug, Clone, Copy)]
pub(super) enum Val {
    Text(&'static str),
    Int(i64),
    Double(f64),
    Bool(bool),
}

pub(super) type Pair = (&'static str, Val);

/// A span by numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Made {
    pub(super) trace: u64,
    pub(super) span: u64,
    /// 0: none.
    pub(super) parent: u64,
    pub(super) service: &'static str,
    pub(super) name: &'static str,
    /// OTLP's number.
    pub(super) kind: i32,
    pub(super) start_ms: u64,
    pub(super) lasting_ms: u64,
    pub(super) tags: Vec<Pair>,
    pub(super) process: Vec<Pair>,
    pub(super) log: Vec<Pair>,
    /// OTLP's number.
    pub(super) status: i32,
}

pub(super) fn trace_id(number: u64) -> Vec<u8> {
    Ids::new(17).trace(number).to_vec()
}

fn span_id(number: u64) -> Vec<u8> {
    Ids::new(17).span(number).to_vec()
}

/// The number of a trace among the first so many.
pub(super) fn number_of(id: &[u8]) -> u64 {
    (1..1_000).find(|number| trace_id(*number) == id).unwrap()
}

fn pair((key, value): &Pair) -> KeyValue {
    let value = match *value {
        Val::Text(text) => any_value::Value::StringValue(text.to_owned()),
        Val::Int(int) => any_value::Value::IntValue(int),
        Val::Double(double) => any_value::Value::DoubleValue(double),
        Val::Bool(is) => any_value::Value::BoolValue(is),
    };
    KeyValue {
        key: (*key).to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// A request of these spans.
pub(super) fn request(base: u64, spans: &[Made]) -> ExportTraceServiceRequest {
    let resource_spans = spans.iter().map(|made| {
        let service = ("service.name", Val::Text(made.service));
        let resource = [service].iter().chain(&made.process).map(pair).collect();
        let start = base + made.start_ms * MS;
        let parent_span_id = match made.parent {
            0 => Vec::new(),
            parent => span_id(parent),
        };
        let events = (!made.log.is_empty()).then(|| otlp::span::Event {
            time_unix_nano: start,
            attributes: made.log.iter().map(pair).collect(),
            ..otlp::span::Event::default()
        });
        let status = (made.status != 0).then(|| otlp::Status {
            code: made.status,
            ..otlp::Status::default()
        });
        let span = otlp::Span {
            trace_id: trace_id(made.trace),
            span_id: span_id(made.span),
            parent_span_id,
            name: made.name.to_owned(),
            kind: made.kind,
            start_time_unix_nano: start,
            end_time_unix_nano: start + made.lasting_ms * MS,
            attributes: made.tags.iter().map(pair).collect(),
            events: events.into_iter().collect(),
            status,
            ..otlp::Span::default()
        };
        otlp::ResourceSpans {
            resource: Some(Resource {
                attributes: resource,
                ..Resource::default()
            }),
            scope_spans: vec![otlp::ScopeSpans {
                spans: vec![span],
                ..otlp::ScopeSpans::default()
            }],
            ..otlp::ResourceSpans::default()
        }
    });
    ExportTraceServiceRequest {
        resource_spans: resource_spans.collect(),
    }
}

fn tag((key, value): &Pair) -> api_v2::KeyValue {
    let mut tag = api_v2::KeyValue {
        key: (*key).to_owned(),
        ..api_v2::KeyValue::default()
    };
    match *value {
        Val::Text(text) => tag.v_str = text.to_owned(),
        Val::Bool(is) => (tag.v_type, tag.v_bool) = (1, is),
        Val::Int(int) => (tag.v_type, tag.v_int64) = (2, int),
        Val::Double(double) => (tag.v_type, tag.v_float64) = (3, double),
    }
    tag
}

pub(super) fn timestamp(nanos: u64) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(nanos / 1_000_000_000).unwrap(),
        nanos: i32::try_from(nanos % 1_000_000_000).unwrap(),
    }
}

pub(super) fn duration(ms: u64) -> Duration {
    let Timestamp { seconds, nanos } = timestamp(ms * MS);
    Duration { seconds, nanos }
}

/// A span in Jaeger's model.
pub(super) fn jaeger_span(base: u64, made: &Made) -> api_v2::Span {
    let start = base + made.start_ms * MS;
    let kind = ["", "internal", "server", "client", "producer", "consumer"];
    let mut tags: Vec<_> = made.tags.iter().map(tag).collect();
    if made.kind != 0 {
        let kind = kind[usize::try_from(made.kind).unwrap()];
        tags.push(tag(&("span.kind", Val::Text(kind))));
    }
    match made.status {
        1 => tags.push(tag(&("otel.status_code", Val::Text("OK")))),
        2 => tags.push(tag(&("error", Val::Bool(true)))),
        _ => {}
    }
    let references = (made.parent != 0).then(|| api_v2::SpanRef {
        trace_id: trace_id(made.trace),
        span_id: span_id(made.parent),
        ref_type: 0,
    });
    let logs = (!made.log.is_empty()).then(|| api_v2::Log {
        timestamp: Some(timestamp(start)),
        fields: made.log.iter().map(tag).collect(),
    });
    api_v2::Span {
        trace_id: trace_id(made.trace),
        span_id: span_id(made.span),
        operation_name: made.name.to_owned(),
        references: references.into_iter().collect(),
        start_time: Some(timestamp(start)),
        duration: Some(duration(made.lasting_ms)),
        tags,
        logs: logs.into_iter().collect(),
        process: Some(api_v2::Process {
            service_name: made.service.to_owned(),
            tags: made.process.iter().map(tag).collect(),
        }),
        ..api_v2::Span::default()
    }
}

/// A question.
#[derive(Debug, Clone, Default)]
pub(super) struct Question {
    pub(super) service: &'static str,
    pub(super) operation: &'static str,
    pub(super) tags: Vec<Pair>,
    pub(super) min_ms: u64,
    pub(super) max_ms: u64,
    /// 0: a hundred.
    pub(super) depth: i32,
    /// Starts, in milliseconds from the base; none: all.
    pub(super) between_ms: Option<(u64, u64)>,
}

/// A span for the questions: one trace a call.
fn asked(trace: u64, change: impl FnOnce(&mut Made)) -> Made {
    let mut made = Made {
        trace,
        span: trace * 100,
        service: "asked",
        name: "plain",
        start_ms: trace * 10,
        lasting_ms: 5,
        ..Made::default()
    };
    change(&mut made);
    made
}

/// Traces 1 to 12, each found by something else.
pub(super) fn asked_traces() -> Vec<Made> {
    let typed = || {
        vec![
            ("text", Val::Text("blue")),
            ("int", Val::Int(123)),
            ("double", Val::Double(72.5)),
            ("bool", Val::Bool(true)),
        ]
    };
    let mut all = vec![
        asked(1, |span| span.tags = typed()),
        asked(2, |span| span.process = typed()),
        asked(3, |span| span.log = typed()),
        asked(4, |span| {
            span.name = "special";
            span.lasting_ms = 90;
        }),
        asked(5, |span| span.lasting_ms = 40),
        asked(6, |span| span.status = 2),
        asked(7, |span| span.status = 1),
        asked(8, |span| span.tags = vec![("result.code", Val::Int(500))]),
        asked(9, |span| {
            span.tags = vec![("result.code", Val::Text("500"))];
        }),
        // Both tags, but on two spans.
        asked(10, |span| span.tags = vec![("one", Val::Text("1"))]),
        asked(11, |span| {
            span.tags = vec![("one", Val::Text("1")), ("two", Val::Text("2"))];
        }),
        asked(12, |span| span.service = "other"),
    ];
    let mut second = asked(10, |span| span.tags = vec![("two", Val::Text("2"))]);
    (second.span, second.parent) = (1_001, 1_000);
    all.push(second);
    all
}

/// Questions about these traces, and what they find, the newest first.
pub(super) fn questions() -> Vec<(Question, Vec<u64>)> {
    let ask = |change: fn(&mut Question), found: &[u64]| {
        let mut question = Question {
            service: "asked",
            ..Question::default()
        };
        change(&mut question);
        (question, found.to_vec())
    };
    vec![
        ask(|_| {}, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ask(|q| q.service = "other", &[12]),
        ask(|q| q.service = "unknown", &[]),
        ask(|q| q.operation = "special", &[4]),
        ask(|q| q.operation = "unknown", &[]),
        ask(|q| q.tags = vec![("text", Val::Text("blue"))], &[3, 2, 1]),
        ask(|q| q.tags = vec![("int", Val::Int(123))], &[3, 2, 1]),
        ask(|q| q.tags = vec![("int", Val::Text("123"))], &[3, 2, 1]),
        ask(|q| q.tags = vec![("double", Val::Double(72.5))], &[3, 2, 1]),
        ask(|q| q.tags = vec![("bool", Val::Bool(true))], &[3, 2, 1]),
        ask(|q| q.tags = vec![("text", Val::Text("red"))], &[]),
        ask(
            |q| q.tags = vec![("text", Val::Text("blue")), ("int", Val::Int(123))],
            &[3, 2, 1],
        ),
        ask(
            |q| q.tags = vec![("text", Val::Text("blue")), ("int", Val::Int(1))],
            &[],
        ),
        ask(
            |q| q.tags = vec![("one", Val::Text("1")), ("two", Val::Text("2"))],
            &[11],
        ),
        ask(
            |q| q.tags = vec![("result.code", Val::Text("500"))],
            &[9, 8],
        ),
        ask(|q| q.tags = vec![("error", Val::Bool(true))], &[6]),
        ask(|q| q.tags = vec![("error", Val::Text("true"))], &[6]),
        ask(|q| q.tags = vec![("error", Val::Bool(false))], &[7]),
        ask(|q| q.min_ms = 40, &[5, 4]),
        ask(|q| (q.min_ms, q.max_ms) = (6, 50), &[5]),
        ask(
            |q| (q.max_ms, q.tags) = (5, vec![("text", Val::Text("blue"))]),
            &[3, 2, 1],
        ),
        ask(|q| (q.operation, q.min_ms) = ("special", 91), &[]),
        ask(|q| q.depth = 3, &[11, 10, 9]),
        ask(|q| q.between_ms = Some((40, 60)), &[6, 5, 4]),
        ask(
            |q| {
                q.service = "";
                q.tags = vec![("text", Val::Text("blue"))];
            },
            &[3, 2, 1],
        ),
        ask(
            |q| {
                q.service = "";
                q.between_ms = Some((105, 200));
            },
            &[12, 11],
        ),
    ]
}
