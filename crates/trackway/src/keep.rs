//! The embedded store as the configuration wants it: opened for a run, checked and measured for the commands.
//!
//! Promises: the only place that knows how keys of `store.*` become the store's options.

use std::sync::Arc;

use model::contract::{SpanReader, SpanWriter};
use plumbing::{Clock, Metrics, Random};

use crate::config::Config;
use crate::error::Error;

/// What a run needs of the machine.
#[derive(Debug, Clone)]
pub(crate) struct Seams {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The registry of metrics.
    pub metrics: Metrics,
}

/// The opened store.
pub(crate) struct OpenStore {
    /// Takes spans.
    pub writer: Arc<dyn SpanWriter>,
    /// Gives them back.
    pub reader: Arc<dyn SpanReader>,
    /// Stops it; blocks until everything is on the disk.
    pub stop: Box<dyn FnOnce() + Send>,
}

/// Opens the store; blocks, and tells how far it is.
pub(crate) fn open(
    _config: &Config,
    _seams: &Seams,
    _progress: &dyn Fn(String),
) -> Result<OpenStore, Error> {
    Err(Error::Store("this build has no store".to_owned()))
}
