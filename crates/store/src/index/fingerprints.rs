//! The fingerprints of a segment's filters: in memory, or left in the file and read where a probe touches them.
//!
//! Promises
//! - The bytes were checked against their checksum when this process first read the section. Those that are left in
//!   the file are not checked again at each probe; that they rot later is for the scrubber to find.
//! - They are read through the very file that was checked, so a sidecar that is written anew beside it changes nothing
//!   here.
//! - Bytes that can't be read are an error, never an answer.
//!
//! Source: Graf and Lemire, "Binary Fuse Filters", 2022.

#![allow(
    clippy::cast_possible_truncation,
    reason = "bits are cut out of hashes on purpose; a product's upper half is below its factor"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use journal::{File, read_exact_at};

use super::filters::DESCRIPTOR_BYTES;
use crate::segment::SegmentError;

/// An entry's fingerprints lie within three segments. Up to so many bytes are read at once, which is then cheaper than
/// to read three bytes one by one.
const READ_AT_ONCE_BYTES_MAX: usize = 8 << 10;

/// What says where the fingerprints of an entry are in a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    seed: u64,
    /// Fingerprints of a segment, a power of two.
    segment: u32,
    /// Fingerprints of all segments but two, among which the first of an entry is.
    first: u32,
}

/// An entry's place in a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Probe {
    /// The fingerprints that make up the entry's, ascending.
    at: [u32; 3],
    /// What they are together, if the entry is there.
    wanted: u8,
}

impl Shape {
    /// Of a filter with so many fingerprints; `None` when a probe might go beyond them: segments are a power of two,
    /// one at least is counted, and two follow those that are.
    pub(super) fn parse(descriptor: &[u8; DESCRIPTOR_BYTES], fingerprints: usize) -> Option<Self> {
        let (seed, rest) = descriptor.split_first_chunk::<8>()?;
        let number = |at: usize| {
            let four = rest.get(at..at + 4)?.try_into().ok()?;
            Some(u32::from_le_bytes(four))
        };
        let (segment, mask, first) = (number(0)?, number(4)?, number(8)?);
        let is_sound = segment.is_power_of_two()
            && mask == segment - 1
            && first >= segment
            && first.is_multiple_of(segment)
            && u64::from(first) + 2 * u64::from(segment) <= fingerprints as u64;
        is_sound.then_some(Self {
            seed: u64::from_le_bytes(*seed),
            segment,
            first,
        })
    }

    /// Where an entry is. The first fingerprint is anywhere in the counted segments, as the hash is between 0 and
    /// 2^64; the others are in the two segments behind its own, as far from its place as other bits of the hash say.
    pub(super) fn probe(&self, entry: u64) -> Probe {
        let hash = scrambled(entry.wrapping_add(self.seed));
        let first = ((u128::from(hash) * u128::from(self.first)) >> 64) as u32;
        let mask = u64::from(self.segment - 1);
        let behind = |segments: u32, bits: u64| {
            first.wrapping_add(segments.wrapping_mul(self.segment)) ^ (bits & mask) as u32
        };
        Probe {
            at: [first, behind(1, hash >> 18), behind(2, hash)],
            wanted: (hash ^ hash >> 32) as u8,
        }
    }
}

/// The finaliser of MurmurHash3: every bit depends on all.
fn scrambled(mut bits: u64) -> u64 {
    for factor in [0xff51_afd7_ed55_8ccd_u64, 0xc4ce_b9fe_1a85_ec53] {
        bits = (bits ^ bits >> 33).wrapping_mul(factor);
    }
    bits ^ bits >> 33
}

/// Where the fingerprints are. Offsets count from the section's first byte.
#[derive(Debug)]
pub(super) enum Fingerprints {
    InMemory {
        section: Vec<u8>,
        /// Given back with the section.
        _room: Option<TakenRoom>,
    },
    InFile(InFile),
}

/// A section that lies in a file as it is, and was checked.
#[derive(Debug)]
pub(crate) struct InFile {
    pub file: Arc<dyn File>,
    pub path: PathBuf,
    /// Of its first byte.
    pub offset: u64,
}

impl Fingerprints {
    /// Tells whether an entry may be in the filter whose first fingerprint is at an offset.
    pub(super) fn may_have(&self, offset: u32, probe: Probe) -> Result<bool, SegmentError> {
        let together = match self {
            Self::InMemory { section, .. } => {
                let own = section.get(offset as usize..).unwrap_or_default();
                xor(own, probe.at)
            }
            Self::InFile(place) => place.xor(offset, probe.at)?,
        };
        Ok(together == probe.wanted)
    }

    /// Memory held beside this, in bytes.
    pub(super) fn size_bytes(&self) -> usize {
        match self {
            Self::InMemory { section, .. } => section.capacity(),
            Self::InFile(place) => place.path.capacity(),
        }
    }
}

