//! Attributes that OpenTelemetry's exporters to Zipkin write into texts: `NAME|{JSON}|DROPPED` for an event, and
//! `TRACE|SPAN|STATE|{JSON}|DROPPED` for a link.
//!
//! Promises: what is not exactly of such a form is left to the caller as the text that it is. Values below 64 levels of
//! arrays and maps are cut, so recursion is bounded.

use model::BatchBuilder;
use model::batch::{Attributes, PackedValue};
use model::value::packed::VALUE_DEPTH_MAX;

use crate::attributes::AttributeWriter;
use crate::json::scalar::id_of_text;
use crate::json::scalar::{double_of, integer};
use crate::json::tape::{Kind, Node, Tape};
use crate::notes::Notes;
use crate::otlp::value::{field, put_value};
use crate::wire::Writer;

/// Attributes that are still JSON, and how many were dropped.
#[derive(Debug)]
pub(super) struct Attached<'a> {
    tape: Tape<'a>,
    dropped: u32,
}

/// A link to another span.
#[derive(Debug)]
pub(super) struct Link<'a> {
    pub(super) trace_id: [u8; 16],
    pub(super) span_id: [u8; 8],
    pub(super) trace_state: &'a [u8],
    pub(super) attached: Attached<'a>,
}

/// The event's name and its attributes, if the text has both.
pub(super) fn event_of(text: &[u8]) -> Option<(&[u8], Attached<'_>)> {
    let (name, rest) = split_once(text)?;
    Some((name, Attached::of(rest)?))
}

/// The link that a text holds.
pub(super) fn link_of(text: &[u8]) -> Option<Link<'_>> {
    let (trace_id, rest) = split_once(text)?;
    let (span_id, rest) = split_once(rest)?;
    let (trace_state, rest) = split_once(rest)?;
    Some(Link {
        trace_id: id_of_text(trace_id)?,
        span_id: id_of_text(span_id)?,
        trace_state,
        attached: Attached::of(rest)?,
    })
}

fn split_once(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == b'|')?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

impl<'a> Attached<'a> {
    /// Reads `{JSON}|DROPPED`; the JSON may have the separator in it.
    fn of(text: &'a [u8]) -> Option<Self> {
        if text.first() != Some(&b'{') {
            return None;
        }
        let at = text.iter().rposition(|byte| *byte == b'|')?;
        let dropped = std::str::from_utf8(text.get(at + 1..)?)
            .ok()?
            .parse()
            .ok()?;
        let tape = Tape::new(text.get(..at)?).ok()?;
        Some(Self { tape, dropped })
    }

    /// Writes the attributes; gives the number of dropped ones with those that are cut off here.
    pub(super) fn write(
        &'a self,
        builder: &mut BatchBuilder,
        notes: &mut Notes,
    ) -> (Attributes, u32) {
        let mut writing = AttributeWriter::begin(builder);
        for (key, value) in self.tape.root().members().into_iter().flatten() {
            let (key, is_repaired) = key.text().unwrap_or_default();
            notes.repaired_texts += u64::from(is_repaired);
            push(builder, notes, &mut writing, &key, value);
        }
        writing.finish(builder, notes, self.dropped)
    }
}

fn push(
    builder: &mut BatchBuilder,
    notes: &mut Notes,
    writing: &mut AttributeWriter,
    key: &[u8],
    node: Node<'_>,
) {
    if let Some((text, is_repaired)) = node.text() {
        notes.repaired_texts += u64::from(is_repaired);
        writing.push(builder, key, PackedValue::String(&text));
        return;
    }
    let is_map = node.kind() == Kind::Object;
    if !is_map && node.kind() != Kind::Array {
        writing.push(builder, key, scalar(node));
        return;
    }
    let mut out = Writer::new();
    put_list(&mut out, node, 1, notes);
    let value = if is_map {
        PackedValue::Map(out.as_bytes())
    } else {
        PackedValue::Array(out.as_bytes())
    };
    writing.push(builder, key, value);
}

/// A value that is neither text nor list. Numbers of JSON have no type: whole ones are ints where they fit.
fn scalar(node: Node<'_>) -> PackedValue<'static> {
    match node.kind() {
        Kind::True => PackedValue::Bool(true),
        Kind::False => PackedValue::Bool(false),
        Kind::Number => integer(Some(node), "", "").map_or_else(
            |_| double_of(node, "").map_or(PackedValue::Empty, PackedValue::Double),
            PackedValue::Int,
        ),
        Kind::Null | Kind::Text | Kind::EscapedText | Kind::Array | Kind::Object => {
            PackedValue::Empty
        }
    }
}

/// Writes the elements of an array or the pairs of a map. `depth` is its level, from 1.
fn put_list(out: &mut Writer, list: Node<'_>, depth: usize, notes: &mut Notes) {
    for (key, value) in list.members().into_iter().flatten() {
        out.message(field::ELEMENT, |out| {
            let (key, _) = key.text().unwrap_or_default();
            put_text(out, field::KEY, &key, notes);
            out.message(field::VALUE, |out| put_any(out, value, depth, notes));
        });
    }
    for element in list.elements().into_iter().flatten() {
        out.message(field::ELEMENT, |out| put_any(out, element, depth, notes));
    }
}

fn put_any(out: &mut Writer, node: Node<'_>, depth: usize, notes: &mut Notes) {
    if let Some((text, _)) = node.text() {
        return put_text(out, field::STRING, &text, notes);
    }
    let number = match node.kind() {
        Kind::Array => field::ARRAY,
        Kind::Object => field::MAP,
        _ => return put_value(out, scalar(node)),
    };
    if depth >= VALUE_DEPTH_MAX {
        notes.truncated_values += 1;
        return;
    }
    out.message(number, |out| put_list(out, node, depth + 1, notes));
}

fn put_text(out: &mut Writer, field: u32, text: &[u8], notes: &mut Notes) {
    let repaired = String::from_utf8_lossy(text);
    notes.repaired_texts += u64::from(matches!(repaired, std::borrow::Cow::Owned(_)));
    out.bytes_field(field, repaired.as_bytes());
}
