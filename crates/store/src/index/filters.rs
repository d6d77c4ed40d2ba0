//! The section `KVFG`: for every 65,536 rows a filter that says which keys and values are certainly not there.
//!
//! One entry per distinct (subject, canonical text of the value). A subject is a key, wherever the attribute stands, or
//! one of the fields below; leaving the place out costs a few needless reads and saves four fifths of the entries. The
//! text is the one that untyped searches compare with, so that one entry serves them and the typed ones alike: a
//! typed question probes the texts that its value can have ([`texts_of_number`]).
//!
//! An entry is XXH3-64 of the text, seeded with XXH3-64 of the subject's tag byte and key. The filters are binary
//! fuse filters with 8-bit fingerprints: 9 bits an entry, 0.4 % false alarms, no false denials.
//!
//! Bytes: number of granules `u32`; per granule entries `u32`, seed `u64`, segment length `u32`, mask `u32`, length of
//! all segments but two `u32`, fingerprints `u32`, the fingerprints. A granule with entries but no fingerprints could
//! not be built and denies nothing. A granule that is only the number 2^32 − 1 shares the filter of the one before.
//!
//! Read next: `entries.rs` for what is entered.
//!
//! Source: Graf and Lemire, "Binary Fuse Filters", 2022.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows, granules and entries of a segment are far below 2^32"
)]

use model::batch::AttrValue;
use model::value::number_text;
use xorf::{BinaryFuse8, BinaryFuse8Ref, DmaSerializable, Filter, FilterRef};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// In the place of the entries of a granule that shares the filter of the one before.
pub(super) const AS_BEFORE: u32 = u32::MAX;

pub(super) const DESCRIPTOR_BYTES: usize = BinaryFuse8::DESCRIPTOR_LEN;

/// What a value is a value of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    Attribute(&'a str),
    Name,
    Service,
    Kind,
    Status,
    StatusMessage,
    EventName,
    ScopeName,
    ScopeVersion,
}

impl Subject<'_> {
    pub(super) fn seed(self) -> u64 {
        // The numbers are part of the format.
        let (tag, key) = match self {
            Self::Attribute(key) => (0, key),
            Self::Name => (1, ""),
            Self::Service => (2, ""),
            Self::Kind => (3, ""),
            Self::Status => (4, ""),
            Self::StatusMessage => (5, ""),
            Self::EventName => (6, ""),
            Self::ScopeName => (7, ""),
            Self::ScopeVersion => (8, ""),
        };
        let mut bytes = Vec::with_capacity(1 + key.len());
        bytes.push(tag);
        bytes.extend_from_slice(key.as_bytes());
        xxh3_64(&bytes)
    }

    /// The entry of a value's canonical text.
    pub(crate) fn entry(self, text: &str) -> u64 {
        xxh3_64_with_seed(text.as_bytes(), self.seed())
    }
}

/// The canonical texts that a number equal to this one may have: of the int, of the double, and of minus zero.
pub(crate) fn texts_of_number(number: AttrValue<'_>) -> Vec<String> {
    let mut texts = vec![number.canonical_text().into_owned()];
    match number {
        #[allow(
            clippy::cast_precision_loss,
            reason = "doubles next to it have the text of the rounded number"
        )]
        AttrValue::Int(int) => texts.push(number_text(int as f64)),
        AttrValue::Double(double) => texts.push((double as i64).to_string()),
        _ => {}
    }
    if matches!(number, AttrValue::Int(0))
        || matches!(number, AttrValue::Double(zero) if zero == 0.0)
    {
        texts.extend(["0".to_owned(), "-0".to_owned()]);
    }
    texts
}

/// The filters of a segment.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    /// By granule: its filter.
    filter_of: Vec<usize>,
    filters: Vec<ReadFilter>,
}

#[derive(Debug)]
struct ReadFilter {
    entries: u32,
    descriptor: [u8; DESCRIPTOR_BYTES],
    fingerprints: Vec<u8>,
}

impl Filters {
    /// The filters of a section; `None` when it makes no sense.
    pub(crate) fn parse(mut section: &[u8]) -> Option<Self> {
        let (count, rest) = section.split_first_chunk::<4>()?;
        section = rest;
        let mut read = Self::default();
        for _ in 0..u32::from_le_bytes(*count) {
            let (entries, rest) = section.split_first_chunk::<4>()?;
            if u32::from_le_bytes(*entries) == AS_BEFORE {
                read.filter_of.push(read.filters.len().checked_sub(1)?);
                section = rest;
                continue;
            }
            let (descriptor, rest) = rest.split_first_chunk::<DESCRIPTOR_BYTES>()?;
            let (length, rest) = rest.split_first_chunk::<4>()?;
            let (fingerprints, rest) =
                rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            section = rest;
            if !fingerprints.is_empty() && !is_sound(descriptor, fingerprints.len()) {
                return None;
            }
            let entries = u32::from_le_bytes(*entries);
            read.filter_of.push(read.filters.len());
            read.filters.push(ReadFilter {
                entries,
                descriptor: *descriptor,
                fingerprints: fingerprints.to_vec(),
            });
        }
        section.is_empty().then_some(read)
    }

