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
//! Of a section that is read and checked either all bytes are kept or the descriptors alone, some tens of bytes a
//! granule; then a probe reads what it touches in the file.
//!
//! Read next: `entries.rs` for what is entered, `fingerprints.rs` for how a filter is probed.
//!
//! Source: Graf and Lemire, "Binary Fuse Filters", 2022.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows, granules and entries of a segment are far below 2^32"
)]

use model::batch::AttrValue;
use model::value::number_text;
use xorf::{BinaryFuse8, DmaSerializable};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::fingerprints::{Fingerprints, InFile, Shape, TakenRoom};
use crate::segment::SegmentError;

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
#[derive(Debug)]
pub(crate) struct Filters {
    /// By granule: its filter.
    filter_of: Vec<u32>,
    filters: Vec<ReadFilter>,
    fingerprints: Fingerprints,
}

#[derive(Debug)]
struct ReadFilter {
    entries: u32,
    /// Where its fingerprints begin in the section.
    offset: u32,
    /// `None`: it has no fingerprints.
    shape: Option<Shape>,
}

impl Filters {
    /// The filters of a section, which is kept; `None` when it makes no sense.
    pub(crate) fn parse(section: Vec<u8>) -> Option<Self> {
        let (count, mut rest) = section.split_first_chunk::<4>()?;
        let (mut filter_of, mut filters) = (Vec::new(), Vec::new());
        for _ in 0..u32::from_le_bytes(*count) {
            let (entries, behind) = rest.split_first_chunk::<4>()?;
            rest = behind;
            let entries = u32::from_le_bytes(*entries);
            if entries == AS_BEFORE {
                filter_of.push(filters.len().checked_sub(1)? as u32);
                continue;
            }
            let (descriptor, behind) = rest.split_first_chunk::<DESCRIPTOR_BYTES>()?;
            let (length, behind) = behind.split_first_chunk::<4>()?;
            let length = u32::from_le_bytes(*length) as usize;
            let offset = u32::try_from(section.len() - behind.len()).ok()?;
            rest = behind.get(length..)?;
            let shape = match length {
                0 => None,
                _ => Some(Shape::parse(descriptor, length)?),
            };
            filter_of.push(filters.len() as u32);
            filters.push(ReadFilter {
                entries,
                offset,
                shape,
            });
        }
        rest.is_empty().then_some(())?;
        filter_of.shrink_to_fit();
        filters.shrink_to_fit();
        Some(Self {
            filter_of,
            filters,
            fingerprints: Fingerprints::InMemory {
                section,
                _room: None,
            },
        })
    }

    /// The same, with room for the fingerprints in memory, which is given back when they go.
    pub(crate) fn with_room(mut self, room: TakenRoom) -> Self {
        if let Fingerprints::InMemory { _room, .. } = &mut self.fingerprints {
            *_room = Some(room);
        }
        self
    }

    /// The same, without the fingerprints: those of the file are read.
    pub(crate) fn left_in(self, file: InFile) -> Self {
        Self {
            fingerprints: Fingerprints::InFile(file),
            ..self
        }
    }

    /// Tells whether a granule may have an entry.
    pub(crate) fn may_have(&self, granule: usize, entry: u64) -> Result<bool, SegmentError> {
        let filter = self.filter_of.get(granule);
        let Some(filter) = filter.and_then(|at| self.filters.get(*at as usize)) else {
            return Ok(true);
        };
        match (filter.entries, &filter.shape) {
            (0, _) => Ok(false),
            (_, None) => Ok(true),
            (_, Some(shape)) => {
                let probe = shape.probe(entry);
                self.fingerprints.may_have(filter.offset, probe)
            }
        }
    }

    /// Whether probes read the file.
    #[cfg(test)]
    pub(crate) fn is_in_file(&self) -> bool {
        matches!(self.fingerprints, Fingerprints::InFile(_))
    }

    /// Memory held, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        self.filter_of.capacity() * size_of::<u32>()
            + self.filters.capacity() * size_of::<ReadFilter>()
            + self.fingerprints.size_bytes()
    }
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
            let filters = Filters::parse(section.clone()).unwrap();
            let may_have = |entry: &u64| filters.may_have(0, *entry).unwrap();
            assert!(entries.iter().all(may_have), "{count}");
            let others = (0..10_000).map(|n| Subject::Attribute("j").entry(&n.to_string()));
            assert!(others.filter(may_have).count() < 100, "{count}");
            section.pop();
            assert!(Filters::parse(section).is_none());
        }
    }

    #[test]
    fn granules_that_share_a_filter_deny_nothing_that_one_of_them_has() {
        let mut section = 3u32.to_le_bytes().to_vec();
        put_filter(vec![1, 2, 3], &mut section);
        section.extend_from_slice(&AS_BEFORE.to_le_bytes());
        put_filter(vec![9], &mut section);
        let filters = Filters::parse(section).unwrap();
        let has = |granule| [1, 2, 3, 9].map(|entry| filters.may_have(granule, entry).unwrap());
        assert_eq!(has(0)[..3], [true; 3]);
        assert_eq!(has(0), has(1));
        assert!(has(2)[3]);
        // There is none before the first.
        let first = [1u32.to_le_bytes(), AS_BEFORE.to_le_bytes()].concat();
        assert!(Filters::parse(first).is_none());
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
