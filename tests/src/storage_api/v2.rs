//! Version 2: spans as OTLP.

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1 as otlp;
use testkit::grpc::health::v1::{HealthCheckRequest, HealthCheckResponse};
use testkit::grpc::reflection::v1 as reflection;
use testkit::jaeger::expression::v1 as expression;
use testkit::jaeger::storage::v2;

use super::client::Client;
use super::fixtures::{
    MS, Made, Pair, Question, Val, asked_traces, duration, number_of, request, timestamp, trace_id,
};
use super::suite::{self, Store};
use crate::folder::Folder;
use crate::ledger;
use crate::program::Program;
use crate::wait::unix_now_ns;

pub(super) const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const GET_TRACES: &str = "/jaeger.storage.v2.TraceReader/GetTraces";
const FIND_TRACES: &str = "/jaeger.storage.v2.TraceReader/FindTraces";

/// Messages of traces; the spans of one trace may come in several that follow one another.
pub(super) fn traces_of(messages: Vec<otlp::TracesData>) -> Vec<(Vec<u8>, Vec<otlp::Span>)> {
    let mut traces: Vec<(Vec<u8>, Vec<otlp::Span>)> = Vec::new();
    for message in messages {
        let scopes = message
            .resource_spans
            .into_iter()
            .flat_map(|one| one.scope_spans);
        let spans: Vec<otlp::Span> = scopes.flat_map(|scope| scope.spans).collect();
        let id = spans.first().expect("a message is empty").trace_id.clone();
        assert!(
            spans.iter().all(|span| span.trace_id == id),
            "a message mixes traces"
        );
        match traces.last_mut() {
            Some((last, all)) if *last == id => all.extend(spans),
            _ => {
                let is_new = traces.iter().all(|(known, _)| *known != id);
                assert!(is_new, "a trace came twice");
                traces.push((id, spans));
            }
        }
    }
    traces
}

/// The storage API of a program.
pub(super) struct V2 {
    client: Client,
    base: u64,
}

impl V2 {
    pub(super) fn of(program: &Program) -> Self {
        Self {
            client: Client::connect(&program.addresses.storage_grpc),
            base: (unix_now_ns() / MS - 3_600_000) * MS,
        }
    }

    fn query(&self, question: &Question) -> v2::TraceQueryParameters {
        let between = question.between_ms.unwrap_or((0, 3_600_000));
        let attribute = |(key, value): &Pair| v2::KeyValue {
            key: (*key).to_owned(),
            value: Some(v2::AnyValue {
                value: Some(match *value {
                    Val::Text(text) => v2::any_value::Value::StringValue(text.to_owned()),
                    Val::Int(int) => v2::any_value::Value::IntValue(int),
                    Val::Double(double) => v2::any_value::Value::DoubleValue(double),
                    Val::Bool(is) => v2::any_value::Value::BoolValue(is),
                }),
            }),
        };
        v2::TraceQueryParameters {
            service_name: question.service.to_owned(),
            operation_name: question.operation.to_owned(),
            attributes: question.tags.iter().map(attribute).collect(),
            start_time_min: Some(timestamp(self.base + between.0 * MS)),
            start_time_max: Some(timestamp(self.base + between.1 * MS)),
            duration_min: (question.min_ms > 0).then(|| duration(question.min_ms)),
            duration_max: (question.max_ms > 0).then(|| duration(question.max_ms)),
            search_depth: question.depth,
            filter: None,
        }
    }

    fn get(&self, ids: &[u64]) -> Vec<otlp::TracesData> {
        let query = ids.iter().map(|number| v2::GetTraceParams {
            trace_id: trace_id(*number),
            ..v2::GetTraceParams::default()
        });
        let query = query.collect();
        self.client
            .ask(GET_TRACES, &[v2::GetTracesRequest { query }])
            .unwrap()
    }
}

impl Store for V2 {
    fn write(&self, spans: &[Made]) {
        let answer: ExportTraceServiceResponse =
            self.client.one(EXPORT, request(self.base, spans)).unwrap();
        let rejected = answer.partial_success.map_or(0, |part| part.rejected_spans);
        assert_eq!(rejected, 0);
    }

    fn services(&self) -> Vec<String> {
        let path = "/jaeger.storage.v2.TraceReader/GetServices";
        let answer: v2::GetServicesResponse =
            self.client.one(path, v2::GetServicesRequest {}).unwrap();
        answer.services
    }

    fn operations(&self, service: &str, kind: &str) -> Vec<(String, String)> {
        let path = "/jaeger.storage.v2.TraceReader/GetOperations";
        let asked = v2::GetOperationsRequest {
            service: service.to_owned(),
            span_kind: kind.to_owned(),
        };
        let answer: v2::GetOperationsResponse = self.client.one(path, asked).unwrap();
        let operations = answer.operations.into_iter();
        operations.map(|one| (one.name, one.span_kind)).collect()
    }

