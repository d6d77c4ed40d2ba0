//! Starts and stops the program that is measured.
//!
//! Promises: free ports, which the program names itself; it never outlives the benchmark; what it wrote to its log is
//! shown when it fails to start or ends by itself.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use plumbing::Clock;
use serde::Deserialize;

use crate::figures::Stopwatch;
use crate::http::Connection;
use crate::options::Options;

/// Listeners that are asked; each gets a port of the system's choice.
const LISTENERS: [&str; 5] = ["otlp_grpc", "otlp_http", "query_http", "admin", "health"];
/// Listeners that nobody asks here.
const CLOSED: [&str; 8] = [
    "jaeger_http",
    "jaeger_grpc",
    "jaeger_compact",
    "jaeger_binary",
    "zipkin",
    "sampling_http",
    "sampling_grpc",
    "query_grpc",
];
/// What a collector opens and nobody asks here.
const NOT_OF_COLLECTORS: [&str; 9] = [
    "otlp_grpc",
    "jaeger_http",
    "jaeger_grpc",
    "jaeger_compact",
    "jaeger_binary",
    "zipkin",
    "sampling_http",
    "sampling_grpc",
    "health",
];
/// The doors of an agent.
const AGENT_LISTENERS: [&str; 7] = [
    "otlp_grpc",
    "otlp_http",
    "jaeger_compact",
    "jaeger_binary",
    "sampling_http",
    "sampling_grpc",
    "admin",
];
/// Far above what is asked of a start or a stop, so that a hang is told from a slow machine.
const START_MAX: Duration = Duration::from_secs(120);
const STOP_MAX: Duration = Duration::from_secs(120);
/// Between two looks; start-up is measured to this.
const LOOK_AGAIN: Duration = Duration::from_millis(1);
/// How much of the log a message shows.
const LOG_LINES_SHOWN: usize = 30;

/// Where the program listens.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Addresses {
    pub(crate) otlp_grpc: String,
    pub(crate) otlp_http: String,
    pub(crate) jaeger_compact: String,
    pub(crate) query_http: String,
    pub(crate) admin: String,
}

/// A running program.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    child: Child,
    log: PathBuf,
    clock: &'a dyn Clock,
    pub(crate) addresses: Addresses,
    /// From the start of the process until it said that it is ready.
    pub(crate) start_up: Duration,
}

impl<'a> Program<'a> {
    /// Starts the program on the data of a run and waits until it is ready; `nth` tells its files from another start's.
    pub(crate) fn start(
        options: &Options,
        folder: &Path,
        nth: u32,
        clock: &'a dyn Clock,
    ) -> anyhow::Result<Self> {
        Self::start_on(&data_dir(folder), (options, folder), nth, clock)
    }

    /// The same on any folder of data; `folder` is where its log goes.
    pub(crate) fn start_on(
        data: &Path,
        (options, folder): (&Options, &Path),
        nth: u32,
        clock: &'a dyn Clock,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(&options.program);
        command.arg("--data-dir").arg(data);
        // Answers are compared with what was sent, and with nothing else.
        command.args(["--set", "own_spans.per_second=off"]);
        for listener in LISTENERS {
            command.args(["--set", &format!("listen.{listener}=0")]);
        }
        for listener in CLOSED {
            command.args(["--set", &format!("listen.{listener}=off")]);
        }
        command.args(["--set", &format!("store.acknowledge={}", options.level)]);
        for setting in &options.settings {
            command.args(["--set", setting]);
        }
        Self::launch(command, folder, nth, clock)
    }

    /// Starts an agent before a collector, with all the doors that one usually has.
    pub(crate) fn start_agent(
        collector: &str,
        (options, folder): (&Options, &Path),
        nth: u32,
        clock: &'a dyn Clock,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(&options.program);
        command.args(["agent", "--collector", collector, "--buffer-dir"]);
        command.arg(folder.join("buffer"));
        for listener in AGENT_LISTENERS {
            command.args(["--set", &format!("listen.{listener}=0")]);
        }
        let level = format!("agent.buffer.acknowledge={}", options.level);
        command.args(["--set", &level]);
        Self::launch(command, folder, nth, clock)
    }

    /// Starts a collector that shares a store with others.
    pub(crate) fn start_collector(
        settings: &[String],
        by: (&Options, &Path),
        nth: u32,
        clock: &'a dyn Clock,
    ) -> anyhow::Result<Self> {
        Self::start_role(
            "collector",
            (&["otlp_http", "admin"], &NOT_OF_COLLECTORS),
            settings,
            by,
            nth,
            clock,
        )
    }

