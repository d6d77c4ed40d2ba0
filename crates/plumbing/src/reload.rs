//! Something made of files, and made again when they change: certificates, passwords, tokens.
//!
//! Promises: what is in force is always whole; the files are compared by their bytes, so that a link that is turned
//! (as Kubernetes does) is seen like a file that is written; a broken state of the files is told once.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::Shutdown;

/// How often files are looked at, unless told otherwise.
pub const RELOAD_INTERVAL: Duration = Duration::from_secs(10);

/// The bytes of some files, in the order of their paths.
pub type FileBytes = Vec<Vec<u8>>;

type Read<E> = fn(&Path) -> Result<Vec<u8>, E>;
type Make<T, E> = dyn Fn(&FileBytes) -> Result<T, E> + Send + Sync;
type Tell<E> = dyn Fn(Result<(), &E>) + Send + Sync;

/// A value made of files.
pub struct Reloading<T, E> {
    paths: Vec<PathBuf>,
    read: Read<E>,
    make: Box<Make<T, E>>,
    tell: Box<Tell<E>>,
    current: Mutex<Arc<T>>,
    /// What was read last, used or not, or why it could not be read.
    last: Mutex<Result<FileBytes, E>>,
}

impl<T, E> std::fmt::Debug for Reloading<T, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reloading")
            .field("paths", &self.paths)
            .finish_non_exhaustive()
    }
}

impl<T, E> Reloading<T, E>
where
    T: Send + Sync + 'static,
    E: Clone + PartialEq + Send + 'static,
{
    /// Makes the value. Blocks. `tell` hears of every change of the files later: that it is in force, or why not.
    ///
    /// # Errors
    /// When the files can't be used: that is an error here, once.
    pub fn load(
        paths: Vec<PathBuf>,
        read: Read<E>,
        make: impl Fn(&FileBytes) -> Result<T, E> + Send + Sync + 'static,
        tell: impl Fn(Result<(), &E>) + Send + Sync + 'static,
    ) -> Result<Self, E> {
        let bytes = read_all(&paths, read)?;
        let value = make(&bytes)?;
        Ok(Self {
            paths,
            read,
            make: Box::new(make),
            tell: Box::new(tell),
            current: Mutex::new(Arc::new(value)),
            last: Mutex::new(Ok(bytes)),
        })
    }

    /// What is in force.
    pub fn current(&self) -> Arc<T> {
        // A std mutex: it is held for a copy of the pointer.
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the files; tells whether something new is in force. Blocks.
    pub fn look(&self) -> bool {
        let found = read_all(&self.paths, self.read);
        {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if *last == found {
                return false;
            }
            last.clone_from(&found);
        }
        match found.and_then(|bytes| (self.make)(&bytes)) {
            Ok(value) => {
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
                (self.tell)(Ok(()));
                true
            }
            Err(error) => {
                (self.tell)(Err(&error));
                false
            }
        }
    }

    /// Looks at the files again and again until the stop.
    pub async fn watch(self: Arc<Self>, interval: Duration, stop: Shutdown) {
        if self.paths.is_empty() {
            return;
        }
        while tokio::time::timeout(interval, stop.begun()).await.is_err() {
            let looking = Arc::clone(&self);
            // A look that panics leaves what is in force; the next one is in `interval`.
            let _looked = tokio::task::spawn_blocking(move || looking.look()).await;
        }
    }
}

fn read_all<E>(paths: &[PathBuf], read: Read<E>) -> Result<FileBytes, E> {
    paths.iter().map(|path| read(path)).collect()
}
