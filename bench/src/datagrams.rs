//! Jaeger's datagrams from a corpus, as its old clients send them: `emitBatch` in Thrift's compact protocol.
//!
//! Promises: one process a datagram, filled up to what clients fill theirs; attributes, kind, error and events are
//! there as those clients write them. Refuses: links, which they hardly have.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span, status::StatusCode};
use prost::Message as _;

/// What clients put into a datagram at most, with room for its head.
const SPANS_BYTES_MAX: usize = 60_000;

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BYTES: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// A message that is sent as it is.
#[derive(Debug)]
pub(crate) struct Datagram {
    pub(crate) bytes: Vec<u8>,
    pub(crate) spans: u64,
}

/// Gives the datagrams of an OTLP request.
pub(crate) fn of_request(request: &[u8]) -> anyhow::Result<Vec<Datagram>> {
    let request = ExportTraceServiceRequest::decode(request)?;
    Ok(request
        .resource_spans
        .iter()
        .flat_map(of_resource)
        .collect())
}

fn of_resource(from: &ResourceSpans) -> Vec<Datagram> {
    let attributes = from.resource.as_ref().map(|resource| &resource.attributes);
    let process = process(attributes.map_or(&[], Vec::as_slice));
    let (mut datagrams, mut bytes, mut count) = (Vec::new(), Vec::new(), 0);
    for span in from.scope_spans.iter().flat_map(|scope| &scope.spans) {
        let packed = packed_span(span);
        if count > 0 && bytes.len() + packed.len() > SPANS_BYTES_MAX {
            datagrams.push(datagram(&process, &bytes, count));
            (bytes, count) = (Vec::new(), 0);
        }
        bytes.extend(packed);
        count += 1;
    }
    if count > 0 {
        datagrams.push(datagram(&process, &bytes, count));
    }
    datagrams
}

fn datagram(process: &[u8], spans: &[u8], count: u64) -> Datagram {
    // The protocol, version 1 of a oneway message, sequence 0, and the method's name.
    let mut out = vec![0x82, 0x81, 0];
    text(&mut out, b"emitBatch");
    // The one argument, and in it the process and the spans.
    out.extend([0x10 | STRUCT, 0x10 | STRUCT]);
    out.extend(process);
    out.push(0x10 | LIST);
    list(&mut out, count);
    out.extend(spans);
    out.extend([0, 0]);
    Datagram {
        bytes: out,
        spans: count,
    }
}

fn process(attributes: &[KeyValue]) -> Vec<u8> {
    let is_name = |attribute: &&KeyValue| attribute.key == "service.name";
    let name = attributes
        .iter()
        .find(is_name)
        .and_then(|name| name.value.as_ref());
    let mut fields = Fields::default();
    fields.bytes(1, written(name).as_bytes());
    let others = attributes.iter().filter(|attribute| !is_name(attribute));
    fields.structs(
        2,
        others.map(|tag| packed_tag(&tag.key, tag.value.as_ref())),
    );
    fields.end()
}

fn packed_span(span: &Span) -> Vec<u8> {
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0_i64, |all, byte| (all << 8) | i64::from(*byte))
    };
    let micros = |nanos: u64| (nanos / 1000).cast_signed();
    let (high, low) = span.trace_id.split_at(span.trace_id.len().min(8));
    let mut fields = Fields::default();
    fields.i64(1, number(low));
    fields.i64(2, number(high));
    fields.i64(3, number(&span.span_id));
    fields.i64(4, number(&span.parent_span_id));
    fields.bytes(5, span.name.as_bytes());
    fields.i32(7, 1);
    fields.i64(8, micros(span.start_time_unix_nano));
    let duration = span
        .end_time_unix_nano
        .saturating_sub(span.start_time_unix_nano);
    fields.i64(9, micros(duration));
    let attributes = span.attributes.iter();
    let mut tags: Vec<_> = attributes
        .map(|tag| packed_tag(&tag.key, tag.value.as_ref()))
        .collect();
    let kind = match span.kind {
        2 => Some("server"),
        3 => Some("client"),
        4 => Some("producer"),
        5 => Some("consumer"),
        _ => None,
    };
    tags.extend(kind.map(|kind| string_tag("span.kind", kind)));
    let is_error = |code: i32| code == StatusCode::Error as i32;
    if span
        .status
        .as_ref()
        .is_some_and(|status| is_error(status.code))
    {
        let value = AnyValue {
            value: Some(Value::BoolValue(true)),
        };
        tags.push(packed_tag("error", Some(&value)));
    }
    fields.structs(10, tags.into_iter());
    let logs = span.events.iter().map(|event| {
        let attributes = event.attributes.iter();
        let tags = attributes.map(|tag| packed_tag(&tag.key, tag.value.as_ref()));
        let mut fields = Fields::default();
        fields.i64(1, micros(event.time_unix_nano));
        let name = std::iter::once(string_tag("event", &event.name));
        fields.structs(2, name.chain(tags).collect::<Vec<_>>().into_iter());
        fields.end()
    });
    if !span.events.is_empty() {
        fields.structs(11, logs);
    }
    fields.end()
}

