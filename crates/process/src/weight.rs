//! What a span counts for when others like it were left out: OpenTelemetry's probability sampling in the trace state,
//! and Jaeger's sampler in the attributes.
//!
//! A trace's randomness is 56 bits: `rv` of the trace state's `ot`, else the low 56 bits of its id. A sampler with the
//! rejection threshold `th` keeps it when the randomness is at least `th`; each span that is kept stands for
//! 2^56 / (2^56 - th) of them.
//!
//! Promises: members of the trace state that others wrote stay, in their order; what is no `th` or `rv` is taken for
//! absent.

use model::batch::{AttrValue, Attribute, SpanRef};

/// All randomness there is: 2^56.
const ALL: u64 = 1 << 56;
/// Hexadecimal digits of 56 bits.
const DIGITS: usize = 14;
/// Digits of a threshold that are written; more where they are needed to tell it from 0 and 1.
const PRECISION: usize = 4;
/// A trace state may have so many bytes; W3C wants at least 512 to be carried on.
const STATE_BYTES_MAX: usize = 4096;

/// A rejection threshold, below 2^56.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Threshold(u64);

impl Threshold {
    /// Keeps everything.
    #[cfg(test)]
    const NONE: Self = Self(0);

    /// That of a probability from 0 to 1, rounded to a few digits; `None`: nothing is kept.
    pub(crate) fn of(probability: f64) -> Option<Self> {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a probability of 2^56 is below 2^57"
        )]
        let kept = (probability.clamp(0.0, 1.0) * 72_057_594_037_927_936.0).round() as u64;
        if kept == 0 {
            return None;
        }
        let exact = ALL - kept;
        // Digits that say nothing: those that are all 0 or all f.
        let leading = |bits: u64| (bits.leading_zeros() as usize).saturating_sub(8) / 4;
        let idle = leading(exact).max(leading(kept.min(ALL - 1)));
        let digits = (PRECISION + idle.min(DIGITS)).min(DIGITS);
        let shift = 4 * (DIGITS - digits);
        let half = if shift == 0 { 0 } else { 1 << (shift - 1) };
        let rounded = (exact + half) >> shift << shift;
        Some(Self(rounded.min(ALL - 1)))
    }

    /// Whether a trace of this randomness is kept.
    pub(crate) fn keeps(self, randomness: u64) -> bool {
        randomness >= self.0
    }

    /// How many spans each one that was kept stands for.
    fn weight(self) -> f64 {
        #[allow(
            clippy::cast_precision_loss,
            reason = "a weight needs no more than 53 bits"
        )]
        let (all, kept) = (ALL as f64, (ALL - self.0) as f64);
        all / kept
    }

    fn text(self) -> String {
        let digits = format!("{:014x}", self.0);
        let short = digits.trim_end_matches('0');
        if short.is_empty() { "0" } else { short }.to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.is_empty() || text.len() > DIGITS || !text.bytes().all(is_hex) {
            return None;
        }
        u64::from_str_radix(&format!("{text:0<14}"), 16)
            .ok()
            .map(Self)
    }
}

/// What OpenTelemetry's samplers wrote into a trace state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sampled {
    pub(crate) threshold: Option<Threshold>,
    randomness: Option<u64>,
}

impl Sampled {
    pub(crate) fn of(trace_state: &str) -> Self {
        let mut sampled = Self::default();
        for part in ot_member(trace_state).unwrap_or_default().split(';') {
            match part.split_once(':') {
                Some(("th", value)) => sampled.threshold = Threshold::parse(value),
                Some(("rv", value)) if value.len() == DIGITS => {
                    sampled.randomness = Threshold::parse(value).map(|bits| bits.0);
                }
                _ => {}
            }
        }
        sampled
    }

    /// The randomness of the trace.
    pub(crate) fn randomness(self, trace_id: [u8; 16]) -> u64 {
        let low = u128::from_be_bytes(trace_id) & u128::from(ALL - 1);
        self.randomness
            .unwrap_or_else(|| u64::try_from(low).unwrap_or_default())
    }
}

