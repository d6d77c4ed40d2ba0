//! OTLP/HTTP as the protocol has it: paths, methods, types, answers, keep-alive
//! (O-01 to O-04, O-08 to O-11, O-15 to O-17).

use prost::Message as _;
use receive::{Reason, Transport};
use testkit::otlp::collector::trace::v1::ExportTraceServiceRequest;
use testkit::spans::request as build;

use crate::grpc_client::Http2;
use crate::house::{House, spans};
use crate::http1::{Http1, JSON, PROTO, bad_request, export, export_encoded, request};

#[tokio::test]
async fn spans_in_protobuf_are_kept_as_sent_and_the_success_says_nothing() {
    let house = House::open();
    let body = spans(3);
    let answer = Http1::connect(house.http).await.ask(&export(&body)).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some(PROTO))
    );
    // O-02: partial_success is unset, so the message is empty.
    assert_eq!(answer.body, b"");
    assert_eq!(house.writer.kept_names(), ["span 0", "span 1", "span 2"]);
    house.writer.with_kept(|kept| {
        assert!(
            kept[0].otlp == body,
            "a good request is logged in its own bytes"
        );
    });
    house.close().await;
}

#[tokio::test]
async fn parameters_and_case_of_the_content_type_do_not_matter() {
    let house = House::open();
    let mut client = Http1::connect(house.http).await;
    for value in [
        "application/x-protobuf; x=y",
        "Application/X-Protobuf",
        "application/x-protobuf;charset=utf-8",
    ] {
        let content_type = format!("Content-Type: {value}");
        let answer = client
            .ask(&request("POST /v1/traces", &[&content_type], &spans(1)))
            .await;
        assert_eq!(answer.response(), Default::default(), "{value}");
    }
    house.close().await;
}

#[tokio::test]
async fn empty_bodies_and_empty_envelopes_succeed_and_bother_no_writer() {
    let house = House::open();
    let mut client = Http1::connect(house.http).await;
    let empty_resource = build().service("shop").encode();
    let empty_scope = build().service("shop").scope("scope", "1").encode();
    for body in [&b""[..], &[0x0a, 0x00], &empty_resource, &empty_scope] {
        let answer = client.ask(&export(body)).await;
        assert_eq!(
            answer
                .response()
                .partial_success
                .unwrap_or_default()
                .rejected_spans,
            0,
            "{body:?}"
        );
    }
    assert_eq!(client.ask(&export_encoded("gzip", b"")).await.status, 200);
    assert_eq!(house.writer.begun_count(), 0);
    house.close().await;
}

#[tokio::test]
async fn other_methods_are_405_with_allow_and_other_types_415_in_the_requests_own_encoding() {
    let house = House::open();
    let mut client = Http1::connect(house.http).await;
    let proto = "Content-Type: application/x-protobuf";
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let answer = client
            .ask(&request(&format!("{method} /v1/traces"), &[proto], b""))
            .await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("POST")),
            "{method}"
        );
        assert_eq!(answer.error().code, 12);
    }
    for path in ["/", "/v1/metrics", "/v1/traces/", "/V1/traces"] {
        let answer = client
            .ask(&request(&format!("POST {path}"), &[proto], b""))
            .await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.error().message.contains("/v1/traces"));
    }
    for headers in [
        &["Content-Type: text/plain"][..],
        &[],
        &["Content-Type: application/x-protobuf-2"],
    ] {
        let answer = client.ask(&request("POST /v1/traces", headers, b"x")).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (415, Some(JSON)),
            "{headers:?}"
        );
        let status: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(
            status["message"]
                .as_str()
                .unwrap()
                .contains("application/x-protobuf"),
            "{status}"
        );
    }
    let refused = house.counts(Transport::OtlpHttp).requests.refused[Reason::NotServed as usize];
    assert_eq!(refused, 11);
    house.close().await;
}

#[tokio::test]
async fn errors_to_json_clients_are_json() {
    let house = House::open();
    let mut client = Http1::connect(house.http).await;
    let json = "Content-Type: application/json; charset=utf-8";
    for (start, body, status) in [
        ("POST /v1/traces", &b"{nonsense"[..], 400),
        ("GET /v1/traces", b"", 405),
        ("POST /nowhere", b"", 404),
    ] {
        let answer = client.ask(&request(start, &[json], body)).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, Some(JSON))
        );
        let error: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(
            error["code"].is_number() && error["message"].is_string(),
            "{error}"
        );
    }
    house.close().await;
}

#[tokio::test]
async fn unknown_encodings_are_415_with_the_list_of_those_that_are_taken() {
    let house = House::open();
    let mut client = Http1::connect(house.http).await;
    for encoding in ["br", "snappy", "gzip, gzip", "compress"] {
        let answer = client.ask(&export_encoded(encoding, &spans(1))).await;
        assert_eq!(
            (answer.status, answer.header("accept-encoding")),
            (415, Some("identity, gzip, zstd, deflate"))
        );
        assert!(
            answer
                .error()
                .message
                .contains("identity, gzip, zstd, deflate")
        );
    }
    let twice = [
        "Content-Type: application/x-protobuf",
        "Content-Encoding: gzip",
        "Content-Encoding: gzip",
    ];
    assert_eq!(
        client
            .ask(&request("POST /v1/traces", &twice, &spans(1)))
            .await
            .status,
        415
    );
    assert_eq!(
        client
            .ask(&export_encoded("identity", &spans(1)))
            .await
            .status,
        200
    );
    house.close().await;
}

