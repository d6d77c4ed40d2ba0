//! How the program is: for supervisors, load balancers and Prometheus.
//!
//! Promises: `/live` says only that requests are answered, never anything of the store; `/ready` says that a write
//! can be accepted and the store answers; a "no" carries its reason in one line. `/` answers as the admin port of
//! Jaeger v1 does, `/status` (on its own port) as the health check of Jaeger v2.

use std::sync::{Arc, Weak};

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use model::contract::{Answer, PinError, Pins};
use model::{TenantId, TraceId};
use plumbing::{Clock, Metrics, Tasks};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;
use query::go_time::duration_text;
use serde_json::json;

/// Knows how the program is.
pub trait Health: Send + Sync + std::fmt::Debug {
    /// Tells whether the start has ended, or in one line how far it is.
    fn started(&self) -> Result<(), String>;

    /// Tells whether requests can be served now, or in one line why not.
    fn ready(&self) -> Result<(), String>;

    /// Does all deferred work now: afterwards figures of size and cost are final.
    fn finalise(&self) -> Answer<'static, Result<(), String>>;
}

/// What the admin port stands on.
#[derive(Debug, Clone)]
pub struct AdminState {
    /// What `/metrics` prints.
    pub metrics: Metrics,
    /// What "now" is.
    pub clock: Arc<dyn Clock>,
    /// How the program is.
    pub health: Arc<dyn Health>,
    /// Which traces are kept for good.
    pub pins: Arc<dyn Pins>,
}

/// The state, and since when there is one.
#[derive(Debug)]
struct Admin {
    state: AdminState,
    since_unix_nanos: u64,
    since_monotonic_nanos: u64,
    /// Work that goes on behind an answer.
    tasks: Tasks,
}

impl Admin {
    fn new(state: AdminState) -> Arc<Self> {
        let since_unix_nanos = state.clock.unix_nanos();
        let since_monotonic_nanos = state.clock.monotonic_nanos();
        Arc::new(Self {
            state,
            since_unix_nanos,
            since_monotonic_nanos,
            tasks: Tasks::new(),
        })
    }
}

/// What `/ready` says, as a metric. The health is not kept alive by the metrics, which it may have itself.
#[derive(Debug)]
struct Readiness(Weak<dyn Health>);

impl Collector for Readiness {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let is_ready = self
            .0
            .upgrade()
            .is_some_and(|health| health.ready().is_ok());
        let gauge = ConstGauge::new(i64::from(is_ready));
        let help = "1 while /ready says yes";
        gauge.encode(encoder.encode_descriptor(
            "trackway_ready",
            help,
            None,
            gauge.metric_type(),
        )?)
    }
}

/// Makes the routes of the admin port, and the metric of readiness.
pub fn admin_router(state: AdminState) -> Router {
    let readiness = Readiness(Arc::downgrade(&state.health));
    state
        .metrics
        .register(|registry| registry.register_collector(Box::new(readiness)));
    Router::new()
        .route("/", get(status_of_jaeger_v1))
        .route("/live", get(async || "live\n"))
        .route("/ready", get(ready))
        .route("/started", get(started))
        .route("/metrics", get(metrics))
        .route("/admin/finalise", post(finalise))
        .route("/admin/pins", get(pins))
        .route("/admin/pins/{trace_id}", post(pin).delete(unpin))
        .route("/version", get(version))
        .with_state(Admin::new(state))
}

/// Makes the routes of the health port.
pub fn health_router(state: AdminState) -> Router {
    Router::new()
        .route("/status", get(status_of_jaeger_v2))
        .with_state(Admin::new(state))
}

