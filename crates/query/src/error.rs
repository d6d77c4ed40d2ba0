//! The one error of this crate: a question that can't be answered.
//!
//! Promises: [`Error::kind`] says whose fault it is, so that each protocol maps it once.

use model::contract::ReadError;

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The cursor is not one of ours.
    #[error("cursor {cursor:?} is damaged; ask for the first page again")]
    BadCursor {
        /// What was given, cut short.
        cursor: String,
    },
    /// The cursor was made by another query.
    #[error("the cursor belongs to another query; ask for the first page of this one")]
    ForeignCursor,
    /// The traces found take too much memory.
    #[error(
        "the traces found take more than query.answer_bytes_max ({bytes_max} bytes); ask for fewer with limit"
    )]
    TooMuch {
        /// The limit.
        bytes_max: usize,
    },
    /// The text of a question is wrong.
    #[error("{}", .diagnostics.first().map_or_else(String::new, |first| first.message.clone()))]
    BadText {
        /// What is wrong, where.
        diagnostics: Vec<traceql::Diagnostic>,
    },
    /// What the store said.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The question is wrong.
    BadQuestion,
    /// The store lacks what it would take to answer.
    NotHere,
    /// The answer would be over a limit.
    OverLimit,
    /// Not now.
    Busy,
    /// A fault of ours.
    Failed,
}

impl Error {
    /// Whose fault it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::BadCursor { .. }
            | Self::ForeignCursor
            | Self::BadText { .. }
            | Self::Read(ReadError::BadQuestion { .. }) => ErrorKind::BadQuestion,
            Self::Read(ReadError::NotHere { .. }) => ErrorKind::NotHere,
            Self::TooMuch { .. } | Self::Read(ReadError::OverLimit { .. }) => ErrorKind::OverLimit,
            Self::Read(ReadError::Busy { .. }) => ErrorKind::Busy,
            Self::Read(ReadError::Failed { .. }) => ErrorKind::Failed,
        }
    }
}
