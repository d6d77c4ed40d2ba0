//! Strategies from a file in Jaeger's format, and the rules by which an answer follows from it.
//!
//! ```json
//! {"default_strategy": {"type": "probabilistic", "param": 0.5,
//!                       "operation_strategies": [{"operation": "/health", "type": "probabilistic", "param": 0.0}]},
//!  "service_strategies": [{"service": "cart", "type": "ratelimiting", "param": 5}]}
//! ```
//!
//! Rules (as recorded from Jaeger 2.20)
//! - A service that is not named has the default strategy; without one it is the default probability.
//! - A type that is missing or unknown is probabilistic with the default probability, which is warned of.
//! - A limit of traces a second is a whole number: what is behind the point is cut off.
//! - An operation can only be probabilistic; others are left out, which is warned of.
//! - A service's operations come before those of the default strategy, which it has as well but for equal names.
//! - What operations without a strategy of their own have is the service's probability; for a service that limits the
//!   rate it is the default strategy's, or with operations of its own the default probability.
//!
//! Refuses: what is no such JSON; a probability that is no number between 0 and 1; an operation or service without a
//! name.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use codec::generated::jaeger::api_v2::{
    OperationSamplingStrategy, PerOperationSamplingStrategies, ProbabilisticSamplingStrategy,
    RateLimitingSamplingStrategy, SamplingStrategyType,
};
use serde::Deserialize;

use crate::{Strategies, Strategy};

/// Says why a file of strategies can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StrategiesError {
    /// Its text is no JSON of the right form.
    #[error("the strategies can't be read: {why}")]
    Form {
        /// Where and why.
        why: String,
    },
    /// Something in it makes no sense.
    #[error("the strategies are wrong at {place}: {why}")]
    Content {
        /// Where.
        place: String,
        /// Why.
        why: String,
    },
}

/// The strategies of a file; another text can take its place at any time.
#[derive(Debug)]
pub struct FileStrategies {
    default_probability: f64,
    table: RwLock<Arc<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    default: Strategy,
    by_service: HashMap<String, Strategy>,
}

#[derive(Debug, Default, Deserialize)]
struct FileText {
    default_strategy: Option<Entry>,
    #[serde(default)]
    service_strategies: Option<Vec<Entry>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Entry {
    #[serde(default)]
    service: String,
    #[serde(default)]
    operation: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    param: f64,
    #[serde(default)]
    operation_strategies: Option<Vec<Entry>>,
}

impl FileStrategies {
    /// No file: every service records with this probability.
    #[must_use]
    pub fn without_file(default_probability: f64) -> Self {
        let table = Table {
            default: probabilistic(default_probability),
            by_service: HashMap::new(),
        };
        Self {
            default_probability,
            table: RwLock::new(Arc::new(table)),
        }
    }

    /// Takes the text of a file in place of the one before; gives what is to be warned of.
    ///
    /// # Errors
    /// When the text can't be used; the one before then stays.
    pub fn replace(&self, text: &str) -> Result<Vec<String>, StrategiesError> {
        let read: Option<FileText> =
            serde_json::from_str(text).map_err(|why| StrategiesError::Form {
                why: why.to_string(),
            })?;
        let mut warnings = Vec::new();
        let table = self.table(&read.unwrap_or_default(), &mut warnings)?;
        let mut current = self.table.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(table);
        Ok(warnings)
    }

    /// The strategy of a service that the file names.
    pub(crate) fn named(&self, service: &str) -> Option<Strategy> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.by_service.get(service).cloned()
    }

