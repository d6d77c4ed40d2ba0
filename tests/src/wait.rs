//! Waiting for conditions, with a deadline, and measuring how long things take.
//!
//! Promises: no test sleeps for a guessed time; it asks again, in short steps, until the deadline.

#![allow(
    clippy::disallowed_methods,
    reason = "a real process is watched in real time; no clock can be simulated here"
)]

use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Between two looks at a condition.
const STEP: Duration = Duration::from_millis(10);

/// Measures time from its making.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Asks until there is an answer; `None` when `time_max` is over.
pub(crate) fn until<T>(time_max: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let watch = Stopwatch::start();
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if watch.elapsed() >= time_max {
            return None;
        }
        std::thread::sleep(STEP);
    }
}

/// Lets a given time pass: for moments that are random on purpose, never to wait for something.
pub(crate) fn let_pass(time: Duration) {
    std::thread::sleep(time);
}

/// The time of the wall clock, in nanoseconds since 1970.
pub(crate) fn unix_now_ns() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_nanos()).unwrap()
}

/// Says that the test that asks cannot run here. Written past the test runner's capture, so that it is always seen and
/// counted.
pub(crate) fn skipped(reason: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or_default();
    writeln!(std::io::stderr(), "SKIPPED {test}: {reason}").unwrap();
    assert!(
        std::env::var_os("CI").is_none(),
        "{test} must run in CI: {reason}"
    );
}

/// Says a figure worth seeing also when the test passes.
pub(crate) fn report(line: &str) {
    writeln!(std::io::stderr(), "{line}").unwrap();
}
