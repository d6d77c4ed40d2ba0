//! What a check has to say: the place, the rule, the reason and the fix.
//!
//! Promises: a complaint can be read by someone who has never seen the rule, and its place is `file:line`, which
//! editors and terminals turn into a link.

use std::fmt;

/// One broken rule at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) file: String,
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) rule: &'static str,
    pub(crate) what: String,
    pub(crate) why: &'static str,
    pub(crate) fix: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{}:{}: {}: {}",
            self.file, self.line, self.rule, self.what
        )?;
        writeln!(out, "    why: {}", self.why)?;
        write!(out, "    fix: {}", self.fix)
    }
}

/// A rule: its name and why it is there. Complaints are made from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
}

impl Rule {
    /// Makes a complaint about `file:line`.
    pub(crate) fn broken(
        self,
        file: &str,
        line: usize,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) -> Complaint {
        Complaint {
            file: file.to_owned(),
            line,
            rule: self.name,
            what: what.into(),
            why: self.why,
            fix: fix.into(),
        }
    }
}
