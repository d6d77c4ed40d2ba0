//! Version 2 in protobuf, `zipkin.proto3.ListOfSpans`: one walk over the bytes.
//!
//! Promises: a span that is broken within its length is rejected alone; fields come in any order, the last counts, and
//! unknown ones are passed over. Refuses: bytes that are no protobuf outside of spans.

use std::borrow::Cow;

use super::span::{Address, Annotation, Endpoint, Span, TagValue, trace_id_of_bytes};
use super::translate::Translator;
use crate::notes::SpanFault;
use crate::wire::{Field, Reader, WireError};
use crate::{DecodeError, Decoded};

/// OTLP's numbers of Zipkin's kinds.
const KINDS: [i32; 5] = [0, 3, 2, 4, 5];

/// Decodes a `zipkin.proto3.ListOfSpans`.
///
/// # Errors
/// When the bytes outside of its spans are broken, or it unpacks to far more than its size.
pub fn decode_proto_v2(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let mut translator = Translator::new(bytes.len());
    let mut span = Span::default();
    let mut reader = Reader::new(bytes);
    loop {
        let broken = |why: WireError| DecodeError::Broken {
            what: "list of spans",
            byte: bytes.len() - reader.rest().len(),
            why: why.to_string(),
        };
        let mut ahead = reader;
        match ahead.next_field().map_err(broken)? {
            None => return Ok(translator.finish()),
            Some((1, Field::Bytes(message))) => {
                span.clear();
                let read = read_span(message, &mut span);
                translator.add(&span, read)?;
            }
            Some((1, _)) => return Err(broken(WireError::FieldType { field: 1 })),
            Some(_) => {}
        }
        reader = ahead;
    }
}

fn read_span<'a>(bytes: &'a [u8], span: &mut Span<'a>) -> Result<(), SpanFault> {
    let (mut trace_id, mut span_id, mut parent_id) = (&[][..], &[][..], &[][..]);
    let mut reader = Reader::new(bytes);
    while let Some(next) = reader.next_field()? {
        match next {
            (1, Field::Bytes(id)) => trace_id = id,
            (2, Field::Bytes(id)) => parent_id = id,
            (3, Field::Bytes(id)) => span_id = id,
            (4, Field::Varint(kind)) => span.kind = kind_of(kind),
            (5, Field::Bytes(name)) => span.name = Cow::Borrowed(name),
            (6, Field::Fixed64(micros)) => span.start_micros = micros,
            (7, Field::Varint(micros)) => span.duration_micros = micros,
            (8, Field::Bytes(message)) => read_endpoint(message, &mut span.local)?,
            (9, Field::Bytes(message)) => read_endpoint(message, &mut span.remote)?,
            (10, Field::Bytes(message)) => span.push_annotation(annotation(message)?),
            (11, Field::Bytes(message)) => {
                let (key, value) = tag(message)?;
                span.push_tag(Cow::Borrowed(key), TagValue::Text(Cow::Borrowed(value)));
            }
            (12 | 13, Field::Varint(_)) => {}
            (field @ 1..=13, _) => return Err(WireError::FieldType { field }.into()),
            _ => {}
        }
    }
    span.trace_id = trace_id_of_bytes(trace_id).ok_or(SpanFault::Field {
        name: "trace id",
        must_be: "8 or 16 bytes long",
    })?;
    span.span_id = span_id
        .try_into()
        .map_err(|_| SpanFault::SpanIdLength(span_id.len()))?;
    if !parent_id.is_empty() {
        span.parent_span_id = parent_id
            .try_into()
            .map_err(|_| SpanFault::ParentIdLength(parent_id.len()))?;
    }
    span.resource.service = std::mem::take(&mut span.local.service);
    Ok(())
}

fn kind_of(number: u64) -> i32 {
    let kind = usize::try_from(number)
        .ok()
        .and_then(|number| KINDS.get(number));
    kind.copied().unwrap_or(0)
}

fn read_endpoint<'a>(bytes: &'a [u8], endpoint: &mut Endpoint<'a>) -> Result<(), WireError> {
    let mut reader = Reader::new(bytes);
    while let Some(next) = reader.next_field()? {
        match next {
            (1, Field::Bytes(service)) => endpoint.service = Cow::Borrowed(service),
            (2, Field::Bytes(ip)) => endpoint.ipv4 = Address::of_bytes(ip),
            (3, Field::Bytes(ip)) => endpoint.ipv6 = Address::of_bytes(ip),
            (4, Field::Varint(port)) => endpoint.port = port.cast_signed(),
            (field @ 1..=4, _) => return Err(WireError::FieldType { field }),
            _ => {}
        }
    }
    Ok(())
}

fn annotation(bytes: &[u8]) -> Result<Annotation<'_>, WireError> {
    let (mut micros, mut value) = (0, &[][..]);
    let mut reader = Reader::new(bytes);
    while let Some(next) = reader.next_field()? {
        match next {
            (1, Field::Fixed64(number)) => micros = number,
            (2, Field::Bytes(text)) => value = text,
            (field @ 1..=2, _) => return Err(WireError::FieldType { field }),
            _ => {}
        }
    }
    Ok(Annotation {
        micros,
        value: Cow::Borrowed(value),
    })
}

fn tag(bytes: &[u8]) -> Result<(&[u8], &[u8]), WireError> {
    let (mut key, mut value) = (&[][..], &[][..]);
    let mut reader = Reader::new(bytes);
    while let Some(next) = reader.next_field()? {
        match next {
            (1, Field::Bytes(text)) => key = text,
            (2, Field::Bytes(text)) => value = text,
            (field @ 1..=2, _) => return Err(WireError::FieldType { field }),
            _ => {}
        }
    }
    Ok((key, value))
}
