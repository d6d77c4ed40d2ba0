//! How the program says that it is well, and why it is not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use model::contract::Answer;
use plumbing::{ManualClock, Metrics};
use serve::{AdminState, Health, admin_router, health_router};

use crate::world::{BASE_NANOS, get};

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

fn routers() -> (Router, Router, Arc<Told>, Arc<ManualClock>) {
    let replaying = || Err("replaying the log: 41 %".to_owned());
    let health = Arc::new(Told(Mutex::new((replaying(), replaying()))));
    let clock = Arc::new(ManualClock::at(BASE_NANOS));
    let state = AdminState {
        metrics: Metrics::new(),
        clock: clock.clone(),
        health: health.clone(),
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
async fn metrics_are_printed_in_the_open_metrics_format() {
    let (admin, ..) = routers();
    let answer = get(&admin, "/metrics").await;
    assert_eq!(
        answer.content_type,
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(answer.text.ends_with("# EOF\n"));
}
