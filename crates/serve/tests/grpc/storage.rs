//! What a store for Jaeger answers: spans as they are stored, and questions that are none.

use std::sync::Arc;

use codec::generated::jaeger::storage::{v1, v2};
use codec::jaeger::decode_spans;
use codec::otlp::decode_proto;
use http_body_util::BodyExt as _;
use model::batch::{ResourceRow, ScopeRow, SpanRow};
use model::contract::SpanReader as _;
use model::{BatchBuilder, SpanBatch, SpanId, TenantId, TraceId};
use prost::Message as _;
use serve::JaegerOptions;
use testkit::oracle::OracleStore;
use tower::ServiceExt as _;

use super::calls::{call, framed};
use crate::golden::filled_store;
use crate::world::services_over;

const GET: &str = "/jaeger.storage.v2.TraceReader/GetTraces";
const FIND: &str = "/jaeger.storage.v2.TraceReader/FindTraces";
const GET_V1: &str = "/jaeger.storage.v1.SpanReaderPlugin/GetTrace";

fn by_id(trace_id: &[u8]) -> Vec<u8> {
    let query = vec![v2::GetTraceParams {
        trace_id: trace_id.to_vec(),
        ..v2::GetTraceParams::default()
    }];
    v2::GetTracesRequest { query }.encode_to_vec()
}

fn hashes(batch: &SpanBatch) -> Vec<u64> {
    (0..batch.len()).map(|row| batch.span_hash(row)).collect()
}

#[tokio::test]
async fn spans_are_given_as_they_are_stored() {
    let store = filled_store();
    let router = services_over(store.clone(), JaegerOptions::default()).storage;
    let mut traces = 0;
    for number in 1..=60_u64 {
        let id = [*b"trackway", number.to_be_bytes()].concat();
        let stored = store.trace(
            &TenantId::default(),
            TraceId(id.clone().try_into().unwrap()),
        );
        let stored = stored.await.unwrap().spans;
        let answer = call(&router, GET, &by_id(&id)).await;
        assert_eq!(answer.code, 0, "{}", answer.message);
        let told = answer.messages.iter();
        let told = told.flat_map(|message| hashes(&decode_proto(message).unwrap().batch));
        assert_eq!(told.collect::<Vec<_>>(), hashes(&stored), "{number}");
        traces += usize::from(!stored.is_empty());
        let asked = v1::GetTraceRequest {
            trace_id: id,
            ..v1::GetTraceRequest::default()
        };
        let answer = call(&router, GET_V1, &asked.encode_to_vec()).await;
        if stored.is_empty() {
            assert_eq!(
                (answer.code, answer.message.as_str()),
                (5, "trace not found")
            );
            continue;
        }
        let spans = answer.messages.iter();
        let spans = spans.map(|message| decode_spans(message).unwrap().batch.len());
        assert_eq!(spans.sum::<usize>(), stored.len(), "{number}");
    }
    assert!(traces > 30, "{traces}");
}

#[tokio::test]
async fn an_id_of_eight_bytes_is_the_low_half_and_others_are_refused() {
    let mut id = [0; 16];
    id[15] = 9;
    let mut builder = BatchBuilder::new();
    let resource = builder.add_resource(ResourceRow::default());
    let scope = builder.add_scope(ScopeRow::default());
    builder.push_span(SpanRow {
        trace_id: TraceId(id),
        span_id: SpanId([1; 8]),
        resource,
        scope,
        ..SpanRow::default()
    });
    let store = OracleStore::new();
    store.keep(&TenantId::default(), &builder.finish());
    let router = services_over(Arc::new(store), JaegerOptions::default()).storage;
    let found = call(&router, GET, &by_id(&[0, 0, 0, 0, 0, 0, 0, 9])).await;
    assert_eq!((found.code, found.messages.len()), (0, 1));
    for none in [&[][..], &[0; 16], &[9, 0, 0, 0, 0, 0, 0, 0]] {
        let answer = call(&router, GET, &by_id(none)).await;
        assert_eq!((answer.code, answer.messages.len()), (0, 0), "{none:?}");
    }
    assert_eq!(call(&router, GET, &by_id(&[1; 3])).await.code, 3);
}

#[tokio::test]
async fn questions_that_are_none_are_refused_with_what_is_wrong() {
    let router = services_over(filled_store(), JaegerOptions::default()).storage;
    let find = |change: fn(&mut v2::TraceQueryParameters)| {
        let mut query = v2::TraceQueryParameters::default();
        change(&mut query);
        v2::FindTracesRequest { query: Some(query) }.encode_to_vec()
    };
    let array = |query: &mut v2::TraceQueryParameters| {
        let value = v2::any_value::Value::ArrayValue(v2::ArrayValue::default());
        query.attributes = vec![v2::KeyValue {
            key: "list".to_owned(),
            value: Some(v2::AnyValue { value: Some(value) }),
        }];
    };
    for (request, told) in [
        (
            v2::FindTracesRequest::default().encode_to_vec(),
            "missing query",
        ),
        (find(|query| query.search_depth = -1), "search depth"),
        (find(|query| query.search_depth = i32::MAX), "search depth"),
        (find(array), "\"list\""),
    ] {
        let answer = call(&router, FIND, &request).await;
        assert_eq!(answer.code, 3, "{told}: {}", answer.message);
        assert!(answer.message.contains(told), "{}", answer.message);
    }
    let path = "/jaeger.storage.v2.DependencyReader/GetDependencies";
    assert_eq!(call(&router, path, &[]).await.code, 3);
    // None is a hundred, and what writes is answered by others.
    assert_eq!(call(&router, FIND, &find(|_| {})).await.code, 0);
    let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    assert_eq!(call(&router, path, &[]).await.code, 12);
}

#[tokio::test]
async fn the_order_of_searches_is_told_where_the_api_leaves_it_open() {
    let services = services_over(filled_store(), JaegerOptions::default());
    let request = || {
        let request = axum::http::Request::post("/jaeger.storage.v2.Capabilities/GetCapabilities");
        let request = request.header("content-type", "application/grpc");
        request
            .body(axum::body::Body::from(framed(0, &[])))
            .unwrap()
    };
    let told = services.storage.oneshot(request()).await.unwrap();
    assert_eq!(told.headers()["trackway-order"], "newest-first");
    assert!(
        !told
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .is_empty()
    );
    let other = services.grpc.oneshot(request()).await.unwrap();
    assert!(other.headers().get("trackway-order").is_none());
}
