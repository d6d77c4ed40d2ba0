//! Attributes and child rows, put together again from columns.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows, fields and shapes are below 2^32"
)]

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use model::ValueType;
use model::batch::{Attributes, BatchBuilder, FieldOfShape, PackedValue, ShapeId, Symbol};

use super::SegmentError;
use super::column::Column;
use super::footer::{Footer, Shape};
use super::layout::{Home, REST_COLUMN, SHAPE_COLUMN, SHAPE_REST, take_rest};
use super::meta::FileKind;
use super::open::Segment;
use super::page::PageOpener;

/// No symbol.
const UNKNOWN: u32 = u32::MAX;

/// Texts of a column, each interned once for a batch that is being built.
#[derive(Debug)]
pub(crate) struct TextCells {
    column: Column,
    /// By place among the column's values: the symbol, once it is known. Empty for a few rows of a long dictionary.
    symbols: Vec<u32>,
}

/// So many values a row are too many to remember.
const VALUES_PER_ROW_MAX: usize = 4;

impl TextCells {
    pub(crate) fn new(column: Column) -> Self {
        let values = column.values().len();
        let is_worth_it = values <= column.len() * VALUES_PER_ROW_MAX;
        let symbols = vec![UNKNOWN; if is_worth_it { values } else { 0 }];
        Self { column, symbols }
    }

    /// The symbol of a row's text; `None` when it has none.
    #[inline]
    pub(crate) fn symbol(&mut self, row: usize, builder: &mut BatchBuilder) -> Option<Symbol> {
        let place = self.column.place(row)?;
        match self.symbols.get(place) {
            Some(known) if *known != UNKNOWN => return Some(Symbol(*known)),
            _ => {}
        }
        let bytes = self.column.values().bytes(place);
        let symbol = if self.column.shape == Shape::Uuid {
            builder.intern(&uuid_text(bytes))
        } else {
            builder.intern(bytes)
        };
        if let Some(slot) = self.symbols.get_mut(place) {
            *slot = symbol.0;
        }
        Some(symbol)
    }
}

/// A column of attributes.
#[derive(Debug)]
enum AttributeCells {
    Texts(TextCells),
    Others(Column),
}

/// Where the values of a shape's fields are.
#[derive(Debug)]
struct ShapeHomes {
    /// The field of the layout, its home, and its column.
    homes: Vec<(u32, Home, Option<usize>)>,
    /// The shape in the batch that is being built, once an owner of it has it.
    known: Option<ShapeId>,
}

