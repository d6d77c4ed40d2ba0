//! Attribute values of OTLP/protobuf: the common ones read at once, arrays and maps checked and if need be rewritten.
//!
//! Promises
//! - The bytes of an array or a map are kept as they came unless they have texts that are no UTF-8, more than
//!   [`VALUE_DEPTH_MAX`] levels, or a message field twice where one is meant: then they are rewritten with the texts
//!   repaired, the deeper levels empty, and the two merged, as protobuf's rules want it.
//! - Recursion is bounded by [`VALUE_DEPTH_MAX`]; deeper bytes are not looked at.
//!
//! Refuses: an array or a map whose bytes are broken at any level that is kept.

use std::borrow::Cow;

use model::BatchBuilder;
use model::batch::{AttributeCursor, PackedValue};
use model::value::packed::VALUE_DEPTH_MAX;

use crate::notes::Notes;
use crate::wire::{Field, Reader, WireError, Writer};

/// Fields of OTLP's messages for values.
pub(crate) mod field {
    pub(crate) const KEY: u32 = 1;
    pub(crate) const VALUE: u32 = 2;
    pub(crate) const KEY_STRINDEX: u32 = 3;
    pub(crate) const STRING: u32 = 1;
    pub(crate) const BOOL: u32 = 2;
    pub(crate) const INT: u32 = 3;
    pub(crate) const DOUBLE: u32 = 4;
    pub(crate) const ARRAY: u32 = 5;
    pub(crate) const MAP: u32 = 6;
    pub(crate) const BYTES: u32 = 7;
    pub(crate) const STRING_STRINDEX: u32 = 8;
    /// The elements of an array or a map.
    pub(crate) const ELEMENT: u32 = 1;
}

/// Adds the attribute of a `KeyValue` message to its owner.
#[inline]
pub(super) fn push_key_value(
    builder: &mut BatchBuilder,
    notes: &mut Notes,
    cursor: &mut AttributeCursor,
    bytes: &[u8],
) -> Result<(), WireError> {
    if let Some((key, any)) = plain_pair(bytes)
        && let Some(value) = plain_value(any)
    {
        builder.push_attribute(cursor, key, value);
        return Ok(());
    }
    push_any_pair(builder, notes, cursor, bytes)
}

/// The key and the value of a pair that has just these two in order, as nearly every sender writes them.
#[inline]
fn plain_pair(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [0x0a, length @ 0..0x80, rest @ ..] = bytes else {
        return None;
    };
    let (key, rest) = rest.split_at_checked(usize::from(*length))?;
    let [0x12, rest @ ..] = rest else { return None };
    let mut reader = Reader::new(rest);
    let value = reader.bytes().ok()?;
    reader.rest().is_empty().then_some((key, value))
}

/// The value of an `AnyValue` that has just one field, which is no array or map.
#[inline]
fn plain_value(any: &[u8]) -> Option<PackedValue<'_>> {
    let (tag, rest) = any.split_first()?;
    let mut reader = Reader::new(rest);
    let value = match tag {
        0x0a => PackedValue::String(reader.bytes().ok()?),
        0x10 => PackedValue::Bool(reader.varint().ok()? != 0),
        0x18 => PackedValue::Int(reader.varint().ok()?.cast_signed()),
        0x21 => PackedValue::Double(f64::from_bits(reader.fixed64().ok()?)),
        0x3a => PackedValue::Bytes(reader.bytes().ok()?),
        _ => return None,
    };
    reader.rest().is_empty().then_some(value)
}

fn push_any_pair(
    builder: &mut BatchBuilder,
    notes: &mut Notes,
    cursor: &mut AttributeCursor,
    bytes: &[u8],
) -> Result<(), WireError> {
    let Pair { key, value } = Pair::read(bytes, notes)?;
    let any = value.unwrap_or_default();
    let (list, is_map) = match Found::read(&any, notes)? {
        Found::Plain(value) => {
            builder.push_attribute(cursor, key, value);
            return Ok(());
        }
        Found::Array(list) => (list, false),
        Found::Map(list) => (list, true),
    };
    let is_clean = check_list(&list, is_map, 1, notes)?;
    let list = if is_clean {
        list
    } else {
        Cow::Owned(rewritten(&list, is_map, notes)?)
    };
    let value = if is_map {
        PackedValue::Map(&list)
    } else {
        PackedValue::Array(&list)
    };
    builder.push_attribute(cursor, key, value);
    Ok(())
}

/// A message field that may come in several pieces: put one behind the other they are the merged message.
fn add_piece<'a>(message: &mut Option<Cow<'a, [u8]>>, piece: &'a [u8]) {
    match message {
        None => *message = Some(Cow::Borrowed(piece)),
        Some(whole) => whole.to_mut().extend_from_slice(piece),
    }
}

struct Pair<'a> {
    key: &'a [u8],
    value: Option<Cow<'a, [u8]>>,
}

