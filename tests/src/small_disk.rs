//! Small file systems of a test's own, which can be filled.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::wait::skipped;

/// A small file system, gone with the value.
pub(crate) struct SmallDisk {
    pub(crate) path: PathBuf,
}

impl SmallDisk {
    /// Nothing where none can be mounted on this machine (who is not root can't), which is said.
    pub(crate) fn mount(path: &Path, mib: usize) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"])
            .arg(path);
        let why = match mount.output() {
            Ok(output) if output.status.success() => {
                let path = path.to_path_buf();
                return Some(Self { path });
            }
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(error) => error.to_string(),
        };
        skipped(&format!("no small file system can be mounted: {why}"));
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount")
            .arg("--lazy")
            .arg(&self.path)
            .status();
        if !unmounted
            .as_ref()
            .is_ok_and(std::process::ExitStatus::success)
        {
            eprintln!("cannot unmount {}: {unmounted:?}", self.path.display());
        }
    }
}
