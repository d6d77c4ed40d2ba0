//! The scripts beside this file, for tests: included by every crate whose tests need real servers.
//!
//! Promises: a free port and a folder of its own; ended and wiped with the value, whatever happens.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Who may ask a server that lets not everybody in.
pub(crate) const USER: &str = "trackway";

/// His password, another one in each run.
static PASSWORD: LazyLock<String> = LazyLock::new(|| {
    let random = RandomState::new().build_hasher().finish();
    format!("pw-{random:016x}")
});

static STARTED: AtomicU32 = AtomicU32::new(0);

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    script: PathBuf,
    data: PathBuf,
    options: Vec<String>,
    pub(crate) url: String,
    is_secure: bool,
}

impl Server {
    /// Starts one, with TLS and a password if it is to be secure; nothing where it can't be had on this machine, which
    /// is said.
    pub(crate) fn start(name: &str, is_secure: bool) -> Option<Self> {
        Self::start_as(name, is_secure, &[])
    }

    /// The same with TLS and a password, whose certificate has other names besides `localhost`.
    #[allow(dead_code, reason = "not every crate that includes this file needs it")]
    pub(crate) fn start_named(name: &str, names: &[&str]) -> Option<Self> {
        Self::start_as(name, true, names)
    }

    fn start_as(name: &str, is_secure: bool, names: &[&str]) -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = root
            .ancestors()
            .find(|dir| dir.join("tests/servers").exists())?;
        let has_java = ["javac", "mvn"].iter().all(|tool| {
            let found = Command::new("which").arg(tool).output();
            found.is_ok_and(|found| found.status.success())
        });
        if !has_java {
            assert!(std::env::var_os("CI").is_none(), "javac or mvn is missing");
            let thread = std::thread::current();
            let test = thread.name().unwrap_or_default();
            // Past the test runner's capture, so that it is always seen and counted.
            let mut told = std::io::stderr();
            writeln!(told, "SKIPPED {test}: javac or mvn is missing").unwrap();
            return None;
        }
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let run = format!("target/servers/run/{name}-{}-{number}", std::process::id());
        let port = free_port(number);
        let mut options = vec!["--port".to_owned(), port.to_string()];
        if is_secure {
            let more = ["--tls", "--user", USER, "--password", &PASSWORD];
            options.extend(more.map(str::to_owned));
        }
        if !names.is_empty() {
            options.extend(["--names".to_owned(), names.join(",")]);
        }
        let mut server = Self {
            script: root.join("tests/servers").join(name),
            data: root.join(run),
            options,
            url: String::new(),
            is_secure,
        };
        server.start_again();
        Some(server)
    }

    /// Starts it on the data that it had.
    pub(crate) fn start_again(&mut self) {
        self.url = self.run("start", &self.options);
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.data.join("tls/ca.pem")
    }

    /// A file with the password.
    pub(crate) fn password_file(&self) -> PathBuf {
        let path = self.data.join("password");
        std::fs::write(&path, &*PASSWORD).unwrap();
        path
    }

    /// Sends a signal to the server: `KILL`, `STOP`, `CONT`.
    #[allow(dead_code, reason = "not every crate that includes this file needs it")]
    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args(["-s", signal, &self.pid()])
            .status();
        assert!(sent.unwrap().success());
        // On a busy machine it is a while until the last of its threads has heard of it.
        while signal == "STOP" && !self.is_stopped() {
            std::thread::yield_now();
        }
    }

    /// Whether none of the server's threads goes on.
    fn is_stopped(&self) -> bool {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap();
        let mut states = tasks.map(|task| state_of(&task.unwrap().path().join("stat")));
        states.all(|state| matches!(state, None | Some('T' | 'Z' | 'X')))
    }

    /// Whether the server's process is there, and not only waits to be buried.
    #[allow(dead_code, reason = "not every crate that includes this file needs it")]
    pub(crate) fn is_alive(&self) -> bool {
        let state = state_of(Path::new(&format!("/proc/{}/stat", self.pid())));
        !matches!(state, None | Some('Z' | 'X'))
    }

    fn pid(&self) -> String {
        let state = std::fs::read_to_string(self.data.join("server.state")).unwrap();
        let pid = state.lines().find_map(|line| line.strip_prefix("PID="));
        pid.unwrap().to_owned()
    }

    fn run(&self, act: &str, options: &[String]) -> String {
        let mut command = Command::new(&self.script);
        command.arg(act).args(options).arg("--data").arg(&self.data);
        let done = command.output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{act}: {said}");
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    /// Lets the script do what only this server can, with an input; gives what it prints.
    #[allow(dead_code, reason = "not every crate that includes this file needs it")]
    pub(crate) fn feed(&self, act: &str, input: &str) -> String {
        let mut command = Command::new(&self.script);
        command.arg(act).args(&self.options);
        command.arg("--data").arg(&self.data);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        let feeding = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let done = child.wait_with_output().unwrap();
        // One that ended early says why itself.
        let _fed = feeding.join();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{act}: {said}");
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// Asks the server itself, as an operator would; lines of JSON where there is a body.
    pub(crate) fn curl(&self, method: &str, path: &str, body: &str) -> String {
        let mut command = Command::new("curl");
        command.args(["-sS", "--noproxy", "*", "-X", method]);
        if self.is_secure {
            command.args(["-u", &format!("{USER}:{}", &*PASSWORD), "--cacert"]);
            command.arg(self.ca_file());
        }
        if !body.is_empty() {
            let content_type = "content-type: application/json";
            command.args(["-H", content_type, "--data-binary", body]);
        }
        let done = command.arg(format!("{}{path}", self.url)).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{said}");
        String::from_utf8_lossy(&done.stdout).into_owned()
    }
}

/// The state of a process or a thread, as a letter; none where it is gone.
fn state_of(stat: &Path) -> Option<char> {
    let stat = std::fs::read_to_string(stat).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

/// Writes a file with the certificate of somebody whom nobody else knows.
pub(crate) fn other_authority(path: PathBuf) -> PathBuf {
    let mut parameters = rcgen::CertificateParams::default();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    std::fs::write(&path, parameters.self_signed(&key).unwrap().pem()).unwrap();
    path
}

/// A port that is free, and the next one, which Kafka takes for its controller and Cassandra for its
/// neighbours. Below those that the system gives to
/// connections: one of these could take it while the server is away.
pub(crate) fn free_port(number: u32) -> u16 {
    const FIRST: u32 = 20_000;
    const COUNT: u32 = 12_000;
    let begin = std::process::id().wrapping_mul(97) + number * 211;
    let ports = (0..COUNT / 2).map(|step| FIRST + (begin + 2 * step) % COUNT);
    let mut ports = ports.map(|port| u16::try_from(port).unwrap());
    let is_free = |port: &u16| {
        let both = [*port, *port + 1].map(|port| TcpListener::bind(("127.0.0.1", port)));
        both.iter().all(Result::is_ok)
    };
    ports.find(is_free).expect("a port is free")
}

impl Drop for Server {
    fn drop(&mut self) {
        // The test has its result; what can't be ended is seen by whoever looks at the machine.
        let _ended = Command::new(&self.script)
            .args(["stop", "--wipe", "--data"])
            .arg(&self.data)
            .output();
    }
}