impl<'a> Pair<'a> {
    fn read(bytes: &'a [u8], notes: &mut Notes) -> Result<Self, WireError> {
        let mut pair = Self {
            key: &[],
            value: None,
        };
        let mut reader = Reader::new(bytes);
        while let Some(next) = reader.next_field()? {
            match next {
                (field::KEY, Field::Bytes(key)) => pair.key = key,
                (field::VALUE, Field::Bytes(value)) => add_piece(&mut pair.value, value),
                (field::KEY_STRINDEX, _) => notes.profile_fields += 1,
                (field @ (field::KEY | field::VALUE), _) => {
                    return Err(WireError::FieldType { field });
                }
                _ => {}
            }
        }
        Ok(pair)
    }
}

/// What an `AnyValue` holds: the last of its fields, where arrays and maps that follow one another are merged.
enum Found<'a> {
    Plain(PackedValue<'a>),
    Array(Cow<'a, [u8]>),
    Map(Cow<'a, [u8]>),
}

impl<'a> Found<'a> {
    fn read(bytes: &'a [u8], notes: &mut Notes) -> Result<Self, WireError> {
        let mut found = Self::Plain(PackedValue::Empty);
        let mut reader = Reader::new(bytes);
        while let Some(next) = reader.next_field()? {
            found = match (next, found) {
                ((field::STRING, Field::Bytes(text)), _) => Self::Plain(PackedValue::String(text)),
                ((field::BOOL, Field::Varint(number)), _) => {
                    Self::Plain(PackedValue::Bool(number != 0))
                }
                ((field::INT, Field::Varint(number)), _) => {
                    Self::Plain(PackedValue::Int(number.cast_signed()))
                }
                ((field::DOUBLE, Field::Fixed64(bits)), _) => {
                    Self::Plain(PackedValue::Double(f64::from_bits(bits)))
                }
                ((field::BYTES, Field::Bytes(bytes)), _) => Self::Plain(PackedValue::Bytes(bytes)),
                ((field::ARRAY, Field::Bytes(more)), Self::Array(list)) => {
                    Self::Array(joined(list, more))
                }
                ((field::ARRAY, Field::Bytes(list)), _) => Self::Array(Cow::Borrowed(list)),
                ((field::MAP, Field::Bytes(more)), Self::Map(list)) => {
                    Self::Map(joined(list, more))
                }
                ((field::MAP, Field::Bytes(list)), _) => Self::Map(Cow::Borrowed(list)),
                ((field::STRING_STRINDEX, _), before) => {
                    notes.profile_fields += 1;
                    before
                }
                ((field @ field::STRING..=field::BYTES, _), _) => {
                    return Err(WireError::FieldType { field });
                }
                (_, before) => before,
            };
        }
        Ok(found)
    }
}

fn joined<'a>(mut list: Cow<'a, [u8]>, more: &[u8]) -> Cow<'a, [u8]> {
    list.to_mut().extend_from_slice(more);
    list
}

/// Tells whether a list can be kept as it is. `depth` is its level, from 1.
fn check_list(
    bytes: &[u8],
    is_map: bool,
    depth: usize,
    notes: &mut Notes,
) -> Result<bool, WireError> {
    let mut is_clean = true;
    let mut reader = Reader::new(bytes);
    while let Some(next) = reader.next_field()? {
        is_clean &= match next {
            (field::ELEMENT, Field::Bytes(pair)) if is_map => check_pair(pair, depth, notes)?,
            (field::ELEMENT, Field::Bytes(any)) => check_any(any, depth, notes)?,
            (field @ field::ELEMENT, _) => return Err(WireError::FieldType { field }),
            _ => true,
        };
    }
    Ok(is_clean)
}

fn check_pair(bytes: &[u8], depth: usize, notes: &mut Notes) -> Result<bool, WireError> {
    let (mut is_clean, mut has_value) = (true, false);
    let mut reader = Reader::new(bytes);
    while let Some(next) = reader.next_field()? {
        match next {
            (field::KEY, Field::Bytes(key)) => is_clean &= is_text(key),
            (field::VALUE, Field::Bytes(any)) => {
                is_clean &= check_any(any, depth, notes)? & !has_value;
                has_value = true;
            }
            (field::KEY_STRINDEX, _) => notes.profile_fields += 1,
            (field @ (field::KEY | field::VALUE), _) => return Err(WireError::FieldType { field }),
            _ => {}
        }
    }
    Ok(is_clean)
}

fn check_any(bytes: &[u8], depth: usize, notes: &mut Notes) -> Result<bool, WireError> {
    let (mut is_clean, mut has_list) = (true, false);
    let mut reader = Reader::new(bytes);
    while let Some(next) = reader.next_field()? {
        match next {
            (field::STRING, Field::Bytes(text)) => is_clean &= is_text(text),
            (field @ (field::ARRAY | field::MAP), Field::Bytes(list)) => {
                let is_kept = depth < VALUE_DEPTH_MAX && !has_list;
                is_clean &= is_kept && check_list(list, field == field::MAP, depth + 1, notes)?;
                has_list = true;
            }
            (field::BOOL | field::INT, Field::Varint(_))
            | (field::DOUBLE, Field::Fixed64(_))
            | (field::BYTES, Field::Bytes(_)) => {}
            (field::STRING_STRINDEX, _) => notes.profile_fields += 1,
            (field @ field::STRING..=field::BYTES, _) => {
                return Err(WireError::FieldType { field });
            }
            _ => {}
        }
    }
    Ok(is_clean)
}

fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok()
}

/// The bytes of a list whose texts are UTF-8, whose depth is bounded and in which nothing has to be merged.
fn rewritten(bytes: &[u8], is_map: bool, notes: &mut Notes) -> Result<Vec<u8>, WireError> {
    let profile_fields = notes.profile_fields;
    let mut out = Writer::with_capacity(bytes.len());
    rewrite_list(bytes, is_map, 1, &mut out, notes)?;
    // They were counted while the list was checked.
    notes.profile_fields = profile_fields;
    Ok(out.into_bytes())
}

fn rewrite_list(
    bytes: &[u8],
    is_map: bool,
    depth: usize,
    out: &mut Writer,
    notes: &mut Notes,
) -> Result<(), WireError> {
    let mut reader = Reader::new(bytes);
    while let Some(next) = reader.next_field()? {
        let (field::ELEMENT, Field::Bytes(element)) = next else {
            continue;
        };
        let mut written = Ok(());
        out.message(field::ELEMENT, |out| {
            written = if is_map {
                rewrite_pair(element, depth, out, notes)
            } else {
                rewrite_any(element, depth, out, notes)
            };
        });
        written?;
    }
    Ok(())
}

fn rewrite_pair(
    bytes: &[u8],
    depth: usize,
    out: &mut Writer,
    notes: &mut Notes,
) -> Result<(), WireError> {
    let Pair { key, value } = Pair::read(bytes, notes)?;
    if !key.is_empty() {
        rewrite_text(field::KEY, key, out, notes);
    }
    let Some(any) = value else { return Ok(()) };
    let mut written = Ok(());
    out.message(field::VALUE, |out| {
        written = rewrite_any(&any, depth, out, notes);
    });
    written
}

fn rewrite_any(
    bytes: &[u8],
    depth: usize,
    out: &mut Writer,
    notes: &mut Notes,
) -> Result<(), WireError> {
    let (field, list) = match Found::read(bytes, notes)? {
        Found::Plain(PackedValue::String(text)) => {
            rewrite_text(field::STRING, text, out, notes);
            return Ok(());
        }
        Found::Plain(value) => {
            put_value(out, value);
            return Ok(());
        }
        Found::Array(list) => (field::ARRAY, list),
        Found::Map(list) => (field::MAP, list),
    };
    if depth >= VALUE_DEPTH_MAX {
        notes.truncated_values += 1;
        return Ok(());
    }
    let mut written = Ok(());
    out.message(field, |out| {
        written = rewrite_list(&list, field == field::MAP, depth + 1, out, notes);
    });
    written
}

fn rewrite_text(field: u32, text: &[u8], out: &mut Writer, notes: &mut Notes) {
    let repaired = String::from_utf8_lossy(text);
    notes.repaired_texts += u64::from(matches!(repaired, Cow::Owned(_)));
    out.bytes_field(field, repaired.as_bytes());
}

/// Writes the field of an `AnyValue`; nothing for the empty value.
pub(crate) fn put_value(out: &mut Writer, value: PackedValue<'_>) {
    match value {
        PackedValue::Empty => {}
        PackedValue::String(text) => out.bytes_field(field::STRING, text),
        PackedValue::Bool(is) => out.varint_field(field::BOOL, u64::from(is)),
        PackedValue::Int(int) => out.varint_field(field::INT, int.cast_unsigned()),
        PackedValue::Double(double) => out.fixed64_field(field::DOUBLE, double.to_bits()),
        PackedValue::Array(list) => out.bytes_field(field::ARRAY, list),
        PackedValue::Map(list) => out.bytes_field(field::MAP, list),
        PackedValue::Bytes(bytes) => out.bytes_field(field::BYTES, bytes),
    }
}

/// Appends an `EntityRef` field of a resource as it came (`raw`, tag included), or rewritten with its texts repaired.
pub(super) fn put_entity_ref(
    out: &mut Vec<u8>,
    raw: &[u8],
    message: &[u8],
    notes: &mut Notes,
) -> Result<(), WireError> {
    let mut is_clean = true;
    let mut writer = Writer::new();
    let mut reader = Reader::new(message);
    while let Some(next) = reader.next_field()? {
        match next {
            (field @ 1..=4, Field::Bytes(text)) => {
                is_clean &= is_text(text);
                rewrite_text(field, text, &mut writer, notes);
            }
            (field @ 1..=4, _) => return Err(WireError::FieldType { field }),
            _ => {}
        }
    }
    if is_clean {
        out.extend_from_slice(raw);
        return Ok(());
    }
    let mut entity_ref = Writer::new();
    entity_ref.bytes_field(super::encode::RESOURCE_ENTITY_REFS, writer.as_bytes());
    out.extend_from_slice(entity_ref.as_bytes());
    Ok(())
}