#[tokio::test]
async fn broken_protobuf_is_400_with_a_status_that_says_what_is_wrong() {
    let house = House::open();
    let mut client = Http1::connect(house.http).await;
    let whole = spans(2);
    for body in [
        &b"\xff\xff\xff"[..],
        &whole[..whole.len() - 1],
        b"{\"resourceSpans\":[]}",
        &[0x0a, 0xff, 0xff, 0x7f],
    ] {
        let answer = client.ask(&export(body)).await;
        assert_eq!(answer.status, 400);
        let status = answer.error();
        assert_eq!(status.code, 3);
        assert!(
            bad_request(&status).is_some_and(|why| !why.is_empty()),
            "{status:?}"
        );
        assert_eq!(answer.header("retry-after"), None);
    }
    assert_eq!(house.writer.begun_count(), 0);
    house.close().await;
}

#[tokio::test]
async fn one_bad_span_among_good_ones_costs_only_itself() {
    let house = House::open();
    let body = build()
        .service("shop")
        .span("first", |span| span)
        .span("no id", |span| span.span_id([0u8; 8]))
        .span("second", |span| span)
        .span("short id", |span| span.trace_id([1u8; 15]))
        .encode();
    let answer = Http1::connect(house.http).await.ask(&export(&body)).await;
    let partial = answer.response().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 2);
    assert!(!partial.error_message.is_empty());
    assert_eq!(house.writer.kept_names(), ["first", "second"]);
    let logged = house
        .writer
        .with_kept(|kept| ExportTraceServiceRequest::decode(&kept[0].otlp[..]).unwrap());
    let names: Vec<_> = logged
        .resource_spans
        .iter()
        .flat_map(|r| &r.scope_spans)
        .flat_map(|s| &s.spans)
        .collect();
    assert_eq!(
        names
            .iter()
            .map(|span| span.name.as_str())
            .collect::<Vec<_>>(),
        ["first", "second"]
    );
    let counts = house.counts(Transport::OtlpHttp).spans;
    assert_eq!(
        (counts.received, counts.accepted, counts.rejected),
        (4, 2, 2)
    );
    house.close().await;
}

#[tokio::test]
async fn a_request_of_nothing_but_bad_spans_is_a_success_that_rejects_all() {
    let house = House::open();
    let no_id = |span: testkit::spans::SpanBuilder| span.span_id([0u8; 8]);
    let body = (0..5000)
        .fold(build(), |request, _| request.span(&"n".repeat(300), no_id))
        .encode();
    let answer = Http1::connect(house.http).await.ask(&export(&body)).await;
    let partial = answer.response().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 5000);
    // O-17: the reasons of 5000 spans fit into 1 KiB.
    assert!(
        (1..=1024).contains(&partial.error_message.len()),
        "{}",
        partial.error_message.len()
    );
    assert_eq!(house.writer.begun_count(), 0);
    house.close().await;
}

#[tokio::test]
async fn browsers_get_no_permission() {
    let house = House::open();
    let mut client = Http1::connect(house.http).await;
    let preflight = [
        "Origin: https://page",
        "Access-Control-Request-Method: POST",
    ];
    let answer = client
        .ask(&request("OPTIONS /v1/traces", &preflight, b""))
        .await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (405, None)
    );
    let with_origin = [
        "Origin: https://page",
        "Content-Type: application/x-protobuf",
    ];
    let answer = client
        .ask(&request("POST /v1/traces", &with_origin, &spans(1)))
        .await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, None)
    );
    house.close().await;
}

#[tokio::test]
async fn requests_that_follow_each_other_on_one_connection_are_answered_in_order() {
    let house = House::open();
    let mut client = Http1::connect(house.http).await;
    let pipelined = [
        export(&spans(1)),
        request("GET /v1/traces", &[], b""),
        export(b"\xff"),
        export(&spans(2)),
    ]
    .concat();
    client.send(&pipelined).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(client.answer().await.status);
    }
    assert_eq!(statuses, [200, 405, 400, 200]);
    assert_eq!(house.counts(Transport::OtlpHttp).connections, 1);
    house.close().await;
}

#[tokio::test]
async fn a_client_that_has_ended_sending_still_gets_its_answer() {
    let house = House::open();
    let mut client = Http1::connect(house.http).await;
    client.send(&export(&spans(1))).await;
    client.end_sending().await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(client.end().await, b"");
    house.close().await;
}

#[tokio::test]
async fn http2_without_negotiation_is_served_on_the_same_port() {
    let house = House::open();
    let mut client = Http2::connect(house.http).await;
    for count in 1..4 {
        let answer = client
            .post("/v1/traces", &[("content-type", PROTO)], spans(count))
            .await;
        assert_eq!(
            (
                answer.status,
                answer.header("content-type"),
                &answer.body[..]
            ),
            (200, Some(PROTO), &b""[..])
        );
    }
    let answer = client
        .post(
            "/v1/traces",
            &[("content-type", PROTO), ("content-encoding", "br")],
            spans(1),
        )
        .await;
    assert_eq!(answer.status, 415);
    assert_eq!(house.writer.kept_spans(), 6);
    drop(client);
    house.close().await;
}
