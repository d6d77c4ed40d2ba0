//! What must hold for any bytes at all: shared by the fuzzers and the tests.
//!
//! Each function panics when its property is broken. The oracle for protobuf is the code that prost generates.

#![allow(
    unreachable_pub,
    reason = "the fuzzers include this file as a module of theirs"
)]

use codec::generated::opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
use codec::generated::opentelemetry::proto::common::v1::any_value::Value as Any;
use codec::generated::opentelemetry::proto::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use codec::generated::opentelemetry::proto::resource::v1::Resource;
use codec::generated::opentelemetry::proto::trace::v1::span::{Event, Link};
use codec::generated::opentelemetry::proto::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use codec::jaeger::{
    ThriftProtocol, decode_batch_binary, decode_documents, decode_post_spans, decode_span,
    decode_udp,
};
use codec::jaeger_document::{DocumentLayout, write_span};
use codec::otlp::{decode_json, decode_proto, encode_json, encode_proto};
use codec::wire::{Field, Reader, WireError, Writer};
use codec::zipkin::{decode_json_v1, decode_json_v2, decode_proto_v2, decode_thrift_v1};
use codec::{DecodeError, Decoded};
use model::SpanBatch;
use model::batch::{AttrValue, Attribute, SpanRef};
use model::value::Value;
use prost::Message as _;

/// Checks the decoder of protobuf on any bytes: against prost, and by encoding what was decoded.
pub fn check_otlp_proto(bytes: &[u8]) {
    let Ok(decoded) = decode_proto(bytes) else {
        return;
    };
    check_texts(
        decoded.rejected_spans,
        decoded.rejection.as_deref(),
        decoded.warning.as_deref(),
    );
    check_encoders(&decoded.batch);
    // Prost knows no half measures: it refuses the whole request for one bad text.
    let Ok(theirs) = ExportTraceServiceRequest::decode(bytes) else {
        return;
    };
    if decoded.rejected_spans == 0 && decoded.truncated_values == 0 && !has_odd_link(&theirs) {
        assert_eq!(one_by_one(&decoded.batch), normalised(theirs));
    }
}

/// Checks the decoder of JSON on any bytes, by encoding what was decoded.
pub fn check_otlp_json(bytes: &[u8]) {
    let Ok(decoded) = decode_json(bytes) else {
        return;
    };
    assert!(!decoded.is_verbatim, "JSON is no protobuf");
    check_texts(
        decoded.rejected_spans,
        decoded.rejection.as_deref(),
        decoded.warning.as_deref(),
    );
    check_encoders(&decoded.batch);
}

/// Checks Zipkin's JSON of version 2 on any bytes, by encoding what was decoded.
pub fn check_zipkin_json_v2(bytes: &[u8]) {
    check_other(bytes, decode_json_v2(bytes));
}

/// Checks Zipkin's JSON of version 1 on any bytes, by encoding what was decoded.
pub fn check_zipkin_json_v1(bytes: &[u8]) {
    check_other(bytes, decode_json_v1(bytes));
}

/// Checks Zipkin's protobuf on any bytes, by encoding what was decoded.
pub fn check_zipkin_proto(bytes: &[u8]) {
    check_other(bytes, decode_proto_v2(bytes));
}

/// Checks Zipkin's Thrift on any bytes, by encoding what was decoded.
pub fn check_zipkin_thrift(bytes: &[u8]) {
    check_other(bytes, decode_thrift_v1(bytes));
}

/// Checks all of Jaeger's formats on any bytes, by encoding what was decoded.
pub fn check_jaeger(bytes: &[u8]) {
    let datagrams = [ThriftProtocol::Binary, ThriftProtocol::Compact];
    for protocol in datagrams {
        let datagram = decode_udp(bytes, protocol);
        check_other(bytes, datagram.map(|datagram| datagram.submitted.decoded));
    }
    let batch = decode_batch_binary(bytes);
    check_other(bytes, batch.map(|submitted| submitted.decoded));
    check_other(bytes, decode_post_spans(bytes));
    check_other(bytes, decode_span(bytes));
}

/// Checks Jaeger's documents on any bytes, by encoding what was decoded, and by writing documents of it again.
pub fn check_jaeger_document(bytes: &[u8]) {
    let layout = DocumentLayout::default();
    let decoded = decode_documents(&[bytes], &layout);
    for span in decoded.iter().flat_map(|decoded| decoded.batch.iter()) {
        let mut text = String::new();
        write_span(&mut text, span, &layout);
        let again = decode_documents(&[text.as_bytes()], &layout);
        assert_eq!(again.map(|again| again.batch.len()), Ok(1), "{text}");
    }
    check_other(bytes, decoded);
}

fn check_other(bytes: &[u8], decoded: Result<Decoded, DecodeError>) {
    let Ok(decoded) = decoded else { return };
    assert!(!decoded.is_verbatim, "other bytes are not OTLP's");
    let memory_bytes = decoded.batch.size_bytes();
    assert!(
        memory_bytes <= 8 * bytes.len() + (16 << 20),
        "{memory_bytes} bytes"
    );
    check_texts(
        decoded.rejected_spans,
        decoded.rejection.as_deref(),
        decoded.warning.as_deref(),
    );
    check_encoders(&decoded.batch);
}

