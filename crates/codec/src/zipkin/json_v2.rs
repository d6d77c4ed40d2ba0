//! Version 2 in JSON, by way of a tape of the text.
//!
//! - Unknown fields are ignored, `null` is absent, the last of equal fields counts; equal tags are all kept.
//! - A number may be text; a tag may be a number, `true` or `false`, whose text is then its value.
//!
//! Refuses: what is no JSON, or no array.

use std::borrow::Cow;

use super::span::{Address, Annotation, Endpoint, Span, TagValue, Text};
use super::translate::Translator;
use crate::json::scalar::{Unfit, elements, id_of_text, integer, members, u64_of};
use crate::json::tape::{Kind, Node, Tape};
use crate::notes::{Notes, SpanFault};
use crate::{DecodeError, Decoded};

/// Decodes a list of spans as `POST /api/v2/spans` takes it.
///
/// # Errors
/// When the text is no JSON array, or unpacks to far more than its size.
pub fn decode_json_v2(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    decode_list(bytes, read_span)
}

/// Reads an array of spans with what reads one of them.
pub(super) fn decode_list(
    bytes: &[u8],
    read: for<'a> fn(Node<'a>, &mut Span<'a>, &mut Notes) -> Result<(), SpanFault>,
) -> Result<Decoded, DecodeError> {
    let tape = Tape::new(bytes)?;
    let mut translator = Translator::new(bytes.len());
    let root = tape.root();
    let elements = root.elements().ok_or_else(|| DecodeError::Broken {
        what: "list of spans",
        byte: root.byte(),
        why: "it must be an array".to_owned(),
    })?;
    let mut span = Span::default();
    for node in elements.filter(|node| !node.is_null()) {
        span.clear();
        let read = read(node, &mut span, &mut translator.notes);
        translator.add(&span, read)?;
    }
    Ok(translator.finish())
}

/// The fields of an object that are there, with their names.
pub(super) fn fields<'a>(
    node: Node<'a>,
    what: &str,
) -> Result<impl Iterator<Item = (Text<'a>, Node<'a>)> + use<'a>, Unfit> {
    Ok(members(node, what)?.filter(|(_, value)| !value.is_null()))
}

/// The objects of an array.
pub(super) fn objects<'a>(
    node: Node<'a>,
    what: &str,
) -> Result<impl Iterator<Item = Node<'a>> + use<'a>, Unfit> {
    Ok(elements(node, what)?.filter(|element| !element.is_null()))
}

pub(super) fn text<'a>(node: Node<'a>, what: &str, notes: &mut Notes) -> Result<Text<'a>, Unfit> {
    let (text, is_repaired) = node.text().ok_or_else(|| Unfit::new(node, what, "text"))?;
    notes.repaired_texts += u64::from(is_repaired);
    Ok(text)
}

/// An id; zero when the text is empty.
pub(super) fn id<const N: usize>(node: Node<'_>, name: &'static str) -> Result<[u8; N], SpanFault> {
    let must_be = if N == 16 {
        "a text of up to 32 hexadecimal digits"
    } else {
        "a text of up to 16 hexadecimal digits"
    };
    let id = node.text().and_then(|(text, _)| {
        if text.is_empty() {
            Some([0; N])
        } else {
            id_of_text(&text)
        }
    });
    id.ok_or(SpanFault::Field { name, must_be })
}

fn read_span<'a>(node: Node<'a>, span: &mut Span<'a>, notes: &mut Notes) -> Result<(), SpanFault> {
    for (key, value) in fields(node, "span")? {
        match &*key {
            b"traceId" => span.trace_id = id(value, "traceId")?,
            b"id" => span.span_id = id(value, "id")?,
            b"parentId" => span.parent_span_id = id(value, "parentId")?,
            b"name" => span.name = text(value, "name", notes)?,
            b"kind" => span.kind = kind_of(&text(value, "kind", notes)?),
            b"timestamp" => span.start_micros = u64_of(Some(value), "timestamp")?,
            b"duration" => span.duration_micros = u64_of(Some(value), "duration")?,
            b"localEndpoint" => span.local = endpoint(value, notes)?,
            b"remoteEndpoint" => span.remote = endpoint(value, notes)?,
            b"annotations" => {
                span.clear_annotations();
                for node in objects(value, "annotations")? {
                    span.push_annotation(annotation(node, notes)?);
                }
            }
            b"tags" => {
                span.clear_tags();
                for (key, value) in fields(value, "tags")? {
                    span.push_tag(key, TagValue::Text(tag(value, notes)?));
                }
            }
            _ => {}
        }
    }
    span.resource.service = std::mem::take(&mut span.local.service);
    Ok(())
}

/// OTLP's number of a kind; 0 for what Zipkin doesn't have.
fn kind_of(text: &[u8]) -> i32 {
    let names: [(&[u8], i32); 4] = [
        (b"SERVER", 2),
        (b"CLIENT", 3),
        (b"PRODUCER", 4),
        (b"CONSUMER", 5),
    ];
    let known = names
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text));
    known.map_or(0, |(_, number)| *number)
}

pub(super) fn endpoint<'a>(node: Node<'a>, notes: &mut Notes) -> Result<Endpoint<'a>, Unfit> {
    let mut endpoint = Endpoint::default();
    for (key, value) in fields(node, "endpoint")? {
        match &*key {
            b"serviceName" => endpoint.service = text(value, "serviceName", notes)?,
            b"ipv4" => endpoint.ipv4 = Address::of_text(text(value, "ipv4", notes)?),
            b"ipv6" => endpoint.ipv6 = Address::of_text(text(value, "ipv6", notes)?),
            b"port" => endpoint.port = integer(Some(value), "port", "a whole number")?,
            _ => {}
        }
    }
    Ok(endpoint)
}

fn annotation<'a>(node: Node<'a>, notes: &mut Notes) -> Result<Annotation<'a>, Unfit> {
    let (mut micros, mut value) = (0, Text::default());
    for (key, node) in fields(node, "annotation")? {
        match &*key {
            b"timestamp" => micros = u64_of(Some(node), "timestamp")?,
            b"value" => value = text(node, "value", notes)?,
            _ => {}
        }
    }
    Ok(Annotation { micros, value })
}

/// The text of a tag.
fn tag<'a>(node: Node<'a>, notes: &mut Notes) -> Result<Text<'a>, Unfit> {
    match node.kind() {
        Kind::Number => Ok(Cow::Borrowed(node.raw())),
        Kind::True => Ok(Cow::Borrowed(b"true")),
        Kind::False => Ok(Cow::Borrowed(b"false")),
        Kind::Null | Kind::Text | Kind::EscapedText | Kind::Array | Kind::Object => {
            text(node, "tag", notes)
        }
    }
}
