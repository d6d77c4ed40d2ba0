//! Rates, errors and durations: services, operations, calls and home.

use std::sync::Arc;

use serde_json::Value;
use testkit::oracle::OracleStore;
use testkit::spans::{Ids, RequestBuilder, SpanKind, request};

use super::{Damaged, Page, escaped, page_over, store_of};
use crate::world::NOW_NANOS;

const MINUTE: u64 = 60_000_000_000;
const DAY: u64 = 86_400_000_000_000;
const MS: u64 = 1_000_000;

/// A request to `front` at a moment, which calls `back`: so many milliseconds, failed or not.
fn call(seed: u64, at: u64, ms: u64, failed: bool) -> RequestBuilder {
    request()
        .seed(seed)
        .service("front")
        .span("GET /", |span| {
            span.kind(SpanKind::Server).start_ns(at).lasting_ms(ms)
        })
        .span("call", |span| {
            span.parent(1)
                .kind(SpanKind::Client)
                .start_ns(at + 1)
                .lasting_ms(ms / 2)
        })
        .service("back")
        .span("work", |span| {
            let span = span
                .parent(2)
                .kind(SpanKind::Server)
                .start_ns(at + 2)
                .lasting_ms(ms / 4);
            if failed { span.error("no") } else { span }
        })
}

/// A hundred calls in the last hour, two a minute for fifty minutes; those a day before were quick.
fn page() -> Page {
    let of_today = (0..100).map(|n| call(n, NOW_NANOS - (n / 2 + 1) * MINUTE, 400 + n, n < 30));
    let of_before = (200..300).map(|n| {
        call(
            n,
            NOW_NANOS - DAY - (n - 200) / 2 * MINUTE - MINUTE,
            40,
            false,
        )
    });
    page_over(Arc::new(store_of(of_today.chain(of_before))))
}

fn series<'a>(answer: &'a Value, service: &str, operation: Option<&str>) -> &'a Value {
    let mut all = answer["series"].as_array().unwrap().iter();
    all.find(|one| one["service"] == service && one["operation"].as_str() == operation)
        .unwrap()
}

#[tokio::test]
async fn services_are_judged_by_what_they_serve() {
    let page = page();
    let answer = page.good("/red?by=service&steps=60").await;
    assert_eq!(answer["series"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&answer["stepNs"], &answer["hasAllOperations"]),
        (&(MINUTE as f64).into(), &true.into())
    );
    let front = series(&answer, "front", None);
    assert_eq!(
        (&front["total"]["spans"], &front["total"]["errors"]),
        (&100.into(), &0.into()),
        "its calls are not counted"
    );
    let p50 = front["total"]["p50"].as_f64().unwrap() / MS as f64;
    assert!((445.0..455.0).contains(&p50), "{p50}");
    assert_eq!(front["dayBefore"]["spans"], 100);
    let before = front["dayBefore"]["p95"].as_f64().unwrap() / MS as f64;
    assert!((39.7..40.3).contains(&before), "{before}");
    let points = front["points"].as_array().unwrap();
    assert_eq!(points.len() as u64, answer["steps"].as_u64().unwrap());
    let spans: u64 = points
        .iter()
        .filter_map(|point| point["spans"].as_u64())
        .sum();
    assert_eq!(spans, 100);
    assert_eq!(
        points.iter().filter(|point| point.is_null()).count(),
        points.len() - 50,
        "none where nothing was"
    );
    assert_eq!(series(&answer, "back", None)["total"]["errors"], 30);
}

#[tokio::test]
async fn operations_are_told_by_their_kind_and_may_be_chosen() {
    let page = page();
    let all = page.good("/red?by=operation&steps=0").await;
    assert_eq!(all["series"].as_array().unwrap().len(), 3);
    assert_eq!(series(&all, "front", Some("call"))["kind"], "client");
    let some = page
        .good("/red?by=operation&service=front&service=none&kind=server")
        .await;
    let told = some["series"].as_array().unwrap();
    assert_eq!((told.len(), &told[0]["operation"]), (1, &"GET /".into()));
    for target in [
        "/red?by=span",
        "/red?kind=SERVER",
        "/red?steps=1441",
        "/red?from=2&to=1",
    ] {
        page.refused(target, 400).await;
    }
}