    fn trace(&self, number: u64) -> Option<Vec<Vec<u8>>> {
        let mut traces = traces_of(self.get(&[number]));
        assert!(traces.len() < 2);
        let (_, spans) = traces.pop()?;
        Some(spans.into_iter().map(|span| span.span_id).collect())
    }

    fn find(&self, question: &Question) -> Vec<u64> {
        let query = Some(self.query(question));
        let asked = v2::FindTracesRequest {
            query: query.clone(),
        };
        let traces = traces_of(self.client.ask(FIND_TRACES, &[asked]).unwrap());
        let found: Vec<u64> = traces.iter().map(|(id, _)| number_of(id)).collect();
        let path = "/jaeger.storage.v2.TraceReader/FindTraceIDs";
        let asked = v2::FindTraceIDsRequest { query };
        let ids: v2::FindTraceIDsResponse = self.client.one(path, asked).unwrap();
        let ids = ids.trace_ids.iter().map(|one| number_of(&one.trace_id));
        assert_eq!(ids.collect::<Vec<_>>(), found, "{question:?}");
        found
    }

    fn dependencies(&self) -> Vec<(String, String, u64)> {
        let path = "/jaeger.storage.v2.DependencyReader/GetDependencies";
        let asked = v2::GetDependenciesRequest {
            start_time: Some(timestamp(self.base)),
            end_time: Some(timestamp(self.base + 3_600_000 * MS)),
        };
        let answer: v2::GetDependenciesResponse = self.client.one(path, asked).unwrap();
        let links = answer.dependencies.into_iter();
        links
            .map(|link| (link.parent, link.child, link.call_count))
            .collect()
    }
}

fn text(key: &str, text: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(any_value::Value::StringValue(text.to_owned())),
        }),
        ..KeyValue::default()
    }
}

/// A span with all that OTLP has for one.
fn full(base: u64) -> ExportTraceServiceRequest {
    let start = base + 9_000 * MS + 123;
    let span = otlp::Span {
        trace_id: trace_id(401),
        span_id: vec![7; 8],
        parent_span_id: vec![8; 8],
        trace_state: "vendor=1".to_owned(),
        flags: 0x301,
        name: "full".to_owned(),
        kind: 5,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 1_001,
        attributes: vec![text("z", "last"), text("a", "first")],
        dropped_attributes_count: 3,
        events: vec![otlp::span::Event {
            time_unix_nano: start + 5,
            name: "event".to_owned(),
            attributes: vec![text("of", "event")],
            dropped_attributes_count: 1,
        }],
        dropped_events_count: 2,
        links: vec![otlp::span::Link {
            trace_id: trace_id(402),
            span_id: vec![9; 8],
            trace_state: "other=2".to_owned(),
            attributes: vec![text("of", "link")],
            dropped_attributes_count: 4,
            flags: 1,
        }],
        dropped_links_count: 5,
        status: Some(otlp::Status {
            message: "why".to_owned(),
            code: 2,
        }),
    };
    let scope = InstrumentationScope {
        name: "scope".to_owned(),
        version: "1".to_owned(),
        attributes: vec![text("of", "scope")],
        dropped_attributes_count: 6,
    };
    ExportTraceServiceRequest {
        resource_spans: vec![otlp::ResourceSpans {
            resource: Some(Resource {
                attributes: vec![text("service.name", "full"), text("of", "resource")],
                dropped_attributes_count: 7,
                ..Resource::default()
            }),
            scope_spans: vec![otlp::ScopeSpans {
                scope: Some(scope),
                spans: vec![span],
                schema_url: "https://example.com/scope".to_owned(),
            }],
            schema_url: "https://example.com/resource".to_owned(),
        }],
    }
}

fn eq(key: &str, level: &str, value: &str) -> expression::Call {
    use expression::expression::Term;
    let term = |term| expression::Expression { term: Some(term) };
    expression::Call {
        op: "eq".to_owned(),
        args: vec![
            term(Term::Attr(expression::AttributeReference {
                key: key.to_owned(),
                level: level.to_owned(),
            })),
            term(Term::Scalar(expression::Scalar {
                value: value.to_owned(),
                r#type: String::new(),
            })),
        ],
    }
}

#[test]
fn a_jaeger_of_version_2_keeps_its_spans_here() {
    let folder = Folder::new("storage-api");
    let program = Program::start(&folder.join("data"));
    let store = V2::of(&program);
    suite::run(&store);
    // What is written comes back as it is, in every field; ids without a trace are passed over.
    let sent = full(store.base);
    let _: ExportTraceServiceResponse = store.client.one(EXPORT, sent.clone()).unwrap();
    let found = store.get(&[999, 401, 401, 998]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].resource_spans, sent.resource_spans);
    // Several traces in one call: one after another.
    let several = traces_of(store.get(&[1, 302, 2]));
    let sizes: Vec<usize> = several.iter().map(|(_, spans)| spans.len()).collect();
    assert_eq!(sizes, [1, 10_008, 1]);
    filters(&store);
    summaries(&store);
    about_itself(&store);
    ledger::check(&program);
}

