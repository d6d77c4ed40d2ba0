//! Starts and ends the real program.
//!
//! Promises: it listens on free ports, which it names itself once it is ready; it is ended with the test, whatever
//! happens; what it wrote is shown when the test fails.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::Deserialize;

use crate::cage::Cage;
use crate::folder::project_root;
use crate::http::{self, Answer, Connection};
use crate::wait::{Stopwatch, let_pass, until};

/// From start to ready: far above what is asked of it, so that a hang is told from a slow machine.
const READY_MAX: Duration = Duration::from_secs(30);
/// From SIGTERM to the end.
const STOP_MAX: Duration = Duration::from_secs(30);
/// How much of the program's log a failing test shows.
const SHOWN_LINES_MAX: usize = 60;
/// Port 0 of every listener: the system picks a free one.
pub(crate) const LISTENERS: [&str; 15] = [
    "otlp_grpc",
    "otlp_http",
    "jaeger_http",
    "jaeger_grpc",
    "storage_grpc",
    "jaeger_compact",
    "jaeger_binary",
    "zipkin_compact",
    "zipkin",
    "query_http",
    "query_grpc",
    "sampling_http",
    "sampling_grpc",
    "admin",
    "health",
];

/// How many processes this test run has started.
static RUNS: AtomicU32 = AtomicU32::new(0);

/// The listeners of a query node.
pub(crate) const QUERY_LISTENERS: [&str; 4] = ["query_http", "query_grpc", "admin", "health"];
/// Those that a collector opens which shares a store with others.
pub(crate) const COLLECTOR_LISTENERS: [&str; 11] = [
    "otlp_grpc",
    "otlp_http",
    "jaeger_http",
    "jaeger_grpc",
    "jaeger_compact",
    "jaeger_binary",
    "zipkin",
    "sampling_http",
    "sampling_grpc",
    "admin",
    "health",
];

/// Those that an agent opens.
const AGENT_LISTENERS: [&str; 6] = [
    "otlp_grpc",
    "otlp_http",
    "jaeger_compact",
    "sampling_http",
    "sampling_grpc",
    "admin",
];

/// Where the program listens, as it says itself; empty where it does not.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Addresses {
    pub(crate) otlp_grpc: String,
    pub(crate) otlp_http: String,
    pub(crate) jaeger_http: String,
    pub(crate) storage_grpc: String,
    pub(crate) jaeger_compact: String,
    pub(crate) jaeger_binary: String,
    pub(crate) zipkin: String,
    pub(crate) query_http: String,
    pub(crate) query_grpc: String,
    pub(crate) sampling_http: String,
    pub(crate) sampling_grpc: String,
    pub(crate) admin: String,
    pub(crate) health: String,
}

/// Small heads that are written to segments soon, and segments that are merged at once, so that a short test also meets
/// these, not only the log.
pub(crate) const FREEZE_SOON: [&str; 8] = [
    "--set",
    "store.head.spans_max=2000",
    "--set",
    "store.head.age_max=1s",
    "--set",
    "store.finalise.after=0s",
    "--set",
    "store.finalise.age=0s",
];

/// A running program.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    /// Holds what the process wrote; not in the data folder, because a full disk must not hide why.
    folder: PathBuf,
    pub(crate) addresses: Addresses,
    /// From the start of the process to its word that it is ready.
    pub(crate) start_up: Duration,
}

/// A program that ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) log: String,
}

