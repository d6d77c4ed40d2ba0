//! What a sender is told: the body of a success, of a partial success and of an error, in either encoding.
//!
//! Promises: without anything to say, the success says nothing: `partial_success` is unset (an empty body in
//! protobuf, `{}` in JSON). Messages are cut at [`MESSAGE_BYTES_MAX`].

use prost::Message as _;
use serde_json::{Map, Value, json};

use super::Encoding;
use crate::MESSAGE_BYTES_MAX;
use crate::generated::google::protobuf::{Any, Duration};
use crate::generated::google::rpc::{BadRequest, RetryInfo, Status, bad_request::FieldViolation};
use crate::generated::opentelemetry::proto::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use crate::notes::cut;

/// Begins the type of every detail.
const TYPE_PREFIX: &str = "type.googleapis.com/google.rpc.";

/// A detail of an error, for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// Something in the request is wrong.
    BadRequest {
        /// What: a path like `resource_spans`; empty for the whole body.
        field: String,
        /// What is wrong with it.
        description: String,
    },
    /// The sender may try again, and when.
    RetryInfo {
        /// The pause, in seconds.
        seconds: u64,
    },
}

/// The body of an `ExportTraceServiceResponse`. `message` says why spans were rejected, or is a warning.
#[must_use]
pub fn success_body(encoding: Encoding, rejected_spans: u64, message: &str) -> Vec<u8> {
    let rejected_spans = i64::try_from(rejected_spans).unwrap_or(i64::MAX);
    let error_message = cut(message.to_owned(), MESSAGE_BYTES_MAX);
    let has_something_to_say = rejected_spans != 0 || !error_message.is_empty();
    let partial = has_something_to_say.then_some(ExportTracePartialSuccess {
        rejected_spans,
        error_message,
    });
    match encoding {
        Encoding::Proto => ExportTraceServiceResponse {
            partial_success: partial,
        }
        .encode_to_vec(),
        Encoding::Json => success_json(partial).to_string().into_bytes(),
    }
}

fn success_json(partial: Option<ExportTracePartialSuccess>) -> Value {
    let Some(partial) = partial else {
        return json!({});
    };
    let mut fields = Map::new();
    if partial.rejected_spans != 0 {
        // Protobuf's JSON writes 64-bit numbers as text.
        fields.insert(
            "rejectedSpans".into(),
            partial.rejected_spans.to_string().into(),
        );
    }
    if !partial.error_message.is_empty() {
        fields.insert("errorMessage".into(), partial.error_message.into());
    }
    json!({ "partialSuccess": fields })
}

/// The body of a `google.rpc.Status`; `code` is gRPC's number.
#[must_use]
pub fn status_body(encoding: Encoding, code: i32, message: &str, details: &[Detail]) -> Vec<u8> {
    let message = cut(message.to_owned(), MESSAGE_BYTES_MAX);
    match encoding {
        Encoding::Proto => {
            let details = details.iter().map(detail_any).collect();
            Status {
                code,
                message,
                details,
            }
            .encode_to_vec()
        }
        Encoding::Json => {
            let mut status = Map::new();
            status.insert("code".into(), code.into());
            status.insert("message".into(), message.into());
            if !details.is_empty() {
                status.insert("details".into(), details.iter().map(detail_json).collect());
            }
            Value::Object(status).to_string().into_bytes()
        }
    }
}

fn detail_any(detail: &Detail) -> Any {
    let (name, value) = match detail {
        Detail::BadRequest { field, description } => {
            let description = cut(description.clone(), MESSAGE_BYTES_MAX);
            let violation = FieldViolation {
                field: cut(field.clone(), MESSAGE_BYTES_MAX),
                description,
            };
            (
                "BadRequest",
                BadRequest {
                    field_violations: vec![violation],
                }
                .encode_to_vec(),
            )
        }
        Detail::RetryInfo { seconds } => {
            let seconds = i64::try_from(*seconds).unwrap_or(i64::MAX);
            (
                "RetryInfo",
                RetryInfo {
                    retry_delay: Some(Duration { seconds, nanos: 0 }),
                }
                .encode_to_vec(),
            )
        }
    };
    Any {
        type_url: format!("{TYPE_PREFIX}{name}"),
        value,
    }
}

fn detail_json(detail: &Detail) -> Value {
    match detail {
        Detail::BadRequest { field, description } => json!({
            "@type": format!("{TYPE_PREFIX}BadRequest"),
            "fieldViolations": [{
                "field": cut(field.clone(), MESSAGE_BYTES_MAX),
                "description": cut(description.clone(), MESSAGE_BYTES_MAX),
            }],
        }),
        Detail::RetryInfo { seconds } => json!({
            "@type": format!("{TYPE_PREFIX}RetryInfo"),
            "retryDelay": format!("{seconds}s"),
        }),
    }
}
