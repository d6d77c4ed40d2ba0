//! Why Cassandra did not do what it was asked for: what passes, what somebody must change, and what is wrong for good.

use std::error::Error;

use model::contract::{ReadError, WriteError};
use scylla::errors::{DbError, ExecutionError, NewSessionError, PrepareError, RequestAttemptError};

/// What went wrong.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// It is not there, or has no room now: the same may be done later.
    Away(String),
    /// Whoever runs it must change something: a password, a right.
    Forbidden(String),
    /// Tables are not there.
    Missing(String),
    /// It never does this.
    Refused(String),
    /// It said something that is not understood.
    Unreadable(String),
}

impl Fault {
    /// In one line what happened.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Away(why) | Self::Forbidden(why) | Self::Missing(why) | Self::Refused(why) => {
                why.clone()
            }
            Self::Unreadable(why) => format!("its answer can't be read: {why}"),
        }
    }

    /// Whether the same may be done a moment later.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self, Self::Away(_))
    }

    pub(super) fn unwritten(self) -> WriteError {
        let reason = format!("Cassandra: {}", self.reason());
        match self {
            Self::Away(_) | Self::Forbidden(_) | Self::Missing(_) => {
                WriteError::Unavailable { reason }
            }
            Self::Refused(_) | Self::Unreadable(_) => WriteError::Failed { reason },
        }
    }

    pub(super) fn unread(self) -> ReadError {
        let reason = format!("Cassandra: {}", self.reason());
        match self {
            Self::Away(_) => ReadError::Busy { reason },
            _ => ReadError::Failed { reason },
        }
    }

    /// That there is no connection.
    pub(super) fn of_session(error: &NewSessionError) -> Self {
        Self::of_connection(&said(error))
    }

    fn of_connection(why: &str) -> Self {
        let lower = why.to_ascii_lowercase();
        let is_login = ["authentication", "credentials", "username"]
            .iter()
            .any(|word| lower.contains(word));
        match is_login {
            true => Self::Forbidden(format!(
                "it does not let the program in ({why}); see backend.cassandra.username and password_file"
            )),
            false => Self::Away(format!("it can't be reached: {why}")),
        }
    }

    pub(super) fn of_prepare(error: PrepareError) -> Self {
        match error {
            PrepareError::AllAttemptsFailed { first_attempt } => Self::of_attempt(&first_attempt),
            PrepareError::ConnectionPoolError(error) => Self::of_connection(&said(&error)),
            other => Self::Away(said(&other)),
        }
    }

    pub(super) fn of_execution(error: &ExecutionError) -> Self {
        match error {
            ExecutionError::LastAttemptError(attempt) => Self::of_attempt(attempt),
            ExecutionError::PrepareError(error) => Self::of_prepare(error.clone()),
            ExecutionError::BadQuery(error) => Self::Refused(said(error)),
            ExecutionError::ConnectionPoolError(error) => Self::of_connection(&said(error)),
            ExecutionError::EmptyPlan => Self::Away(
                "no server of it can be asked; see backend.cassandra.local_datacenter".to_owned(),
            ),
            other => Self::Away(said(other)),
        }
    }

    fn of_attempt(error: &RequestAttemptError) -> Self {
        let RequestAttemptError::DbError(kind, text) = error else {
            return match error {
                RequestAttemptError::BrokenConnectionError(_)
                | RequestAttemptError::UnableToAllocStreamId => Self::Away(said(error)),
                RequestAttemptError::SerializationError(_)
                | RequestAttemptError::CqlRequestSerialization(_) => Self::Refused(said(error)),
                other => Self::Unreadable(said(other)),
            };
        };
        match kind {
            DbError::AuthenticationError | DbError::Unauthorized => {
                Self::Forbidden(format!("it does not allow this: {text}"))
            }
            DbError::Invalid | DbError::ConfigError if is_of_schema(text) => {
                Self::Missing(format!("{text}; `trackway storage init` makes the tables"))
            }
            // What whoever runs it has set for how full disks may be.
            DbError::Invalid if text.contains("disk usage exceeds") => {
                Self::Forbidden(format!("it takes nothing now: {text}"))
            }
            DbError::SyntaxError
            | DbError::Invalid
            | DbError::ConfigError
            | DbError::AlreadyExists { .. }
            | DbError::FunctionFailure { .. } => {
                Self::Refused(format!("it does not take this: {text}"))
            }
            DbError::ServerError if text.contains("too large") => {
                Self::Refused(format!("it does not take this: {text}"))
            }
            _ => Self::Away(format!("{kind}: {text}")),
        }
    }
}

/// Whether a text of the server says that a table is missing, or what holds it.
fn is_of_schema(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    [
        "unconfigured table",
        "does not exist",
        "unknown keyspace",
        "undefined column",
    ]
    .iter()
    .any(|words| lower.contains(words))
}

/// What an error says, and what those below it say that it does not.
fn said(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        below = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_from_what_is_wrong() {
        let of = |kind: DbError, text: &str| {
            Fault::of_attempt(&RequestAttemptError::DbError(kind, text.to_owned()))
        };
        let missing = of(DbError::Invalid, "unconfigured table traces");
        assert!(
            matches!(&missing, Fault::Missing(why) if why.contains("storage init")),
            "{missing:?}"
        );
        let long = of(
            DbError::Invalid,
            "Key length of 70000 is longer than maximum of 65535",
        );
        assert!(matches!(long, Fault::Refused(_)), "{long:?}");
        let full = of(
            DbError::Invalid,
            "Guardrail replica_disk_usage violated: Write request failed because disk usage exceeds failure threshold",
        );
        assert!(matches!(full, Fault::Forbidden(_)), "{full:?}");
        let large = of(DbError::ServerError, "Mutation of 20 bytes is too large");
        assert!(matches!(large, Fault::Refused(_)), "{large:?}");
        assert!(of(DbError::Overloaded, "busy").is_passing());
        assert!(of(DbError::ServerError, "oops").is_passing());
        let login = Fault::of_connection("Provided username u and/or password are incorrect");
        assert!(matches!(login, Fault::Forbidden(_)), "{login:?}");
    }
}
