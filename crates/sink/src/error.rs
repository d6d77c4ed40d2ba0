//! Why the buffer could not be opened.

use std::io;
use std::path::PathBuf;

/// A failure at the start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else has the folder.
    #[error(
        "the buffer \"{}\" is in use ({holder}); stop that process, or give each its own {section}.dir",
        dir.display()
    )]
    Locked {
        /// The folder.
        dir: PathBuf,
        /// Who has it.
        holder: String,
        /// The section of the buffer's keys.
        section: &'static str,
    },
    /// The folder can't be used.
    #[error("can't {doing} \"{}\" for the buffer: {source}", path.display())]
    Io {
        /// The verb.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file that says whose the folder is says nonsense.
    #[error(
        "\"{}\" does not hold 32 hexadecimal digits; if the spans in the folder may be lost, remove the folder",
        path.display()
    )]
    Identity {
        /// The file.
        path: PathBuf,
    },
    /// What is in the folder can't be read.
    #[error(transparent)]
    Journal(#[from] journal::Error),
}
