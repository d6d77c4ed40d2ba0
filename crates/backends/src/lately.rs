//! What was written of late, and so need not be written again.
//!
//! Promises: an entry takes the same few bytes however long the names are that senders invent, since what is
//! remembered is a number of 128 bits made of them with keys that nobody knows.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long something is remembered.
pub(crate) const REMEMBERED: Duration = Duration::from_secs(12 * 3_600);
/// Of how many.
const ENTRIES_MAX: usize = 100_000;

/// Names of services and operations, and where they were written.
#[derive(Debug)]
pub(crate) struct Lately<K> {
    keys: [RandomState; 2],
    known: Mutex<HashMap<[u64; 2], Instant>>,
    of: PhantomData<fn(K)>,
}

impl<K> Default for Lately<K> {
    fn default() -> Self {
        Self {
            keys: [RandomState::new(), RandomState::new()],
            known: Mutex::default(),
            of: PhantomData,
        }
    }
}

impl<K: Hash> Lately<K> {
    fn number(&self, entry: &K) -> [u64; 2] {
        self.keys.each_ref().map(|key| key.hash_one(entry))
    }

    /// Whether it was written of late.
    pub(crate) fn has(&self, entry: &K) -> bool {
        let number = self.number(entry);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let since = known.get(&number);
        since.is_some_and(|since| since.elapsed() < REMEMBERED)
    }

    /// Remembers what has been written now.
    pub(crate) fn add(&self, entries: &[K]) {
        let now = Instant::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() + entries.len() > ENTRIES_MAX {
            known.clear();
        }
        known.extend(entries.iter().map(|entry| (self.number(entry), now)));
    }
}
