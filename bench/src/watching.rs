//! Looks at the program from outside while it works: memory and processor time each second, its own figures of the
//! store every ten.
//!
//! Promises: what is waiting to be merged is told twice, from different sources: the spans by the program's counters,
//! the segments by the files in its folder. Asking for the figures is itself work of the program, as with monitoring.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use plumbing::Clock;
use serde::Serialize;

use crate::disk;
use crate::figures::Stopwatch;
use crate::http::Connection;
use crate::pace::Pace;
use crate::process;
use crate::program::{Program, data_dir};
use crate::sender::Counts;

/// Seconds between two looks at the program's own figures.
const STORE_EVERY: u64 = 10;

/// What was seen at one moment.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Sample {
    pub(crate) at: Duration,
    pub(crate) resident_kib: u64,
    pub(crate) program_cpu_millis: u64,
    /// Of the benchmark itself: senders, askers and this.
    pub(crate) own_cpu_millis: u64,
    /// Requests acknowledged so far.
    pub(crate) requests: u64,
    pub(crate) store: Option<StoreSample>,
}

/// What the store had put off at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct StoreSample {
    /// Spans in memory and in segments that were not merged.
    pub(crate) waiting_spans: u64,
    /// Segments that were not merged, by the names of files.
    pub(crate) waiting_segments: u64,
    pub(crate) segments: u64,
}

/// Looks each second until it is told to end.
pub(crate) fn watch(
    (program, folder): (&Program<'_>, &Path),
    counts: &Counts,
    clock: &dyn Clock,
    end: &AtomicBool,
) -> anyhow::Result<Vec<Sample>> {
    let (mut samples, begin) = (Vec::new(), Stopwatch::start(clock));
    let pace = Pace::begin(1, clock);
    // Bounded by the seconds of the load.
    for nth in 0.. {
        pace.wait_until(pace.due(nth));
        let store = if nth % STORE_EVERY == 0 {
            Some(look_at_store(&program.addresses.admin, folder)?)
        } else {
            None
        };
        samples.push(Sample {
            at: begin.elapsed(),
            resident_kib: process::memory(program.pid())?.resident_kib,
            program_cpu_millis: process::cpu_millis(program.pid())?,
            own_cpu_millis: process::cpu_millis(std::process::id())?,
            requests: counts.requests.load(Ordering::Relaxed),
            store,
        });
        if end.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(samples)
}

fn look_at_store(admin: &str, folder: &Path) -> anyhow::Result<StoreSample> {
    // The program closes a connection on which nothing was asked for ten seconds.
    let answer = Connection::to(admin).get("/metrics")?;
    ensure!(answer.status == 200, "/metrics got {}", answer.status);
    let text = String::from_utf8_lossy(&answer.body);
    let mut sample = store_sample(&text).context("/metrics lacks a figure of the store")?;
    sample.waiting_segments = disk::count_fresh(&data_dir(folder))?;
    Ok(sample)
}

fn store_sample(text: &str) -> Option<StoreSample> {
    let figure = |name: &str| metric(text, &format!("trackway_store_{name}"));
    let unmerged = figure("frozen_spans_total")?.saturating_sub(figure("merged_spans_total")?);
    Some(StoreSample {
        waiting_spans: figure("head_spans")? + unmerged,
        waiting_segments: 0,
        segments: figure("segments")?,
    })
}

/// Gives a whole number by its name, with its labels if it has some.
pub(crate) fn metric(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let value = line.strip_prefix(name)?.strip_prefix(' ')?;
        value.split(' ').next()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_what_is_in_memory_and_what_was_frozen_and_not_merged() {
        let text = "# TYPE trackway_store_frozen_spans counter\ntrackway_store_frozen_spans_total 90\n\
                    trackway_store_merged_spans_total 60\ntrackway_store_head_spans 5\n\
                    trackway_store_segments 7\ntrackway_store_segment_spans 90\n";
        let expected = StoreSample {
            waiting_spans: 35,
            waiting_segments: 0,
            segments: 7,
        };
        assert_eq!(store_sample(text), Some(expected));
        assert_eq!(store_sample("trackway_store_head_spans 5\n"), None);
    }
}
