//! `trackway search`: finds traces on a running server and lists them.

use std::io::{BufWriter, Write};
use std::time::Duration;

use jiff::tz::TimeZone;
use plumbing::{Clock, RealClock};

use super::{ask, read_answer, write_json};
use crate::cli::SearchArgs;
use crate::client::percent_encoded;
use crate::config::Setting;
use crate::error::Error;
use crate::jaeger_json::Trace;
use crate::terminal::{Look, listing};

/// Finds and lists the traces.
pub(crate) fn run(args: &SearchArgs, out: &mut dyn Write) -> Result<(), Error> {
    let now_micros = RealClock::default().unix_nanos() / 1000;
    let query = query_of(args, now_micros).map_err(Error::Usage)?;
    let reply = ask(&args.server, &query)?;
    if args.look.json && reply.status.is_success() {
        return write_json(&reply, out);
    }
    let traces: Vec<Trace> = read_answer(&args.server, &reply)?;
    if traces.is_empty() {
        let why = format!(
            "no traces of {:?} in the last {} are like this",
            args.service, args.since
        );
        return Err(Error::Missing(format!(
            "{why}; `trackway services` lists the services"
        )));
    }
    let look = Look::of_stdout(args.look.color, args.look.width);
    let mut out = BufWriter::new(out);
    listing::write(&traces, look, &TimeZone::system(), &mut out)?;
    writeln!(out, "{}", listing::summary(traces.len(), args.limit))?;
    Ok(out.flush()?)
}

/// The search as Jaeger's API takes it.
fn query_of(args: &SearchArgs, now_micros: u64) -> Result<String, String> {
    let since = duration_of("--since", &args.since)?;
    let start = now_micros.saturating_sub(u64::try_from(since.as_micros()).unwrap_or(u64::MAX));
    let mut query = format!("/api/traces?service={}", percent_encoded(&args.service));
    let mut add =
        |name: &str, value: &str| query.push_str(&format!("&{name}={}", percent_encoded(value)));
    add("start", &start.to_string());
    // Clocks differ: spans that seem to start a little later than now are wanted too.
    add("end", &now_micros.saturating_add(60_000_000).to_string());
    add("limit", &args.limit.to_string());
    if let Some(operation) = &args.operation {
        add("operation", operation);
    }
    let mut tags = serde_json::Map::new();
    for tag in &args.tag {
        let (key, value) = tag
            .split_once('=')
            .ok_or_else(|| format!("--tag {tag}: write KEY=VALUE"))?;
        tags.insert(key.to_owned(), value.into());
    }
    if args.errors {
        tags.insert("error".to_owned(), "true".into());
    }
    if !tags.is_empty() {
        add("tags", &serde_json::Value::Object(tags).to_string());
    }
    for (flag, name, value) in [
        ("--min-duration", "minDuration", &args.min_duration),
        ("--max-duration", "maxDuration", &args.max_duration),
    ] {
        if let Some(text) = value {
            // The API reads durations as Go does, which knows no days.
            add(name, &format!("{}us", duration_of(flag, text)?.as_micros()));
        }
    }
    Ok(query)
}

fn duration_of(flag: &str, text: &str) -> Result<Duration, String> {
    Duration::parse(text).map_err(|why| format!("{flag}: {why}"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn query(arguments: &[&str]) -> Result<String, String> {
        let all = ["trackway", "search", "--service", "check out"]
            .iter()
            .chain(arguments);
        match Cli::try_parse_from(all).unwrap().command {
            Some(Command::Search(args)) => query_of(&args, 1_790_000_000_000_000),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn asks_in_the_words_of_the_api() {
        assert_eq!(
            query(&[
                "--since",
                "1h",
                "--min-duration",
                "250ms",
                "--max-duration",
                "1d",
                "-n",
                "5"
            ])
            .unwrap(),
            "/api/traces?service=check%20out&start=1789996400000000&end=1790000060000000&limit=5\
             &minDuration=250000us&maxDuration=86400000000us"
        );
        assert_eq!(
            query(&[
                "--tag",
                "http.route=/a?b=c",
                "--errors",
                "--operation",
                "GET /"
            ])
            .unwrap(),
            "/api/traces?service=check%20out&start=1789827200000000&end=1790000060000000&limit=20&operation=GET%20%2F\
             &tags=%7B%22http.route%22%3A%22%2Fa%3Fb%3Dc%22%2C%22error%22%3A%22true%22%7D"
        );
    }

    #[test]
    fn refuses_a_tag_without_value_and_a_duration_without_unit() {
        assert!(
            query(&["--tag", "error"])
                .unwrap_err()
                .contains("KEY=VALUE")
        );
        assert!(
            query(&["--min-duration", "250"])
                .unwrap_err()
                .starts_with("--min-duration")
        );
    }
}
