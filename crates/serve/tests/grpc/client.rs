//! A framework's client on a real socket: both ports, and a client that goes away.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bytes::{Buf as _, BufMut as _, Bytes};
use codec::generated::jaeger::{api_v2, api_v3};
use codec::otlp::decode_proto;
use futures_util::StreamExt as _;
use model::batch::{PackedValue, ResourceRow, ScopeRow, SpanRow};
use model::{BatchBuilder, SpanBatch, SpanId, TenantId, TraceId};
use plumbing::{Shutdown, Tasks};
use prost::Message as _;
use serve::{Door, HttpLimits, JaegerOptions, serve_http};
use testkit::oracle::OracleStore;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};

use super::calls::GET_TRACE;
use crate::golden::filled_store;
use crate::limits::reader_that_hangs;
use crate::world::{BASE_NANOS, services_over};

/// Far above what anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Messages as their bytes.
#[derive(Debug, Default, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = tonic::Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), tonic::Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = tonic::Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, tonic::Status> {
        Ok(Some(source.copy_to_bytes(source.remaining())))
    }
}

fn listen(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (shutdown, tasks) = (Shutdown::new(), Tasks::new());
    let own_tasks = tasks.clone();
    tasks.spawn(async move {
        let limits = HttpLimits::default();
        serve_http(
            router,
            Door::open(),
            vec![listener],
            limits,
            shutdown,
            own_tasks,
        )
        .await
        .unwrap();
    });
    address
}

async fn client(address: SocketAddr) -> Grpc<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut client = Grpc::new(endpoint.connect().await.unwrap());
    client.ready().await.unwrap();
    client
}

async fn ask(
    client: &mut Grpc<Channel>,
    path: &'static str,
    request: Vec<u8>,
) -> Result<Vec<Bytes>, tonic::Status> {
    client.ready().await.unwrap();
    let path = axum::http::uri::PathAndQuery::from_static(path);
    let request = tonic::Request::new(Bytes::from(request));
    let asked = client.server_streaming(request, path, Raw);
    let answer = tokio::time::timeout(PATIENCE, asked).await.unwrap()?;
    let messages: Vec<_> = answer.into_inner().collect().await;
    messages.into_iter().collect()
}

#[tokio::test]
async fn a_client_reads_a_trace_by_both_versions_on_both_ports() {
    let services = services_over(filled_store(), JaegerOptions::default());
    for router in [services.grpc, services.http] {
        let mut client = client(listen(router)).await;
        let id = "747261636b776179000000000000001d";
        let request = api_v2::GetTraceRequest {
            trace_id: model::TraceId::parse(id).unwrap().0.to_vec(),
            ..Default::default()
        };
        let chunks = ask(&mut client, GET_TRACE, request.encode_to_vec())
            .await
            .unwrap();
        let sizes = chunks.iter().map(|chunk| {
            api_v2::SpansResponseChunk::decode(&**chunk)
                .unwrap()
                .spans
                .len()
        });
        assert_eq!(sizes.collect::<Vec<_>>(), [10; 30]);
        let request = api_v3::GetTraceRequest {
            trace_id: id.to_owned(),
            ..Default::default()
        };
        let path = "/jaeger.api_v3.QueryService/GetTrace";
        let traces = ask(&mut client, path, request.encode_to_vec())
            .await
            .unwrap();
        assert_eq!(traces.len(), 1);
        let path = "/jaeger.api_v2.QueryService/Bogus";
        let status = ask(&mut client, path, Vec::new()).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::Unimplemented);
        assert_eq!(
            status.message(),
            "unknown method Bogus for service jaeger.api_v2.QueryService"
        );
    }
}

/// A trace of spans of 200 KiB each.
fn long_trace(spans: u8) -> SpanBatch {
    let mut builder = BatchBuilder::new();
    let resource = builder.add_resource(ResourceRow::default());
    let scope = builder.add_scope(ScopeRow::default());
    for number in 1..=spans {
        let mut cursor = builder.begin_attributes();
        let text = vec![b'a' + number % 26; 200 << 10];
        builder.push_attribute(&mut cursor, b"long", PackedValue::String(&text));
        let attributes = builder.finish_attributes(cursor);
        let name = builder.intern(format!("span {number}").as_bytes());
        builder.push_span(SpanRow {
            trace_id: TraceId([7; 16]),
            span_id: SpanId([number; 8]),
            name,
            start: BASE_NANOS,
            end: BASE_NANOS + 1,
            resource,
            scope,
            attributes,
            ..SpanRow::default()
        });
    }
    builder.finish()
}