impl InFile {
    fn xor(&self, offset: u32, at: [u32; 3]) -> Result<u8, SegmentError> {
        let [first, _, last] = at;
        let shift = u64::from(plumbing::planted("store-filter-read-off-by-one"));
        let start = self.offset + u64::from(offset) + shift;
        let read = |to: &mut [u8], from: u32| {
            read_exact_at(&*self.file, to, start + u64::from(from))
                .map_err(|source| SegmentError::io("read", &self.path, source))
        };
        let length = (last - first) as usize + 1;
        let mut bytes = [0; READ_AT_ONCE_BYTES_MAX];
        if let Some(bytes) = bytes.get_mut(..length) {
            read(bytes, first)?;
            return Ok(xor(bytes, at.map(|at| at - first)));
        }
        let mut together = 0;
        for at in at {
            let mut byte = [0];
            read(&mut byte, at)?;
            together ^= byte[0];
        }
        Ok(together)
    }
}

/// The part of the cache that is for fingerprints of filters, as a divisor.
const FILTERS_PART: u64 = 4;
/// Sections of filters below this are always held: to read in them would cost more than they take.
const SMALL_FILTERS_BYTES: u64 = 64 << 10;
/// What is small in a small cache, as a divisor.
const SMALL_FILTERS_PART: u64 = 64;

/// The bytes that the fingerprints of filters may take in memory, and those that they do take.
#[derive(Debug)]
pub(crate) struct FilterRoom {
    bytes_max: u64,
    small_bytes: u64,
    taken: Arc<AtomicU64>,
}

/// Bytes that were taken; dropped, they are given back.
#[derive(Debug)]
pub(crate) struct TakenRoom {
    bytes: u64,
    of: Arc<AtomicU64>,
}

