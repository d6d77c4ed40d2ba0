//! The one error of this crate: a corpus that cannot be made, written or read.
//!
//! Promises: every message names the file or the option it is about and what would be right.

use std::path::PathBuf;

/// Why a corpus could not be made, written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An option lies outside what can be generated.
    #[error("corpus option {option} is {given}, over its largest value {max}")]
    OptionTooLarge {
        /// The option's name.
        option: &'static str,
        /// What was asked for.
        given: u64,
        /// The most that is possible.
        max: u64,
    },
    /// The file could not be created, written or read.
    #[error("cannot {action} corpus file {path:?}")]
    File {
        /// What was being done, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's word.
        #[source]
        source: std::io::Error,
    },
    /// The file does not consist of whole records.
    #[error("corpus file {path:?} is damaged at byte {offset}: {what}; write it anew")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the bad record begins.
        offset: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// The truth beside a corpus is not what this version writes.
    #[error("cannot understand corpus truth {path:?}; write the corpus anew")]
    Truth {
        /// The file.
        path: PathBuf,
        /// What the JSON reader or writer said.
        #[source]
        source: serde_json::Error,
    },
}
