//! How the attributes of a file's rows lie in its columns, and the part of the footer that says so.
//!
//! The identity of an attribute is its key and type. Each row has a *shape*, the ordered list of its keys and types,
//! numbered in the file: 0 is none, 1 is "all in the rest", from 2 on the footer's list. The value of a shape's field
//! is in the column of its key and type if there is one and this is the first such field of the shape; a field
//! without value has none anywhere; all others are in `attrs_rest`, in their order, as an OTLP `KeyValueList`.
//!
//! Promises: order, repeated keys, types and every byte of a value come back; the sidecar is not needed for it.
//! Refuses: footers that name columns or fields that are not there.

#![allow(
    clippy::cast_possible_truncation,
    reason = "fields and shapes of a file are below 2^32"
)]

use model::ValueType;
use model::batch::PackedValue;
use serde::{Deserialize, Serialize};

use super::decode::take_varint;
use super::encode::put_varint;

/// The footer's key of the layout.
pub(crate) const LAYOUT_NOTE: &str = "trackway.attributes";
/// The shape of rows without attributes.
pub(crate) const SHAPE_NONE: u64 = 0;
/// The shape of rows whose attributes are all in the rest.
pub(crate) const SHAPE_REST: u64 = 1;
/// The number of the first shape of the footer's list.
pub(crate) const SHAPE_LISTED: u64 = 2;
/// The column of shapes.
pub(crate) const SHAPE_COLUMN: &str = "shape";
/// The column of what has no column of its own.
pub(crate) const REST_COLUMN: &str = "attrs_rest";

/// A key and type that occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Field {
    pub key: String,
    #[serde(rename = "type", with = "type_name")]
    pub value_type: ValueType,
    /// The column that holds its values; none for values without value, and for keys beyond the most frequent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

/// Where the value of one place of a shape is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// In the column of this field.
    Column(u32),
    /// In the rest.
    Rest,
    /// Nowhere: the type says it all.
    Nowhere,
}

/// The layout of a file's attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Layout {
    pub fields: Vec<Field>,
    /// Shapes as lists of indexes of fields.
    pub shapes: Vec<Vec<u32>>,
}

impl Layout {
    /// The layout that a footer holds; `None` when it makes no sense.
    pub(crate) fn parse(note: &str) -> Option<Self> {
        let layout: Self = serde_json::from_str(note).ok()?;
        let is_whole = layout
            .shapes
            .iter()
            .flatten()
            .all(|field| (*field as usize) < layout.fields.len());
        is_whole.then_some(layout)
    }

    pub(crate) fn to_note(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// The fields of a shape with where their values are; `None` for [`SHAPE_REST`] and numbers that are not there.
    pub(crate) fn homes(&self, shape: u64) -> Option<Vec<(u32, Home)>> {
        let Some(listed) = shape.checked_sub(SHAPE_LISTED) else {
            return (shape == SHAPE_NONE).then(Vec::new);
        };
        let fields = self.shapes.get(usize::try_from(listed).ok()?)?;
        let home = |at: usize, field: u32| {
            let is_first = !fields.iter().take(at).any(|other| *other == field);
            match self.fields.get(field as usize) {
                Some(Field {
                    value_type: ValueType::Empty,
                    ..
                }) => Home::Nowhere,
                Some(Field {
                    column: Some(_), ..
                }) if is_first => Home::Column(field),
                _ => Home::Rest,
            }
        };
        Some(
            fields
                .iter()
                .enumerate()
                .map(|(at, field)| (*field, home(at, *field)))
                .collect(),
        )
    }
}

/// The name of a type in column names and footers.
pub(crate) fn type_name(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Empty => "empty",
        ValueType::String => "string",
        ValueType::Bool => "bool",
        ValueType::Int => "int",
        ValueType::Double => "double",
        ValueType::Array => "array",
        ValueType::Map => "map",
        ValueType::Bytes => "bytes",
    }
}

mod type_name {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::ValueType;

    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "the form that serde calls"
    )]
    pub(super) fn serialize<S: Serializer>(
        value_type: &ValueType,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(super::type_name(*value_type))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<ValueType, D::Error> {
        let name = String::deserialize(deserializer)?;
        let all = (0..=7).filter_map(ValueType::from_number);
        let mut named = all.filter(|value_type| super::type_name(*value_type) == name);
        named
            .next()
            .ok_or_else(|| serde::de::Error::custom("unknown type"))
    }
}

// OTLP's messages: KeyValueList { 1: KeyValue { 1: key, 2: AnyValue } }, AnyValue { 1: text, 2: bool, 3: int,
// 4: double, 5: array, 6: list, 7: bytes }. Field numbers of values are those of `ValueType`.
const LENGTH: u8 = 2;
const FIXED64: u8 = 1;

