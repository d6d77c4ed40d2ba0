//! Spans in Jaeger's model: how OTLP is translated into it, and the bytes of `jaeger.api_v2.Span`.
//!
//! Promises
//! - One translation for every writer: scope and fields of a span become tags (scope first, then the span's own
//!   attributes, then kind, status and trace state), the parent and links become references, an event's name becomes
//!   its field `event`, a resource becomes a process. Jaeger's JSON, written elsewhere, asks the same functions.
//! - Each span carries its whole process, and no process id, as Jaeger's services send it. Warnings that stand in the
//!   attribute `@jaeger@warnings` become the span's warnings.
//!
//! Lost, as Jaeger loses it: scope attributes, attributes and trace states of links, what was dropped, flags.

use std::borrow::Cow;

use model::batch::{AttrValue, Attribute, SpanRef};
use model::{SpanBatch, SpanId, TraceId, Value};
use plumbing::planted;

use crate::wire::Writer;

/// What Jaeger calls the service of a resource without any attribute, where nothing repaired it.
const SERVICE_OF_EMPTY_RESOURCE: &str = "OTLPResourceNoServiceName";
/// The attribute that names a resource's service; it is no tag of the process.
pub const SERVICE_KEY: &str = "service.name";
/// Where Jaeger keeps the warnings of a span among its attributes.
const WARNINGS_KEY: &str = "@jaeger@warnings";
const NANOS_PER_SECOND: u64 = 1_000_000_000;

const STATUS_OK: i32 = 1;
const STATUS_ERROR: i32 = 2;

/// How a span refers to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceType {
    /// The other is its parent.
    ChildOf,
    /// The other came before it.
    FollowsFrom,
}

/// A span that a span refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// How it refers to it.
    pub reference_type: ReferenceType,
    /// The other's trace; may be zero.
    pub trace_id: TraceId,
    /// The other; may be zero.
    pub span_id: SpanId,
}

impl Reference {
    /// What a link says, by its attributes.
    pub fn of_link<'a>(
        trace_id: TraceId,
        span_id: SpanId,
        attributes: impl IntoIterator<Item = Attribute<'a>>,
    ) -> Self {
        let said = attributes
            .into_iter()
            .find(|attribute| attribute.key == "opentracing.ref_type");
        let reference_type = match said.map(|attribute| attribute.value) {
            Some(AttrValue::String("child_of")) => ReferenceType::ChildOf,
            _ => ReferenceType::FollowsFrom,
        };
        Self {
            reference_type,
            trace_id,
            span_id,
        }
    }
}

/// The parent first, then the links. A link to the parent is no reference of its own: its type becomes the parent's.
#[must_use]
pub fn references(
    trace_id: TraceId,
    parent_span_id: SpanId,
    links: impl Iterator<Item = Reference>,
) -> Vec<Reference> {
    let mut references = Vec::new();
    let has_parent = !parent_span_id.is_zero();
    if has_parent {
        references.push(Reference {
            reference_type: ReferenceType::ChildOf,
            trace_id,
            span_id: parent_span_id,
        });
    }
    for link in links {
        let is_parent = has_parent && link.trace_id == trace_id && link.span_id == parent_span_id;
        match references.first_mut() {
            Some(parent) if is_parent => parent.reference_type = link.reference_type,
            _ => references.push(link),
        }
    }
    references
}

/// What OTLP says of a span beside its own attributes, and Jaeger has tags for.
#[derive(Debug, Clone, Copy, Default)]
pub struct TagFields<'a> {
    /// The scope's name; empty for none.
    pub scope_name: &'a str,
    /// The scope's version; empty for none.
    pub scope_version: &'a str,
    /// OTLP's number.
    pub kind: i32,
    /// OTLP's number.
    pub status: i32,
    /// The status message; empty for none.
    pub status_message: &'a str,
    /// The trace state; empty for none.
    pub trace_state: &'a str,
}

/// The tags of a span in their order.
pub fn tags<'a>(
    fields: TagFields<'a>,
    own: impl Iterator<Item = Attribute<'a>>,
) -> impl Iterator<Item = Attribute<'a>> {
    let text = |key, text: &'a str| {
        (!text.is_empty()).then_some(Attribute {
            key,
            value: AttrValue::String(text),
        })
    };
    let kind = kind_name(fields.kind).unwrap_or_default();
    let status = match fields.status {
        STATUS_OK => "OK",
        STATUS_ERROR => "ERROR",
        _ => "",
    };
    let error = (fields.status == STATUS_ERROR).then_some(Attribute {
        key: "error",
        value: AttrValue::Bool(true),
    });
    let of_scope = [
        text("otel.scope.name", fields.scope_name),
        text("otel.scope.version", fields.scope_version),
    ];
    let of_fields = [
        text("span.kind", kind),
        text("otel.status_code", status),
        error,
        text("otel.status_description", fields.status_message),
        text("w3c.tracestate", fields.trace_state),
    ];
    let (first, second) = if planted("jaeger-tag-order") {
        (of_fields.to_vec(), of_scope.to_vec())
    } else {
        (of_scope.to_vec(), of_fields.to_vec())
    };
    let (first, second) = (first.into_iter().flatten(), second.into_iter().flatten());
    first.chain(own).chain(second)
}