    /// Starts an ingester.
    pub(crate) fn start_ingester(
        settings: &[String],
        by: (&Options, &Path),
        nth: u32,
        clock: &'a dyn Clock,
    ) -> anyhow::Result<Self> {
        Self::start_role(
            "ingester",
            (&["admin"], &["health"]),
            settings,
            by,
            nth,
            clock,
        )
    }

    fn start_role(
        role: &str,
        (open, closed): (&[&str], &[&str]),
        settings: &[String],
        (options, folder): (&Options, &Path),
        nth: u32,
        clock: &'a dyn Clock,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(&options.program);
        command.arg(role);
        let open = open.iter().map(|listener| format!("listen.{listener}=0"));
        let closed = closed
            .iter()
            .map(|listener| format!("listen.{listener}=off"));
        for setting in open.chain(closed).chain(settings.iter().cloned()) {
            command.args(["--set", &setting]);
        }
        Self::launch(command, folder, nth, clock)
    }

    fn launch(
        mut command: Command,
        folder: &Path,
        nth: u32,
        clock: &'a dyn Clock,
    ) -> anyhow::Result<Self> {
        let log = folder.join(format!("program-{nth}.log"));
        let addresses_file = folder.join(format!("addresses-{nth}.json"));
        let out = File::create(&log)?;
        command.arg("--addresses-file").arg(&addresses_file);
        let err = out.try_clone()?;
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        let watch = Stopwatch::start(clock);
        let child = command.spawn().with_context(|| {
            let program = command.get_program().display();
            format!("cannot start {program}; build it with --build, or name it with --program")
        })?;
        let mut program = Self {
            child,
            log,
            clock,
            addresses: Addresses::default(),
            start_up: Duration::ZERO,
        };
        program.await_ready(&addresses_file, watch)?;
        Ok(program)
    }

    fn await_ready(&mut self, addresses_file: &Path, watch: Stopwatch<'_>) -> anyhow::Result<()> {
        while watch.elapsed() < START_MAX {
            if let Some(status) = self.child.try_wait()? {
                bail!("the program ended with {status}:\n{}", self.end_of_log());
            }
            if self.addresses.admin.is_empty() {
                if let Some(addresses) = read_addresses(addresses_file) {
                    self.addresses = addresses;
                }
            } else if self.is_ready() {
                self.start_up = watch.elapsed();
                return Ok(());
            }
            self.clock.sleep(LOOK_AGAIN);
        }
        bail!(
            "the program is not ready after {START_MAX:?}:\n{}",
            self.end_of_log()
        )
    }

    fn is_ready(&self) -> bool {
        let answer = Connection::to(&self.addresses.admin).get("/ready");
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// The program's process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the program to end, and waits until it has.
    pub(crate) fn stop(mut self) -> anyhow::Result<Duration> {
        let watch = Stopwatch::start(self.clock);
        let kill = format!("kill -TERM {}", self.pid());
        let is_asked = Command::new("sh").args(["-c", &kill]).status()?.success();
        ensure!(
            is_asked,
            "the program ended before its time:\n{}",
            self.end_of_log()
        );
        while watch.elapsed() < STOP_MAX {
            if let Some(status) = self.child.try_wait()? {
                ensure!(
                    status.success(),
                    "the program ended with {status}:\n{}",
                    self.end_of_log()
                );
                return Ok(watch.elapsed());
            }
            self.clock.sleep(LOOK_AGAIN);
        }
        bail!("the program still runs {STOP_MAX:?} after it was asked to end")
    }

    /// Ends the program at once, as `kill -9` does.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Gives the last lines of the program's log.
    pub(crate) fn end_of_log(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let skipped = text.lines().count().saturating_sub(LOG_LINES_SHOWN);
        text.lines().skip(skipped).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Program<'_> {
    fn drop(&mut self) {
        // After `stop` there is nothing left to end, which is fine.
        self.child.kill().and_then(|()| self.child.wait()).ok();
    }
}

/// The folder of data below the folder of a run.
pub(crate) fn data_dir(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// The file counts once its line is whole.
fn read_addresses(file: &Path) -> Option<Addresses> {
    let text = std::fs::read_to_string(file).ok()?;
    serde_json::from_str(text.lines().next()?).ok()
}

/// Builds the program that is shipped.
pub(crate) fn build() -> anyhow::Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args([
        "build",
        "--locked",
        "--profile",
        "dist",
        "--package",
        "trackway",
    ]);
    ensure!(cargo.status()?.success(), "the program does not build");
    Ok(())
}
