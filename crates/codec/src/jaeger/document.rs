//! Jaeger's documents of Elasticsearch, of every version: values as texts and as what they are, tags in lists and as
//! members of their own.
//!
//! Promises
//! - What [`crate::jaeger_document`] writes comes back as it was, but for what such a document can't say.
//! - A value that is not of the type that it names stays, as the text that Jaeger shows for it.
//!
//! Refuses: a document without usable ids or times, alone.

use std::borrow::Cow;

use model::{SpanId, TraceId};

use super::stored::{Given, Stored, Tags, add};
use super::translate::{Origin, Reference, Translator};
use crate::jaeger_document::DocumentLayout;
use crate::json::scalar::{
    Unfit, bool_of, double_of, elements, hex_digit, id_of_text, integer, members, u64_of,
};
use crate::json::tape::{Kind, Node, Tape};
use crate::notes::SpanFault;
use crate::{DecodeError, Decoded};

/// Whole numbers are exact in a double up to here.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// Decodes documents of spans, one span each.
///
/// # Errors
/// When they unpack to far more memory than their size. A document that is broken is a rejected span.
pub fn decode_documents(
    documents: &[&[u8]],
    layout: &DocumentLayout,
) -> Result<Decoded, DecodeError> {
    let bytes = documents.iter().map(|document| document.len()).sum();
    let mut translator = Translator::of(Origin::Document, bytes);
    for document in documents {
        match Tape::new(document) {
            Ok(tape) => match read(tape.root(), layout) {
                Ok(read) => add(&mut translator, &read)?,
                Err(fault) => translator.reject(fault),
            },
            Err(error) => translator.reject(SpanFault::Json(error.to_string())),
        }
    }
    Ok(translator.finish())
}

fn text<'a>(node: Node<'a>, what: &str) -> Result<Cow<'a, [u8]>, Unfit> {
    let text = node.text().map(|(text, _)| text);
    text.ok_or_else(|| Unfit::new(node, what, "text"))
}

/// An id of up to so many digits; zero when the text is empty.
fn id<const N: usize>(node: Node<'_>, name: &'static str) -> Result<[u8; N], SpanFault> {
    let must_be = "a text of hexadecimal digits, as many as an id has at the most";
    let text = text(node, name)?;
    let id = if text.is_empty() {
        Some([0; N])
    } else {
        id_of_text(&text)
    };
    id.ok_or(SpanFault::Field { name, must_be })
}

