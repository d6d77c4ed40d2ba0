//! The metrics of Jaeger's monitor: counted by hand over the plain store.

use std::sync::Arc;

use axum::Router;
use codec::otlp::decode_proto;
use model::TenantId;
use serde_json::Value;
use serve::JaegerOptions;
use testkit::oracle::OracleStore;
use testkit::spans::{SpanKind, request};

use crate::world::{NOW_NANOS, get, router_over};

const MINUTE: u64 = 60_000_000_000;

/// In each of the last 30 minutes two calls of `front` that take 10 ms and one of `back` that takes 40 ms; of `back`
/// those fail that came more than 20 minutes ago.
fn router() -> Router {
    let store = OracleStore::new();
    for ago in 1..=30 {
        let at = NOW_NANOS - ago * MINUTE;
        let request = request()
            .seed(ago)
            .service("front")
            .span("GET /a", |span| {
                span.kind(SpanKind::Server).start_ns(at).lasting_ms(10)
            })
            .span("GET /b", |span| {
                span.kind(SpanKind::Server)
                    .start_ns(at + 59_999_999_999)
                    .lasting_ms(10)
            })
            .span("call", |span| {
                span.kind(SpanKind::Client).start_ns(at).lasting_ms(500)
            })
            .service("back")
            .span("work", |span| {
                let span = span.kind(SpanKind::Consumer).start_ns(at).lasting_ms(40);
                if ago > 20 { span.error("") } else { span }
            });
        store.keep(
            &TenantId::default(),
            &decode_proto(&request.encode()).unwrap().batch,
        );
    }
    router_over(Arc::new(store), JaegerOptions::default())
}

async fn good(router: &Router, target: &str) -> Value {
    let answer = get(router, target).await;
    assert_eq!(
        (answer.status, answer.content_type.as_str()),
        (200, "application/json"),
        "{}",
        answer.text
    );
    serde_json::from_str(&answer.text).unwrap()
}

/// The values of a series by time.
fn values(answer: &Value, series: usize) -> Vec<Value> {
    let points = answer["metrics"][series]["metricPoints"]
        .as_array()
        .unwrap()
        .iter();
    points
        .map(|point| point["gaugeValue"]["doubleValue"].clone())
        .collect()
}

fn labels(answer: &Value, series: usize) -> String {
    answer["metrics"][series]["labels"].to_string()
}

#[tokio::test]
async fn an_answer_is_the_text_that_jaeger_would_write() {
    let router = router();
    let target = "/api/metrics/calls?service=front&lookback=60000&step=60000&ratePer=60000";
    let answer = get(&router, target).await;
    let expected = concat!(
        r#"{"name":"service_call_rate","type":"GAUGE","help":"calls/sec, grouped by service","#,
        r#""metrics":[{"labels":[{"name":"service_name","value":"front"}],"metricPoints":["#,
        r#"{"gaugeValue":{"doubleValue":0.03333333333333333},"timestamp":"2026-01-15T11:29:00Z"},"#,
        r#"{"gaugeValue":{"doubleValue":0.03333333333333333},"timestamp":"2026-01-15T11:30:00Z"}]}]}"#
    );
    assert_eq!(answer.text, expected);
    let none = get(
        &router,
        "/api/metrics/errors?service=none&groupByOperation=true",
    )
    .await;
    let expected = concat!(
        r#"{"name":"service_operation_error_rate","type":"GAUGE","help":"error rate, computed as a fraction "#,
        r#"of errors/sec over calls/sec, grouped by service \u0026 operation"}"#
    );
    assert_eq!(none.text, expected);
    let pretty = get(&router, &format!("{target}&prettyPrint=true")).await;
    assert!(
        pretty
            .text
            .starts_with("{\n    \"name\": \"service_call_rate\","),
        "{}",
        pretty.text
    );
}

#[tokio::test]
async fn a_rate_is_that_of_the_time_before_its_point() {
    let router = router();
    let target = "/api/metrics/calls?service=front&lookback=2400000&step=300000&ratePer=600000";
    let told = values(&good(&router, target).await, 0);
    let per_minute: Vec<f64> = told
        .iter()
        .map(|value| (value.as_f64().unwrap() * 600.0).round())
        .collect();
    // The calls begin 30 minutes ago, ten minutes behind the first point.
    assert_eq!(
        per_minute,
        [0.0, 0.0, 0.0, 10.0, 20.0, 20.0, 20.0, 20.0, 20.0]
    );
}

