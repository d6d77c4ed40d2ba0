//! Real servers, started by the scripts in `tests/servers`.
//!
//! Promises: a free port and a folder of its own; ended and wiped with the value, whatever happens.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// Who may ask a server that lets not everybody in.
pub(crate) const USER: &str = "trackway";
const PASSWORD: &str = "sekrit-12";

static STARTED: AtomicU32 = AtomicU32::new(0);

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    script: PathBuf,
    data: PathBuf,
    pub(crate) url: String,
    is_secure: bool,
}

impl Server {
    /// Starts one; nothing where it can't be had on this machine, which is said.
    pub(crate) fn start(name: &str, is_secure: bool) -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let script = root.join("tests/servers").join(name);
        let has_java = ["javac", "mvn"].iter().all(|tool| {
            let found = Command::new("which").arg(tool).output();
            found.is_ok_and(|found| found.status.success())
        });
        if !has_java {
            assert!(std::env::var_os("CI").is_none(), "javac or mvn is missing");
            let thread = std::thread::current();
            let test = thread.name().unwrap_or_default();
            eprintln!("SKIPPED {test}: javac or mvn is missing");
            return None;
        }
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let data = root.join(format!(
            "target/servers/run/{name}-{}-{number}",
            std::process::id()
        ));
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut server = Self {
            script,
            data,
            url: String::new(),
            is_secure,
        };
        let mut options = vec!["--port".to_owned(), port.to_string()];
        if is_secure {
            let more = ["--tls", "--user", USER, "--password", PASSWORD];
            options.extend(more.map(str::to_owned));
        }
        server.url = server.run("start", &options);
        Some(server)
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.data.join("tls/ca.pem")
    }

    /// A file with the password.
    pub(crate) fn password_file(&self) -> PathBuf {
        let path = self.data.join("password");
        std::fs::write(&path, PASSWORD).unwrap();
        path
    }

    fn run(&self, act: &str, options: &[String]) -> String {
        let mut command = Command::new(&self.script);
        command.arg(act).args(options).arg("--data").arg(&self.data);
        let done = command.output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{act}: {said}");
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    /// Asks the server itself, as an operator would.
    pub(crate) fn curl(&self, method: &str, path: &str, body: &str) -> String {
        let mut command = Command::new("curl");
        command.args(["-sS", "--noproxy", "*", "-X", method]);
        if self.is_secure {
            command.args(["-u", &format!("{USER}:{PASSWORD}"), "--cacert"]);
            command.arg(self.ca_file());
        }
        if !body.is_empty() {
            command.args([
                "-H",
                "content-type: application/x-ndjson",
                "--data-binary",
                body,
            ]);
        }
        let done = command.arg(format!("{}{path}", self.url)).output().unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8_lossy(&done.stdout).into_owned()
    }
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