impl Drop for TakenRoom {
    fn drop(&mut self) {
        self.of.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl FilterRoom {
    /// In a cache of so many bytes.
    pub(crate) fn new(cache_bytes_max: u64) -> Self {
        Self {
            bytes_max: cache_bytes_max / FILTERS_PART,
            small_bytes: SMALL_FILTERS_BYTES.min(cache_bytes_max / SMALL_FILTERS_PART),
            taken: Arc::default(),
        }
    }

    /// Takes room for a section; `None`: it is large, and there is none.
    pub(crate) fn take(&self, bytes: u64) -> Option<TakenRoom> {
        if bytes < self.small_bytes {
            return Some(self.take_anyway(bytes));
        }
        let taken = |taken: u64| {
            let sum = taken.checked_add(bytes);
            sum.filter(|sum| *sum <= self.bytes_max)
        };
        let taken = (self.taken).fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken);
        taken.ok().map(|_| self.guard(bytes))
    }

    /// Takes room for a section that can't do without.
    pub(crate) fn take_anyway(&self, bytes: u64) -> TakenRoom {
        self.taken.fetch_add(bytes, Ordering::Relaxed);
        self.guard(bytes)
    }

    fn guard(&self, bytes: u64) -> TakenRoom {
        let of = Arc::clone(&self.taken);
        TakenRoom { bytes, of }
    }

    /// Bytes that are taken.
    #[cfg(test)]
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

/// Some fingerprints together; [`Shape::parse`] has seen to it that they are there.
fn xor(fingerprints: &[u8], at: [u32; 3]) -> u8 {
    let fingerprint = |at: u32| fingerprints.get(at as usize).copied().unwrap_or_default();
    at.into_iter().map(fingerprint).fold(0, |a, b| a ^ b)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use journal::{Fault, FaultScope, Files, OpenMode, SimFiles};
    use proptest::prelude::*;
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};
    use xorf::{BinaryFuse8, BinaryFuse8Ref, Filter, FilterRef};

    use super::super::entries::put_filter;
    use super::super::filters::{AS_BEFORE, Filters};
    use super::*;
    use crate::segment::SegmentErrorKind;

    const PATH: &str = "/some.tix";

    /// A file with these bytes behind some others.
    fn in_file(bytes: &[u8], offset: usize) -> (SimFiles, InFile) {
        let disk = SimFiles::new();
        disk.write_file(Path::new(PATH), &[&vec![7; offset], bytes].concat());
        let path = PathBuf::from(PATH);
        let file = disk.open(&path, OpenMode::Read).unwrap();
        let offset = offset as u64;
        (disk, InFile { file, path, offset })
    }

    fn numbers(rng: &mut SmallRng, count: usize) -> Vec<u64> {
        (0..count).map(|_| rng.random()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn filters_in_memory_and_in_a_file_answer_as_the_library_does(
            seed in any::<u64>(),
            counts in prop::collection::vec(prop_oneof![0usize..9, 9usize..4_000], 1..5),
            offset in 0usize..100,
        ) {
            let mut rng = SmallRng::seed_from_u64(seed);
            let mut section = (counts.len() as u32 + 1).to_le_bytes().to_vec();
            let entries: Vec<Vec<u64>> = counts.iter().map(|count| numbers(&mut rng, *count)).collect();
            for entries in &entries {
                put_filter(entries.clone(), &mut section);
            }
            section.extend_from_slice(&AS_BEFORE.to_le_bytes());
            let in_memory = Filters::parse(section.clone()).unwrap();
            let (_disk, place) = in_file(&section, offset);
            let left = Filters::parse(section).unwrap().left_in(place);
            prop_assert!(left.size_bytes() < 400);
            for (granule, entries) in entries.iter().chain(entries.last()).enumerate() {
                let library = BinaryFuse8::try_from({
                    let mut entries = entries.clone();
                    entries.sort_unstable();
                    entries
                });
                let library = library.ok().filter(|_| !entries.is_empty());
                for entry in entries.iter().copied().chain(numbers(&mut rng, 500)) {
                    let wanted = library.as_ref().is_some_and(|library| library.contains(&entry));
                    prop_assert_eq!(in_memory.may_have(granule, entry).unwrap(), wanted);
                    prop_assert_eq!(left.may_have(granule, entry).unwrap(), wanted);
                }
            }
        }

        #[test]
        fn whatever_the_shape_the_same_bytes_are_touched_in_memory_and_in_a_file(
            seed in any::<u64>(),
            bits in 0u32..14,
            segments in 1u32..9,
            offset in 0usize..100,
        ) {
            let mut rng = SmallRng::seed_from_u64(seed);
            let segment = 1u32 << bits;
            let mut descriptor = [0; DESCRIPTOR_BYTES];
            descriptor[..8].copy_from_slice(&seed.to_le_bytes());
            for (at, number) in [(8, segment), (12, segment - 1), (16, segments * segment)] {
                descriptor[at..at + 4].copy_from_slice(&number.to_le_bytes());
            }
            let none = [&descriptor[..16], &[0; 4]].concat();
            prop_assert_eq!(Shape::parse(&none.try_into().unwrap(), 3 << bits), None);
            let mut bytes = vec![0; ((segments + 2) * segment) as usize];
            rng.fill(bytes.as_mut_slice());
            prop_assert_eq!(Shape::parse(&descriptor, bytes.len() - 1), None);
            let shape = Shape::parse(&descriptor, bytes.len()).unwrap();
            let library = BinaryFuse8Ref::from_dma(&descriptor, &bytes);
            let (_disk, place) = in_file(&bytes, offset);
            for entry in numbers(&mut rng, 300) {
                let probe = shape.probe(entry);
                let together = place.xor(0, probe.at).unwrap();
                prop_assert_eq!(together, xor(&bytes, probe.at));
                prop_assert_eq!(together == probe.wanted, library.contains(&entry));
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..90)) {
            let _read = Filters::parse(bytes).map(|filters| filters.may_have(0, 7));
        }
    }

    #[test]
    fn what_can_not_be_read_is_an_error_and_never_absent() {
        let mut section = 1u32.to_le_bytes().to_vec();
        put_filter((1..2_000).collect(), &mut section);
        let (disk, place) = in_file(&section, 0);
        let filters = Filters::parse(section.clone()).unwrap().left_in(place);
        assert!(filters.may_have(0, 5).unwrap());
        disk.fail_operation(1, Fault::IO, FaultScope::Once);
        let failed = filters.may_have(0, 5).unwrap_err();
        assert_eq!(failed.kind(), SegmentErrorKind::Io);
        assert!(filters.may_have(0, 5).unwrap());
        let (_disk, place) = in_file(&section[..40], 0);
        let cut = Filters::parse(section).unwrap().left_in(place);
        let failed = cut.may_have(0, 5).unwrap_err();
        assert_eq!(failed.kind(), SegmentErrorKind::Corrupt);
    }

    #[test]
    fn room_is_a_quarter_and_is_given_back_to_the_byte() {
        let room = FilterRoom::new(48 << 20);
        let quarter = 12 << 20;
        let large = room.take(quarter - 100_000).unwrap();
        let fits = room.take(100_000).unwrap();
        assert_eq!(room.taken(), quarter);
        // Small ones, and those that must be held, are counted though there is no room.
        assert!(room.take(SMALL_FILTERS_BYTES).is_none());
        let small = room.take(SMALL_FILTERS_BYTES - 1).unwrap();
        let must = room.take_anyway(1 << 20);
        assert_eq!(room.taken(), quarter + SMALL_FILTERS_BYTES - 1 + (1 << 20));
        drop((small, must, fits));
        assert_eq!(room.taken(), quarter - 100_000);
        assert!(room.take(100_001).is_none());
        drop((large, room.take(100_000)));
        assert_eq!(room.taken(), 0);
        assert!(room.take(u64::MAX).is_none());
    }
}
