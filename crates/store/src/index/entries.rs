//! What the filters of a segment are built from: every value of every key, and the fields that are asked for most.
//!
//! A value is entered once per granule and key; texts are told apart by their symbols, so that a text is hashed once.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows, granules and entries of a segment are far below 2^32"
)]

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use model::ValueType;
use model::batch::Symbol;
use xorf::{BinaryFuse8, DmaSerializable};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::GRANULE_ROWS;
use super::filters::{DESCRIPTOR_BYTES, Subject};
use crate::segment::attributes::AttributeColumns;
use crate::segment::parts::Parts;

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
    let of_event = |at: u32| parts.events.span_of(at);
    entries.add_attributes(parts, &parts.events.attributes, &of_event);
    let of_link = |at: u32| parts.links.span_of(at);
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
    fn add_texts(
        &mut self,
        parts: &Parts<'_>,
        subject: Subject<'_>,
        cells: impl Iterator<Item = (u32, Symbol)>,
    ) {
        let seed = subject.seed();
        let mut granule = usize::MAX;
        for (row, symbol) in cells {
            let at = row as usize / GRANULE_ROWS;
            if at != granule {
                granule = at;
                self.era += 1;
            }
            let era = self.era;
            let Some(seen) = self
                .seen
                .get_mut(symbol.0 as usize)
                .filter(|seen| **seen != era)
            else {
                continue;
            };
            *seen = era;
            self.add(
                granule,
                xxh3_64_with_seed(parts.batch.strings().get_bytes(symbol), seed),
            );
        }
    }

    /// Adds other values by (row of the segment, bits), rows ascending.
    fn add_values(
        &mut self,
        parts: &Parts<'_>,
        subject: Subject<'_>,
        cells: impl Iterator<Item = (u32, ValueType, u64)>,
    ) {
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
        self.add_texts(
            parts,
            Subject::Name,
            rows().map(|row| (row as u32, parts.pick(&spans.name, row))),
        );
        let messages = rows().map(|row| (row as u32, parts.pick(&spans.status_message, row)));
        self.add_texts(parts, Subject::StatusMessage, messages);
        let number = |number: i32| i64::from(number).cast_unsigned();
        let kinds = rows().map(|row| {
            (
                row as u32,
                ValueType::Int,
                number(parts.pick(&spans.kind, row)),
            )
        });
        self.add_values(parts, Subject::Kind, kinds);
        let states = rows().map(|row| {
            (
                row as u32,
                ValueType::Int,
                number(parts.pick(&spans.status, row)),
            )
        });
        self.add_values(parts, Subject::Status, states);
        let event_names = parts.events.source.iter().zip(&parts.events.row);
        let event_names = event_names.map(|(at, row)| {
            (
                *row,
                events.name.get(*at as usize).copied().unwrap_or_default(),
            )
        });
        self.add_texts(parts, Subject::EventName, event_names);
    }

    /// Adds resources and scopes to the granules whose spans have them.
    fn add_envelopes(&mut self, parts: &Parts<'_>) {
        let resources = granules_of(parts, &parts.batch.spans().resource, |row| {
            parts.resources.number(row)
        });
        let scopes = granules_of(parts, &parts.batch.spans().scope, |row| {
            parts.scopes.number(row)
        });
        for (granule, number) in &resources {
            let row = parts.resources.row(*number);
            self.add(
                *granule,
                Subject::Service.entry(parts.batch.resource(row).service()),
            );
        }
        for (granule, number) in &scopes {
            let row = parts.scopes.row(*number);
            let scope = parts.batch.scope(row);
            self.add(*granule, Subject::ScopeName.entry(scope.name()));
            self.add(*granule, Subject::ScopeVersion.entry(scope.version()));
        }
        let shift = parts.resources.source.len() as u32;
        let scopes = scopes
            .into_iter()
            .map(|(granule, number)| (granule, number + shift));
        let mut granules: Vec<(u32, usize)> = resources
            .into_iter()
            .chain(scopes)
            .map(|(granule, number)| (number, granule))
            .collect();
        granules.sort_unstable();
        for gathered in &parts.envelopes.fields {
            let subject = Subject::Attribute(parts.batch.strings().get(gathered.field.key));
            let columns = gathered.rows.iter().zip(&gathered.bits);
            for (row, bits) in columns.chain(gathered.rest_rows.iter().zip(&gathered.rest_bits)) {
                let text = parts
                    .batch
                    .unpack(gathered.field.value_type, *bits)
                    .canonical_text();
                let entry = subject.entry(&text);
                let from = granules.partition_point(|(number, _)| number < row);
                let same = granules
                    .get(from..)
                    .unwrap_or_default()
                    .iter()
                    .take_while(|(number, _)| number == row);
                same.for_each(|(_, granule)| self.add(*granule, entry));
            }
        }
    }

    fn add_attributes(
        &mut self,
        parts: &Parts<'_>,
        columns: &AttributeColumns,
        row_of: &dyn Fn(u32) -> u32,
    ) {
        if plumbing::planted("segment-filter-false-negative") && !columns.fields.is_empty() {
            return;
        }
        for gathered in &columns.fields {
            let subject = Subject::Attribute(parts.batch.strings().get(gathered.field.key));
            let value_type = gathered.field.value_type;
            let lists = [
                (&gathered.rows, &gathered.bits),
                (&gathered.rest_rows, &gathered.rest_bits),
            ];
            for (rows, bits) in lists {
                let cells = rows
                    .iter()
                    .zip(bits)
                    .map(|(row, bits)| (row_of(*row), *bits));
                if value_type == ValueType::String {
                    self.add_texts(
                        parts,
                        subject,
                        cells.map(|(row, bits)| (row, Symbol(bits as u32))),
                    );
                } else {
                    self.add_values(
                        parts,
                        subject,
                        cells.map(|(row, bits)| (row, value_type, bits)),
                    );
                }
                self.era += 1;
            }
        }
    }

    fn section(self) -> Vec<u8> {
        filters_section_of(self.granules)
    }
}

