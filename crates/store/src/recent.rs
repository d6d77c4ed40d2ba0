//! Requests that were kept a short while ago, so that a client which sends one again is acknowledged and nothing is
//! stored twice.
//!
//! Clients resend identical bytes when an answer was lost, so a hash of the bytes finds most repeats for next to
//! nothing. What slips through (an older or a changed repeat) is found span by span when it is read or frozen.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use model::TenantId;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

/// How long a request is remembered.
const REMEMBER: Duration = Duration::from_secs(600);
/// The most requests that are remembered: 48 bytes each.
const REQUESTS_MAX: usize = 200_000;

/// A hash of a request's tenant and bytes; equal hashes are taken for equal requests (chance 2^-128).
pub(crate) fn request_hash(tenant: &TenantId, otlp: &[u8]) -> u128 {
    xxh3_128_with_seed(otlp, xxh3_64(tenant.as_str().as_bytes()))
}

/// The requests of the last ten minutes.
#[derive(Debug, Default)]
pub(crate) struct RecentRequests {
    known: HashSet<u128, foldhash::fast::RandomState>,
    by_age: VecDeque<(u64, u128)>,
}

impl RecentRequests {
    /// Tells whether a request that was kept so many nanoseconds ago is remembered.
    pub(crate) fn is_recent(age_nanos: u64) -> bool {
        u128::from(age_nanos) <= REMEMBER.as_nanos()
    }

    /// Tells whether a request was kept a short while ago.
    pub(crate) fn contains(&mut self, hash: u128, now_nanos: u64) -> bool {
        let is_old = |&(kept, _): &(u64, u128)| !Self::is_recent(now_nanos.saturating_sub(kept));
        while self.by_age.front().is_some_and(is_old) || self.by_age.len() > REQUESTS_MAX {
            if let Some((_, old)) = self.by_age.pop_front() {
                self.known.remove(&old);
            }
        }
        self.known.contains(&hash)
    }

    /// Remembers a request that is kept.
    pub(crate) fn insert(&mut self, hash: u128, now_nanos: u64) {
        if self.known.insert(hash) {
            self.by_age.push_back((now_nanos, hash));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_forgotten_after_ten_minutes_and_tenants_are_told_apart() {
        let (a, b) = (TenantId::default(), TenantId::parse("b").unwrap());
        assert_ne!(request_hash(&a, b"x"), request_hash(&b, b"x"));
        let mut recent = RecentRequests::default();
        recent.insert(1, 5);
        assert!(recent.contains(1, 600_000_000_005));
        assert!(!recent.contains(1, 600_000_000_006));
        assert!(recent.by_age.is_empty() && recent.known.is_empty());
    }
}
