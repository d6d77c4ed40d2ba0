//! Facts of Jaeger's query API that clients lean on without saying so, one test each.
//!
//! Those of the ways in: ids in Thrift are two signed halves, the low one first (`codec`, `jaeger_spans.rs`); Thrift
//! over HTTP is a bare struct, answered with 202 or 400 (`receive`, `doors.rs`); strategies without a file
//! (`sampling`).

use std::sync::Arc;

use axum::Router;
use axum::http::Request;
use model::TenantId;
use serde_json::{Value, json};
use serve::JaegerOptions;
use testkit::oracle::OracleStore;
use testkit::spans::request;

use crate::world::{Answer, BASE_NANOS, ask, get, router_over};

const SECOND: u64 = 1_000_000_000;

/// A service that calls itself, and another one whose clock is behind.
fn world() -> (Router, String) {
    let store = OracleStore::new();
    let front = request()
        .seed(7)
        .at_ns(BASE_NANOS)
        .service("front")
        .span("GET /", |span| {
            span.trace(1)
                .id(1)
                .lasting_ms(50)
                .attr("big", (1_i64 << 53) + 1)
        })
        .span("GET /again", |span| {
            span.trace(1).id(2).parent(1).lasting_ms(20)
        })
        .span("GET /last", |span| span.trace(2).id(9).lasting_ms(1));
    let id = front.ids().trace_hex(1);
    let back = request()
        .seed(7)
        .at_ns(BASE_NANOS - SECOND)
        .service("back")
        .span("SELECT", |span| span.trace(1).id(3).parent(2).lasting_ms(5));
    for request in [front, back] {
        let decoded = codec::otlp::decode_proto(&request.encode()).unwrap();
        store.keep(&TenantId::default(), &decoded.batch);
    }
    (router_over(Arc::new(store), JaegerOptions::default()), id)
}

async fn answer(target: &str) -> Answer {
    get(&world().0, target).await
}

fn read(answer: &Answer) -> Value {
    serde_json::from_str(&answer.text).unwrap()
}

/// From before the recordings until after "now", in the units of version 1 and of version 3.
fn window() -> (String, String) {
    let (start, end) = (
        BASE_NANOS / 1_000 - 3_600_000_000,
        BASE_NANOS / 1_000 + 7_200_000_000,
    );
    let times =
        "query.start_time_min=2026-01-15T09:00:00Z&query.start_time_max=2026-01-15T12:00:00Z";
    (format!("start={start}&end={end}"), times.to_owned())
}

#[tokio::test]
async fn an_error_is_json_that_calls_itself_text_and_ends_with_a_newline() {
    let answer = answer("/api/traces/nothex").await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.content_type, "text/plain; charset=utf-8");
    assert!(answer.text.ends_with("}\n"), "{:?}", answer.text);
    assert_eq!(read(&answer)["errors"][0]["code"], 400);
}

#[tokio::test]
async fn totals_of_traces_are_0_and_what_is_absent_is_null_or_an_empty_list() {
    let (router, id) = world();
    let body = read(&get(&router, &format!("/api/traces/{id}")).await);
    assert_eq!((&body["total"], &body["errors"]), (&json!(0), &Value::Null));
    let trace = &body["data"][0];
    assert_eq!(trace["warnings"], Value::Null);
    let spans = trace["spans"].as_array().unwrap();
    let root = spans
        .iter()
        .find(|span| span["operationName"] == "GET /")
        .unwrap();
    assert_eq!(
        (&root["references"], &root["warnings"]),
        (&json!([]), &Value::Null)
    );
}

#[tokio::test]
async fn whole_numbers_that_a_browser_can_not_hold_are_texts() {
    let (router, id) = world();
    let body = read(&get(&router, &format!("/api/traces/{id}")).await);
    let spans = body["data"][0]["spans"].as_array().unwrap();
    let mut tags = spans
        .iter()
        .flat_map(|span| span["tags"].as_array().unwrap());
    let big = tags.find(|tag| tag["key"] == "big").unwrap();
    assert_eq!(
        (&big["type"], &big["value"]),
        (&json!("int64"), &json!("9007199254740993"))
    );
}

#[tokio::test]
async fn a_search_without_a_service_is_refused_and_ids_that_are_missing_are_told_inside_200() {
    let refused = answer(&format!("/api/traces?{}", window().0)).await;
    assert_eq!(refused.status, 400);
    let (router, id) = world();
    let target = format!("/api/traces?traceID={id}&traceID=00000000000000000000000000000abc");
    let found = get(&router, &target).await;
    assert_eq!(found.status, 200);
    let body = read(&found);
    assert_eq!(body["data"].as_array().unwrap().len(), 1);
    assert_eq!(body["errors"][0]["msg"], "trace not found");
}

#[tokio::test]
async fn version_3_says_404_to_a_search_without_hits_and_an_empty_list_to_summaries_without() {
    let times = window().1;
    let none = answer(&format!("/api/v3/traces?query.service_name=nobody&{times}")).await;
    assert_eq!(none.status, 404);
    assert_eq!(read(&none)["error"]["message"], "No traces found");
    let none = answer(&format!(
        "/api/v3/trace-summaries?query.service_name=nobody&{times}"
    ))
    .await;
    assert_eq!((none.status, read(&none)), (200, json!({"summaries": []})));
}

#[tokio::test]
async fn parameters_in_camel_case_win_and_the_old_name_of_the_depth_is_known() {
    let times = window().1;
    let count = async |query: &str| {
        let target = format!("/api/v3/trace-summaries?query.service_name=front&{times}&{query}");
        let body = read(&get(&world().0, &target).await);
        body["result"]["summaries"]
            .as_array()
            .or(body["summaries"].as_array())
            .map(Vec::len)
    };
    assert_eq!(count("query.search_depth=5").await, Some(2));
    assert_eq!(
        count("query.search_depth=5&query.searchDepth=1").await,
        Some(1)
    );
    assert_eq!(count("query.num_traces=1").await, Some(1));
}

#[tokio::test]
async fn clocks_are_left_alone_and_the_difference_is_warned_of() {
    let (router, id) = world();
    let body = read(&get(&router, &format!("/api/traces/{id}")).await);
    let spans = body["data"][0]["spans"].as_array().unwrap();
    let behind = spans
        .iter()
        .find(|span| span["operationName"] == "SELECT")
        .unwrap();
    let begin = BASE_NANOS / 1_000;
    assert!(behind["startTime"].as_u64().unwrap() < begin, "{behind}");
    let warnings = behind["warnings"].as_array().unwrap();
    assert!(
        warnings
            .iter()
            .any(|text| text.as_str().unwrap().contains("clock skew")),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn calls_of_a_service_to_itself_are_dependencies() {
    let end = BASE_NANOS / 1_000_000 + 3_600_000;
    let body = read(&answer(&format!("/api/dependencies?endTs={end}&lookback=7200000")).await);
    let links = body["data"].as_array().unwrap();
    let is_own = |link: &&Value| link["parent"] == "front" && link["child"] == "front";
    assert_eq!(
        links.iter().find(is_own).unwrap()["callCount"],
        1,
        "{links:?}"
    );
}

#[tokio::test]
async fn other_methods_and_paths_are_answered_without_a_fault() {
    for method in ["DELETE", "PUT", "PATCH"] {
        let request = Request::builder().method(method).uri("/api/services");
        let answer = ask(&world().0, request.body(axum::body::Body::empty()).unwrap()).await;
        assert!(
            (400..500).contains(&answer.status),
            "{method}: {}",
            answer.status
        );
    }
}
