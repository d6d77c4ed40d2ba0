//! Something made of files, and made again when they change.
//!
//! Promises: what is in force is always whole; the files are compared by their bytes, so that a link that is turned
//! (as Kubernetes does) is seen like a file that is written; a broken state of the files is told once.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plumbing::Shutdown;

use crate::error::TlsError;
use crate::metrics::TlsMetrics;
use crate::pem;

/// How often files are looked at, unless told otherwise.
pub const RELOAD_INTERVAL: Duration = Duration::from_secs(10);

/// The bytes of some files, in the order of their paths.
pub(crate) type Bytes = Vec<Vec<u8>>;

type Make<T> = dyn Fn(&Bytes) -> Result<T, TlsError> + Send + Sync;

/// A value made of files.
pub(crate) struct Reloading<T> {
    name: String,
    paths: Vec<PathBuf>,
    make: Box<Make<T>>,
    current: Mutex<Arc<T>>,
    /// What was read last, used or not, or why it could not be read.
    last: Mutex<Result<Bytes, TlsError>>,
    metrics: TlsMetrics,
}

impl<T: Send + Sync + 'static> Reloading<T> {
    /// Makes the value; files that can't be used are an error here, once.
    pub(crate) fn load(
        name: &str,
        paths: Vec<PathBuf>,
        metrics: TlsMetrics,
        make: impl Fn(&Bytes) -> Result<T, TlsError> + Send + Sync + 'static,
    ) -> Result<Self, TlsError> {
        let bytes = read(&paths)?;
        let value = make(&bytes)?;
        metrics.set_stale(name, false);
        Ok(Self {
            name: name.to_owned(),
            paths,
            make: Box::new(make),
            current: Mutex::new(Arc::new(value)),
            last: Mutex::new(Ok(bytes)),
            metrics,
        })
    }

    /// What is in force.
    pub(crate) fn current(&self) -> Arc<T> {
        // A std mutex: it is held for a copy of the pointer.
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the files; tells whether something new is in force. Blocks.
    pub(crate) fn look(&self) -> bool {
        let found = read(&self.paths);
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
                self.metrics.reloaded(&self.name, true);
                tracing::info!(tls = self.name, "certificates were read again");
                true
            }
            Err(error) => {
                self.metrics.reloaded(&self.name, false);
                tracing::warn!(tls = self.name, %error, "certificates can't be used; those before stay in force");
                false
            }
        }
    }

    /// Looks at the files again and again until the stop.
    pub(crate) async fn watch(self: Arc<Self>, interval: Duration, stop: Shutdown) {
        if self.paths.is_empty() {
            return;
        }
        while tokio::time::timeout(interval, stop.begun()).await.is_err() {
            let looking = Arc::clone(&self);
            let looked = tokio::task::spawn_blocking(move || looking.look()).await;
            if let Err(ended) = looked {
                tracing::error!(%ended, "certificates were not looked at");
            }
        }
    }
}

fn read(paths: &[PathBuf]) -> Result<Bytes, TlsError> {
    paths.iter().map(|path| pem::read(path)).collect()
}
