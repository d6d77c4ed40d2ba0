//! Routes of parts that are not configured: a metrics backend, and analyses that Jaeger has samples of.
//!
//! Promises: parameters are checked first, as in Jaeger, so that a client's mistake is told before our lack.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};

use super::Jaeger;
use super::envelope::{ApiError, json};
use super::parameters::{Parameters, unable};
use super::paths::not_found;
use crate::go_text;

const LOOKBACK_MILLIS: i64 = 3_600_000;
const STEP_MILLIS: i64 = 5_000;
const RATE_MILLIS: i64 = 600_000;
const SPAN_KINDS: [&str; 6] = [
    "unspecified",
    "internal",
    "server",
    "client",
    "producer",
    "consumer",
];

pub(super) async fn metrics(
    State(jaeger): State<Arc<Jaeger>>,
    Path(metric): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    if !matches!(metric.as_str(), "latencies" | "calls" | "errors") {
        return not_found().await;
    }
    let parameters = Parameters::parse(query.as_deref());
    let now_millis = i64::try_from(jaeger.clock.unix_nanos() / 1_000_000).unwrap_or(i64::MAX);
    let error = check_metrics(&metric, &parameters, now_millis)
        .err()
        .unwrap_or_else(|| ApiError {
            status: 501,
            message: "trace metrics are currently disabled - no metrics backend configured"
                .to_owned(),
        });
    error.into_response()
}

fn check_metrics(metric: &str, parameters: &Parameters, now_millis: i64) -> Result<(), ApiError> {
    if metric == "latencies" {
        go_text::parse_float(parameters.first("quantile"))
            .map_err(|why| unable("quantile", &why))?;
    }
    if parameters.all("service").next().is_none() {
        return Err(unable(
            "service",
            "please provide at least one service name",
        ));
    }
    parameters.bool("groupByOperation")?;
    for kind in parameters.all("spanKind") {
        if !SPAN_KINDS.contains(&kind.to_ascii_lowercase().as_str()) {
            return Err(unable(
                "spanKind",
                &format!("unsupported span kind: '{kind}'"),
            ));
        }
    }
    parameters.int("endTs", now_millis)?;
    parameters.int("lookback", LOOKBACK_MILLIS)?;
    parameters.int("step", STEP_MILLIS)?;
    parameters.int("ratePer", RATE_MILLIS)?;
    Ok(())
}

/// There is no such analysis; Jaeger gives an invented one.
pub(super) async fn deep_dependencies(RawQuery(query): RawQuery) -> Response {
    json(
        "{\"dependencies\":[]}".to_owned(),
        &Parameters::parse(query.as_deref()),
    )
}

/// There is no such analysis; Jaeger gives an invented one.
pub(super) async fn quality_metrics(RawQuery(query): RawQuery) -> Response {
    let empty =
        "{\"traceQualityDocumentationLink\":\"\",\"scores\":[],\"metrics\":[],\"clients\":[]}";
    json(empty.to_owned(), &Parameters::parse(query.as_deref()))
}
