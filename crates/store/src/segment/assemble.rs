//! Attributes and child rows, put together again from columns.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows, fields and shapes are below 2^32"
)]

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use model::ValueType;
use model::batch::{Attributes, BatchBuilder, PackedValue};

use super::SegmentError;
use super::column::Column;
use super::footer::{Footer, Shape};
use super::layout::{Home, REST_COLUMN, SHAPE_COLUMN, SHAPE_REST, take_rest};
use super::meta::FileKind;
use super::open::Segment;
use super::page::PageOpener;

/// The attributes of some rows of a row group: only the columns that their shapes need.
#[derive(Debug)]
pub(crate) struct AttributeReader {
    footer: Arc<Footer>,
    shapes: Column,
    /// By shape that occurs: its fields and where their values are.
    homes: BTreeMap<u64, Vec<(u32, Home)>>,
    /// By field of the layout.
    columns: BTreeMap<u32, Column>,
    rest: Option<Column>,
    text: Vec<u8>,
}

impl AttributeReader {
    pub(crate) fn read(
        segment: &Segment,
        (kind, footer): (FileKind, &Arc<Footer>),
        (group, rows): (usize, &Range<usize>),
        opener: &mut PageOpener,
    ) -> Result<Self, SegmentError> {
        let path = segment.path(kind);
        let missing =
            |name: &str| SegmentError::corrupt(&path, format!("it has no column \"{name}\""));
        let place = footer
            .column(SHAPE_COLUMN)
            .ok_or_else(|| missing(SHAPE_COLUMN))?;
        let shapes = segment.column((kind, footer), (group, place), rows, opener)?;
        let mut homes: BTreeMap<u64, Vec<(u32, Home)>> = BTreeMap::new();
        let mut has_rest = false;
        let mut last = None;
        for shape in (0..shapes.len()).filter_map(|row| shapes.number(row)) {
            if last == Some(shape) || homes.contains_key(&shape) {
                continue;
            }
            last = Some(shape);
            has_rest |= shape == SHAPE_REST;
            if let Some(fields) = footer.layout.homes(shape) {
                has_rest |= fields.iter().any(|(_, home)| *home == Home::Rest);
                homes.insert(shape, fields);
            }
        }
        let mut columns = BTreeMap::new();
        for (field, home) in homes.values().flatten() {
            let place = footer.field_columns.get(*field as usize).copied().flatten();
            if let (Home::Column(_), Some(place), false) =
                (home, place, columns.contains_key(field))
            {
                columns.insert(
                    *field,
                    segment.column((kind, footer), (group, place as usize), rows, opener)?,
                );
            }
        }
        let rest = match footer.column(REST_COLUMN) {
            Some(place) if has_rest => {
                Some(segment.column((kind, footer), (group, place), rows, opener)?)
            }
            _ => None,
        };
        Ok(Self {
            footer: Arc::clone(footer),
            shapes,
            homes,
            columns,
            rest,
            text: Vec::new(),
        })
    }

    /// Writes the attributes of a row into a batch; `None` when the columns contradict each other.
    pub(crate) fn put(&mut self, row: usize, builder: &mut BatchBuilder) -> Option<Attributes> {
        let shape = self.shapes.number(row)?;
        let mut rest = self
            .rest
            .as_ref()
            .and_then(|rest| rest.bytes(row))
            .unwrap_or_default();
        let mut cursor = builder.begin_attributes();
        if shape == SHAPE_REST {
            while !rest.is_empty() {
                let (key, value) = take_rest(&mut rest)?;
                builder.push_attribute(&mut cursor, key, value);
            }
            return Some(builder.finish_attributes(cursor));
        }
        for (field, home) in self.homes.get(&shape)? {
            let about = self.footer.layout.fields.get(*field as usize)?;
            let value = match home {
                Home::Nowhere => PackedValue::Empty,
                Home::Rest => {
                    let (key, value) = take_rest(&mut rest)?;
                    if key != about.key.as_bytes() || value.value_type() != about.value_type {
                        return None;
                    }
                    value
                }
                Home::Column(_) => value_at(
                    self.columns.get(field)?,
                    row,
                    about.value_type,
                    &mut self.text,
                )?,
            };
            builder.push_attribute(&mut cursor, about.key.as_bytes(), value);
        }
        rest.is_empty().then(|| builder.finish_attributes(cursor))
    }
}

/// The value of a row's cell; `text` holds it when its bytes are not those of the cell.
pub(crate) fn value_at<'a>(
    column: &'a Column,
    row: usize,
    value_type: ValueType,
    text: &'a mut Vec<u8>,
) -> Option<PackedValue<'a>> {
    let place = column.place(row)?;
    Some(match value_type {
        ValueType::Empty => return None,
        ValueType::Bool => PackedValue::Bool(column.values().number(place) != 0),
        ValueType::Int => PackedValue::Int(column.values().number(place).cast_signed()),
        ValueType::Double => PackedValue::Double(f64::from_bits(column.values().number(place))),
        ValueType::String if column.shape == Shape::Uuid => {
            uuid_text(column.values().bytes(place), text);
            PackedValue::String(text)
        }
        ValueType::String => PackedValue::String(column.values().bytes(place)),
        ValueType::Array => PackedValue::Array(column.values().bytes(place)),
        ValueType::Map => PackedValue::Map(column.values().bytes(place)),
        ValueType::Bytes => PackedValue::Bytes(column.values().bytes(place)),
    })
}

/// The usual form of a UUID.
pub(crate) fn uuid_text(id: &[u8], text: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    text.clear();
    for (place, byte) in id.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push(b'-');
        }
        let digits = [byte >> 4, byte & 15]
            .map(|half| DIGITS.get(usize::from(half)).copied().unwrap_or_default());
        text.extend_from_slice(&digits);
    }
}

/// The rows of events or links whose spans are in a range of the segment's rows, in one row group of their file, and
/// the rows of those spans.
pub(crate) fn child_rows(
    segment: &Segment,
    of: (FileKind, &Footer),
    group: usize,
    spans: &Range<usize>,
    opener: &mut PageOpener,
) -> Result<(Range<usize>, Vec<u32>), SegmentError> {
    let all = segment.child_rows(of, group, opener)?;
    let first = all.partition_point(|row| (*row as usize) < spans.start);
    let behind = all
        .partition_point(|row| (*row as usize) < spans.end)
        .max(first);
    let rows = all.get(first..behind).unwrap_or_default().to_vec();
    Ok((first..behind, rows))
}
