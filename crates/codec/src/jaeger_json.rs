//! Spans as protobuf's JSON of `jaeger.api_v2.Span`, as Jaeger puts them into Kafka; not to be taken for the JSON that
//! its web app reads.
//!
//! Promises
//! - What is written equals what Jaeger writes, member by member: ids in base64, moments as RFC 3339, durations in
//!   seconds, members that hold the default left out.
//! - What is read becomes the same message in protobuf, so that one decoder says what it means.
//!
//! Source: the JSON mapping of Protocol Buffers, and messages recorded in `tests/golden/kafka`.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use model::batch::{Attribute, SpanRef};
use model::value::number_text;

use crate::DecodeError;
use crate::jaeger_encode::{
    Reference, ReferenceType, TagValue, event_field, process_tags, references, service_name,
    span_tags, warnings,
};
use crate::json::scalar::{
    Unfit, bool_of, bytes_of, double_of, elements, enum_of, integer, members,
};
use crate::json::tape::{Node, Tape};
use crate::json::write::Json;
use crate::wire::Writer;

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const VALUE_TYPES: [&str; 5] = ["STRING", "BOOL", "INT64", "FLOAT64", "BINARY"];
const REFERENCE_TYPES: [&str; 2] = ["CHILD_OF", "FOLLOWS_FROM"];

/// A span as JSON, its process with it.
#[must_use]
pub fn span_json(span: SpanRef<'_>) -> String {
    let mut out = Json::new(String::new());
    out.object(|out| put_span(out, span));
    out.text
}

fn put_span(out: &mut Json, span: SpanRef<'_>) {
    put_bytes(out, "traceId", &span.trace_id().0);
    put_bytes(out, "spanId", &span.span_id().0);
    out.member_text("operationName", span.name());
    let links = span
        .links()
        .map(|link| Reference::of_link(link.trace_id(), link.span_id(), link.attributes()));
    let references = references(span.trace_id(), span.parent_span_id(), links);
    put_list(out, "references", &references, |out, reference| {
        put_bytes(out, "traceId", &reference.trace_id.0);
        put_bytes(out, "spanId", &reference.span_id.0);
        if reference.reference_type == ReferenceType::FollowsFrom {
            out.member_text("refType", "FOLLOWS_FROM");
        }
    });
    out.key("startTime");
    put_moment(out, span.start());
    out.key("duration");
    // A span that ends before it starts took no time.
    put_duration(out, u64::try_from(span.duration()).unwrap_or(0));
    let tags: Vec<Attribute<'_>> = span_tags(&span).collect();
    put_list(out, "tags", &tags, |out, tag| put_tag(out, *tag));
    let events: Vec<_> = span.events().collect();
    put_list(out, "logs", &events, |out, event| {
        out.key("timestamp");
        put_moment(out, event.time());
        let name = event_field(event.name(), event.attributes());
        let fields = name.into_iter().chain(event.attributes());
        out.list("fields", fields, put_tag);
    });
    out.member_object("process", |out| {
        let resource = span.resource();
        out.member_text("serviceName", &service_name(resource.attributes()));
        let tags: Vec<Attribute<'_>> = process_tags(resource.attributes()).collect();
        put_list(out, "tags", &tags, |out, tag| put_tag(out, *tag));
    });
    let warnings = warnings(span);
    if !warnings.is_empty() {
        out.key("warnings");
        out.contained('[', ']', |out| {
            for warning in &warnings {
                out.separate();
                out.string(warning);
            }
        });
    }
}

fn put_tag(out: &mut Json, tag: Attribute<'_>) {
    out.member_text("key", tag.key);
    match TagValue::of(tag.value) {
        TagValue::Text(text) => out.member_text("vStr", &text),
        TagValue::Bool(is) => {
            out.member_text("vType", "BOOL");
            if is {
                out.key("vBool");
                out.text.push_str("true");
            }
        }
        TagValue::Int(int) => {
            out.member_text("vType", "INT64");
            if int != 0 {
                out.key("vInt64");
                out.quoted(int);
            }
        }
        TagValue::Double(double) => {
            out.member_text("vType", "FLOAT64");
            if double.to_bits() != 0 {
                out.key("vFloat64");
                put_double(out, double);
            }
        }
        TagValue::Binary(bytes) => {
            out.member_text("vType", "BINARY");
            if !bytes.is_empty() {
                put_bytes(out, "vBinary", bytes);
            }
        }
    }
}

