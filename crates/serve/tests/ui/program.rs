//! The program as the app sees it: its state, and spans that it sends to itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::contract::Answer;
use model::{TenantId, TraceId};
use serde_json::{Value, json};
use serve::{Program, ProgramStatus, StoreStatus};
use testkit::oracle::OracleStore;
use testkit::spans::request;

use super::{Choices, Page, error_of, page_with, store_of};
use crate::world::{BASE_NANOS, NOW_NANOS};

/// A program that sends, or can't, and counts how often it was told to.
#[derive(Debug)]
struct Sender {
    is_open: bool,
    sent: AtomicUsize,
}

impl Program for Sender {
    fn status(&self) -> ProgramStatus {
        ProgramStatus {
            store: StoreStatus {
                spans: 12,
                ..StoreStatus::default()
            },
            not_ready: Some("it starts".to_owned()),
            ..ProgramStatus::default()
        }
    }

    fn send_test_trace(&self, _: &TenantId) -> Answer<'static, Result<TraceId, String>> {
        self.sent.fetch_add(1, Ordering::SeqCst);
        let closed = || "connection refused".to_owned();
        let sent = self.is_open.then_some(TraceId([5; 16])).ok_or_else(closed);
        Box::pin(std::future::ready(sent))
    }

    fn send_sample(&self, _: &TenantId) -> Answer<'static, Result<u64, String>> {
        self.sent.fetch_add(1, Ordering::SeqCst);
        let closed = || "connection refused".to_owned();
        Box::pin(std::future::ready(
            self.is_open.then_some(40_000).ok_or_else(closed),
        ))
    }
}

fn page_of(is_open: bool, store: OracleStore) -> (Page, Arc<Sender>) {
    let program = Arc::new(Sender {
        is_open,
        sent: AtomicUsize::new(0),
    });
    let choices = Choices {
        program: program.clone(),
        ..Choices::default()
    };
    (page_with(Arc::new(store), choices), program)
}

#[tokio::test]
async fn the_status_tells_the_program_and_when_each_service_was_heard() {
    let store = store_of([request()
        .service("b")
        .span("one", |span| span.start_ns(BASE_NANOS))
        .span("two", |span| span.start_ns(BASE_NANOS + 9))
        .service("a")
        .span("one", |span| span.start_ns(BASE_NANOS + 4))]);
    let (page, _) = page_of(true, store);
    let answer = page.good("/status").await;
    assert_eq!(answer["nowNs"], NOW_NANOS.to_string());
    assert_eq!(answer["program"]["store"]["spans"], 12);
    assert_eq!(answer["program"]["notReady"], "it starts");
    let last = |nanos: u64| (BASE_NANOS + nanos).to_string();
    assert_eq!(
        answer["services"],
        json!([
            {"service": "a", "lastNs": last(4), "operations": 1},
            {"service": "b", "lastNs": last(9), "operations": 2}
        ])
    );
}

#[tokio::test]
async fn a_trace_to_try_and_a_sample_are_sent_when_a_page_of_ours_asks() {
    let (page, program) = page_of(true, OracleStore::new());
    let trace = page.post("/test-trace", "application/json", "{}").await;
    let trace: Value = serde_json::from_str(&trace.text).unwrap();
    assert_eq!(trace["traceId"], "05".repeat(16));
    let sample = page
        .post("/sample", "application/json; charset=utf-8", "{}")
        .await;
    let sample: Value = serde_json::from_str(&sample.text).unwrap();
    assert_eq!(sample, json!({"traceId": null, "spans": 40_000}));
    assert_eq!(program.sent.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_a_page_of_another_site_may_send_unasked_sends_nothing() {
    let (page, program) = page_of(true, OracleStore::new());
    for route in ["/test-trace", "/sample"] {
        for (content_type, body, status) in [
            ("", "", 415),
            ("", "{}", 415),
            ("text/plain", "{}", 415),
            ("application/x-www-form-urlencoded", "a=b", 415),
            ("multipart/form-data; boundary=x", "--x--", 415),
            ("application/json", "", 400),
            ("application/json", "[]", 422),
        ] {
            let answer = page.post(route, content_type, body).await;
            error_of(&format!("{route} {content_type:?} {body}"), &answer, status);
        }
    }
    assert_eq!(program.sent.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_the_door_said_is_told() {
    let (page, _) = page_of(false, OracleStore::new());
    for route in ["/test-trace", "/sample"] {
        let error = error_of(
            route,
            &page.post(route, "application/json", "{}").await,
            502,
        );
        assert_eq!(error["message"], "connection refused");
        assert!(error["hint"].as_str().unwrap().contains("OTLP"));
    }
}