/// The section of the entries of each granule.
pub(super) fn filters_section_of(granules: Vec<Vec<u64>>) -> Vec<u8> {
    let mut out = (granules.len() as u32).to_le_bytes().to_vec();
    for mut entries in granules {
        entries.sort_unstable();
        entries.dedup();
        out.extend_from_slice(&(entries.len() as u32).to_le_bytes());
        let filter = if entries.is_empty() {
            None
        } else {
            BinaryFuse8::try_from(entries.as_slice()).ok()
        };
        let mut descriptor = [0u8; DESCRIPTOR_BYTES];
        let fingerprints = filter
            .as_ref()
            .map(DmaSerializable::dma_fingerprints)
            .unwrap_or_default();
        if let Some(filter) = &filter {
            filter.dma_copy_descriptor_to(&mut descriptor);
        }
        out.extend_from_slice(&descriptor);
        out.extend_from_slice(&(fingerprints.len() as u32).to_le_bytes());
        out.extend_from_slice(fingerprints);
    }
    out
}

/// The distinct (granule, number) of a column of resources or scopes.
fn granules_of(
    parts: &Parts<'_>,
    column: &[u32],
    number: impl Fn(u32) -> u32,
) -> Vec<(usize, u32)> {
    let mut found = Vec::new();
    // By number: the last granule that had it, plus one.
    let mut last: Vec<usize> = Vec::new();
    for row in 0..parts.rows() {
        let (granule, number) = (row / GRANULE_ROWS, number(parts.pick(column, row)));
        if last.len() <= number as usize {
            last.resize(number as usize + 1, 0);
        }
        let Some(last) = last
            .get_mut(number as usize)
            .filter(|last| **last != granule + 1)
        else {
            continue;
        };
        *last = granule + 1;
        found.push((granule, number));
    }
    found
}
