//! Small file systems of a test's own, which can be filled.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system, gone with the value.
pub(crate) struct SmallDisk {
    pub(crate) path: PathBuf,
}

impl SmallDisk {
    /// Needs to be root; the error says what is in the way.
    pub(crate) fn mount(path: &Path, mib: usize) -> Result<Self, String> {
        std::fs::create_dir_all(path).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"])
            .arg(path);
        let output = mount
            .output()
            .map_err(|error| format!("mount cannot be run: {error}"))?;
        if output.status.success() {
            return Ok(Self {
                path: path.to_path_buf(),
            });
        }
        Err(format!(
            "no small file system can be mounted: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ))
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
