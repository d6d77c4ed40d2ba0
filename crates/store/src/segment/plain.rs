//! The plain form of a cell: what its 64 bits stand for.
//!
//! A cell comes as a batch holds values: a symbol, a number, a blob's index. Equal bits are equal values.

#![allow(
    clippy::cast_possible_truncation,
    reason = "symbols and 32-bit numbers come back from where they were widened"
)]

use model::TraceId;
use model::batch::{BlobTable, StringTable, Symbol};

/// What the 64 bits of a cell mean, and how its plain form is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Plain<'a> {
    /// The low 32 bits.
    Int32,
    /// All bits.
    Int64,
    /// The bits of a double.
    Double,
    /// 0 or 1.
    Bool,
    /// Eight bytes, as a big-endian number.
    SpanId,
    /// An index of a list of trace ids.
    TraceId(&'a [TraceId]),
    /// A symbol.
    Text(&'a StringTable),
    /// A symbol whose text is a UUID in its usual form.
    Uuid(&'a StringTable),
    /// An index of a blob.
    Blob(&'a BlobTable),
    /// An index of a list of bytes.
    Bytes(&'a [Vec<u8>]),
}

impl Plain<'_> {
    pub(crate) fn put(&self, key: u64, out: &mut Vec<u8>) {
        let mut put_long = |bytes: &[u8]| {
            out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            out.extend_from_slice(bytes);
        };
        match self {
            Self::Int32 => out.extend_from_slice(&(key as u32).to_le_bytes()),
            Self::Int64 | Self::Double => out.extend_from_slice(&key.to_le_bytes()),
            Self::Bool => out.push(key as u8),
            Self::SpanId => out.extend_from_slice(&key.to_be_bytes()),
            Self::TraceId(ids) => {
                out.extend_from_slice(&ids.get(key as usize).copied().unwrap_or_default().0);
            }
            Self::Text(strings) => put_long(strings.get_bytes(Symbol(key as u32))),
            Self::Uuid(strings) => {
                let id = uuid_bytes(strings.get_bytes(Symbol(key as u32)));
                out.extend_from_slice(&id.unwrap_or_default());
            }
            Self::Blob(blobs) => put_long(blobs.get(key)),
            Self::Bytes(list) => put_long(
                list.get(key as usize)
                    .map(Vec::as_slice)
                    .unwrap_or_default(),
            ),
        }
    }

    /// The length of the plain form.
    pub(crate) fn len(&self, key: u64) -> usize {
        match self {
            Self::Int32 => 4,
            Self::Int64 | Self::Double | Self::SpanId => 8,
            Self::Bool => 1,
            Self::TraceId(_) | Self::Uuid(_) => 16,
            Self::Text(strings) => 4 + strings.get_bytes(Symbol(key as u32)).len(),
            Self::Blob(blobs) => 4 + blobs.get(key).len(),
            Self::Bytes(list) => 4 + list.get(key as usize).map_or(0, Vec::len),
        }
    }
}

/// The 16 bytes of a UUID in its usual form: 36 characters, lower case, hyphens in their places.
pub(crate) fn uuid_bytes(text: &[u8]) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.try_into().ok()?;
    let mut id = 0u128;
    for (place, character) in text.iter().enumerate() {
        let digit = match (character, place) {
            (b'-', 8 | 13 | 18 | 23) => continue,
            (_, 8 | 13 | 18 | 23) => return None,
            (b'0'..=b'9', _) => character - b'0',
            (b'a'..=b'f', _) => character - b'a' + 10,
            _ => return None,
        };
        id = id << 4 | u128::from(digit);
    }
    Some(id.to_be_bytes())
}
