//! Spans counted over time: rates, errors and durations of operations, and of calls between services.
//!
//! Time is counted in whole minutes: a window is widened to the minutes that it touches, a step to a multiple of one.
//! A span belongs to the minute in which it starts.
//!
//! Promises: counts are exact, durations are a histogram whose quantiles are right to 0.55 % ([`crate::histogram`]).
//! What was sent twice is counted once as soon as both are in segments that were merged.

use crate::contract::{ReadError, Skipped, Window};
use crate::{Histogram, TenantId, TraceId};

/// Nanoseconds of a minute.
pub const MINUTE_NANOS: u64 = 60_000_000_000;
/// Steps that a question may ask for.
const STEPS_MAX: u64 = 10_000;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RatesOf {
    /// Every span, as an operation of its service.
    Operations,
    /// Spans whose parent is of another service, and those that serve (kinds server and consumer) below any parent, as
    /// calls of the parent's service. Both must be in the same segment; those in memory are not counted yet.
    Calls,
}

/// A question for rates.
#[derive(Debug, Clone)]
pub struct RatesRequest {
    /// Whose spans.
    pub tenant: TenantId,
    /// What is counted.
    pub of: RatesOf,
    /// When the spans start.
    pub window: Window,
    /// The time of a point, in nanoseconds; 0: one point for the whole window.
    pub step_nanos: u64,
    /// Only spans of these services, of calls also those that they make; none: of all.
    pub services: Vec<String>,
    /// Only spans of these kinds (OTLP's numbers); none: of all.
    pub kinds: Vec<i32>,
    /// Whether each operation is a series of its own. Calls have none.
    pub by_operation: bool,
    /// Whether each kind is a series of its own.
    pub by_kind: bool,
    /// Whether points name traces to look at.
    pub with_examples: bool,
}

/// The steps of a question, in minutes since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    /// The first minute.
    pub first: u64,
    /// The minute behind the last one.
    pub behind: u64,
    /// Minutes of a step.
    pub minutes: u64,
}

impl RatesRequest {
    /// The steps; an error when there are too many.
    pub fn steps(&self) -> Result<Steps, ReadError> {
        let (first, last) = (
            self.window.start / MINUTE_NANOS,
            self.window.end / MINUTE_NANOS,
        );
        if self.window.end < self.window.start {
            let reason = "the window ends before it begins".to_owned();
            return Err(ReadError::BadQuestion { reason });
        }
        let all = last - first + 1;
        let minutes = match self.step_nanos {
            0 => all,
            nanos => nanos.div_ceil(MINUTE_NANOS),
        };
        let steps = all.div_ceil(minutes);
        if steps > STEPS_MAX {
            let reason = format!(
                "a window of {all} minutes has {steps} steps of {minutes} minutes, at most {STEPS_MAX} are answered: \
                 ask for a longer step or a shorter window"
            );
            return Err(ReadError::OverLimit { reason });
        }
        Ok(Steps {
            first,
            behind: last + 1,
            minutes,
        })
    }
}

impl Steps {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        (self.behind - self.first).div_ceil(self.minutes)
    }

    /// The step of a minute, if it lies in the window.
    #[must_use]
    pub fn of_minute(&self, minute: u64) -> Option<u64> {
        let is_inside = self.first <= minute && minute < self.behind;
        is_inside.then(|| (minute - self.first) / self.minutes)
    }

    /// The step of a moment, if it lies in the window.
    #[must_use]
    pub fn of_nanos(&self, unix_nanos: u64) -> Option<u64> {
        self.of_minute(unix_nanos / MINUTE_NANOS)
    }

    /// Minutes of a step: the first, and the one behind the last.
    #[must_use]
    pub fn minutes_of(&self, step: u64) -> (u64, u64) {
        let first = self.first + step * self.minutes;
        (first, first.saturating_add(self.minutes).min(self.behind))
    }

    /// The first nanosecond of a step.
    #[must_use]
    pub fn start_of(&self, step: u64) -> u64 {
        (self.first + step * self.minutes).saturating_mul(MINUTE_NANOS)
    }
}

/// What a series counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RateKey {
    /// The service whose spans they are; of calls the called one.
    pub service: String,
    /// Of calls: the service of the parent.
    pub caller: Option<String>,
    /// The operation, where each is a series of its own; [`crate::contract::OTHER_OPERATIONS`] for those that have none
    /// because there are too many.
    pub operation: Option<String>,
    /// OTLP's number of the kind, where each is a series of its own.
    pub kind: Option<i32>,
}

/// Spans of one series in one step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RatePoint {
    /// The first nanosecond of the step.
    pub start: u64,
    /// Spans.
    pub spans: u64,
    /// Those of them whose status is an error.
    pub errors: u64,
    /// The sum of their durations in nanoseconds, modulo 2^64.
    pub duration: i64,
    /// Their durations.
    pub durations: Histogram,
    /// Those of them whose trace was whole when it was merged, so that it is known what of their time is their own.
    pub timed_spans: u64,
    /// Nanoseconds of these in which none of their children was running.
    pub own: u64,
    /// Nanoseconds of these on the critical path of their traces.
    pub critical: u64,
    /// A trace with a span that is among the slowest.
    pub slowest: Option<TraceId>,
    /// A trace with a span that failed and is among the slowest of those.
    pub failed: Option<TraceId>,
}

/// A series of points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateSeries {
    /// What it counts.
    pub key: RateKey,
    /// By time; steps without spans are left out.
    pub points: Vec<RatePoint>,
}

/// Rates.
#[derive(Debug, Clone, Default)]
pub struct RatesAnswer {
    /// By service, caller, operation, kind.
    pub series: Vec<RateSeries>,
    /// Whether each operation has a series of its own, where that was asked for. If not, spans of some are counted
    /// under [`crate::contract::OTHER_OPERATIONS`], so that services are told whole; an operation with a series of its
    /// own may have some there as well.
    pub has_all_operations: bool,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(window: (u64, u64), step_nanos: u64) -> RatesRequest {
        RatesRequest {
            tenant: TenantId::default(),
            of: RatesOf::Operations,
            window: Window {
                start: window.0,
                end: window.1,
            },
            step_nanos,
            services: Vec::new(),
            kinds: Vec::new(),
            by_operation: false,
            by_kind: false,
            with_examples: false,
        }
    }

    #[test]
    fn windows_and_steps_are_widened_to_whole_minutes() {
        let steps = request((3 * MINUTE_NANOS - 1, 7 * MINUTE_NANOS), 61_000_000_000)
            .steps()
            .unwrap();
        assert_eq!((steps.first, steps.behind, steps.minutes), (2, 8, 2));
        assert_eq!(steps.count(), 3);
        assert_eq!(steps.minutes_of(2), (6, 8));
        assert_eq!(
            [1, 2, 5, 7, 8].map(|minute| steps.of_minute(minute)),
            [None, Some(0), Some(1), Some(2), None]
        );
        let whole = request((0, u64::MAX), 0).steps().unwrap();
        assert_eq!((whole.count(), whole.of_nanos(u64::MAX)), (1, Some(0)));
    }

    #[test]
    fn too_many_steps_are_refused_with_what_to_ask_instead() {
        let refused = request((0, 10_000 * MINUTE_NANOS), 1).steps().unwrap_err();
        assert!(refused.to_string().contains("10001 steps"), "{refused}");
        assert!(request((0, 10_000 * MINUTE_NANOS - 1), 1).steps().is_ok());
        assert!(request((5, 4), 1).steps().is_err());
    }
}
