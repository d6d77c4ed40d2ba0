//! Calls without a socket, and what holds for all of them.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use bytes::Bytes;
use codec::generated::grpc::reflection::v1 as reflection;
use codec::generated::jaeger::api_v2;
use http_body_util::BodyExt as _;
use prost::Message as _;
use reflection::server_reflection_request::MessageRequest;
use reflection::server_reflection_response::MessageResponse;
use serve::JaegerOptions;
use tower::ServiceExt as _;

use crate::limits::{reader_that_hangs, reader_that_skips};
use crate::world::services_over;

pub(super) const GET_TRACE: &str = "/jaeger.api_v2.QueryService/GetTrace";
const REFLECT: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

/// An answer, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: i32,
    pub(super) message: String,
    pub(super) messages: Vec<Bytes>,
    pub(super) trailers: HeaderMap,
}

/// A message with its prefix.
pub(super) fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[flag], &length[..], message].concat()
}

pub(super) async fn send(
    router: &Router,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Answer {
    let mut request = Request::post(path).header("content-type", "application/grpc");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body)).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/grpc");
    let mut trailers = response.headers().clone();
    let body = response.into_body().collect().await.unwrap();
    trailers.extend(body.trailers().cloned().unwrap_or_default());
    let mut rest = body.to_bytes();
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_be_bytes(rest[1..5].try_into().unwrap());
        messages.push(rest.slice(5..5 + length as usize));
        rest = rest.slice(5 + length as usize..);
    }
    let text = |name: &str| {
        trailers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    };
    Answer {
        code: text("grpc-status").parse().unwrap(),
        message: text("grpc-message").to_owned(),
        messages,
        trailers: trailers.clone(),
    }
}

pub(super) async fn call(router: &Router, path: &str, message: &[u8]) -> Answer {
    send(router, path, &[], framed(0, message)).await
}

fn told(traces: u8) -> Router {
    services_over(reader_that_skips(traces), JaegerOptions::default()).grpc
}

fn of_first_trace() -> Vec<u8> {
    api_v2::GetTraceRequest {
        trace_id: vec![1; 16],
        ..Default::default()
    }
    .encode_to_vec()
}

#[tokio::test]
async fn what_was_skipped_is_told_behind_the_last_message() {
    let router = told(1);
    let query = api_v2::TraceQueryParameters {
        search_depth: 5,
        ..Default::default()
    };
    let find = api_v2::FindTracesRequest { query: Some(query) }.encode_to_vec();
    let both = "segment 7: checksum <differs>; segment 7: checksum <differs>";
    for (path, request, lacks) in [
        (GET_TRACE, of_first_trace(), "segment 7: checksum <differs>"),
        ("/jaeger.api_v2.QueryService/FindTraces", find, both),
    ] {
        let answer = call(&router, path, &request).await;
        assert_eq!((answer.code, answer.messages.len()), (0, 1), "{path}");
        assert_eq!(answer.trailers["trackway-incomplete"], lacks, "{path}");
    }
    // API v3 over HTTP has no other place for it either.
    let http = services_over(reader_that_skips(1), JaegerOptions::default()).http;
    let request = Request::get("/api/v3/traces/01010101010101010101010101010101");
    let response = http
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()["trackway-incomplete"],
        "segment 7: checksum <differs>"
    );
    // Whether there is such a trace is not known.
    let answer = call(&told(0), GET_TRACE, &of_first_trace()).await;
    assert_eq!(answer.code, 13);
    assert!(
        answer.message.contains("skipped segment 7"),
        "{}",
        answer.message
    );
}

