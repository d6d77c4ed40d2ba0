//! Batches to OTLP/JSON: the text of a `TracesData`, which is also that of an export request.
//!
//! Promises: decoding gives the same spans in the same order. Strict on the way out: lowerCamelCase names, ids in
//! small hexadecimal, enums as numbers, 64-bit numbers as text, bytes as padded base64, NaN and the infinities as
//! text. Fields that hold their default are left out, but every span has a `status`, as Jaeger writes it.
//!
//! Recursion is bounded by [`VALUE_DEPTH_MAX`].

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::SpanBatch;
use model::batch::{AttrValue, Attribute, EventRef, LinkRef, SpanRef};
use model::value::packed::{VALUE_DEPTH_MAX, array_from_bytes, map_from_bytes};
use model::value::{Value, number_text};

use super::encode::{RESOURCE_ENTITY_REFS, runs};
use crate::json::write::Json;
use crate::wire::{Field, Reader};

/// A guess at the characters of a span, to begin with enough memory.
const SPAN_CHARS_GUESS: usize = 768;

/// The batch as the OTLP/JSON text of a `TracesData`.
#[must_use]
pub fn encode_json(batch: &SpanBatch) -> String {
    let mut out = Json::new(String::with_capacity(batch.len() * SPAN_CHARS_GUESS));
    out.object(|out| {
        let mut resource_runs =
            runs(0..batch.len(), |row| batch.spans().resource.get(row)).peekable();
        if resource_runs.peek().is_some() {
            out.list("resourceSpans", resource_runs, |out, rows| {
                put_resource_spans(out, batch, rows);
            });
        }
    });
    out.text
}

/// Appends the `ResourceSpans` of a batch to a list of them that is being written; the first of the list comes to an
/// empty text, or behind its `[`.
pub fn push_resource_spans_json(text: &mut String, batch: &SpanBatch) {
    text.reserve(batch.len() * SPAN_CHARS_GUESS);
    let mut out = Json::new(std::mem::take(text));
    for rows in runs(0..batch.len(), |row| batch.spans().resource.get(row)) {
        out.separate();
        out.object(|out| put_resource_spans(out, batch, rows));
    }
    *text = out.text;
}

fn put_resource_spans(out: &mut Json, batch: &SpanBatch, rows: Range<usize>) {
    let Some(first) = batch.span(rows.start) else {
        return;
    };
    let resource = first.resource();
    if resource.row().is_present {
        out.member_object("resource", |out| {
            put_attributes(out, resource.attributes());
            out.member_number("droppedAttributesCount", resource.row().dropped_attributes);
            put_entity_refs(out, resource.entity_refs());
        });
    }
    let scope_runs = runs(rows, |row| batch.spans().scope.get(row));
    out.list("scopeSpans", scope_runs, |out, rows| {
        put_scope_spans(out, batch, rows);
    });
    out.member_text("schemaUrl", resource.schema_url());
}

fn put_scope_spans(out: &mut Json, batch: &SpanBatch, rows: Range<usize>) {
    let Some(first) = batch.span(rows.start) else {
        return;
    };
    let scope = first.scope();
    if scope.row().is_present {
        out.member_object("scope", |out| {
            out.member_text("name", scope.name());
            out.member_text("version", scope.version());
            put_attributes(out, scope.attributes());
            out.member_number("droppedAttributesCount", scope.row().dropped_attributes);
        });
    }
    out.list("spans", rows.filter_map(|row| batch.span(row)), put_span);
    out.member_text("schemaUrl", scope.schema_url());
}

fn put_span(out: &mut Json, span: SpanRef<'_>) {
    let (dropped_attributes, dropped_events, dropped_links) = span.dropped();
    out.member_id("traceId", span.trace_id(), false);
    out.member_id("spanId", span.span_id(), false);
    out.member_text("traceState", span.trace_state());
    out.member_id(
        "parentSpanId",
        span.parent_span_id(),
        span.parent_span_id().is_zero(),
    );
    out.member_number("flags", span.flags());
    out.member_text("name", span.name());
    out.member_number("kind", span.kind());
    out.member_nanos("startTimeUnixNano", span.start());
    out.member_nanos("endTimeUnixNano", span.end());
    put_attributes(out, span.attributes());
    out.member_number("droppedAttributesCount", dropped_attributes);
    if span.events().len() > 0 {
        out.list("events", span.events(), put_event);
    }
    out.member_number("droppedEventsCount", dropped_events);
    if span.links().len() > 0 {
        out.list("links", span.links(), put_link);
    }
    out.member_number("droppedLinksCount", dropped_links);
    out.member_object("status", |out| {
        out.member_text("message", span.status_message());
        out.member_number("code", span.status());
    });
}

