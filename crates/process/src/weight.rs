//! What a span counts for when others like it were left out, by OpenTelemetry's threshold and by Jaeger's sampler; and
//! what is kept whatever samplers say.

use model::batch::{AttrValue, Attribute, SpanRef};
use model::recorded::JaegerSampler;
use model::threshold::Sampled;

/// The least probability that a Jaeger sampler is believed to have.
const PROBABILITY_MIN: f64 = 1e-6;

/// How many spans a span stands for: what `th` says, times what a Jaeger client's sampler says.
pub(crate) fn weight(span: SpanRef<'_>) -> f64 {
    let state = span.trace_state();
    let of_state = if state.contains("ot=") {
        let threshold = Sampled::of(state).threshold;
        threshold.map_or(1.0, |threshold| 1.0 / threshold.probability())
    } else {
        1.0
    };
    // Less is no sampler that anybody runs, but a way to make one span count for all.
    let believed = |sampler: JaegerSampler<'_>| {
        let probability = sampler.probability();
        probability.filter(|probability| *probability >= PROBABILITY_MIN)
    };
    let probability = believed(JaegerSampler::of(span.attributes()))
        .or_else(|| believed(JaegerSampler::of(span.resource().attributes())))
        .unwrap_or(1.0);
    of_state / probability
}

/// Whether whoever made the span wants it kept whatever samplers say.
pub(crate) fn is_forced(span: SpanRef<'_>) -> bool {
    span.attributes()
        .any(|Attribute { key, value }| match (key, value) {
            ("sampling.priority", AttrValue::Int(priority)) => priority > 0,
            ("sampling.priority", AttrValue::Double(priority)) => priority > 0.0,
            ("sampling.priority", AttrValue::String(text)) => {
                text.parse::<f64>().is_ok_and(|priority| priority > 0.0)
            }
            ("jaeger-debug-id", _) => true,
            _ => false,
        })
}
