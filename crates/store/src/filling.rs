//! How full the store is, how fast it fills, and what is done about it at the moment.
//!
//! The growth is that of the last hours, read off the segments themselves, so that it is known after a restart as well:
//! bytes of those that were written in this time. Merging and retention don't bend it. Nothing is said where too little
//! time has passed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::driver::Store;
use crate::engine::{Engine, Placed, lock, nanos};
use crate::finalise::is_pinned;

/// The time that growth is taken from: long enough for the ups and downs of minutes, short enough to be of now.
const OVER_MAX: Duration = Duration::from_secs(6 * 3600);
/// Of a shorter time nothing is concluded.
const OVER_MIN: Duration = Duration::from_secs(1800);

/// How full the store is, and how fast it fills.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filling {
    /// When the oldest of what is there was written, ns since the epoch; pinned traces don't count.
    pub oldest_unix_nanos: Option<u64>,
    /// Bytes that segments may take before the oldest leave; `None`: as many as fit.
    pub bytes_max: Option<u64>,
    /// Bytes that were written since the start: to the log, to segments, and again when these were merged.
    pub written_bytes: u64,
    /// Whether segments are being merged now.
    pub is_merging: bool,
    /// How fast it grows, where that can be told.
    pub growth: Option<Growth>,
}

/// How fast the store grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Growth {
    /// The last so much time.
    pub over: Duration,
    /// What was added in it.
    pub bytes: u64,
    /// When there will be no more room, if it goes on like that; `None`: what is old leaves by its age before that.
    pub full_in: Option<Duration>,
}

impl Store {
    /// How full it is, and how fast it fills.
    #[must_use]
    pub fn filling(&self) -> Filling {
        self.engine().filling()
    }
}

impl Engine {
    /// How full the store is, and how fast it fills.
    pub(crate) fn filling(&self) -> Filling {
        let mut all: Vec<Arc<Placed>> = Vec::new();
        lock(&self.state)
            .tenants
            .values()
            .for_each(|tenant| all.extend(tenant.placed().cloned()));
        let bytes = all.iter().map(|placed| placed.listed.meta.bytes()).sum();
        // A store without a limit has the largest there is.
        let bytes_max = self.bytes_max(bytes).ok().filter(|max| *max < u64::MAX);
        all.retain(|placed| !is_pinned(placed));
        let oldest_unix_nanos = all.iter().map(|p| p.listed.created_unix_nanos).min();
        let room = match bytes_max {
            Some(max) => Some(max.saturating_sub(bytes)),
            None => self.disk_free_bytes(),
        };
        let growth = oldest_unix_nanos.and_then(|oldest| self.growth(&all, oldest, room?));
        let metrics = &self.metrics;
        let written = metrics.logged_bytes.get() + metrics.frozen_bytes.get();
        Filling {
            oldest_unix_nanos,
            bytes_max,
            written_bytes: written + metrics.merged_bytes.get(),
            is_merging: self.backlog.is_merging.load(Ordering::Acquire),
            growth,
        }
    }

    fn growth(&self, all: &[Arc<Placed>], oldest: u64, room: u64) -> Option<Growth> {
        let now = self.clock.unix_nanos();
        let age = now.saturating_sub(oldest);
        let over = age.min(nanos(OVER_MAX));
        if over < nanos(OVER_MIN) {
            return None;
        }
        let is_new = |placed: &&Arc<Placed>| placed.listed.created_unix_nanos >= now - over;
        let new = all.iter().filter(is_new);
        let bytes: u64 = new.map(|placed| placed.listed.meta.bytes()).sum();
        let full_in = u128::from(room) * u128::from(over) / u128::from(bytes.max(1));
        let full_in = u64::try_from(full_in).unwrap_or(u64::MAX);
        // From then on as much leaves as comes.
        let age_left = nanos(self.options.retention_age).saturating_sub(age);
        let is_first = bytes > 0 && full_in <= age_left;
        Some(Growth {
            over: Duration::from_nanos(over),
            bytes,
            full_in: is_first.then_some(Duration::from_nanos(full_in)),
        })
    }
}

#[cfg(test)]
impl Engine {
    /// Bytes of all segments.
    pub(crate) fn filling_bytes(&self) -> u64 {
        crate::stats::Stats::brief(self).segment_bytes
    }
}