    /// Tells whether a granule may have an entry.
    pub(crate) fn may_have(&self, granule: usize, entry: u64) -> bool {
        let filter = self.filter_of.get(granule);
        let Some(filter) = filter.and_then(|at| self.filters.get(*at)) else {
            return true;
        };
        match (filter.entries, filter.fingerprints.as_slice()) {
            (0, _) => false,
            (_, []) => true,
            (_, fingerprints) => {
                BinaryFuse8Ref::from_dma(&filter.descriptor, fingerprints).contains(&entry)
            }
        }
    }

    /// Memory held, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        let filters = self.filters.iter();
        let bytes = filters.map(|filter| filter.fingerprints.capacity() + size_of::<ReadFilter>());
        self.filter_of.capacity() * size_of::<usize>() + bytes.sum::<usize>()
    }
}

/// Whether a probe stays inside the fingerprints: segments are a power of two, and two follow those that are counted.
fn is_sound(descriptor: &[u8; DESCRIPTOR_BYTES], fingerprints: usize) -> bool {
    let number = |at: usize| {
        let four = descriptor
            .get(at..at + 4)
            .and_then(|four| four.try_into().ok());
        four.map_or(0, u32::from_le_bytes)
    };
    let (segment, mask, counted) = (number(8), number(12), number(16));
    segment.is_power_of_two()
        && mask == segment - 1
        && counted.is_multiple_of(segment)
        && u64::from(counted) + 2 * u64::from(segment) <= fingerprints as u64
}

#[cfg(test)]
mod tests {
    use super::super::entries::put_filter;
    use super::*;

    #[test]
    fn a_filter_never_denies_what_it_was_built_from() {
        for count in [0u64, 1, 2, 3, 10, 1000] {
            let entries: Vec<u64> = (0..count)
                .map(|n| Subject::Attribute("k").entry(&n.to_string()))
                .collect();
            let mut section = 1u32.to_le_bytes().to_vec();
            put_filter(entries.clone(), &mut section);
            let filters = Filters::parse(&section).unwrap();
            assert!(
                entries.iter().all(|entry| filters.may_have(0, *entry)),
                "{count}"
            );
            let others = (0..10_000)
                .filter(|n| filters.may_have(0, Subject::Attribute("j").entry(&n.to_string())));
            assert!(others.count() < 100, "{count}");
            assert!(Filters::parse(&section[..section.len() - 1]).is_none());
        }
    }

    #[test]
    fn granules_that_share_a_filter_deny_nothing_that_one_of_them_has() {
        let mut section = 3u32.to_le_bytes().to_vec();
        put_filter(vec![1, 2, 3], &mut section);
        section.extend_from_slice(&AS_BEFORE.to_le_bytes());
        put_filter(vec![9], &mut section);
        let filters = Filters::parse(&section).unwrap();
        let has = |granule| [1, 2, 3, 9].map(|entry| filters.may_have(granule, entry));
        assert_eq!(has(0)[..3], [true; 3]);
        assert_eq!(has(0), has(1));
        assert!(has(2)[3]);
        // There is none before the first.
        let first = [1u32.to_le_bytes(), AS_BEFORE.to_le_bytes()].concat();
        assert!(Filters::parse(&first).is_none());
    }

    #[test]
    fn equal_numbers_share_a_text_whatever_their_type() {
        let share = |a: AttrValue<'_>, b: AttrValue<'_>| {
            texts_of_number(a).contains(&b.canonical_text().into_owned())
        };
        let big = 1i64 << 60;
        for (int, double) in [
            (5, 5.0),
            (0, -0.0),
            (-7, -7.0),
            (big, big as f64),
            (i64::MIN, i64::MIN as f64),
        ] {
            assert!(
                share(AttrValue::Int(int), AttrValue::Double(double)),
                "{int}"
            );
            assert!(
                share(AttrValue::Double(double), AttrValue::Int(int)),
                "{double}"
            );
        }
        assert!(share(AttrValue::Double(0.0), AttrValue::Double(-0.0)));
    }
}