fn filters(store: &V2) {
    let find = |call: expression::Call, service: &'static str| {
        let mut query = store.query(&Question::default());
        (query.filter, query.service_name) = (Some(call), service.to_owned());
        let asked = v2::FindTracesRequest { query: Some(query) };
        store
            .client
            .ask::<_, otlp::TracesData>(FIND_TRACES, &[asked])
    };
    let found = |call| {
        let traces = traces_of(find(call, "").unwrap());
        traces
            .iter()
            .map(|(id, _)| number_of(id))
            .collect::<Vec<_>>()
    };
    assert_eq!(found(eq("text", "span", "blue")), [1]);
    assert_eq!(found(eq("text", "resource", "blue")), [2]);
    assert_eq!(found(eq("text", "event", "blue")), [3]);
    assert_eq!(found(eq("of", "scope", "scope")), [401]);
    assert_eq!(found(eq("of", "link", "link")), [401]);
    let status = find(eq("text", "", "blue"), "asked").unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    let path = "/jaeger.storage.v2.Capabilities/GetCapabilities";
    let told: v2::GetCapabilitiesResponse = store
        .client
        .one(path, v2::GetCapabilitiesRequest {})
        .unwrap();
    let told = told.search.unwrap();
    assert!(told.without_service_name && told.same_span_conjunction);
    let filter = told.filter.unwrap();
    assert_eq!(
        filter.levels,
        ["span", "resource", "scope", "event", "link"]
    );
    assert!(filter.operators.contains(&"not_in".to_owned()));
    assert!(!filter.operators.contains(&"some".to_owned()));
}

fn summaries(store: &V2) {
    let path = "/jaeger.storage.v2.TraceReader/FindTraceSummaries";
    let mut question = Question {
        service: "caller",
        ..Question::default()
    };
    let ask = |question: &Question| {
        let query = Some(store.query(question));
        let asked = v2::FindTraceSummariesRequest { query };
        let answers: Vec<v2::FindTraceSummariesResponse> =
            store.client.ask(path, &[asked]).unwrap();
        answers
            .into_iter()
            .flat_map(|one| one.summaries)
            .collect::<Vec<_>>()
    };
    let found = ask(&question);
    let service = |name: &str, span_count| v2::ServiceSummary {
        name: name.to_owned(),
        span_count,
        error_span_count: 0,
    };
    let wanted = v2::TraceSummary {
        trace_id: trace_id(304),
        root_service_name: "caller".to_owned(),
        root_operation_name: "operation".to_owned(),
        min_start_time_unix_nano: store.base + 5_401 * MS,
        max_end_time_unix_nano: store.base + 5_404 * MS,
        span_count: 3,
        error_span_count: 0,
        orphan_span_count: 0,
        services: vec![service("called", 2), service("caller", 1)],
    };
    assert_eq!(found, [wanted]);
    question.service = "asked";
    let asked = asked_traces();
    let asked = asked
        .iter()
        .filter(|made| made.service == "asked" && made.parent == 0);
    assert_eq!(ask(&question).len(), asked.count());
}

/// Health and reflection.
fn about_itself(store: &V2) {
    let names = [
        "TraceReader",
        "DependencyReader",
        "TraceWriter",
        "Capabilities",
    ];
    for name in names.map(|name| format!("jaeger.storage.v2.{name}")) {
        let asked = HealthCheckRequest {
            service: name.clone(),
        };
        let answer: HealthCheckResponse = store
            .client
            .one("/grpc.health.v1.Health/Check", asked)
            .unwrap();
        assert_eq!(answer.status, 1, "{name}");
    }
    let asked = HealthCheckRequest {
        service: "jaeger.api_v2.QueryService".to_owned(),
    };
    let unknown = store
        .client
        .one::<_, HealthCheckResponse>("/grpc.health.v1.Health/Check", asked);
    assert_eq!(unknown.unwrap_err().code(), tonic::Code::NotFound);
    let asked = reflection::ServerReflectionRequest {
        message_request: Some(
            reflection::server_reflection_request::MessageRequest::FileContainingSymbol(
                "jaeger.storage.v2.TraceReader".to_owned(),
            ),
        ),
        ..reflection::ServerReflectionRequest::default()
    };
    let path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    let answer: reflection::ServerReflectionResponse = store.client.one(path, asked).unwrap();
    use reflection::server_reflection_response::MessageResponse;
    assert!(matches!(
        answer.message_response,
        Some(MessageResponse::FileDescriptorResponse(_))
    ));
}