impl Program {
    /// Starts the program on a data folder and waits until it is ready.
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::start_with(data_dir, &[])
    }

    /// The same with more flags, for instance `["--set", "store.retention.age=1h"]`.
    pub(crate) fn start_with(data_dir: &Path, flags: &[&str]) -> Self {
        match Self::try_start(data_dir, flags) {
            Ok(program) => program,
            Err(ended) => panic!(
                "the program did not start ({}):\n{}",
                ended.status, ended.log
            ),
        }
    }

    /// The same under a limit on its memory.
    pub(crate) fn start_in(cage: &Cage, data_dir: &Path, flags: &[&str]) -> Self {
        match Self::try_launch(cage.command(binary()), data_dir, flags) {
            Ok(program) => program,
            Err(ended) => panic!(
                "the program did not start under its limit ({}):\n{}",
                ended.status, ended.log
            ),
        }
    }

    /// Starts the program; the error is how it ended, with what it said.
    pub(crate) fn try_start(data_dir: &Path, flags: &[&str]) -> Result<Self, Ended> {
        Self::try_launch(Command::new(binary()), data_dir, flags)
    }

    /// Starts an agent that delivers to collectors.
    pub(crate) fn start_agent(collectors: &str, buffer_dir: &Path, flags: &[&str]) -> Self {
        let mut command = Command::new(binary());
        command
            .args(["agent", "--collector", collectors, "--buffer-dir"])
            .arg(buffer_dir)
            .args(["--jaeger-binary", "off"]);
        match Self::wait_until_ready(Self::spawn(command, &AGENT_LISTENERS, flags)) {
            Ok(agent) => agent,
            Err(ended) => panic!("the agent did not start ({}):\n{}", ended.status, ended.log),
        }
    }

    /// Starts one of several processes on a store of others: `collector` or `query`.
    pub(crate) fn start_role(role: &str, listeners: &[&str], flags: &[&str]) -> Self {
        let mut command = Command::new(binary());
        command.arg(role);
        match Self::wait_until_ready(Self::spawn(command, listeners, flags)) {
            Ok(program) => program,
            Err(ended) => panic!(
                "the {role} did not start ({}):\n{}",
                ended.status, ended.log
            ),
        }
    }

    fn try_launch(mut command: Command, data_dir: &Path, flags: &[&str]) -> Result<Self, Ended> {
        command.arg("--data-dir").arg(data_dir);
        Self::wait_until_ready(Self::spawn(command, &LISTENERS, flags))
    }

    fn wait_until_ready((mut program, addresses_file): (Self, PathBuf)) -> Result<Self, Ended> {
        let watch = Stopwatch::start();
        let answer = until(READY_MAX, || match program.child.try_wait().unwrap() {
            Some(status) => Some(Err(status)),
            None => read_addresses(&addresses_file).map(Ok),
        });
        match answer {
            Some(Ok(addresses)) => {
                program.start_up = watch.elapsed();
                program.addresses = addresses;
                Ok(program)
            }
            Some(Err(status)) => Err(Ended {
                status,
                log: program.log_text(),
            }),
            None => panic!("the program is not ready after {READY_MAX:?}"),
        }
    }

    /// Starts the program and kills it after a while, whether it is ready by then or not.
    pub(crate) fn start_and_kill(data_dir: &Path, flags: &[&str], after: Duration) {
        let mut command = Command::new(binary());
        command.arg("--data-dir").arg(data_dir);
        let (program, _) = Self::spawn(command, &LISTENERS, flags);
        let_pass(after);
        program.kill();
    }

    /// Starts the process; the path is that of the file in which it will name its addresses.
    fn spawn(mut command: Command, listeners: &[&str], flags: &[&str]) -> (Self, PathBuf) {
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("trackway-run-{}-{run}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let addresses_file = folder.join("addresses");
        let out = File::create(folder.join("log")).unwrap();
        command
            // Tests compare with what they sent; the one of own spans asks for them.
            .args(["--set", "own_spans.per_second=off"])
            .arg("--addresses-file")
            .arg(&addresses_file);
        for listener in listeners {
            command.arg("--set").arg(format!("listen.{listener}=0"));
        }
        command
            .args(flags)
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out);
        let child = command.spawn().unwrap();
        let program = Self {
            child,
            folder,
            addresses: Addresses::default(),
            start_up: Duration::ZERO,
        };
        (program, addresses_file)
    }

    /// Ends the program at once, as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the program to end (SIGTERM) without waiting for it.
    pub(crate) fn ask_to_stop(&self) {
        let command = format!("kill -TERM {}", self.child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &command])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Asks the program to end and waits until it has.
    pub(crate) fn stop(mut self) -> Ended {
        self.ask_to_stop();
        let Some(status) = until(STOP_MAX, || self.child.try_wait().unwrap()) else {
            panic!("the program still runs {STOP_MAX:?} after SIGTERM");
        };
        Ended {
            status,
            log: self.log_text(),
        }
    }

    /// How many threads it has; none when the process is gone.
    pub(crate) fn threads(&self) -> Option<u64> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
        u64::try_from(tasks.count()).ok()
    }

    /// The most resident memory, in MiB, since this was asked last; none when the process is gone.
    pub(crate) fn peak_mib_since_last_look(&self) -> Option<u64> {
        let folder = PathBuf::from(format!("/proc/{}", self.child.id()));
        let status = std::fs::read_to_string(folder.join("status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
        // "5" sets the peak to what is resident now.
        std::fs::write(folder.join("clear_refs"), "5").ok()?;
        Some(kib / 1024)
    }

    /// Asks the query port once.
    pub(crate) fn query(&self, path: &str) -> Answer {
        http::get(&self.addresses.query_http, path).unwrap()
    }

    /// Opens a connection to the query port, for many questions.
    pub(crate) fn query_connection(&self) -> Connection {
        Connection::open(&self.addresses.query_http).unwrap()
    }

    fn log_text(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.join("log")).unwrap_or_default())
            .into_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended before: then there is nothing to kill, and that is fine.
        let ended = self.child.kill().and_then(|()| self.child.wait());
        if std::thread::panicking() {
            let log = self.log_text();
            let lines: Vec<&str> = log.lines().collect();
            let from = lines.len().saturating_sub(SHOWN_LINES_MAX);
            eprintln!(
                "the program ended with {ended:?}; the end of its log:\n{}",
                lines[from..].join("\n")
            );
        }
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            eprintln!("cannot remove {}: {error}", self.folder.display());
        }
    }
}

/// The file counts once its line is complete.
fn read_addresses(file: &Path) -> Option<Addresses> {
    let text = std::fs::read_to_string(file).ok()?;
    serde_json::from_str(text.lines().next()?).ok()
}

/// The program under test: `TRACKWAY_BIN`, else built now with the profile of the tests.
pub(crate) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("TRACKWAY_BIN") {
            return PathBuf::from(path);
        }
        let root = project_root();
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--profile", "ci", "--package", "trackway"])
            .current_dir(&root);
        assert!(
            cargo.status().unwrap().success(),
            "the program does not build"
        );
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        target.join("ci/trackway")
    })
}
