//! The archive: a trace that is archived is pinned, and is kept where it is, however old it gets.

use axum::extract::{Path, RawQuery};
use axum::response::Response;
use model::contract::PinError;

use super::Jaeger;
use super::envelope::{ApiError, json};
use super::parameters::{Parameters, trace_of_path};
use crate::guard::For;

/// What Jaeger answers; unlike elsewhere `errors` is a list.
const DONE: &str = r#"{"data":[],"total":0,"limit":0,"offset":0,"errors":[]}"#;

pub(super) async fn archive(
    For(jaeger): For<Jaeger>,
    Path(trace_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref());
    let trace_id = trace_of_path(&trace_id, &parameters)?;
    let pinned = jaeger.pins.pin(&jaeger.tenant, trace_id).await;
    let is_there = pinned.map_err(|error| ApiError {
        status: match error {
            PinError::TooMany { .. } => 422,
            PinError::Unavailable { .. } => 503,
            PinError::Failed { .. } => 500,
        },
        message: error.to_string(),
    })?;
    if !is_there {
        return Err(ApiError {
            status: 404,
            message: "trace not found".to_owned(),
        });
    }
    Ok(json(DONE.to_owned(), &parameters))
}
