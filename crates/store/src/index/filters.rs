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
//! Bytes: number of granules `u32`; per granule entries `u32`, seed `u64`, segment length `u32`, mask `u32`, length of all
//! segments but two `u32`, fingerprints `u32`, the fingerprints. A granule with entries but no fingerprints could not
//! be built and denies nothing.
//!
//! Source: Graf and Lemire, "Binary Fuse Filters", 2022.

#![allow(clippy::cast_possible_truncation, reason = "rows, granules and entries of a segment are far below 2^32")]

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use model::ValueType;
use model::batch::{AttrValue, Symbol};
use model::value::number_text;
use xorf::{BinaryFuse8, BinaryFuse8Ref, DmaSerializable, Filter, FilterRef};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::GRANULE_ROWS;
use crate::segment::attributes::AttributeColumns;
use crate::segment::parts::Parts;

const DESCRIPTOR_BYTES: usize = BinaryFuse8::DESCRIPTOR_LEN;

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
    fn seed(self) -> u64 {
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
        #[allow(clippy::cast_precision_loss, reason = "doubles next to it have the text of the rounded number")]
        AttrValue::Int(int) => texts.push(number_text(int as f64)),
        AttrValue::Double(double) => texts.push((double as i64).to_string()),
        _ => {}
    }
    if matches!(number, AttrValue::Int(0)) || matches!(number, AttrValue::Double(zero) if zero == 0.0) {
        texts.extend(["0".to_owned(), "-0".to_owned()]);
    }
    texts
}

/// Collects entries, granule by granule.
struct Entries {
    granules: Vec<Vec<u64>>,
    /// By symbol: the last granule of the last subject that had it.
    seen: Vec<u32>,
    era: u32,
    seen_bits: HashSet<u64, RandomState>,
}

/// The section of a batch that is laid out.
pub(super) fn filters_section(parts: &Parts<'_>) -> Vec<u8> {
    let granules = parts.rows().div_ceil(GRANULE_ROWS);
    let mut entries = Entries {
        granules: vec![Vec::new(); granules],
        seen: vec![0; parts.batch.strings().len()],
        era: 0,
        seen_bits: HashSet::default(),
    };
    entries.add_fields(parts);
    entries.add_envelopes(parts);
    let own = |row: u32| row;
    entries.add_attributes(parts, &parts.spans, &own);
    let of_event = |at: u32| parts.events.row.get(at as usize).copied().unwrap_or_default();
    entries.add_attributes(parts, &parts.events.attributes, &of_event);
    let of_link = |at: u32| parts.links.row.get(at as usize).copied().unwrap_or_default();
    entries.add_attributes(parts, &parts.links.attributes, &of_link);
    entries.section()
}

impl Entries {
    fn add(&mut self, granule: usize, entry: u64) {
        if let Some(entries) = self.granules.get_mut(granule) {
            entries.push(entry);
        }
    }

    /// Adds texts by (row of the segment, symbol), rows ascending.
    fn add_texts(&mut self, parts: &Parts<'_>, subject: Subject<'_>, cells: impl Iterator<Item = (u32, Symbol)>) {
        let seed = subject.seed();
        let mut granule = usize::MAX;
        for (row, symbol) in cells {
            let at = row as usize / GRANULE_ROWS;
            if at != granule {
                granule = at;
                self.era += 1;
            }
            let era = self.era;
            let Some(seen) = self.seen.get_mut(symbol.0 as usize).filter(|seen| **seen != era) else { continue };
            *seen = era;
            self.add(granule, xxh3_64_with_seed(parts.batch.strings().get_bytes(symbol), seed));
        }
    }

    /// Adds other values by (row of the segment, bits), rows ascending.
    fn add_values(&mut self, parts: &Parts<'_>, subject: Subject<'_>, cells: impl Iterator<Item = (u32, ValueType, u64)>) {
        let seed = subject.seed();
        let mut granule = usize::MAX;
        for (row, value_type, bits) in cells {
            let at = row as usize / GRANULE_ROWS;
            if at != granule {
                granule = at;
                self.seen_bits.clear();
            }
            if self.seen_bits.insert(bits) {
                let text = parts.batch.unpack(value_type, bits).canonical_text();
                self.add(granule, xxh3_64_with_seed(text.as_bytes(), seed));
            }
        }
    }