#[tokio::test]
async fn a_trace_longer_than_a_message_comes_in_messages_that_a_client_takes() {
    let store = OracleStore::new();
    store.keep(&TenantId::default(), &long_trace(50));
    let services = services_over(Arc::new(store), JaegerOptions::default());
    // It refuses messages of more than 4 MiB, as clients do unless told otherwise.
    let mut client = client(listen(services.grpc)).await;
    let request = api_v2::GetTraceRequest {
        trace_id: vec![7; 16],
        ..Default::default()
    };
    let chunks = ask(&mut client, GET_TRACE, request.encode_to_vec())
        .await
        .unwrap();
    let names = chunks.iter().flat_map(|chunk| {
        let chunk = api_v2::SpansResponseChunk::decode(&**chunk).unwrap();
        chunk.spans.into_iter().map(|span| span.operation_name)
    });
    let expected: Vec<String> = (1..=50).map(|number| format!("span {number}")).collect();
    assert_eq!(names.collect::<Vec<_>>(), expected);
    let request = api_v3::GetTraceRequest {
        trace_id: "07".repeat(16),
        ..Default::default()
    };
    let path = "/jaeger.api_v3.QueryService/GetTrace";
    let messages = ask(&mut client, path, request.encode_to_vec())
        .await
        .unwrap();
    assert!((3..=8).contains(&messages.len()), "{}", messages.len());
    let names = messages.iter().flat_map(|message| {
        let batch = decode_proto(message).unwrap().batch;
        batch
            .iter()
            .map(|span| span.name().to_owned())
            .collect::<Vec<_>>()
    });
    assert_eq!(names.collect::<Vec<_>>(), expected);
}

/// A trace whose spans are of two resources in turn, a MiB each.
fn heavy_trace(spans: u8) -> SpanBatch {
    let mut builder = BatchBuilder::new();
    let resources = [b'a', b'b'].map(|letter| {
        let mut cursor = builder.begin_attributes();
        builder.push_attribute(
            &mut cursor,
            b"long",
            PackedValue::String(&vec![letter; 1 << 20]),
        );
        let attributes = builder.finish_attributes(cursor);
        builder.add_resource(ResourceRow {
            attributes,
            is_present: true,
            ..ResourceRow::default()
        })
    });
    let scope = builder.add_scope(ScopeRow::default());
    for number in 1..=spans {
        builder.push_span(SpanRow {
            trace_id: TraceId([7; 16]),
            span_id: SpanId([number; 8]),
            start: BASE_NANOS,
            end: BASE_NANOS + 1,
            resource: resources[usize::from(number % 2)],
            scope,
            ..SpanRow::default()
        });
    }
    builder.finish()
}

#[tokio::test]
async fn a_trace_that_unpacks_to_far_more_than_it_is_comes_in_messages_that_a_client_takes() {
    let store = OracleStore::new();
    store.keep(&TenantId::default(), &heavy_trace(40));
    let services = services_over(Arc::new(store), JaegerOptions::default());
    let mut client = client(listen(services.grpc)).await;
    let v2 = api_v2::GetTraceRequest {
        trace_id: vec![7; 16],
        ..Default::default()
    };
    let chunks = ask(&mut client, GET_TRACE, v2.encode_to_vec()).await;
    let spans = chunks.unwrap();
    let spans = spans.iter().flat_map(|chunk| {
        let spans = api_v2::SpansResponseChunk::decode(&**chunk).unwrap().spans;
        spans.into_iter().map(|span| span.span_id[0])
    });
    let expected: Vec<u8> = (1..=40).collect();
    assert_eq!(spans.collect::<Vec<_>>(), expected);
    let v3 = api_v3::GetTraceRequest {
        trace_id: "07".repeat(16),
        ..Default::default()
    };
    let path = "/jaeger.api_v3.QueryService/GetTrace";
    let messages = ask(&mut client, path, v3.encode_to_vec()).await.unwrap();
    let ids = messages.iter().flat_map(|message| {
        let batch = decode_proto(message).unwrap().batch;
        batch
            .iter()
            .map(|span| span.span_id().0[0])
            .collect::<Vec<_>>()
    });
    assert_eq!(ids.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_client_that_goes_away_ends_its_question() {
    let (reader, asked, ended) = reader_that_hangs();
    let services = services_over(reader, JaegerOptions::default());
    let mut client = client(listen(services.grpc)).await;
    let request = api_v2::GetTraceRequest {
        trace_id: vec![1; 16],
        ..Default::default()
    };
    let path = axum::http::uri::PathAndQuery::from_static(GET_TRACE);
    let request = tonic::Request::new(Bytes::from(request.encode_to_vec()));
    {
        let asking = client.server_streaming(request, path, Raw);
        tokio::select! {
            answer = asking => panic!("answered: {answer:?}"),
            () = asked.notified() => {}
        }
    }
    tokio::time::timeout(PATIENCE, ended.notified())
        .await
        .unwrap();
}