#[tokio::test]
async fn the_map_tells_calls_and_every_service_they_touch() {
    let page = page();
    let answer = page.good("/edges").await;
    let nodes: Vec<&str> = answer["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["service"].as_str().unwrap())
        .collect();
    assert_eq!(nodes, ["back", "front"]);
    let edges = answer["edges"].as_array().unwrap();
    assert_eq!(edges.len(), 1, "{edges:?}");
    assert_eq!(
        (&edges[0]["caller"], &edges[0]["callee"]),
        (&"front".into(), &"back".into())
    );
    assert_eq!(
        (&edges[0]["total"]["spans"], &edges[0]["total"]["errors"]),
        (&100.into(), &30.into())
    );
    assert_eq!(edges[0]["isAsync"], false);
}

#[tokio::test]
async fn home_says_what_is_slower_and_fails_more_often_with_a_query_that_finds_it() {
    let page = page();
    let answer = page.good("/home").await;
    assert_eq!(answer["lastSpanNs"], (NOW_NANOS - MINUTE + 2).to_string());
    let looks = answer["needsALook"].as_array().unwrap();
    let told = |what: &str, service: &str| {
        let look = looks
            .iter()
            .find(|look| look["what"] == what && look["service"] == service);
        look.unwrap_or_else(|| panic!("{what} {service}: {looks:?}"))
            .clone()
    };
    let failing = told("failing", "back");
    assert_eq!(
        (&failing["now"], &failing["before"]),
        (&0.3.into(), &0.0.into())
    );
    assert!(failing["rule"].as_str().unwrap().contains("yesterday"));
    let slow = told("slow", "front");
    assert!(slow["now"].as_f64().unwrap() > slow["before"].as_f64().unwrap());
    for (look, count) in [(failing, 30), (slow, 100)] {
        let q = escaped(look["query"].as_str().unwrap());
        let found = page.good(&format!("/overview?scope=spans&q={q}")).await;
        assert_eq!(found["points"], count, "{look}");
    }
    let empty = page_over(Arc::new(OracleStore::new())).good("/home").await;
    assert_eq!(
        (&empty["lastSpanNs"], &empty["spansPerSecond"]),
        (&Value::Null, &0.0.into())
    );
}

#[tokio::test]
async fn rates_say_what_could_not_be_read() {
    let store = store_of([call(1, NOW_NANOS - MINUTE, 10, false)]);
    let page = page_over(Arc::new(Damaged::new(store)));
    for target in ["/red", "/edges", "/home"] {
        let answer = page.good(target).await;
        let skipped = answer["skipped"].as_array().unwrap();
        assert_eq!(
            (skipped.len(), &skipped[0]["what"]),
            (1, &"segment 7".into()),
            "{target}"
        );
    }
    assert_eq!(Ids::new(1).trace_hex(1).len(), 32);
}

/// A payment: 50 ms besides what the bank takes. 20 are its own, 10 the call of the bank's, 20 a query's; the mail goes
/// beside the call.
fn pay(seed: u64, at: u64, bank_ms: u64) -> RequestBuilder {
    request()
        .seed(seed)
        .service("web")
        .span("GET /", |span| {
            let span = span.kind(SpanKind::Server).start_ns(at);
            span.lasting_ms(bank_ms + 70)
        })
        .service("pay")
        .span("charge", |span| {
            let span = span.parent(1).kind(SpanKind::Server);
            let span = span
                .attr("order.id", at.to_string())
                .attr("card", "visa")
                .attr("try", (seed % 3).to_string());
            span.start_ns(at + 10 * MS).lasting_ms(bank_ms + 50)
        })
        .span("call bank", |span| {
            let span = span.parent(2).kind(SpanKind::Client);
            span.start_ns(at + 20 * MS).lasting_ms(bank_ms + 10)
        })
        .span("SELECT", |span| {
            let span = span.parent(2).kind(SpanKind::Client);
            span.start_ns(at + (bank_ms + 30) * MS).lasting_ms(20)
        })
        .service("bank")
        .span("debit", |span| {
            let span = span.parent(3).kind(SpanKind::Server);
            span.start_ns(at + 25 * MS).lasting_ms(bank_ms)
        })
        .service("mail")
        .span("send", |span| {
            let span = span.parent(2).kind(SpanKind::Consumer);
            span.start_ns(at + 30 * MS).lasting_ms(12)
        })
}

#[tokio::test]
async fn the_time_of_an_operation_goes_to_those_that_were_at_work() {
    let calls = (0..40).map(|n| pay(n, NOW_NANOS - (n + 1) * MINUTE, 40 + 20 * (n % 2)));
    let page = page_over(Arc::new(store_of(calls)));
    let answer = page
        .good("/path?service=pay&operation=charge&kind=server")
        .await;
    assert_eq!(answer["spans"], 40);
    assert_eq!(answer["meanNs"], 100.0 * MS as f64);
    let parts: Vec<(String, f64, f64)> = answer["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| {
            let text = |key: &str| part[key].as_str().unwrap().to_owned();
            let name = format!("{} {}", text("service"), text("operation"));
            (
                name,
                part["meanNs"].as_f64().unwrap() / MS as f64,
                part["share"].as_f64().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("bank debit", 50.0),
        ("pay SELECT", 20.0),
        ("pay charge", 20.0),
        ("pay call bank", 10.0),
    ];
    assert_eq!(
        parts,
        expected.map(|(name, ms)| (name.to_owned(), ms, ms / 100.0))
    );
    // One whose values never repeat tells nothing.
    assert_eq!(
        answer["attributes"],
        serde_json::json!(["span.card", "span.try"])
    );
    let slowest = &answer["parts"][0];
    assert_eq!(slowest["calls"], 1.0);
    let example = slowest["traceId"].as_str().unwrap();
    let is_slow = |n: &u64| n % 2 == 1 && Ids::new(*n).trace_hex(1) == example;
    assert!((0..40).any(|n| is_slow(&n)), "one of those with most time");
    let nothing = page.good("/path?service=pay&operation=none").await;
    assert_eq!(
        (&nothing["spans"], &nothing["parts"]),
        (&0.into(), &Value::Array(Vec::new()))
    );
    page.refused("/path?operation=charge", 400).await;
}