fn put_event(out: &mut Json, event: EventRef<'_>) {
    out.member_nanos("timeUnixNano", event.time());
    out.member_text("name", event.name());
    put_attributes(out, event.attributes());
    out.member_number("droppedAttributesCount", event.dropped_attributes());
}

fn put_link(out: &mut Json, link: LinkRef<'_>) {
    out.member_id("traceId", link.trace_id(), link.trace_id().is_zero());
    out.member_id("spanId", link.span_id(), link.span_id().is_zero());
    out.member_text("traceState", link.trace_state());
    put_attributes(out, link.attributes());
    out.member_number("droppedAttributesCount", link.dropped_attributes());
    out.member_number("flags", link.flags());
}

fn put_attributes<'a>(out: &mut Json, attributes: impl ExactSizeIterator<Item = Attribute<'a>>) {
    if attributes.len() == 0 {
        return;
    }
    out.list("attributes", attributes, |out, Attribute { key, value }| {
        out.member_text("key", key);
        out.member_object("value", |out| match value {
            AttrValue::String(text) => {
                out.key("stringValue");
                out.string(text);
            }
            AttrValue::Array(bytes) => put_array(out, &array_from_bytes(bytes), 1),
            AttrValue::Map(bytes) => put_map(out, &map_from_bytes(bytes), 1),
            AttrValue::Empty
            | AttrValue::Bool(_)
            | AttrValue::Int(_)
            | AttrValue::Double(_)
            | AttrValue::Bytes(_) => {
                put_value(out, &value.to_value(), 1);
            }
        });
    });
}

/// Writes the member of an `AnyValue`; nothing for the empty value. `depth` is the level of the list around it.
fn put_value(out: &mut Json, value: &Value, depth: usize) {
    match value {
        Value::Empty => {}
        Value::String(text) => {
            out.key("stringValue");
            out.string(text);
        }
        Value::Bool(is) => {
            out.key("boolValue");
            out.text.push_str(if *is { "true" } else { "false" });
        }
        Value::Int(int) => {
            out.key("intValue");
            out.quoted(int);
        }
        Value::Double(double) => {
            out.key("doubleValue");
            let text = number_text(*double);
            if double.is_finite() {
                push_number(&mut out.text, &text);
            } else {
                out.quoted(text);
            }
        }
        Value::Bytes(bytes) => {
            out.key("bytesValue");
            out.quoted(STANDARD.encode(bytes));
        }
        Value::Array(_) | Value::Map(_) if depth >= VALUE_DEPTH_MAX => {}
        Value::Array(values) => put_array(out, values, depth + 1),
        Value::Map(pairs) => put_map(out, pairs, depth + 1),
    }
}

/// Writes a number as OTLP/JSON's usual writer does: an exponent has two digits.
fn push_number(out: &mut String, text: &str) {
    match text.split_once("e-") {
        Some((digits, exponent)) if exponent.len() == 1 => {
            out.push_str(digits);
            out.push_str("e-0");
            out.push_str(exponent);
        }
        _ => out.push_str(text),
    }
}

fn put_array(out: &mut Json, values: &[Value], depth: usize) {
    out.member_object("arrayValue", |out| {
        if !values.is_empty() {
            out.list("values", values, |out, value| put_value(out, value, depth));
        }
    });
}

fn put_map(out: &mut Json, pairs: &[(String, Value)], depth: usize) {
    out.member_object("kvlistValue", |out| {
        if pairs.is_empty() {
            return;
        }
        out.list("values", pairs, |out, (key, value)| {
            out.member_text("key", key);
            out.member_object("value", |out| put_value(out, value, depth));
        });
    });
}

/// Writes the entity refs of a resource from their protobuf fields.
fn put_entity_refs(out: &mut Json, fields: &[u8]) {
    let messages: Vec<&[u8]> = texts(fields, RESOURCE_ENTITY_REFS).collect();
    if messages.is_empty() {
        return;
    }
    out.list("entityRefs", messages, |out, message| {
        for (number, name) in [(1, "schemaUrl"), (2, "type")] {
            let text = texts(message, number).last().unwrap_or_default();
            out.member_text(name, &String::from_utf8_lossy(text));
        }
        for (number, name) in [(3, "idKeys"), (4, "descriptionKeys")] {
            let mut keys = texts(message, number).peekable();
            if keys.peek().is_some() {
                out.key(name);
                out.contained('[', ']', |out| {
                    for key in keys {
                        out.separate();
                        out.string(&String::from_utf8_lossy(key));
                    }
                });
            }
        }
    });
}

/// The contents of all fields of a number that hold bytes.
fn texts(message: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    let mut reader = Reader::new(message);
    let fields = std::iter::from_fn(move || reader.next_field().ok().flatten());
    fields.filter_map(move |next| match next {
        (found, Field::Bytes(text)) if found == number => Some(text),
        _ => None,
    })
}
