//! Has the program do what it puts off (freezing heads, merging segments), and waits until it rests.
//!
//! Promises: how the end of the work was known is told; time that was only waited does not count.

use std::time::Duration;

use anyhow::ensure;
use plumbing::Clock;

use crate::figures::{Stopwatch, ratio};
use crate::http::Connection;
use crate::process;
use crate::program::Program;

/// The program is idle when so long no processor time was used that its clock shows (10 ms); one tick is what the
/// wake-ups of an idle runtime may add up to.
const QUIET: Duration = Duration::from_secs(2);
const QUIET_CPU_MILLIS: u64 = 10;
/// Each takes as long as a client waits, two minutes, or fails at once.
const FINALISE_ATTEMPTS_MAX: u32 = 15;
/// Heads are frozen by age after less than this; waited for when the program cannot be told to freeze them.
const HEAD_AGE: Duration = Duration::from_secs(20);

/// How put-off work was finished.
#[derive(Debug)]
pub(crate) struct Finished {
    /// How its end was known.
    pub(crate) how: String,
    /// Until the program rested, without what was only waited.
    pub(crate) took: Duration,
    /// Until it said that all is done.
    pub(crate) said: Duration,
    /// What it used in the end, in cores, where it did not come to rest.
    pub(crate) restless_cores: Option<f64>,
}

/// The longest that is waited for rest behind all work.
pub(crate) const REST_WITHIN: Duration = Duration::from_secs(120);

impl Finished {
    /// Makes sure that the program came to rest.
    pub(crate) fn at_rest(self) -> anyhow::Result<Self> {
        ensure!(
            self.restless_cores.is_none(),
            "the program does not come to rest"
        );
        Ok(self)
    }
}

/// Has all deferred work done and waits until the program rests, or so long.
pub(crate) fn finish(
    program: &Program<'_>,
    rest_within: Duration,
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
    let said = whole.elapsed();
    let watch = Stopwatch::start(clock);
    let restless_cores = loop {
        let before = process::cpu_millis(program.pid())?;
        clock.sleep(QUIET);
        let used = process::cpu_millis(program.pid())? - before;
        if used <= QUIET_CPU_MILLIS {
            break None;
        }
        if watch.elapsed() >= rest_within {
            break Some(ratio(used, 1000) / QUIET.as_secs_f64());
        }
    };
    let how = if is_frozen {
        "all deferred work done on request, then 2 s of rest"
    } else {
        "heads frozen by age (20 s), then 2 s of rest"
    };
    Ok(Finished {
        how: how.to_owned(),
        took: whole.elapsed().saturating_sub(waited_in_vain),
        said,
        restless_cores,
    })
}
