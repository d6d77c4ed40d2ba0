//! What is to be measured, from the command line.
//!
//! Promises: without an argument both corpora are measured as figures are quoted: 1,000,000 spans, seed 7, 4
//! connections, level `sync`.

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use lexopt::prelude::*;
use testkit::corpus::Profile;

pub(crate) const USAGE: &str = "\
bench [--profile kind|unkind|both] [--protocol http|grpc|both] [--spans 1000000] [--repetitions 60] [COMMON]…
bench --steady SPANS_PER_SECOND [--seconds 600] [--dependencies-every 60] [--profile kind|unkind]
      [--spans 1000000] [COMMON]…
bench --start-on DIR [--repetitions 7] [COMMON]…
bench --agent [--seconds 20] [COMMON]…
bench --backends [--spans 190000] [--repetitions 60] [COMMON]…
COMMON: [--seed 7] [--connections 4] [--level sync|page_cache|memory] [--program target/dist/trackway] [--build]
        [--set KEY=VALUE]… [--work-dir target/bench] [--keep]
        [--out bench/out/RESULT.json|STEADY.json|START.json|AGENT.json|BACKENDS.json]

Without a mode everything is measured over http, then what taking the first corpus costs over grpc. --steady sends at a
constant rate with searches beside it, from --spans that come again and again as new traces. --start-on starts the
program again and again on a folder of data. --agent measures an agent before a collector, and datagrams to a collector.
--backends measures stores of others, on servers that it starts by the scripts in tests/servers.
--build builds the program first; --set is passed to it; --keep leaves corpus, data and log below the work folder.";

/// More than this many clients would measure the clients.
const CONNECTIONS_MAX: usize = 256;

/// Fewer answers than this give no 95th percentile.
const REPETITIONS_MIN: usize = 50;

const STARTS: usize = 7;
/// A day; what is in memory of a load grows with its seconds.
const SECONDS_MAX: u64 = 86_400;
/// What is sent is made before, and is in memory: some 20 MB for each second.
const AGENT_SECONDS: u64 = 20;
const AGENT_SECONDS_MAX: u64 = 120;
/// So many that Elasticsearch still counts all calls between services from them.
const BACKENDS_SPANS: u64 = 190_000;

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Each corpus once, at full speed, with every answer checked.
    Corpora,
    /// A constant rate for some time.
    Steady(SteadyLoad),
    /// Starts on a folder of data.
    StartOn(PathBuf),
    /// An agent and datagrams, each for so many seconds.
    Agent(u64),
    /// Stores of others beside the embedded one.
    Backends,
}

/// What is sent and asked at a constant rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SteadyLoad {
    pub(crate) spans_per_second: u64,
    pub(crate) seconds: u64,
    /// Seconds between two questions for dependencies; 0: there are none.
    pub(crate) dependencies_every: u64,
}

/// How spans are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    Grpc,
}

/// The options of one run.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) protocols: Vec<Protocol>,
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
            mode: Mode::Corpora,
            profiles: vec![Profile::Kind, Profile::Unkind],
            protocols: vec![Protocol::Http, Protocol::Grpc],
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
        let (mut rate, mut repetitions, mut out) = (None, None, None);
        let (mut seconds, mut dependencies_every, mut is_agent) = (None, 60, false);
        let (mut spans, mut is_backends) = (None, false);
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("help") | Short('h') => return Ok(None),
                Long("steady") => rate = Some(arguments.value()?.parse()?),
                Long("seconds") => seconds = Some(arguments.value()?.parse()?),
                Long("agent") => is_agent = true,
                Long("backends") => is_backends = true,
                Long("dependencies-every") => dependencies_every = arguments.value()?.parse()?,
                Long("start-on") => options.mode = Mode::StartOn(arguments.value()?.into()),
                Long("profile") => options.profiles = profiles(&arguments.value()?.string()?)?,
                Long("protocol") => options.protocols = protocols(&arguments.value()?.string()?)?,
                Long("spans") => spans = Some(arguments.value()?.parse()?),
                Long("seed") => options.seed = arguments.value()?.parse()?,
                Long("connections") => options.connections = arguments.value()?.parse()?,
                Long("repetitions") => repetitions = Some(arguments.value()?.parse()?),
                Long("level") => options.level = arguments.value()?.string()?,
                Long("program") => options.program = arguments.value()?.into(),
                Long("build") => options.is_built_first = true,
                Long("set") => options.settings.push(arguments.value()?.string()?),
                Long("work-dir") => options.work_dir = arguments.value()?.into(),
                Long("keep") => options.is_kept = true,
                Long("out") => out = Some(arguments.value()?.into()),
                other => return Err(other.unexpected().into()),
            }
        }
        if let Some(spans_per_second) = rate {
            ensure!(
                options.mode == Mode::Corpora,
                "--steady and --start-on are two runs"
            );
            options.mode = Mode::Steady(SteadyLoad {
                spans_per_second,
                seconds: seconds.unwrap_or(600),
                dependencies_every,
            });
        }
        if is_agent {
            ensure!(options.mode == Mode::Corpora, "--agent is a run of its own");
            options.mode = Mode::Agent(seconds.unwrap_or(AGENT_SECONDS));
        }
        if is_backends {
            ensure!(
                options.mode == Mode::Corpora,
                "--backends is a run of its own"
            );
            options.mode = Mode::Backends;
            options.spans = BACKENDS_SPANS;
        }
        options.spans = spans.unwrap_or(options.spans);
        options.repetitions = repetitions.unwrap_or(match options.mode {
            Mode::StartOn(_) => STARTS,
            _ => options.repetitions,
        });
        options.out = out.unwrap_or_else(|| options.mode.usual_out());
        options.check()?;
        Ok(Some(options))
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(self.spans > 0, "--spans must be over 0");
        let connections = self.connections;
        ensure!(
            (1..=CONNECTIONS_MAX).contains(&connections),
            "--connections is {connections}, it must be from 1 to {CONNECTIONS_MAX}"
        );
        match self.mode {
            Mode::Corpora | Mode::Backends => ensure!(
                self.repetitions >= REPETITIONS_MIN,
                "--repetitions must be at least {REPETITIONS_MIN} for a 95th percentile"
            ),
            Mode::Steady(SteadyLoad {
                spans_per_second,
                seconds,
                ..
            }) => {
                ensure!(spans_per_second > 0, "--steady must be over 0");
                ensure!(
                    (1..=SECONDS_MAX).contains(&seconds),
                    "--seconds is {seconds}, it must be from 1 to {SECONDS_MAX}"
                );
            }
            Mode::StartOn(_) => ensure!(self.repetitions > 0, "--repetitions must be over 0"),
            Mode::Agent(seconds) => ensure!(
                (1..=AGENT_SECONDS_MAX).contains(&seconds),
                "--seconds is {seconds}, it must be from 1 to {AGENT_SECONDS_MAX}"
            ),
        }
        Ok(())
    }
}

