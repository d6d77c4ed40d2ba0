//! The figures of a run: as JSON for comparing, and as tables for reading.
//!
//! Promises: machine, corpus, level, version and commit stand with the figures; what a figure is aimed at stands beside
//! it where there is an aim (only the kind corpus of a million spans has one).

use std::fmt;

use serde::Serialize;

use crate::asking::Asked;
use crate::figures::Spread;
use crate::heading::Heading;
use crate::run::{Measured, Taken};
use crate::turns::Turned;

/// The aims, by the name of the figure; each is the most that it should be.
const AIMS: [(&str, f64); 9] = [
    ("CPU-s per million spans", 4.8),
    ("CPU-s per million over gRPC", 5.2),
    ("bytes per span on disk", 27.0),
    ("peak memory, MiB", 300.0),
    ("start on data, ms", 500.0),
    ("trace by id", 3.0),
    ("start after kill -9, ms", 3000.0),
    ("absent id", 1.0),
    ("rare attribute", 10.0),
];
/// What the aims are for.
const AIMED_PROFILE: &str = "kind";
/// How many columns the table shows; the JSON has all.
const COLUMNS_SHOWN: usize = 16;

/// Everything that one run found out.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    pub(crate) heading: Heading,
    pub(crate) corpora: Vec<Measured>,
    pub(crate) grpc: Option<Taken>,
}

impl Report {
    /// Counts wrong answers, and acknowledged spans that were not found at once.
    pub(crate) fn wrong_answers(&self) -> u64 {
        let of_one = |corpus: &Measured| {
            let asked: u64 = corpus.asked.iter().map(|asked| asked.wrong).sum();
            asked
                + corpus.after_kill.wrong
                + corpus.probed_under_load.not_found
                + corpus.probed_at_rest.not_found
                + corpus.full_load.searches.wrong
        };
        let not_found = |taken: &Taken| taken.probed.not_found;
        self.corpora.iter().map(of_one).sum::<u64>() + self.grpc.as_ref().map_or(0, not_found)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.heading)?;
        self.corpora
            .iter()
            .try_for_each(|corpus| write_corpus(f, corpus))?;
        self.grpc.iter().try_for_each(|taken| write_grpc(f, taken))
    }
}

fn write_grpc(f: &mut fmt::Formatter<'_>, taken: &Taken) -> fmt::Result {
    let (profile, spans, ingest) = (&taken.profile, taken.spans, &taken.ingest);
    writeln!(f, "\n== {profile} corpus over gRPC: {spans} spans\n")?;
    for (name, value) in [
        ("spans per second", ingest.spans_per_second),
        ("CPU-s until acknowledged", ingest.cpu_seconds_acknowledged),
        (
            "CPU-s per million over gRPC",
            ingest.cpu_seconds_per_million_spans,
        ),
        ("peak memory over gRPC, MiB", ingest.peak_mib),
    ] {
        let has_aims = taken.profile == AIMED_PROFILE;
        writeln!(f, "{name:<32} {value:>14.2}{}", aim(name, value, has_aims))?;
    }
    write_spread(f, "acknowledged, full load", ingest.acknowledgement)
}

fn write_corpus(f: &mut fmt::Formatter<'_>, corpus: &Measured) -> fmt::Result {
    let (profile, spans, traces) = (&corpus.profile, corpus.spans, corpus.traces);
    let wire = corpus.wire_bytes_per_span;
    writeln!(
        f,
        "\n== {profile} corpus: {spans} spans in {traces} traces, {wire:.0} B/span on the wire\n"
    )?;
    let has_aims = corpus.profile == AIMED_PROFILE;
    for (name, value) in plain_figures(corpus) {
        writeln!(f, "{name:<32} {value:>14.2}{}", aim(name, value, has_aims))?;
    }
    writeln!(f, "put-off work: {}", corpus.ingest.put_off_work)?;
    write_times(f, corpus, has_aims)?;
    write_disk(f, corpus)
}

#[allow(
    clippy::cast_precision_loss,
    reason = "figures for people: 15 digits are more than any of them has"
)]
fn plain_figures(corpus: &Measured) -> Vec<(&'static str, f64)> {
    let (ingest, after) = (&corpus.ingest, &corpus.after_kill);
    vec![
        ("spans per second", ingest.spans_per_second),
        ("megabytes per second", ingest.megabytes_per_second),
        ("seconds of sending", ingest.wall_seconds),
        ("requests sent back (429, 503)", ingest.sent_back as f64),
        ("broken connections", ingest.broken_connections as f64),
        ("CPU-s until acknowledged", ingest.cpu_seconds_acknowledged),
        ("CPU-s with put-off work", ingest.cpu_seconds),
        (
            "CPU-s per million spans",
            ingest.cpu_seconds_per_million_spans,
        ),
        ("seconds of put-off work", ingest.put_off_seconds),
        ("peak memory, MiB", ingest.peak_mib),
        ("idle memory, MiB", ingest.idle_mib),
        ("peak memory when asked, MiB", corpus.query_peak_mib),
        ("bytes per span on disk", corpus.disk.bytes_per_span),
        ("segments", corpus.disk.segments as f64),
        ("start on an empty folder, ms", corpus.start_empty_ms),
        ("start on data, ms", corpus.start_on_data_ms),
        ("stop, ms", corpus.stop_ms),
        ("spans in the log when killed", after.logged_spans as f64),
        ("start after kill -9, ms", after.start_ms),
    ]
}

