//! Batches to OTLP/protobuf: the bytes of an `ExportTraceServiceRequest`.
//!
//! Promises: decoding gives the same spans in the same order, with everything that a batch holds. Spans that follow
//! one another and share a resource (and a scope) share an envelope; the order of the spans is never changed for it.
//! Fields that hold protobuf's default are left out.

use std::ops::Range;

use model::SpanBatch;
use model::batch::{AttrValue, Attribute, EventRef, LinkRef, PackedValue, SpanRef};

use super::value::{field, put_value};
use crate::wire::Writer;

/// The field of a resource that says which attributes name entities.
pub(super) const RESOURCE_ENTITY_REFS: u32 = 3;
/// A guess at the bytes of a span, to begin with enough memory.
const SPAN_BYTES_GUESS: usize = 256;
/// The most that the envelopes around a span, a scope and a resource take: a byte and a length each.
const ENVELOPES_BYTES_MAX: usize = 3 * 6;

/// The batch as the bytes of an `ExportTraceServiceRequest`.
///
/// *Cost*: allocates the result; every byte is written once and moved at most four times.
#[must_use]
pub fn encode_proto(batch: &SpanBatch) -> Vec<u8> {
    encode_rows(batch, 0..batch.len())
}

/// As many of the rows from the first on as fit into so many bytes, at least one; gives the row behind the last too.
///
/// *Cost*: what is encoded is encoded twice, once to be measured. Memory is that of the result and of one span.
#[must_use]
pub fn encode_proto_part(
    batch: &SpanBatch,
    rows: Range<usize>,
    bytes_max: usize,
) -> (Vec<u8>, usize) {
    let from = rows.start;
    let end = rows_within(batch, rows, bytes_max);
    (encode_rows(batch, from..end), end)
}

fn encode_rows(batch: &SpanBatch, rows: Range<usize>) -> Vec<u8> {
    let mut out = Writer::with_capacity(rows.len() * SPAN_BYTES_GUESS);
    for run in runs(rows, |row| batch.spans().resource.get(row)) {
        out.message(1, |out| put_resource_spans(out, batch, run));
    }
    out.into_bytes()
}

/// The row behind the last that fits; a resource and a scope count again wherever they are written again.
fn rows_within(batch: &SpanBatch, rows: Range<usize>, bytes_max: usize) -> usize {
    let (mut sum, mut before) = (0, None);
    let mut scratch = Writer::new();
    let Range { start: from, end } = rows;
    for row in from..end {
        let Some(span) = batch.span(row) else {
            return row;
        };
        scratch.clear();
        let (resource, scope) = (span.resource_row(), span.scope_row());
        let is_of_run = matches!(before, Some((known, _)) if known == resource);
        if !is_of_run {
            put_resource(&mut scratch, span);
            put_text(&mut scratch, 3, span.resource().schema_url());
        }
        if !is_of_run || before != Some((resource, scope)) {
            put_scope(&mut scratch, span);
            put_text(&mut scratch, 3, span.scope().schema_url());
        }
        put_span(&mut scratch, span);
        sum += scratch.as_bytes().len() + ENVELOPES_BYTES_MAX;
        if sum > bytes_max && row > from {
            return row;
        }
        before = Some((resource, scope));
    }
    end
}

/// Cuts rows into runs of equal keys.
pub(super) fn runs<'a, K: PartialEq + 'a>(
    rows: Range<usize>,
    key: impl Fn(usize) -> K + 'a,
) -> impl Iterator<Item = Range<usize>> + 'a {
    let mut next = rows.start;
    std::iter::from_fn(move || {
        let start = next;
        if start >= rows.end {
            return None;
        }
        let first = key(start);
        next = (start + 1..rows.end)
            .find(|row| key(*row) != first)
            .unwrap_or(rows.end);
        Some(start..next)
    })
}

fn put_resource_spans(out: &mut Writer, batch: &SpanBatch, rows: Range<usize>) {
    let Some(first) = batch.span(rows.start) else {
        return;
    };
    put_resource(out, first);
    for run in runs(rows, |row| batch.spans().scope.get(row)) {
        out.message(2, |out| put_scope_spans(out, batch, run));
    }
    put_text(out, 3, first.resource().schema_url());
}

fn put_resource(out: &mut Writer, span: SpanRef<'_>) {
    let resource = span.resource();
    if resource.row().is_present {
        out.message(1, |out| {
            put_attributes(out, 1, resource.attributes());
            put_count(out, 2, resource.row().dropped_attributes);
            out.raw(resource.entity_refs());
        });
    }
}

