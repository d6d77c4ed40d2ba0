//! `trackway store check|stats`: looks into the store while the program is not running; `finalise`, `pin`, `unpin`,
//! `pins`: has it put in order, and traces kept, while it runs.
//!
//! Promises: exit code 1 when the check finds damage; a store that is in use is left alone and said to be.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use model::TraceId;
use plumbing::{Metrics, RealClock, RealRandom};
use store::{CheckReport, Stats};

use super::wait_for;
use crate::cli::{FinaliseArgs, KeyArgs, PinArgs, PinsArgs, StoreArgs, StoreCommand};
use crate::client::{Connection, Reply, Server};
use crate::config::{Config, Settings};
use crate::error::Error;
use crate::keep::{self, Seams};

/// Where a program's admin port is unless it was told otherwise.
const ADMIN_PORT: u16 = 14269;
/// How long a change of pins may take: it waits for the disk.
const PIN_TIMEOUT: Duration = Duration::from_secs(60);

/// Does what the command says.
pub(crate) fn run(command: &StoreCommand, out: &mut dyn Write) -> Result<(), Error> {
    match command {
        StoreCommand::Check(args) => {
            let config = load(args)?;
            let report = keep::check(&config)?;
            write_report(&report, &config, args.json, out)
        }
        StoreCommand::Finalise(args) => finalise(args, out),
        StoreCommand::Pin(args) => change_pin(args, true, out),
        StoreCommand::Unpin(args) => change_pin(args, false, out),
        StoreCommand::Pins(args) => pins(args, out),
        StoreCommand::Stats(args) => {
            let config = load(args)?;
            let seams = Seams {
                clock: Arc::new(RealClock::default()),
                random: Arc::new(RealRandom::default()),
                metrics: Metrics::new(),
            };
            let stats = keep::stats(&config, &seams)?;
            if args.json {
                write_json(&stats, out)
            } else {
                Ok(write_stats(&stats, out)?)
            }
        }
    }
}

fn finalise(args: &FinaliseArgs, out: &mut dyn Write) -> Result<(), Error> {
    let server = Server::parse(&args.admin, ADMIN_PORT, &args.identity).map_err(Error::Usage)?;
    let mut connection = Connection::new(server, Duration::from_secs(args.timeout));
    let path = if args.wait {
        "/admin/finalise"
    } else {
        "/admin/finalise?wait=false"
    };
    let reply = wait_for(connection.post(path, "text/plain", Bytes::new()))?;
    require_success(&reply, &args.admin)?;
    let said = if args.wait {
        "all work that was put off is done"
    } else {
        "the program has begun; --wait waits until it is done"
    };
    Ok(writeln!(out, "{said}")?)
}

fn change_pin(args: &PinArgs, is_pinned: bool, out: &mut dyn Write) -> Result<(), Error> {
    let trace_id = TraceId::parse(args.trace_id.trim())
        .map_err(|why| Error::Usage(format!("\"{}\" is no trace id: {why}", args.trace_id)))?;
    let server = Server::parse(&args.admin, ADMIN_PORT, &args.identity).map_err(Error::Usage)?;
    let mut connection = Connection::new(server, PIN_TIMEOUT);
    let path = format!("/admin/pins/{trace_id}");
    let reply = if is_pinned {
        wait_for(connection.post(&path, "text/plain", Bytes::new()))?
    } else {
        wait_for(connection.delete(&path))?
    };
    require_success(&reply, &args.admin)?;
    let said = if is_pinned {
        "is kept until it is unpinned"
    } else {
        "ages as all others do"
    };
    Ok(writeln!(out, "trace {trace_id} {said}")?)
}

fn pins(args: &PinsArgs, out: &mut dyn Write) -> Result<(), Error> {
    let server = Server::parse(&args.admin, ADMIN_PORT, &args.identity).map_err(Error::Usage)?;
    let mut connection = Connection::new(server, PIN_TIMEOUT);
    let reply = wait_for(connection.get("/admin/pins"))?;
    require_success(&reply, &args.admin)?;
    let answer: serde_json::Value = serde_json::from_slice(&reply.body)
        .map_err(|why| Error::Ask(format!("{} answers what is no JSON: {why}", args.admin)))?;
    if args.json {
        return write_json(&answer, out);
    }
    let pins = answer.get("pins").and_then(serde_json::Value::as_array);
    for pin in pins.into_iter().flatten() {
        let text = |name| pin.get(name).and_then(serde_json::Value::as_str);
        let (trace_id, since) = (text("traceID"), text("since"));
        let line = format!("{} {}", trace_id.unwrap_or("?"), since.unwrap_or("?"));
        writeln!(out, "{}", crate::terminal::escaped(&line))?;
    }
    Ok(())
}

