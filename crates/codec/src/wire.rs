//! Protobuf's wire format: a reader that borrows, and a writer.
//!
//! Promises
//! - Reading allocates nothing, never recurses, never panics and never goes back: its cost is the length of the bytes.
//! - What the reader accepts, every protobuf library accepts; what it gives is what they give.
//!
//! Refuses
//! - Numbers of more than 64 bits: an eleventh byte, or a tenth above 1. Shorter numbers may be padded with zeros, as
//!   protobuf allows.
//! - Field number 0 or above 2^29 - 1, wire types 6 and 7, and groups (3 and 4), which OTLP never had.
//! - A length that goes beyond the end, whatever it is; it is compared, never added to.

/// The highest field number that protobuf allows.
const FIELD_NUMBER_MAX: u64 = (1 << 29) - 1;
/// Bytes of the longest number.
const VARINT_BYTES_MAX: usize = 10;

/// Says why bytes are not a protobuf message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The end came within a number.
    #[error("the bytes end within a number")]
    Cut,
    /// A variable-length number doesn't fit in 64 bits.
    #[error("a number has more than 64 bits")]
    NumberTooLong,
    /// A field is longer than what is left.
    #[error("a field of {length} bytes is announced, {left} are left")]
    LengthBeyondEnd {
        /// Bytes announced.
        length: u64,
        /// Bytes left.
        left: usize,
    },
    /// There is no such field number in protobuf.
    #[error("field number {0} is outside of 1 to 536870911")]
    FieldNumber(u64),
    /// A group, or a wire type that protobuf doesn't have.
    #[error("wire type {0} is not supported")]
    WireType(u8),
    /// A known field came as another wire type than its own.
    #[error("field {field} has the wrong wire type")]
    FieldType {
        /// The field's number.
        field: u32,
    },
}

/// The content of a field, by wire type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field<'a> {
    /// A variable-length number (type 0).
    Varint(u64),
    /// Eight bytes, little-endian (type 1).
    Fixed64(u64),
    /// A length and so many bytes (type 2): text, bytes or a message.
    Bytes(&'a [u8]),
    /// Four bytes, little-endian (type 5).
    Fixed32(u32),
}