fn read<'a>(node: Node<'a>, layout: &DocumentLayout) -> Result<Stored<'a>, SpanFault> {
    let mut document = Stored::default();
    for (key, value) in members(node, "document")? {
        if value.is_null() {
            continue;
        }
        match &*key {
            b"traceID" => document.trace_id = TraceId(id(value, "traceID")?),
            b"spanID" => document.span_id = SpanId(id(value, "spanID")?),
            b"parentSpanID" => document.parent = SpanId(id(value, "parentSpanID")?),
            b"flags" => document.flags = flags(value)?,
            b"operationName" => document.name = text(value, "operationName")?,
            b"references" => {
                for node in elements(value, "references")? {
                    document.references.push(reference(node)?);
                }
            }
            b"startTime" => document.start_micros = u64_of(Some(value), "startTime")?,
            b"duration" => document.duration_micros = u64_of(Some(value), "duration")?,
            b"tags" => list(value, &mut document.tags)?,
            b"tag" => fields(value, layout, &mut document.tags)?,
            b"logs" => {
                for node in elements(value, "logs")? {
                    document.logs.push(log(node)?);
                }
            }
            b"process" => {
                for (key, value) in members(value, "process")? {
                    match &*key {
                        _ if value.is_null() => {}
                        b"serviceName" => document.service = text(value, "serviceName")?,
                        b"tags" => list(value, &mut document.process)?,
                        b"tag" => fields(value, layout, &mut document.process)?,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(document)
}

/// Flags, which the mapping keeps with a sign.
fn flags(node: Node<'_>) -> Result<u32, SpanFault> {
    let must_be = "a whole number of 32 bits";
    let number: i64 = integer(Some(node), "flags", must_be)?;
    let unsigned = u32::try_from(number).ok();
    let flags = unsigned.or_else(|| Some(i32::try_from(number).ok()?.cast_unsigned()));
    flags.ok_or(SpanFault::Field {
        name: "flags",
        must_be,
    })
}

fn reference(node: Node<'_>) -> Result<Reference, SpanFault> {
    let mut reference = Reference {
        trace_id: TraceId::ZERO,
        span_id: SpanId::ZERO,
        is_child_of: false,
    };
    for (key, value) in members(node, "reference")? {
        match &*key {
            b"refType" => reference.is_child_of = &*text(value, "refType")? == b"CHILD_OF",
            b"traceID" => reference.trace_id = TraceId(id(value, "traceID")?),
            b"spanID" => reference.span_id = SpanId(id(value, "spanID")?),
            _ => {}
        }
    }
    Ok(reference)
}

fn log<'a>(node: Node<'a>) -> Result<(u64, Tags<'a>), SpanFault> {
    let (mut micros, mut tags) = (0, Vec::new());
    for (key, value) in members(node, "log")? {
        match &*key {
            _ if value.is_null() => {}
            b"timestamp" => micros = u64_of(Some(value), "timestamp")?,
            b"fields" => list(value, &mut tags)?,
            _ => {}
        }
    }
    Ok((micros, tags))
}

/// Tags in a list, each with its type.
fn list<'a>(node: Node<'a>, tags: &mut Tags<'a>) -> Result<(), SpanFault> {
    for node in elements(node, "tags")? {
        let (mut key, mut value_type, mut value) = (Cow::default(), Cow::default(), None);
        for (name, node) in members(node, "tag")? {
            match &*name {
                b"key" => key = text(node, "key")?,
                b"type" => value_type = text(node, "type")?,
                b"value" => value = Some(node),
                _ => {}
            }
        }
        let value = value.map_or(Given::Nothing, |node| typed(&key, &value_type, node));
        tags.push((key, value));
    }
    Ok(())
}

/// A value that names its type. Older versions write all values as texts.
fn typed<'a>(key: &[u8], value_type: &[u8], node: Node<'a>) -> Given<'a> {
    let read = match value_type {
        _ if node.is_null() => Ok(Given::Nothing),
        b"bool" => bool_of(node, "value")
            .or_else(|unfit| match node.text() {
                Some((text, _)) if &*text == b"true" => Ok(true),
                Some((text, _)) if &*text == b"false" => Ok(false),
                _ => Err(unfit),
            })
            .map(Given::Bool),
        b"int64" => integer(Some(node), "value", "a whole number").map(Given::Int),
        b"float64" => double_of(node, "value").map(Given::Double),
        b"binary" => hex(node).map(|bytes| Given::Bytes(Cow::Owned(bytes))),
        _ => return plain(node),
    };
    read.unwrap_or_else(|unfit| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (value_type, key) = (text(value_type), text(key));
        let why = format!(
            "Can't convert the type {value_type} for the key {key}: {}",
            unfit.why
        );
        Given::Text(Cow::Owned(why.into_bytes()))
    })
}

fn hex(node: Node<'_>) -> Result<Vec<u8>, Unfit> {
    let unfit = || Unfit::new(node, "value", "bytes in hexadecimal");
    let (text, _) = node.text().ok_or_else(unfit)?;
    let byte = |digits: &[u8]| match digits {
        [high, low] => Some(hex_digit(*high)? << 4 | hex_digit(*low)?),
        _ => None,
    };
    text.chunks(2)
        .map(byte)
        .collect::<Option<_>>()
        .ok_or_else(unfit)
}

/// Tags that are members of their own.
fn fields<'a>(
    node: Node<'a>,
    layout: &DocumentLayout,
    tags: &mut Tags<'a>,
) -> Result<(), SpanFault> {
    for (name, value) in members(node, "tag")? {
        let key = match std::str::from_utf8(&name) {
            Ok(text) if !layout.dot.is_empty() && text.contains(&layout.dot) => {
                Cow::Owned(text.replace(&layout.dot, ".").into_bytes())
            }
            _ => name,
        };
        tags.push((key, plain(value)));
    }
    Ok(())
}

/// A value by what it looks like; a number that is whole is an integer.
fn plain(node: Node<'_>) -> Given<'_> {
    match node.kind() {
        Kind::Null => Given::Nothing,
        Kind::True => Given::Bool(true),
        Kind::False => Given::Bool(false),
        Kind::Number => number(node),
        Kind::Text | Kind::EscapedText => {
            Given::Text(node.text().map(|(text, _)| text).unwrap_or_default())
        }
        Kind::Array | Kind::Object => {
            Given::Text(Cow::Borrowed(b"Can't convert an array or an object"))
        }
    }
}

fn number(node: Node<'_>) -> Given<'_> {
    let is_exponent = node.raw().iter().any(|byte| matches!(byte, b'e' | b'E'));
    let whole: Option<i64> = integer(Some(node), "value", "").ok();
    match (whole, double_of(node, "value")) {
        (Some(whole), _) if !is_exponent => Given::Int(whole),
        (Some(whole), Ok(double)) if double.abs() <= WHOLE_MAX => Given::Int(whole),
        (_, Ok(double)) => Given::Double(double),
        (_, Err(_)) => Given::Text(Cow::Borrowed(node.raw())),
    }
}