fn string_tag(key: &str, value: &str) -> Vec<u8> {
    let value = AnyValue {
        value: Some(Value::StringValue(value.to_owned())),
    };
    packed_tag(key, Some(&value))
}

fn packed_tag(key: &str, value: Option<&AnyValue>) -> Vec<u8> {
    let mut fields = Fields::default();
    fields.bytes(1, key.as_bytes());
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::DoubleValue(number)) => {
            fields.i32(2, 1);
            fields.head(4, DOUBLE);
            fields.out.extend(number.to_le_bytes());
        }
        Some(Value::BoolValue(is_true)) => {
            fields.i32(2, 2);
            fields.head(5, if *is_true { TRUE } else { FALSE });
        }
        Some(Value::IntValue(number)) => {
            fields.i32(2, 3);
            fields.i64(6, *number);
        }
        _ => {
            fields.i32(2, 0);
            fields.bytes(3, written(value).as_bytes());
        }
    }
    fields.end()
}

/// A value as text; clients of Jaeger write lists and the like as text, too.
fn written(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        other => format!("{other:?}"),
    }
}

/// A struct that is being written, its fields in the order of their numbers.
#[derive(Debug, Default)]
struct Fields {
    out: Vec<u8>,
    last: u8,
}

impl Fields {
    fn head(&mut self, id: u8, kind: u8) {
        self.out.push(((id - self.last) << 4) | kind);
        self.last = id;
    }

    fn i32(&mut self, id: u8, number: i32) {
        self.head(id, I32);
        varint(&mut self.out, zigzag(i64::from(number)));
    }

    fn i64(&mut self, id: u8, number: i64) {
        self.head(id, I64);
        varint(&mut self.out, zigzag(number));
    }

    fn bytes(&mut self, id: u8, bytes: &[u8]) {
        self.head(id, BYTES);
        text(&mut self.out, bytes);
    }

    fn structs(&mut self, id: u8, items: impl Iterator<Item = Vec<u8>>) {
        let items: Vec<Vec<u8>> = items.collect();
        self.head(id, LIST);
        list(&mut self.out, items.len() as u64);
        self.out.extend(items.concat());
    }

    fn end(mut self) -> Vec<u8> {
        self.out.push(0);
        self.out
    }
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    varint(out, bytes.len() as u64);
    out.extend(bytes);
}

/// The head of a list of structs: short ones have their length in it.
fn list(out: &mut Vec<u8>, count: u64) {
    if count < 15 {
        out.push((count.to_le_bytes()[0] << 4) | STRUCT);
    } else {
        out.push(0xF0 | STRUCT);
        varint(out, count);
    }
}

#[cfg(test)]
mod tests {
    use codec::jaeger::{ThriftProtocol, decode_udp};
    use codec::otlp::decode_proto;
    use testkit::corpus::{Corpus, CorpusOptions, Profile};

    use super::*;

    #[test]
    fn a_corpus_is_the_same_spans_when_the_program_reads_its_datagrams() {
        let options = CorpusOptions::new(Profile::Kind, 3_000, 1_790_000_000);
        let (mut sent, mut read) = (Vec::new(), Vec::new());
        for request in Corpus::new(options).unwrap() {
            let batch = decode_proto(&request.bytes).unwrap().batch;
            let datagrams = of_request(&request.bytes).unwrap();
            assert_eq!(
                datagrams.iter().map(|datagram| datagram.spans).sum::<u64>(),
                request.spans as u64
            );
            let of = |batch: &model::SpanBatch, all: &mut Vec<_>| {
                for row in 0..batch.len() {
                    let span = batch.span(row).unwrap();
                    all.push((span.trace_id(), span.span_id(), span.name().to_owned()));
                }
            };
            of(&batch, &mut sent);
            for datagram in datagrams {
                assert!(datagram.bytes.len() < 65_000);
                let decoded = decode_udp(&datagram.bytes, ThriftProtocol::Compact).unwrap();
                of(&decoded.submitted.decoded.batch, &mut read);
            }
        }
        sent.sort();
        read.sort();
        assert!(sent.len() >= 3_000 && sent == read);
    }
}