#[tokio::test]
async fn hostile_requests_are_refused_with_a_word_and_cost_nothing() {
    let router = told(1);
    let huge = [&[0, 0xff, 0xff, 0xff, 0xff][..], &[0; 100]].concat();
    let bomb = {
        use std::io::Write as _;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&vec![0; 5 << 20]).unwrap();
        framed(1, &gzip.finish().unwrap())
    };
    let twice = [framed(0, &of_first_trace()), framed(0, &of_first_trace())].concat();
    let cut = framed(0, &of_first_trace())[..12].to_vec();
    let plain = of_first_trace();
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Headers<'_>, Vec<u8>, i32, &str); 8] = [
        (&[], huge, 8, "more than 262144 bytes"),
        (
            &[("grpc-encoding", "gzip")],
            bomb,
            8,
            "more than 262144 bytes",
        ),
        (
            &[("grpc-encoding", "br")],
            framed(0, &plain),
            12,
            "send identity or gzip",
        ),
        (&[], framed(1, &plain), 13, "names no compression"),
        (&[], framed(7, &plain), 13, "no flag"),
        (&[], twice, 13, "more than one message"),
        (&[], cut, 13, "unexpected EOF"),
        (&[], Vec::new(), 13, "no message"),
    ];
    for (headers, body, code, why) in cases {
        let answer = send(&router, GET_TRACE, headers, body).await;
        assert_eq!(answer.code, code, "{answer:?}");
        assert!(answer.message.contains(why), "{answer:?}");
    }
}

#[tokio::test]
async fn a_deadline_that_passes_is_said_and_ends_the_question() {
    let (reader, _, ended) = reader_that_hangs();
    let router = services_over(reader, JaegerOptions::default()).grpc;
    let body = framed(0, &of_first_trace());
    let answer = send(&router, GET_TRACE, &[("grpc-timeout", "20m")], body).await;
    assert_eq!(answer.code, 4, "{answer:?}");
    ended.notified().await;
}

#[tokio::test]
async fn a_request_may_be_compressed() {
    use std::io::Write as _;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&of_first_trace()).unwrap();
    let body = framed(1, &gzip.finish().unwrap());
    let answer = send(&told(1), GET_TRACE, &[("grpc-encoding", "gzip")], body).await;
    assert_eq!((answer.code, answer.messages.len()), (0, 1), "{answer:?}");
}

#[tokio::test]
async fn services_are_described_with_all_that_their_files_import() {
    let ask = async |request: MessageRequest| {
        let request = reflection::ServerReflectionRequest {
            host: String::new(),
            message_request: Some(request),
        };
        let answer = call(&told(0), REFLECT, &request.encode_to_vec()).await;
        assert_eq!((answer.code, answer.messages.len()), (0, 1));
        let answer = reflection::ServerReflectionResponse::decode(&*answer.messages[0]).unwrap();
        answer.message_response.unwrap()
    };
    for symbol in [
        "jaeger.api_v3.QueryService",
        "jaeger.api_v3.QueryService.FindTraces",
        "jaeger.api_v3.TraceQueryParameters",
    ] {
        let answer = ask(MessageRequest::FileContainingSymbol(symbol.to_owned())).await;
        let MessageResponse::FileDescriptorResponse(files) = answer else {
            panic!("{symbol}: {answer:?}");
        };
        let names: Vec<String> = files
            .file_descriptor_proto
            .iter()
            .map(|file| String::from_utf8_lossy(&file[2..2 + usize::from(file[1])]).into_owned())
            .collect();
        assert_eq!(names[0], "jaeger/api_v3/query_service.proto");
        for import in [
            "google/protobuf/timestamp.proto",
            "jaeger/expression/v1/expression.proto",
        ] {
            assert!(names.iter().any(|name| name == import), "{names:?}");
        }
    }
    let answer = ask(MessageRequest::FileByFilename("nowhere.proto".to_owned())).await;
    assert!(matches!(answer, MessageResponse::ErrorResponse(error) if error.error_code == 5));
}

#[tokio::test]
async fn a_port_for_grpc_alone_says_what_it_speaks() {
    let request = Request::get("/api/services").body(Body::empty()).unwrap();
    let response = told(0).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 415);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("this port speaks gRPC"));
}
