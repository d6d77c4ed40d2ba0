//! Tail sampling: which whole traces stay, by a list of policies of which the first that fits decides.
//!
//! ```yaml
//! tail_sampling:
//!   - name: errors
//!     when: {errors: true}
//!     keep: always
//!   - name: slow
//!     when: {slower_than: 2s}
//!     keep: {traces_per_second: 10}
//!   - name: others
//!     keep: {probability: 0.05}
//! ```
//!
//! Promises
//! - A trace is judged by all its spans, in the language that people search with.
//! - Every mistake of the configuration is told at the start, with the number of the policy and the key.
//! - Where no policy fits, a trace stays.
//! - The same trace gets the same answer for as long as it is remembered; see `verdict.rs` for rates.
//!
//! Refuses: a policy that no trace can come to, since the one before fits all.
//!
//! Read next: `tail/verdict.rs`, which judges.

mod verdict;

use std::collections::BTreeSet;

use serde_json::Value;
use traceql::Judge;

use crate::filter::judge_of_traces;
use crate::reader::Reader;
pub use verdict::TailJudge;

/// More policies are a mistake: each may be a walk over every trace.
const POLICIES_MAX: usize = 64;
/// Bytes of a policy's name: it is a label of metrics.
const NAME_BYTES_MAX: usize = 64;
/// What decides where no policy does.
const DEFAULT_NAME: &str = "default";
/// Traces of one second that a rate may let pass: they are remembered.
pub(crate) const RATE_MAX: u64 = 10_000;

/// Policies in their order.
#[derive(Debug, Clone, Default)]
pub struct TailPolicies {
    pub(crate) policies: Vec<Policy>,
}

/// One policy.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) name: String,
    pub(crate) when: When,
    pub(crate) keep: Keep,
}

/// Which traces a policy is for: those of which all of this is true.
#[derive(Debug, Clone, Default)]
pub(crate) struct When {
    /// It holds for a span of the trace.
    pub(crate) query: Option<Judge>,
    /// Whether a span has failed.
    pub(crate) errors: Option<bool>,
    /// The trace lasts longer than so many nanoseconds.
    pub(crate) slower_than: Option<u64>,
    /// One of these has a span in it.
    pub(crate) services: BTreeSet<String>,
}

/// What becomes of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Keep {
    Always,
    Never,
    /// Those whose hash is below this share of all.
    Probability(f64),
    /// So many of those that start in one second.
    PerSecond(u64),
}

impl TailPolicies {
    /// Reads the list of policies.
    ///
    /// # Errors
    /// All mistakes, one sentence each.
    pub fn read(list: &[Value]) -> Result<Self, Vec<String>> {
        if list.len() > POLICIES_MAX {
            let count = list.len();
            return Err(vec![format!(
                "{count} policies are too many; at most {POLICIES_MAX} make sense"
            )]);
        }
        let (mut policies, mut mistakes) = (Vec::<Policy>::new(), Vec::new());
        for (at, value) in list.iter().enumerate() {
            let mut keys = Reader::new(format!("policy {}", at + 1), value);
            let policy = read_policy(&mut keys);
            if policies.iter().any(|before| before.name == policy.name) {
                keys.complain("name", format!("{:?} is another one's", policy.name));
            }
            if at + 1 < list.len() && value.get("when").is_none_or(Value::is_null) {
                keys.complain(
                    "when",
                    "is missing, so that no trace comes to the policies behind it; say when, or make it the last one",
                );
            }
            mistakes.extend(keys.finish());
            policies.push(policy);
        }
        if mistakes.is_empty() {
            Ok(Self { policies })
        } else {
            Err(mistakes)
        }
    }

    /// Whether all traces stay.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }
}

/// Reads a policy; where something is wrong the reader knows.
fn read_policy(keys: &mut Reader<'_>) -> Policy {
    let name = keys.text("name").unwrap_or_default().to_owned();
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(is_word) {
        let why = format!(
            "write up to {NAME_BYTES_MAX} letters, digits, dots, dashes and underscores; it is told with counts"
        );
        keys.complain("name", why);
    }
    let when = match keys.value("when") {
        Some(value) => {
            let mut below = Reader::new(format!("{}.when", keys.path()), value);
            let when = read_when(&mut below);
            keys.absorb(below.finish());
            when
        }
        None => When::default(),
    };
    let keep = read_keep(keys);
    Policy { name, when, keep }
}

fn read_when(keys: &mut Reader<'_>) -> When {
    let mut when = When::default();
    if let Some(text) = keys.text("query") {
        match judge_of_traces(text) {
            Ok(query) => when.query = Some(query),
            Err(why) => keys.complain("query", why),
        }
    }
    if keys.value("errors").is_some() {
        when.errors = Some(keys.flag("errors", true));
    }
    if let Some(text) = keys.text("slower_than") {
        match nanos_of(text) {
            Some(nanos) => when.slower_than = Some(nanos),
            None => keys.complain(
                "slower_than",
                format!("{text:?} is no duration; write a number and ns, us, ms, s, m or h"),
            ),
        }
    }
    let services = keys.texts("services").into_iter().map(str::to_owned);
    when.services = services.collect();
    if when.services.is_empty() && keys.value("services").is_some() {
        keys.complain("services", "names none");
    }
    when
}

fn read_keep(keys: &mut Reader<'_>) -> Keep {
    const HOW: &str = "write always, never, {probability: 0.1} or {traces_per_second: 10}";
    match keys.value("keep") {
        Some(Value::String(word)) if word == "always" => Keep::Always,
        Some(Value::String(word)) if word == "never" => Keep::Never,
        Some(value @ Value::Object(_)) => {
            let mut below = Reader::new(format!("{}.keep", keys.path()), value);
            let share = below.number("probability", (0.0, 1.0));
            let rate = below.count("traces_per_second", 1);
            let is_named = |key: &str| value.get(key).is_some();
            let keep = match (share, rate) {
                (Some(share), None) => Keep::Probability(share),
                (None, Some(rate)) if rate <= RATE_MAX => Keep::PerSecond(rate),
                (None, Some(_)) => {
                    let why = format!("write a whole number up to {RATE_MAX}");
                    below.complain("traces_per_second", why);
                    Keep::Always
                }
                (Some(_), Some(_)) => {
                    keys.complain("keep", format!("has both; {HOW}"));
                    Keep::Always
                }
                (None, None) => {
                    // What is there and wrong was complained about.
                    if !is_named("probability") && !is_named("traces_per_second") {
                        keys.complain("keep", format!("says nothing; {HOW}"));
                    }
                    Keep::Always
                }
            };
            keys.absorb(below.finish());
            keep
        }
        _ => {
            keys.complain("keep", HOW);
            Keep::Always
        }
    }
}

/// A duration such as `500ms` or `1.5s` in nanoseconds.
fn nanos_of(text: &str) -> Option<u64> {
    const UNITS: [(&str, f64); 7] = [
        ("ns", 1.0),
        ("us", 1e3),
        ("µs", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
        ("m", 6e10),
        ("h", 3.6e12),
    ];
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.get(digits.len()..)?.trim();
    let (_, nanos) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let is_plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    let number = digits.parse::<f64>().ok().filter(|_| is_plain)?;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative; what is beyond is as good as the longest there is"
    )]
    Some((number * nanos) as u64)
}

#[cfg(test)]
mod tests;
