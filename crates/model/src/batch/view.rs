//! Reading one span of a batch: views that borrow, and attribute values taken out.

#![allow(
    clippy::cast_possible_truncation,
    reason = "a symbol's bits were made from 32 bits"
)]

use std::borrow::Cow;

use super::table::{Attributes, FieldOfShape, Symbol};
use super::{ResourceRow, ScopeRow, SpanBatch};
use crate::value::{Value, ValueType, number_text, packed};
use crate::{SpanId, TraceId};

/// One span of a batch.
#[derive(Debug, Clone, Copy)]
pub struct SpanRef<'a> {
    batch: &'a SpanBatch,
    row: usize,
}

/// One event of a span.
#[derive(Debug, Clone, Copy)]
pub struct EventRef<'a> {
    batch: &'a SpanBatch,
    row: usize,
}

/// One link of a span.
#[derive(Debug, Clone, Copy)]
pub struct LinkRef<'a> {
    batch: &'a SpanBatch,
    row: usize,
}

/// A resource.
#[derive(Debug, Clone, Copy)]
pub struct ResourceRef<'a> {
    batch: &'a SpanBatch,
    row: ResourceRow,
}

/// A scope.
#[derive(Debug, Clone, Copy)]
pub struct ScopeRef<'a> {
    batch: &'a SpanBatch,
    row: ScopeRow,
}

/// An attribute: its key and its value.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'a> {
    /// The key.
    pub key: &'a str,
    /// The value.
    pub value: AttrValue<'a>,
}

/// The value of an attribute; see [`AttrValue::to_value`] for the tree below an array or a map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AttrValue<'a> {
    /// No value was set.
    Empty,
    /// Text.
    String(&'a str),
    /// True or false.
    Bool(bool),
    /// A number.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// The bytes of an OTLP `ArrayValue`.
    Array(&'a [u8]),
    /// The bytes of an OTLP `KeyValueList`.
    Map(&'a [u8]),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl<'a> AttrValue<'a> {
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

    /// The value, owned, with everything below it.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match *self {
            Self::Empty => Value::Empty,
            Self::String(text) => Value::String(text.to_owned()),
            Self::Bool(is) => Value::Bool(is),
            Self::Int(int) => Value::Int(int),
            Self::Double(double) => Value::Double(double),
            Self::Array(bytes) => Value::Array(packed::array_from_bytes(bytes)),
            Self::Map(bytes) => Value::Map(packed::map_from_bytes(bytes)),
            Self::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        }
    }

    /// The value as the one text that a search by text compares with: text as it is, `true`, `500`, `0.1`,
    /// bytes as base64, arrays and maps as compact JSON with sorted keys, nothing as the empty text.
    #[must_use]
    pub fn canonical_text(&self) -> Cow<'a, str> {
        match *self {
            Self::Empty => Cow::Borrowed(""),
            Self::String(text) => Cow::Borrowed(text),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Int(int) => Cow::Owned(int.to_string()),
            Self::Double(double) => Cow::Owned(number_text(double)),
            Self::Array(_) | Self::Map(_) | Self::Bytes(_) => {
                Cow::Owned(self.to_value().canonical_text())
            }
        }
    }
}

impl SpanBatch {
    /// One span; `None` beyond the last.
    #[must_use]
    pub fn span(&self, row: usize) -> Option<SpanRef<'_>> {
        (row < self.len()).then_some(SpanRef { batch: self, row })
    }

    /// All spans in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = SpanRef<'_>> + Clone {
        (0..self.len()).map(|row| SpanRef { batch: self, row })
    }

    /// A resource by its row; an empty one beyond the last.
    #[must_use]
    pub fn resource(&self, row: u32) -> ResourceRef<'_> {
        ResourceRef {
            batch: self,
            row: self
                .resources
                .get(row as usize)
                .copied()
                .unwrap_or_default(),
        }
    }

    /// A scope by its row; an empty one beyond the last.
    #[must_use]
    pub fn scope(&self, row: u32) -> ScopeRef<'_> {
        ScopeRef {
            batch: self,
            row: self.scopes.get(row as usize).copied().unwrap_or_default(),
        }
    }

    /// The value of one field of a shape from its 64 bits.
    #[must_use]
    pub fn unpack(&self, value_type: ValueType, bits: u64) -> AttrValue<'_> {
        match value_type {
            ValueType::Empty => AttrValue::Empty,
            ValueType::String => AttrValue::String(self.strings.get(Symbol(bits as u32))),
            ValueType::Bool => AttrValue::Bool(bits != 0),
            ValueType::Int => AttrValue::Int(bits.cast_signed()),
            ValueType::Double => AttrValue::Double(f64::from_bits(bits)),
            ValueType::Array => AttrValue::Array(self.blobs.get(bits)),
            ValueType::Map => AttrValue::Map(self.blobs.get(bits)),
            ValueType::Bytes => AttrValue::Bytes(self.blobs.get(bits)),
        }
    }

    /// The fields of some attributes with their bits, in order.
    pub fn packed_attributes(
        &self,
        attributes: Attributes,
    ) -> impl ExactSizeIterator<Item = (FieldOfShape, u64)> + '_ {
        let fields = self.shapes.fields(attributes.shape);
        let values = self
            .values
            .get(attributes.first_value as usize..)
            .unwrap_or_default();
        fields.iter().copied().zip(values.iter().copied())
    }

    /// Some attributes in order.
    pub fn attributes(
        &self,
        attributes: Attributes,
    ) -> impl ExactSizeIterator<Item = Attribute<'_>> {
        self.packed_attributes(attributes)
            .map(|(field, bits)| Attribute {
                key: self.strings.get(field.key),
                value: self.unpack(field.value_type, bits),
            })
    }
}

