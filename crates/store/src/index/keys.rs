//! The section `KEYS`: which keys there are, where, of which type, how often, between which bounds.
//!
//! At most [`KEYS_MAX`] keys, the most frequent; a flag says whether that is all. By place, key, type. Bytes: 1 when it
//! is all, number of keys, number of granules (varints); per key place and type (1 byte each), length of the key
//! (varint), the key, rows (varint), the presence bits of granules, and for ints and doubles the lowest and highest
//! value (8 bytes each, ints as they are, doubles' bits; NaNs are left out, and without a number the low bound is above
//! the high one).

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows, keys and granules of a segment are far below 2^32"
)]

use std::cmp::Reverse;
use std::collections::BTreeMap;

use model::ValueType;
use model::batch::StringTable;

use super::{GRANULE_ROWS, OwnerKind};
use crate::segment::attributes::{AttributeColumns, Gathered};
use crate::segment::decode::take_varint;
use crate::segment::encode::put_varint;
use crate::segment::parts::{Envelopes, Parts};

/// Keys that are listed.
pub(crate) const KEYS_MAX: usize = 4_096;

/// A key with a type at a place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeyFacts {
    pub owner: OwnerKind,
    pub key: String,
    pub value_type: ValueType,
    /// Values, counted by owner: spans, events, links, resources, scopes.
    pub count: u64,
    /// By granule: whether a span there has it, be it through its resource or its events.
    pub granules: Vec<u8>,
    pub bounds: Option<Bounds>,
}

/// The lowest and highest value of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bounds {
    Int(i64, i64),
    Double(f64, f64),
}

/// The keys of a segment.
#[derive(Debug, Default)]
pub(crate) struct KeyList {
    /// Whether there are no others.
    pub is_complete: bool,
    pub keys: Vec<KeyFacts>,
}

impl KeyFacts {
    fn set_granule(&mut self, granule: usize) {
        if self.granules.len() <= granule / 8 {
            self.granules.resize(granule / 8 + 1, 0);
        }
        if let Some(byte) = self.granules.get_mut(granule / 8) {
            *byte |= 1 << (granule % 8);
        }
    }

    pub(crate) fn is_in(&self, granule: usize) -> bool {
        self.granules
            .get(granule / 8)
            .is_some_and(|byte| byte >> (granule % 8) & 1 == 1)
    }
}

/// Collects the keys of a segment, row group by row group.
#[derive(Debug, Default)]
pub(super) struct KeysBuilder {
    keys: BTreeMap<KeyName, KeyFacts>,
    /// Some were dropped.
    is_cut: bool,
}

/// The order of the section.
type KeyName = (OwnerKind, String, ValueType);

impl KeysBuilder {
    /// Adds a row group, whose first row is `base`.
    pub(super) fn add(&mut self, parts: &Parts<'_>, base: usize) {
        let strings = parts.batch.strings();
        let own = |row: u32| base + row as usize;
        let of_event = |at: u32| base + parts.events.span_of(at) as usize;
        let of_link = |at: u32| base + parts.links.span_of(at) as usize;
        let (events, links) = (&parts.events.attributes, &parts.links.attributes);
        self.collect(strings, &parts.spans, OwnerKind::Span, &own);
        self.collect(strings, events, OwnerKind::Event, &of_event);
        self.collect(strings, links, OwnerKind::Link, &of_link);
        // Not at once: a key that is rare here may be frequent later.
        if self.keys.len() > 4 * KEYS_MAX {
            self.cut(2 * KEYS_MAX);
        }
    }

    /// Adds the facts of a file's fields. `span_row` gives the segment's row of an owner.
    fn collect(
        &mut self,
        strings: &StringTable,
        columns: &AttributeColumns,
        owner: OwnerKind,
        span_row: &dyn Fn(u32) -> usize,
    ) {
        for gathered in &columns.fields {
            let facts = self.facts(owner, strings, gathered);
            for (row, bits) in gathered.values() {
                facts.count += 1;
                facts.bounds = facts.bounds.map(|bounds| bounds.with(bits));
                facts.set_granule(span_row(row) / GRANULE_ROWS);
            }
        }
    }

    fn facts(
        &mut self,
        owner: OwnerKind,
        strings: &StringTable,
        gathered: &Gathered,
    ) -> &mut KeyFacts {
        let (key, value_type) = (strings.get(gathered.field.key), gathered.field.value_type);
        let made = || KeyFacts {
            owner,
            key: key.to_owned(),
            value_type,
            count: 0,
            granules: Vec::new(),
            bounds: Bounds::of_nothing(value_type),
        };
        let name = (owner, key.to_owned(), value_type);
        self.keys.entry(name).or_insert_with(made)
    }

    /// Keeps the most frequent ones.
    fn cut(&mut self, max: usize) {
        if self.keys.len() <= max {
            return;
        }
        self.is_cut = true;
        let mut keys: Vec<(KeyName, KeyFacts)> =
            std::mem::take(&mut self.keys).into_iter().collect();
        keys.sort_by(|(a, a_facts), (b, b_facts)| {
            let rank = |name: &KeyName, facts: &KeyFacts| (Reverse(facts.count), name.0, name.2);
            let by_count = rank(a, a_facts).cmp(&rank(b, b_facts));
            by_count.then_with(|| a.1.cmp(&b.1))
        });
        keys.truncate(max);
        self.keys = keys.into_iter().collect();
    }

