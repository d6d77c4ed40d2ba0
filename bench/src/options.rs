//! What is to be measured, from the command line.
//!
//! Promises: without an argument both corpora are measured as figures are quoted: 1,000,000 spans, seed 7, 4
//! connections, level `sync`.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use lexopt::prelude::*;
use testkit::corpus::Profile;

pub(crate) const USAGE: &str = "\
bench [--profile kind|unkind|both] [--spans 1000000] [--seed 7] [--connections 4] [--repetitions 60]
      [--level sync|page_cache|memory] [--program target/dist/trackway] [--build] [--set KEY=VALUE]…
      [--work-dir target/bench] [--keep] [--out bench/out/RESULT.json]

--build builds the program first; --set is passed to it; --keep leaves corpus, data and log below the work folder.";

/// More than this many clients would measure the clients.
const CONNECTIONS_MAX: usize = 256;

/// Fewer answers than this give no 95th percentile.
const REPETITIONS_MIN: usize = 50;

/// The options of one run.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) profiles: Vec<Profile>,
    pub(crate) spans: u64,
    pub(crate) seed: u64,
    /// Senders at once, each with a connection of its own.
    pub(crate) connections: usize,
    /// How often each question is asked.
    pub(crate) repetitions: usize,
    /// When a request is acknowledged, by the program's own word for it.
    pub(crate) level: String,
    pub(crate) program: PathBuf,
    /// Whether the program is built first.
    pub(crate) is_built_first: bool,
    /// More settings, passed to the program as they are.
    pub(crate) settings: Vec<String>,
    pub(crate) work_dir: PathBuf,
    /// Whether corpus, data and log stay.
    pub(crate) is_kept: bool,
    pub(crate) out: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profiles: vec![Profile::Kind, Profile::Unkind],
            spans: 1_000_000,
            seed: 7,
            connections: 4,
            repetitions: 60,
            level: "sync".to_owned(),
            program: PathBuf::from("target/dist/trackway"),
            is_built_first: false,
            settings: Vec::new(),
            work_dir: PathBuf::from("target/bench"),
            is_kept: false,
            out: PathBuf::from("bench/out/RESULT.json"),
        }
    }
}

impl Options {
    /// Reads the process's arguments; none when only help was asked for.
    pub(crate) fn from_arguments() -> anyhow::Result<Option<Self>> {
        Self::parse(lexopt::Parser::from_env()).with_context(|| USAGE)
    }

    fn parse(mut arguments: lexopt::Parser) -> anyhow::Result<Option<Self>> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("help") | Short('h') => return Ok(None),
                Long("profile") => options.profiles = profiles(&arguments.value()?.string()?)?,
                Long("spans") => options.spans = arguments.value()?.parse()?,
                Long("seed") => options.seed = arguments.value()?.parse()?,
                Long("connections") => options.connections = arguments.value()?.parse()?,
                Long("repetitions") => options.repetitions = arguments.value()?.parse()?,
                Long("level") => options.level = arguments.value()?.string()?,
                Long("program") => options.program = arguments.value()?.into(),
                Long("build") => options.is_built_first = true,
                Long("set") => options.settings.push(arguments.value()?.string()?),
                Long("work-dir") => options.work_dir = arguments.value()?.into(),
                Long("keep") => options.is_kept = true,
                Long("out") => options.out = arguments.value()?.into(),
                other => return Err(other.unexpected().into()),
            }
        }
        ensure!(options.spans > 0, "--spans must be over 0");
        let connections = options.connections;
        ensure!(
            (1..=CONNECTIONS_MAX).contains(&connections),
            "--connections is {connections}, it must be from 1 to {CONNECTIONS_MAX}"
        );
        ensure!(
            options.repetitions >= REPETITIONS_MIN,
            "--repetitions must be at least {REPETITIONS_MIN} for a 95th percentile"
        );
        Ok(Some(options))
    }
}

fn profiles(name: &str) -> anyhow::Result<Vec<Profile>> {
    if name == "both" {
        return Ok(vec![Profile::Kind, Profile::Unkind]);
    }
    let profile = Profile::named(name)
        .with_context(|| format!("no profile {name:?}; use kind, unkind or both"))?;
    Ok(vec![profile])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> anyhow::Result<Option<Options>> {
        Options::parse(lexopt::Parser::from_args(arguments))
    }

    #[test]
    fn measures_both_corpora_as_quoted_when_nothing_is_said() {
        let options = parse(&[]).unwrap().unwrap();
        assert_eq!(options.profiles, [Profile::Kind, Profile::Unkind]);
        assert_eq!((options.spans, options.seed), (1_000_000, 7));
        assert_eq!(options.level, "sync");
        assert!(parse(&["--help"]).unwrap().is_none());
    }

    #[test]
    fn refuses_what_cannot_be_measured() {
        assert!(parse(&["--profile", "cruel"]).is_err());
        assert!(parse(&["--spans", "0"]).is_err());
        assert!(parse(&["--connections", "0"]).is_err());
        assert!(parse(&["--repetitions", "49"]).is_err());
        assert!(parse(&["--repetitions", "50"]).is_ok());
        assert!(parse(&["stray"]).is_err());
    }
}