fn cell<T: Copy + Default>(column: &[T], row: usize) -> T {
    column.get(row).copied().unwrap_or_default()
}

impl<'a> SpanRef<'a> {
    /// The batch that the span is in.
    #[must_use]
    pub fn batch(&self) -> &'a SpanBatch {
        self.batch
    }

    /// Its row there.
    #[must_use]
    pub fn row(&self) -> usize {
        self.row
    }

    /// The trace.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        cell(&self.batch.spans.trace_id, self.row)
    }

    /// The span.
    #[must_use]
    pub fn span_id(&self) -> SpanId {
        cell(&self.batch.spans.span_id, self.row)
    }

    /// The parent; zero for a root.
    #[must_use]
    pub fn parent_span_id(&self) -> SpanId {
        cell(&self.batch.spans.parent_span_id, self.row)
    }

    /// The span's name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.batch
            .strings
            .get(cell(&self.batch.spans.name, self.row))
    }

    /// OTLP's number of the kind.
    #[must_use]
    pub fn kind(&self) -> i32 {
        cell(&self.batch.spans.kind, self.row)
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub fn start(&self) -> u64 {
        cell(&self.batch.spans.start, self.row)
    }

    /// Nanoseconds since the epoch; may be before the start.
    #[must_use]
    pub fn end(&self) -> u64 {
        cell(&self.batch.spans.end, self.row)
    }

    /// End minus start in nanoseconds, negative when the end comes first.
    #[must_use]
    pub fn duration(&self) -> i64 {
        self.end().wrapping_sub(self.start()).cast_signed()
    }

    /// OTLP's number of the status: 0 unset, 1 ok, 2 error.
    #[must_use]
    pub fn status(&self) -> i32 {
        cell(&self.batch.spans.status, self.row)
    }

    /// The status message.
    #[must_use]
    pub fn status_message(&self) -> &'a str {
        self.batch
            .strings
            .get(cell(&self.batch.spans.status_message, self.row))
    }

    /// The trace state.
    #[must_use]
    pub fn trace_state(&self) -> &'a str {
        self.batch
            .strings
            .get(cell(&self.batch.spans.trace_state, self.row))
    }

    /// All 32 flag bits.
    #[must_use]
    pub fn flags(&self) -> u32 {
        cell(&self.batch.spans.flags, self.row)
    }

    /// Attributes, events and links that the sender dropped.
    #[must_use]
    pub fn dropped(&self) -> (u32, u32, u32) {
        let spans = &self.batch.spans;
        (
            cell(&spans.dropped_attributes, self.row),
            cell(&spans.dropped_events, self.row),
            cell(&spans.dropped_links, self.row),
        )
    }

    /// The row of the resource in the batch.
    #[must_use]
    pub fn resource_row(&self) -> u32 {
        cell(&self.batch.spans.resource, self.row)
    }

    /// The row of the scope in the batch.
    #[must_use]
    pub fn scope_row(&self) -> u32 {
        cell(&self.batch.spans.scope, self.row)
    }

    /// The resource.
    #[must_use]
    pub fn resource(&self) -> ResourceRef<'a> {
        self.batch.resource(self.resource_row())
    }

    /// The scope.
    #[must_use]
    pub fn scope(&self) -> ScopeRef<'a> {
        self.batch.scope(self.scope_row())
    }

    /// The name of the service, as it is shown.
    #[must_use]
    pub fn service(&self) -> &'a str {
        self.resource().service()
    }

    /// The attributes' shape and values.
    #[must_use]
    pub fn packed(&self) -> Attributes {
        cell(&self.batch.spans.attributes, self.row)
    }

    /// The attributes in order.
    pub fn attributes(&self) -> impl ExactSizeIterator<Item = Attribute<'a>> {
        self.batch.attributes(self.packed())
    }

    /// The events in order.
    pub fn events(&self) -> impl ExactSizeIterator<Item = EventRef<'a>> {
        let batch = self.batch;
        rows_of(&batch.spans.first_event, self.row, batch.events.time.len())
            .map(move |row| EventRef { batch, row })
    }

    /// The links in order.
    pub fn links(&self) -> impl ExactSizeIterator<Item = LinkRef<'a>> {
        let batch = self.batch;
        rows_of(
            &batch.spans.first_link,
            self.row,
            batch.links.trace_id.len(),
        )
        .map(move |row| LinkRef { batch, row })
    }
}

