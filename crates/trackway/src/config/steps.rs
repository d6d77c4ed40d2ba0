//! The list of steps that spans go through: read from YAML or JSON, checked by the crate that runs them.
//!
//! Promises: what is printed is read as the same steps, but for secrets, which are never printed.

use std::fmt;

use process::Plan;
use serde_json::Value;

use super::units::Setting;
use super::yaml;

/// The steps as they were written, and what they mean.
#[derive(Clone, Default)]
pub(crate) struct ProcessSteps {
    written: Vec<Value>,
    plan: Plan,
}

impl ProcessSteps {
    /// What they mean.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }
}

impl PartialEq for ProcessSteps {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl fmt::Debug for ProcessSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.print())
    }
}

impl Setting for ProcessSteps {
    const VALUES: &'static str = "list of steps, as YAML or JSON";
    const IS_LIST: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        let written = yaml::read_list(text)?;
        let plan = Plan::read(&written).map_err(|mistakes| mistakes.join("\n"))?;
        Ok(Self { written, plan })
    }

    fn print(&self) -> String {
        Value::Array(process::without_secrets(&self.written)).to_string()
    }
}