/// The name of a span's kind; none for kind 0 and numbers that OTLP doesn't know.
#[must_use]
pub fn kind_name(kind: i32) -> Option<&'static str> {
    match kind {
        1 => Some("internal"),
        2 => Some("server"),
        3 => Some("client"),
        4 => Some("producer"),
        5 => Some("consumer"),
        _ => None,
    }
}

/// The name of an event as a field, unless an attribute is called so.
pub fn event_field<'a>(
    name: &'a str,
    mut attributes: impl Iterator<Item = Attribute<'a>>,
) -> Option<Attribute<'a>> {
    let is_named = !name.is_empty() && attributes.all(|attribute| attribute.key != "event");
    is_named.then_some(Attribute {
        key: "event",
        value: AttrValue::String(name),
    })
}

/// The name of a process: that of the resource's service.
pub fn service_name<'a>(attributes: impl ExactSizeIterator<Item = Attribute<'a>>) -> Cow<'a, str> {
    let is_empty = attributes.len() == 0;
    let mut attributes = attributes;
    let named = attributes.find(|attribute| attribute.key == SERVICE_KEY);
    match named {
        Some(attribute) => attribute.value.canonical_text(),
        None if is_empty => Cow::Borrowed(SERVICE_OF_EMPTY_RESOURCE),
        None => Cow::Borrowed(""),
    }
}

/// A tag's value: what Jaeger has no type for is a text.
#[derive(Debug, Clone, PartialEq)]
pub enum TagValue<'a> {
    /// Text, and arrays and maps as JSON.
    Text(Cow<'a, str>),
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// Bytes.
    Binary(&'a [u8]),
}

impl<'a> TagValue<'a> {
    /// The value of an attribute.
    #[must_use]
    pub fn of(value: AttrValue<'a>) -> Self {
        match value {
            AttrValue::Empty | AttrValue::String(_) | AttrValue::Array(_) | AttrValue::Map(_) => {
                Self::Text(value.canonical_text())
            }
            AttrValue::Bool(is) => Self::Bool(is),
            AttrValue::Int(int) => Self::Int(int),
            AttrValue::Double(double) => Self::Double(double),
            AttrValue::Bytes(bytes) => Self::Binary(bytes),
        }
    }
}

/// A batch whose spans can be written in Jaeger's model; a resource that many spans share is written once.
#[derive(Debug)]
pub struct JaegerSpans<'a> {
    batch: &'a SpanBatch,
    /// The row of the resource that was written last, and its bytes as a `Process`.
    process: Option<(u32, Vec<u8>)>,
}

impl<'a> JaegerSpans<'a> {
    /// Begins with a batch.
    #[must_use]
    pub fn new(batch: &'a SpanBatch) -> Self {
        Self {
            batch,
            process: None,
        }
    }

    /// Writes a span as a field of a message, with its process; nothing for a row beyond the last.
    pub fn push(&mut self, out: &mut Writer, field: u32, row: usize) {
        if row < self.batch.len() {
            out.message(field, |out| self.write(out, row));
        }
    }

    /// Writes a span as a message, with its process; nothing for a row beyond the last.
    pub fn write(&mut self, out: &mut Writer, row: usize) {
        let Some(span) = self.batch.span(row) else {
            return;
        };
        let resource = span.resource_row();
        let is_known = matches!(&self.process, Some((row, _)) if *row == resource);
        if !is_known {
            self.process = Some((resource, process_bytes(span)));
        }
        let process = self.process.as_ref().map_or(&[][..], |(_, bytes)| bytes);
        put_span(out, span, process);
    }
}

fn process_bytes(span: SpanRef<'_>) -> Vec<u8> {
    let resource = span.resource();
    let mut out = Writer::new();
    put_text(&mut out, 1, &service_name(resource.attributes()));
    for tag in process_tags(resource.attributes()) {
        put_tag(&mut out, 2, tag);
    }
    out.into_bytes()
}

