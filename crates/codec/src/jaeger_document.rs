//! Spans as documents in Elasticsearch and OpenSearch, in Jaeger's layout.
//!
//! Promises
//! - A document is what Jaeger 2.20 writes for the same span, member by member; who reads Jaeger's documents reads
//!   these.
//! - The same span gives the same text, and so the same id, whenever it is written.
//! - Spans that Jaeger loses are kept: a number that JSON can't say (NaN, the infinities) is a text of the type
//!   `float64`, and flags over the largest signed number are a negative one.
//! - Nothing is added that was not sent: what Jaeger's collector repairs first (names that are empty, ends that are not
//!   behind the start) is written as it is.
//!
//! Lost, as Jaeger loses it: what is shorter than a microsecond, scope attributes, attributes and trace states of
//! links, schemas, what was dropped, the types within arrays and maps, an end before the start.
//!
//! Source: Jaeger's Elasticsearch schema, recorded in `tests/golden/elasticsearch`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use model::batch::{AttrValue, Attribute, SpanRef};
use model::value::number_text;

use crate::jaeger_encode::{
    Reference, ReferenceType, event_field, process_tags, references, stored_tags,
};
use crate::json::write::Json;

const NANOS_PER_MICRO: u64 = 1_000;
const MICROS_PER_MILLI: u64 = 1_000;
/// Tags that are always members of their own.
const KEYS_OF_FIELDS: [&str; 2] = ["error", "span.kind"];

/// Which tags are members of the object `tag`, where they are found without nested queries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TagsAsFields {
    /// `error` and `span.kind` alone.
    #[default]
    Few,
    /// These too.
    Some(BTreeSet<String>),
    /// All but bytes.
    All,
}

/// How documents are laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentLayout {
    /// Which tags are members of their own.
    pub tags_as_fields: TagsAsFields,
    /// What stands for a dot in such a member's name.
    pub dot: String,
    /// Whether a span has the member `endTime`, which Jaeger does not know and passes over.
    pub has_end: bool,
}

impl Default for DocumentLayout {
    fn default() -> Self {
        Self {
            tags_as_fields: TagsAsFields::default(),
            dot: "@".to_owned(),
            has_end: false,
        }
    }
}

impl DocumentLayout {
    /// The name of a member for a tag, where it has one.
    fn field(&self, tag: &Attribute<'_>) -> Option<String> {
        let is_field = match (&self.tags_as_fields, tag.value) {
            (_, AttrValue::Bytes(_)) => false,
            (TagsAsFields::All, _) => true,
            (TagsAsFields::Some(keys), _) if keys.contains(tag.key) => true,
            (TagsAsFields::Some(_) | TagsAsFields::Few, _) => KEYS_OF_FIELDS.contains(&tag.key),
        };
        is_field.then(|| tag.key.replace('.', &self.dot))
    }
}

/// Writes a span's document behind a text.
pub fn write_span(text: &mut String, span: SpanRef<'_>, layout: &DocumentLayout) {
    let mut out = Json::new(std::mem::take(text));
    out.object(|out| put_span(out, span, layout));
    *text = out.text;
}

/// The id of a span's document: its ids, and the hash of its text, so that writing it again changes nothing and spans
/// that share ids stay apart.
#[must_use]
pub fn span_document_id(span: SpanRef<'_>, text: &str) -> String {
    let hash = fnv1a([text]);
    format!("{}_{}_{hash:016x}", span.trace_id(), span.span_id())
}

/// Writes the document that says that a service has an operation behind a text.
pub fn write_service(text: &mut String, service: &str, operation: &str) {
    let mut out = Json::new(std::mem::take(text));
    out.object(|out| {
        put_text(out, "serviceName", service);
        put_text(out, "operationName", operation);
    });
    *text = out.text;
}

/// The id of the document that says that a service has an operation.
#[must_use]
pub fn service_document_id(service: &str, operation: &str) -> String {
    format!("{:x}", fnv1a([service, operation]))
}

/// The 64-bit hash FNV-1a of texts one behind the other.
fn fnv1a<const N: usize>(texts: [&str; N]) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let bytes = texts.into_iter().flat_map(str::bytes);
    bytes.fold(BASIS, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    })
}

