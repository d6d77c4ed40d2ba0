//! gRPC's status of a call, and which error has which.

use grpc::code;
use model::contract::PinError;
use query::ErrorKind;

use crate::jaeger::ask::{AskError, DEPTH_MESSAGE};

/// How a call ends that has no answer, or no more of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) code: i32,
    pub(super) message: String,
}

impl Status {
    pub(super) fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(code::INVALID_ARGUMENT, message)
    }

    pub(super) fn deadline_passed() -> Self {
        let message = "the answer took longer than the call's deadline or query.answer_timeout; ask for less, or \
                       again later";
        Self::new(code::DEADLINE_EXCEEDED, message)
    }

    /// What can't be read as the message that the method takes; Jaeger's words and code.
    pub(super) fn unreadable(why: &str) -> Self {
        let message = format!("grpc: failed to unmarshal the received message: {why}");
        Self::new(code::INTERNAL, message)
    }

    /// The status of an error; failures begin with what failed. A wrong search depth has a code of its own.
    pub(super) fn of(error: AskError, failed: &str, depth: i32) -> Self {
        match error {
            AskError::Wrong(message) => Self::invalid(message),
            AskError::Depth => Self::new(depth, format!("{failed}{DEPTH_MESSAGE}")),
            AskError::Busy(message) => Self::new(code::UNAVAILABLE, message),
            AskError::Query(error) => {
                let message = error.to_string();
                match error.kind() {
                    ErrorKind::BadQuestion | ErrorKind::NotHere => Self::invalid(message),
                    ErrorKind::OverLimit => Self::new(code::RESOURCE_EXHAUSTED, message),
                    ErrorKind::Busy => Self::new(code::UNAVAILABLE, message),
                    ErrorKind::Failed => {
                        tracing::error!(%error, "a question failed");
                        Self::new(code::INTERNAL, format!("{failed}{message}"))
                    }
                }
            }
        }
    }

    /// The status of a trace that could not be kept.
    pub(super) fn of_pin(error: &PinError) -> Self {
        let code = match error {
            PinError::TooMany { .. } => code::RESOURCE_EXHAUSTED,
            PinError::Unavailable { .. } => code::UNAVAILABLE,
            PinError::Failed { .. } => code::INTERNAL,
        };
        Self::new(code, format!("failed to archive trace: {error}"))
    }
}