/// Appends an attribute to a `KeyValueList`.
pub(crate) fn put_rest(key: &str, value: PackedValue<'_>, out: &mut Vec<u8>) {
    let mut any = Vec::new();
    let tag = (value.value_type() as u8) << 3;
    match value {
        PackedValue::Empty => {}
        PackedValue::Bool(is) => any.extend_from_slice(&[tag, u8::from(is)]),
        PackedValue::Int(int) => {
            any.push(tag);
            put_varint(int.cast_unsigned(), &mut any);
        }
        PackedValue::Double(double) => {
            any.push(tag | FIXED64);
            any.extend_from_slice(&double.to_bits().to_le_bytes());
        }
        PackedValue::String(bytes)
        | PackedValue::Array(bytes)
        | PackedValue::Map(bytes)
        | PackedValue::Bytes(bytes) => put_bytes(tag | LENGTH, bytes, &mut any),
    }
    let mut pair = Vec::with_capacity(key.len() + any.len() + 12);
    put_bytes(1 << 3 | LENGTH, key.as_bytes(), &mut pair);
    put_bytes(2 << 3 | LENGTH, &any, &mut pair);
    put_bytes(1 << 3 | LENGTH, &pair, out);
}

fn put_bytes(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    put_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn take_bytes<'a>(tag: u8, rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (first, tail) = rest.split_first()?;
    let mut tail = tail;
    let length = usize::try_from(take_varint(&mut tail)?).ok()?;
    let (bytes, tail) = tail.split_at_checked(length)?;
    *rest = tail;
    (*first == tag).then_some(bytes)
}

/// Takes an attribute off a list that [`put_rest`] wrote.
pub(crate) fn take_rest<'a>(list: &mut &'a [u8]) -> Option<(&'a [u8], PackedValue<'a>)> {
    let mut pair = take_bytes(1 << 3 | LENGTH, list)?;
    let key = take_bytes(1 << 3 | LENGTH, &mut pair)?;
    let any = take_bytes(2 << 3 | LENGTH, &mut pair)?;
    let Some((tag, mut number)) = any.split_first() else {
        return Some((key, PackedValue::Empty));
    };
    let mut whole = any;
    let value = match ValueType::from_number(tag >> 3)? {
        ValueType::Empty => return None,
        ValueType::Bool => PackedValue::Bool(take_varint(&mut number)? != 0),
        ValueType::Int => PackedValue::Int(take_varint(&mut number)?.cast_signed()),
        ValueType::Double => {
            PackedValue::Double(f64::from_bits(u64::from_le_bytes(number.try_into().ok()?)))
        }
        ValueType::String => PackedValue::String(take_bytes(*tag, &mut whole)?),
        ValueType::Array => PackedValue::Array(take_bytes(*tag, &mut whole)?),
        ValueType::Map => PackedValue::Map(take_bytes(*tag, &mut whole)?),
        ValueType::Bytes => PackedValue::Bytes(take_bytes(*tag, &mut whole)?),
    };
    Some((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> [PackedValue<'static>; 9] {
        [
            PackedValue::Empty,
            PackedValue::String("tüv".as_bytes()),
            PackedValue::Bool(true),
            PackedValue::Int(i64::MIN),
            PackedValue::Double(-0.0),
            PackedValue::Array(&[0xff, 0]),
            PackedValue::Map(b""),
            PackedValue::Bytes(&[0; 300]),
            PackedValue::Int(0),
        ]
    }

    #[test]
    fn the_rest_comes_back_in_its_order() {
        let mut list = Vec::new();
        for (n, value) in values().into_iter().enumerate() {
            put_rest(&format!("k{n}"), value, &mut list);
        }
        let mut rest = list.as_slice();
        for (n, value) in values().into_iter().enumerate() {
            assert_eq!(
                take_rest(&mut rest),
                Some((format!("k{n}").as_bytes(), value))
            );
        }
        assert!(rest.is_empty());
        for cut in 0..list.len() {
            let mut rest = &list[..cut];
            while take_rest(&mut rest).is_some() {}
        }
    }

    #[test]
    fn the_second_of_equal_fields_and_fields_without_column_are_in_the_rest() {
        let field = |key: &str, value_type, column: Option<&str>| Field {
            key: key.into(),
            value_type,
            column: column.map(Into::into),
        };
        let fields = vec![
            field("a", ValueType::Int, Some("a.a")),
            field("b", ValueType::String, None),
            field("c", ValueType::Empty, None),
        ];
        let layout = Layout {
            fields,
            shapes: vec![vec![0, 1, 0, 2]],
        };
        let homes = layout.homes(SHAPE_LISTED).unwrap();
        assert_eq!(
            homes,
            [
                (0, Home::Column(0)),
                (1, Home::Rest),
                (0, Home::Rest),
                (2, Home::Nowhere)
            ]
        );
        assert_eq!(layout.homes(SHAPE_NONE), Some(Vec::new()));
        assert_eq!((layout.homes(SHAPE_REST), layout.homes(3)), (None, None));
        assert_eq!(Layout::parse(&layout.to_note().unwrap()), Some(layout));
        assert_eq!(Layout::parse(r#"{"fields":[],"shapes":[[0]]}"#), None);
    }
}