/// The value of the member `ot`.
fn ot_member(trace_state: &str) -> Option<&str> {
    let mut members = trace_state.split(',');
    members.find_map(|member| member.trim().strip_prefix("ot="))
}

/// A trace state that says another threshold; everything else in it stays.
pub(crate) fn with_threshold(trace_state: &str, threshold: Threshold) -> String {
    let parts = ot_member(trace_state).unwrap_or_default().split(';');
    let others = parts.filter(|part| !part.is_empty() && !part.starts_with("th:"));
    let mut ot = format!("ot=th:{}", threshold.text());
    for part in others {
        ot.push(';');
        ot.push_str(part);
    }
    // Who changes a member puts it in front, as W3C asks.
    let mut state = ot;
    let members = trace_state.split(',').map(str::trim);
    for member in members.filter(|member| !member.is_empty() && !member.starts_with("ot=")) {
        if state.len() + 1 + member.len() > STATE_BYTES_MAX {
            break;
        }
        state.push(',');
        state.push_str(member);
    }
    state
}

/// How many spans a span stands for: what `th` says, times what a Jaeger client's sampler says.
pub(crate) fn weight(span: SpanRef<'_>) -> f64 {
    let state = span.trace_state();
    let of_state = if state.contains("ot=") {
        let threshold = Sampled::of(state).threshold;
        threshold.map_or(1.0, Threshold::weight)
    } else {
        1.0
    };
    let probability = of_sampler(span.attributes())
        .or_else(|| of_sampler(span.resource().attributes()))
        .unwrap_or(1.0);
    of_state / probability
}

/// The probability of Jaeger's probabilistic sampler.
fn of_sampler<'a>(attributes: impl Iterator<Item = Attribute<'a>>) -> Option<f64> {
    let (mut is_probabilistic, mut parameter) = (false, None);
    for Attribute { key, value } in attributes {
        match (key, value) {
            ("sampler.type", AttrValue::String(text)) => is_probabilistic = text == "probabilistic",
            ("sampler.param", AttrValue::Double(number)) => parameter = Some(number),
            ("sampler.param", AttrValue::Int(1)) => parameter = Some(1.0),
            ("sampler.param", AttrValue::String(text)) => parameter = text.parse().ok(),
            _ => {}
        }
    }
    // Less is no sampler that anybody runs, but a way to make one span count for all.
    parameter.filter(|probability| is_probabilistic && (1e-6..=1.0).contains(probability))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_those_of_opentelemetry() {
        let cases = [
            (1.0, "0"),
            (0.5, "8"),
            (0.25, "c"),
            (0.1, "e666"),
            (0.01, "fd70a"),
            (0.75, "4"),
        ];
        for (probability, text) in cases {
            assert_eq!(
                Threshold::of(probability).unwrap().text(),
                text,
                "{probability}"
            );
            assert_eq!(Threshold::parse(text), Threshold::of(probability));
        }
        assert_eq!(Threshold::of(0.0), None);
        assert_eq!(Threshold::of(1.0), Some(Threshold::NONE));
        let weight = Threshold::of(0.01).unwrap().weight();
        assert!((weight - 100.0).abs() < 0.01, "{weight}");
    }

    #[test]
    fn a_trace_state_keeps_what_others_wrote() {
        let state = "vendor=a:b, ot=rv:00000000000001;th:8;x:y,more=1";
        let sampled = Sampled::of(state);
        assert_eq!(sampled.threshold, Threshold::of(0.5));
        assert_eq!(sampled.randomness([255; 16]), 1);
        let threshold = Threshold::of(0.25).unwrap();
        let changed = with_threshold(state, threshold);
        assert_eq!(changed, "ot=th:c;rv:00000000000001;x:y,vendor=a:b,more=1");
        assert_eq!(with_threshold("", threshold), "ot=th:c");
        for odd in [
            "ot=th:",
            "ot=th:xyz",
            "ot=th:123456789abcdef",
            "ot=rv:1",
            "=,;",
        ] {
            assert_eq!(Sampled::of(odd), Sampled::default(), "{odd}");
        }
    }
}
