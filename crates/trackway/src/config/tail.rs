//! The list of policies by which whole traces stay or leave: read from YAML or JSON, checked by the crate that judges.
//!
//! Promises: what is printed is read as the same policies.

use std::fmt;
use std::sync::Arc;

use model::contract::TraceJudge;
use process::{TailJudge, TailPolicies};
use serde_json::Value;

use super::units::Setting;
use super::yaml;

/// The policies as they were written, and what they mean.
#[derive(Clone, Default)]
pub(crate) struct TailSampling {
    written: Vec<Value>,
    policies: TailPolicies,
}

impl TailSampling {
    /// Who judges by them; nobody where there is none.
    pub(crate) fn judge(&self) -> Option<Arc<dyn TraceJudge>> {
        let judge = TailJudge::new(&self.policies)?;
        Some(Arc::new(judge))
    }
}

impl PartialEq for TailSampling {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl fmt::Debug for TailSampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.print())
    }
}

impl Setting for TailSampling {
    const VALUES: &'static str = "list of policies, as YAML or JSON";
    const IS_LIST: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        let written = yaml::read_list(text)?;
        let policies = TailPolicies::read(&written).map_err(|mistakes| mistakes.join("\n"))?;
        Ok(Self { written, policies })
    }

    fn print(&self) -> String {
        Value::Array(self.written.clone()).to_string()
    }
}