fn put_scope_spans(out: &mut Writer, batch: &SpanBatch, rows: Range<usize>) {
    let Some(first) = batch.span(rows.start) else {
        return;
    };
    put_scope(out, first);
    for span in rows.filter_map(|row| batch.span(row)) {
        out.message(2, |out| put_span(out, span));
    }
    put_text(out, 3, first.scope().schema_url());
}

fn put_scope(out: &mut Writer, span: SpanRef<'_>) {
    let scope = span.scope();
    if scope.row().is_present {
        out.message(1, |out| {
            put_text(out, 1, scope.name());
            put_text(out, 2, scope.version());
            put_attributes(out, 3, scope.attributes());
            put_count(out, 4, scope.row().dropped_attributes);
        });
    }
}

fn put_span(out: &mut Writer, span: SpanRef<'_>) {
    let (dropped_attributes, dropped_events, dropped_links) = span.dropped();
    out.bytes_field(1, &span.trace_id().0);
    out.bytes_field(2, &span.span_id().0);
    put_text(out, 3, span.trace_state());
    if !span.parent_span_id().is_zero() {
        out.bytes_field(4, &span.parent_span_id().0);
    }
    put_text(out, 5, span.name());
    put_number(out, 6, span.kind());
    put_fixed64(out, 7, span.start());
    put_fixed64(out, 8, span.end());
    put_attributes(out, 9, span.attributes());
    put_count(out, 10, dropped_attributes);
    for event in span.events() {
        out.message(11, |out| put_event(out, event));
    }
    put_count(out, 12, dropped_events);
    for link in span.links() {
        out.message(13, |out| put_link(out, link));
    }
    put_count(out, 14, dropped_links);
    if span.status() != 0 || !span.status_message().is_empty() {
        out.message(15, |out| {
            put_text(out, 2, span.status_message());
            put_number(out, 3, span.status());
        });
    }
    put_fixed32(out, 16, span.flags());
}

fn put_event(out: &mut Writer, event: EventRef<'_>) {
    put_fixed64(out, 1, event.time());
    put_text(out, 2, event.name());
    put_attributes(out, 3, event.attributes());
    put_count(out, 4, event.dropped_attributes());
}

fn put_link(out: &mut Writer, link: LinkRef<'_>) {
    if !link.trace_id().is_zero() {
        out.bytes_field(1, &link.trace_id().0);
    }
    if !link.span_id().is_zero() {
        out.bytes_field(2, &link.span_id().0);
    }
    put_text(out, 3, link.trace_state());
    put_attributes(out, 4, link.attributes());
    put_count(out, 5, link.dropped_attributes());
    put_fixed32(out, 6, link.flags());
}

fn put_attributes<'a>(
    out: &mut Writer,
    number: u32,
    attributes: impl Iterator<Item = Attribute<'a>>,
) {
    for Attribute { key, value } in attributes {
        out.message(number, |out| {
            put_text(out, field::KEY, key);
            out.message(field::VALUE, |out| put_value(out, packed(value)));
        });
    }
}

fn packed(value: AttrValue<'_>) -> PackedValue<'_> {
    match value {
        AttrValue::Empty => PackedValue::Empty,
        AttrValue::String(text) => PackedValue::String(text.as_bytes()),
        AttrValue::Bool(is) => PackedValue::Bool(is),
        AttrValue::Int(int) => PackedValue::Int(int),
        AttrValue::Double(double) => PackedValue::Double(double),
        AttrValue::Array(list) => PackedValue::Array(list),
        AttrValue::Map(list) => PackedValue::Map(list),
        AttrValue::Bytes(bytes) => PackedValue::Bytes(bytes),
    }
}

fn put_text(out: &mut Writer, number: u32, text: &str) {
    if !text.is_empty() {
        out.bytes_field(number, text.as_bytes());
    }
}

fn put_count(out: &mut Writer, number: u32, count: u32) {
    if count != 0 {
        out.varint_field(number, u64::from(count));
    }
}

fn put_number(out: &mut Writer, number: u32, value: i32) {
    if value != 0 {
        // Protobuf writes negative numbers of 32 bits as 64 bits.
        out.varint_field(number, i64::from(value).cast_unsigned());
    }
}

fn put_fixed64(out: &mut Writer, number: u32, value: u64) {
    if value != 0 {
        out.fixed64_field(number, value);
    }
}

fn put_fixed32(out: &mut Writer, number: u32, value: u32) {
    if value != 0 {
        out.fixed32_field(number, value);
    }
}