    fn table(&self, read: &FileText, warnings: &mut Vec<String>) -> Result<Table, StrategiesError> {
        let usual = self.default_probability;
        let (mut default, mut of_default) = (probabilistic(usual), Vec::new());
        if let Some(entry) = &read.default_strategy {
            let place = "default_strategy";
            default = self.strategy_of(entry, place, warnings)?;
            of_default = operations_of(entry, place, warnings)?;
            if !of_default.is_empty() {
                default.operation_sampling = Some(block(probability(&default, usual), &of_default));
            }
        }
        let mut by_service = HashMap::new();
        for (at, entry) in read.service_strategies.iter().flatten().enumerate() {
            let place = format!("service_strategies[{at}]");
            if entry.service.is_empty() {
                return Err(wrong(&place, "it names no service"));
            }
            let mut strategy = self.strategy_of(entry, &place, warnings)?;
            let own = operations_of(entry, &place, warnings)?;
            let is_own = !own.is_empty();
            let all = with_inherited(own, &of_default);
            if !all.is_empty() {
                let otherwise = if is_own {
                    usual
                } else {
                    probability(&default, usual)
                };
                strategy.operation_sampling = Some(block(probability(&strategy, otherwise), &all));
            }
            by_service.insert(entry.service.clone(), strategy);
        }
        Ok(Table {
            default,
            by_service,
        })
    }

    fn strategy_of(
        &self,
        entry: &Entry,
        place: &str,
        warnings: &mut Vec<String>,
    ) -> Result<Strategy, StrategiesError> {
        match entry.kind.as_str() {
            "probabilistic" => {
                check_probability(entry.param, place)?;
                Ok(probabilistic(entry.param))
            }
            "ratelimiting" => rate_limiting(entry.param, place),
            kind => {
                let usual = self.default_probability;
                let what = if kind.is_empty() {
                    "has no type".to_owned()
                } else {
                    format!("has the unknown type {kind:?}")
                };
                warnings.push(format!(
                    "{place} {what}: probabilistic with {usual}; use probabilistic or ratelimiting"
                ));
                Ok(probabilistic(usual))
            }
        }
    }
}

impl Strategies for FileStrategies {
    fn strategy(&self, service: &str) -> Strategy {
        let table = Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner));
        let found = table.by_service.get(service);
        found.unwrap_or(&table.default).clone()
    }
}

fn wrong(place: &str, why: &str) -> StrategiesError {
    StrategiesError::Content {
        place: place.to_owned(),
        why: why.to_owned(),
    }
}

fn check_probability(param: f64, place: &str) -> Result<(), StrategiesError> {
    if (0.0..=1.0).contains(&param) {
        return Ok(());
    }
    let why = format!("param is {param}, and a probability is between 0 and 1");
    Err(wrong(place, &why))
}

fn probabilistic(rate: f64) -> Strategy {
    Strategy {
        strategy_type: SamplingStrategyType::Probabilistic.into(),
        probabilistic_sampling: Some(ProbabilisticSamplingStrategy {
            sampling_rate: rate,
        }),
        ..Strategy::default()
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "what is behind the point is cut off, and the range was checked"
)]
fn rate_limiting(param: f64, place: &str) -> Result<Strategy, StrategiesError> {
    if !(0.0..=f64::from(i32::MAX)).contains(&param) {
        let why = format!(
            "param is {param}, and traces a second are between 0 and {}",
            i32::MAX
        );
        return Err(wrong(place, &why));
    }
    Ok(Strategy {
        strategy_type: SamplingStrategyType::RateLimiting.into(),
        rate_limiting_sampling: Some(RateLimitingSamplingStrategy {
            max_traces_per_second: param as i32,
        }),
        ..Strategy::default()
    })
}

/// The probability of a strategy that has one.
fn probability(strategy: &Strategy, otherwise: f64) -> f64 {
    let of = strategy.probabilistic_sampling.as_ref();
    of.map_or(otherwise, |of| of.sampling_rate)
}

fn operations_of(
    entry: &Entry,
    place: &str,
    warnings: &mut Vec<String>,
) -> Result<Vec<OperationSamplingStrategy>, StrategiesError> {
    let mut found = Vec::new();
    for (at, one) in entry.operation_strategies.iter().flatten().enumerate() {
        let place = format!("{place}.operation_strategies[{at}]");
        if one.operation.is_empty() {
            return Err(wrong(&place, "it names no operation"));
        }
        if one.kind != "probabilistic" {
            warnings.push(format!(
                "{place} is left out: operations can only be probabilistic, and it says {:?}",
                one.kind
            ));
            continue;
        }
        check_probability(one.param, &place)?;
        found.push(OperationSamplingStrategy {
            operation: one.operation.clone(),
            probabilistic_sampling: Some(ProbabilisticSamplingStrategy {
                sampling_rate: one.param,
            }),
        });
    }
    Ok(found)
}

