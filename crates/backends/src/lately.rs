//! What was written of late, and so need not be written again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long something is remembered, and of how many.
const TTL: Duration = Duration::from_secs(12 * 3_600);
const ENTRIES_MAX: usize = 100_000;

/// Names of services and operations, and where they were written.
#[derive(Debug)]
pub(crate) struct Lately<K>(Mutex<HashMap<K, Instant>>);

impl<K> Default for Lately<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Lately<K> {
    /// Whether it was written of late.
    pub(crate) fn has(&self, entry: &K) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(entry).is_some_and(|since| since.elapsed() < TTL)
    }

    /// Remembers what has been written now.
    pub(crate) fn add(&self, entries: Vec<K>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() + entries.len() > ENTRIES_MAX {
            known.clear();
        }
        let now = Instant::now();
        known.extend(entries.into_iter().map(|entry| (entry, now)));
    }
}
