//! The program as the app sees it: how it is, traces that it sends to itself, traces kept for good.

use std::fmt::Debug;

use axum::Json;
use axum::http::StatusCode;
use model::contract::Answer;
use model::{TenantId, TraceId};

use super::Ui;
use super::answers::status::{ProgramStatus, SentAnswer, ServiceStatus, StatusAnswer};
use super::error::UiError;
use super::parameters::Sent;
use crate::guard::For;

/// What only the program knows.
pub trait Program: Send + Sync + Debug {
    /// How it is now.
    fn status(&self) -> ProgramStatus;

    /// Sends a small trace of a tenant to itself, the way that any sender's go; gives its id. An error is what the door
    /// said.
    fn send_test_trace(&self, tenant: &TenantId) -> Answer<'static, Result<TraceId, String>>;

    /// Sends an hour of a small shop's traces to itself, as a tenant's; gives the number of spans.
    fn send_sample(&self, tenant: &TenantId) -> Answer<'static, Result<u64, String>>;
}

/// `GET /status`
pub(super) async fn status(For(ui): For<Ui>) -> Result<Json<StatusAnswer>, UiError> {
    let seen = ui.parts.query.seen(&ui.parts.tenant).await?;
    let mut services: Vec<(ServiceStatus, u64)> = Vec::new();
    // Operations are sorted by service.
    for operation in seen.operations {
        match services.last_mut() {
            Some((service, last)) if service.service == operation.service => {
                service.operations += 1;
                *last = operation.last.max(*last);
            }
            _ => {
                let service = ServiceStatus {
                    service: operation.service,
                    last_ns: String::new(),
                    operations: 1,
                };
                services.push((service, operation.last));
            }
        }
    }
    let told = services.into_iter().map(|(service, last)| ServiceStatus {
        last_ns: last.to_string(),
        ..service
    });
    Ok(Json(StatusAnswer {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now_ns: ui.parts.clock.unix_nanos().to_string(),
        program: ui.parts.program.status(),
        services: told.collect(),
    }))
}

/// What a page sends: its type makes browsers ask before a page of another site may send it.
type Nothing = serde_json::Map<String, serde_json::Value>;

/// `POST /test-trace`
pub(super) async fn test_trace(
    For(ui): For<Ui>,
    Sent(_): Sent<Nothing>,
) -> Result<Json<SentAnswer>, UiError> {
    let sent = ui.parts.program.send_test_trace(&ui.parts.tenant).await;
    let trace_id = sent.map_err(not_taken)?;
    Ok(Json(SentAnswer {
        trace_id: Some(trace_id.to_string()),
        spans: 0,
    }))
}

/// `POST /sample`
pub(super) async fn sample(
    For(ui): For<Ui>,
    Sent(_): Sent<Nothing>,
) -> Result<Json<SentAnswer>, UiError> {
    let sent = ui.parts.program.send_sample(&ui.parts.tenant).await;
    let spans = sent.map_err(not_taken)?;
    Ok(Json(SentAnswer {
        trace_id: None,
        spans,
    }))
}

fn not_taken(why: String) -> UiError {
    UiError::new(StatusCode::BAD_GATEWAY, why)
        .with_hint("it went the way of spans that come by OTLP over HTTP")
}
