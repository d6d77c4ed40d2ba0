//! OTLP/JSON at the door: accepted on the same port, logged as protobuf, answered in JSON
//! (O-01, O-02, N-01, N-05, N-09).

use prost::Message as _;
use receive::Transport;
use serde_json::{Value, json};
use testkit::otlp::collector::trace::v1::ExportTraceServiceRequest;

use crate::house::{House, gzip};
use crate::http1::{Http1, JSON, request};

const JSON_UTF8: &str = "Content-Type: application/json; charset=utf-8";
const TRACE: &str = "5B8EFFF798038103D269B633813FC60C";

fn export_json(body: &[u8]) -> Vec<u8> {
    request("POST /v1/traces", &[JSON_UTF8], body)
}

fn span(trace_id: &str, span_id: &str) -> Value {
    json!({
        "traceId": trace_id, "spanId": span_id, "name": span_id, "kind": 2,
        "startTimeUnixNano": "1790000000000000000", "endTimeUnixNano": 1790000000000000001u64,
        "attributes": [{"key": "n", "value": {"intValue": "9223372036854775807"}}],
        "aFieldOfTheFuture": {"deep": [1, {"er": null}]},
    })
}

fn envelope(spans: &[Value]) -> Vec<u8> {
    json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
        .to_string()
        .into_bytes()
}

#[tokio::test]
async fn spans_in_json_are_kept_logged_as_protobuf_and_answered_with_an_empty_object() {
    let house = House::open();
    let mut client = Http1::connect(house.http).await;
    let body = envelope(&[
        span(TRACE, "EEE19B7EC3C1B174"),
        span(&TRACE.to_lowercase(), "eee19b7ec3c1b175"),
    ]);
    let answer = client.ask(&export_json(&body)).await;
    assert_eq!(
        (
            answer.status,
            answer.header("content-type"),
            &answer.body[..]
        ),
        (200, Some(JSON), &b"{}"[..])
    );
    let logged = house
        .writer
        .with_kept(|kept| ExportTraceServiceRequest::decode(&kept[0].otlp[..]).unwrap());
    let spans = &logged.resource_spans[0].scope_spans[0].spans;
    assert_eq!(spans.len(), 2);
    assert_eq!(
        (spans[0].trace_id[0], spans[0].end_time_unix_nano),
        (0x5b, 1_790_000_000_000_000_001)
    );
    assert_eq!(spans[0].trace_id, spans[1].trace_id);
    let squeezed = request(
        "POST /v1/traces",
        &[JSON_UTF8, "Content-Encoding: gzip"],
        &gzip(&body),
    );
    assert_eq!(client.ask(&squeezed).await.body, b"{}");
    assert_eq!(house.writer.kept_spans(), 4);
    house.close().await;
}

#[tokio::test]
async fn ids_that_are_base64_short_or_zero_cost_only_their_span() {
    let house = House::open();
    let bad = [
        span("W47/95gDgQPSabYzgT/GDA==", "EEE19B7EC3C1B171"),
        span(TRACE, "7uGbfsPBsXQ="),
        span(&TRACE.replace("5B", ""), "EEE19B7EC3C1B173"),
        span(TRACE, "0000000000000000"),
    ];
    let body = envelope(&[&bad[..], &[span(TRACE, "EEE19B7EC3C1B174")]].concat());
    let answer = Http1::connect(house.http)
        .await
        .ask(&export_json(&body))
        .await;
    let response: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        (answer.status, &response["partialSuccess"]["rejectedSpans"]),
        (200, &json!("4")),
        "{response}"
    );
    assert!(
        !response["partialSuccess"]["errorMessage"]
            .as_str()
            .unwrap()
            .is_empty()
    );
    assert_eq!(house.writer.kept_names(), ["EEE19B7EC3C1B174"]);
    let counts = house.counts(Transport::OtlpHttp).spans;
    assert_eq!((counts.received, counts.rejected), (5, 4));
    house.close().await;
}

#[tokio::test]
async fn snake_case_keys_are_unknown_and_the_sender_is_warned_that_nothing_was_found() {
    let house = House::open();
    let body = json!({"resource_spans": [{"scope_spans": [{"spans": [span(TRACE, "EEE19B7EC3C1B174")]}]}]});
    let answer = Http1::connect(house.http)
        .await
        .ask(&export_json(body.to_string().as_bytes()))
        .await;
    let response: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer.status, 200);
    assert!(
        response["partialSuccess"]["errorMessage"]
            .as_str()
            .unwrap()
            .contains("no spans"),
        "{response}"
    );
    assert!(
        response["partialSuccess"].get("rejectedSpans").is_none(),
        "{response}"
    );
    assert_eq!(house.writer.begun_count(), 0);
    house.close().await;
}

#[tokio::test]
async fn json_that_is_none_or_is_too_deep_is_400_and_odd_bytes_never_end_the_server() {
    let house = House::open();
    let mut client = Http1::connect(house.http).await;
    let deep = format!(
        "{{\"resourceSpans\":{}{}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    for body in [&b"{"[..], b"nonsense", b"{}x", deep.as_bytes()] {
        let answer = client.ask(&export_json(body)).await;
        let error: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((answer.status, &error["code"]), (400, &json!(3)), "{error}");
    }
    for body in [
        &b"\xef\xbb\xbf{}"[..],
        b"{\"\\ud800\":1}",
        b"{\"a\":\"\\u0000\"}",
        b"{\"a\":\"\xff\"}",
        b"null",
        b"[]",
    ] {
        let status = client.ask(&export_json(body)).await.status;
        assert!([200, 400].contains(&status), "{body:?}");
    }
    assert_eq!(client.ask(&export_json(b"{}")).await.status, 200);
    assert_eq!(house.writer.begun_count(), 0);
    house.close().await;
}
