//! What can go wrong with a segment, sorted by what the caller does about it.

use std::io;
use std::path::{Path, PathBuf};

/// What the caller can do about a [`SegmentError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentErrorKind {
    /// A file does not hold what was written: answer from the rest, say what was skipped, set the file aside.
    Corrupt,
    /// The operating system refused; a later call is tried afresh.
    Io,
    /// The caller asked for the impossible, or we broke a rule of our own.
    Bug,
    /// The caller took the question back, or allows no more.
    Cancelled,
    /// The question itself is at fault.
    Question,
}

/// A failure of a segment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentError {
    /// A file does not hold what was written.
    #[error("segment file \"{}\" is damaged: {what}; check the disk and run the store's check", file.display())]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// What is wrong, and where.
        what: String,
    },
    /// The operating system refused.
    #[error("could not {doing} segment file \"{}\"", path.display())]
    Io {
        /// The verb.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A fault of ours.
    #[error("segment broke a rule: {what}")]
    Bug {
        /// Which.
        what: String,
    },
    /// The caller took the question back.
    #[error("the question was taken back")]
    Cancelled,
    /// The question has looked at as much as it may.
    #[error("the question has looked at as much as it may")]
    Spent,
    /// The predicate can't be evaluated.
    #[error("{source}")]
    Question {
        /// Why.
        source: model::evaluate::PredicateError,
    },
}

impl SegmentError {
    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> SegmentErrorKind {
        match self {
            Self::Corrupt { .. } => SegmentErrorKind::Corrupt,
            Self::Io { .. } => SegmentErrorKind::Io,
            Self::Bug { .. } => SegmentErrorKind::Bug,
            Self::Cancelled | Self::Spent => SegmentErrorKind::Cancelled,
            Self::Question { .. } => SegmentErrorKind::Question,
        }
    }

    pub(crate) fn corrupt(file: &Path, what: impl Into<String>) -> Self {
        Self::Corrupt {
            file: file.to_path_buf(),
            what: what.into(),
        }
    }

    pub(crate) fn bug(what: impl Into<String>) -> Self {
        Self::Bug { what: what.into() }
    }

    /// Names a failure of the operating system; a file that is missing or too short is damage, not a refusal.
    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::UnexpectedEof => {
                Self::corrupt(path, format!("it is too short: {source}"))
            }
            io::ErrorKind::NotFound if doing != "create" => Self::corrupt(path, "it is missing"),
            _ => Self::Io {
                doing,
                path: path.to_path_buf(),
                source,
            },
        }
    }
}
