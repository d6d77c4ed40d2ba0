//! Version 1: spans in Jaeger's own model, written one by one or as a stream, and the archive.

use std::collections::HashMap;

use testkit::jaeger::api_v2::Span;
use testkit::jaeger::storage::v1;

use super::client::Client;
use super::fixtures::{
    MS, Made, Question, Val, duration, jaeger_span, number_of, timestamp, trace_id,
};
use super::suite::{self, Store};
use crate::folder::Folder;
use crate::http;
use crate::ledger;
use crate::program::Program;
use crate::wait::unix_now_ns;

const WRITE: &str = "/jaeger.storage.v1.SpanWriterPlugin/WriteSpan";
const STREAM: &str = "/jaeger.storage.v1.StreamingSpanWriterPlugin/WriteSpanStream";
const ARCHIVE: &str = "/jaeger.storage.v1.ArchiveSpanWriterPlugin/WriteArchiveSpan";
const GET: &str = "/jaeger.storage.v1.SpanReaderPlugin/GetTrace";
const GET_ARCHIVED: &str = "/jaeger.storage.v1.ArchiveSpanReaderPlugin/GetArchiveTrace";

struct V1 {
    client: Client,
    base: u64,
}

impl V1 {
    fn written(&self, made: &Made) -> v1::WriteSpanRequest {
        v1::WriteSpanRequest {
            span: Some(jaeger_span(self.base, made)),
        }
    }

    fn get(&self, path: &'static str, number: u64) -> Result<Vec<Span>, tonic::Status> {
        let asked = v1::GetTraceRequest {
            trace_id: trace_id(number),
            ..v1::GetTraceRequest::default()
        };
        let chunks: Vec<v1::SpansResponseChunk> = self.client.ask(path, &[asked])?;
        Ok(chunks.into_iter().flat_map(|chunk| chunk.spans).collect())
    }
}

impl Store for V1 {
    fn write(&self, spans: &[Made]) {
        // A few alone, many as a stream.
        if spans.len() < 5 {
            for made in spans {
                let _: v1::WriteSpanResponse = self.client.one(WRITE, self.written(made)).unwrap();
            }
            return;
        }
        let spans: Vec<_> = spans.iter().map(|made| self.written(made)).collect();
        let answers: Vec<v1::WriteSpanResponse> = self.client.ask(STREAM, &spans).unwrap();
        assert_eq!(answers.len(), 1);
    }

    fn services(&self) -> Vec<String> {
        let path = "/jaeger.storage.v1.SpanReaderPlugin/GetServices";
        let answer: v1::GetServicesResponse =
            self.client.one(path, v1::GetServicesRequest {}).unwrap();
        answer.services
    }

    fn operations(&self, service: &str, kind: &str) -> Vec<(String, String)> {
        let path = "/jaeger.storage.v1.SpanReaderPlugin/GetOperations";
        let asked = v1::GetOperationsRequest {
            service: service.to_owned(),
            span_kind: kind.to_owned(),
        };
        let answer: v1::GetOperationsResponse = self.client.one(path, asked).unwrap();
        let operations = answer.operations.into_iter();
        operations.map(|one| (one.name, one.span_kind)).collect()
    }

    fn trace(&self, number: u64) -> Option<Vec<Vec<u8>>> {
        match self.get(GET, number) {
            Ok(spans) => Some(spans.into_iter().map(|span| span.span_id).collect()),
            Err(status) => {
                assert_eq!(status.code(), tonic::Code::NotFound);
                assert_eq!(status.message(), "trace not found");
                None
            }
        }
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
        let tags: HashMap<_, _> = tags
            .map(|(key, value)| ((*key).to_owned(), text(value)))
            .collect();
        let query = Some(v1::TraceQueryParameters {
            service_name: question.service.to_owned(),
            operation_name: question.operation.to_owned(),
            tags,
            start_time_min: Some(timestamp(self.base + between.0 * MS)),
            start_time_max: Some(timestamp(self.base + between.1 * MS)),
            duration_min: (question.min_ms > 0).then(|| duration(question.min_ms)),
            duration_max: (question.max_ms > 0).then(|| duration(question.max_ms)),
            num_traces: question.depth,
        });
        let path = "/jaeger.storage.v1.SpanReaderPlugin/FindTraces";
        let asked = v1::FindTracesRequest {
            query: query.clone(),
        };
        let chunks: Vec<v1::SpansResponseChunk> = self.client.ask(path, &[asked]).unwrap();
        let mut found = Vec::new();
        for chunk in chunks {
            let ids = chunk.spans.iter().map(|span| number_of(&span.trace_id));
            let ids: Vec<u64> = ids.collect();
            assert!(ids.iter().all(|id| *id == ids[0]), "a message mixes traces");
            if found.last() != Some(&ids[0]) {
                found.push(ids[0]);
            }
        }
        let path = "/jaeger.storage.v1.SpanReaderPlugin/FindTraceIDs";
        let asked = v1::FindTraceIDsRequest { query };
        let ids: v1::FindTraceIDsResponse = self.client.one(path, asked).unwrap();
        let ids = ids.trace_ids.iter().map(|id| number_of(id));
        assert_eq!(ids.collect::<Vec<_>>(), found, "{question:?}");
        found
    }