fn with_inherited(
    mut own: Vec<OperationSamplingStrategy>,
    of_default: &[OperationSamplingStrategy],
) -> Vec<OperationSamplingStrategy> {
    for one in of_default {
        if own.iter().all(|known| known.operation != one.operation) {
            own.push(one.clone());
        }
    }
    own
}

fn block(probability: f64, all: &[OperationSamplingStrategy]) -> PerOperationSamplingStrategies {
    PerOperationSamplingStrategies {
        default_sampling_probability: probability,
        per_operation_strategies: all.to_vec(),
        ..PerOperationSamplingStrategies::default()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::answer::{json, legacy_json};

    fn golden(name: &str) -> String {
        let path = format!("../../tests/golden/sampling/{name}");
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
    }

    fn of(text: &str) -> (FileStrategies, Vec<String>) {
        let strategies = FileStrategies::without_file(0.001);
        let warnings = strategies.replace(text).unwrap();
        (strategies, warnings)
    }

    #[test]
    fn the_answers_are_those_of_jaeger() {
        let (strategies, warnings) = of(&golden("strategies.json"));
        let recorded: serde_json::Value = serde_json::from_str(&golden("with-file.json")).unwrap();
        let mut compared = 0;
        for case in recorded["cases"].as_array().unwrap() {
            let query = case["query"].as_array().unwrap();
            let [pair] = query.as_slice() else { continue };
            let service = pair[1].as_str().unwrap();
            let wanted = case["response"]["body_text"].as_str().unwrap();
            assert_eq!(json(&strategies.strategy(service)), wanted, "{service}");
            compared += 1;
        }
        assert!(compared >= 10, "{compared}");
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        assert_eq!(
            json(&FileStrategies::without_file(1.0).strategy("x")),
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":1}}"#
        );
    }

    #[test]
    fn first_agents_get_numbers_for_enums() {
        let (strategies, _) = of(&golden("strategies.json"));
        let text = legacy_json(&strategies.strategy("svc-ratelimiting"));
        assert!(
            text.starts_with(r#"{"strategyType":1,"rateLimitingSampling":"#),
            "{text}"
        );
        let text = legacy_json(&FileStrategies::without_file(0.5).strategy("x"));
        assert_eq!(
            text,
            r#"{"strategyType":0,"probabilisticSampling":{"samplingRate":0.5}}"#
        );
    }

    #[test]
    fn a_text_that_can_not_be_used_changes_nothing_and_says_where_it_is_wrong() {
        let (strategies, _) = of(&golden("strategies.json"));
        let before = strategies.strategy("svc-probabilistic");
        let wrong = [
            ("{", "line 1"),
            (
                r#"{"default_strategy":{"type":"probabilistic","param":1.5}}"#,
                "default_strategy",
            ),
            (
                r#"{"default_strategy":{"type":"ratelimiting","param":-1}}"#,
                "traces a second",
            ),
            (
                r#"{"service_strategies":[{"type":"probabilistic","param":1}]}"#,
                "service_strategies[0]",
            ),
            (
                r#"{"service_strategies":[{"service":"a","type":"probabilistic","param":1,
                    "operation_strategies":[{"type":"probabilistic","param":1}]}]}"#,
                "service_strategies[0].operation_strategies[0]",
            ),
            (r#"{"default_strategy":{"type":7}}"#, "invalid type"),
        ];
        for (text, part) in wrong {
            let error = strategies.replace(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
            assert_eq!(strategies.strategy("svc-probabilistic"), before);
        }
    }

    #[test]
    fn nothing_at_all_is_the_default_probability() {
        for text in ["null", "{}", r#"{"service_strategies":null}"#] {
            let (strategies, warnings) = of(text);
            assert_eq!(probability(&strategies.strategy("x"), 0.0), 0.001, "{text}");
            assert!(warnings.is_empty());
        }
    }
}