/// Reads the fields of one message in the order in which they were written.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Begins at the front of a message.
    #[inline]
    #[must_use]
    pub fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// What has not been read yet.
    #[inline]
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next field's number and content; `None` at the end.
    ///
    /// # Errors
    /// Where the bytes are no message. The reader then stands somewhere within the field.
    #[inline(always)]
    pub fn next_field(&mut self) -> Result<Option<(u32, Field<'a>)>, WireError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 || number > FIELD_NUMBER_MAX {
            return Err(WireError::FieldNumber(number));
        }
        #[allow(clippy::cast_possible_truncation, reason = "three bits are left")]
        let field = match tag as u8 & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(self.fixed64()?),
            2 => Field::Bytes(self.bytes()?),
            5 => Field::Fixed32(self.fixed32()?),
            other => return Err(WireError::WireType(other)),
        };
        #[allow(clippy::cast_possible_truncation, reason = "at most FIELD_NUMBER_MAX")]
        Ok(Some((number as u32, field)))
    }

    /// Takes a variable-length number.
    ///
    /// # Errors
    /// When it is cut off or has more than 64 bits.
    #[inline(always)]
    pub fn varint(&mut self) -> Result<u64, WireError> {
        match self.rest {
            [byte @ 0..0x80, rest @ ..] => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            [low, high @ 0..0x80, rest @ ..] => {
                self.rest = rest;
                Ok(u64::from(*low & 0x7f) | u64::from(*high) << 7)
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, WireError> {
        let mut number = 0u64;
        for (index, &byte) in self.rest.iter().take(VARINT_BYTES_MAX).enumerate() {
            if index == VARINT_BYTES_MAX - 1 && byte > 1 {
                return Err(WireError::NumberTooLong);
            }
            number |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.rest = self.rest.get(index + 1..).unwrap_or_default();
                return Ok(number);
            }
        }
        Err(WireError::Cut)
    }

    /// Takes a length and so many bytes.
    ///
    /// # Errors
    /// When there are fewer.
    #[inline(always)]
    pub fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.varint()?;
        let split = usize::try_from(length)
            .ok()
            .and_then(|length| self.rest.split_at_checked(length));
        let Some((bytes, rest)) = split else {
            return Err(WireError::LengthBeyondEnd {
                length,
                left: self.rest.len(),
            });
        };
        self.rest = rest;
        Ok(bytes)
    }

    /// Takes eight bytes as a little-endian number.
    ///
    /// # Errors
    /// When there are fewer.
    #[inline(always)]
    pub fn fixed64(&mut self) -> Result<u64, WireError> {
        let (bytes, rest) = self.rest.split_first_chunk::<8>().ok_or(WireError::Cut)?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// Takes four bytes as a little-endian number.
    ///
    /// # Errors
    /// When there are fewer.
    #[inline(always)]
    pub fn fixed32(&mut self) -> Result<u32, WireError> {
        let (bytes, rest) = self.rest.split_first_chunk::<4>().ok_or(WireError::Cut)?;
        self.rest = rest;
        Ok(u32::from_le_bytes(*bytes))
    }
}

/// Writes a message, field by field. Fields are written even where they hold protobuf's default: leaving it out is
/// the caller's choice, since within a oneof it means something.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// Starts an empty message.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts an empty message with room for so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            out: Vec::with_capacity(bytes),
        }
    }

    /// Ends the message.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// What has been written so far.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// Forgets what was written and keeps the memory.
    pub fn clear(&mut self) {
        self.out.clear();
    }

    /// Writes a variable-length number.
    pub fn varint_field(&mut self, field: u32, number: u64) {
        self.tag(field, 0);
        self.varint(number);
    }

    /// Writes eight bytes.
    pub fn fixed64_field(&mut self, field: u32, number: u64) {
        self.tag(field, 1);
        self.out.extend_from_slice(&number.to_le_bytes());
    }

    /// Writes text, bytes or a message that is already written.
    pub fn bytes_field(&mut self, field: u32, bytes: &[u8]) {
        self.tag(field, 2);
        self.varint(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    /// Writes four bytes.
    pub fn fixed32_field(&mut self, field: u32, number: u32) {
        self.tag(field, 5);
        self.out.extend_from_slice(&number.to_le_bytes());
    }

    /// Writes fields that are already written, tags included.
    pub fn raw(&mut self, fields: &[u8]) {
        self.out.extend_from_slice(fields);
    }

    /// Writes a message within the message. Its length is put before it afterwards, so its bytes are moved once.
    pub fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        self.tag(field, 2);
        let start = self.out.len();
        self.out.push(0);
        write(self);
        let length = self.out.len() - start - 1;
        if let (0..0x80, Some(place)) = (length, self.out.get_mut(start)) {
            #[allow(clippy::cast_possible_truncation, reason = "below 0x80")]
            let short = length as u8;
            *place = short;
            return;
        }
        let mut prefix = Self::default();
        prefix.varint(length as u64);
        self.out.splice(start..=start, prefix.out);
    }

    fn tag(&mut self, field: u32, wire_type: u64) {
        self.varint(u64::from(field) << 3 | wire_type);
    }

    fn varint(&mut self, mut number: u64) {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "seven bits are taken at a time"
        )]
        while number > 0x7f {
            self.out.push(number as u8 | 0x80);
            number >>= 7;
        }
        #[allow(clippy::cast_possible_truncation, reason = "seven bits are left")]
        self.out.push(number as u8);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(bytes: &[u8]) -> Result<u64, WireError> {
        Reader::new(bytes).varint()
    }

    #[test]
    fn numbers_of_up_to_64_bits_are_read_and_longer_ones_are_refused() {
        assert_eq!(number(&[0]), Ok(0));
        assert_eq!(number(&[0xac, 2]), Ok(300));
        assert_eq!(number(&[0x80, 0x80, 1]), Ok(1 << 14));
        let mut most = [0xff; 10];
        most[9] = 1;
        assert_eq!(number(&most), Ok(u64::MAX));
        most[9] = 2;
        assert_eq!(number(&most), Err(WireError::NumberTooLong));
        assert_eq!(number(&[0x80; 11]), Err(WireError::NumberTooLong));
        assert_eq!(number(&[0x80; 9]), Err(WireError::Cut));
        assert_eq!(number(&[]), Err(WireError::Cut));
        assert_eq!(
            number(&[0x81, 0x80, 0x00]),
            Ok(1),
            "padding with zeros is allowed"
        );
    }

    #[test]
    fn field_numbers_and_wire_types_that_protobuf_does_not_have_are_refused() {
        let next = |bytes: &[u8]| {
            Reader::new(bytes)
                .next_field()
                .map(|field| field.map(|(number, _)| number))
        };
        assert_eq!(next(&[]), Ok(None));
        assert_eq!(next(&[0x00, 0]), Err(WireError::FieldNumber(0)));
        assert_eq!(
            next(&[0xf8, 0xff, 0xff, 0xff, 0x0f, 0]),
            Ok(Some(536_870_911))
        );
        assert_eq!(
            next(&[0x80, 0x80, 0x80, 0x80, 0x10, 0]),
            Err(WireError::FieldNumber(536_870_912))
        );
        for group in [3, 4, 6, 7] {
            assert_eq!(next(&[8 | group]), Err(WireError::WireType(group)));
        }
    }

    #[test]
    fn lengths_beyond_the_end_are_refused_however_large() {
        for length in [4u64, 1 << 31, 1 << 32, 1 << 63, u64::MAX] {
            let mut bytes = vec![0x0a];
            let mut writer = Writer::new();
            writer.varint(length);
            bytes.extend_from_slice(writer.as_bytes());
            bytes.extend_from_slice(&[1, 2, 3]);
            let error = Reader::new(&bytes).next_field().unwrap_err();
            assert_eq!(error, WireError::LengthBeyondEnd { length, left: 3 });
        }
        assert_eq!(Reader::new(&[0x09, 1, 2]).next_field(), Err(WireError::Cut));
        assert_eq!(Reader::new(&[0x0d, 1, 2]).next_field(), Err(WireError::Cut));
    }

    #[test]
    fn messages_of_every_length_get_the_right_prefix() {
        for length in [0usize, 1, 127, 128, 129, 16_383, 16_384, 70_000] {
            let content = vec![7; length];
            let mut writer = Writer::new();
            writer.message(3, |inner| inner.raw(&content));
            writer.varint_field(4, 5);
            let bytes = writer.into_bytes();
            let mut reader = Reader::new(&bytes);
            assert_eq!(
                reader.next_field(),
                Ok(Some((3, Field::Bytes(&content)))),
                "{length}"
            );
            assert_eq!(
                reader.next_field(),
                Ok(Some((4, Field::Varint(5)))),
                "{length}"
            );
            assert_eq!(reader.next_field(), Ok(None));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            field in 1u32..=536_870_911, long in any::<u64>(), short in any::<u32>(),
            bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut writer = Writer::new();
            writer.varint_field(field, long);
            writer.fixed64_field(field, long);
            writer.bytes_field(field, &bytes);
            writer.fixed32_field(field, short);
            let written = writer.into_bytes();
            let mut reader = Reader::new(&written);
            let fields = [Field::Varint(long), Field::Fixed64(long), Field::Bytes(&bytes), Field::Fixed32(short)];
            for expected in fields {
                prop_assert_eq!(reader.next_field(), Ok(Some((field, expected))));
            }
            prop_assert_eq!(reader.next_field(), Ok(None));
        }

        #[test]
        fn any_bytes_are_read_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader::new(&bytes);
            let mut fields = 0;
            while let Ok(Some(_)) = reader.next_field() {
                fields += 1;
            }
            prop_assert!(fields <= bytes.len() / 2);
        }
    }
}
