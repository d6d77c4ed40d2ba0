//! The steps that a configuration asks for, read and checked.
//!
//! ```yaml
//! process:
//!   - filter: {drop: '{ name = "GET /health" }'}
//! ```
//!
//! Promises: a step is a map with one key, the kind of the step; all mistakes are told at once, each with the number of
//! the step (from 1) and the key.

use serde_json::Value;

use crate::attributes::AttributesOptions;
use crate::filter::FilterOptions;
use crate::limit::LimitOptions;
use crate::metrics::MetricsOptions;
use crate::reader::Reader;
use crate::redact::RedactOptions;
use crate::sample::SampleOptions;

/// More steps are a mistake: each is work for every span.
const STEPS_MAX: usize = 64;

/// The steps of a configuration, in their order.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pub(crate) steps: Vec<StepOptions>,
}

/// A step with its options.
#[derive(Debug, Clone)]
pub(crate) enum StepOptions {
    Limit(LimitOptions),
    Attributes(AttributesOptions),
    Redact(RedactOptions),
    Filter(FilterOptions),
    Sample(SampleOptions),
    Metrics(MetricsOptions),
}

/// What a kind of step is called, and how its options are read.
type Kind = (&'static str, fn(&mut Reader<'_>) -> Option<StepOptions>);

/// All kinds of steps.
const KINDS: [Kind; 6] = [
    ("limit", |keys| {
        LimitOptions::read(keys).map(StepOptions::Limit)
    }),
    ("attributes", |keys| {
        AttributesOptions::read(keys).map(StepOptions::Attributes)
    }),
    ("redact", |keys| {
        RedactOptions::read(keys).map(StepOptions::Redact)
    }),
    ("filter", |keys| {
        FilterOptions::read(keys).map(StepOptions::Filter)
    }),
    ("sample", |keys| {
        SampleOptions::read(keys).map(StepOptions::Sample)
    }),
    ("metrics", |keys| {
        Some(StepOptions::Metrics(MetricsOptions::read(keys)))
    }),
];

impl Plan {
    /// Reads the list of steps.
    ///
    /// # Errors
    /// All mistakes, one sentence each.
    pub fn read(list: &[Value]) -> Result<Self, Vec<String>> {
        let mut plan = Self::default();
        let mut mistakes = Vec::new();
        if list.len() > STEPS_MAX {
            return Err(vec![format!(
                "{} steps are too many; at most {STEPS_MAX} make sense",
                list.len()
            )]);
        }
        for (index, step) in list.iter().enumerate() {
            match read_step(index + 1, step) {
                Ok(step) => plan.steps.push(step),
                Err(of_step) => mistakes.extend(of_step),
            }
        }
        let metrics = plan.steps.iter();
        let metrics = metrics.filter(|step| matches!(step, StepOptions::Metrics(_)));
        if metrics.count() > 1 {
            mistakes
                .push("there are several steps metrics; their names can be told once".to_owned());
        }
        if mistakes.is_empty() {
            Ok(plan)
        } else {
            Err(mistakes)
        }
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

fn read_step(number: usize, step: &Value) -> Result<StepOptions, Vec<String>> {
    let known = || KINDS.map(|(name, _)| name).join(", ");
    let one = step.as_object().filter(|map| map.len() == 1);
    let Some((kind, options)) = one.and_then(|map| map.iter().next()) else {
        return Err(vec![format!(
            "step {number} is no map with one key; write one of {}, a colon and its keys",
            known()
        )]);
    };
    let Some((_, read)) = KINDS.iter().find(|(name, _)| name == kind) else {
        return Err(vec![format!(
            "step {number}: unknown step {kind}; there are {}",
            known()
        )]);
    };
    let mut keys = Reader::new(format!("step {number}: {kind}"), options);
    let step = read(&mut keys);
    let mut mistakes = keys.finish();
    match step {
        Some(step) if mistakes.is_empty() => Ok(step),
        Some(_) => Err(mistakes),
        None => {
            if mistakes.is_empty() {
                mistakes.push(format!("step {number}: {kind} asks for nothing"));
            }
            Err(mistakes)
        }
    }
}

/// What stands for a secret where steps are shown.
pub(crate) const HIDDEN: &str = "***";
/// The keys of steps whose values are never shown.
const SECRET_KEYS: [&str; 1] = ["salt"];

/// The steps as they may be shown.
#[must_use]
pub fn without_secrets(list: &[Value]) -> Vec<Value> {
    let mut shown = list.to_vec();
    for step in &mut shown {
        hide(step);
    }
    shown
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                if SECRET_KEYS.contains(&key.as_str()) {
                    *value = Value::from(HIDDEN);
                } else {
                    hide(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}
