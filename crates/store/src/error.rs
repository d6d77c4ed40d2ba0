//! What can go wrong with the store, sorted by what the caller can do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::segment::SegmentError;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has the data folder.
    #[error("data folder \"{}\" is in use by another process ({holder}); \
             stop it or choose another folder with --data-dir", dir.display())]
    Locked {
        /// The data folder.
        dir: PathBuf,
        /// What the holder's lock file says.
        holder: String,
    },
    /// The data folder was written by a newer version.
    #[error("data folder \"{}\" has format {found}, this program reads up to {known}; \
             use a newer version of the program", dir.display())]
    Format {
        /// The data folder.
        dir: PathBuf,
        /// What it says.
        found: String,
        /// What is known here.
        known: u32,
    },
    /// The operating system refused.
    #[error("could not {doing} \"{}\": {source}", path.display())]
    Io {
        /// The verb.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The log failed.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// A segment failed.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// A list of segments that can't be written.
    #[error("could not write the list of segments: {reason}")]
    Manifest {
        /// What happened.
        reason: String,
    },
    /// No more traces can be pinned.
    #[error("tenant \"{tenant}\" has {max} pinned traces, which is the most; unpin some first")]
    PinsFull {
        /// The tenant.
        tenant: String,
        /// How many there may be.
        max: usize,
    },
    /// The work that is put off could not be done.
    #[error("what was put off could not be done: {reason}")]
    Unfinished {
        /// What happened.
        reason: String,
    },
    /// The store was told to stop, or has failed for good.
    #[error("the store has stopped: {reason}")]
    Stopped {
        /// Why.
        reason: String,
    },
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }

    /// Tells whether more room on the disk would help.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Io { source, .. } => is_full(source),
            Self::Journal(error) => error.kind() == journal::ErrorKind::Full,
            Self::Segment(SegmentError::Io { source, .. }) => is_full(source),
            _ => false,
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
