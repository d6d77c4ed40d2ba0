//! The wrapping of every answer, and the one place where an error becomes a status.
//!
//! `{"data":…,"total":N,"limit":0,"offset":0,"errors":null}` with all keys always; an error is the same with `data`
//! null, one line end behind it and, as Go's `http.Error` has it, the type of plain text.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::TraceId;
use model::contract::{OTHER_OPERATIONS, OperationsAnswer, Skipped};
use plumbing::planted;
use query::ErrorKind;

use super::parameters::Parameters;
use crate::json_text::{indent, push_list, push_number, push_text};

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) status: u16,
    pub(super) message: String,
}

impl ApiError {
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            message: message.into(),
        }
    }
}

impl From<query::Error> for ApiError {
    fn from(error: query::Error) -> Self {
        let status = match error.kind() {
            ErrorKind::BadQuestion | ErrorKind::NotHere => 400,
            ErrorKind::OverLimit => 422,
            ErrorKind::Busy => 503,
            ErrorKind::Failed => 500,
        };
        if status == 500 {
            tracing::error!(%error, "a question failed");
        }
        Self {
            status,
            message: error.to_string(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let error = AnswerError {
            code: self.status,
            message: self.message,
            trace_id: None,
        };
        let mut body = envelope("null".to_owned(), 0, &[error]);
        body.push('\n');
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        plain_text(status, body)
    }
}

/// A plain text that browsers must not take for anything else.
pub(super) fn plain_text(status: StatusCode, text: impl Into<String>) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        ),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    (status, headers, text.into()).into_response()
}

/// An entry of `errors`.
#[derive(Debug, Clone)]
pub(super) struct AnswerError {
    /// A status; 0 for none.
    code: u16,
    message: String,
    trace_id: Option<TraceId>,
}

impl AnswerError {
    pub(super) fn trace_not_found(trace_id: TraceId) -> Self {
        Self {
            code: 0,
            message: "trace not found".to_owned(),
            trace_id: Some(trace_id),
        }
    }

    pub(super) fn told(message: String) -> Self {
        Self {
            code: 0,
            message,
            trace_id: None,
        }
    }

    /// Says what the answer lacks; it is true without it.
    pub(super) fn skipped(skipped: &Skipped) -> Self {
        let Skipped { what, why } = skipped;
        Self::told(format!(
            "this answer is incomplete: {what} was skipped: {why}"
        ))
    }
}

/// A good answer: data as JSON, and what must be said beside it.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) data: String,
    pub(super) total: usize,
    pub(super) errors: Vec<AnswerError>,
}

impl Answer {
    pub(super) fn push_skipped(&mut self, skipped: &[Skipped]) {
        if !planted("serve-skipped-not-told") {
            self.errors.extend(skipped.iter().map(AnswerError::skipped));
        }
    }

    /// Says that there are operations that are not listed.
    pub(super) fn push_unlisted(&mut self, known: &OperationsAnswer) {
        if !known.is_all && !planted("serve-unlisted-not-told") {
            self.errors.push(AnswerError::told(format!(
                "this answer is incomplete: there are more operations than can be listed; \"{OTHER_OPERATIONS}\" \
                 stands for the others, which are found when they are searched for by name"
            )));
        }
    }

    pub(super) fn into_response(self, parameters: &Parameters) -> Response {
        json(envelope(self.data, self.total, &self.errors), parameters)
    }
}

/// An answer in JSON, indented if the request wants it so.
pub(super) fn json(compact: String, parameters: &Parameters) -> Response {
    let is_pretty = !matches!(parameters.first("prettyPrint"), "" | "false");
    let body = if is_pretty { indent(&compact) } else { compact };
    (
        [(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        )],
        body,
    )
        .into_response()
}

/// Puts the envelope around data, in place: data may be many megabytes.
fn envelope(mut out: String, total: usize, errors: &[AnswerError]) -> String {
    out.insert_str(0, "{\"data\":");
    out.push_str(",\"total\":");
    push_number(&mut out, total);
    out.push_str(",\"limit\":0,\"offset\":0,\"errors\":");
    if errors.is_empty() {
        out.push_str("null");
    } else {
        push_list(&mut out, errors, push_error);
    }
    out.push('}');
    out
}

fn push_error(out: &mut String, error: &AnswerError) {
    out.push('{');
    if error.code != 0 {
        out.push_str("\"code\":");
        push_number(out, error.code);
        out.push(',');
    }
    out.push_str("\"msg\":");
    push_text(out, &error.message);
    if let Some(trace_id) = error.trace_id {
        out.push_str(",\"traceID\":");
        push_text(out, &trace_id.jaeger_text());
    }
    out.push('}');
}
