//! A limit on the memory of the program: a cgroup of its own where one can be made, else a limit on its data.
//!
//! A cgroup (v1 or v2) is what a container has: anonymous memory and page cache count, and who is over it is killed.
//! Making one takes root. Elsewhere `prlimit --data` refuses private memory over the limit, and an allocator that is
//! refused ends the program. Either way a program over its limit does not live to the end of a test.
//!
//! Promises: the cgroup is gone with the test; what was found is said ([`Cage::name`]).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::wait::until;

/// A process that was killed leaves its cgroup soon.
const EMPTY_MAX: Duration = Duration::from_secs(5);

static COUNT: AtomicU32 = AtomicU32::new(0);

#[derive(Debug)]
pub(crate) struct Cage {
    bytes: u64,
    /// None where only the data are limited.
    cgroup: Option<PathBuf>,
}

impl Cage {
    pub(crate) fn new(bytes: u64) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("trackway-test-{}-{number}", std::process::id());
        let made = parents()
            .into_iter()
            .find_map(|(parent, file)| make(&parent.join(&name), file, bytes));
        Self {
            bytes,
            cgroup: made,
        }
    }

    /// What limits the memory here.
    pub(crate) fn name(&self) -> &'static str {
        match self.cgroup {
            Some(_) => "cgroup",
            None => "prlimit --data",
        }
    }

    /// A command that runs a program inside.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command;
        if let Some(cgroup) = &self.cgroup {
            command = Command::new("sh");
            // The shell moves itself, then becomes the program.
            command.args(["-c", "echo $$ >\"$0\" && exec \"$@\""]);
            command.arg(cgroup.join("cgroup.procs"));
        } else {
            command = Command::new("prlimit");
            command.arg(format!("--data={}", self.bytes)).arg("--");
        }
        command.arg(program);
        command
    }
}

impl Drop for Cage {
    fn drop(&mut self) {
        let Some(cgroup) = &self.cgroup else { return };
        if until(EMPTY_MAX, || std::fs::remove_dir(cgroup).ok()).is_none() {
            eprintln!("cannot remove the cgroup {}", cgroup.display());
        }
    }
}

/// Folders below which a cgroup can be made, if anywhere, and the file that limits its memory.
fn parents() -> Vec<(PathBuf, &'static str)> {
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut parents = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        // In a container the own cgroup is mounted at the top, whatever its path says.
        let below = Path::new(root).join(path.trim_start_matches('/'));
        parents.extend([(below, file), (PathBuf::from(root), file)]);
    }
    parents
}

/// Makes a cgroup with a limit; none if that can't be done here.
fn make(folder: &Path, limit_file: &str, bytes: u64) -> Option<PathBuf> {
    std::fs::create_dir(folder).ok()?;
    let is_limited = std::fs::write(folder.join(limit_file), bytes.to_string()).is_ok();
    if is_limited && folder.join("cgroup.procs").exists() {
        return Some(folder.to_owned());
    }
    // Empty, so that it can be removed; if not, nothing is in it.
    std::fs::remove_dir(folder).ok();
    None
}

#[test]
fn a_program_over_its_limit_does_not_live() {
    const LIMIT_BYTES: u64 = 64 << 20;
    let cage = Cage::new(LIMIT_BYTES);
    // A text of 48 MiB, twice, and once more as lines: over any limit of 64 MiB.
    let hungry = "x=$(head -c 50331648 /dev/zero | tr '\\0' a); y=$x$x; echo ${#y}";
    let mut command = cage.command(Path::new("/bin/sh"));
    let output = command
        .args([OsStr::new("-c"), OsStr::new(hungry)])
        .output();
    assert!(!output.unwrap().status.success(), "{}", cage.name());
    let modest = cage.command(Path::new("/bin/true")).status().unwrap();
    assert!(modest.success(), "{}", cage.name());
}
