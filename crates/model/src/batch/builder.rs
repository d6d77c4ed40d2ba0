//! Writing a batch: what a decoder calls while it walks the bytes once.
//!
//! The order of calls: a resource's attributes, then [`BatchBuilder::add_resource`]; a scope's, then
//! [`BatchBuilder::add_scope`]; then for each span its attributes, its events (attributes, then
//! [`BatchBuilder::push_event`]), its links, and last [`BatchBuilder::push_span`]. A span that turns out to be bad is
//! undone by [`BatchBuilder::roll_back`] to the mark taken before it and costs the batch nothing.

#![allow(
    clippy::cast_possible_truncation,
    reason = "a batch is bounded by the request limit, far below 2^32 rows"
)]

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::table::{Attributes, FieldOfShape, ShapeId, Symbol};
use super::{SERVICE_EMPTY, SERVICE_MISSING, SERVICE_WRONG_TYPE, SpanBatch};
use crate::value::ValueType;
use crate::{SpanId, TraceId};

/// A value as a decoder finds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PackedValue<'a> {
    /// No value was set.
    Empty,
    /// Text; repaired where it is no UTF-8.
    String(&'a [u8]),
    /// True or false.
    Bool(bool),
    /// A number.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// The bytes of an OTLP `ArrayValue`, whose texts are UTF-8 and whose depth is bounded.
    Array(&'a [u8]),
    /// The bytes of an OTLP `KeyValueList`, whose texts are UTF-8 and whose depth is bounded.
    Map(&'a [u8]),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl PackedValue<'_> {
    /// The value's type.
    #[inline]
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

/// A resource, with the envelope that it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResourceRow {
    /// Whether there was a resource message at all.
    pub is_present: bool,
    /// The attributes.
    pub attributes: Attributes,
    /// Attributes that the sender dropped.
    pub dropped_attributes: u32,
    /// The schema URL of the `ResourceSpans`.
    pub schema_url: Symbol,
    /// Blob index + 1 of the `entity_refs` fields as they came, tags included; 0 for none.
    pub entity_refs: u64,
    /// The service's name as it is shown; set by [`BatchBuilder::add_resource`].
    pub service: Symbol,
}

/// An instrumentation scope, with the envelope that it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScopeRow {
    /// Whether there was a scope message at all.
    pub is_present: bool,
    /// The scope's name.
    pub name: Symbol,
    /// The scope's version.
    pub version: Symbol,
    /// The attributes.
    pub attributes: Attributes,
    /// Attributes that the sender dropped.
    pub dropped_attributes: u32,
    /// The schema URL of the `ScopeSpans`.
    pub schema_url: Symbol,
}

/// A span's own fields.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpanRow {
    /// Not zero.
    pub trace_id: TraceId,
    /// Not zero.
    pub span_id: SpanId,
    /// Zero for a root.
    pub parent_span_id: SpanId,
    /// The span's name.
    pub name: Symbol,
    /// OTLP's number.
    pub kind: i32,
    /// Nanoseconds since the epoch.
    pub start: u64,
    /// Nanoseconds since the epoch.
    pub end: u64,
    /// OTLP's number.
    pub status: i32,
    /// The status message.
    pub status_message: Symbol,
    /// The trace state.
    pub trace_state: Symbol,
    /// All 32 bits.
    pub flags: u32,
    /// From [`BatchBuilder::add_resource`].
    pub resource: u32,
    /// From [`BatchBuilder::add_scope`].
    pub scope: u32,
    /// From [`BatchBuilder::finish_attributes`].
    pub attributes: Attributes,
    /// Attributes that the sender dropped.
    pub dropped_attributes: u32,
    /// Events that the sender dropped.
    pub dropped_events: u32,
    /// Links that the sender dropped.
    pub dropped_links: u32,
}

/// An event of the span that is being written.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventRow {
    /// Nanoseconds since the epoch.
    pub time: u64,
    /// The event's name.
    pub name: Symbol,
    /// The attributes.
    pub attributes: Attributes,
    /// Attributes that the sender dropped.
    pub dropped_attributes: u32,
}

/// A link of the span that is being written.
#[derive(Debug, Clone, Copy, Default)]
pub struct LinkRow {
    /// The trace that is linked to.
    pub trace_id: TraceId,
    /// The span that is linked to.
    pub span_id: SpanId,
    /// The trace state.
    pub trace_state: Symbol,
    /// The attributes.
    pub attributes: Attributes,
    /// Attributes that the sender dropped.
    pub dropped_attributes: u32,
    /// All 32 bits.
    pub flags: u32,
}

/// Attributes that are being written.
#[derive(Debug, Clone, Copy)]
pub struct AttributeCursor {
    node: u32,
    first_value: u32,
}

