//! The seam to time: what o'clock it is, and how long something took.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Gives the time. Everything that asks for the time asks a `Clock`.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Nanoseconds since the Unix epoch; may jump.
    fn unix_nanos(&self) -> u64;
    /// Nanoseconds since some fixed moment; never goes back.
    fn monotonic_nanos(&self) -> u64;
    /// Blocks the calling thread; never call it on the async runtime.
    fn sleep(&self, duration: Duration);
}

/// The machine's clock.
#[derive(Debug)]
pub struct RealClock {
    origin: Instant,
}

impl Default for RealClock {
    fn default() -> Self {
        #[allow(
            clippy::disallowed_methods,
            reason = "this is the one place that asks the machine"
        )]
        Self {
            origin: Instant::now(),
        }
    }
}

impl Clock for RealClock {
    fn unix_nanos(&self) -> u64 {
        #[allow(
            clippy::disallowed_methods,
            reason = "this is the one place that asks the machine"
        )]
        let now = SystemTime::now();
        let nanos = now
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos());
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }

    fn monotonic_nanos(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn sleep(&self, duration: Duration) {
        #[allow(
            clippy::disallowed_methods,
            reason = "this is the one place that sleeps"
        )]
        std::thread::sleep(duration);
    }
}

/// A clock that moves only when it is told to; sleeping moves it.
#[derive(Debug, Default)]
pub struct ManualClock {
    nanos: AtomicU64,
}

impl ManualClock {
    /// Starts the clock at a moment, in nanoseconds since the Unix epoch.
    #[must_use]
    pub fn at(unix_nanos: u64) -> Self {
        Self {
            nanos: AtomicU64::new(unix_nanos),
        }
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn unix_nanos(&self) -> u64 {
        self.nanos.load(Ordering::SeqCst)
    }

    fn monotonic_nanos(&self) -> u64 {
        self.nanos.load(Ordering::SeqCst)
    }

    fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }
}
