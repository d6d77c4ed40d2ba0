//! Runs other programs: with their output shown, or caught, and never for longer than a given time.
//!
//! Promises: a program that outlives its time is killed and reported as such; what it wrote until then is kept.

use std::io::Read as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None`: it was killed because its time was over.
    pub(crate) status: Option<ExitStatus>,
    /// Standard output, then standard error.
    pub(crate) output: String,
}

impl Ended {
    /// Tells whether the program ended by itself and with 0.
    pub(crate) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

/// Takes out of a program's environment what cargo tells those whom it runs of their own package. A cargo that is run
/// in turn would build anew what looks at it (`ring`), and all that stands on that.
fn forget_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}

/// Runs a program with its output shown as it comes.
///
/// # Errors
/// The program cannot be started or ends with an error.
pub(crate) fn run_shown(command: &mut Command) -> anyhow::Result<()> {
    let shown = format!("{command:?}");
    forget_package(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {shown}"))?;
    if !status.success() {
        bail!("{shown} failed ({status})");
    }
    Ok(())
}

/// Runs a program and returns its standard output.
///
/// # Errors
/// The program cannot be started or ends with an error; the message holds what it wrote to standard error.
pub(crate) fn output_of(command: &mut Command) -> anyhow::Result<String> {
    let shown = format!("{command:?}");
    forget_package(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {shown}"))?;
    if !output.status.success() {
        bail!(
            "{shown} failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a program for at most `time_max` and returns how it ended and all that it wrote.
///
/// # Errors
/// The program cannot be started.
pub(crate) fn run_boxed(command: &mut Command, time_max: Duration) -> anyhow::Result<Ended> {
    let shown = format!("{command:?}");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {shown}"))?;
    let (send, receive) = mpsc::channel();
    let mut readers = 0_usize;
    let streams: [Option<Box<dyn std::io::Read + Send>>; 2] = [
        child.stdout.take().map(|s| Box::new(s) as _),
        child.stderr.take().map(|s| Box::new(s) as _),
    ];
    for (index, stream) in streams.into_iter().enumerate() {
        let Some(mut stream) = stream else { continue };
        let send = send.clone();
        readers += 1;
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            // A stream that breaks off ends the text; what came before is still worth showing.
            let complete = stream.read_to_end(&mut bytes).is_ok();
            send.send((index, complete, bytes)).is_ok()
        });
    }
    let status = wait(&mut child, time_max)?;
    let mut parts = [String::new(), String::new()];
    for _ in 0..readers {
        // A grandchild may keep the pipe open after the child was killed: do not wait for it for ever.
        let Ok((index, _, bytes)) = receive.recv_timeout(Duration::from_secs(5)) else {
            break;
        };
        if let Some(part) = parts.get_mut(index) {
            *part = String::from_utf8_lossy(&bytes).into_owned();
        }
    }
    Ok(Ended {
        status,
        output: parts.concat(),
    })
}

#[allow(
    clippy::disallowed_methods,
    reason = "a tool outside the product watches a real process in real time"
)]
fn wait(child: &mut Child, time_max: Duration) -> anyhow::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + time_max;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child
                .kill()
                .context("cannot kill a program whose time is over")?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_output_and_the_failure_of_a_program() {
        let ended = run_boxed(
            Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]),
            Duration::from_secs(20),
        );
        let ended = ended.unwrap();
        assert_eq!(ended.output, "out\nerr\n");
        assert_eq!(ended.status.unwrap().code(), Some(3));
        assert!(!ended.succeeded());
    }

    #[test]
    fn kills_a_program_whose_time_is_over() {
        let ended = run_boxed(Command::new("sleep").arg("60"), Duration::from_millis(50)).unwrap();
        assert!(ended.status.is_none());
    }
}
