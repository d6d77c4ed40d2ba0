//! Why a request was not taken, and how that is said in HTTP and in gRPC: the one place where errors become answers.
//!
//! Promises
//! - What the client should send again is 429 or 503 with `Retry-After`, or `UNAVAILABLE` with `RetryInfo`.
//! - What the client must not send again has none of these: a request that can never be taken is never retried.
//! - No message is longer than 1 KiB, and none holds anything of us but what the sender needs.

use access::Denied;
use codec::otlp::Detail;
use grpc::code;
use http::StatusCode;
use model::contract::WriteError;
use plumbing::{BudgetExceeded, PoolError};

use crate::limits::MESSAGE_BYTES_MAX;

/// Says why a request was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is nothing at this path.
    #[error("nothing is served at {path:?}; spans are taken at {expected}")]
    UnknownPath {
        /// What was asked for, cut short.
        path: String,
        /// Where spans are taken.
        expected: &'static str,
    },
    /// The path is right and the method is wrong.
    #[error("method {method} is not served here; use POST")]
    WrongMethod {
        /// The method.
        method: String,
    },
    /// The content type is none of ours.
    #[error("content type {given:?} is not taken here; use {accepted}")]
    WrongContentType {
        /// What was given, cut short.
        given: String,
        /// What is taken.
        accepted: &'static str,
    },
    /// The body is compressed in a way that we can't read.
    #[error("encoding {given:?} is not known; use {accepted}")]
    UnknownEncoding {
        /// What was given, cut short.
        given: String,
        /// What is taken.
        accepted: &'static str,
    },
    /// The request is larger than may ever be taken.
    #[error("{what} is over the limit of {bytes_max} bytes; send smaller batches")]
    TooLarge {
        /// Which part.
        what: &'static str,
        /// The limit.
        bytes_max: u64,
    },
    /// The bytes are not what they should be.
    #[error("the request can't be read: {reason}")]
    Malformed {
        /// What is wrong, and where.
        reason: String,
    },
    /// The call has not exactly one message.
    #[error("the call has {found}, and needs exactly one message")]
    WrongCardinality {
        /// What was found.
        found: &'static str,
    },
    /// Too much is under way.
    #[error("too much is under way: {reason}; send again later")]
    Overloaded {
        /// What is short.
        reason: String,
    },
    /// Nothing can be kept at the moment.
    #[error("spans can't be taken now: {reason}; send again later")]
    Unavailable {
        /// What must change.
        reason: String,
    },
    /// The body did not come in time. The sender may be behind a slow line: what it holds is not to be lost.
    #[error("the request's body did not come within {seconds} s; send again, in smaller batches")]
    TooSlow {
        /// The limit.
        seconds: u64,
    },
    /// The body ended before its end.
    #[error("the request's body broke off: {reason}")]
    BrokenOff {
        /// What was seen.
        reason: String,
    },
    /// The client's own deadline passed.
    #[error("the client's deadline passed before the spans were kept")]
    DeadlinePassed,
    /// The sender is not let in.
    #[error(transparent)]
    Denied(Denied),
    /// A fault of ours.
    #[error("a fault of the server: {reason}")]
    Failed {
        /// What happened.
        reason: String,
    },
}

/// The short word that a refusal is counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Wrong path, method, content type or encoding.
    NotServed,
    /// Over a limit that will not change.
    TooLarge,
    /// Bytes that can't be read.
    Malformed,
    /// Too much under way.
    Overloaded,
    /// Nothing can be kept at the moment.
    Unavailable,
    /// The body came too slowly, or not at all.
    TooSlow,
    /// The client's deadline passed or its body broke off.
    GivenUp,
    /// A fault of ours.
    Failed,
    /// The sender's credentials or tenant.
    Denied,
}

impl Reason {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::NotServed,
        Self::TooLarge,
        Self::Malformed,
        Self::Overloaded,
        Self::Unavailable,
        Self::TooSlow,
        Self::GivenUp,
        Self::Failed,
        Self::Denied,
    ];

    /// The word in the metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::NotServed => "not_served",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::Overloaded => "overloaded",
            Self::Unavailable => "unavailable",
            Self::TooSlow => "too_slow",
            Self::GivenUp => "given_up",
            Self::Failed => "failed",
            Self::Denied => "denied",
        }
    }

    /// The place in a list of counters.
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

