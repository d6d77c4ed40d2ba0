//! Thrift's two protocols, binary and compact, so that each struct is decoded by one function for both.
//!
//! Promises
//! - Reading borrows, allocates nothing, never panics and never goes back: its cost is the length of the bytes.
//! - A decoder is generic over [`Protocol`] and compiled once for each; there is no choice left at run time.
//!
//! Refuses
//! - A length beyond the end. A list or a set of N elements needs N bytes, a map twice as many, so that no count of
//!   elements makes anybody wait or take memory.
//! - More than [`DEPTH_MAX`] levels in what is skipped.
//! - Numbers of the compact protocol with more bits than their type, and types that Thrift doesn't have.
//!
//! A struct is read so, where what has an unknown id or another type than expected is skipped, as Thrift wants it:
//! ```
//! # use codec::thrift::{Kind, Protocol, Reader, ThriftError};
//! fn port<P: Protocol>(reader: &mut Reader<'_, P>) -> Result<i16, ThriftError> {
//!     let (mut port, mut id) = (0, 0);
//!     while let Some(kind) = reader.next_field(&mut id)? {
//!         match (id, kind) {
//!             (2, Kind::I16) => port = reader.i16()?,
//!             (_, kind) => reader.skip(kind)?,
//!         }
//!     }
//!     Ok(port)
//! }
//! ```

use std::marker::PhantomData;

use crate::DecodeError;

/// Levels of structs, lists, sets and maps in what is skipped.
pub const DEPTH_MAX: usize = 32;
/// First two bytes of a message of the binary protocol.
const BINARY_VERSION: u16 = 0x8001;
/// First byte of a message of the compact protocol.
const COMPACT_ID: u8 = 0x82;
/// The low five bits of the second byte.
const COMPACT_VERSION: u8 = 1;

/// Says why bytes are not Thrift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ThriftError {
    /// The end came too early.
    #[error("the bytes end too early")]
    Cut,
    /// A text is longer than what is left, or has a negative length.
    #[error("{length} bytes are announced, {left} are left")]
    LengthBeyondEnd {
        /// Bytes announced.
        length: i64,
        /// Bytes left.
        left: usize,
    },
    /// A list, set or map has more elements than what is left can hold, or a negative number of them.
    #[error("{count} elements are announced, {left} bytes are left")]
    CountBeyondEnd {
        /// Elements announced.
        count: i64,
        /// Bytes left.
        left: usize,
    },
    /// A number of variable length has too many bits.
    #[error("a number has too many bits")]
    NumberTooLong,
    /// The number of a type that Thrift doesn't have.
    #[error("there is no type {0}")]
    Type(u8),
    /// What is skipped is nested too deeply.
    #[error("more than {DEPTH_MAX} levels")]
    TooDeep,
    /// The first bytes are not those of a message of this protocol.
    #[error("the bytes are no message of the {0} protocol")]
    NoMessage(&'static str),
}

/// The type of a field or an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// True or false.
    Bool,
    /// Eight bits.
    Byte,
    /// 16 bits.
    I16,
    /// 32 bits; enums too.
    I32,
    /// 64 bits.
    I64,
    /// A floating-point number.
    Double,
    /// Text or bytes.
    Bytes,
    /// Fields up to a stop.
    Struct,
    /// Pairs.
    Map,
    /// Elements of one type.
    Set,
    /// Elements of one type.
    List,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// A call that is answered.
    Call,
    /// An answer.
    Reply,
    /// An answer that says what went wrong.
    Exception,
    /// A call that isn't answered.
    Oneway,
}

impl MessageType {
    fn of(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Call),
            2 => Some(Self::Reply),
            3 => Some(Self::Exception),
            4 => Some(Self::Oneway),
            _ => None,
        }
    }
}

/// The head of a message; the struct of its arguments follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Whether it is a call or an answer.
    pub message_type: MessageType,
    /// The method.
    pub name: &'a [u8],
    /// The sender's number of it.
    pub sequence: i32,
}

/// The head of a list or a set; the elements follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct List {
    /// The type of the elements; any, if there are none.
    pub element: Kind,
    /// How many they are: never more than there are bytes left.
    pub count: usize,
}

