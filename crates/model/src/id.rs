//! Trace and span ids: bytes inside, hexadecimal text outside.

use std::fmt;

/// Says why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty or longer than the id.
    #[error("id has {length} hexadecimal digits, allowed are 1 to {max}")]
    Length {
        /// Digits given.
        length: usize,
        /// Most digits that fit.
        max: usize,
    },
    /// The text has something that is not a hexadecimal digit.
    #[error("id has '{found}' at position {position}, which is no hexadecimal digit")]
    Digit {
        /// What was found.
        found: char,
        /// Where, counted in bytes from 0.
        position: usize,
    },
}

/// Sixteen bytes that name a trace; all zero is no trace.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TraceId(pub [u8; 16]);

/// Eight bytes that name a span in its trace; all zero is no span.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SpanId(pub [u8; 8]);

impl TraceId {
    /// No trace.
    pub const ZERO: Self = Self([0; 16]);

    /// Reads 1 to 32 hexadecimal digits of any case; short texts are the low end of the id.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        parse_hex::<16>(text).map(Self)
    }

    /// Tells whether this names no trace.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == [0; 16]
    }

    /// The first eight bytes as a big-endian number.
    #[must_use]
    pub fn high(self) -> u64 {
        #[allow(clippy::cast_possible_truncation, reason = "the shift leaves 64 bits")]
        let high = (u128::from_be_bytes(self.0) >> 64) as u64;
        high
    }

    /// The last eight bytes as a big-endian number; random in ids of W3C level 2.
    #[must_use]
    pub fn low(self) -> u64 {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "the low 64 bits are wanted"
        )]
        let low = u128::from_be_bytes(self.0) as u64;
        low
    }

    /// Jaeger's old text: 16 digits when the high half is zero, else 32.
    #[must_use]
    pub fn jaeger_text(self) -> String {
        if self.high() == 0 {
            format!("{:016x}", self.low())
        } else {
            self.to_string()
        }
    }
}

impl SpanId {
    /// No span.
    pub const ZERO: Self = Self([0; 8]);

    /// Reads 1 to 16 hexadecimal digits of any case; short texts are the low end of the id.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        parse_hex::<8>(text).map(Self)
    }

    /// Tells whether this names no span.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == [0; 8]
    }

    /// The id as a big-endian number.
    #[must_use]
    pub fn number(self) -> u64 {
        u64::from_be_bytes(self.0)
    }

    /// The id of a big-endian number.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        Self(number.to_be_bytes())
    }
}

fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], IdError> {
    let (length, max) = (text.chars().count(), 2 * N);
    if length == 0 || length > max {
        return Err(IdError::Length { length, max });
    }
    let mut bytes = [0u8; N];
    for (position, found) in text.char_indices() {
        let digit = found
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
            .ok_or(IdError::Digit { found, position })?;
        // Every character so far is one byte long, so `position` counts digits.
        let place = max - length + position;
        if let Some(byte) = bytes.get_mut(place / 2) {
            *byte = *byte << 4 | digit;
        }
    }
    Ok(bytes)
}

macro_rules! hex_text {
    ($id:ident) => {
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

hex_text!(TraceId);
hex_text!(SpanId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_are_the_low_end_of_the_id() {
        let id = TraceId::parse("Ab1").unwrap();
        assert_eq!(id.to_string(), "00000000000000000000000000000ab1");
        assert_eq!(id.jaeger_text(), "0000000000000ab1");
        assert_eq!(SpanId::parse("123").unwrap().number(), 0x123);
        let long = TraceId::parse("747261636b7761790000000000000001").unwrap();
        assert_eq!((long.high(), long.low()), (0x7472_6163_6b77_6179, 1));
    }

    #[test]
    fn texts_that_are_no_ids_say_why() {
        assert_eq!(
            TraceId::parse("").unwrap_err(),
            IdError::Length { length: 0, max: 32 }
        );
        assert_eq!(
            SpanId::parse("00112233445566778").unwrap_err(),
            IdError::Length {
                length: 17,
                max: 16
            }
        );
        assert_eq!(
            TraceId::parse("0x1").unwrap_err(),
            IdError::Digit {
                found: 'x',
                position: 1
            }
        );
        assert_eq!(
            TraceId::parse("ä").unwrap_err(),
            IdError::Digit {
                found: 'ä',
                position: 0
            }
        );
    }
}