/// Says what a figure is aimed at, and whether it is reached.
fn aim(name: &str, value: f64, has_aims: bool) -> String {
    let found = AIMS.iter().find(|(aimed, _)| has_aims && *aimed == name);
    found.map_or_else(String::new, |(_, most)| {
        let word = if value <= *most { "reached" } else { "MISSED" };
        format!("   aim {most}, {word}")
    })
}

/// Writes what was asked, with the heading of all times.
pub(crate) fn write_asked(
    f: &mut fmt::Formatter<'_>,
    asked: &[Asked],
    has_aims: bool,
) -> fmt::Result {
    writeln!(
        f,
        "\n{:<26} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}  holds",
        "over HTTP, ms", "count", "first", "p50", "p90", "p99", "max", "engine"
    )?;
    for asked in asked {
        let times = asked.over_http;
        let engine = asked
            .engine
            .map_or_else(|| "–".to_owned(), |own| format!("{:.2}", own.p50_ms));
        writeln!(
            f,
            "{:<26} {:>6} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {engine:>9}  {}{}",
            asked.name,
            times.count,
            asked.first_ms,
            times.p50_ms,
            times.p90_ms,
            times.p99_ms,
            times.max_ms,
            asked.holds,
            aim(&asked.name, times.p50_ms, has_aims)
        )?;
        if let Some(wrong) = &asked.first_wrong {
            writeln!(f, "  WRONG {} times, first: {wrong}", asked.wrong)?;
        }
    }
    Ok(())
}

fn write_times(f: &mut fmt::Formatter<'_>, corpus: &Measured, has_aims: bool) -> fmt::Result {
    write_asked(f, &corpus.asked, has_aims)?;
    let (under_load, at_rest) = (&corpus.probed_under_load, &corpus.probed_at_rest);
    write_spread(f, "acknowledged, full load", corpus.ingest.acknowledgement)?;
    write_spread(f, "acknowledged, at rest", at_rest.acknowledgement)?;
    write_spread(f, "found after it, full load", under_load.found)?;
    write_spread(f, "found after it, at rest", at_rest.found)?;
    let load = &corpus.full_load;
    write_turned(f, "searches at full load", &load.searches)?;
    let after = &corpus.after_kill;
    if after.wrong > 0 {
        let (wrong, asked) = (after.wrong, after.asked);
        writeln!(f, "  WRONG {wrong} of {asked} traces after kill -9")?;
    }
    let not_found = under_load.not_found + at_rest.not_found;
    if not_found > 0 {
        writeln!(
            f,
            "  WRONG {not_found} acknowledged spans were not found at once"
        )?;
    }
    Ok(())
}

/// Writes what came of asking in turn: all together, then each kind.
pub(crate) fn write_turned(f: &mut fmt::Formatter<'_>, name: &str, turned: &Turned) -> fmt::Result {
    write_spread(f, name, turned.all)?;
    for kind in &turned.kinds {
        write_spread(f, &format!("  {}", kind.name), Some(kind.over_http))?;
    }
    if let Some(wrong) = &turned.first_wrong {
        writeln!(f, "  WRONG {} times, first: {wrong}", turned.wrong)?;
    }
    Ok(())
}

pub(crate) fn write_spread(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    spread: Option<Spread>,
) -> fmt::Result {
    let Some(spread) = spread else {
        return writeln!(f, "{name:<26} {:>6}", 0);
    };
    let (count, p50, p90) = (spread.count, spread.p50_ms, spread.p90_ms);
    let (p99, max) = (spread.p99_ms, spread.max_ms);
    writeln!(
        f,
        "{name:<26} {count:>6} {:>9} {p50:>9.2} {p90:>9.2} {p99:>9.2} {max:>9.2}",
        ""
    )
}

fn write_disk(f: &mut fmt::Formatter<'_>, corpus: &Measured) -> fmt::Result {
    let disk = &corpus.disk;
    let kinds = disk.bytes_by_kind.iter();
    let kinds: Vec<String> = kinds
        .map(|(kind, bytes)| format!("{kind} {} KiB", bytes / 1024))
        .collect();
    writeln!(f, "\nfiles: {}", kinds.join(", "))?;
    let columns = disk.columns.iter().take(COLUMNS_SHOWN);
    let columns: Vec<String> = columns
        .map(|column| format!("{} {:.2}", column.name, column.bytes_per_span))
        .collect();
    writeln!(f, "bytes per span by column: {}", columns.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_whether_an_aim_is_reached_only_where_there_is_one() {
        assert_eq!(aim("absent id", 1.0, true), "   aim 1, reached");
        assert_eq!(aim("absent id", 1.01, true), "   aim 1, MISSED");
        assert_eq!(aim("absent id", 1.01, false), "");
        assert_eq!(aim("spans per second", 1.0, true), "");
    }
}
