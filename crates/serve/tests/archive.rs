//! The archive of Jaeger's API: what is answered when a trace is kept for good, and when it can't be.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use model::contract::{PinError, PinnedTrace, Pins};
use model::{TenantId, TraceId};
use plumbing::{CpuPool, ManualClock, Metrics};
use query::Query;
use serve::{JaegerOptions, ServeParts, jaeger_router};
use testkit::oracle::OracleStore;

use crate::world::{Answer, NOW_NANOS, PinAnswer, app_options, ask};

/// Answers as it is told, and remembers what was asked.
#[derive(Debug)]
struct Told {
    answer: Result<bool, PinError>,
    asked: Mutex<Vec<TraceId>>,
}

impl Pins for Told {
    fn pin(&self, _: &TenantId, trace_id: TraceId) -> PinAnswer<bool> {
        self.asked.lock().unwrap().push(trace_id);
        Box::pin(std::future::ready(self.answer.clone()))
    }

    fn unpin(&self, _: &TenantId, _: TraceId) -> PinAnswer<bool> {
        panic!("archiving removes no pin")
    }

    fn pins(&self, _: &TenantId) -> PinAnswer<Vec<PinnedTrace>> {
        panic!("archiving lists no pins")
    }
}

fn archive_that(answer: Result<bool, PinError>) -> (Arc<Told>, Router) {
    let pins = Arc::new(Told {
        answer,
        asked: Mutex::default(),
    });
    let parts = ServeParts {
        clock: Arc::new(ManualClock::at(NOW_NANOS)),
        metrics: &Metrics::new(),
        pool: CpuPool::start("test", 1, 4).unwrap(),
        tenant: TenantId::default(),
        pins: pins.clone(),
        options: JaegerOptions::default(),
        ui: Router::new(),
        app: app_options(),
    };
    let query = Arc::new(Query::new(Arc::new(OracleStore::new())));
    (pins, jaeger_router(query, parts))
}

async fn post(router: &Router, target: &str) -> Answer {
    ask(router, Request::post(target).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn an_archived_trace_is_pinned_and_answered_as_by_a_jaeger_with_an_archive() {
    let (pins, router) = archive_that(Ok(true));
    for target in [
        "/api/archive/00000000000000070000000000000009",
        "/api/archive/70000000000000009?start=1&end=2",
    ] {
        let answer = post(&router, target).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.content_type, "application/json");
        let expected = "{\"data\":[],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[]}";
        assert_eq!(answer.text, expected);
    }
    let wanted = TraceId::parse("00000000000000070000000000000009").unwrap();
    assert_eq!(*pins.asked.lock().unwrap(), [wanted, wanted]);
}

#[tokio::test]
async fn a_trace_that_can_not_be_kept_is_said_to_be_so() {
    let reason = || "so it is".to_owned();
    let cases = [
        (Ok(false), 404, "trace not found"),
        (Err(PinError::TooMany { reason: reason() }), 422, "so it is"),
        (
            Err(PinError::Unavailable { reason: reason() }),
            503,
            "the store can't change pins now: so it is",
        ),
        (
            Err(PinError::Failed { reason: reason() }),
            500,
            "the store failed: so it is",
        ),
    ];
    for (answer, status, message) in cases {
        let (_, router) = archive_that(answer);
        let answer = post(&router, "/api/archive/1").await;
        assert_eq!(answer.status, status);
        let errors = format!("\"errors\":[{{\"code\":{status},\"msg\":\"{message}\"}}]}}\n");
        assert!(answer.text.ends_with(&errors), "{}", answer.text);
    }
}

#[tokio::test]
async fn nothing_is_pinned_by_a_request_with_a_mistake() {
    let (pins, router) = archive_that(Ok(true));
    for (target, status) in [
        ("/api/archive/zzz", 400),
        ("/api/archive/123456789012345678901234567890123", 400),
        ("/api/archive/1?start=x", 400),
        ("/api/archive/1?end=1.5", 400),
        ("/api/archive/", 404),
        ("/api/archive/1/2", 404),
    ] {
        assert_eq!(post(&router, target).await.status, status, "{target}");
    }
    let got = ask(
        &router,
        Request::get("/api/archive/1").body(Body::empty()).unwrap(),
    );
    assert_eq!(got.await.status, 404, "reading archives nothing");
    assert!(pins.asked.lock().unwrap().is_empty());
}
