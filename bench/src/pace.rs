//! Sends at a rate that the clock sets and the answers do not: who comes late is counted, and never waited for.
//!
//! Promises: the nth span is due at the same moment however slow the answers are (an *open loop*), so that a program
//! that falls behind is seen to fall behind.
//! Refuses: bursts; what is late is sent at once, one request after the other.

use std::time::Duration;

use plumbing::Clock;

/// A rate, from a moment on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace<'a> {
    clock: &'a dyn Clock,
    begin_nanos: u64,
    per_second: u64,
}

impl<'a> Pace<'a> {
    /// Begins now.
    pub(crate) fn begin(per_second: u64, clock: &'a dyn Clock) -> Self {
        Self {
            clock,
            begin_nanos: clock.monotonic_nanos(),
            per_second: per_second.max(1),
        }
    }

    /// When a thing is due that so many come before, from the beginning on.
    pub(crate) fn due(&self, before: u64) -> Duration {
        let (seconds, rest) = (before / self.per_second, before % self.per_second);
        // Fits: the rest is below the rate, and no rate is over 18 thousand million.
        let nanos = rest.saturating_mul(1_000_000_000) / self.per_second;
        Duration::from_secs(seconds) + Duration::from_nanos(nanos)
    }

    /// Waits for a moment; gives how late it is, nothing if it had to wait.
    pub(crate) fn wait_until(&self, due: Duration) -> Duration {
        let passed = self.passed();
        let early = due.saturating_sub(passed);
        if !early.is_zero() {
            self.clock.sleep(early);
        }
        passed.saturating_sub(due)
    }

    /// Since the beginning.
    pub(crate) fn passed(&self) -> Duration {
        let now = self.clock.monotonic_nanos();
        Duration::from_nanos(now.saturating_sub(self.begin_nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plumbing::ManualClock;

    #[test]
    fn things_are_due_evenly_and_without_drift() {
        let clock = ManualClock::at(7);
        let pace = Pace::begin(290_000, &clock);
        assert_eq!(pace.due(0), Duration::ZERO);
        assert_eq!(pace.due(29_000), Duration::from_millis(100));
        assert_eq!(pace.due(290_000 * 600), Duration::from_secs(600));
        let day = 290_000 * 86_400 + 145_000;
        assert_eq!(pace.due(day), Duration::from_millis(86_400_500));
    }

    #[test]
    fn who_is_early_waits_and_who_is_late_does_not() {
        let clock = ManualClock::at(1_000);
        let pace = Pace::begin(10, &clock);
        assert_eq!(pace.wait_until(pace.due(5)), Duration::ZERO);
        assert_eq!(pace.passed(), Duration::from_millis(500));
        // A slow answer moves nothing that is due later.
        clock.advance(Duration::from_millis(350));
        assert_eq!(pace.wait_until(pace.due(6)), Duration::from_millis(250));
        assert_eq!(pace.passed(), Duration::from_millis(850));
        assert_eq!(pace.wait_until(pace.due(9)), Duration::ZERO);
        assert_eq!(pace.passed(), Duration::from_millis(900));
    }
}
