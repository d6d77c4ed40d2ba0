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
use model::batch::{Attribute, Symbol};
use xorf::{BinaryFuse8, DmaSerializable};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::GRANULE_ROWS;
use super::filters::{AS_BEFORE, DESCRIPTOR_BYTES, Subject};
use crate::segment::attributes::AttributeColumns;
use crate::segment::parts::Parts;

/// Granules with more entries a row than this share filters: where hardly a value comes twice, filters cost more than
/// all columns but a few, and a search that one of them calls for looks at more rows instead.
const SHARED_ABOVE_ENTRIES_PER_ROW: usize = 3;
/// Granules that share a filter.
const SHARING: usize = 16;

/// Collects entries, granule by granule; the filter of a granule that is full is built at once.
#[derive(Debug, Default)]
pub(super) struct Entries {
    filters: FiltersBuilder,
    /// Granules that were handed on.
    full: usize,
    /// From there on.
    granules: Vec<Vec<u64>>,
    /// The rows of the row groups before.
    base: usize,
    /// By symbol of the batch: the last granule of the last subject that had it.
    seen: Vec<u32>,
    era: u32,
    seen_bits: HashSet<u64, RandomState>,
}

impl Entries {
    /// Adds a row group, whose first row is `base`.
    pub(super) fn add(&mut self, parts: &Parts<'_>, base: usize) {
        self.base = base;
        let end = base + parts.rows();
        self.granules
            .resize(end.div_ceil(GRANULE_ROWS) - self.full, Vec::new());
        self.seen.clear();
        self.seen.resize(parts.batch.strings().len(), 0);
        self.era = 0;
        self.add_fields(parts);
        self.add_envelopes(parts);
        let own = |row: u32| row;
        self.add_attributes(parts, &parts.spans, &own);
        let of_event = |at: u32| parts.events.span_of(at);
        self.add_attributes(parts, &parts.events.attributes, &of_event);
        let of_link = |at: u32| parts.links.span_of(at);
        self.add_attributes(parts, &parts.links.attributes, &of_link);
        while (self.full + 1) * GRANULE_ROWS <= end && !self.granules.is_empty() {
            self.filters.add(self.granules.remove(0), GRANULE_ROWS);
            self.full += 1;
        }
    }

    fn granule_of(&self, row: u32) -> usize {
        (self.base + row as usize) / GRANULE_ROWS
    }

    fn add_entry(&mut self, granule: usize, entry: u64) {
        let entries = granule
            .checked_sub(self.full)
            .and_then(|at| self.granules.get_mut(at));
        if let Some(entries) = entries {
            entries.push(entry);
        }
    }

    /// Adds texts by (row of the group, symbol), rows ascending.
    fn add_texts(
        &mut self,
        parts: &Parts<'_>,
        subject: Subject<'_>,
        cells: impl Iterator<Item = (u32, Symbol)>,
    ) {
        let seed = subject.seed();
        let mut granule = usize::MAX;
        for (row, symbol) in cells {
            let at = self.granule_of(row);
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
            self.add_entry(
                granule,
                xxh3_64_with_seed(parts.batch.strings().get_bytes(symbol), seed),
            );
        }
    }

    /// Adds other values by (row of the group, bits), rows ascending.
    fn add_values(
        &mut self,
        parts: &Parts<'_>,
        subject: Subject<'_>,
        cells: impl Iterator<Item = (u32, ValueType, u64)>,
    ) {
        let seed = subject.seed();
        let mut granule = usize::MAX;
        for (row, value_type, bits) in cells {
            let at = self.granule_of(row);
            if at != granule {
                granule = at;
                self.seen_bits.clear();
            }
            if self.seen_bits.insert(bits) {
                let text = parts.batch.unpack(value_type, bits).canonical_text();
                self.add_entry(granule, xxh3_64_with_seed(text.as_bytes(), seed));
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
        let (batch, spans) = (parts.batch, parts.batch.spans());
        for (granule, row) in self.granules_of(parts, &spans.resource) {
            let resource = batch.resource(row);
            self.add_entry(granule, Subject::Service.entry(resource.service()));
            self.add_owner(granule, resource.attributes());
        }
        for (granule, row) in self.granules_of(parts, &spans.scope) {
            let scope = batch.scope(row);
            self.add_entry(granule, Subject::ScopeName.entry(scope.name()));
            self.add_entry(granule, Subject::ScopeVersion.entry(scope.version()));
            self.add_owner(granule, scope.attributes());
        }
    }

    fn add_owner<'a>(&mut self, granule: usize, owned: impl Iterator<Item = Attribute<'a>>) {
        for attribute in owned {
            let entry = Subject::Attribute(attribute.key).entry(&attribute.value.canonical_text());
            self.add_entry(granule, entry);
        }
    }

    /// The distinct (granule, row in the batch) of a column of resources or scopes.
    fn granules_of(&self, parts: &Parts<'_>, column: &[u32]) -> Vec<(usize, u32)> {
        let mut found = Vec::new();
        // By row in the batch: the last granule that had it, plus one.
        let mut last: Vec<usize> = Vec::new();
        for row in 0..parts.rows() {
            let (granule, owner) = (self.granule_of(row as u32), parts.pick(column, row));
            if last.len() <= owner as usize {
                last.resize(owner as usize + 1, 0);
            }
            let last = last.get_mut(owner as usize);
            let Some(last) = last.filter(|last| **last != granule + 1) else {
                continue;
            };
            *last = granule + 1;
            found.push((granule, owner));
        }
        found
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

    /// The section of all row groups, which have so many rows.
    pub(super) fn section(mut self, rows: usize) -> Vec<u8> {
        let count = (self.full + self.granules.len()) as u32;
        for entries in self.granules {
            let rows = (rows - self.full * GRANULE_ROWS).min(GRANULE_ROWS);
            self.filters.add(entries, rows);
            self.full += 1;
        }
        self.filters.flush();
        let mut out = count.to_le_bytes().to_vec();
        out.append(&mut self.filters.built);
        out
    }
}

/// Builds the filters of granules.
#[derive(Debug, Default)]
struct FiltersBuilder {
    built: Vec<u8>,
    /// Entries of granules that will share a filter.
    shared: Vec<u64>,
    sharing: usize,
}

impl FiltersBuilder {
    fn add(&mut self, mut entries: Vec<u64>, rows: usize) {
        entries.sort_unstable();
        entries.dedup();
        if self.sharing == 0 && entries.len() <= rows * SHARED_ABOVE_ENTRIES_PER_ROW {
            put_filter(entries, &mut self.built);
            return;
        }
        self.shared.append(&mut entries);
        self.sharing += 1;
        if self.sharing == SHARING {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.sharing == 0 {
            return;
        }
        put_filter(std::mem::take(&mut self.shared), &mut self.built);
        for _ in 1..std::mem::take(&mut self.sharing) {
            self.built.extend_from_slice(&AS_BEFORE.to_le_bytes());
        }
    }
}

/// The filter of a granule's entries.
pub(super) fn put_filter(mut entries: Vec<u64>, out: &mut Vec<u8>) {
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
