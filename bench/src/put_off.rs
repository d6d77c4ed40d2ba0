//! Has the program do what it puts off (freezing heads, merging segments), and waits until it rests.
//!
//! Promises: how the end of the work was known is told; time that was only waited does not count.

use std::time::Duration;

use anyhow::ensure;
use plumbing::Clock;

use crate::figures::Stopwatch;
use crate::http::Connection;
use crate::process;
use crate::program::Program;

/// The program is idle when so long so little processor time was used. Its clock shows ticks of 10 ms; one is what the
/// wake-ups of an idle runtime may add up to, two more what checking the bytes at rest takes in a large store.
const QUIET: Duration = Duration::from_secs(2);
const QUIET_CPU_MILLIS: u64 = 10;
const QUIET_CPU_MILLIS_LARGE: u64 = 30;
/// Of a larger store the bytes at rest are still being checked when all else is done.
const LARGE_SPANS: u64 = 50_000_000;
const QUIET_WITHIN: Duration = Duration::from_secs(120);
/// Each takes as long as a client waits, two minutes, or fails at once.
const FINALISE_ATTEMPTS_MAX: u32 = 15;
/// Heads are frozen by age after less than this; waited for when the program cannot be told to freeze them.
const HEAD_AGE: Duration = Duration::from_secs(20);

/// How put-off work was finished.
#[derive(Debug)]
pub(crate) struct Finished {
    /// How its end was known.
    pub(crate) how: String,
    pub(crate) took: Duration,
}

/// Has all deferred work done on a store of so many spans and waits until the program rests.
pub(crate) fn finish(
    program: &Program<'_>,
    spans: u64,
    clock: &dyn Clock,
) -> anyhow::Result<Finished> {
    let whole = Stopwatch::start(clock);
    let mut admin = Connection::to(&program.addresses.admin);
    // Asked again when much work takes longer than a client waits.
    let is_frozen = (0..FINALISE_ATTEMPTS_MAX).any(|_| {
        let finalise = admin.post("/admin/finalise", "text/plain", &[]);
        finalise.is_ok_and(|answer| (200..300).contains(&answer.status))
    });
    let mut waited_in_vain = QUIET;
    if !is_frozen {
        clock.sleep(HEAD_AGE);
        waited_in_vain += HEAD_AGE;
    }
    let quiet_millis = match spans {
        LARGE_SPANS.. => QUIET_CPU_MILLIS_LARGE,
        _ => QUIET_CPU_MILLIS,
    };
    let watch = Stopwatch::start(clock);
    loop {
        let before = process::cpu_millis(program.pid())?;
        clock.sleep(QUIET);
        if process::cpu_millis(program.pid())? <= before + quiet_millis {
            break;
        }
        ensure!(
            watch.elapsed() < QUIET_WITHIN,
            "the program does not come to rest"
        );
    }
    let how = if is_frozen {
        "all deferred work done on request, then 2 s of rest"
    } else {
        "heads frozen by age (20 s), then 2 s of rest"
    };
    Ok(Finished {
        how: how.to_owned(),
        took: whole.elapsed().saturating_sub(waited_in_vain),
    })
}
