//! Version 1 in Thrift: a list of `zipkincore.Span`, bare or within a message, in either protocol.
//!
//! Promises: what has an unknown id or another type than its own is passed over; a span with unusable ids or times is
//! rejected alone. Refuses: broken bytes, since Thrift doesn't say where the next span would begin.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::span::{Address, Annotation, Endpoint, Span, TagValue, Text};
use super::translate::Translator;
use super::v1::Annotations;
use crate::notes::SpanFault;
use crate::thrift::{Binary, Kind, Protocol, Reader, ThriftError};
use crate::{DecodeError, Decoded};

const LIST: &str = "list of spans";

/// Decodes a list of spans as `POST /api/v1/spans` takes it: in the binary protocol, without a message around it.
///
/// # Errors
/// When the bytes are no such list, or it unpacks to far more than its size.
pub fn decode_thrift_v1(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    decode_thrift_list(&mut Reader::<Binary>::new(bytes))
}

/// Decodes the list of spans at which a reader stands, and leaves it behind the list.
pub(crate) fn decode_thrift_list<P: Protocol>(
    reader: &mut Reader<'_, P>,
) -> Result<Decoded, DecodeError> {
    let mut translator = Translator::new(reader.rest().len());
    let list = reader.list().map_err(|why| reader.broken(LIST, why))?;
    if list.count > 0 && list.element != Kind::Struct {
        return Err(DecodeError::Broken {
            what: LIST,
            byte: reader.byte(),
            why: "its elements must be structs".to_owned(),
        });
    }
    let mut span = Span::default();
    for _ in 0..list.count {
        span.clear();
        let read = read_span(reader, &mut span).map_err(|why| reader.broken(LIST, why))?;
        translator.add(&span, read)?;
    }
    Ok(translator.finish())
}

/// Reads a span. The outer error ends the request, the inner one rejects the span.
fn read_span<'a, P: Protocol>(
    reader: &mut Reader<'a, P>,
    span: &mut Span<'a>,
) -> Result<Result<(), SpanFault>, ThriftError> {
    let (mut high, mut low, mut id, mut duration) = (0, 0, 0, 0);
    let mut said = Annotations::default();
    while let Some(kind) = reader.next_field(&mut id)? {
        match (id, kind) {
            (1, Kind::I64) => low = reader.i64()?,
            (3, Kind::Bytes) => span.name = Cow::Borrowed(reader.bytes()?),
            (4, Kind::I64) => span.span_id = reader.i64()?.to_be_bytes(),
            (5, Kind::I64) => span.parent_span_id = reader.i64()?.to_be_bytes(),
            (6, Kind::List) => each(reader, |reader| {
                let (annotation, host) = annotation(reader)?;
                said.annotation(span, annotation, host);
                Ok(())
            })?,
            (8, Kind::List) => each(reader, |reader| {
                let (key, value, host) = binary_annotation(reader)?;
                said.binary(span, key, value, host);
                Ok(())
            })?,
            (10, Kind::I64) => span.start_micros = micros(reader.i64()?),
            (11, Kind::I64) => duration = reader.i64()?,
            (12, Kind::I64) => high = reader.i64()?,
            (_, kind) => reader.skip(kind)?,
        }
    }
    let trace_id = u128::from(high.cast_unsigned()) << 64 | u128::from(low.cast_unsigned());
    span.trace_id = trace_id.to_be_bytes();
    let Ok(duration) = u64::try_from(duration) else {
        return Ok(Err(SpanFault::Field {
            name: "duration",
            must_be: "a whole number from 0",
        }));
    };
    span.duration_micros = duration;
    said.finish(span);
    Ok(Ok(()))
}

/// Reads the structs of a list, one by one.
fn each<'a, P: Protocol>(
    reader: &mut Reader<'a, P>,
    mut read: impl FnMut(&mut Reader<'a, P>) -> Result<(), ThriftError>,
) -> Result<(), ThriftError> {
    let list = reader.list()?;
    if list.element != Kind::Struct {
        return reader.skip_elements(list);
    }
    for _ in 0..list.count {
        read(reader)?;
    }
    Ok(())
}

/// A time; before 1970 there is none.
fn micros(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

type Host<'a> = Option<Endpoint<'a>>;

fn annotation<'a, P: Protocol>(
    reader: &mut Reader<'a, P>,
) -> Result<(Annotation<'a>, Host<'a>), ThriftError> {
    let (mut id, mut time, mut value, mut host) = (0, 0, &[][..], None);
    while let Some(kind) = reader.next_field(&mut id)? {
        match (id, kind) {
            (1, Kind::I64) => time = micros(reader.i64()?),
            (2, Kind::Bytes) => value = reader.bytes()?,
            (3, Kind::Struct) => host = Some(endpoint(reader)?),
            (_, kind) => reader.skip(kind)?,
        }
    }
    let value = Cow::Borrowed(value);
    Ok((
        Annotation {
            micros: time,
            value,
        },
        host,
    ))
}

