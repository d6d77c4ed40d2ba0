//! Times as figures: in milliseconds, and what half and nearly all of them stay under.
//!
//! Promises: a percentile is one of the values (nearest rank), never an invention between two.

use std::time::Duration;

use plumbing::Clock;
use serde::Serialize;

/// Measures from its making on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch<'a> {
    clock: &'a dyn Clock,
    begin_nanos: u64,
}

impl<'a> Stopwatch<'a> {
    pub(crate) fn start(clock: &'a dyn Clock) -> Self {
        Self {
            clock,
            begin_nanos: clock.monotonic_nanos(),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_nanos(
            self.clock
                .monotonic_nanos()
                .saturating_sub(self.begin_nanos),
        )
    }
}

/// Gives a time in milliseconds.
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// What most of some times stay under, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// How many were measured.
    pub(crate) count: usize,
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

impl Spread {
    /// Gives the spread of some times; none if there are none.
    pub(crate) fn of(mut times_ms: Vec<f64>) -> Option<Self> {
        times_ms.sort_by(f64::total_cmp);
        Some(Self {
            count: times_ms.len(),
            p50_ms: percentile(&times_ms, 50)?,
            p90_ms: percentile(&times_ms, 90)?,
            p95_ms: percentile(&times_ms, 95)?,
            p99_ms: percentile(&times_ms, 99)?,
            max_ms: *times_ms.last()?,
        })
    }
}

/// Gives the value at a percentile by nearest rank; `sorted` is ascending.
fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// Gives one number divided by another, and 0 where there is nothing to divide by.
#[allow(
    clippy::cast_precision_loss,
    reason = "figures for people: 15 digits are more than any of them has"
)]
pub(crate) fn ratio(what: u64, by: u64) -> f64 {
    if by == 0 {
        0.0
    } else {
        what as f64 / by as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_value_that_so_many_stay_at_or_under() {
        let spread = Spread::of((1..=100).rev().map(f64::from).collect()).unwrap();
        assert_eq!(
            (spread.p50_ms, spread.p95_ms, spread.p99_ms, spread.max_ms),
            (50.0, 95.0, 99.0, 100.0)
        );
        let one = Spread::of(vec![3.0]).unwrap();
        assert_eq!((one.p50_ms, one.p99_ms), (3.0, 3.0));
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn nothing_divided_by_nothing_is_no_figure_to_fall_over() {
        assert!((ratio(5, 0) - 0.0).abs() < f64::EPSILON);
        assert!((ratio(5, 2) - 2.5).abs() < f64::EPSILON);
    }
}
