//! Version 1 in JSON, by way of a tape of the text. The leniencies are those of version 2.
//!
//! A binary annotation's value has the type that `type` names where it can be read as that, else the type that it is
//! written as: `7`, `0.5` and `true` are not refused for being no text.

use super::json_v2::{decode_list, endpoint, fields, id, objects, text};
use super::span::{Annotation, Endpoint, Span, TagValue, Text};
use super::v1::Annotations;
use crate::json::scalar::{Unfit, double_of, integer, u64_of};
use crate::json::tape::{Kind, Node};
use crate::notes::{Notes, SpanFault};
use crate::{DecodeError, Decoded};

/// Decodes a list of spans as `POST /api/v1/spans` takes it.
///
/// # Errors
/// When the text is no JSON array, or unpacks to far more than its size.
pub fn decode_json_v1(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    decode_list(bytes, read_span)
}

fn read_span<'a>(node: Node<'a>, span: &mut Span<'a>, notes: &mut Notes) -> Result<(), SpanFault> {
    let (mut annotations, mut binary_annotations) = (None, None);
    for (key, value) in fields(node, "span")? {
        match &*key {
            b"traceId" => span.trace_id = id(value, "traceId")?,
            b"id" => span.span_id = id(value, "id")?,
            b"parentId" => span.parent_span_id = id(value, "parentId")?,
            b"name" => span.name = text(value, "name", notes)?,
            b"timestamp" => span.start_micros = u64_of(Some(value), "timestamp")?,
            b"duration" => span.duration_micros = u64_of(Some(value), "duration")?,
            b"annotations" => annotations = Some(value),
            b"binaryAnnotations" => binary_annotations = Some(value),
            _ => {}
        }
    }
    let mut said = Annotations::default();
    if let Some(list) = annotations {
        for node in objects(list, "annotations")? {
            let (annotation, host) = annotation(node, notes)?;
            said.annotation(span, annotation, host);
        }
    }
    if let Some(list) = binary_annotations {
        for node in objects(list, "binaryAnnotations")? {
            let (key, value, host) = binary_annotation(node, notes)?;
            said.binary(span, key, value, host);
        }
    }
    said.finish(span);
    Ok(())
}

type Host<'a> = Option<Endpoint<'a>>;

fn annotation<'a>(node: Node<'a>, notes: &mut Notes) -> Result<(Annotation<'a>, Host<'a>), Unfit> {
    let (mut micros, mut value, mut host) = (0, Text::default(), None);
    for (key, node) in fields(node, "annotation")? {
        match &*key {
            b"timestamp" => micros = u64_of(Some(node), "timestamp")?,
            b"value" => value = text(node, "value", notes)?,
            b"endpoint" => host = Some(endpoint(node, notes)?),
            _ => {}
        }
    }
    Ok((Annotation { micros, value }, host))
}

fn binary_annotation<'a>(
    node: Node<'a>,
    notes: &mut Notes,
) -> Result<(Text<'a>, TagValue<'a>, Host<'a>), Unfit> {
    let (mut name, mut value, mut type_name, mut host) =
        (Text::default(), None, Text::default(), None);
    for (key, node) in fields(node, "binary annotation")? {
        match &*key {
            b"key" => name = text(node, "key", notes)?,
            b"value" => value = Some(node),
            b"type" => type_name = text(node, "type", notes)?,
            b"endpoint" => host = Some(endpoint(node, notes)?),
            _ => {}
        }
    }
    let value = match value {
        Some(node) => typed(node, &type_name, notes)?,
        None => TagValue::Text(Text::default()),
    };
    Ok((name, value, host))
}

fn typed<'a>(node: Node<'a>, type_name: &[u8], notes: &mut Notes) -> Result<TagValue<'a>, Unfit> {
    let as_int = || {
        integer(Some(node), "value", "a number")
            .ok()
            .map(TagValue::Int)
    };
    let as_double = || double_of(node, "value").ok().map(TagValue::Double);
    let typed = match (type_name, node.kind()) {
        (_, Kind::True) => Some(TagValue::Bool(true)),
        (_, Kind::False) => Some(TagValue::Bool(false)),
        (b"BOOL", Kind::Text) => match node.raw() {
            b"true" => Some(TagValue::Bool(true)),
            b"false" => Some(TagValue::Bool(false)),
            _ => None,
        },
        (b"I16" | b"I32" | b"I64", Kind::Text | Kind::Number) => as_int(),
        (b"DOUBLE", Kind::Text | Kind::Number) => as_double(),
        _ => None,
    };
    if let Some(value) = typed {
        return Ok(value);
    }
    match node.kind() {
        Kind::Number => as_int()
            .or_else(as_double)
            .ok_or_else(|| Unfit::new(node, "value", "a number of 64 bits")),
        _ => text(node, "value", notes).map(TagValue::Text),
    }
}
