//! The values of an attribute's key in a segment: the dictionaries of its columns, and the first rows of columns that
//! have none.

use model::batch::AttrValue;
use model::{Place, ValueType};

use super::SegmentError;
use super::assemble::uuid_text;
use super::column::Values;
use super::footer::{Footer, Shape};
use super::layout::REST_COLUMN;
use super::meta::FileKind;
use super::open::Segment;
use super::page::PageOpener;
use super::plan::stands_at;
use crate::index::OwnerKind;
use crate::read::with_text;

/// So many rows of a row group are looked at where values hardly repeat.
const SAMPLE_ROWS: usize = 4_096;

/// A column of attribute values.
struct ValueColumn {
    place: usize,
    shape: Shape,
    value_type: ValueType,
}

impl Segment {
    /// Gives values of a key as text, some of them more than once. True: there are no others.
    pub(crate) fn values_of(
        &self,
        place: Place,
        key: &str,
        give: &mut dyn FnMut(&str),
    ) -> Result<bool, SegmentError> {
        let keys = self.keys()?;
        let has = |owner: &OwnerKind| {
            let is_here = keys
                .keys
                .iter()
                .any(|facts| facts.owner == *owner && facts.key == key);
            stands_at(*owner, place) && (is_here || !keys.is_complete)
        };
        let mut is_all = true;
        for owner in OwnerKind::ALL.iter().filter(|owner| has(owner)) {
            let kind = match owner {
                OwnerKind::Span => FileKind::Spans,
                OwnerKind::Event => FileKind::Events,
                OwnerKind::Link => FileKind::Links,
                OwnerKind::Resource | OwnerKind::Scope => {
                    self.envelope_values(*owner, key, give)?;
                    continue;
                }
            };
            if let Some(footer) = self.footer(kind)? {
                is_all &= self.column_values((kind, &footer), key, give)?;
            }
        }
        Ok(is_all)
    }

    fn envelope_values(
        &self,
        owner: OwnerKind,
        key: &str,
        give: &mut dyn FnMut(&str),
    ) -> Result<(), SegmentError> {
        let envelopes = self.resources()?;
        let rows = |count: usize| 0..u32::try_from(count).unwrap_or(u32::MAX);
        let mut take = |attribute: model::batch::Attribute<'_>| {
            if attribute.key == key {
                with_text(attribute.value, give);
            }
        };
        if owner == OwnerKind::Resource {
            for row in rows(envelopes.resources().len()) {
                envelopes.resource(row).attributes().for_each(&mut take);
            }
        } else {
            for row in rows(envelopes.scopes().len()) {
                envelopes.scope(row).attributes().for_each(&mut take);
            }
        }
        Ok(())
    }

    fn column_values(
        &self,
        (kind, footer): (FileKind, &Footer),
        key: &str,
        give: &mut dyn FnMut(&str),
    ) -> Result<bool, SegmentError> {
        // What has no column of its own is not looked for.
        let mut is_all = footer.column(REST_COLUMN).is_none();
        let mut opener = PageOpener::new();
        for (at, field) in footer.layout.fields.iter().enumerate() {
            let place = footer.field_columns.get(at).copied().flatten();
            let Some(place) = place.filter(|_| field.key == key) else {
                continue;
            };
            let Some(info) = footer.columns.get(place as usize) else {
                continue;
            };
            let column = ValueColumn {
                place: place as usize,
                shape: info.shape,
                value_type: field.value_type,
            };
            for group in 0..footer.groups.len() {
                is_all &= self.group_values((kind, footer), (group, &column), &mut opener, give)?;
            }
        }
        Ok(is_all)
    }

    fn group_values(
        &self,
        of: (FileKind, &Footer),
        (group, column): (usize, &ValueColumn),
        opener: &mut PageOpener,
        give: &mut dyn FnMut(&str),
    ) -> Result<bool, SegmentError> {
        let place = (group, column.place);
        if let Some(values) = self.dictionary(of, place, opener)? {
            (0..values.len()).for_each(|at| give_value(&values, at, column, give));
            return Ok(true);
        }
        let rows = of.1.groups.get(group).map_or(0, |group| group.rows.len());
        let sample = 0..rows.min(SAMPLE_ROWS);
        let is_all = sample.len() == rows;
        let cells = self.column(of, place, &sample, opener)?;
        for row in sample {
            match column.shape {
                Shape::Bytes16 | Shape::Uuid | Shape::Long => {
                    if let Some(bytes) = cells.bytes(row) {
                        give_bytes(bytes, column, give);
                    }
                }
                _ => {
                    if let Some(number) = cells.number(row) {
                        give_number(number, column, give);
                    }
                }
            }
        }
        Ok(is_all)
    }
}

fn give_value(values: &Values, at: usize, column: &ValueColumn, give: &mut dyn FnMut(&str)) {
    match values {
        Values::Numbers(_) => give_number(values.number(at), column, give),
        Values::Bytes { .. } => give_bytes(values.bytes(at), column, give),
    }
}

fn give_number(number: u64, column: &ValueColumn, give: &mut dyn FnMut(&str)) {
    let value = match column.value_type {
        ValueType::Int => AttrValue::Int(number.cast_signed()),
        ValueType::Double => AttrValue::Double(f64::from_bits(number)),
        ValueType::Bool => AttrValue::Bool(number != 0),
        _ => return,
    };
    with_text(value, give);
}

fn give_bytes(bytes: &[u8], column: &ValueColumn, give: &mut dyn FnMut(&str)) {
    if column.value_type != ValueType::String {
        return;
    }
    let uuid = (column.shape == Shape::Uuid).then(|| uuid_text(bytes));
    let text = std::str::from_utf8(uuid.as_ref().map_or(bytes, |text| text.as_slice()));
    // Texts are checked when they are taken in.
    give(text.unwrap_or_default());
}
