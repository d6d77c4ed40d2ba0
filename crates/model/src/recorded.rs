//! With which probability a trace was recorded, as its first span says it.
//!
//! Two conventions are read: OpenTelemetry's threshold in the trace state (`ot=th:…`, "TraceState: Probability
//! Sampling"), and the tags `sampler.type` and `sampler.param` of Jaeger's clients.

use crate::batch::{AttrValue, Attribute, SpanRef};
use crate::threshold::Sampled;

/// What a span says of how it came to be recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Recorded {
    /// Nothing.
    Unsaid,
    /// By chance, with this probability, over 0 and at most 1.
    WithProbability(f64),
    /// By Jaeger's guarantee that something of each operation is recorded, or by another rule than chance.
    Otherwise,
}

/// Reads what a span says; only the first span of a trace speaks for the trace.
#[must_use]
pub fn recorded(span: SpanRef<'_>) -> Recorded {
    if let Some(threshold) = Sampled::of(span.trace_state()).threshold {
        return Recorded::WithProbability(threshold.probability());
    }
    let sampler = JaegerSampler::of(span.attributes());
    match (sampler.kind, sampler.probability()) {
        (None, _) => Recorded::Unsaid,
        (Some(_), Some(probability)) => Recorded::WithProbability(probability),
        (Some(_), None) => Recorded::Otherwise,
    }
}

/// What the tags `sampler.type` and `sampler.param` of a Jaeger client say.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct JaegerSampler<'a> {
    /// The kind of sampler.
    pub kind: Option<&'a str>,
    parameter: Option<f64>,
}

impl<'a> JaegerSampler<'a> {
    /// Looks for the tags among some attributes.
    pub fn of(attributes: impl Iterator<Item = Attribute<'a>>) -> Self {
        let mut sampler = Self::default();
        for Attribute { key, value } in attributes {
            match (key, value) {
                ("sampler.type", AttrValue::String(text)) => sampler.kind = Some(text),
                ("sampler.param", AttrValue::Double(number)) => sampler.parameter = Some(number),
                // A probability is 0 or 1 when it is whole.
                ("sampler.param", AttrValue::Int(1)) => sampler.parameter = Some(1.0),
                ("sampler.param", AttrValue::Int(_)) => sampler.parameter = None,
                ("sampler.param", AttrValue::String(text)) => sampler.parameter = text.parse().ok(),
                _ => {}
            }
        }
        sampler
    }

    /// The probability, over 0 and at most 1, where chance decided.
    #[must_use]
    pub fn probability(self) -> Option<f64> {
        let probability = self
            .parameter
            .filter(|_| self.kind == Some("probabilistic"));
        probability.filter(|probability| *probability > 0.0 && *probability <= 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, AttrValue<'static>)]) -> Option<f64> {
        let attributes = pairs.iter().map(|&(key, value)| Attribute { key, value });
        JaegerSampler::of(attributes).probability()
    }

    #[test]
    fn a_probability_is_that_of_a_probabilistic_sampler() {
        let kind = ("sampler.type", AttrValue::String("probabilistic"));
        assert_eq!(
            of(&[kind, ("sampler.param", AttrValue::Double(0.25))]),
            Some(0.25)
        );
        assert_eq!(
            of(&[("sampler.param", AttrValue::String("0.5")), kind]),
            Some(0.5)
        );
        assert_eq!(of(&[kind, ("sampler.param", AttrValue::Int(1))]), Some(1.0));
        let none = [
            AttrValue::Int(0),
            AttrValue::Int(2),
            AttrValue::Double(0.0),
            AttrValue::Double(-0.5),
            AttrValue::Double(1.5),
            AttrValue::Double(f64::NAN),
            AttrValue::String("often"),
        ];
        for parameter in none {
            assert_eq!(
                of(&[kind, ("sampler.param", parameter)]),
                None,
                "{parameter:?}"
            );
        }
        let other = ("sampler.type", AttrValue::String("ratelimiting"));
        assert_eq!(
            of(&[other, ("sampler.param", AttrValue::Double(0.5))]),
            None
        );
        assert_eq!(of(&[("sampler.param", AttrValue::Double(0.5))]), None);
    }
}
