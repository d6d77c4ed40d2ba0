//! The wrapping of the answers of version 3, and the one place where an error becomes its status.
//!
//! An error is `{"error":{"httpCode":…,"message":…}}` and a line end, as plain text. A good answer has no wrapping of
//! its own but `result` around traces, and is never indented.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use codec::generated::jaeger::api_v3::{ServiceSummary, TraceSummary};

use crate::jaeger::ask::{AskError, DEPTH_MESSAGE, INCOMPLETE};
use crate::jaeger::envelope::{ApiError, plain_text};
use crate::json_text::{push_list, push_number, push_text};

/// Why a request has no answer.
#[derive(Debug)]
pub(in crate::jaeger) struct Refused(ApiError);

impl Refused {
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self(ApiError::bad_request(message))
    }

    /// Says that a parameter can't be read, by the name that was sent.
    pub(super) fn malformed(name: &str, why: &str) -> Self {
        Self::bad_request(format!("malformed parameter {name}: {why}"))
    }

    pub(super) fn nothing_found() -> Self {
        Self(ApiError {
            status: 404,
            message: "No traces found".to_owned(),
        })
    }
}

impl From<AskError> for Refused {
    fn from(error: AskError) -> Self {
        Self(match error {
            AskError::Wrong(message) => ApiError::bad_request(message),
            AskError::Depth => ApiError {
                status: 500,
                message: DEPTH_MESSAGE.to_owned(),
            },
            AskError::Query(error) => error.into(),
            AskError::Busy(message) => ApiError {
                status: 503,
                message,
            },
        })
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let ApiError { status, message } = self.0;
        let mut body = String::from("{\"error\":{\"httpCode\":");
        push_number(&mut body, status);
        body.push_str(",\"message\":");
        push_text(&mut body, &message);
        body.push_str("}}\n");
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        plain_text(status, body)
    }
}

/// A good answer, with what it lacks.
pub(super) fn json(body: String, lacks: Option<HeaderValue>) -> Response {
    let json = HeaderValue::from_static("application/json");
    let mut response = ([(header::CONTENT_TYPE, json)], body).into_response();
    if let Some(lacks) = lacks {
        response.headers_mut().insert(INCOMPLETE, lacks);
    }
    response
}

/// Writes a summary; what is empty or zero is left out.
pub(super) fn push_summary(out: &mut String, summary: &TraceSummary) {
    out.push_str("{\"traceId\":");
    push_text(out, &summary.trace_id);
    push_some_text(out, "rootServiceName", &summary.root_service_name);
    push_some_text(out, "rootOperationName", &summary.root_operation_name);
    for (key, nanos) in [
        ("minStartTimeUnixNano", summary.min_start_time_unix_nano),
        ("maxEndTimeUnixNano", summary.max_end_time_unix_nano),
    ] {
        if nanos != 0 {
            push_some_text(out, key, &nanos.to_string());
        }
    }
    push_some_count(out, "spanCount", summary.span_count);
    push_some_count(out, "errorSpanCount", summary.error_span_count);
    push_some_count(out, "orphanSpanCount", summary.orphan_span_count);
    if !summary.services.is_empty() {
        out.push_str(",\"services\":");
        push_list(out, &summary.services, push_service);
    }
    out.push('}');
}

fn push_service(out: &mut String, service: &ServiceSummary) {
    out.push_str("{\"name\":");
    push_text(out, &service.name);
    push_some_count(out, "spanCount", service.span_count);
    push_some_count(out, "errorSpanCount", service.error_span_count);
    out.push('}');
}

fn push_some_text(out: &mut String, key: &str, text: &str) {
    if !text.is_empty() {
        out.push_str(",\"");
        out.push_str(key);
        out.push_str("\":");
        push_text(out, text);
    }
}

fn push_some_count(out: &mut String, key: &str, count: i32) {
    if count != 0 {
        out.push_str(",\"");
        out.push_str(key);
        out.push_str("\":");
        push_number(out, count);
    }
}
