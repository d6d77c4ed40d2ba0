//! How the program says that it is well, and why it is not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use model::contract::{Answer, PinError, PinnedTrace, Pins};
use model::{TenantId, TraceId};
use plumbing::{ManualClock, Metrics};
use serve::{AdminState, Health, admin_router, health_router};

use crate::world::{BASE_NANOS, ask, get};

#[derive(Debug)]
struct Told(Mutex<(Result<(), String>, Result<(), String>)>);

impl Health for Told {
    fn started(&self) -> Result<(), String> {
        self.0.lock().unwrap().0.clone()
    }

    fn ready(&self) -> Result<(), String> {
        self.0.lock().unwrap().1.clone()
    }

    fn finalise(&self) -> Answer<'static, Result<(), String>> {
        let told = self.ready();
        Box::pin(async move { told })
    }
}

/// Has traces 1 to 9, of which one may be pinned.
#[derive(Debug, Default)]
struct OnePin(Mutex<Option<TraceId>>);

impl Pins for OnePin {
    fn pin(
        &self,
        _tenant: &TenantId,
        trace_id: TraceId,
    ) -> Answer<'static, Result<bool, PinError>> {
        let mut pin = self.0.lock().unwrap();
        let answer = if trace_id.low() > 9 {
            Ok(false)
        } else if pin.is_some_and(|other| other != trace_id) {
            let reason = "there is one already".to_owned();
            Err(PinError::TooMany { reason })
        } else {
            *pin = Some(trace_id);
            Ok(true)
        };
        Box::pin(std::future::ready(answer))
    }

    fn unpin(
        &self,
        _tenant: &TenantId,
        trace_id: TraceId,
    ) -> Answer<'static, Result<bool, PinError>> {
        let mut pin = self.0.lock().unwrap();
        let is_pinned = *pin == Some(trace_id);
        if is_pinned {
            *pin = None;
        }
        Box::pin(std::future::ready(Ok(is_pinned)))
    }

    fn pins(&self, _tenant: &TenantId) -> Answer<'static, Result<Vec<PinnedTrace>, PinError>> {
        let pin = self.0.lock().unwrap().map(|trace_id| PinnedTrace {
            trace_id,
            since_unix_nanos: BASE_NANOS,
        });
        Box::pin(std::future::ready(Ok(pin.into_iter().collect())))
    }
}

fn routers() -> (Router, Router, Arc<Told>, Arc<ManualClock>) {
    let replaying = || Err("replaying the log: 41 %".to_owned());
    let health = Arc::new(Told(Mutex::new((replaying(), replaying()))));
    let clock = Arc::new(ManualClock::at(BASE_NANOS));
    let state = AdminState {
        metrics: Metrics::new(),
        clock: clock.clone(),
        health: health.clone(),
        pins: Arc::new(OnePin::default()),
    };
    (
        admin_router(state.clone()),
        health_router(state),
        health,
        clock,
    )
}

#[tokio::test]
async fn a_program_that_starts_is_alive_but_neither_started_nor_ready_and_says_why() {
    let (admin, status, ..) = routers();
    assert_eq!(get(&admin, "/live").await.status, 200);
    for path in ["/started", "/ready"] {
        let answer = get(&admin, path).await;
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (503, "replaying the log: 41 %\n"),
            "{path}"
        );
    }
    let v1 = get(&admin, "/").await;
    assert_eq!(v1.status, 503);
    assert!(v1.text.starts_with(
        r#"{"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":"","reason":"replaying"#
    ));
    let metrics = get(&admin, "/metrics").await.text;
    assert!(metrics.contains("\ntrackway_ready 0\n"), "{metrics}");
    let v2 = get(&status, "/status").await;
    assert_eq!(v2.status, 503);
    assert!(v2.text.contains(
        r#""healthy":false,"status":"StatusStarting","error":"replaying the log: 41 %""#
    ));
}

#[tokio::test]
async fn a_ready_program_says_since_when() {
    let (admin, status, health, clock) = routers();
    *health.0.lock().unwrap() = (Ok(()), Ok(()));
    clock.advance(Duration::from_millis(61_500));
    for path in ["/live", "/started", "/ready", "/version", "/metrics"] {
        assert_eq!(get(&admin, path).await.status, 200, "{path}");
    }
    let metrics = get(&admin, "/metrics").await.text;
    assert!(metrics.contains("\ntrackway_ready 1\n"), "{metrics}");
    let v1 = get(&admin, "/").await;
    let expected =
        r#"{"status":"Server available","upSince":"2026-01-15T10:00:00Z","uptime":"1m1.5s"}"#;
    assert_eq!(
        (v1.status, v1.content_type.as_str(), v1.text.as_str()),
        (200, "application/json", expected)
    );
    let v2 = get(&status, "/status").await;
    assert_eq!(v2.status, 200);
    assert!(v2.text.contains(r#""healthy":true,"status":"StatusOK""#));
}

#[tokio::test]
async fn a_trace_is_pinned_listed_and_unpinned() {
    let (admin, ..) = routers();
    let send = async |method: &str, id: &str| {
        let request = Request::builder()
            .method(method)
            .uri(format!("/admin/pins/{id}"));
        ask(&admin, request.body(Body::empty()).unwrap()).await
    };
    for _ in 0..2 {
        let pinned = send("POST", "7").await;
        assert_eq!((pinned.status, pinned.text.as_str()), (200, "pinned\n"));
    }
    let refused = [
        ("a0", 404, "no span"),
        ("8", 409, "one already"),
        ("xyz", 400, "hexadecimal"),
    ];
    for (id, status, why) in refused {
        let answer = send("POST", id).await;
        assert_eq!(answer.status, status, "{id}");
        assert!(answer.text.contains(why), "{id}: {}", answer.text);
    }
    let wanted = r#"{"pins":[{"traceID":"00000000000000000000000000000007","since":"2026-01-15T10:00:00Z"}]}"#;
    let listed = get(&admin, "/admin/pins").await;
    assert_eq!((listed.status, listed.text.as_str()), (200, wanted));
    for status in [200, 404] {
        assert_eq!(send("DELETE", "7").await.status, status);
    }
    assert_eq!(get(&admin, "/admin/pins").await.text, r#"{"pins":[]}"#);
}

#[tokio::test]
async fn metrics_are_printed_in_the_open_metrics_format() {
    let (admin, ..) = routers();
    let answer = get(&admin, "/metrics").await;
    assert_eq!(
        answer.content_type,
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(answer.text.ends_with("# EOF\n"));
}