async fn status_of_jaeger_v1(State(admin): State<Arc<Admin>>) -> Response {
    match admin.state.health.ready() {
        Ok(()) => {
            let up = admin
                .state
                .clock
                .monotonic_nanos()
                .saturating_sub(admin.since_monotonic_nanos);
            let body = json!({
                "status": "Server available",
                "upSince": rfc3339(admin.since_unix_nanos),
                "uptime": duration_text(i64::try_from(up).unwrap_or(i64::MAX)),
            });
            Json(body).into_response()
        }
        Err(reason) => {
            let body = json!({
                "status": "Server not available",
                "upSince": "0001-01-01T00:00:00Z",
                "uptime": "",
                "reason": reason,
            });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

async fn status_of_jaeger_v2(State(admin): State<Arc<Admin>>) -> Response {
    let start_time = rfc3339(admin.since_unix_nanos);
    let status_time = rfc3339(admin.state.clock.unix_nanos());
    match admin.state.health.ready() {
        Ok(()) => Json(json!({
            "start_time": start_time,
            "healthy": true,
            "status": "StatusOK",
            "status_time": status_time,
        }))
        .into_response(),
        Err(reason) => {
            let status = if admin.state.health.started().is_err() {
                "StatusStarting"
            } else {
                "StatusRecoverableError"
            };
            let body = json!({
                "start_time": start_time,
                "healthy": false,
                "status": status,
                "error": reason,
                "status_time": status_time,
            });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

fn rfc3339(unix_nanos: u64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(unix_nanos))
        .map_or_else(|_| String::new(), |time| time.to_string())
}

fn yes_or_reason(answer: Result<(), String>, yes: &'static str) -> Response {
    match answer {
        Ok(()) => yes.into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn ready(State(admin): State<Arc<Admin>>) -> Response {
    yes_or_reason(admin.state.health.ready(), "ready\n")
}

async fn started(State(admin): State<Arc<Admin>>) -> Response {
    yes_or_reason(admin.state.health.started(), "started\n")
}

async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    const OPEN_METRICS: HeaderValue =
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    match admin.state.metrics.print() {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics can't be printed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// `?wait=false` is answered when the work has begun.
async fn finalise(State(admin): State<Arc<Admin>>, RawQuery(query): RawQuery) -> Response {
    let work = admin.state.health.finalise();
    if query.as_deref() != Some("wait=false") {
        return yes_or_reason(work.await, "done\n");
    }
    admin.tasks.spawn(async move {
        if let Err(why) = work.await {
            tracing::error!(%why, "the work that was put off could not be done");
        }
    });
    (StatusCode::ACCEPTED, "begun\n").into_response()
}

/// Whose pins are meant: the request's tenant, or the one that there is without tenants.
type Whose = Option<Extension<TenantId>>;

fn tenant(whose: Whose) -> TenantId {
    whose.map(|Extension(tenant)| tenant).unwrap_or_default()
}

async fn pin(
    State(admin): State<Arc<Admin>>,
    Path(trace_id): Path<String>,
    whose: Whose,
) -> Response {
    let nothing = "there is no span of that trace\n";
    match TraceId::parse(&trace_id) {
        Ok(trace_id) => {
            let answer = admin.state.pins.pin(&tenant(whose), trace_id);
            changed(answer.await, "pinned\n", nothing)
        }
        Err(why) => (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response(),
    }
}

async fn unpin(
    State(admin): State<Arc<Admin>>,
    Path(trace_id): Path<String>,
    whose: Whose,
) -> Response {
    let nothing = "that trace is not pinned\n";
    match TraceId::parse(&trace_id) {
        Ok(trace_id) => {
            let answer = admin.state.pins.unpin(&tenant(whose), trace_id);
            changed(answer.await, "unpinned\n", nothing)
        }
        Err(why) => (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response(),
    }
}

fn changed(answer: Result<bool, PinError>, done: &'static str, nothing: &'static str) -> Response {
    match answer {
        Ok(true) => done.into_response(),
        Ok(false) => (StatusCode::NOT_FOUND, nothing).into_response(),
        Err(error) => refused(&error),
    }
}

async fn pins(State(admin): State<Arc<Admin>>, whose: Whose) -> Response {
    match admin.state.pins.pins(&tenant(whose)).await {
        Ok(pins) => {
            let pins = pins.iter().map(|pin| {
                json!({
                    "traceID": pin.trace_id.to_string(),
                    "since": rfc3339(pin.since_unix_nanos),
                })
            });
            Json(json!({ "pins": pins.collect::<Vec<_>>() })).into_response()
        }
        Err(error) => refused(&error),
    }
}

fn refused(error: &PinError) -> Response {
    let status = match error {
        PinError::TooMany { .. } => StatusCode::CONFLICT,
        PinError::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        PinError::Failed { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, format!("{error}\n")).into_response()
}

async fn version() -> Response {
    Json(json!({ "name": "trackway", "version": env!("CARGO_PKG_VERSION") })).into_response()
}
