//! Folders of a test's own, gone when the test is over.
//!
//! Promises: two tests, also of two runs at once, never share a folder; a failing test keeps its folder and names it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A fresh folder in the system's folder for temporary files.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!(
            "trackway-test-{}-{number}-{name}",
            std::process::id()
        ));
        std::fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "the folder of the failed test is kept: {}",
                self.path.display()
            );
        } else if let Err(error) = std::fs::remove_dir_all(&self.path) {
            eprintln!("cannot remove {}: {error}", self.path.display());
        }
    }
}

/// Copies a folder with all that is in it to a place that is not there yet.
pub(crate) fn copy(folder: &Path, place: &Path) {
    let copied = Command::new("cp").arg("-r").args([folder, place]).status();
    assert!(copied.unwrap().success());
}

/// The root folder of the project.
pub(crate) fn project_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}