    fn add_fields(&mut self, parts: &Parts<'_>) {
        let (spans, events) = (parts.batch.spans(), parts.batch.events());
        let rows = || 0..parts.rows();
        self.add_texts(parts, Subject::Name, rows().map(|row| (row as u32, parts.pick(&spans.name, row))));
        let messages = rows().map(|row| (row as u32, parts.pick(&spans.status_message, row)));
        self.add_texts(parts, Subject::StatusMessage, messages);
        let number = |number: i32| i64::from(number).cast_unsigned();
        let kinds = rows().map(|row| (row as u32, ValueType::Int, number(parts.pick(&spans.kind, row))));
        self.add_values(parts, Subject::Kind, kinds);
        let states = rows().map(|row| (row as u32, ValueType::Int, number(parts.pick(&spans.status, row))));
        self.add_values(parts, Subject::Status, states);
        let event_names = parts.events.source.iter().zip(&parts.events.row);
        let event_names = event_names
            .map(|(at, row)| (*row, events.name.get(*at as usize).copied().unwrap_or_default()));
        self.add_texts(parts, Subject::EventName, event_names);
    }

    /// Adds resources and scopes to the granules whose spans have them.
    fn add_envelopes(&mut self, parts: &Parts<'_>) {
        let resources = granules_of(parts, &parts.batch.spans().resource, |row| parts.resources.number(row));
        let scopes = granules_of(parts, &parts.batch.spans().scope, |row| parts.scopes.number(row));
        for (granule, number) in &resources {
            let row = parts.resources.source.get(*number as usize).copied().unwrap_or_default();
            self.add(*granule, Subject::Service.entry(parts.batch.resource(row).service()));
        }
        for (granule, number) in &scopes {
            let row = parts.scopes.source.get(*number as usize).copied().unwrap_or_default();
            let scope = parts.batch.scope(row);
            self.add(*granule, Subject::ScopeName.entry(scope.name()));
            self.add(*granule, Subject::ScopeVersion.entry(scope.version()));
        }
        let shift = parts.resources.source.len() as u32;
        let scopes = scopes.into_iter().map(|(granule, number)| (granule, number + shift));
        let mut granules: Vec<(u32, usize)> =
            resources.into_iter().chain(scopes).map(|(granule, number)| (number, granule)).collect();
        granules.sort_unstable();
        for gathered in &parts.envelopes.fields {
            let subject = Subject::Attribute(parts.batch.strings().get(gathered.field.key));
            let columns = gathered.rows.iter().zip(&gathered.bits);
            for (row, bits) in columns.chain(gathered.rest_rows.iter().zip(&gathered.rest_bits)) {
                let text = parts.batch.unpack(gathered.field.value_type, *bits).canonical_text();
                let entry = subject.entry(&text);
                let from = granules.partition_point(|(number, _)| number < row);
                let same = granules.get(from..).unwrap_or_default().iter().take_while(|(number, _)| number == row);
                same.for_each(|(_, granule)| self.add(*granule, entry));
            }
        }
    }

    fn add_attributes(&mut self, parts: &Parts<'_>, columns: &AttributeColumns, row_of: &dyn Fn(u32) -> u32) {
        if plumbing::planted("segment-filter-false-negative") && !columns.fields.is_empty() {
            return;
        }
        for gathered in &columns.fields {
            let subject = Subject::Attribute(parts.batch.strings().get(gathered.field.key));
            let value_type = gathered.field.value_type;
            let lists = [(&gathered.rows, &gathered.bits), (&gathered.rest_rows, &gathered.rest_bits)];
            for (rows, bits) in lists {
                let cells = rows.iter().zip(bits).map(|(row, bits)| (row_of(*row), *bits));
                if value_type == ValueType::String {
                    self.add_texts(parts, subject, cells.map(|(row, bits)| (row, Symbol(bits as u32))));
                } else {
                    self.add_values(parts, subject, cells.map(|(row, bits)| (row, value_type, bits)));
                }
                self.era += 1;
            }
        }
    }

    fn section(self) -> Vec<u8> {
        let mut out = (self.granules.len() as u32).to_le_bytes().to_vec();
        for mut entries in self.granules {
            entries.sort_unstable();
            entries.dedup();
            out.extend_from_slice(&(entries.len() as u32).to_le_bytes());
            let filter = if entries.is_empty() { None } else { BinaryFuse8::try_from(entries.as_slice()).ok() };
            let mut descriptor = [0u8; DESCRIPTOR_BYTES];
            let fingerprints = filter.as_ref().map(DmaSerializable::dma_fingerprints).unwrap_or_default();
            if let Some(filter) = &filter {
                filter.dma_copy_descriptor_to(&mut descriptor);
            }
            out.extend_from_slice(&descriptor);
            out.extend_from_slice(&(fingerprints.len() as u32).to_le_bytes());
            out.extend_from_slice(fingerprints);
        }
        out
    }
}

