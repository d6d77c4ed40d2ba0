//! The figures of a steady load as tables: the load as a whole, and minute by minute, so that it can be seen whether
//! something grows.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::figures::{Spread, ratio};
use crate::heading::Heading;
use crate::report::{write_spread, write_turned};
use crate::run::mib;
use crate::steady::{Load, Steady};
use crate::watching::Sample;

/// A run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SteadyReport {
    #[serde(flatten)]
    pub(crate) heading: Heading,
    pub(crate) steady: Steady,
}

impl SteadyReport {
    /// Counts answers whose status was wrong.
    pub(crate) fn wrong_answers(&self) -> u64 {
        let steady = &self.steady;
        let all = [
            &steady.at_rest,
            &steady.under_load,
            &steady.dependencies_under_load,
            &steady.at_rest_after,
        ];
        all.iter().map(|turned| turned.wrong).sum()
    }
}

impl fmt::Display for SteadyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steady = &self.steady;
        let (profile, rate, seconds) = (&steady.profile, steady.spans_per_second, steady.seconds);
        write!(f, "{}", self.heading)?;
        writeln!(
            f,
            "\n== {profile} corpus, {rate} spans a second for {seconds} s\n"
        )?;
        for (name, value) in plain_figures(steady) {
            writeln!(f, "{name:<40} {value:>14.2}")?;
        }
        write_minutes(f, steady)?;
        writeln!(
            f,
            "\n{:<26} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "over HTTP, ms", "count", "", "p50", "p90", "p99", "max"
        )?;
        write_spread(f, "acknowledged since due", steady.load.acknowledgement)?;
        write_turned(f, "at rest, first round", &steady.at_rest)?;
        write_turned(f, "under load", &steady.under_load)?;
        write_turned(f, "and beside them", &steady.dependencies_under_load)?;
        write_turned(f, "at rest, all spans", &steady.at_rest_after)
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "figures for people: 15 digits are more than any of them has"
)]
fn plain_figures(steady: &Steady) -> Vec<(&'static str, f64)> {
    let load = &steady.load;
    let all = Stretch::of(load, |_| true);
    let third = Duration::from_secs_f64(load.wall_seconds / 3.0);
    let [first, middle, last] =
        [0, 1, 2].map(|nth| Stretch::of(load, |at| third * nth <= at && at < third * (nth + 1)));
    vec![
        ("idle memory, fresh, MiB", steady.fresh_mib),
        ("idle memory, first round merged, MiB", steady.filled_mib),
        ("memory under load, mean, MiB", all.mean_mib),
        ("memory under load, peak, MiB", all.peak_mib),
        ("  mean of the first third", first.mean_mib),
        ("  mean of the last third", last.mean_mib),
        ("idle memory after the load, MiB", steady.rested_mib),
        ("  and after questions", steady.rested_asked_mib),
        ("processor, program, cores", all.program_cores),
        ("processor, benchmark itself, cores", all.own_cores),
        (
            "CPU-s per million, put-off work done",
            (all.program_cpu_seconds + steady.put_off_cpu_seconds) / load.spans as f64 * 1e6,
        ),
        ("spans acknowledged", load.spans as f64),
        (
            "spans acknowledged per second",
            load.spans as f64 / load.wall_seconds,
        ),
        ("requests late (100 ms)", load.late as f64),
        ("the latest, ms", load.latest_ms),
        ("requests not sent", load.unsent as f64),
        ("requests sent back (429, 503)", load.sent_back as f64),
        ("broken connections", load.broken_connections as f64),
        (
            "spans waiting to be merged, first third",
            first.waiting_spans,
        ),
        ("  middle third", middle.waiting_spans),
        ("  last third", last.waiting_spans),
        ("seconds of put-off work after it", steady.put_off_seconds),
        ("CPU-s of put-off work after it", steady.put_off_cpu_seconds),
        (
            "cores still used half a minute later",
            steady.restless_cores,
        ),
        ("bytes per span on disk", steady.bytes_per_span),
    ]
}