/// The child rows of one row: from its first to the next row's first, or to the end.
pub(super) fn rows_of(first: &[u32], row: usize, all: usize) -> std::ops::Range<usize> {
    let start = first.get(row).map_or(all, |at| *at as usize);
    let end = first.get(row + 1).map_or(all, |at| *at as usize);
    start..end.max(start)
}

impl<'a> EventRef<'a> {
    /// Nanoseconds since the epoch.
    #[must_use]
    pub fn time(&self) -> u64 {
        cell(&self.batch.events.time, self.row)
    }

    /// The event's name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.batch
            .strings
            .get(cell(&self.batch.events.name, self.row))
    }

    /// The attributes' shape and values.
    #[must_use]
    pub fn packed(&self) -> Attributes {
        cell(&self.batch.events.attributes, self.row)
    }

    /// The attributes in order.
    pub fn attributes(&self) -> impl ExactSizeIterator<Item = Attribute<'a>> {
        self.batch.attributes(self.packed())
    }

    /// Attributes that the sender dropped.
    #[must_use]
    pub fn dropped_attributes(&self) -> u32 {
        cell(&self.batch.events.dropped_attributes, self.row)
    }
}

impl<'a> LinkRef<'a> {
    /// The trace that is linked to; may be zero.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        cell(&self.batch.links.trace_id, self.row)
    }

    /// The span that is linked to; may be zero.
    #[must_use]
    pub fn span_id(&self) -> SpanId {
        cell(&self.batch.links.span_id, self.row)
    }

    /// The trace state.
    #[must_use]
    pub fn trace_state(&self) -> &'a str {
        self.batch
            .strings
            .get(cell(&self.batch.links.trace_state, self.row))
    }

    /// The attributes' shape and values.
    #[must_use]
    pub fn packed(&self) -> Attributes {
        cell(&self.batch.links.attributes, self.row)
    }

    /// The attributes in order.
    pub fn attributes(&self) -> impl ExactSizeIterator<Item = Attribute<'a>> {
        self.batch.attributes(self.packed())
    }

    /// Attributes that the sender dropped.
    #[must_use]
    pub fn dropped_attributes(&self) -> u32 {
        cell(&self.batch.links.dropped_attributes, self.row)
    }

    /// All 32 flag bits.
    #[must_use]
    pub fn flags(&self) -> u32 {
        cell(&self.batch.links.flags, self.row)
    }
}

impl<'a> ResourceRef<'a> {
    /// The stored row.
    #[must_use]
    pub fn row(&self) -> ResourceRow {
        self.row
    }

    /// The name of the service, as it is shown.
    #[must_use]
    pub fn service(&self) -> &'a str {
        self.batch.strings.get(self.row.service)
    }

    /// The attributes in order.
    pub fn attributes(&self) -> impl ExactSizeIterator<Item = Attribute<'a>> {
        self.batch.attributes(self.row.attributes)
    }

    /// The schema URL of the `ResourceSpans`.
    #[must_use]
    pub fn schema_url(&self) -> &'a str {
        self.batch.strings.get(self.row.schema_url)
    }

    /// The `entity_refs` fields as they came, tags included; empty for none.
    #[must_use]
    pub fn entity_refs(&self) -> &'a [u8] {
        self.row
            .entity_refs
            .checked_sub(1)
            .map(|blob| self.batch.blobs.get(blob))
            .unwrap_or_default()
    }
}

impl<'a> ScopeRef<'a> {
    /// The stored row.
    #[must_use]
    pub fn row(&self) -> ScopeRow {
        self.row
    }

    /// The scope's name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.batch.strings.get(self.row.name)
    }

    /// The scope's version.
    #[must_use]
    pub fn version(&self) -> &'a str {
        self.batch.strings.get(self.row.version)
    }

    /// The attributes in order.
    pub fn attributes(&self) -> impl ExactSizeIterator<Item = Attribute<'a>> {
        self.batch.attributes(self.row.attributes)
    }

    /// The schema URL of the `ScopeSpans`.
    #[must_use]
    pub fn schema_url(&self) -> &'a str {
        self.batch.strings.get(self.row.schema_url)
    }
}
