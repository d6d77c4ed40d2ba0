//! What holds for every request: it is counted, measured, and given up when its answer takes too long.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use plumbing::{Clock, Metrics, latency_buckets};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

use super::envelope::ApiError;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

/// Counts requests and measures their answers; labels are the routes' patterns, never what clients send.
#[derive(Debug, Clone)]
pub(super) struct RequestMetrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    clock: Arc<dyn Clock>,
    answer_timeout: Duration,
}

impl RequestMetrics {
    pub(super) fn new(metrics: &Metrics, clock: Arc<dyn Clock>, answer_timeout: Duration) -> Self {
        let requests = Family::default();
        let seconds = Family::new_with_constructor(latencies as fn() -> Histogram);
        metrics.register(|registry| {
            let help = "Requests of Jaeger's HTTP API by route and status";
            registry.register("trackway_serve_requests", help, requests.clone());
            let help = "Time until the answer of a request began, in seconds";
            registry.register("trackway_serve_request_seconds", help, seconds.clone());
        });
        Self {
            requests,
            seconds,
            clock,
            answer_timeout,
        }
    }
}

fn latencies() -> Histogram {
    Histogram::new(latency_buckets())
}

/// Passes a request on, and watches over it.
pub(super) async fn observe(
    State(metrics): State<RequestMetrics>,
    matched: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let route = matched.map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let before = metrics.clock.monotonic_nanos();
    let answered = tokio::time::timeout(metrics.answer_timeout, next.run(request)).await;
    let response = answered.unwrap_or_else(|_| {
        let seconds = metrics.answer_timeout.as_secs();
        let message = format!(
            "the answer took longer than serve.answer_timeout ({seconds} s); ask for less, or again later"
        );
        ApiError { status: 503, message }.into_response()
    });
    let taken = Duration::from_nanos(metrics.clock.monotonic_nanos().saturating_sub(before));
    let labels = RouteLabels {
        route: route.clone(),
    };
    metrics
        .seconds
        .get_or_create(&labels)
        .observe(taken.as_secs_f64());
    let status = response.status().as_u16();
    metrics
        .requests
        .get_or_create(&RequestLabels { route, status })
        .inc();
    response
}
