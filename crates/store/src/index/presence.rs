//! The hashes of a segment's traces, so that all segments' stay in memory.
//!
//! Whoever looks for a trace asks every segment, and nearly all don't have it. The whole table of a segment's traces
//! takes nine times as much, and with a hundred segments it was read and taken apart anew for every question.
//!
//! Promises: a trace that is there is never said to be absent; one that is absent is said to be there about once in
//! 2^32 divided by the number of traces.

#![allow(
    clippy::cast_possible_truncation,
    reason = "traces of a segment are below 2^32"
)]

use std::ops::Range;

use super::traces::take_hashes;

/// Traces of a bucket, about.
const BUCKET_TRACES: usize = 16;
const BUCKET_BITS_MAX: u32 = 24;

/// The hashes of a segment's traces.
#[derive(Debug)]
pub(crate) struct TracePresence {
    /// Ascending.
    hashes: Vec<u32>,
    /// The highest bits of a hash say its bucket.
    bucket_bits: u32,
    /// By bucket: the place of its first hash; one more than there are buckets.
    first: Vec<u32>,
}

impl TracePresence {
    /// Of hashes, which ascend.
    pub(crate) fn new(hashes: Vec<u32>) -> Self {
        let buckets = (hashes.len() / BUCKET_TRACES).max(1).next_power_of_two();
        let bucket_bits = buckets.trailing_zeros().min(BUCKET_BITS_MAX);
        let mut first = Vec::with_capacity((1 << bucket_bits) + 1);
        for (place, hash) in hashes.iter().enumerate() {
            first.resize(bucket_of(*hash, bucket_bits) + 1, place as u32);
        }
        first.resize((1 << bucket_bits) + 1, hashes.len() as u32);
        Self {
            hashes,
            bucket_bits,
            first,
        }
    }

    /// Of the section `TRHA`; `None` when it makes no sense.
    pub(crate) fn parse(section: &[u8]) -> Option<Self> {
        let mut rest = section;
        take_hashes(&mut rest).map(Self::new)
    }

    /// All hashes, ascending; their places are those in the table of traces.
    pub(crate) fn hashes(&self) -> &[u32] {
        &self.hashes
    }

    /// Tells whether a trace with this hash may be there.
    pub(crate) fn may_have(&self, hash: u32) -> bool {
        !self.places_of(hash).is_empty()
    }

    /// The places of a hash.
    pub(crate) fn places_of(&self, hash: u32) -> Range<usize> {
        let bucket = bucket_of(hash, self.bucket_bits);
        let place = |bucket: usize| self.first.get(bucket).map_or(0, |place| *place as usize);
        let first = place(bucket) + usize::from(plumbing::planted("store-presence-off-by-one"));
        let of = self
            .hashes
            .get(first..place(bucket + 1))
            .unwrap_or_default();
        let before = of.iter().take_while(|other| **other < hash).count();
        let same = of.iter().skip(before).take_while(|other| **other == hash);
        first + before..first + before + same.count()
    }

    /// Memory held, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        (self.first.capacity() + self.hashes.capacity()) * 4
    }
}

fn bucket_of(hash: u32, bits: u32) -> usize {
    (u64::from(hash) >> (32 - bits)) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_there_is_found_and_nothing_else(
            mut hashes in prop::collection::vec(prop_oneof![any::<u32>(), 0u32..9, !8u32..=!0], 0..300),
            others in prop::collection::vec(any::<u32>(), 200),
        ) {
            hashes.sort_unstable();
            let presence = TracePresence::new(hashes.clone());
            prop_assert!(hashes.iter().all(|hash| presence.may_have(*hash)));
            let is_right = |hash: &u32| presence.may_have(*hash) == hashes.binary_search(hash).is_ok();
            prop_assert!(others.iter().all(is_right));
            let places = |hash: &u32| hashes.partition_point(|h| h < hash)..hashes.partition_point(|h| h <= hash);
            prop_assert!(hashes.iter().all(|hash| presence.places_of(*hash) == places(hash)));
            prop_assert!(presence.size_bytes() <= hashes.len() * 5 + 64);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..90)) {
            let _read = TracePresence::parse(&bytes).map(|presence| presence.may_have(7));
        }
    }
}