    fn dependencies(&self) -> Vec<(String, String, u64)> {
        let path = "/jaeger.storage.v1.DependenciesReaderPlugin/GetDependencies";
        let asked = v1::GetDependenciesRequest {
            start_time: Some(timestamp(self.base)),
            end_time: Some(timestamp(self.base + 3_600_000 * MS)),
        };
        let answer: v1::GetDependenciesResponse = self.client.one(path, asked).unwrap();
        let links = answer.dependencies.into_iter();
        links
            .map(|link| (link.parent, link.child, link.call_count))
            .collect()
    }
}

#[test]
fn a_jaeger_of_version_1_keeps_its_spans_here() {
    let folder = Folder::new("storage-api");
    let program = Program::start(&folder.join("data"));
    let store = V1 {
        client: Client::connect(&program.addresses.storage_grpc),
        base: (unix_now_ns() / MS - 3_600_000) * MS,
    };
    suite::run(&store);
    let path = "/jaeger.storage.v1.PluginCapabilities/Capabilities";
    let told: v1::CapabilitiesResponse =
        store.client.one(path, v1::CapabilitiesRequest {}).unwrap();
    assert!(told.archive_span_reader && told.archive_span_writer && told.streaming_span_writer);
    let path = "/jaeger.storage.v1.SpanWriterPlugin/Close";
    let _: v1::CloseWriterResponse = store.client.one(path, v1::CloseWriterRequest {}).unwrap();
    wrong_spans(&store);
    ledger::check(&program);
    // What is archived and was there is accepted, and not stored again.
    archive(&store, &program);
}

/// A trace that is archived is pinned where it is; one that is not there is written and pinned.
fn archive(store: &V1, program: &Program) {
    let code = |number| store.get(GET_ARCHIVED, number).unwrap_err().code();
    assert_eq!(code(1), tonic::Code::NotFound);
    for span in store.get(GET, 1).unwrap() {
        let asked = v1::WriteSpanRequest { span: Some(span) };
        let _: v1::WriteSpanResponse = store.client.one(ARCHIVE, asked).unwrap();
    }
    assert_eq!(store.get(GET_ARCHIVED, 1).unwrap().len(), 1);
    assert_eq!(store.get(GET, 1).unwrap().len(), 1, "it was stored twice");
    let new = Made {
        trace: 501,
        span: 50_101,
        service: "archived",
        name: "new",
        start_ms: 9_000,
        ..Made::default()
    };
    let _: v1::WriteSpanResponse = store.client.one(ARCHIVE, store.written(&new)).unwrap();
    for path in [GET, GET_ARCHIVED] {
        assert_eq!(store.get(path, 501).unwrap().len(), 1, "{path}");
    }
    let pins = http::get(&program.addresses.admin, "/admin/pins").unwrap();
    let hex: String = trace_id(501)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(pins.text().contains(&hex), "{}", pins.text());
    assert_eq!(code(2), tonic::Code::NotFound);
}

/// A span that can't be kept is no success; what came with it is kept.
fn wrong_spans(store: &V1) {
    let good = Made {
        trace: 502,
        span: 50_201,
        service: "wrong",
        name: "good",
        ..Made::default()
    };
    let mut without_id = store.written(&good);
    without_id.span.as_mut().unwrap().trace_id = vec![1; 3];
    let status = store
        .client
        .one::<_, v1::WriteSpanResponse>(WRITE, without_id.clone())
        .unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument, "{status}");
    let both = [without_id, store.written(&good)];
    let status = store.client.ask::<_, v1::WriteSpanResponse>(STREAM, &both);
    let status = status.unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument, "{status}");
    assert!(
        status.message().contains("1 spans are rejected"),
        "{status}"
    );
    assert_eq!(store.get(GET, 502).unwrap().len(), 1);
}
