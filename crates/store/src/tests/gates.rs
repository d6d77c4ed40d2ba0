//! A simulated disk on which it is up to the test how a file is opened: refused, or made to wait at a gate.

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use journal::{Entry, File, Files, Lock, OpenMode, SimFiles, Space};

/// What happens when a file is opened.
pub(super) trait Opening: Debug + Send + Sync + 'static {
    fn open(&self, files: &SimFiles, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>>;
}

/// The disk; all but opening is its own.
#[derive(Debug, Clone, Default)]
pub(super) struct HandledFiles<O> {
    pub files: SimFiles,
    pub opening: O,
}

impl<O: Opening> Files for HandledFiles<O> {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        self.opening.open(&self.files, path, mode)
    }
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.files.create_dir_all(dir)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.files.list(dir)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.files.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.files.remove(path)
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.files.remove_dir(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.files.sync_dir(dir)
    }
    fn space(&self, dir: &Path) -> io::Result<Space> {
        self.files.space(dir)
    }
    fn lock(&self, path: &Path, note: &str) -> io::Result<Box<dyn Lock>> {
        self.files.lock(path, note)
    }
}

/// Who passes waits while it is closed.
#[derive(Debug, Default)]
pub(super) struct Gate {
    is_closed: Mutex<bool>,
    moved: Condvar,
    pub syncs: AtomicU64,
    waiting: AtomicU64,
}

impl Gate {
    pub(super) fn close(&self) {
        *self.is_closed.lock().unwrap() = true;
    }

    pub(super) fn open(&self) {
        *self.is_closed.lock().unwrap() = false;
        self.moved.notify_all();
    }

    pub(super) fn pass(&self) {
        self.syncs.fetch_add(1, Ordering::SeqCst);
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut is_closed = self.is_closed.lock().unwrap();
        self.moved.notify_all();
        while *is_closed {
            is_closed = self.moved.wait(is_closed).unwrap();
        }
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    /// Waits until a sync waits.
    pub(super) fn wait_for_sync(&self) {
        let mut is_closed = self.is_closed.lock().unwrap();
        while self.waiting.load(Ordering::SeqCst) == 0 {
            is_closed = self
                .moved
                .wait_timeout(is_closed, Duration::from_millis(20))
                .unwrap()
                .0;
        }
    }
}
