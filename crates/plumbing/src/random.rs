//! The seam to randomness: 64 bits at a time, from the machine or from a seed.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Gives random numbers. Not for secrets.
pub trait Random: Send + Sync + std::fmt::Debug {
    /// The next 64 random bits.
    fn next_u64(&self) -> u64;

    /// A number below `bound`; 0 when the bound is 0.
    fn below(&self, bound: u64) -> u64 {
        if bound == 0 {
            0
        } else {
            self.next_u64() % bound
        }
    }
}

/// One step of SplitMix64 (Steele, Lea, Flood 2014): a good mixer of a counter.
fn split_mix(counter: u64) -> u64 {
    let mut z = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Random numbers that the same seed gives again.
#[derive(Debug)]
pub struct SeededRandom {
    counter: AtomicU64,
}

impl SeededRandom {
    /// Starts the sequence of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            counter: AtomicU64::new(split_mix(seed)),
        }
    }
}

impl Random for SeededRandom {
    fn next_u64(&self) -> u64 {
        split_mix(
            self.counter
                .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed),
        )
    }
}

/// Random numbers seeded by the operating system.
#[derive(Debug)]
pub struct RealRandom {
    inner: SeededRandom,
}

impl Default for RealRandom {
    fn default() -> Self {
        let seed = RandomState::new().build_hasher().finish();
        Self {
            inner: SeededRandom::new(seed),
        }
    }
}

impl Random for RealRandom {
    fn next_u64(&self) -> u64 {
        self.inner.next_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_seed_others() {
        let (a, b, c) = (
            SeededRandom::new(7),
            SeededRandom::new(7),
            SeededRandom::new(8),
        );
        let first: Vec<u64> = (0..4).map(|_| a.next_u64()).collect();
        assert_eq!(first, (0..4).map(|_| b.next_u64()).collect::<Vec<_>>());
        assert_ne!(first, (0..4).map(|_| c.next_u64()).collect::<Vec<_>>());
    }
}
