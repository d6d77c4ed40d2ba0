//! What a command of others came to.

use std::process::Output;

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) is_well: bool,
    /// Both outputs, the standard one first.
    pub(crate) said: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        Self {
            is_well: output.status.success(),
            said: said.into_owned(),
        }
    }
}

impl Ran {
    /// What it said; the test fails where it failed.
    #[track_caller]
    pub(crate) fn well(self) -> String {
        assert!(self.is_well, "{}", self.said);
        self.said
    }
}