    /// The section of all row groups. Resources and scopes are taken to be in every granule.
    pub(super) fn section(mut self, envelopes: &Envelopes, rows: usize) -> Vec<u8> {
        let granules = rows.div_ceil(GRANULE_ROWS);
        let resources = envelopes.batch.resources().len();
        for gathered in &envelopes.attributes.fields {
            for (row, bits) in gathered.values() {
                let owner = if (row as usize) < resources {
                    OwnerKind::Resource
                } else {
                    OwnerKind::Scope
                };
                let facts = self.facts(owner, envelopes.batch.strings(), gathered);
                facts.count += 1;
                facts.bounds = facts.bounds.map(|bounds| bounds.with(bits));
                facts.granules.resize(granules.div_ceil(8), 0xff);
            }
        }
        self.cut(KEYS_MAX);
        let mut keys: Vec<KeyFacts> = self.keys.into_values().collect();
        for facts in &mut keys {
            facts.granules.resize(granules.div_ceil(8), 0);
        }
        let list = KeyList {
            is_complete: !self.is_cut,
            keys,
        };
        list.section(granules)
    }
}

impl Bounds {
    fn of_nothing(value_type: ValueType) -> Option<Self> {
        match value_type {
            ValueType::Int => Some(Self::Int(i64::MAX, i64::MIN)),
            ValueType::Double => Some(Self::Double(f64::INFINITY, f64::NEG_INFINITY)),
            _ => None,
        }
    }

    fn with(self, bits: u64) -> Self {
        match self {
            Self::Int(low, high) => {
                Self::Int(low.min(bits.cast_signed()), high.max(bits.cast_signed()))
            }
            Self::Double(low, high) => {
                let value = f64::from_bits(bits);
                if value.is_nan() {
                    return self;
                }
                // In total order: whichever zero came first, the bounds have the same bits.
                let lowest = if value.total_cmp(&low).is_lt() {
                    value
                } else {
                    low
                };
                let highest = if value.total_cmp(&high).is_gt() {
                    value
                } else {
                    high
                };
                Self::Double(lowest, highest)
            }
        }
    }

    fn to_bits(self) -> (u64, u64) {
        match self {
            Self::Int(low, high) => (low.cast_unsigned(), high.cast_unsigned()),
            Self::Double(low, high) => (low.to_bits(), high.to_bits()),
        }
    }
}

impl KeyList {
    fn section(&self, granules: usize) -> Vec<u8> {
        let mut out = vec![u8::from(self.is_complete)];
        put_varint(self.keys.len() as u64, &mut out);
        put_varint(granules as u64, &mut out);
        for facts in &self.keys {
            out.extend_from_slice(&[facts.owner as u8, facts.value_type as u8]);
            put_varint(facts.key.len() as u64, &mut out);
            out.extend_from_slice(facts.key.as_bytes());
            put_varint(facts.count, &mut out);
            out.extend_from_slice(&facts.granules);
            if let Some(bounds) = facts.bounds {
                let (low, high) = bounds.to_bits();
                out.extend_from_slice(&low.to_le_bytes());
                out.extend_from_slice(&high.to_le_bytes());
            }
        }
        out
    }

    /// The keys of a section; `None` when it makes no sense.
    pub(crate) fn parse(mut section: &[u8]) -> Option<Self> {
        let (is_complete, rest) = section.split_first()?;
        section = rest;
        let count = take_varint(&mut section)?;
        let granules = usize::try_from(take_varint(&mut section)?).ok()?;
        let mut keys = Vec::new();
        for _ in 0..count {
            let (head, rest) = section.split_first_chunk::<2>()?;
            section = rest;
            let [owner, value_type] = *head;
            let length = usize::try_from(take_varint(&mut section)?).ok()?;
            let (key, rest) = section.split_at_checked(length)?;
            section = rest;
            let count = take_varint(&mut section)?;
            let (bits, rest) = section.split_at_checked(granules.div_ceil(8))?;
            section = rest;
            let value_type = ValueType::from_number(value_type)?;
            let bounds = match Bounds::of_nothing(value_type) {
                None => None,
                Some(form) => {
                    let (low, rest) = section.split_first_chunk::<8>()?;
                    let (high, rest) = rest.split_first_chunk::<8>()?;
                    section = rest;
                    let (low, high) = (u64::from_le_bytes(*low), u64::from_le_bytes(*high));
                    Some(match form {
                        Bounds::Int(..) => Bounds::Int(low.cast_signed(), high.cast_signed()),
                        Bounds::Double(..) => {
                            Bounds::Double(f64::from_bits(low), f64::from_bits(high))
                        }
                    })
                }
            };
            keys.push(KeyFacts {
                owner: OwnerKind::from_number(owner)?,
                key: String::from_utf8(key.to_vec()).ok()?,
                value_type,
                count,
                granules: bits.to_vec(),
                bounds,
            });
        }
        section.is_empty().then_some(Self {
            is_complete: *is_complete != 0,
            keys,
        })
    }

    /// Memory held, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        self.keys
            .iter()
            .map(|facts| facts.key.capacity() + facts.granules.capacity() + size_of::<KeyFacts>())
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_have_the_same_bits_in_whatever_order_values_come() {
        let values = [0.0f64, -0.0, f64::NAN, -f64::NAN];
        let of = |values: &mut dyn Iterator<Item = f64>| {
            let none = Bounds::of_nothing(ValueType::Double).unwrap();
            values
                .fold(none, |bounds, value| bounds.with(value.to_bits()))
                .to_bits()
        };
        let wanted = ((-0.0f64).to_bits(), 0.0f64.to_bits());
        assert_eq!(of(&mut values.into_iter()), wanted);
        assert_eq!(of(&mut values.into_iter().rev()), wanted);
        let nothing = of(&mut [f64::NAN].into_iter());
        assert_eq!(
            nothing,
            (f64::INFINITY.to_bits(), f64::NEG_INFINITY.to_bits())
        );
    }
}
