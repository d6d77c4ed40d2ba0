//! Attribute values: OpenTelemetry's `AnyValue` as an owned tree, and its types.
//!
//! Inside a [`crate::SpanBatch`] values are packed; a [`Value`] is what one looks like taken out.

pub mod packed;
mod text;

pub use text::number_text;

/// The type of an attribute value. The numbers are written to disk and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(u8)]
pub enum ValueType {
    /// No value was set.
    #[default]
    Empty = 0,
    /// Text.
    String = 1,
    /// True or false.
    Bool = 2,
    /// A signed 64-bit number.
    Int = 3,
    /// A 64-bit floating-point number.
    Double = 4,
    /// A list of values; packed as the bytes of OTLP's `ArrayValue`.
    Array = 5,
    /// A list of keys and values; packed as the bytes of OTLP's `KeyValueList`.
    Map = 6,
    /// Bytes.
    Bytes = 7,
}

impl ValueType {
    /// The type of a number that was written to disk.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        const ALL: [ValueType; 8] = [
            ValueType::Empty,
            ValueType::String,
            ValueType::Bool,
            ValueType::Int,
            ValueType::Double,
            ValueType::Array,
            ValueType::Map,
            ValueType::Bytes,
        ];
        ALL.get(usize::from(number)).copied()
    }
}

/// A value, owned, with everything below it.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// No value was set.
    #[default]
    Empty,
    /// Text.
    String(String),
    /// True or false.
    Bool(bool),
    /// A signed 64-bit number.
    Int(i64),
    /// A 64-bit floating-point number.
    Double(f64),
    /// A list of values.
    Array(Vec<Value>),
    /// Keys and values in their order; keys may repeat.
    Map(Vec<(String, Value)>),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// The value's type.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Empty => ValueType::Empty,
            Self::String(_) => ValueType::String,
            Self::Bool(_) => ValueType::Bool,
            Self::Int(_) => ValueType::Int,
            Self::Double(_) => ValueType::Double,
            Self::Array(_) => ValueType::Array,
            Self::Map(_) => ValueType::Map,
            Self::Bytes(_) => ValueType::Bytes,
        }
    }
}
