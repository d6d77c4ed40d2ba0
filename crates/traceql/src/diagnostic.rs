//! What is wrong with a text, where, and what to write instead.
//!
//! Promises: ranges are bytes of the text that was parsed and lie on the borders of its characters; applying a
//! proposal replaces its range with its text.

use std::fmt;
use std::ops::Range;

/// Whether a text can be used all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The text has no meaning.
    Error,
    /// The text has a meaning, but perhaps not the one that was wanted.
    Warning,
}

/// What to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The bytes that are replaced; empty where something is put in.
    pub range: Range<usize>,
    /// What is written there.
    pub text: String,
    /// What this does, for a button: `write "&&"`.
    pub label: String,
}

/// One thing that is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the text can be used all the same.
    pub severity: Severity,
    /// Where, in bytes.
    pub range: Range<usize>,
    /// What was found, and what was expected.
    pub message: String,
    /// What to write instead, where that is known.
    pub proposal: Option<Proposal>,
}

impl Diagnostic {
    /// A text that has no meaning.
    pub(crate) fn error(range: &Range<usize>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            range: range.clone(),
            message: message.into(),
            proposal: None,
        }
    }

    /// A text that may mean something else than was wanted.
    pub(crate) fn warning(range: &Range<usize>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(range, message)
        }
    }

    /// The same with a proposal, whose label follows from its text.
    pub(crate) fn propose(mut self, range: &Range<usize>, text: impl Into<String>) -> Self {
        let text = text.into();
        let label = if text.is_empty() {
            "remove it".to_owned()
        } else {
            format!("write {}", text.trim())
        };
        self.proposal = Some(Proposal {
            range: range.clone(),
            text,
            label,
        });
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let Range { start, end } = self.range;
        write!(f, "{word} at {start}..{end}: {}", self.message)?;
        if let Some(proposal) = &self.proposal {
            let Range { start, end } = proposal.range;
            write!(f, " [{start}..{end} -> {:?}]", proposal.text)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}