/// One of the two ways to write Thrift.
pub trait Protocol: Copy {
    /// What it is called.
    const NAME: &'static str;

    #[doc(hidden)]
    fn message<'a>(reader: &mut Reader<'a, Self>) -> Result<Message<'a>, ThriftError>;
    #[doc(hidden)]
    fn field(reader: &mut Reader<'_, Self>, id: &mut i16) -> Result<Option<Kind>, ThriftError>;
    #[doc(hidden)]
    fn i16(reader: &mut Reader<'_, Self>) -> Result<i16, ThriftError>;
    #[doc(hidden)]
    fn i32(reader: &mut Reader<'_, Self>) -> Result<i32, ThriftError>;
    #[doc(hidden)]
    fn i64(reader: &mut Reader<'_, Self>) -> Result<i64, ThriftError>;
    #[doc(hidden)]
    fn double(bytes: [u8; 8]) -> f64;
    #[doc(hidden)]
    fn length(reader: &mut Reader<'_, Self>) -> Result<i64, ThriftError>;
    /// Number and type of the elements; the type is checked only where there are any.
    #[doc(hidden)]
    fn list(reader: &mut Reader<'_, Self>) -> Result<(i64, u8), ThriftError>;
    /// Number and types of the pairs.
    #[doc(hidden)]
    fn map(reader: &mut Reader<'_, Self>) -> Result<(i64, u8, u8), ThriftError>;
    #[doc(hidden)]
    fn kind(number: u8) -> Option<Kind>;
}

/// Reads values one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a, P> {
    rest: &'a [u8],
    length: usize,
    /// The value of a field of the compact protocol that is a bool: it is in the field's head.
    bool_in_head: Option<bool>,
    protocol: PhantomData<P>,
}

impl<'a, P: Protocol> Reader<'a, P> {
    /// Begins at the front.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            length: bytes.len(),
            bool_in_head: None,
            protocol: PhantomData,
        }
    }

    /// What has not been read yet.
    #[inline]
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How many bytes have been read. After an error it says where it was found, to within a few bytes.
    #[inline]
    #[must_use]
    pub fn byte(&self) -> usize {
        self.length - self.rest.len()
    }

    /// The error of a request that is broken here.
    #[cold]
    #[must_use]
    pub fn broken(&self, what: &'static str, why: ThriftError) -> DecodeError {
        DecodeError::Broken {
            what,
            byte: self.byte(),
            why: why.to_string(),
        }
    }

    /// Takes the head of a message.
    ///
    /// # Errors
    /// When these are no bytes of one.
    pub fn message(&mut self) -> Result<Message<'a>, ThriftError> {
        P::message(self)
    }

    /// Takes the head of a struct's next field; `None` at the struct's end. `id` is the id of the field before it, 0
    /// at first, and then that of the field.
    ///
    /// # Errors
    /// When the bytes end or the field has no type.
    #[inline(always)]
    pub fn next_field(&mut self, id: &mut i16) -> Result<Option<Kind>, ThriftError> {
        P::field(self, id)
    }

    /// Takes a bool.
    ///
    /// # Errors
    /// When the bytes end.
    #[inline]
    pub fn bool(&mut self) -> Result<bool, ThriftError> {
        match self.bool_in_head.take() {
            Some(is) => Ok(is),
            // The compact protocol has 2 for false in lists, older senders 0.
            None => Ok(self.u8()? == 1),
        }
    }

    /// Takes a byte.
    ///
    /// # Errors
    /// When the bytes end.
    #[inline]
    pub fn i8(&mut self) -> Result<i8, ThriftError> {
        Ok(self.u8()?.cast_signed())
    }

    /// Takes a number of 16 bits.
    ///
    /// # Errors
    /// When the bytes end, or it is longer.
    #[inline]
    pub fn i16(&mut self) -> Result<i16, ThriftError> {
        P::i16(self)
    }

    /// Takes a number of 32 bits, or an enum.
    ///
    /// # Errors
    /// When the bytes end, or it is longer.
    #[inline(always)]
    pub fn i32(&mut self) -> Result<i32, ThriftError> {
        P::i32(self)
    }

    /// Takes a number of 64 bits.
    ///
    /// # Errors
    /// When the bytes end, or it is longer.
    #[inline(always)]
    pub fn i64(&mut self) -> Result<i64, ThriftError> {
        P::i64(self)
    }

    /// Takes a floating-point number.
    ///
    /// # Errors
    /// When the bytes end.
    #[inline]
    pub fn double(&mut self) -> Result<f64, ThriftError> {
        Ok(P::double(self.array()?))
    }

    /// Takes text or bytes.
    ///
    /// # Errors
    /// When the bytes end.
    #[inline(always)]
    pub fn bytes(&mut self) -> Result<&'a [u8], ThriftError> {
        let length = P::length(self)?;
        let split = usize::try_from(length)
            .ok()
            .and_then(|length| self.rest.split_at_checked(length));
        let Some((bytes, rest)) = split else {
            return Err(ThriftError::LengthBeyondEnd {
                length,
                left: self.rest.len(),
            });
        };
        self.rest = rest;
        Ok(bytes)
    }

    /// Takes the head of a list or a set.
    ///
    /// # Errors
    /// When the bytes end, or can't hold as many elements.
    #[inline]
    pub fn list(&mut self) -> Result<List, ThriftError> {
        let (count, number) = P::list(self)?;
        let left = self.rest.len();
        let fits = usize::try_from(count).ok().filter(|count| {
            *count <= left || (plumbing::planted("thrift-count-believed") && *count < 1 << 32)
        });
        let Some(count) = fits else {
            return Err(ThriftError::CountBeyondEnd { count, left });
        };
        let element = match P::kind(number) {
            Some(kind) => kind,
            None if count == 0 => Kind::Bool,
            None => return Err(ThriftError::Type(number)),
        };
        Ok(List { element, count })
    }

    /// Passes over a value of any type.
    ///
    /// # Errors
    /// When it is broken or nested too deeply.
    #[inline]
    pub fn skip(&mut self, kind: Kind) -> Result<(), ThriftError> {
        self.skip_at(kind, 0)
    }

    /// Passes over the elements of a list whose head was taken.
    ///
    /// # Errors
    /// When one is broken or nested too deeply.
    pub fn skip_elements(&mut self, list: List) -> Result<(), ThriftError> {
        for _ in 0..list.count {
            self.skip_at(list.element, 1)?;
        }
        Ok(())
    }

    fn skip_at(&mut self, kind: Kind, depth: usize) -> Result<(), ThriftError> {
        if depth > DEPTH_MAX {
            return Err(ThriftError::TooDeep);
        }
        match kind {
            Kind::Bool => self.bool().map(drop),
            Kind::Byte => self.u8().map(drop),
            Kind::I16 => self.i16().map(drop),
            Kind::I32 => self.i32().map(drop),
            Kind::I64 => self.i64().map(drop),
            Kind::Double => self.double().map(drop),
            Kind::Bytes => self.bytes().map(drop),
            Kind::Struct => {
                let mut id = 0;
                while let Some(kind) = self.next_field(&mut id)? {
                    self.skip_at(kind, depth + 1)?;
                }
                Ok(())
            }
            Kind::List | Kind::Set => {
                let list = self.list()?;
                for _ in 0..list.count {
                    self.skip_at(list.element, depth + 1)?;
                }
                Ok(())
            }
            Kind::Map => self.skip_map(depth),
        }
    }

    fn skip_map(&mut self, depth: usize) -> Result<(), ThriftError> {
        let (count, key, value) = P::map(self)?;
        if count == 0 {
            return Ok(());
        }
        let left = self.rest.len();
        let fits = usize::try_from(count)
            .ok()
            .filter(|count| *count <= left / 2);
        let Some(pairs) = fits else {
            return Err(ThriftError::CountBeyondEnd { count, left });
        };
        let key = P::kind(key).ok_or(ThriftError::Type(key))?;
        let value = P::kind(value).ok_or(ThriftError::Type(value))?;
        for _ in 0..pairs {
            self.skip_at(key, depth + 1)?;
            self.skip_at(value, depth + 1)?;
        }
        Ok(())
    }

    #[inline(always)]
    fn u8(&mut self) -> Result<u8, ThriftError> {
        let (byte, rest) = self.rest.split_first().ok_or(ThriftError::Cut)?;
        self.rest = rest;
        Ok(*byte)
    }

    #[inline(always)]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], ThriftError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(ThriftError::Cut)?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// A number of variable length, of at most so many bits.
    #[inline(always)]
    fn varint(&mut self, bits: u32) -> Result<u64, ThriftError> {
        if let [byte @ 0..0x80, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        self.long_varint(bits)
    }

    fn long_varint(&mut self, bits: u32) -> Result<u64, ThriftError> {
        let (mut number, mut shift) = (0u64, 0);
        let mut rest = self.rest;
        while let Some((byte, behind)) = rest.split_first() {
            rest = behind;
            let low = u64::from(byte & 0x7f);
            if shift >= bits || (bits - shift < 7 && low >> (bits - shift) > 0) {
                return Err(ThriftError::NumberTooLong);
            }
            number |= low << shift;
            shift += 7;
            if *byte < 0x80 {
                self.rest = rest;
                return Ok(number);
            }
        }
        Err(ThriftError::Cut)
    }

    /// A signed number of variable length: 0, -1, 1, -2 and so on are 0, 1, 2, 3.
    #[inline(always)]
    fn zigzag(&mut self, bits: u32) -> Result<i64, ThriftError> {
        let number = self.varint(bits)?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }
}

/// The binary protocol: everything has a fixed width.
#[derive(Debug, Clone, Copy)]
pub struct Binary;

impl Protocol for Binary {
    const NAME: &'static str = "binary";

    fn message<'a>(reader: &mut Reader<'a, Self>) -> Result<Message<'a>, ThriftError> {
        let no_message = ThriftError::NoMessage(Self::NAME);
        let is_strict = reader.rest.first().ok_or(ThriftError::Cut)? & 0x80 != 0;
        let (name, number) = if is_strict {
            let [first, second, _, number] = reader.array()?;
            if u16::from_be_bytes([first, second]) != BINARY_VERSION {
                return Err(no_message);
            }
            (reader.bytes()?, number)
        } else {
            (reader.bytes()?, reader.u8()?)
        };
        Ok(Message {
            message_type: MessageType::of(number).ok_or(no_message)?,
            name,
            sequence: reader.i32()?,
        })
    }

    #[inline(always)]
    fn field(reader: &mut Reader<'_, Self>, id: &mut i16) -> Result<Option<Kind>, ThriftError> {
        let number = reader.u8()?;
        if number == 0 {
            return Ok(None);
        }
        *id = i16::from_be_bytes(reader.array()?);
        Self::kind(number)
            .map(Some)
            .ok_or(ThriftError::Type(number))
    }

    #[inline(always)]
    fn i16(reader: &mut Reader<'_, Self>) -> Result<i16, ThriftError> {
        Ok(i16::from_be_bytes(reader.array()?))
    }

    #[inline(always)]
    fn i32(reader: &mut Reader<'_, Self>) -> Result<i32, ThriftError> {
        Ok(i32::from_be_bytes(reader.array()?))
    }

    #[inline(always)]
    fn i64(reader: &mut Reader<'_, Self>) -> Result<i64, ThriftError> {
        Ok(i64::from_be_bytes(reader.array()?))
    }

    #[inline(always)]
    fn double(bytes: [u8; 8]) -> f64 {
        f64::from_be_bytes(bytes)
    }

    #[inline(always)]
    fn length(reader: &mut Reader<'_, Self>) -> Result<i64, ThriftError> {
        Ok(i64::from(Self::i32(reader)?))
    }

    #[inline]
    fn list(reader: &mut Reader<'_, Self>) -> Result<(i64, u8), ThriftError> {
        let number = reader.u8()?;
        Ok((Self::length(reader)?, number))
    }

    fn map(reader: &mut Reader<'_, Self>) -> Result<(i64, u8, u8), ThriftError> {
        let [key, value] = reader.array()?;
        Ok((Self::length(reader)?, key, value))
    }

    #[inline(always)]
    fn kind(number: u8) -> Option<Kind> {
        Some(match number {
            2 => Kind::Bool,
            3 => Kind::Byte,
            4 => Kind::Double,
            6 => Kind::I16,
            8 => Kind::I32,
            10 => Kind::I64,
            11 => Kind::Bytes,
            12 => Kind::Struct,
            13 => Kind::Map,
            14 => Kind::Set,
            15 => Kind::List,
            _ => return None,
        })
    }
}

