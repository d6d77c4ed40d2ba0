//! Documents that a real Jaeger wrote, put into a real server: all of them are found and read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use backends::elastic::{Elastic, ElasticOptions, ElasticWriter};
use codec::jaeger::decode_documents;
use codec::jaeger_document::{DocumentLayout, TagsAsFields};
use model::contract::{Order, SearchRequest, SpanReader as _, SpanWriter as _, Window};
use model::{Field, Literal, Operator, Predicate, SpanBatch, TenantId, TraceId};
use serde_json::Value;
use testkit::spans::request;

use super::{incoming, open, options};
use crate::server::Server;

/// The documents of a recording, by their index.
fn documents(text: &str) -> Vec<(String, Value)> {
    let recorded: Value = serde_json::from_str(text).unwrap();
    let documents = recorded["documents"].as_array().unwrap().iter();
    let document = |one: &Value| {
        let index = one["_index"].as_str().unwrap().to_owned();
        (index, one["_source"].clone())
    };
    documents.map(document).collect()
}

/// A span by all that it holds.
fn lines(spans: &SpanBatch) -> BTreeSet<String> {
    let line = |row| {
        format!(
            "{} {}",
            spans.span(row).unwrap().span_id(),
            spans.span_hash(row)
        )
    };
    (0..spans.len()).map(line).collect()
}

/// Every trace is read whole and found by its services, each of which is listed.
pub(super) async fn is_found(server: &Server, is_secure: bool) {
    let few = DocumentLayout::default();
    let all = DocumentLayout {
        tags_as_fields: TagsAsFields::All,
        ..DocumentLayout::default()
    };
    let spans = [
        (
            few,
            include_str!("../../../../tests/golden/elasticsearch/default-span-documents.json"),
        ),
        (
            all,
            include_str!(
                "../../../../tests/golden/elasticsearch/tags-as-fields-span-documents.json"
            ),
        ),
    ];
    for (number, (layout, spans)) in spans.into_iter().enumerate() {
        let prefix = format!("recorded-{number}");
        let elastic = open(ElasticOptions {
            index_prefix: prefix.clone(),
            layout: layout.clone(),
            ..options(server, is_secure)
        });
        // A write installs the templates, as the Jaeger of the recording did.
        let writer = ElasticWriter(Arc::clone(&elastic));
        let one = request()
            .service("first")
            .span("first", |s| s.trace(1).id(1));
        writer
            .write(incoming(one, TenantId::default()))
            .await
            .unwrap();
        let spans = documents(spans);
        let services = documents(include_str!(
            "../../../../tests/golden/elasticsearch/default-service-documents.json"
        ));
        let mut bulk = String::new();
        for (index, document) in spans.iter().chain(&services) {
            writeln!(
                bulk,
                "{{\"index\":{{\"_index\":\"{prefix}-{index}\"}}}}\n{document}"
            )
            .unwrap();
        }
        let told = server.curl("POST", "/_bulk", &bulk);
        assert!(told.contains(r#""errors":false"#), "{told}");
        // Of all indices: the first span's may be of another day.
        server.curl("POST", "/_refresh", "");

        let mut by_trace: BTreeMap<TraceId, Vec<String>> = BTreeMap::new();
        for (_, document) in &spans {
            let id = TraceId::parse(document["traceID"].as_str().unwrap()).unwrap();
            by_trace.entry(id).or_default().push(document.to_string());
        }
        assert!(by_trace.len() > 20);
        let by_service = are_read(&elastic, by_trace, &layout).await;
        are_found(&elastic, by_service).await;
        let told = services
            .iter()
            .map(|(_, one)| one["serviceName"].as_str().unwrap().to_owned());
        let mut expected: BTreeSet<String> = told.collect();
        expected.insert("first".to_owned());
        let listed = elastic.services(&TenantId::default()).await.unwrap();
        assert_eq!(listed, expected.into_iter().collect::<Vec<_>>());
    }
}

/// Reads every trace; tells which services are in which traces.
async fn are_read(
    elastic: &Elastic,
    by_trace: BTreeMap<TraceId, Vec<String>>,
    layout: &DocumentLayout,
) -> BTreeMap<String, BTreeSet<TraceId>> {
    let mut by_service: BTreeMap<String, BTreeSet<TraceId>> = BTreeMap::new();
    for (id, documents) in by_trace {
        let documents: Vec<&[u8]> = documents.iter().map(String::as_bytes).collect();
        let expected = decode_documents(&documents, layout).unwrap();
        let found = elastic.trace(&TenantId::default(), id).await.unwrap();
        assert_eq!(lines(&found.spans), lines(&expected.batch), "{id}");
        for span in expected.batch.iter() {
            let of_service = by_service.entry(span.service().to_owned());
            of_service.or_default().insert(id);
        }
    }
    by_service
}

/// Finds the traces of every service, and no others.
async fn are_found(elastic: &Elastic, by_service: BTreeMap<String, BTreeSet<TraceId>>) {
    for (service, traces) in by_service {
        let name = Literal::String(service.clone());
        let found = elastic.search(SearchRequest {
            tenant: TenantId::default(),
            predicate: Predicate::Compare(Field::Service, Operator::Equal, name),
            window: Window::ALWAYS,
            order: Order::NewestFirst,
            limit: 1_000,
            after: None,
        });
        let found = found.await.unwrap().traces;
        let found: BTreeSet<TraceId> = found.iter().map(|hit| hit.trace_id).collect();
        assert_eq!(found, traces, "{service}");
    }
}
