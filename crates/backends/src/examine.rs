//! What a look at a server of others finds, for whoever asks why something does not work.
//!
//! Promises: a finding says one thing, and when it is not well what to change; nothing is written to the server. What
//! the program may not ask is said to be unknown, and never taken to be well.

use std::borrow::Cow;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Well,
    /// It works, or could not be found out.
    Doubtful,
    /// It does not work.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub subject: Cow<'static, str>,
    /// How it is.
    pub state: State,
    /// What was seen, in a sentence.
    pub seen: String,
    /// What to change; empty where nothing is to be.
    pub fix: String,
}

impl Finding {
    /// It is as it should be.
    #[must_use]
    pub fn well(subject: impl Into<Cow<'static, str>>, seen: impl Into<String>) -> Self {
        Self::new(subject, State::Well, seen, "")
    }

    /// It works, or could not be found out.
    #[must_use]
    pub fn doubtful(
        subject: impl Into<Cow<'static, str>>,
        seen: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::new(subject, State::Doubtful, seen, fix)
    }

    /// It does not work.
    #[must_use]
    pub fn wrong(
        subject: impl Into<Cow<'static, str>>,
        seen: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::new(subject, State::Wrong, seen, fix)
    }

    fn new(
        subject: impl Into<Cow<'static, str>>,
        state: State,
        seen: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            subject: subject.into(),
            state,
            seen: seen.into(),
            fix: fix.into(),
        }
    }
}
