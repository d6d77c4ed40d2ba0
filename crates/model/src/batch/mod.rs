//! The unit that flows: a batch of spans as columns, with every text once.
//!
//! A [`SpanBatch`] is a structure of arrays. Texts are [`Symbol`]s into the batch's own table; resources and scopes
//! are small tables that rows point into; the attributes of an owner (span, event, link, resource, scope) are a
//! *shape*, the ordered list of its keys and types, and a run of 64-bit values. Shapes repeat, so most spans cost
//! one number for all their keys. Everything of OTLP's model is kept: order, duplicates, types, dropped counts.
//!
//! A batch never changes once [`BatchBuilder::finish`] made it, so readers share it without locks. Batches are
//! merged by [`BatchBuilder::append_rows`].
//!
//! Read next: `builder.rs` for writing, `view.rs` for reading one span, `table.rs` for texts and shapes.

mod builder;
mod hash;
mod merge;
mod table;
#[cfg(test)]
mod tests;
mod view;

pub use builder::{
    AttributeCursor, BatchBuilder, EventRow, LinkRow, Mark, PackedValue, ResourceRow, ScopeRow,
    SpanRow,
};
pub use table::{Attributes, BlobTable, FieldOfShape, ShapeId, ShapeTable, StringTable, Symbol};
pub use view::{AttrValue, Attribute, EventRef, LinkRef, ResourceRef, ScopeRef, SpanRef};

use crate::{SpanId, TraceId};

/// What is shown as the service when the resource has no `service.name`; Jaeger's words.
pub const SERVICE_MISSING: &str = "missing-service-name";
/// What is shown as the service when `service.name` is empty; Jaeger's words.
pub const SERVICE_EMPTY: &str = "empty-service-name";
/// What is shown as the service when `service.name` is not text; Jaeger's words.
pub const SERVICE_WRONG_TYPE: &str = "service-name-wrong-type";

/// The columns of the spans; all have the same length.
#[derive(Debug, Clone, Default)]
pub struct SpanColumns {
    /// Never zero.
    pub trace_id: Vec<TraceId>,
    /// Never zero.
    pub span_id: Vec<SpanId>,
    /// Zero for a root.
    pub parent_span_id: Vec<SpanId>,
    /// The span's name.
    pub name: Vec<Symbol>,
    /// OTLP's number, which may be one that OTLP does not know.
    pub kind: Vec<i32>,
    /// Nanoseconds since the epoch, as sent.
    pub start: Vec<u64>,
    /// Nanoseconds since the epoch, as sent; may be before the start.
    pub end: Vec<u64>,
    /// OTLP's number, which may be one that OTLP does not know.
    pub status: Vec<i32>,
    /// The status message.
    pub status_message: Vec<Symbol>,
    /// The trace state.
    pub trace_state: Vec<Symbol>,
    /// All 32 bits as sent.
    pub flags: Vec<u32>,
    /// Row in [`SpanBatch::resources`].
    pub resource: Vec<u32>,
    /// Row in [`SpanBatch::scopes`].
    pub scope: Vec<u32>,
    /// The attributes.
    pub attributes: Vec<Attributes>,
    /// Attributes that the sender dropped.
    pub dropped_attributes: Vec<u32>,
    /// Events that the sender dropped.
    pub dropped_events: Vec<u32>,
    /// Links that the sender dropped.
    pub dropped_links: Vec<u32>,
    /// The first event; the span's events end where the next row's begin.
    pub first_event: Vec<u32>,
    /// The first link; the span's links end where the next row's begin.
    pub first_link: Vec<u32>,
}

/// The columns of the events, in the order of their spans.
#[derive(Debug, Clone, Default)]
pub struct EventColumns {
    /// Nanoseconds since the epoch, as sent.
    pub time: Vec<u64>,
    /// The event's name.
    pub name: Vec<Symbol>,
    /// The attributes.
    pub attributes: Vec<Attributes>,
    /// Attributes that the sender dropped.
    pub dropped_attributes: Vec<u32>,
}

/// The columns of the links, in the order of their spans.
#[derive(Debug, Clone, Default)]
pub struct LinkColumns {
    /// The trace that is linked to; may be zero.
    pub trace_id: Vec<TraceId>,
    /// The span that is linked to; may be zero.
    pub span_id: Vec<SpanId>,
    /// The trace state.
    pub trace_state: Vec<Symbol>,
    /// The attributes.
    pub attributes: Vec<Attributes>,
    /// Attributes that the sender dropped.
    pub dropped_attributes: Vec<u32>,
    /// All 32 bits as sent.
    pub flags: Vec<u32>,
}

/// A batch of spans as columns.
#[derive(Debug, Clone, Default)]
pub struct SpanBatch {
    strings: StringTable,
    blobs: BlobTable,
    shapes: ShapeTable,
    values: Vec<u64>,
    resources: Vec<ResourceRow>,
    scopes: Vec<ScopeRow>,
    spans: SpanColumns,
    events: EventColumns,
    links: LinkColumns,
}

impl SpanBatch {
    /// The number of spans.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.trace_id.len()
    }

    /// Tells whether there is no span.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.trace_id.is_empty()
    }

    /// The texts.
    #[must_use]
    pub fn strings(&self) -> &StringTable {
        &self.strings
    }

    /// The values that are bytes, arrays or maps.
    #[must_use]
    pub fn blobs(&self) -> &BlobTable {
        &self.blobs
    }

    /// The shapes.
    #[must_use]
    pub fn shapes(&self) -> &ShapeTable {
        &self.shapes
    }

    /// The values of all attributes; see [`Attributes`].
    #[must_use]
    pub fn values(&self) -> &[u64] {
        &self.values
    }

    /// The distinct resources.
    #[must_use]
    pub fn resources(&self) -> &[ResourceRow] {
        &self.resources
    }

    /// The distinct scopes.
    #[must_use]
    pub fn scopes(&self) -> &[ScopeRow] {
        &self.scopes
    }

    /// The spans' columns.
    #[must_use]
    pub fn spans(&self) -> &SpanColumns {
        &self.spans
    }

    /// The events' columns.
    #[must_use]
    pub fn events(&self) -> &EventColumns {
        &self.events
    }

    /// The links' columns.
    #[must_use]
    pub fn links(&self) -> &LinkColumns {
        &self.links
    }

    /// What a span takes in memory, without its texts and attributes.
    pub const SPAN_BYTES_MIN: usize = 108;

    /// Memory held, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        // Fixed columns: 16+8+8+4+4+8+8+4+4+4+4+4+4+8+12+8 bytes a span, 24 an event, 48 a link.
        self.strings.size_bytes()
            + self.blobs.size_bytes()
            + self.shapes.size_bytes()
            + self.values.capacity() * 8
            + (self.resources.len() + self.scopes.len()) * 48
            + self.spans.trace_id.capacity() * Self::SPAN_BYTES_MIN
            + self.events.time.capacity() * 24
            + self.links.trace_id.capacity() * 48
    }
}