/// The compact protocol: numbers take as many bytes as they need, and a field names the distance to the one before.
#[derive(Debug, Clone, Copy)]
pub struct Compact;

impl Protocol for Compact {
    const NAME: &'static str = "compact";

    fn message<'a>(reader: &mut Reader<'a, Self>) -> Result<Message<'a>, ThriftError> {
        let no_message = ThriftError::NoMessage(Self::NAME);
        let [first, second] = reader.array()?;
        if first != COMPACT_ID || second & 0x1f != COMPACT_VERSION {
            return Err(no_message);
        }
        let sequence = reader.varint(32)?;
        Ok(Message {
            message_type: MessageType::of(second >> 5).ok_or(no_message)?,
            name: reader.bytes()?,
            #[allow(clippy::cast_possible_truncation, reason = "read as 32 bits")]
            sequence: (sequence as u32).cast_signed(),
        })
    }

    #[inline(always)]
    fn field(reader: &mut Reader<'_, Self>, id: &mut i16) -> Result<Option<Kind>, ThriftError> {
        let head = reader.u8()?;
        if head == 0 {
            return Ok(None);
        }
        let number = head & 0x0f;
        *id = match head >> 4 {
            0 => Self::i16(reader)?,
            // Beyond the last id there is none that anybody knows.
            delta => id.saturating_add(i16::from(delta)),
        };
        let kind = Self::kind(number).ok_or(ThriftError::Type(number))?;
        reader.bool_in_head = (kind == Kind::Bool).then_some(number == 1);
        Ok(Some(kind))
    }

    #[inline(always)]
    fn i16(reader: &mut Reader<'_, Self>) -> Result<i16, ThriftError> {
        // Some senders extend the sign to 32 bits before they shift, so the low bits are taken.
        #[allow(clippy::cast_possible_truncation, reason = "the low bits are wanted")]
        let number = reader.zigzag(32)? as i16;
        Ok(number)
    }

    #[inline(always)]
    fn i32(reader: &mut Reader<'_, Self>) -> Result<i32, ThriftError> {
        #[allow(clippy::cast_possible_truncation, reason = "read as 32 bits")]
        let number = reader.zigzag(32)? as i32;
        Ok(number)
    }

    #[inline(always)]
    fn i64(reader: &mut Reader<'_, Self>) -> Result<i64, ThriftError> {
        reader.zigzag(64)
    }

    #[inline(always)]
    fn double(bytes: [u8; 8]) -> f64 {
        f64::from_le_bytes(bytes)
    }

    #[inline(always)]
    fn length(reader: &mut Reader<'_, Self>) -> Result<i64, ThriftError> {
        Ok(reader.varint(32)?.cast_signed())
    }

    #[inline]
    fn list(reader: &mut Reader<'_, Self>) -> Result<(i64, u8), ThriftError> {
        let head = reader.u8()?;
        let count = match head >> 4 {
            0x0f => Self::length(reader)?,
            short => i64::from(short),
        };
        Ok((count, head & 0x0f))
    }

    fn map(reader: &mut Reader<'_, Self>) -> Result<(i64, u8, u8), ThriftError> {
        let count = Self::length(reader)?;
        if count == 0 {
            return Ok((0, 0, 0));
        }
        let kinds = reader.u8()?;
        Ok((count, kinds >> 4, kinds & 0x0f))
    }

    #[inline(always)]
    fn kind(number: u8) -> Option<Kind> {
        Some(match number {
            1 | 2 => Kind::Bool,
            3 => Kind::Byte,
            4 => Kind::I16,
            5 => Kind::I32,
            6 => Kind::I64,
            7 => Kind::Double,
            8 => Kind::Bytes,
            9 => Kind::List,
            10 => Kind::Set,
            11 => Kind::Map,
            12 => Kind::Struct,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
