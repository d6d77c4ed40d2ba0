//! Threshold and randomness of probability sampling, as OpenTelemetry writes them into a trace state.
//!
//! Source: OpenTelemetry's "TraceState: Probability Sampling".
//!
//! A trace's randomness is 56 bits: `rv` of the trace state's `ot`, else the low 56 bits of its id. A sampler with the
//! rejection threshold `th` keeps it when the randomness is at least `th`; each span that is kept stands for
//! 2^56 / (2^56 - th) of them.
//!
//! Promises: members of the trace state that others wrote stay, in their order; what is no `th` or `rv` is taken for
//! absent.

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
pub struct Threshold(u64);

impl Threshold {
    /// Keeps everything.
    #[cfg(test)]
    const NONE: Self = Self(0);

    /// That of a probability from 0 to 1, rounded to a few digits; `None`: nothing is kept.
    #[must_use]
    pub fn of(probability: f64) -> Option<Self> {
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
    #[must_use]
    pub fn keeps(self, randomness: u64) -> bool {
        randomness >= self.0
    }

    /// The probability of a trace to be kept, over 0.
    #[must_use]
    pub fn probability(self) -> f64 {
        #[allow(
            clippy::cast_precision_loss,
            reason = "what is lost is less than a millionth of a millionth"
        )]
        let (all, kept) = (ALL as f64, (ALL - self.0) as f64);
        kept / all
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
pub struct Sampled {
    /// Which traces were left out.
    pub threshold: Option<Threshold>,
    randomness: Option<u64>,
}

impl Sampled {
    /// Reads a trace state.
    #[must_use]
    pub fn of(trace_state: &str) -> Self {
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
    #[must_use]
    pub fn randomness(self, trace_id: [u8; 16]) -> u64 {
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
#[must_use]
pub fn with_threshold(trace_state: &str, threshold: Threshold) -> String {
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
        let probability = Threshold::of(0.01).unwrap().probability();
        assert!((probability - 0.01).abs() < 1e-6, "{probability}");
        for (state, probability) in [
            ("ot=th:0", 1.0),
            ("a=b, ot=rv:1;th:8", 0.5),
            ("ot=th:c;rv:12345678901234", 0.25),
        ] {
            let threshold = Sampled::of(state).threshold;
            assert_eq!(
                threshold.map(Threshold::probability),
                Some(probability),
                "{state}"
            );
        }
        for state in [
            "", "ot=", "ot=th:", "ot=th:xy", "ot=th:+8", "xot=th:8", "ot=p:3",
        ] {
            assert_eq!(Sampled::of(state).threshold, None, "{state}");
        }
        assert_eq!(Sampled::of("ot=th:0123456789abcde").threshold, None);
        let least = Sampled::of("ot=th:ffffffffffffff").threshold.unwrap();
        assert!(least.probability() > 0.0 && least.probability() < 1e-16);
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
