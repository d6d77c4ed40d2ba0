//! What the figures were measured on: processor, cores, memory, system, and the file system under the data.
//!
//! Promises: what cannot be found out is said to be unknown; nothing that names a person or a place is read.

use std::path::Path;
use std::process::Command;

use serde::Serialize;

/// The machine.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_mib: u64,
    pub(crate) kernel: String,
    /// Type of the file system that the data lie on.
    pub(crate) file_system: String,
}

impl Machine {
    /// Looks at this machine; `work_dir` must exist.
    pub(crate) fn look(work_dir: &Path) -> Self {
        Self {
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_mib: memory_mib(),
            kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease")
                .map_or_else(|_| unknown(), |text| text.trim().to_owned()),
            file_system: file_system(work_dir).unwrap_or_else(unknown),
        }
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// Gives the value of a `name: value` line.
fn field(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim().to_owned())
    })
}

fn memory_mib() -> u64 {
    let text = field("/proc/meminfo", "MemTotal").unwrap_or_default();
    let kib = text
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok());
    kib.unwrap_or(0u64) / 1024
}

fn file_system(work_dir: &Path) -> Option<String> {
    let work_dir = work_dir.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/mounts").ok()?;
    file_system_of(&mounts, &work_dir)
}

/// Gives the type of the deepest mount above a path; of two at one place the later one hides the earlier.
fn file_system_of(mounts: &str, path: &Path) -> Option<String> {
    let above = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (place, kind) = (words.nth(1)?, words.next()?);
        path.starts_with(place).then_some((place.len(), kind))
    });
    above
        .max_by_key(|(length, _)| *length)
        .map(|(_, kind)| kind.to_owned())
}

/// Gives the bytes that are free where a folder lies.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let mut df = Command::new("df");
    df.args(["--output=avail", "--block-size=1"]).arg(folder);
    let text = String::from_utf8(df.output().ok()?.stdout).ok()?;
    text.lines().nth(1)?.trim().parse().ok()
}

/// Gives the first line that a command prints; none if it fails.
pub(crate) fn first_line_of(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next()?.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}

/// Gives the commit of the source, with a mark when files were changed since.
pub(crate) fn commit() -> String {
    let git = |arguments: &[&str]| first_line_of(Command::new("git").args(arguments));
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else {
        return unknown();
    };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some();
    format!("{commit}{}", if changed { " with changes" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_deepest_and_latest_mount_above_a_path() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tmp/x xfs rw 0 0\n";
        let found = |path: &str| file_system_of(mounts, Path::new(path));
        assert_eq!(found("/home/data").as_deref(), Some("ext4"));
        assert_eq!(found("/tmp/data").as_deref(), Some("tmpfs"));
        assert_eq!(found("/tmp/x/data").as_deref(), Some("xfs"));
        assert_eq!(found("/tmpdata").as_deref(), Some("ext4"));
        assert_eq!(file_system_of("", Path::new("/")), None);
    }
}
