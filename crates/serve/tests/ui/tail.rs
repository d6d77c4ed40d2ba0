//! Spans as they arrive: what a page that follows is sent, what it loses when it is slow, and its end.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use futures_util::StreamExt as _;
use model::{SpanBatch, TenantId};
use serde_json::Value;
use testkit::oracle::OracleStore;
use testkit::spans::{SpanKind, request};
use tower::ServiceExt as _;

use super::{Page, batch_of, escaped, page_over};
use crate::world::BASE_NANOS;

/// Far above what anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A page that follows.
struct Following {
    body: BodyDataStream,
    read: String,
}

async fn follow(page: &Page, target: &str) -> Following {
    let request =
        Request::get(format!("/api/ui/v1{target}")).header("accept-encoding", "gzip, zstd");
    let response = page
        .router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert!(
        !response.headers().contains_key("content-encoding"),
        "events come at once"
    );
    Following {
        body: response.into_body().into_data_stream(),
        read: String::new(),
    }
}

impl Following {
    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Value> {
        let event = tokio::time::timeout(PATIENCE, self.read_event());
        event.await.unwrap()
    }

    async fn read_event(&mut self) -> Option<Value> {
        loop {
            while let Some((event, rest)) = self.read.split_once("\n\n") {
                let data = event.strip_prefix("data: ").map(str::to_owned);
                self.read = rest.to_owned();
                // What has no data is a sign of life.
                if let Some(data) = data {
                    return Some(serde_json::from_str(&data).unwrap());
                }
            }
            let more = self.body.next().await?.unwrap();
            self.read.push_str(std::str::from_utf8(&more).unwrap());
        }
    }
}

/// Spans of names `op-0`, `op-1` …, every second failed.
fn spans(seed: u64, count: u64) -> SpanBatch {
    let all = (0..count).fold(request().seed(seed).service("s"), |request, n| {
        request.span(&format!("op-{n}"), |span| {
            let span = span.start_ns(BASE_NANOS + n).attr("n", n.cast_signed());
            if n.is_multiple_of(2) {
                span
            } else {
                span.error("")
            }
        })
    });
    batch_of(all)
}

fn page() -> Page {
    page_over(Arc::new(OracleStore::new()))
}