fn write_minutes(f: &mut fmt::Formatter<'_>, steady: &Steady) -> fmt::Result {
    writeln!(
        f,
        "\nminute  requests/s  cores  own   MiB mean / peak  spans waiting  segments waiting  segments  \
         search p50 / p99, ms"
    )?;
    for nth in 0..minute(Duration::from_secs(steady.seconds.max(1) - 1)) + 1 {
        let stretch = Stretch::of(&steady.load, |at| minute(at) == nth);
        let by_minute = steady.under_load.by_minute.get(nth).copied().flatten();
        let (p50, p99) =
            by_minute.map_or((0.0, 0.0), |spread: Spread| (spread.p50_ms, spread.p99_ms));
        writeln!(
            f,
            "{:>6} {:>11.1} {:>6.2} {:>4.2} {:>10.0} / {:>4.0} {:>14.0} {:>17.0} {:>9.0} {p50:>12.2} / {p99:.2}",
            nth + 1,
            stretch.requests_per_second,
            stretch.program_cores,
            stretch.own_cores,
            stretch.mean_mib,
            stretch.peak_mib,
            stretch.waiting_spans,
            stretch.waiting_segments,
            stretch.segments,
        )?;
    }
    Ok(())
}

fn minute(at: Duration) -> usize {
    usize::try_from(at.as_secs() / 60).unwrap_or(usize::MAX)
}

/// What the samples of a stretch of time say.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Stretch {
    mean_mib: f64,
    peak_mib: f64,
    program_cpu_seconds: f64,
    program_cores: f64,
    own_cores: f64,
    requests_per_second: f64,
    /// Means of the program's own figures.
    waiting_spans: f64,
    waiting_segments: f64,
    segments: f64,
}

impl Stretch {
    fn of(load: &Load, is_in: impl Fn(Duration) -> bool) -> Self {
        let samples = load.samples.iter().filter(|sample| is_in(sample.at));
        let samples: Vec<&Sample> = samples.collect();
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
            return Self::default();
        };
        let resident = samples.iter().map(|sample| sample.resident_kib);
        let mean = |of: &dyn Fn(&Sample) -> Option<u64>| {
            let values: Vec<u64> = samples.iter().filter_map(|sample| of(sample)).collect();
            ratio(values.iter().sum(), values.len() as u64)
        };
        let seconds = (last.at - first.at).as_secs_f64().max(f64::MIN_POSITIVE);
        let program_cpu_seconds = ratio(last.program_cpu_millis - first.program_cpu_millis, 1000);
        Self {
            mean_mib: mean(&|sample| Some(sample.resident_kib)) / 1024.0,
            peak_mib: mib(resident.max().unwrap_or_default()),
            program_cpu_seconds,
            program_cores: program_cpu_seconds / seconds,
            own_cores: ratio(last.own_cpu_millis - first.own_cpu_millis, 1000) / seconds,
            requests_per_second: ratio(last.requests - first.requests, 1) / seconds,
            waiting_spans: mean(&|sample| Some(sample.store?.waiting_spans)),
            waiting_segments: mean(&|sample| Some(sample.store?.waiting_segments)),
            segments: mean(&|sample| Some(sample.store?.segments)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watching::StoreSample;

    #[test]
    fn a_stretch_has_the_means_of_its_own_samples_only() {
        let sample = |second: u64| Sample {
            at: Duration::from_secs(second),
            resident_kib: second * 1024,
            program_cpu_millis: second * 1500,
            own_cpu_millis: second * 250,
            requests: second * 290,
            store: second.is_multiple_of(10).then_some(StoreSample {
                waiting_spans: second,
                ..StoreSample::default()
            }),
        };
        let load = Load {
            spans: 0,
            wall_seconds: 0.0,
            late: 0,
            latest_ms: 0.0,
            unsent: 0,
            sent_back: 0,
            broken_connections: 0,
            acknowledgement: None,
            samples: (0..=120).map(sample).collect(),
        };
        let second_minute = Stretch::of(&load, |at| minute(at) == 1);
        let expected = Stretch {
            mean_mib: 89.5,
            peak_mib: 119.0,
            program_cpu_seconds: 88.5,
            program_cores: 1.5,
            own_cores: 0.25,
            requests_per_second: 290.0,
            waiting_spans: 85.0,
            ..Stretch::default()
        };
        assert_eq!(second_minute, expected);
        assert_eq!(Stretch::of(&load, |_| false), Stretch::default());
    }
}