#[tokio::test]
async fn the_share_of_errors_and_latencies_are_none_where_nothing_was() {
    let router = router();
    let window = "service=back&spanKind=consumer&lookback=2400000&step=600000&ratePer=600000";
    let errors = values(
        &good(&router, &format!("/api/metrics/errors?{window}")).await,
        0,
    );
    assert_eq!(
        errors,
        [
            Value::from("NaN"),
            "NaN".into(),
            1.0.into(),
            0.into(),
            0.into()
        ]
        .map(|value| if value == 1.0 { 1.into() } else { value })
    );
    let target = format!("/api/metrics/latencies?{window}&quantile=0.95");
    let answer = good(&router, &target).await;
    assert_eq!(
        answer["help"],
        "0.95th quantile latency, grouped by service"
    );
    let latencies = values(&answer, 0);
    assert_eq!(
        (&latencies[0], &latencies[1]),
        (&"NaN".into(), &"NaN".into())
    );
    for told in &latencies[2..] {
        let millis = told.as_f64().unwrap();
        assert!((39.7..40.3).contains(&millis), "{millis}");
    }
    for (quantile, value) in [("-0.5", "-Infinity"), ("1.5", "Infinity")] {
        let target = format!("/api/metrics/latencies?{window}&quantile={quantile}");
        assert_eq!(values(&good(&router, &target).await, 0)[4], value);
    }
}

#[tokio::test]
async fn services_operations_and_kinds_are_chosen() {
    let router = router();
    let two = good(&router, "/api/metrics/calls?service=front&service=back").await;
    assert_eq!(
        two["metrics"].as_array().unwrap().len(),
        1,
        "back serves nobody as a server"
    );
    let two = good(
        &router,
        "/api/metrics/calls?service=front&service=back&spanKind=consumer&spanKind=SERVER",
    )
    .await;
    assert_eq!(
        labels(&two, 0),
        r#"[{"name":"service_name","value":"back"}]"#
    );
    assert_eq!(
        labels(&two, 1),
        r#"[{"name":"service_name","value":"front"}]"#
    );
    let operations = good(
        &router,
        "/api/metrics/latencies?service=front&groupByOperation=1&quantile=0.5",
    )
    .await;
    assert_eq!(operations["name"], "service_operation_latencies");
    assert_eq!(operations["metrics"].as_array().unwrap().len(), 2);
    assert_eq!(
        labels(&operations, 1),
        r#"[{"name":"service_name","value":"front"},{"name":"operation","value":"GET /b"}]"#
    );
    let client = good(
        &router,
        "/api/metrics/calls?service=front&spanKind=client&groupByOperation=true",
    )
    .await;
    assert!(labels(&client, 0).contains("call"));
}

#[tokio::test]
async fn steps_are_at_least_a_minute_and_so_it_is_said() {
    let router = router();
    let answer = get(&router, "/api/metrics/minstep").await;
    assert_eq!(
        answer.text,
        r#"{"data":60000,"total":0,"limit":0,"offset":0,"errors":null}"#
    );
    let fine = good(&router, "/api/metrics/calls?service=front&step=1").await;
    assert_eq!(values(&fine, 0).len(), 61);
}

#[tokio::test]
async fn what_would_take_too_much_is_refused_with_what_to_ask_instead() {
    let router = router();
    for target in [
        "/api/metrics/calls?service=front&lookback=999999999999",
        "/api/metrics/calls?service=front&ratePer=240000000&lookback=240000000",
    ] {
        let answer = get(&router, target).await;
        assert_eq!(answer.status, 422, "{target}: {}", answer.text);
        assert!(answer.text.contains("ask for"), "{}", answer.text);
    }
    for target in [
        "/api/metrics/calls?service=front&step=0",
        "/api/metrics/calls?service=front&lookback=-1",
        "/api/metrics/calls?service=front&ratePer=0",
    ] {
        assert_eq!(get(&router, target).await.status, 400, "{target}");
    }
    let ancient = good(&router, "/api/metrics/calls?service=front&endTs=0").await;
    assert!(ancient.get("metrics").is_none());
}
