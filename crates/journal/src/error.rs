//! What can go wrong with the journal, sorted by what the caller does about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why the visitor of a replay gave up.
pub type VisitError = Box<dyn std::error::Error + Send + Sync>;

/// What the caller can do about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The disk is full: refuse the request for now; a later append is tried afresh.
    Full,
    /// This append is not acknowledged; make the acknowledged frames of the named range durable elsewhere.
    SyncFailed,
    /// The journal takes no more frames: stop the process.
    Fatal,
    /// A file cannot be understood by this version.
    Corrupt,
    /// The operating system refused; a later call is tried afresh.
    Io,
    /// The visitor of the replay gave up.
    Visit,
    /// The caller asked for the impossible.
    Bug,
}

/// A failure of the journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No room on the disk; nothing of this append is valid.
    #[error("no room for the journal at \"{}\"; free disk space or raise the quota", path.display())]
    Full {
        /// The file that could not grow.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A sync failed; the file takes no more frames, a new one is ready (or, on a full disk, tried by the next append).
    #[error("could not sync journal file \"{}\"; its frames {set_aside_first_sequence} to \
             {set_aside_last_sequence} must be made durable elsewhere, check the disk", path.display())]
    SyncFailed {
        /// The file that is not written again.
        path: PathBuf,
        /// First acknowledged sequence in that file.
        set_aside_first_sequence: u64,
        /// Last acknowledged sequence in that file; below the first when there is none.
        set_aside_last_sequence: u64,
        /// What the operating system said.
        source: io::Error,
    },
    /// A second failure in a row.
    #[error("the journal gave up after failures in a row: {why}; check the disk and start again")]
    Fatal {
        /// The last failure.
        why: String,
    },
    /// A file or frame of a version that is not known here.
    #[error(
        "journal file \"{}\" at byte {offset}: {why}; use the version that wrote it or a newer one",
        path.display()
    )]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is not known.
        why: String,
    },
    /// Another failure of the operating system.
    #[error("could not {doing} \"{}\" for the journal", path.display())]
    Io {
        /// The verb.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The visitor gave up.
    #[error("frame {sequence} could not be taken over from the journal")]
    Visit {
        /// The frame's sequence.
        sequence: u64,
        /// What the visitor said.
        source: VisitError,
    },
    /// A frame that the format cannot hold.
    #[error("frame refused by the journal: {why}")]
    Refused {
        /// Which bound it breaks.
        why: String,
    },
}

impl Error {
    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Full { .. } => ErrorKind::Full,
            Error::SyncFailed { .. } => ErrorKind::SyncFailed,
            Error::Fatal { .. } => ErrorKind::Fatal,
            Error::Unsupported { .. } => ErrorKind::Corrupt,
            Error::Io { .. } => ErrorKind::Io,
            Error::Visit { .. } => ErrorKind::Visit,
            Error::Refused { .. } => ErrorKind::Bug,
        }
    }

    /// Names a failure of the operating system; a full disk is told apart.
    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        if is_full(&source) {
            Error::Full { path, source }
        } else {
            Error::Io {
                doing,
                path,
                source,
            }
        }
    }

    /// The message with its causes, for a report that outlives the error.
    pub(crate) fn in_full(&self) -> String {
        match std::error::Error::source(self) {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        }
    }
}

/// Whether the disk or the quota is full.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