/// A state of the builder to come back to.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    values: usize,
    blobs: usize,
    events: usize,
    links: usize,
}

/// Writes a batch.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    pub(super) batch: SpanBatch,
    pub(super) repaired_texts: u64,
    known_resources: HashMap<u64, Vec<u32>, RandomState>,
    known_scopes: HashMap<u64, Vec<u32>, RandomState>,
    /// Where the next span's events and links begin.
    first_event: u32,
    first_link: u32,
}

impl BatchBuilder {
    /// Starts an empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The symbol of a text; what is no UTF-8 is repaired with U+FFFD and counted.
    pub fn intern(&mut self, text: &[u8]) -> Symbol {
        let (symbol, repaired) = self.batch.strings.intern(text);
        self.repaired_texts += u64::from(repaired);
        symbol
    }

    /// Texts that were no UTF-8 and were repaired.
    #[must_use]
    pub fn repaired_texts(&self) -> u64 {
        self.repaired_texts
    }

    /// The number of spans so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    /// Tells whether there is no span so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Memory held so far, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.batch.size_bytes()
    }

    /// Begins the attributes of one owner; finish them before beginning another's.
    #[must_use]
    pub fn begin_attributes(&self) -> AttributeCursor {
        AttributeCursor {
            node: 0,
            first_value: self.batch.values.len() as u32,
        }
    }

    /// Adds an attribute to the owner that was begun last.
    #[inline]
    pub fn push_attribute(
        &mut self,
        cursor: &mut AttributeCursor,
        key: &[u8],
        value: PackedValue<'_>,
    ) {
        let value_type = value.value_type();
        let (node, repaired) =
            self.batch
                .shapes
                .step(cursor.node, key, value_type, &mut self.batch.strings);
        self.repaired_texts += u64::from(repaired);
        cursor.node = node;
        let bits = self.pack(value);
        self.batch.values.push(bits);
    }

    /// The 64 bits of a value, as [`BatchBuilder::push_values`] takes them; long values are copied into the batch.
    #[inline]
    pub fn pack(&mut self, value: PackedValue<'_>) -> u64 {
        match value {
            PackedValue::Empty => 0,
            PackedValue::String(text) => u64::from(self.intern(text).0),
            PackedValue::Bool(is) => u64::from(is),
            PackedValue::Int(int) => int.cast_unsigned(),
            PackedValue::Double(double) => double.to_bits(),
            PackedValue::Array(bytes) | PackedValue::Map(bytes) | PackedValue::Bytes(bytes) => {
                self.batch.blobs.add(bytes)
            }
        }
    }

    /// Appends values that were packed for this batch, one for each field of a shape that an owner of it has already.
    pub fn push_values(&mut self, shape: ShapeId, values: &[u64]) -> Attributes {
        debug_assert_eq!(self.batch.shapes.fields(shape).len(), values.len());
        let first_value = self.batch.values.len() as u32;
        self.batch.values.extend_from_slice(values);
        Attributes {
            shape,
            first_value: if values.is_empty() { 0 } else { first_value },
        }
    }

    /// Appends an attribute whose key and value are in the batch.
    pub fn push_packed(&mut self, cursor: &mut AttributeCursor, field: FieldOfShape, bits: u64) {
        cursor.node = self.batch.shapes.step_symbol(cursor.node, field);
        self.batch.values.push(bits);
    }

    /// Ends the attributes of an owner.
    pub fn finish_attributes(&mut self, cursor: AttributeCursor) -> Attributes {
        let shape = self.batch.shapes.shape_of(cursor.node);
        Attributes {
            shape,
            first_value: if shape == ShapeId::EMPTY {
                0
            } else {
                cursor.first_value
            },
        }
    }

    /// Adds a value that is no attribute and doesn't fit elsewhere; gives its blob index + 1.
    pub fn add_blob(&mut self, bytes: &[u8]) -> u64 {
        self.batch.blobs.add(bytes) + 1
    }

    /// Adds a resource, or finds an equal one; gives its row.
    pub fn add_resource(&mut self, mut row: ResourceRow) -> u32 {
        row.service = self.service_of(row.attributes);
        let hash = self.batch.resource_hash(&row);
        let known = self.known_resources.entry(hash).or_default();
        let batch = &self.batch;
        let same = |at: &&u32| {
            batch
                .resources
                .get(**at as usize)
                .is_some_and(|r| batch.is_same_resource(r, &row))
        };
        if let Some(&at) = known.iter().find(same) {
            return at;
        }
        let at = self.batch.resources.len() as u32;
        known.push(at);
        self.batch.resources.push(row);
        at
    }

    /// Adds a scope, or finds an equal one; gives its row.
    pub fn add_scope(&mut self, row: ScopeRow) -> u32 {
        let hash = self.batch.scope_hash(&row);
        let known = self.known_scopes.entry(hash).or_default();
        let batch = &self.batch;
        let same = |at: &&u32| {
            batch
                .scopes
                .get(**at as usize)
                .is_some_and(|s| batch.is_same_scope(s, &row))
        };
        if let Some(&at) = known.iter().find(same) {
            return at;
        }
        let at = self.batch.scopes.len() as u32;
        known.push(at);
        self.batch.scopes.push(row);
        at
    }

    fn service_of(&mut self, attributes: Attributes) -> Symbol {
        let batch = &self.batch;
        let fields = batch.shapes.fields(attributes.shape);
        let found = fields
            .iter()
            .position(|f| batch.strings.get_bytes(f.key) == b"service.name");
        let text: &str = match found {
            None => SERVICE_MISSING,
            Some(at) => {
                let is_text = fields
                    .get(at)
                    .is_some_and(|f| f.value_type == ValueType::String);
                let bits = batch
                    .values
                    .get(attributes.first_value as usize + at)
                    .copied()
                    .unwrap_or(0);
                match Symbol(bits as u32) {
                    _ if !is_text => SERVICE_WRONG_TYPE,
                    Symbol::EMPTY => SERVICE_EMPTY,
                    name => return name,
                }
            }
        };
        self.intern(text.as_bytes())
    }

    /// Adds an event to the span that is being written.
    pub fn push_event(&mut self, row: EventRow) {
        let events = &mut self.batch.events;
        events.time.push(row.time);
        events.name.push(row.name);
        events.attributes.push(row.attributes);
        events.dropped_attributes.push(row.dropped_attributes);
    }

    /// Adds a link to the span that is being written.
    pub fn push_link(&mut self, row: LinkRow) {
        let links = &mut self.batch.links;
        links.trace_id.push(row.trace_id);
        links.span_id.push(row.span_id);
        links.trace_state.push(row.trace_state);
        links.attributes.push(row.attributes);
        links.dropped_attributes.push(row.dropped_attributes);
        links.flags.push(row.flags);
    }

    /// Ends a span: the events and links added since the last span are its own.
    #[allow(
        clippy::large_types_passed_by_value,
        reason = "it is taken apart into columns"
    )]
    pub fn push_span(&mut self, row: SpanRow) {
        let spans = &mut self.batch.spans;
        spans.trace_id.push(row.trace_id);
        spans.span_id.push(row.span_id);
        spans.parent_span_id.push(row.parent_span_id);
        spans.name.push(row.name);
        spans.kind.push(row.kind);
        spans.start.push(row.start);
        spans.end.push(row.end);
        spans.status.push(row.status);
        spans.status_message.push(row.status_message);
        spans.trace_state.push(row.trace_state);
        spans.flags.push(row.flags);
        spans.resource.push(row.resource);
        spans.scope.push(row.scope);
        spans.attributes.push(row.attributes);
        spans.dropped_attributes.push(row.dropped_attributes);
        spans.dropped_events.push(row.dropped_events);
        spans.dropped_links.push(row.dropped_links);
        spans.first_event.push(self.first_event);
        spans.first_link.push(self.first_link);
        self.first_event = self.batch.events.time.len() as u32;
        self.first_link = self.batch.links.trace_id.len() as u32;
    }

    /// A state to come back to; take it before a span's attributes.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark {
            values: self.batch.values.len(),
            blobs: self.batch.blobs.len(),
            events: self.batch.events.time.len(),
            links: self.batch.links.trace_id.len(),
        }
    }

    /// Forgets the attributes, events and links since the mark; no span may have been pushed since.
    pub fn roll_back(&mut self, mark: Mark) {
        let Mark {
            values,
            blobs,
            events,
            links,
        } = mark;
        self.batch.values.truncate(values);
        self.batch.blobs.truncate(blobs);
        self.batch.events.time.truncate(events);
        self.batch.events.name.truncate(events);
        self.batch.events.attributes.truncate(events);
        self.batch.events.dropped_attributes.truncate(events);
        self.batch.links.trace_id.truncate(links);
        self.batch.links.span_id.truncate(links);
        self.batch.links.trace_state.truncate(links);
        self.batch.links.attributes.truncate(links);
        self.batch.links.dropped_attributes.truncate(links);
        self.batch.links.flags.truncate(links);
    }

    /// Ends the batch.
    #[must_use]
    pub fn finish(mut self) -> SpanBatch {
        self.batch.shapes.seal();
        self.batch
    }
}