#[tokio::test]
async fn spans_that_match_are_told_as_they_arrive() {
    let page = page();
    assert!(!page.tail.is_followed());
    let mut following = follow(
        &page,
        &format!("/tail?q={}&cols=span.n", escaped("{ status = error }")),
    )
    .await;
    assert!(page.tail.is_followed());
    page.tail.tell(TenantId::default(), spans(1, 1));
    page.tail.tell(TenantId::default(), spans(2, 4));
    let event = following.next().await.unwrap();
    assert_eq!(event["type"], "spans");
    let told = event["spans"].as_array().unwrap();
    let names: Vec<&str> = told
        .iter()
        .map(|one| one["span"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["op-1", "op-3"], "of the first batch none matches");
    assert_eq!(
        told[0]["traceId"],
        spans(2, 1).span(0).unwrap().trace_id().to_string()
    );
    assert_eq!(told[1]["span"]["columns"][0], "3");
    drop(following);
    page.tail.tell(TenantId::default(), spans(3, 1));
    assert!(!page.tail.is_followed(), "who is gone costs nothing");
}

#[tokio::test]
async fn who_follows_is_told_of_the_spans_of_the_own_tenant_alone() {
    let page = page();
    let mut following = follow(&page, "/tail?q=").await;
    let other = TenantId::parse("other").unwrap();
    page.tail.tell(other.clone(), spans(1, 4));
    page.tail.tell(TenantId::default(), spans(2, 1));
    page.tail.tell(other, spans(3, 200));
    page.tail.tell(TenantId::default(), spans(4, 1));
    for seed in [2, 4] {
        let event = following.next().await.unwrap();
        assert_eq!(
            event["type"], "spans",
            "nothing of others was lost: {event}"
        );
        let told = event["spans"].as_array().unwrap();
        let id = spans(seed, 1).span(0).unwrap().trace_id().to_string();
        assert_eq!(
            (told.len(), told[0]["traceId"].as_str()),
            (1, Some(id.as_str()))
        );
    }
}

#[tokio::test]
async fn who_follows_entry_spans_is_told_no_others() {
    let page = page();
    let mut entry = follow(&page, "/tail?q=&scope=entry").await;
    let mut traces = follow(&page, "/tail?q=&scope=traces").await;
    let all = request()
        .service("s")
        .span("root", |span| span)
        .span("inner", |span| span.parent(1).kind(SpanKind::Internal))
        .span("served", |span| span.parent(1).kind(SpanKind::Server));
    page.tail.tell(TenantId::default(), batch_of(all));
    let names = |event: &Value| -> Vec<String> {
        let spans = event["spans"].as_array().unwrap().iter();
        let name = |span: &Value| span["span"]["name"].as_str().unwrap().to_owned();
        spans.map(name).collect()
    };
    let told = entry.next().await.unwrap();
    assert_eq!(names(&told), ["root", "served"]);
    let told = traces.next().await.unwrap();
    assert_eq!(names(&told), ["root", "inner", "served"]);
    page.refused("/tail?scope=all", 400).await;
}

#[tokio::test]
async fn what_a_slow_page_misses_is_counted() {
    let page = page();
    let mut following = follow(&page, "/tail?q=").await;
    page.tail.tell(TenantId::default(), spans(0, 1));
    assert_eq!(
        following.next().await.unwrap()["spans"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    // Nobody reads meanwhile: only the last few can wait.
    for seed in 1..=40 {
        page.tail.tell(TenantId::default(), spans(seed, 3));
    }
    let (mut told, mut dropped) = (0, 0);
    while told + dropped < 120 {
        let event = following.next().await.unwrap();
        match event["type"].as_str().unwrap() {
            "spans" => told += event["spans"].as_array().unwrap().len() as u64,
            _ => dropped += event["spans"].as_u64().unwrap(),
        }
    }
    assert_eq!((told, dropped), (16 * 3, 24 * 3));
}

#[tokio::test]
async fn no_more_than_a_hundred_spans_a_second_are_sent_and_the_others_are_counted() {
    let page = page();
    let mut following = follow(&page, "/tail?q=").await;
    page.tail.tell(TenantId::default(), spans(1, 150));
    assert_eq!(
        following.next().await.unwrap()["spans"]
            .as_array()
            .unwrap()
            .len(),
        100
    );
    assert_eq!(
        following.next().await.unwrap(),
        serde_json::json!({"type": "dropped", "spans": 50})
    );
    page.tail.tell(TenantId::default(), spans(2, 5));
    assert_eq!(
        following.next().await.unwrap(),
        serde_json::json!({"type": "dropped", "spans": 5})
    );
    page.clock.advance(Duration::from_secs(1));
    page.tail.tell(TenantId::default(), spans(3, 5));
    assert_eq!(
        following.next().await.unwrap()["spans"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
}

#[tokio::test]
async fn a_page_that_follows_is_let_go_when_the_program_stops() {
    let page = page();
    let mut following = follow(&page, "/tail?q=").await;
    page.tail.tell(TenantId::default(), spans(1, 1));
    assert!(following.next().await.is_some());
    page.shutdown.begin();
    assert_eq!(following.next().await, None);
}

#[tokio::test]
async fn what_can_not_be_said_of_a_span_alone_can_not_be_followed() {
    let page = page();
    for text in [
        "{ span:childCount > 1 }",
        "{ trace:spanCount > 1 }",
        "{ rootName = \"a\" }",
    ] {
        let error = page
            .refused(&format!("/tail?q={}", escaped(text)), 422)
            .await;
        assert!(error["hint"].is_string(), "{text}");
    }
    page.refused("/tail?cols=a%20b", 400).await;
    assert!(!page.tail.is_followed());
}

#[tokio::test]
async fn only_so_many_pages_follow_at_the_same_time() {
    let page = page();
    let mut all = Vec::new();
    for _ in 0..64 {
        all.push(follow(&page, "/tail?q=").await);
    }
    page.refused("/tail?q=", 503).await;
    all.pop();
    follow(&page, "/tail?q=").await;
}
