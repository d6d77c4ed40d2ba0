//! A second program that uses the first as its store: written by OTLP, asked by the query API over gRPC and HTTP.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::trace::v1 as otlp;
use testkit::jaeger::{api_v2, api_v3};

use super::client::Client;
use super::fixtures::{MS, Made, Question, Val, duration, number_of, request, timestamp, trace_id};
use super::suite::{self, Store};
use super::v2::{EXPORT, traces_of};
use crate::folder::Folder;
use crate::http;
use crate::ledger;
use crate::program::Program;
use crate::wait::unix_now_ns;

struct Second {
    door: Client,
    query: Client,
    base: u64,
}

impl Store for Second {
    fn write(&self, spans: &[Made]) {
        let _: ExportTraceServiceResponse =
            self.door.one(EXPORT, request(self.base, spans)).unwrap();
    }

    fn services(&self) -> Vec<String> {
        let path = "/jaeger.api_v3.QueryService/GetServices";
        let asked = api_v3::GetServicesRequest {};
        let answer: api_v3::GetServicesResponse = self.query.one(path, asked).unwrap();
        answer.services
    }

    fn operations(&self, service: &str, kind: &str) -> Vec<(String, String)> {
        let path = "/jaeger.api_v2.QueryService/GetOperations";
        let asked = api_v2::GetOperationsRequest {
            service: service.to_owned(),
            span_kind: kind.to_owned(),
        };
        let answer: api_v2::GetOperationsResponse = self.query.one(path, asked).unwrap();
        let operations = answer.operations.into_iter();
        operations.map(|one| (one.name, one.span_kind)).collect()
    }

    fn trace(&self, number: u64) -> Option<Vec<Vec<u8>>> {
        let path = "/jaeger.api_v3.QueryService/GetTrace";
        let id = trace_id(number);
        let asked = api_v3::GetTraceRequest {
            trace_id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
            raw_traces: true,
            ..api_v3::GetTraceRequest::default()
        };
        let messages: Vec<otlp::TracesData> = self.query.ask(path, &[asked]).unwrap();
        let (_, spans) = traces_of(messages).pop()?;
        Some(spans.into_iter().map(|span| span.span_id).collect())
    }

    fn find(&self, question: &Question) -> Vec<u64> {
        let between = question.between_ms.unwrap_or((0, 3_600_000));
        let text = |value: &Val| match value {
            Val::Text(text) => (*text).to_owned(),
            Val::Int(int) => int.to_string(),
            Val::Double(double) => double.to_string(),
            Val::Bool(is) => is.to_string(),
        };
        let tags = question.tags.iter();
        let query = api_v3::TraceQueryParameters {
            service_name: question.service.to_owned(),
            operation_name: question.operation.to_owned(),
            attributes: tags
                .map(|(key, value)| ((*key).to_owned(), text(value)))
                .collect(),
            start_time_min: Some(timestamp(self.base + between.0 * MS)),
            start_time_max: Some(timestamp(self.base + between.1 * MS)),
            duration_min: (question.min_ms > 0).then(|| duration(question.min_ms)),
            duration_max: (question.max_ms > 0).then(|| duration(question.max_ms)),
            search_depth: if question.depth == 0 {
                100
            } else {
                question.depth
            },
            raw_traces: true,
            ..api_v3::TraceQueryParameters::default()
        };
        let path = "/jaeger.api_v3.QueryService/FindTraces";
        let asked = api_v3::FindTracesRequest { query: Some(query) };
        let traces = traces_of(self.query.ask(path, &[asked]).unwrap());
        traces.iter().map(|(id, _)| number_of(id)).collect()
    }

    fn dependencies(&self) -> Vec<(String, String, u64)> {
        let path = "/jaeger.api_v2.QueryService/GetDependencies";
        let asked = api_v2::GetDependenciesRequest {
            start_time: Some(timestamp(self.base)),
            end_time: Some(timestamp(self.base + 3_600_000 * MS)),
        };
        let answer: api_v2::GetDependenciesResponse = self.query.one(path, asked).unwrap();
        let links = answer.dependencies.into_iter();
        links
            .map(|link| (link.parent, link.child, link.call_count))
            .collect()
    }
}

#[test]
fn a_trackway_keeps_its_spans_in_another() {
    let folder = Folder::new("storage-api-second");
    let first = Program::start(&folder.join("data"));
    let endpoint = format!("backend.remote.endpoint={}", first.addresses.storage_grpc);
    let second = Program::start_with(
        &folder.join("none"),
        &["--set", "backend.kind=remote", "--set", &endpoint],
    );
    let store = Second {
        door: Client::connect(&second.addresses.otlp_grpc),
        query: Client::connect(&second.addresses.query_grpc),
        base: (unix_now_ns() / MS - 3_600_000) * MS,
    };
    suite::run(&store);
    // Nothing is kept here.
    assert!(!folder.join("none").exists());
    ledger::check(&first);
    app(&store, &second);
    let hex: String = trace_id(1)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let path = format!("/api/archive/{hex}");
    let archived = second
        .query_connection()
        .post(&path, "text/plain", &[])
        .unwrap();
    assert_eq!(archived.status, 200, "{}", archived.text());
    let pins = http::get(&first.addresses.admin, "/admin/pins").unwrap();
    assert!(pins.text().contains(&hex), "{}", pins.text());
    // Without its store it says so, and goes on when the store is back.
    assert_eq!(
        http::get(&second.addresses.admin, "/ready").unwrap().status,
        200
    );
    first.kill();
    let services = second.query("/api/services");
    assert_eq!(services.status, 503, "{}", services.text());
    assert!(
        services.text().contains("the remote store"),
        "{}",
        services.text()
    );
}

/// What the web app asks: searches are answered, and what such a store can't do is said.
fn app(store: &Second, second: &Program) {
    let (from, to) = (store.base, store.base + 60_000 * MS);
    let q = "%7B%20span.text%20%3D%20%22blue%22%20%7D";
    let found = second.query(&format!("/api/ui/v1/search?q={q}&from={from}&to={to}"));
    assert_eq!(found.status, 200, "{}", found.text());
    let lines = found.text();
    let is_trace = |line: &&str| line.contains("\"type\":\"trace\"");
    assert_eq!(lines.lines().filter(is_trace).count(), 1, "{lines}");
    let rates = second.query("/api/ui/v1/red");
    assert_ne!(rates.status, 200);
    assert!(
        rates.text().contains("the remote store can't"),
        "{}",
        rates.text()
    );
}
