//! With which probability a trace was recorded, as its first span says it.
//!
//! Two conventions are read: OpenTelemetry's threshold in the trace state (`ot=th:…`, "TraceState: Probability
//! Sampling"), and the tags `sampler.type` and `sampler.param` of Jaeger's clients.

use crate::batch::AttrValue;
use crate::batch::SpanRef;

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
    if let Some(probability) = of_trace_state(span.trace_state()) {
        return Recorded::WithProbability(probability);
    }
    let mut kind = None;
    let mut parameter = None;
    for attribute in span.attributes() {
        match (attribute.key, attribute.value) {
            ("sampler.type", AttrValue::String(text)) => kind = Some(text),
            ("sampler.param", AttrValue::Double(number)) => parameter = Some(number),
            #[allow(
                clippy::cast_precision_loss,
                reason = "a probability is 0 or 1 when it is whole"
            )]
            ("sampler.param", AttrValue::Int(number)) => parameter = Some(number as f64),
            ("sampler.param", AttrValue::String(text)) => parameter = text.parse().ok(),
            _ => {}
        }
    }
    match (kind, parameter) {
        (None, _) => Recorded::Unsaid,
        (Some("probabilistic"), Some(probability)) if probability > 0.0 && probability <= 1.0 => {
            Recorded::WithProbability(probability)
        }
        (Some(_), _) => Recorded::Otherwise,
    }
}

/// The probability that belongs to the threshold in a trace state.
#[must_use]
pub fn of_trace_state(trace_state: &str) -> Option<f64> {
    let member = trace_state
        .split(',')
        .find_map(|member| member.trim().strip_prefix("ot="))?;
    let digits = member
        .split(';')
        .find_map(|pair| pair.strip_prefix("th:"))?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if digits.is_empty() || digits.len() > THRESHOLD_DIGITS || !is_hex {
        return None;
    }
    let digits = format!("{digits:0<THRESHOLD_DIGITS$}");
    let threshold = u64::from_str_radix(&digits, 16).ok()?;
    #[allow(
        clippy::cast_precision_loss,
        reason = "what is lost is less than a millionth of a millionth"
    )]
    let probability = (THRESHOLDS - threshold) as f64 / THRESHOLDS as f64;
    Some(probability)
}

/// Thresholds have so many hexadecimal digits, zeros at their end left out.
const THRESHOLD_DIGITS: usize = 14;
/// How many thresholds there are: 2^56.
const THRESHOLDS: u64 = 1 << 56;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_a_probability() {
        assert_eq!(of_trace_state("ot=th:0"), Some(1.0));
        assert_eq!(of_trace_state("a=b, ot=rv:1;th:8"), Some(0.5));
        assert_eq!(of_trace_state("ot=th:c;rv:12345678901234"), Some(0.25));
        let smallest = of_trace_state("ot=th:ffffffffffffff").unwrap();
        assert!(smallest > 0.0 && smallest < 1e-16);
        let none = [
            "", "ot=", "ot=th:", "ot=th:xy", "ot=th:+8", "xot=th:8", "ot=p:3",
        ];
        for text in none {
            assert_eq!(of_trace_state(text), None, "{text}");
        }
        assert_eq!(of_trace_state("ot=th:0123456789abcde"), None);
    }
}
