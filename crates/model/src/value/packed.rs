//! Arrays and maps as bytes: OTLP's `ArrayValue` and `KeyValueList` messages, read into trees and written from them.
//!
//! Decoders make sure that packed bytes are well formed; should they not be, what can be read is given.

use super::Value;

/// Levels of arrays and maps that are read; deeper ones are given as empty.
pub const VALUE_DEPTH_MAX: usize = 64;

/// The values of an `ArrayValue`.
#[must_use]
pub fn array_from_bytes(bytes: &[u8]) -> Vec<Value> {
    array(bytes, 1)
}

/// The keys and values of a `KeyValueList`.
#[must_use]
pub fn map_from_bytes(bytes: &[u8]) -> Vec<(String, Value)> {
    map(bytes, 1)
}

/// Appends the bytes of an `ArrayValue`.
pub fn array_to_bytes(values: &[Value], out: &mut Vec<u8>) {
    for value in values {
        put_message(1, &any_bytes(value), out);
    }
}

/// Appends the bytes of a `KeyValueList`.
pub fn map_to_bytes(pairs: &[(String, Value)], out: &mut Vec<u8>) {
    for (key, value) in pairs {
        let mut pair = Vec::new();
        if !key.is_empty() {
            put_message(1, key.as_bytes(), &mut pair);
        }
        put_message(2, &any_bytes(value), &mut pair);
        put_message(1, &pair, out);
    }
}

fn any_bytes(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    match value {
        Value::Empty => {}
        Value::String(text) => put_message(1, text.as_bytes(), &mut out),
        Value::Bool(is) => out.extend_from_slice(&[2 << 3, u8::from(*is)]),
        Value::Int(int) => {
            out.push(3 << 3);
            put_varint(int.cast_unsigned(), &mut out);
        }
        Value::Double(double) => {
            out.push(4 << 3 | 1);
            out.extend_from_slice(&double.to_le_bytes());
        }
        Value::Array(values) => {
            let mut inner = Vec::new();
            array_to_bytes(values, &mut inner);
            put_message(5, &inner, &mut out);
        }
        Value::Map(pairs) => {
            let mut inner = Vec::new();
            map_to_bytes(pairs, &mut inner);
            put_message(6, &inner, &mut out);
        }
        Value::Bytes(bytes) => put_message(7, bytes, &mut out),
    }
    out
}

fn put_message(field: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(field << 3 | 2);
    put_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn put_varint(mut number: u64, out: &mut Vec<u8>) {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "seven bits are taken at a time"
    )]
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    #[allow(clippy::cast_possible_truncation, reason = "seven bits are left")]
    out.push(number as u8);
}

enum Part<'a> {
    Number(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
}

/// Takes one field off the front: its number and content; fields of a type that no value has are passed over. `None`
/// at the end, or where the bytes are no message.
fn take_field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Part<'a>)> {
    loop {
        let tag = take_varint(rest)?;
        let part = match tag & 7 {
            0 => Part::Number(take_varint(rest)?),
            1 => {
                let (fixed, tail) = rest.split_first_chunk::<8>()?;
                *rest = tail;
                Part::Fixed64(*fixed)
            }
            2 => {
                let len = usize::try_from(take_varint(rest)?).ok()?;
                let (bytes, tail) = rest.split_at_checked(len)?;
                *rest = tail;
                Part::Bytes(bytes)
            }
            5 => {
                let (_, tail) = rest.split_first_chunk::<4>()?;
                *rest = tail;
                continue;
            }
            _ => return None,
        };
        return Some((tag >> 3, part));
    }
}

fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn array(mut bytes: &[u8], depth: usize) -> Vec<Value> {
    let mut values = Vec::new();
    while let Some((field, part)) = take_field(&mut bytes) {
        if let (1, Part::Bytes(value)) = (field, part) {
            values.push(any_value(value, depth));
        }
    }
    values
}

fn map(mut bytes: &[u8], depth: usize) -> Vec<(String, Value)> {
    let mut pairs = Vec::new();
    while let Some((field, part)) = take_field(&mut bytes) {
        let (1, Part::Bytes(mut pair)) = (field, part) else {
            continue;
        };
        let (mut key, mut value) = (String::new(), Value::Empty);
        while let Some((field, part)) = take_field(&mut pair) {
            match (field, part) {
                (1, Part::Bytes(text)) => key = String::from_utf8_lossy(text).into_owned(),
                (2, Part::Bytes(bytes)) => value = any_value(bytes, depth),
                _ => {}
            }
        }
        pairs.push((key, value));
    }
    pairs
}

fn any_value(mut bytes: &[u8], depth: usize) -> Value {
    let mut value = Value::Empty;
    while let Some((field, part)) = take_field(&mut bytes) {
        value = match (field, part) {
            (1, Part::Bytes(text)) => Value::String(String::from_utf8_lossy(text).into_owned()),
            (2, Part::Number(number)) => Value::Bool(number != 0),
            (3, Part::Number(number)) => Value::Int(number.cast_signed()),
            (4, Part::Fixed64(fixed)) => Value::Double(f64::from_le_bytes(fixed)),
            (5 | 6, Part::Bytes(_)) if depth >= VALUE_DEPTH_MAX => Value::Empty,
            (5, Part::Bytes(bytes)) => Value::Array(array(bytes, depth + 1)),
            (6, Part::Bytes(bytes)) => Value::Map(map(bytes, depth + 1)),
            (7, Part::Bytes(bytes)) => Value::Bytes(bytes.to_vec()),
            _ => value,
        };
    }
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn a_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Empty),
            ".{0,6}".prop_map(Value::String),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            (-1e9..1e9).prop_map(Value::Double),
            prop::collection::vec(any::<u8>(), 0..6).prop_map(Value::Bytes),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::vec((".{0,4}", inner), 0..4).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(values in prop::collection::vec(a_value(), 0..5)) {
            let mut bytes = Vec::new();
            array_to_bytes(&values, &mut bytes);
            prop_assert_eq!(array_from_bytes(&bytes), values);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _read = (array_from_bytes(&bytes), map_from_bytes(&bytes));
        }
    }

    #[test]
    fn levels_beyond_the_bound_are_empty() {
        let mut value = Value::Int(1);
        for _ in 0..VALUE_DEPTH_MAX + 8 {
            value = Value::Array(vec![value]);
        }
        let Value::Array(values) = value else {
            unreachable!()
        };
        let mut bytes = Vec::new();
        array_to_bytes(&values, &mut bytes);
        let mut depth = 1;
        let mut read = array_from_bytes(&bytes);
        while let Some(Value::Array(inner)) = read.pop() {
            read = inner;
            depth += 1;
        }
        assert_eq!(depth, VALUE_DEPTH_MAX);
    }
}