fn put_double(out: &mut Json, double: f64) {
    if double.is_nan() {
        out.quoted("NaN");
    } else if double.is_infinite() {
        out.quoted(if double > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        });
    } else {
        out.text.push_str(&number_text(double));
    }
}

fn put_bytes(out: &mut Json, name: &str, bytes: &[u8]) {
    out.key(name);
    out.quoted(STANDARD.encode(bytes));
}

/// A list of objects, left out when it is empty.
fn put_list<T>(out: &mut Json, name: &str, items: &[T], write: impl Fn(&mut Json, &T)) {
    if !items.is_empty() {
        out.list(name, items, write);
    }
}

/// How many digits of a second are written: none, or whole groups of three.
fn digits(nanos: u64) -> u8 {
    match nanos % NANOS_PER_SECOND {
        0 => 0,
        rest if rest % 1_000_000 == 0 => 3,
        rest if rest % 1_000 == 0 => 6,
        _ => 9,
    }
}

fn put_moment(out: &mut Json, nanos: u64) {
    let printer = DateTimePrinter::new().precision(Some(digits(nanos)));
    // 64 bits of nanoseconds end in the year 2554, which every calendar has.
    let moment = Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or_default();
    out.quoted(printer.timestamp_to_string(&moment));
}

fn put_duration(out: &mut Json, nanos: u64) {
    let (seconds, rest) = (nanos / NANOS_PER_SECOND, nanos % NANOS_PER_SECOND);
    let mut text = seconds.to_string();
    if rest != 0 {
        let fraction = format!("{rest:09}");
        let fraction = fraction.get(..usize::from(digits(nanos)));
        // Writing to a String can't fail.
        let _infallible = write!(text, ".{}", fraction.unwrap_or_default());
    }
    out.quoted(format_args!("{text}s"));
}

/// The message in protobuf that a span in JSON stands for.
///
/// # Errors
/// When it is no JSON, or a member is not what it must be.
pub fn span_proto(json: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let tape = Tape::new(json)?;
    let mut out = Writer::new();
    let root = tape.root();
    match read_span(&mut out, root) {
        Ok(()) => Ok(out.into_bytes()),
        Err(unfit) => Err(DecodeError::Broken {
            what: "span",
            byte: root.byte(),
            why: unfit.why,
        }),
    }
}

