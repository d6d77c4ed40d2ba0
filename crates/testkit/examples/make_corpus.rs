//! Writes a corpus and its truth to files and says what it wrote.
//!
//! `cargo run --profile ci -p testkit --example make_corpus -- --profile kind --spans 1000000 --out kind.bin`
//!
//! `--start` (Unix seconds) has a fixed default, so that equal arguments write equal files at any time.

use std::{
    error::Error,
    io::{Write, stdout},
    path::{Path, PathBuf},
};

use lexopt::prelude::*;
use testkit::corpus::{Corpus, CorpusOptions, Profile, Truth, truth_path, write_corpus};

const USAGE: &str = "make_corpus --out FILE [--profile kind|unkind] [--spans N] [--seed N] [--start UNIX_SECONDS] \
                     [--window SECONDS] [--batch SPANS]";
const START_UNIX_SECONDS: u64 = 1_790_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut options = CorpusOptions::new(Profile::Kind, 1_000_000, START_UNIX_SECONDS);
    let mut out: Option<PathBuf> = None;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("profile") => {
                let name = arguments.value()?.string()?;
                options.profile = Profile::named(&name)
                    .ok_or_else(|| format!("no profile {name:?}; use kind or unkind"))?;
            }
            Long("spans") => options.spans = arguments.value()?.parse()?,
            Long("seed") => options.seed = arguments.value()?.parse()?,
            Long("start") => options.start_unix_seconds = arguments.value()?.parse()?,
            Long("window") => options.window_seconds = arguments.value()?.parse()?,
            Long("batch") => options.batch_spans = arguments.value()?.parse()?,
            Long("out") => out = Some(arguments.value()?.into()),
            Long("help") => {
                return Ok(writeln!(stdout(), "{USAGE}")?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let out = out.ok_or_else(|| format!("--out is missing\n{USAGE}"))?;
    let truth = write_corpus(&out, Corpus::new(options)?)?;
    report(&out, &truth)
}

fn report(out: &Path, truth: &Truth) -> Result<(), Box<dyn Error>> {
    let mut to = stdout().lock();
    let (name, spans, traces) = (out.display(), truth.spans, truth.traces);
    let (megabytes, each) = (truth.bytes / 1_000_000, truth.bytes / truth.spans.max(1));
    writeln!(
        to,
        "{name}: {spans} spans, {traces} traces, {} requests",
        truth.requests
    )?;
    writeln!(to, "{megabytes} MB, {each} B/span on the wire")?;
    writeln!(
        to,
        "{}: {} questions",
        truth_path(out).display(),
        truth.questions.len()
    )?;
    for question in &truth.questions {
        let (name, total) = (&question.name, question.total_traces);
        writeln!(to, "  {name:<28} {total:>9} traces  {:?}", question.tags)?;
    }
    Ok(())
}
