//! Why the app's question has no answer, in one shape for all routes.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use plumbing::PoolError;
use query::ErrorKind;

use super::answers::{ApiError, ApiErrorBody, Diagnostic};

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct UiError {
    pub(super) status: StatusCode,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl UiError {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            hint: None,
            diagnostics: Vec::new(),
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn busy(error: PoolError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl From<query::Error> for UiError {
    fn from(error: query::Error) -> Self {
        let status = match error.kind() {
            ErrorKind::BadQuestion => StatusCode::BAD_REQUEST,
            // The app shows what there is instead.
            ErrorKind::NotHere => StatusCode::NOT_IMPLEMENTED,
            ErrorKind::OverLimit => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::Busy => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(%error, "a question of the web app failed");
        }
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for UiError {
    fn into_response(self) -> Response {
        let Self {
            status,
            message,
            hint,
            diagnostics,
        } = self;
        let error = ApiError {
            message,
            hint,
            diagnostics,
        };
        (status, Json(ApiErrorBody { error })).into_response()
    }
}

pub(super) async fn no_method() -> UiError {
    UiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this route is not asked in this way",
    )
    .with_hint("docs/ui-api.json has the method of each route")
}

pub(super) async fn no_route() -> UiError {
    UiError::new(
        StatusCode::NOT_FOUND,
        "there is no such route below /api/ui/v1",
    )
    .with_hint("the page and the server may be of different versions: reload the page")
}