fn read_span(out: &mut Writer, node: Node<'_>) -> Result<(), Unfit> {
    for (key, value) in present(node, "span")? {
        match &*key {
            b"traceId" | b"trace_id" => out.bytes_field(1, &bytes_of(value, "traceId")?),
            b"spanId" | b"span_id" => out.bytes_field(2, &bytes_of(value, "spanId")?),
            b"operationName" | b"operation_name" => read_text(out, 3, value, "operationName")?,
            b"references" => {
                for node in elements(value, "references")? {
                    read_message(out, 4, node, read_reference)?;
                }
            }
            b"flags" => {
                let flags: u32 = integer(Some(value), "flags", "a whole number of 32 bits")?;
                out.varint_field(5, u64::from(flags));
            }
            b"startTime" | b"start_time" => read_moment(out, 6, value, "startTime")?,
            b"duration" => read_duration(out, 7, value)?,
            b"tags" => read_tags(out, 8, value)?,
            b"logs" => {
                for node in elements(value, "logs")? {
                    read_message(out, 9, node, read_log)?;
                }
            }
            b"process" => read_message(out, 10, value, read_process)?,
            b"warnings" => {
                for node in elements(value, "warnings")? {
                    read_text(out, 12, node, "warnings")?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The members of an object that are not null, which stands for the default.
fn present<'a>(
    node: Node<'a>,
    what: &str,
) -> Result<impl Iterator<Item = (std::borrow::Cow<'a, [u8]>, Node<'a>)>, Unfit> {
    Ok(members(node, what)?.filter(|(_, value)| !value.is_null()))
}

fn read_message(
    out: &mut Writer,
    field: u32,
    node: Node<'_>,
    read: impl Fn(&mut Writer, Node<'_>) -> Result<(), Unfit>,
) -> Result<(), Unfit> {
    let mut done = Ok(());
    out.message(field, |out| done = read(out, node));
    done
}

fn read_text(out: &mut Writer, field: u32, node: Node<'_>, name: &str) -> Result<(), Unfit> {
    let (text, _) = node.text().ok_or_else(|| Unfit::new(node, name, "text"))?;
    out.bytes_field(field, &text);
    Ok(())
}

fn read_reference(out: &mut Writer, node: Node<'_>) -> Result<(), Unfit> {
    for (key, value) in present(node, "reference")? {
        match &*key {
            b"traceId" | b"trace_id" => out.bytes_field(1, &bytes_of(value, "traceId")?),
            b"spanId" | b"span_id" => out.bytes_field(2, &bytes_of(value, "spanId")?),
            b"refType" | b"ref_type" => {
                let number = enum_of(Some(value), "refType", &REFERENCE_TYPES)?;
                out.varint_field(3, u64::from(number.unsigned_abs()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn read_log(out: &mut Writer, node: Node<'_>) -> Result<(), Unfit> {
    for (key, value) in present(node, "log")? {
        match &*key {
            b"timestamp" => read_moment(out, 1, value, "timestamp")?,
            b"fields" => read_tags(out, 2, value)?,
            _ => {}
        }
    }
    Ok(())
}

fn read_process(out: &mut Writer, node: Node<'_>) -> Result<(), Unfit> {
    for (key, value) in present(node, "process")? {
        match &*key {
            b"serviceName" | b"service_name" => read_text(out, 1, value, "serviceName")?,
            b"tags" => read_tags(out, 2, value)?,
            _ => {}
        }
    }
    Ok(())
}

fn read_tags(out: &mut Writer, field: u32, node: Node<'_>) -> Result<(), Unfit> {
    for node in elements(node, "tags")? {
        read_message(out, field, node, read_tag)?;
    }
    Ok(())
}

fn read_tag(out: &mut Writer, node: Node<'_>) -> Result<(), Unfit> {
    for (key, value) in present(node, "tag")? {
        match &*key {
            b"key" => read_text(out, 1, value, "key")?,
            b"vType" | b"v_type" => {
                let number = enum_of(Some(value), "vType", &VALUE_TYPES)?;
                out.varint_field(2, u64::from(number.unsigned_abs()));
            }
            b"vStr" | b"v_str" => read_text(out, 3, value, "vStr")?,
            b"vBool" | b"v_bool" => out.varint_field(4, u64::from(bool_of(value, "vBool")?)),
            b"vInt64" | b"v_int64" => {
                let int: i64 = integer(Some(value), "vInt64", "a whole number of 64 bits")?;
                out.varint_field(5, int.cast_unsigned());
            }
            b"vFloat64" | b"v_float64" => {
                out.fixed64_field(6, double_of(value, "vFloat64")?.to_bits());
            }
            b"vBinary" | b"v_binary" => out.bytes_field(7, &bytes_of(value, "vBinary")?),
            _ => {}
        }
    }
    Ok(())
}

fn read_moment(out: &mut Writer, field: u32, node: Node<'_>, name: &str) -> Result<(), Unfit> {
    let unfit = || Unfit::new(node, name, "a moment after 1970, as RFC 3339 writes it");
    let (text, _) = node.text().ok_or_else(unfit)?;
    let text = std::str::from_utf8(&text).map_err(|_| unfit())?;
    let moment: Timestamp = text.parse().map_err(|_| unfit())?;
    let nanos = u64::try_from(moment.as_nanosecond()).map_err(|_| unfit())?;
    put_seconds(out, field, nanos);
    Ok(())
}

/// Seconds with up to nine digits behind the point, and an `s`.
fn read_duration(out: &mut Writer, field: u32, node: Node<'_>) -> Result<(), Unfit> {
    let unfit = || Unfit::new(node, "duration", "seconds, such as 0.200s");
    let (text, _) = node.text().ok_or_else(unfit)?;
    let text = std::str::from_utf8(&text).map_err(|_| unfit())?;
    let number = text.strip_suffix('s').ok_or_else(unfit)?;
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.is_empty() || fraction.len() > 9 || !is_number(seconds) || !is_number(fraction) {
        return Err(unfit());
    }
    let nanos = format!("{seconds}{fraction:0<9}").parse::<u64>();
    put_seconds(out, field, nanos.map_err(|_| unfit())?);
    Ok(())
}

/// A `Timestamp` or a `Duration`.
fn put_seconds(out: &mut Writer, field: u32, nanos: u64) {
    out.message(field, |out| {
        out.varint_field(1, nanos / NANOS_PER_SECOND);
        out.varint_field(2, nanos % NANOS_PER_SECOND);
    });
}
