//! Which traces a segment may have: their hashes in three bytes each, so that all segments' stay in memory.
//!
//! Whoever looks for a trace asks every segment, and nearly all don't have it. The whole table of a segment's traces
//! takes ten times as much, and with a hundred segments it was read and taken apart anew for every question.
//!
//! Promises: a trace that is there is never said to be absent; one that is absent is said to be there about once in
//! 2^28 divided by the number of traces.

#![allow(
    clippy::cast_possible_truncation,
    reason = "traces of a segment are below 2^32; bits are cut out of hashes on purpose"
)]

use super::traces::take_hashes;

/// Traces of a bucket, about.
const BUCKET_TRACES: usize = 4;
const BUCKET_BITS_MAX: u32 = 24;

/// The hashes of a segment's traces.
#[derive(Debug)]
pub(crate) struct TracePresence {
    /// The highest bits of a hash say its bucket; the sixteen below them are kept.
    bucket_bits: u32,
    /// By bucket: the place of its first hash; one more than there are buckets.
    first: Vec<u32>,
    kept: Vec<u16>,
}

impl TracePresence {
    /// Of hashes, which ascend.
    pub(crate) fn new(hashes: &[u32]) -> Self {
        let buckets = (hashes.len() / BUCKET_TRACES).max(1).next_power_of_two();
        let bucket_bits = buckets.trailing_zeros().min(BUCKET_BITS_MAX);
        let mut presence = Self {
            bucket_bits,
            first: Vec::with_capacity((1 << bucket_bits) + 1),
            kept: Vec::with_capacity(hashes.len()),
        };
        for hash in hashes {
            let (bucket, kept) = presence.split(*hash);
            presence
                .first
                .resize(bucket + 1, presence.kept.len() as u32);
            presence.kept.push(kept);
        }
        presence
            .first
            .resize((1 << bucket_bits) + 1, hashes.len() as u32);
        presence
    }

    /// Of the section `TRHA`; `None` when it makes no sense.
    pub(crate) fn parse(section: &[u8]) -> Option<Self> {
        let mut rest = section;
        take_hashes(&mut rest).map(|hashes| Self::new(&hashes))
    }

    /// Tells whether a trace with this hash may be there.
    pub(crate) fn may_have(&self, hash: u32) -> bool {
        let (bucket, wanted) = self.split(hash);
        let place = |bucket: usize| self.first.get(bucket).map_or(0, |place| *place as usize);
        let first = place(bucket) + usize::from(plumbing::planted("store-presence-off-by-one"));
        let of = self.kept.get(first..place(bucket + 1));
        of.unwrap_or_default().contains(&wanted)
    }

    fn split(&self, hash: u32) -> (usize, u16) {
        let hash = u64::from(hash);
        let bucket = hash >> (32 - self.bucket_bits);
        let below = hash << self.bucket_bits & 0xffff_ffff;
        (bucket as usize, (below >> 16) as u16)
    }

    /// Memory held, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        self.first.capacity() * 4 + self.kept.capacity() * 2
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_there_is_found_and_little_else(
            mut hashes in prop::collection::vec(prop_oneof![any::<u32>(), 0u32..9, !8u32..=!0], 0..300),
            others in prop::collection::vec(any::<u32>(), 200),
        ) {
            hashes.sort_unstable();
            let presence = TracePresence::new(&hashes);
            prop_assert!(hashes.iter().all(|hash| presence.may_have(*hash)));
            let wrong = others.iter().filter(|hash| presence.may_have(**hash));
            let wrong = wrong.filter(|hash| hashes.binary_search(hash).is_err());
            // Some sixteen bits are compared at least.
            prop_assert!(wrong.count() <= 8);
            prop_assert!(presence.size_bytes() <= 3 * hashes.len().next_power_of_two() * 2 + 64);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..90)) {
            let _read = TracePresence::parse(&bytes).map(|presence| presence.may_have(7));
        }
    }
}
