//! How a question is read and answered: over HTTP in JSON, over gRPC in protobuf.
//!
//! Source: recordings of Jaeger's sampling port (`tests/golden/sampling`); the older form is that of its first agents,
//! with numbers for enums.

use std::fmt::Write as _;

use codec::generated::jaeger::api_v2::{
    PerOperationSamplingStrategies, SamplingStrategyParameters, SamplingStrategyType,
};
use model::value::number_text;
use plumbing::query_string::pairs;
use prost::Message as _;

use crate::{Strategies, Strategy};

/// What is said to a question that is about no service, or about several.
pub const NO_SERVICE: &str = "'service' parameter must be provided once";

/// Answers a question over HTTP: to exactly one parameter `service` of the query string. With `format=legacy` enums are
/// numbers, as the first agents have it.
///
/// # Errors
/// [`NO_SERVICE`].
pub fn http_answer(
    strategies: &dyn Strategies,
    query: Option<&str>,
) -> Result<String, &'static str> {
    let (mut services, mut is_legacy) = (Vec::new(), false);
    for (key, value) in pairs(query) {
        match key.as_str() {
            "service" => services.push(value),
            "format" => is_legacy = value == "legacy",
            _ => {}
        }
    }
    let [service] = services.as_slice() else {
        return Err(NO_SERVICE);
    };
    let strategy = strategies.strategy(service);
    Ok(if is_legacy {
        legacy_json(&strategy)
    } else {
        json(&strategy)
    })
}

/// Answers a `SamplingStrategyParameters` with the bytes of a `SamplingStrategyResponse`.
///
/// # Errors
/// When the question can't be read.
pub fn proto_answer(strategies: &dyn Strategies, question: &[u8]) -> Result<Vec<u8>, String> {
    let question = SamplingStrategyParameters::decode(question).map_err(|why| why.to_string())?;
    Ok(strategies.strategy(&question.service_name).encode_to_vec())
}

/// The bytes of a `SamplingStrategyParameters`: the question of who passes answers on.
#[must_use]
pub fn proto_question(service: &str) -> Vec<u8> {
    SamplingStrategyParameters {
        service_name: service.to_owned(),
    }
    .encode_to_vec()
}

/// Reads the service of a `SamplingStrategyParameters`.
///
/// # Errors
/// When the bytes are none.
pub fn read_proto_question(question: &[u8]) -> Result<String, String> {
    let question = SamplingStrategyParameters::decode(question).map_err(|why| why.to_string())?;
    Ok(question.service_name)
}

/// Reads the bytes of a `SamplingStrategyResponse`.
///
/// # Errors
/// When they are none.
pub fn read_proto_answer(answer: &[u8]) -> Result<Strategy, String> {
    Strategy::decode(answer).map_err(|why| why.to_string())
}

/// The usual form: enums by name, zeros written, what is absent left out.
pub(crate) fn json(strategy: &Strategy) -> String {
    text(strategy, &quoted(strategy.strategy_type().as_str_name()))
}

/// The form of the first agents: enums by number.
pub(crate) fn legacy_json(strategy: &Strategy) -> String {
    let number = match strategy.strategy_type() {
        SamplingStrategyType::Probabilistic => "0",
        SamplingStrategyType::RateLimiting => "1",
    };
    text(strategy, number)
}

fn text(strategy: &Strategy, strategy_type: &str) -> String {
    let mut text = format!("{{\"strategyType\":{strategy_type}");
    if let Some(of) = &strategy.probabilistic_sampling {
        let rate = number_text(of.sampling_rate);
        put(
            &mut text,
            &format!(",\"probabilisticSampling\":{{\"samplingRate\":{rate}}}"),
        );
    }
    if let Some(of) = &strategy.rate_limiting_sampling {
        let most = of.max_traces_per_second;
        put(
            &mut text,
            &format!(",\"rateLimitingSampling\":{{\"maxTracesPerSecond\":{most}}}"),
        );
    }
    if let Some(of) = &strategy.operation_sampling {
        put_operations(&mut text, of);
    }
    text.push('}');
    text
}

fn put_operations(text: &mut String, of: &PerOperationSamplingStrategies) {
    let number = number_text;
    let _ok = write!(
        text,
        ",\"operationSampling\":{{\"defaultSamplingProbability\":{},\"defaultLowerBoundTracesPerSecond\":{},\
         \"perOperationStrategies\":[",
        number(of.default_sampling_probability),
        number(of.default_lower_bound_traces_per_second)
    );
    for (at, one) in of.per_operation_strategies.iter().enumerate() {
        let rate = one
            .probabilistic_sampling
            .as_ref()
            .map_or(0.0, |p| p.sampling_rate);
        let _ok = write!(
            text,
            "{}{{\"operation\":{},\"probabilisticSampling\":{{\"samplingRate\":{}}}}}",
            if at == 0 { "" } else { "," },
            quoted(&one.operation),
            number(rate)
        );
    }
    let most = number(of.default_upper_bound_traces_per_second);
    put(
        text,
        &format!("],\"defaultUpperBoundTracesPerSecond\":{most}}}"),
    );
}

fn put(text: &mut String, more: &str) {
    text.push_str(more);
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
