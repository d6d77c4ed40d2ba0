//! Why a command of the program failed, in words for the person at the terminal.
//!
//! Promises: one line that says what failed, on what, why, and what to do; [`Error::exit_code`] tells scripts whose
//! fault it was (2: the command line or the configuration, 3: an import left something out, 1: everything else).

use std::io;
use std::path::PathBuf;

use crate::config::ConfigError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The configuration has mistakes.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The arguments make no sense.
    #[error("{0}")]
    Usage(String),
    /// A listener could not be opened.
    #[error("{0}")]
    Listen(String),
    /// A server could not be asked.
    #[error("{0}")]
    Ask(String),
    /// What was asked for isn't there.
    #[error("{0}")]
    Missing(String),
    /// The store could not be opened, read or stopped.
    #[error("{0}")]
    Store(String),
    /// The check of the store found damage.
    #[error("{0}")]
    Damage(String),
    /// The doctor found something that does not work.
    #[error("{0}")]
    Sick(String),
    /// A part of a configuration could not be carried over.
    #[error("{0}")]
    Partial(String),
    /// A corpus could not be made.
    #[error(transparent)]
    Corpus(#[from] testkit::Error),
    /// A file could not be read or written.
    #[error("can't {action} {path:?}")]
    File {
        /// What was being done, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's word.
        #[source]
        source: io::Error,
    },
    /// The machine refuses something that every run needs.
    #[error("can't {action}")]
    Machine {
        /// What was being done, as a verb.
        action: &'static str,
        /// The operating system's word.
        #[source]
        source: io::Error,
    },
    /// The output can't be written.
    #[error("can't write the output")]
    Output(#[from] io::Error),
}

impl Error {
    /// The exit code of a command that failed so.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Usage(_) => 2,
            Self::Partial(_) => 3,
            _ => 1,
        }
    }

    /// Tells whether the reader of our output went away, as `head` does: that is no failure.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The error and its causes in one line, each said once.
    pub(crate) fn line(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let said = error.to_string();
            if !text.contains(&said) {
                text = format!("{text}: {said}");
            }
            cause = error.source();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_the_cause_once() {
        let source = io::Error::other("no space left");
        let error = Error::File {
            action: "write",
            path: PathBuf::from("/x"),
            source,
        };
        assert_eq!(error.line(), "can't write \"/x\": no space left");
        assert_eq!(error.exit_code(), 1);
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        assert!(Error::Output(io::Error::from(io::ErrorKind::BrokenPipe)).is_closed_pipe());
        assert!(!Error::Output(io::Error::other("full")).is_closed_pipe());
    }
}