/// The distinct (granule, number) of a column of resources or scopes.
fn granules_of(parts: &Parts<'_>, column: &[u32], number: impl Fn(u32) -> u32) -> Vec<(usize, u32)> {
    let mut found = Vec::new();
    // By number: the last granule that had it, plus one.
    let mut last: Vec<usize> = Vec::new();
    for row in 0..parts.rows() {
        let (granule, number) = (row / GRANULE_ROWS, number(parts.pick(column, row)));
        if last.len() <= number as usize {
            last.resize(number as usize + 1, 0);
        }
        let Some(last) = last.get_mut(number as usize).filter(|last| **last != granule + 1) else { continue };
        *last = granule + 1;
        found.push((granule, number));
    }
    found
}

/// The filters of a segment.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    granules: Vec<Granule>,
}

#[derive(Debug)]
struct Granule {
    entries: u32,
    descriptor: [u8; DESCRIPTOR_BYTES],
    fingerprints: Vec<u8>,
}

impl Filters {
    /// The filters of a section; `None` when it makes no sense.
    pub(crate) fn parse(mut section: &[u8]) -> Option<Self> {
        let (count, rest) = section.split_first_chunk::<4>()?;
        section = rest;
        let mut granules = Vec::new();
        for _ in 0..u32::from_le_bytes(*count) {
            let (entries, rest) = section.split_first_chunk::<4>()?;
            let (descriptor, rest) = rest.split_first_chunk::<DESCRIPTOR_BYTES>()?;
            let (length, rest) = rest.split_first_chunk::<4>()?;
            let (fingerprints, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            section = rest;
            if !fingerprints.is_empty() && !is_sound(descriptor, fingerprints.len()) {
                return None;
            }
            let entries = u32::from_le_bytes(*entries);
            granules.push(Granule { entries, descriptor: *descriptor, fingerprints: fingerprints.to_vec() });
        }
        section.is_empty().then_some(Self { granules })
    }

    /// Tells whether a granule may have an entry.
    pub(crate) fn may_have(&self, granule: usize, entry: u64) -> bool {
        let Some(granule) = self.granules.get(granule) else { return true };
        match (granule.entries, granule.fingerprints.as_slice()) {
            (0, _) => false,
            (_, []) => true,
            (_, fingerprints) => BinaryFuse8Ref::from_dma(&granule.descriptor, fingerprints).contains(&entry),
        }
    }

    /// Memory held, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        self.granules.iter().map(|granule| granule.fingerprints.capacity() + size_of::<Granule>()).sum()
    }
}

/// Whether a probe stays inside the fingerprints: segments are a power of two, and two follow those that are counted.
fn is_sound(descriptor: &[u8; DESCRIPTOR_BYTES], fingerprints: usize) -> bool {
    let number = |at: usize| {
        let four = descriptor.get(at..at + 4).and_then(|four| four.try_into().ok());
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
    use super::*;

    #[test]
    fn a_filter_never_denies_what_it_was_built_from() {
        for count in [0u64, 1, 2, 3, 10, 1000] {
            let entries: Vec<u64> = (0..count).map(|n| Subject::Attribute("k").entry(&n.to_string())).collect();
            let granules = vec![entries.clone()];
            let built = Entries { granules, seen: Vec::new(), era: 0, seen_bits: HashSet::default() };
            let section = built.section();
            let filters = Filters::parse(&section).unwrap();
            assert!(entries.iter().all(|entry| filters.may_have(0, *entry)), "{count}");
            let others = (0..10_000).filter(|n| filters.may_have(0, Subject::Attribute("j").entry(&n.to_string())));
            assert!(others.count() < 100, "{count}");
            assert!(Filters::parse(&section[..section.len() - 1]).is_none());
        }
    }

    #[test]
    fn equal_numbers_share_a_text_whatever_their_type() {
        let share = |a: AttrValue<'_>, b: AttrValue<'_>| texts_of_number(a).contains(&b.canonical_text().into_owned());
        let big = 1i64 << 60;
        for (int, double) in [(5, 5.0), (0, -0.0), (-7, -7.0), (big, big as f64), (i64::MIN, i64::MIN as f64)] {
            assert!(share(AttrValue::Int(int), AttrValue::Double(double)), "{int}");
            assert!(share(AttrValue::Double(double), AttrValue::Int(int)), "{double}");
        }
        assert!(share(AttrValue::Double(0.0), AttrValue::Double(-0.0)));
    }
}