fn binary_annotation<'a, P: Protocol>(
    reader: &mut Reader<'a, P>,
) -> Result<(Text<'a>, TagValue<'a>, Host<'a>), ThriftError> {
    let (mut id, mut key, mut value, mut value_type, mut host) = (0, &[][..], &[][..], 0, None);
    while let Some(kind) = reader.next_field(&mut id)? {
        match (id, kind) {
            (1, Kind::Bytes) => key = reader.bytes()?,
            (2, Kind::Bytes) => value = reader.bytes()?,
            (3, Kind::I32) => value_type = reader.i32()?,
            (4, Kind::Struct) => host = Some(endpoint(reader)?),
            (_, kind) => reader.skip(kind)?,
        }
    }
    Ok((Cow::Borrowed(key), typed(value, value_type), host))
}

/// The value of so many bytes by its type's number; bytes, and what is no value of its type, are base64.
fn typed(bytes: &[u8], value_type: i32) -> TagValue<'_> {
    let number = match (value_type, bytes) {
        (0, [byte]) => Some(TagValue::Bool(*byte == 1)),
        (2, bytes) => bytes
            .try_into()
            .ok()
            .map(|bytes| TagValue::Int(i16::from_be_bytes(bytes).into())),
        (3, bytes) => bytes
            .try_into()
            .ok()
            .map(|bytes| TagValue::Int(i32::from_be_bytes(bytes).into())),
        (4, bytes) => bytes
            .try_into()
            .ok()
            .map(|bytes| TagValue::Int(i64::from_be_bytes(bytes))),
        (5, bytes) => bytes
            .try_into()
            .ok()
            .map(|bytes| TagValue::Double(f64::from_be_bytes(bytes))),
        (6, text) => Some(TagValue::Text(Cow::Borrowed(text))),
        _ => None,
    };
    number.unwrap_or_else(|| TagValue::Text(Cow::Owned(STANDARD.encode(bytes).into_bytes())))
}

fn endpoint<'a, P: Protocol>(reader: &mut Reader<'a, P>) -> Result<Endpoint<'a>, ThriftError> {
    let mut endpoint = Endpoint::default();
    let mut id = 0;
    while let Some(kind) = reader.next_field(&mut id)? {
        match (id, kind) {
            (1, Kind::I32) => {
                let ip = reader.i32()?.to_be_bytes();
                endpoint.ipv4 = if ip == [0; 4] {
                    Address::None
                } else {
                    Address::of_bytes(&ip)
                };
            }
            (2, Kind::I16) => endpoint.port = reader.i16()?.cast_unsigned().into(),
            (3, Kind::Bytes) => endpoint.service = Cow::Borrowed(reader.bytes()?),
            (4, Kind::Bytes) => endpoint.ipv6 = Address::of_bytes(reader.bytes()?),
            (_, kind) => reader.skip(kind)?,
        }
    }
    Ok(endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thrift::Compact;

    #[test]
    fn the_list_in_a_recorded_datagram_of_the_compact_protocol_is_read() {
        // The arguments of a recorded `emitZipkinBatch`: field 1, the list.
        let hex = "191c16febf01280a7a69706b696e20756470160a292c1680b0cdb5c6bdb006180273721c15828080f00f14a00118\
                   0f676f6c642d7a69706b696e2d75647000001690fecdb5c6bdb006180273731c15828080f00f14a001180f676f6c642d7a69\
                   706b696e2d7564700000290c120000";
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let packet: Vec<u8> = digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        let mut reader = Reader::<Compact>::new(&packet);
        let mut id = 0;
        assert_eq!(reader.next_field(&mut id), Ok(Some(Kind::List)));
        let decoded = decode_thrift_list(&mut reader).unwrap();
        assert_eq!(reader.rest(), [0], "what follows is left");
        let span = decoded.batch.span(0).unwrap();
        assert_eq!(
            (span.name(), span.service(), span.kind()),
            ("zipkin udp", "gold-zipkin-udp", 2)
        );
        assert_eq!(span.end() - span.start(), 5_000_000);
        let tags: Vec<_> = span
            .resource()
            .attributes()
            .map(|attribute| attribute.key.to_owned())
            .collect();
        assert_eq!(tags, ["service.name", "ipv4", "port"]);
    }

    #[test]
    fn values_that_are_not_of_their_type_are_shown_as_base64() {
        for (bytes, value_type) in [
            (&b""[..], 0),
            (b"ab", 0),
            (b"a", 2),
            (b"abc", 3),
            (b"abc", 4),
            (b"", 5),
            (b"x", 9),
        ] {
            let expected = TagValue::Text(STANDARD.encode(bytes).into_bytes().into());
            assert_eq!(typed(bytes, value_type), expected, "{value_type}");
        }
        assert_eq!(typed(&[0xff, 0xfe], 2), TagValue::Int(-2));
        assert_eq!(typed(&[2], 0), TagValue::Bool(false));
    }
}