impl Mode {
    fn usual_out(&self) -> PathBuf {
        PathBuf::from(match self {
            Self::Corpora => "bench/out/RESULT.json",
            Self::Steady(_) => "bench/out/STEADY.json",
            Self::StartOn(_) => "bench/out/START.json",
            Self::Agent(_) => "bench/out/AGENT.json",
            Self::Backends => "bench/out/BACKENDS.json",
        })
    }
}

fn protocols(name: &str) -> anyhow::Result<Vec<Protocol>> {
    match name {
        "http" => Ok(vec![Protocol::Http]),
        "grpc" => Ok(vec![Protocol::Grpc]),
        "both" => Ok(vec![Protocol::Http, Protocol::Grpc]),
        _ => bail!("no protocol {name:?}; use http, grpc or both"),
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
        assert_eq!(options.protocols, [Protocol::Http, Protocol::Grpc]);
        assert_eq!(options.out, PathBuf::from("bench/out/RESULT.json"));
        assert!(parse(&["--help"]).unwrap().is_none());
    }

    #[test]
    fn every_mode_writes_a_file_of_its_own() {
        let steady = parse(&["--steady", "290000", "--seconds", "60"]).unwrap();
        let steady = steady.unwrap();
        let mode = Mode::Steady(SteadyLoad {
            spans_per_second: 290_000,
            seconds: 60,
            dependencies_every: 60,
        });
        assert_eq!((steady.mode, steady.repetitions), (mode, 60));
        assert_eq!(steady.out, PathBuf::from("bench/out/STEADY.json"));
        let start = parse(&["--start-on", "d", "--repetitions", "3"]).unwrap();
        let start = start.unwrap();
        assert_eq!(start.mode, Mode::StartOn(PathBuf::from("d")));
        assert_eq!(start.repetitions, 3);
        let agent = parse(&["--agent"]).unwrap().unwrap();
        assert_eq!(agent.mode, Mode::Agent(AGENT_SECONDS));
        assert_eq!(agent.out, PathBuf::from("bench/out/AGENT.json"));
        assert_eq!(start.out, PathBuf::from("bench/out/START.json"));
    }

    #[test]
    fn refuses_what_cannot_be_measured() {
        assert!(parse(&["--steady", "0"]).is_err());
        assert!(parse(&["--steady", "1", "--seconds", "0"]).is_err());
        assert!(parse(&["--steady", "1", "--start-on", "d"]).is_err());
        assert!(parse(&["--steady", "1", "--agent"]).is_err());
        assert!(parse(&["--agent", "--seconds", "121"]).is_err());
        assert!(parse(&["--protocol", "pigeon"]).is_err());
        assert!(parse(&["--profile", "cruel"]).is_err());
        assert!(parse(&["--spans", "0"]).is_err());
        assert!(parse(&["--connections", "0"]).is_err());
        assert!(parse(&["--repetitions", "49"]).is_err());
        assert!(parse(&["--repetitions", "50"]).is_ok());
        assert!(parse(&["stray"]).is_err());
    }
}
