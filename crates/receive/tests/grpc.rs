//! OTLP/gRPC as the protocol has it, by a framework's client and by hand (G-01, G-04, G-08).

use prost::Message as _;
use receive::Transport;
use testkit::otlp::collector::trace::v1::ExportTraceServiceResponse;
use testkit::spans::request as build;
use tonic::Code;
use tonic::codec::CompressionEncoding;

use crate::grpc_client::{EXPORT, Http2, Tonic, frame};
use crate::house::{House, Mood, gzip, spans};
use crate::http1::bad_request;

const CHECK: &str = "/grpc.health.v1.Health/Check";

#[tokio::test]
async fn a_real_client_is_served_with_and_without_compression() {
    let house = House::open();
    let body = spans(3);
    for compression in [
        None,
        Some(CompressionEncoding::Gzip),
        Some(CompressionEncoding::Zstd),
    ] {
        let answer = Tonic::connect(house.grpc, compression)
            .await
            .export(body.clone())
            .await
            .unwrap();
        assert_eq!(&answer[..], b"", "partial_success is unset");
    }
    house.writer.with_kept(|kept| {
        assert!(kept.len() == 3 && kept.iter().all(|incoming| incoming.otlp == body));
    });
    house.close().await;
}

#[tokio::test]
async fn the_flag_decides_and_the_header_names_the_compression() {
    let house = House::open();
    let (body, mut client) = (spans(1), Http2::connect(house.grpc).await);
    assert_eq!(
        client
            .export(0, &[("grpc-encoding", "gzip")], &body)
            .await
            .message(),
        b""
    );
    assert_eq!(
        client
            .export(1, &[("grpc-encoding", "gzip")], &gzip(&body))
            .await
            .message(),
        b""
    );
    assert_eq!(
        client
            .export(0, &[("grpc-encoding", "identity")], &body)
            .await
            .message(),
        b""
    );
    for (flag, headers) in [
        (1, &[][..]),
        (1, &[("grpc-encoding", "identity")]),
        (2, &[("grpc-encoding", "gzip")]),
    ] {
        let answer = client.export(flag, headers, &gzip(&body)).await;
        assert_eq!(answer.code(), 3, "flag {flag} {headers:?}");
    }
    let answer = client
        .export(1, &[("grpc-encoding", "snappy")], &body)
        .await;
    assert_eq!(
        (answer.code(), answer.header("grpc-accept-encoding")),
        (12, Some("identity,gzip,zstd,deflate"))
    );
    assert_eq!(house.writer.kept_spans(), 3);
    house.close().await;
}

#[tokio::test]
async fn malformed_messages_are_invalid_arguments_with_the_reason() {
    let house = House::open();
    let mut client = Http2::connect(house.grpc).await;
    let whole = spans(2);
    for (flag, bytes) in [
        (0, &b"\xff\xff"[..]),
        (0, &whole[..whole.len() - 1]),
        (1, b"no gzip"),
        (1, &gzip(&whole)[..9]),
    ] {
        let answer = client
            .export(flag, &[("grpc-encoding", "gzip")], bytes)
            .await;
        assert_eq!(answer.code(), 3);
        assert!(bad_request(&answer.error()).is_some_and(|why| !why.is_empty()));
    }
    let status = Tonic::connect(house.grpc, None)
        .await
        .export(b"\xff".to_vec())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(!status.message().is_empty() && !status.details().is_empty());
    house.close().await;
}

#[tokio::test]
async fn a_call_has_exactly_one_whole_message() {
    let house = House::open();
    let mut client = Http2::connect(house.grpc).await;
    let one = frame(0, &spans(1));
    let cut = one[..one.len() - 1].to_vec();
    for (body, code) in [
        (Vec::new(), 12),
        ([one.clone(), one.clone()].concat(), 12),
        ([&one[..], &[0]].concat(), 12),
        (one[..3].to_vec(), 3),
        (cut, 3),
    ] {
        assert_eq!(client.call(EXPORT, &[], body).await.code(), code);
    }
    assert_eq!(client.call(EXPORT, &[], one).await.code(), 0);
    assert_eq!(house.writer.kept_spans(), 1);
    house.close().await;
}

#[tokio::test]
async fn bad_spans_are_rejected_one_by_one() {
    let house = House::open();
    let body = build()
        .span("good", |span| span)
        .span("no trace", |span| span.trace_id([0u8; 16]))
        .encode();
    let answer = Tonic::connect(house.grpc, None)
        .await
        .export(body)
        .await
        .unwrap();
    let partial = ExportTraceServiceResponse::decode(answer)
        .unwrap()
        .partial_success
        .unwrap();
    assert_eq!(partial.rejected_spans, 1);
    assert!((1..=1024).contains(&partial.error_message.len()));
    assert_eq!(house.writer.kept_names(), ["good"]);
    house.close().await;
}

#[tokio::test]
async fn other_services_and_methods_are_unimplemented_and_other_protocols_are_told_so() {
    let house = House::open();
    let mut client = Http2::connect(house.grpc).await;
    for path in [
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        "/opentelemetry.proto.collector.trace.v1.TraceService/export",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/",
    ] {
        assert_eq!(
            client.call(path, &[], frame(0, &spans(1))).await.code(),
            12,
            "{path}"
        );
    }
    let json = client
        .post(EXPORT, &[("content-type", "application/json")], spans(1))
        .await;
    assert_eq!(json.status, 415);
    assert_eq!(house.counts(Transport::OtlpGrpc).requests.received, 0);
    house.close().await;
}

#[tokio::test]
async fn health_says_whether_a_write_could_be_accepted() {
    let house = House::open();
    let mut client = Tonic::connect(house.grpc, None).await;
    let service = "opentelemetry.proto.collector.trace.v1.TraceService";
    let named = [
        &[0x0a, u8::try_from(service.len()).unwrap()],
        service.as_bytes(),
    ]
    .concat();
    for request in [Vec::new(), named] {
        assert_eq!(&client.call(CHECK, request).await.unwrap()[..], [8, 1]);
    }
    house
        .writer
        .set(Mood::Refuse(model::contract::WriteError::Unavailable {
            reason: "full".to_owned(),
        }));
    assert_eq!(&client.call(CHECK, Vec::new()).await.unwrap()[..], [8, 2]);
    assert_eq!(
        client
            .call(CHECK, b"\x0a\x01x".to_vec())
            .await
            .unwrap_err()
            .code(),
        Code::NotFound
    );
    assert_eq!(
        client
            .call("/grpc.health.v1.Health/Watch", Vec::new())
            .await
            .unwrap_err()
            .code(),
        Code::Unimplemented
    );
    let mut large = Http2::connect(house.grpc).await;
    assert_eq!(large.call(CHECK, &[], frame(0, &[0; 2000])).await.code(), 8);
    drop((client, large));
    house.close().await;
}
