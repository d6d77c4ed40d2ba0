//! Why a server can't be reached, said in the log when that changes.

use std::sync::{Mutex, PoisonError};

/// What is wrong with a server at the moment.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// What the server is called.
    name: String,
    known: Mutex<Option<String>>,
}

impl Trouble {
    /// Nothing is known to be wrong.
    pub(crate) fn none(name: String) -> Self {
        Self {
            name,
            known: Mutex::default(),
        }
    }

    /// Keeps what was found out.
    pub(crate) fn note(&self, why: Option<String>) {
        let why = why.map(|why| format!("{}: {why}", self.name));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*known, &why) {
            (None, Some(why)) => tracing::warn!(error = %why, "the store is not there"),
            (Some(_), None) => tracing::info!(store = self.name, "the store is there again"),
            _ => {}
        }
        *known = why;
    }

    /// In one line why nothing can be kept, if so.
    pub(crate) fn readiness(&self) -> Result<(), String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone().map_or(Ok(()), Err)
    }
}