fn put_span(out: &mut Writer, span: SpanRef<'_>, process: &[u8]) {
    out.bytes_field(1, &span.trace_id().0);
    out.bytes_field(2, &span.span_id().0);
    put_text(out, 3, span.name());
    let links = span
        .links()
        .map(|link| Reference::of_link(link.trace_id(), link.span_id(), link.attributes()));
    for reference in references(span.trace_id(), span.parent_span_id(), links) {
        out.message(4, |out| {
            out.bytes_field(1, &reference.trace_id.0);
            out.bytes_field(2, &reference.span_id.0);
            if reference.reference_type == ReferenceType::FollowsFrom {
                out.varint_field(3, 1);
            }
        });
    }
    put_moment(out, 6, span.start());
    // A span that ends before it starts took no time.
    put_moment(out, 7, u64::try_from(span.duration()).unwrap_or(0));
    for tag in span_tags(&span) {
        put_tag(out, 8, tag);
    }
    for event in span.events() {
        out.message(9, |out| {
            put_moment(out, 1, event.time());
            for field in event_field(event.name(), event.attributes())
                .into_iter()
                .chain(event.attributes())
            {
                put_tag(out, 2, field);
            }
        });
    }
    out.bytes_field(10, process);
    for warning in warnings(span) {
        out.bytes_field(12, warning.as_bytes());
    }
}

/// The tags of a span, but for its warnings, which have a place of their own.
pub(crate) fn span_tags<'a>(span: &'a SpanRef<'a>) -> impl Iterator<Item = Attribute<'a>> {
    let scope = span.scope();
    let fields = TagFields {
        scope_name: scope.name(),
        scope_version: scope.version(),
        kind: span.kind(),
        status: span.status(),
        status_message: span.status_message(),
        trace_state: span.trace_state(),
    };
    let own = span.attributes();
    tags(fields, own.filter(|tag| tag.key != WARNINGS_KEY))
}

/// The tags of a span that is kept for good: that it failed is said by `error` alone.
pub(crate) fn stored_tags<'a>(span: &'a SpanRef<'a>) -> impl Iterator<Item = Attribute<'a>> {
    let (scope, has_failed) = (span.scope(), span.status() == STATUS_ERROR);
    let fields = TagFields {
        scope_name: scope.name(),
        scope_version: scope.version(),
        kind: span.kind(),
        status: if has_failed { 0 } else { span.status() },
        status_message: span.status_message(),
        trace_state: span.trace_state(),
    };
    let error = has_failed.then_some(Attribute {
        key: "error",
        value: AttrValue::Bool(true),
    });
    tags(fields, span.attributes()).chain(error)
}

/// The tags of a process: a resource's attributes but for the service.
pub(crate) fn process_tags<'a>(
    attributes: impl Iterator<Item = Attribute<'a>>,
) -> impl Iterator<Item = Attribute<'a>> {
    attributes.filter(|attribute| attribute.key != SERVICE_KEY)
}

/// The warnings among a span's attributes.
pub(crate) fn warnings(span: SpanRef<'_>) -> Vec<String> {
    let named = span.attributes().filter(|tag| tag.key == WARNINGS_KEY);
    let texts = named.flat_map(|tag| match tag.value.to_value() {
        Value::Array(texts) => texts.iter().map(Value::canonical_text).collect(),
        other => vec![other.canonical_text()],
    });
    texts.collect()
}

/// A `Timestamp` or a `Duration`, which are there even when they are zero.
fn put_moment(out: &mut Writer, field: u32, nanos: u64) {
    out.message(field, |out| {
        let (seconds, rest) = (nanos / NANOS_PER_SECOND, nanos % NANOS_PER_SECOND);
        if seconds != 0 {
            out.varint_field(1, seconds);
        }
        if rest != 0 {
            out.varint_field(2, rest);
        }
    });
}

fn put_tag(out: &mut Writer, field: u32, tag: Attribute<'_>) {
    out.message(field, |out| {
        put_text(out, 1, tag.key);
        match TagValue::of(tag.value) {
            TagValue::Text(text) => put_text(out, 3, &text),
            TagValue::Bool(is) => {
                out.varint_field(2, 1);
                if is {
                    out.varint_field(4, 1);
                }
            }
            TagValue::Int(int) => {
                out.varint_field(2, 2);
                if int != 0 {
                    out.varint_field(5, int.cast_unsigned());
                }
            }
            TagValue::Double(double) => {
                out.varint_field(2, 3);
                if double.to_bits() != 0 {
                    out.fixed64_field(6, double.to_bits());
                }
            }
            TagValue::Binary(bytes) => {
                out.varint_field(2, 4);
                if !bytes.is_empty() {
                    out.bytes_field(7, bytes);
                }
            }
        }
    });
}

fn put_text(out: &mut Writer, field: u32, text: &str) {
    if !text.is_empty() {
        out.bytes_field(field, text.as_bytes());
    }
}