fn put_span(out: &mut Json, span: SpanRef<'_>, layout: &DocumentLayout) {
    put_text(out, "traceID", &span.trace_id().to_string());
    put_text(out, "spanID", &span.span_id().to_string());
    let parent = span.parent_span_id();
    out.member_id("parentSpanID", parent, parent.is_zero());
    // The mapping has 32 bits with a sign.
    out.member_number("flags", span.flags().cast_signed());
    put_text(out, "operationName", span.name());
    let links = span
        .links()
        .map(|link| Reference::of_link(link.trace_id(), link.span_id(), link.attributes()));
    let references = references(span.trace_id(), parent, links);
    put_list_or_null(out, "references", references, put_reference);
    let start = span.start() / NANOS_PER_MICRO;
    put_number(out, "startTime", start);
    put_number(out, "startTimeMillis", start / MICROS_PER_MILLI);
    // A span that ends before it starts took no time.
    let duration = u64::try_from(span.duration()).unwrap_or(0);
    let duration = duration / NANOS_PER_MICRO;
    put_number(out, "duration", duration);
    if layout.has_end {
        put_number(out, "endTime", start.saturating_add(duration));
    }
    put_tags(out, stored_tags(&span), layout);
    put_list_or_null(out, "logs", span.events(), |out, event| {
        put_number(out, "timestamp", event.time() / NANOS_PER_MICRO);
        let name = event_field(event.name(), event.attributes());
        out.list(
            "fields",
            name.into_iter().chain(event.attributes()),
            put_tag,
        );
    });
    out.member_object("process", |out| {
        put_text(out, "serviceName", span.service());
        let resource = span.resource();
        put_tags(out, process_tags(resource.attributes()), layout);
    });
}

/// Writes the list of tags, and the object of those that are members of their own; of one name the last counts.
fn put_tags<'a>(
    out: &mut Json,
    tags: impl Iterator<Item = Attribute<'a>>,
    layout: &DocumentLayout,
) {
    let mut fields = BTreeMap::new();
    let others = tags.filter(|tag| match layout.field(tag) {
        Some(name) => {
            fields.insert(name, tag.value);
            false
        }
        None => true,
    });
    let others: Vec<Attribute<'a>> = others.collect();
    out.list("tags", others, put_tag);
    if fields.is_empty() {
        return;
    }
    out.member_object("tag", |out| {
        for (name, value) in fields {
            out.separate();
            out.string(&name);
            out.text.push(':');
            put_value(out, value);
        }
    });
}

fn put_tag(out: &mut Json, tag: Attribute<'_>) {
    put_text(out, "key", tag.key);
    let value_type = match tag.value {
        AttrValue::Empty | AttrValue::String(_) | AttrValue::Array(_) | AttrValue::Map(_) => {
            "string"
        }
        AttrValue::Bool(_) => "bool",
        AttrValue::Int(_) => "int64",
        AttrValue::Double(_) => "float64",
        AttrValue::Bytes(_) => "binary",
    };
    put_text(out, "type", value_type);
    out.key("value");
    put_value(out, tag.value);
}

fn put_value(out: &mut Json, value: AttrValue<'_>) {
    match value {
        AttrValue::Empty => out.text.push_str("null"),
        AttrValue::Bool(_) | AttrValue::Int(_) => out.text.push_str(&value.canonical_text()),
        AttrValue::Double(double) if double.is_finite() => out.text.push_str(&number_text(double)),
        AttrValue::Bytes(bytes) => {
            out.text.push('"');
            for byte in bytes {
                // Writing to a String can't fail.
                let _infallible = write!(out.text, "{byte:02x}");
            }
            out.text.push('"');
        }
        AttrValue::String(_) | AttrValue::Double(_) | AttrValue::Array(_) | AttrValue::Map(_) => {
            out.string(&value.canonical_text());
        }
    }
}

fn put_reference(out: &mut Json, reference: Reference) {
    let ref_type = match reference.reference_type {
        ReferenceType::ChildOf => "CHILD_OF",
        ReferenceType::FollowsFrom => "FOLLOWS_FROM",
    };
    put_text(out, "refType", ref_type);
    let (trace_id, span_id) = (reference.trace_id, reference.span_id);
    let or_empty = |id: String, is_zero: bool| if is_zero { String::new() } else { id };
    put_text(
        out,
        "traceID",
        &or_empty(trace_id.to_string(), trace_id.is_zero()),
    );
    put_text(
        out,
        "spanID",
        &or_empty(span_id.to_string(), span_id.is_zero()),
    );
}

fn put_list_or_null<T>(
    out: &mut Json,
    name: &str,
    items: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
    write: impl Fn(&mut Json, T),
) {
    let items = items.into_iter();
    if items.len() == 0 {
        out.key(name);
        out.text.push_str("null");
        return;
    }
    out.list(name, items, write);
}

/// Writes a member that is there even when it is empty.
fn put_text(out: &mut Json, name: &str, text: &str) {
    out.key(name);
    out.string(text);
}

fn put_number(out: &mut Json, name: &str, number: u64) {
    out.key(name);
    let _infallible = write!(out.text, "{number}");
}