/// Checks the wire reader on any bytes: numbers against prost, fields by writing them again.
pub fn check_wire(bytes: &[u8]) {
    let theirs = prost::encoding::decode_varint(&mut &*bytes);
    assert_eq!(Reader::new(bytes).varint().ok(), theirs.ok());
    let mut reader = Reader::new(bytes);
    let mut writer = Writer::new();
    let mut fields = Vec::new();
    let ended: Result<(), WireError> = loop {
        match reader.next_field() {
            Ok(None) => break Ok(()),
            Ok(Some(next)) => fields.push(next),
            Err(error) => break Err(error),
        }
    };
    for (number, field) in &fields {
        match field {
            Field::Varint(value) => writer.varint_field(*number, *value),
            Field::Fixed64(value) => writer.fixed64_field(*number, *value),
            Field::Bytes(value) => writer.bytes_field(*number, value),
            Field::Fixed32(value) => writer.fixed32_field(*number, *value),
        }
    }
    let written = writer.into_bytes();
    let mut again = Reader::new(&written);
    for expected in fields {
        assert_eq!(again.next_field(), Ok(Some(expected)));
    }
    assert_eq!(again.next_field(), Ok(None));
    assert!(
        written.len() <= bytes.len(),
        "numbers are written no longer than they came"
    );
    if ended.is_ok() {
        // An empty message has no known fields: prost must be able to pass over what the reader can read.
        assert!(<() as prost::Message>::decode(bytes).is_ok());
    }
}

/// Checks that a batch survives both encodings.
pub fn check_encoders(batch: &SpanBatch) {
    let bytes = encode_proto(batch);
    let again = decode_proto(&bytes).expect("what is encoded can be decoded");
    assert!(
        again.is_verbatim,
        "nothing has to be changed in what is encoded: {:?}",
        again.rejection
    );
    assert_eq!(hashes(&again.batch), hashes(batch));
    let text = encode_json(batch);
    let again = decode_json(text.as_bytes()).expect("what is encoded can be decoded");
    assert_eq!((again.rejection, again.warning), (None, None), "{text}");
    assert_eq!(one_by_one(&again.batch), one_by_one(batch), "{text}");
}

fn check_texts(rejected_spans: u64, rejection: Option<&str>, warning: Option<&str>) {
    assert_eq!(rejected_spans > 0, rejection.is_some());
    assert!(
        rejection
            .into_iter()
            .chain(warning)
            .all(|text| !text.is_empty() && text.len() <= 1024)
    );
}

/// The hashes of all spans in order.
pub fn hashes(batch: &SpanBatch) -> Vec<u64> {
    (0..batch.len()).map(|row| batch.span_hash(row)).collect()
}

/// Every span of a batch as a request of its own, by what the batch's views tell.
pub fn one_by_one(batch: &SpanBatch) -> Vec<String> {
    batch
        .iter()
        .map(|span| shown(&resource_spans(span)))
        .collect()
}

/// Every span of a request as a request of its own, in the one form that differences without a meaning leave.
pub fn normalised(request: ExportTraceServiceRequest) -> Vec<String> {
    let mut all = Vec::new();
    for resource_spans in request.resource_spans {
        let ResourceSpans {
            mut resource,
            scope_spans,
            schema_url,
        } = resource_spans;
        if let Some(resource) = &mut resource {
            normalise_attributes(&mut resource.attributes);
        }
        for ScopeSpans {
            mut scope,
            spans,
            schema_url: scope_url,
        } in scope_spans
        {
            if let Some(scope) = &mut scope {
                normalise_attributes(&mut scope.attributes);
            }
            for mut span in spans {
                normalise_span(&mut span);
                let one = ScopeSpans {
                    scope: scope.clone(),
                    spans: vec![span],
                    schema_url: scope_url.clone(),
                };
                let (resource, schema_url) = (resource.clone(), schema_url.clone());
                all.push(shown(&ResourceSpans {
                    resource,
                    scope_spans: vec![one],
                    schema_url,
                }));
            }
        }
    }
    all
}

/// A text in which NaN equals NaN, unlike in the messages.
fn shown(spans: &ResourceSpans) -> String {
    format!("{spans:#?}")
}

fn normalise_span(span: &mut Span) {
    if span.parent_span_id == [0; 8] {
        span.parent_span_id.clear();
    }
    if span.status == Some(Status::default()) {
        span.status = None;
    }
    normalise_attributes(&mut span.attributes);
    span.events
        .iter_mut()
        .for_each(|event| normalise_attributes(&mut event.attributes));
    for link in &mut span.links {
        normalise_attributes(&mut link.attributes);
        for id in [&mut link.trace_id, &mut link.span_id] {
            if id.iter().all(|byte| *byte == 0) {
                id.clear();
            }
        }
    }
}