/// The attributes of some rows of a row group: only the columns that their shapes need. For one batch.
#[derive(Debug)]
pub(crate) struct AttributeReader {
    footer: Arc<Footer>,
    shapes: Column,
    /// By shape that occurs.
    homes: BTreeMap<u64, ShapeHomes>,
    columns: Vec<AttributeCells>,
    rest: Option<Column>,
    bits: Vec<u64>,
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
        let (listed, has_rest) = listed_shapes(&shapes, footer);
        let mut columns = Vec::new();
        let mut column_of: BTreeMap<u32, usize> = BTreeMap::new();
        for (field, home) in listed.values().flatten() {
            let place = footer.field_columns.get(*field as usize).copied().flatten();
            if let (Home::Column(_), Some(place), false) =
                (home, place, column_of.contains_key(field))
            {
                let column =
                    segment.column((kind, footer), (group, place as usize), rows, opener)?;
                let about = footer.layout.fields.get(*field as usize);
                let is_text = about.is_some_and(|about| about.value_type == ValueType::String);
                column_of.insert(*field, columns.len());
                columns.push(if is_text {
                    AttributeCells::Texts(TextCells::new(column))
                } else {
                    AttributeCells::Others(column)
                });
            }
        }
        let rest = match footer.column(REST_COLUMN) {
            Some(place) if has_rest => {
                Some(segment.column((kind, footer), (group, place), rows, opener)?)
            }
            _ => None,
        };
        let homes = |fields: Vec<(u32, Home)>| ShapeHomes {
            homes: fields
                .into_iter()
                .map(|(field, home)| (field, home, column_of.get(&field).copied()))
                .collect(),
            known: None,
        };
        Ok(Self {
            footer: Arc::clone(footer),
            shapes,
            homes: listed
                .into_iter()
                .map(|(shape, fields)| (shape, homes(fields)))
                .collect(),
            columns,
            rest,
            bits: Vec::new(),
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
        if shape == SHAPE_REST {
            let mut cursor = builder.begin_attributes();
            while !rest.is_empty() {
                let (key, value) = take_rest(&mut rest)?;
                builder.push_attribute(&mut cursor, key, value);
            }
            return Some(builder.finish_attributes(cursor));
        }
        let of_shape = self.homes.get_mut(&shape)?;
        let fields = &self.footer.layout.fields;
        self.bits.clear();
        for (field, home, column) in &of_shape.homes {
            let about = fields.get(*field as usize)?;
            self.bits.push(match home {
                Home::Nowhere => 0,
                Home::Rest => {
                    let (key, value) = take_rest(&mut rest)?;
                    if key != about.key.as_bytes() || value.value_type() != about.value_type {
                        return None;
                    }
                    builder.pack(value)
                }
                Home::Column(_) => match self.columns.get_mut((*column)?)? {
                    AttributeCells::Texts(texts) => texts.symbol(row, builder)?.0.into(),
                    AttributeCells::Others(cells) => {
                        builder.pack(value_at(cells, row, about.value_type)?)
                    }
                },
            });
        }
        if !rest.is_empty() {
            return None;
        }
        if let Some(known) = of_shape.known {
            return Some(builder.push_values(known, &self.bits));
        }
        let mut cursor = builder.begin_attributes();
        for ((field, ..), bits) in of_shape.homes.iter().zip(&self.bits) {
            let about = fields.get(*field as usize)?;
            let field = FieldOfShape {
                key: builder.intern(about.key.as_bytes()),
                value_type: about.value_type,
            };
            builder.push_packed(&mut cursor, field, *bits);
        }
        let attributes = builder.finish_attributes(cursor);
        of_shape.known = Some(attributes.shape);
        Some(attributes)
    }
}

/// The shapes that occur with their fields, and whether something is in the rest.
fn listed_shapes(shapes: &Column, footer: &Footer) -> (BTreeMap<u64, Vec<(u32, Home)>>, bool) {
    let mut listed: BTreeMap<u64, Vec<(u32, Home)>> = BTreeMap::new();
    let mut has_rest = false;
    let mut last = None;
    for shape in (0..shapes.len()).filter_map(|row| shapes.number(row)) {
        if last == Some(shape) || listed.contains_key(&shape) {
            continue;
        }
        last = Some(shape);
        has_rest |= shape == SHAPE_REST;
        if let Some(fields) = footer.layout.homes(shape) {
            has_rest |= fields.iter().any(|(_, home)| *home == Home::Rest);
            listed.insert(shape, fields);
        }
    }
    (listed, has_rest)
}

/// The value of a row's cell that is no text.
fn value_at(column: &Column, row: usize, value_type: ValueType) -> Option<PackedValue<'_>> {
    let place = column.place(row)?;
    Some(match value_type {
        ValueType::Empty | ValueType::String => return None,
        ValueType::Bool => PackedValue::Bool(column.values().number(place) != 0),
        ValueType::Int => PackedValue::Int(column.values().number(place).cast_signed()),
        ValueType::Double => PackedValue::Double(f64::from_bits(column.values().number(place))),
        ValueType::Array => PackedValue::Array(column.values().bytes(place)),
        ValueType::Map => PackedValue::Map(column.values().bytes(place)),
        ValueType::Bytes => PackedValue::Bytes(column.values().bytes(place)),
    })
}

/// The usual form of a UUID.
pub(crate) fn uuid_text(id: &[u8]) -> [u8; 36] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut digits = text
        .iter_mut()
        .enumerate()
        .filter(|(place, _)| !matches!(place, 8 | 13 | 18 | 23))
        .map(|(_, digit)| digit);
    for byte in id {
        for half in [byte >> 4, byte & 15] {
            if let Some(digit) = digits.next() {
                *digit = DIGITS.get(usize::from(half)).copied().unwrap_or_default();
            }
        }
    }
    text
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