impl Refusal {
    /// The word that this is counted under, which is also its class.
    #[must_use]
    pub fn kind(&self) -> Reason {
        match self {
            Self::UnknownPath { .. }
            | Self::WrongMethod { .. }
            | Self::WrongContentType { .. }
            | Self::UnknownEncoding { .. }
            | Self::WrongCardinality { .. } => Reason::NotServed,
            Self::TooLarge { .. } => Reason::TooLarge,
            Self::Malformed { .. } => Reason::Malformed,
            Self::Overloaded { .. } | Self::Denied(Denied::Busy) => Reason::Overloaded,
            Self::Unavailable { .. } => Reason::Unavailable,
            Self::TooSlow { .. } => Reason::TooSlow,
            Self::BrokenOff { .. } | Self::DeadlinePassed => Reason::GivenUp,
            Self::Denied(_) => Reason::Denied,
            Self::Failed { .. } => Reason::Failed,
        }
    }

    /// The HTTP status.
    pub(crate) fn http_status(&self) -> StatusCode {
        match self {
            Self::UnknownPath { .. } => StatusCode::NOT_FOUND,
            Self::WrongMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::WrongContentType { .. } | Self::UnknownEncoding { .. } => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Malformed { .. } | Self::WrongCardinality { .. } | Self::BrokenOff { .. } => {
                StatusCode::BAD_REQUEST
            }
            Self::Overloaded { .. } => StatusCode::TOO_MANY_REQUESTS,
            // OTLP's clients send again after 503, never after 408.
            Self::Unavailable { .. } | Self::TooSlow { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::DeadlinePassed => StatusCode::GATEWAY_TIMEOUT,
            Self::Denied(denied) => denied.http_status(),
            Self::Failed { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The code of gRPC, which is also the code in a `google.rpc.Status`.
    pub(crate) fn grpc_code(&self) -> i32 {
        match self {
            Self::UnknownPath { .. }
            | Self::WrongMethod { .. }
            | Self::WrongContentType { .. }
            | Self::UnknownEncoding { .. }
            | Self::WrongCardinality { .. } => code::UNIMPLEMENTED,
            // Never OUT_OF_RANGE: OTLP's clients would send the same bytes again for ever.
            Self::TooLarge { .. } if plumbing::planted("receive-oversize-retryable") => {
                code::OUT_OF_RANGE
            }
            Self::TooLarge { .. } => code::RESOURCE_EXHAUSTED,
            Self::Malformed { .. } => code::INVALID_ARGUMENT,
            Self::Overloaded { .. } | Self::Unavailable { .. } | Self::TooSlow { .. } => {
                code::UNAVAILABLE
            }
            Self::BrokenOff { .. } => code::CANCELLED,
            Self::DeadlinePassed => code::DEADLINE_EXCEEDED,
            Self::Denied(denied) => denied.grpc_code(),
            Self::Failed { .. } => code::INTERNAL,
        }
    }

    /// Seconds after which the client should send again, 1 to 10; none when it must not.
    ///
    /// Successive refusals (`turn` counts them) get different seconds, so that the clients don't come back at once.
    pub(crate) fn retry_after_s(&self, turn: u64) -> Option<u32> {
        let step = |of: u64| u32::try_from(turn % of).unwrap_or(0);
        match self {
            Self::Overloaded { .. } | Self::TooSlow { .. } | Self::Denied(Denied::Busy) => {
                Some(1 + step(4))
            }
            Self::Unavailable { .. } => Some(5 + step(6)),
            _ => None,
        }
    }

    /// What a `google.rpc.Status` says beside code and message.
    pub(crate) fn details(&self, retry_after_s: Option<u32>) -> Vec<Detail> {
        let mut details = Vec::new();
        if let Self::Malformed { reason } = self {
            details.push(Detail::BadRequest {
                field: "resource_spans".to_owned(),
                description: shorten(reason),
            });
        }
        if let Some(seconds) =
            retry_after_s.filter(|_| !plumbing::planted("receive-retry-info-missing"))
        {
            details.push(Detail::RetryInfo {
                seconds: u64::from(seconds),
            });
        }
        details
    }

    /// The text for the client.
    pub(crate) fn message(&self) -> String {
        shorten(&self.to_string())
    }

    /// A refusal for want of budget: for good when the request alone would not fit, else for now.
    pub(crate) fn over_budget(held: u64, exceeded: &BudgetExceeded) -> Self {
        if held.saturating_add(exceeded.asked) > exceeded.limit {
            return Self::TooLarge {
                what: "the memory that the request needs",
                bytes_max: exceeded.limit,
            };
        }
        Self::Overloaded {
            reason: exceeded.to_string(),
        }
    }
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Busy { reason } => Self::Overloaded { reason },
            WriteError::Unavailable { reason } => Self::Unavailable { reason },
            WriteError::Failed { reason } => Self::Failed { reason },
        }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<PoolError> for Refusal {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Full => Self::Unavailable {
                reason: error.to_string(),
            },
            PoolError::Gone => Self::Failed {
                reason: error.to_string(),
            },
        }
    }
}

/// Cuts a text to what may be sent, at the end of a character.
pub(crate) fn shorten(text: &str) -> String {
    shorten_to(text, MESSAGE_BYTES_MAX)
}

/// Cuts a text to a number of bytes, at the end of a character.
pub(crate) fn shorten_to(text: &str, bytes_max: usize) -> String {
    let end = text.floor_char_boundary(bytes_max);
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Refusal> {
        let reason = || "x".to_owned();
        vec![
            Refusal::UnknownPath {
                path: reason(),
                expected: "/",
            },
            Refusal::WrongMethod { method: reason() },
            Refusal::WrongContentType {
                given: reason(),
                accepted: "y",
            },
            Refusal::UnknownEncoding {
                given: reason(),
                accepted: "y",
            },
            Refusal::TooLarge {
                what: "it",
                bytes_max: 1,
            },
            Refusal::Malformed { reason: reason() },
            Refusal::WrongCardinality { found: "none" },
            Refusal::Overloaded { reason: reason() },
            Refusal::Unavailable { reason: reason() },
            Refusal::TooSlow { seconds: 1 },
            Refusal::BrokenOff { reason: reason() },
            Refusal::DeadlinePassed,
            Refusal::Failed { reason: reason() },
            Refusal::Denied(Denied::NoTenant),
            Refusal::Denied(Denied::UnknownTenant),
        ]
    }

    #[test]
    fn only_what_should_be_sent_again_is_said_in_words_that_clients_retry_on() {
        for refusal in all() {
            let retried_http = matches!(refusal.http_status().as_u16(), 429 | 502 | 503 | 504);
            // The table of OTLP 1.11; RESOURCE_EXHAUSTED counts only with RetryInfo, which it never has here.
            let retried_grpc = matches!(refusal.grpc_code(), 1 | 4 | 10 | 11 | 14 | 15);
            let should_retry = matches!(
                refusal.kind(),
                Reason::Overloaded | Reason::Unavailable | Reason::TooSlow | Reason::GivenUp
            );
            assert_eq!(retried_grpc, should_retry, "{refusal:?}");
            // A body that broke off over HTTP has nobody left to answer: its status is of no matter.
            if !matches!(refusal, Refusal::BrokenOff { .. }) {
                assert_eq!(retried_http, should_retry, "{refusal:?}");
            }
        }
    }

    #[test]
    fn pauses_are_between_1_and_30_seconds_and_differ_from_turn_to_turn() {
        for refusal in all() {
            let pauses: Vec<_> = (0..100)
                .filter_map(|turn| refusal.retry_after_s(turn))
                .collect();
            assert!(pauses.iter().all(|pause| (1..=30).contains(pause)));
            assert!(pauses.is_empty() || pauses.iter().any(|pause| *pause != pauses[0]));
        }
    }

    #[test]
    fn a_request_that_can_never_fit_the_budget_is_refused_for_good() {
        let exceeded = BudgetExceeded {
            asked: 60,
            used: 90,
            limit: 100,
        };
        assert!(matches!(
            Refusal::over_budget(0, &exceeded),
            Refusal::Overloaded { .. }
        ));
        assert!(matches!(
            Refusal::over_budget(41, &exceeded),
            Refusal::TooLarge { bytes_max: 100, .. }
        ));
    }

    #[test]
    fn long_texts_are_cut_at_the_end_of_a_character() {
        let text = "ä".repeat(MESSAGE_BYTES_MAX);
        assert_eq!(shorten(&format!("x{text}")).len(), MESSAGE_BYTES_MAX - 1);
        assert_eq!(shorten(&text).len(), MESSAGE_BYTES_MAX);
    }
}