fn normalise_attributes(attributes: &mut [KeyValue]) {
    for pair in attributes {
        normalise_value(pair.value.get_or_insert_default());
    }
}

fn normalise_value(value: &mut AnyValue) {
    match &mut value.value {
        Some(Any::ArrayValue(array)) => array.values.iter_mut().for_each(normalise_value),
        Some(Any::KvlistValue(map)) => normalise_attributes(&mut map.values),
        _ => {}
    }
}

fn has_odd_link(request: &ExportTraceServiceRequest) -> bool {
    let scopes = request
        .resource_spans
        .iter()
        .flat_map(|spans| &spans.scope_spans);
    let mut links = scopes
        .flat_map(|scope| &scope.spans)
        .flat_map(|span| &span.links);
    links.any(|link| {
        ![0, 16].contains(&link.trace_id.len()) || ![0, 8].contains(&link.span_id.len())
    })
}

fn resource_spans(span: SpanRef<'_>) -> ResourceSpans {
    let (resource, scope) = (span.resource(), span.scope());
    let entity_refs = Resource::decode(resource.entity_refs())
        .expect("entity refs are fields of a resource")
        .entity_refs;
    ResourceSpans {
        resource: resource.row().is_present.then(|| Resource {
            attributes: attributes(resource.attributes()),
            dropped_attributes_count: resource.row().dropped_attributes,
            entity_refs,
        }),
        scope_spans: vec![ScopeSpans {
            scope: scope.row().is_present.then(|| InstrumentationScope {
                name: scope.name().to_owned(),
                version: scope.version().to_owned(),
                attributes: attributes(scope.attributes()),
                dropped_attributes_count: scope.row().dropped_attributes,
            }),
            spans: vec![own_fields(span)],
            schema_url: scope.schema_url().to_owned(),
        }],
        schema_url: resource.schema_url().to_owned(),
    }
}

fn own_fields(span: SpanRef<'_>) -> Span {
    let (dropped_attributes_count, dropped_events_count, dropped_links_count) = span.dropped();
    let status = Status {
        message: span.status_message().to_owned(),
        code: span.status(),
    };
    let id = |id: &[u8], is_zero: bool| if is_zero { Vec::new() } else { id.to_vec() };
    Span {
        trace_id: span.trace_id().0.to_vec(),
        span_id: span.span_id().0.to_vec(),
        trace_state: span.trace_state().to_owned(),
        parent_span_id: id(&span.parent_span_id().0, span.parent_span_id().is_zero()),
        name: span.name().to_owned(),
        kind: span.kind(),
        start_time_unix_nano: span.start(),
        end_time_unix_nano: span.end(),
        attributes: attributes(span.attributes()),
        dropped_attributes_count,
        events: span
            .events()
            .map(|event| Event {
                time_unix_nano: event.time(),
                name: event.name().to_owned(),
                attributes: attributes(event.attributes()),
                dropped_attributes_count: event.dropped_attributes(),
            })
            .collect(),
        dropped_events_count,
        links: span
            .links()
            .map(|link| Link {
                trace_id: id(&link.trace_id().0, link.trace_id().is_zero()),
                span_id: id(&link.span_id().0, link.span_id().is_zero()),
                trace_state: link.trace_state().to_owned(),
                attributes: attributes(link.attributes()),
                dropped_attributes_count: link.dropped_attributes(),
                flags: link.flags(),
            })
            .collect(),
        dropped_links_count,
        status: (status != Status::default()).then_some(status),
        flags: span.flags(),
    }
}

fn attributes<'a>(attributes: impl Iterator<Item = Attribute<'a>>) -> Vec<KeyValue> {
    attributes
        .map(|Attribute { key, value }| pair(key.to_owned(), any(&value.to_value(), value)))
        .collect()
}

fn pair(key: String, value: AnyValue) -> KeyValue {
    KeyValue {
        key,
        value: Some(value),
    }
}

fn any(tree: &Value, packed: AttrValue<'_>) -> AnyValue {
    assert_eq!(tree.value_type(), packed.value_type());
    any_of(tree)
}

fn any_of(value: &Value) -> AnyValue {
    let value = match value {
        Value::Empty => None,
        Value::String(text) => Some(Any::StringValue(text.clone())),
        Value::Bool(is) => Some(Any::BoolValue(*is)),
        Value::Int(int) => Some(Any::IntValue(*int)),
        Value::Double(double) => Some(Any::DoubleValue(*double)),
        Value::Bytes(bytes) => Some(Any::BytesValue(bytes.clone())),
        Value::Array(values) => Some(Any::ArrayValue(ArrayValue {
            values: values.iter().map(any_of).collect(),
        })),
        Value::Map(pairs) => {
            let values = pairs
                .iter()
                .map(|(key, value)| pair(key.clone(), any_of(value)))
                .collect();
            Some(Any::KvlistValue(KeyValueList { values }))
        }
    };
    AnyValue { value }
}
