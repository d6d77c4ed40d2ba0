//! Which corpus is wanted: profile, size, seed, and where in time it lies.
//!
//! Promises: options that pass [`CorpusOptions::checked`] cannot overflow a nanosecond time or a request.

use crate::Error;

/// The most spans a request may hold; the generator keeps about four requests of them in memory.
pub const BATCH_SPANS_MAX: usize = 100_000;

/// The latest second that starts or ends a corpus, so that nanoseconds of a late trace still fit 64 bits (year 2500).
const END_UNIX_SECONDS_MAX: u64 = 16_725_225_600;

/// Which kind of traffic is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// The shop: 20 services, long traces that repeat a few hundred patterns.
    Kind,
    /// Traces of 5 or 10 spans in random trees, 97 attribute keys, half of the values random.
    Unkind,
}

impl Profile {
    /// Gives the profile of this name: `kind` (or `shop`) or `unkind`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "kind" | "shop" => Some(Self::Kind),
            "unkind" => Some(Self::Unkind),
            _ => None,
        }
    }

    /// Gives the name that figures are quoted with.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Unkind => "unkind",
        }
    }

    /// Spans a trace for spreading traces over the window. Not the mean (kind traces have about 25): it decides the
    /// distance of two traces and with it every byte, so it stays.
    pub(super) fn spacing_spans(self) -> f64 {
        match self {
            Self::Kind => 14.0,
            Self::Unkind => 7.5,
        }
    }

    /// Spans a trace really, on average.
    fn mean_spans(self) -> f64 {
        match self {
            Self::Kind => 24.8,
            Self::Unkind => 7.5,
        }
    }
}

/// What to generate. Equal options give equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorpusOptions {
    /// Which kind of traffic.
    pub profile: Profile,
    /// How many spans at least; the last trace is always whole.
    pub spans: u64,
    /// Where the random numbers begin.
    pub seed: u64,
    /// Unix seconds of the first trace.
    pub start_unix_seconds: u64,
    /// Seconds that the traces are spread over, evenly in the order of sending; the traces have fewer or more spans
    /// than is assumed for this, so they may end before the window or somewhat after it.
    pub window_seconds: u64,
    /// Spans a request; 0 counts as 1.
    pub batch_spans: usize,
}

impl CorpusOptions {
    /// Gives the options that figures are quoted on but for the size: seed 7, half an hour, 1,000 spans a request.
    #[must_use]
    pub fn new(profile: Profile, spans: u64, start_unix_seconds: u64) -> Self {
        Self {
            profile,
            spans,
            seed: 7,
            start_unix_seconds,
            window_seconds: 1800,
            batch_spans: 1000,
        }
    }

    /// Gives the options with a window such that the traces themselves start within about so many seconds, 1 at least:
    /// a window alone is left half empty by the kind corpus.
    #[must_use]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the cast saturates, and seconds of a corpus are far below 53 bits"
    )]
    pub fn lying_over(mut self, seconds: u64) -> Self {
        let stretch = self.profile.mean_spans() / self.profile.spacing_spans();
        self.window_seconds = ((seconds as f64 * stretch).round() as u64).max(1);
        self
    }

    /// Gives the options with usable limits.
    ///
    /// # Errors
    /// [`Error::OptionTooLarge`] names the first option that is over its limit.
    pub(super) fn checked(mut self) -> Result<Self, Error> {
        let limits = [
            (
                "start_unix_seconds",
                self.start_unix_seconds,
                END_UNIX_SECONDS_MAX,
            ),
            (
                "window_seconds",
                self.window_seconds,
                END_UNIX_SECONDS_MAX.saturating_sub(self.start_unix_seconds),
            ),
            (
                "batch_spans",
                self.batch_spans as u64,
                BATCH_SPANS_MAX as u64,
            ),
        ];
        for (option, given, max) in limits {
            if given > max {
                return Err(Error::OptionTooLarge { option, given, max });
            }
        }
        self.batch_spans = self.batch_spans.max(1);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Corpus;

    #[test]
    fn traces_lie_over_as_many_seconds_as_asked_for() {
        for profile in [Profile::Kind, Profile::Unkind] {
            let options = CorpusOptions::new(profile, 50_000, 1_790_000_000).lying_over(86_400);
            let truth = Corpus::new(options).unwrap().into_truth();
            let seconds = (truth.latest_end_ns - truth.earliest_start_ns) / 1_000_000_000;
            assert!(
                (82_000..91_000).contains(&seconds),
                "{profile:?}: {seconds}"
            );
        }
    }

    #[test]
    fn knows_every_profile_by_its_name() {
        for profile in [Profile::Kind, Profile::Unkind] {
            assert_eq!(Profile::named(profile.name()), Some(profile));
        }
        assert_eq!(Profile::named("shop"), Some(Profile::Kind));
        assert_eq!(Profile::named("cruel"), None);
    }

    #[test]
    fn refuses_times_and_batches_over_their_limits() {
        let good = CorpusOptions::new(Profile::Kind, 10, 1_790_000_000);
        assert!(good.clone().checked().is_ok());
        let late = CorpusOptions {
            start_unix_seconds: u64::MAX,
            ..good.clone()
        };
        assert!(
            late.checked()
                .unwrap_err()
                .to_string()
                .contains("start_unix_seconds")
        );
        let long = CorpusOptions {
            window_seconds: END_UNIX_SECONDS_MAX,
            ..good.clone()
        };
        assert!(
            long.checked()
                .unwrap_err()
                .to_string()
                .contains("window_seconds")
        );
        let wide = CorpusOptions {
            batch_spans: BATCH_SPANS_MAX + 1,
            ..good.clone()
        };
        assert!(
            wide.checked()
                .unwrap_err()
                .to_string()
                .contains("batch_spans")
        );
        let empty = CorpusOptions {
            batch_spans: 0,
            ..good
        };
        assert_eq!(empty.checked().unwrap().batch_spans, 1);
    }
}