fn require_success(reply: &Reply, admin: &str) -> Result<(), Error> {
    if reply.status.is_success() {
        return Ok(());
    }
    Err(Error::Ask(format!(
        "{admin} answers {}: {}; does --admin name the admin port?",
        reply.status,
        reply.excerpt()
    )))
}

fn load(args: &StoreArgs) -> Result<Config, Error> {
    let sources = args
        .source
        .sources(&KeyArgs::default())
        .map_err(Error::Usage)?;
    Ok(Settings::load(&sources)?.config)
}

fn write_json(value: &impl serde::Serialize, out: &mut dyn Write) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value).map_err(std::io::Error::other)?;
    Ok(writeln!(out, "{text}")?)
}

fn write_report(
    report: &CheckReport,
    config: &Config,
    is_json: bool,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let dir = config.store.dir.display();
    if is_json {
        write_json(report, out)?;
    } else {
        for damage in &report.damage {
            writeln!(out, "damaged: {}", crate::terminal::escaped(damage))?;
        }
        let (segments, spans) = (report.stats.segments, report.stats.segment_spans);
        writeln!(
            out,
            "{dir}: {segments} segments with {spans} spans were read and verified"
        )?;
    }
    if report.is_sound() {
        return Ok(());
    }
    let count = report.damage.len();
    Err(Error::Damage(format!(
        "{count} places in {dir} are damaged; what is damaged is set aside when the program starts, the rest is served"
    )))
}

fn write_stats(stats: &Stats, out: &mut dyn Write) -> std::io::Result<()> {
    let rows = [
        ("spans", stats.segment_spans + stats.head_spans),
        ("  in segments", stats.segment_spans),
        ("  in the log only", stats.head_spans),
        ("traces in segments", stats.segment_traces),
        ("segments", stats.segments),
        ("  damaged", stats.unread_segments),
        ("bytes of segments", stats.segment_bytes),
        ("bytes of the log", stats.journal_bytes),
        ("services", stats.services),
        ("operations", stats.operations),
        ("attribute keys", stats.attribute_keys),
        ("pinned traces", stats.pinned_traces),
    ];
    for (name, value) in rows {
        writeln!(out, "{name:20} {value:>16}")?;
    }
    for (name, level) in &stats.levels {
        let (segments, spans, bytes) = (level.segments, level.spans, level.bytes);
        writeln!(
            out,
            "{:20} {segments:>16}   {spans} spans, {bytes} bytes",
            format!("  {name} segments")
        )?;
    }
    writeln!(
        out,
        "{:20} {:>16}",
        "bytes per span",
        per_span(stats.segment_bytes, stats)
    )?;
    let mut columns: Vec<(&str, u64)> = stats
        .column_bytes
        .iter()
        .map(|(name, bytes)| (name.as_str(), *bytes))
        .collect();
    columns.sort_by_key(|(name, bytes)| (std::cmp::Reverse(*bytes), *name));
    for (name, bytes) in columns {
        let name = crate::terminal::escaped(name);
        writeln!(out, "  {name:50} {:>8}", per_span(bytes, stats))?;
    }
    Ok(())
}

/// Hundredths are what columns differ by.
fn per_span(bytes: u64, stats: &Stats) -> String {
    match stats.segment_spans {
        0 => "-".to_owned(),
        spans => {
            let hundredths = u128::from(bytes) * 100 / u128::from(spans);
            format!("{}.{:02}", hundredths / 100, hundredths % 100)
        }
    }
}

#[cfg(test)]
mod tests {
    use store::LevelStats;

    use super::*;

    #[test]
    fn writes_the_largest_columns_first_with_their_bytes_per_span() {
        let stats = Stats {
            head_spans: 5,
            segments: 2,
            segment_spans: 1000,
            segment_traces: 40,
            segment_bytes: 25_120,
            journal_bytes: 1 << 20,
            services: 3,
            operations: 12,
            levels: [(
                "merged".to_owned(),
                LevelStats {
                    segments: 2,
                    spans: 1000,
                    bytes: 25_120,
                },
            )]
            .into(),
            column_bytes: [
                ("start".to_owned(), 3_000),
                ("attr.url\u{1b}".to_owned(), 9_010),
            ]
            .into(),
            ..Stats::default()
        };
        let mut out = Vec::new();
        write_stats(&stats, &mut out).unwrap();
        crate::golden::assert_golden("store-stats.txt", &String::from_utf8(out).unwrap());
        assert_eq!(per_span(7, &Stats::default()), "-");
    }

    #[test]
    fn damage_is_a_failure() {
        let report = CheckReport {
            damage: vec!["segment x: torn".to_owned()],
            ..CheckReport::default()
        };
        let mut out = Vec::new();
        let error = write_report(&report, &Config::default(), false, &mut out).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert!(
            String::from_utf8(out)
                .unwrap()
                .starts_with("damaged: segment x: torn\n")
        );
    }
}
