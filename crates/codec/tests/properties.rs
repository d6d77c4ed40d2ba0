//! Random requests against another implementation of OTLP's messages (`opentelemetry-proto`), field by field.

use codec::generated::opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest as Ours;
use codec::otlp::{decode_json, encode_json, encode_proto, encode_proto_part};
use codec::wire::{Field, Reader, Writer};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;

use crate::checks::{
    check_otlp_json, check_otlp_proto, check_wire, hashes, normalised, one_by_one,
};
use crate::spans::decoded;

fn a_text() -> impl Strategy<Value = String> {
    // Few texts that repeat, as in life, and some of any characters.
    prop_oneof![
        prop::sample::select(vec!["", "a", "http.request.method", "GET", "service.name"])
            .prop_map(str::to_owned),
        any::<String>(),
    ]
}

fn a_value() -> impl Strategy<Value = AnyValue> {
    let scalar = prop_oneof![
        Just(None),
        a_text().prop_map(|text| Some(Any::StringValue(text))),
        any::<bool>().prop_map(|is| Some(Any::BoolValue(is))),
        any::<i64>().prop_map(|int| Some(Any::IntValue(int))),
        any::<f64>().prop_map(|double| Some(Any::DoubleValue(double))),
        vec(any::<u8>(), 0..5).prop_map(|bytes| Some(Any::BytesValue(bytes))),
    ];
    scalar
        .prop_map(|value| AnyValue { value })
        .prop_recursive(4, 16, 3, |inner| {
            let pair =
                (a_text(), inner.clone()).prop_map(|(key, value)| key_value(key, Some(value)));
            prop_oneof![
                vec(inner, 0..4).prop_map(|values| AnyValue {
                    value: Some(Any::ArrayValue(ArrayValue { values }))
                }),
                vec(pair, 0..4).prop_map(|values| AnyValue {
                    value: Some(Any::KvlistValue(KeyValueList { values }))
                }),
            ]
        })
}

fn key_value(key: String, value: Option<AnyValue>) -> KeyValue {
    KeyValue {
        key,
        value,
        key_strindex: 0,
    }
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec(
        (a_text(), prop::option::weighted(0.9, a_value()))
            .prop_map(|(key, value)| key_value(key, value)),
        0..4,
    )
}

fn a_count() -> impl Strategy<Value = u32> {
    prop_oneof![3 => Just(0), 1 => any::<u32>()]
}

fn an_id(len: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), len).prop_filter("an id is not zero", |id| id.iter().any(|byte| *byte != 0))
}

fn an_event() -> impl Strategy<Value = Event> {
    (any::<u64>(), a_text(), attributes(), a_count()).prop_map(
        |(time_unix_nano, name, attributes, dropped)| Event {
            time_unix_nano,
            name,
            attributes,
            dropped_attributes_count: dropped,
        },
    )
}

fn a_link() -> impl Strategy<Value = Link> {
    let ids = (
        prop_oneof![an_id(16), Just(Vec::new())],
        prop_oneof![an_id(8), Just(Vec::new())],
    );
    (ids, a_text(), attributes(), a_count(), any::<u32>()).prop_map(
        |((trace_id, span_id), trace_state, attributes, dropped, flags)| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count: dropped,
            flags,
        },
    )
}

fn a_status() -> impl Strategy<Value = Option<Status>> {
    prop::option::of(
        (a_text(), prop_oneof![0..3i32, any::<i32>()])
            .prop_map(|(message, code)| Status { message, code }),
    )
}

fn a_span() -> impl Strategy<Value = Span> {
    let parent = prop_oneof![an_id(8), Just(Vec::new()), Just(vec![0; 8])];
    let ids = (an_id(16), an_id(8), parent);
    let numbers = (
        prop_oneof![0..6i32, any::<i32>()],
        any::<u64>(),
        any::<u64>(),
        any::<u32>(),
    );
    let dropped = (a_count(), a_count(), a_count());
    let lists = (attributes(), vec(an_event(), 0..3), vec(a_link(), 0..3));
    (
        ids,
        (a_text(), a_text()),
        numbers,
        dropped,
        lists,
        a_status(),
    )
        .prop_map(
            |(
                ids,
                (name, trace_state),
                (kind, start, end, flags),
                dropped,
                (attributes, events, links),
                status,
            )| Span {
                trace_id: ids.0,
                span_id: ids.1,
                trace_state,
                parent_span_id: ids.2,
                flags,
                name,
                kind,
                start_time_unix_nano: start,
                end_time_unix_nano: end,
                attributes,
                dropped_attributes_count: dropped.0,
                events,
                dropped_events_count: dropped.1,
                links,
                dropped_links_count: dropped.2,
                status,
            },
        )
}

fn a_scope() -> impl Strategy<Value = InstrumentationScope> {
    (a_text(), a_text(), attributes(), a_count()).prop_map(
        |(name, version, attributes, dropped)| InstrumentationScope {
            name,
            version,
            attributes,
            dropped_attributes_count: dropped,
        },
    )
}

fn a_resource() -> impl Strategy<Value = Resource> {
    let entity_ref = (a_text(), a_text(), vec(a_text(), 0..3), vec(a_text(), 0..2)).prop_map(
        |(schema_url, r#type, id_keys, description_keys)| EntityRef {
            schema_url,
            r#type,
            id_keys,
            description_keys,
        },
    );
    (attributes(), a_count(), vec(entity_ref, 0..3)).prop_map(
        |(attributes, dropped, entity_refs)| Resource {
            attributes,
            dropped_attributes_count: dropped,
            entity_refs,
        },
    )
}

fn a_request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scope_spans = (prop::option::of(a_scope()), vec(a_span(), 0..4), a_text()).prop_map(
        |(scope, spans, schema_url)| ScopeSpans {
            scope,
            spans,
            schema_url,
        },
    );
    let resource_spans = (
        prop::option::of(a_resource()),
        vec(scope_spans, 0..3),
        a_text(),
    )
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans {
            resource,
            scope_spans,
            schema_url,
        });
    vec(resource_spans, 0..4)
        .prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

/// The same fields in another order: those of each number keep their order among themselves.
fn shuffled(message: &[u8], order: &[u32], children: &dyn Fn(u32, &[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut fields = Vec::new();
    let mut reader = Reader::new(message);
    while let Ok(Some(field)) = reader.next_field() {
        fields.push(field);
    }
    let place = |number: u32| order.get(number as usize % order.len()).copied();
    fields.sort_by_key(|(number, _)| place(*number));
    let mut out = Writer::new();
    for (number, field) in fields {
        match field {
            Field::Varint(value) => out.varint_field(number, value),
            Field::Fixed64(value) => out.fixed64_field(number, value),
            Field::Bytes(value) => out.bytes_field(number, &children(number, value)),
            Field::Fixed32(value) => out.fixed32_field(number, value),
        }
    }
    out.into_bytes()
}

fn shuffled_request(request: &[u8], order: &[u32]) -> Vec<u8> {
    let leaf = |_: u32, bytes: &[u8]| bytes.to_vec();
    let flat = |bytes: &[u8]| shuffled(bytes, order, &leaf);
    let scope_spans = |bytes: &[u8]| {
        shuffled(bytes, order, &|number, child| {
            if number == 3 {
                child.to_vec()
            } else {
                flat(child)
            }
        })
    };
    let resource_spans = |bytes: &[u8]| {
        shuffled(bytes, order, &|number, child| match number {
            1 => flat(child),
            2 => scope_spans(child),
            _ => child.to_vec(),
        })
    };
    shuffled(request, order, &|_, child| resource_spans(child))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn every_field_of_another_implementations_request_is_read(request in a_request()) {
        let bytes = request.encode_to_vec();
        let ours = Ours::decode(bytes.as_slice()).unwrap();
        prop_assert_eq!(ours.encode_to_vec(), &bytes[..], "our messages say the same");
        let decoded = decoded(&bytes);
        prop_assert!(decoded.is_verbatim && decoded.warning.is_none());
        prop_assert_eq!(one_by_one(&decoded.batch), normalised(ours));
    }

    #[test]
    fn another_implementation_reads_every_field_that_is_written(request in a_request()) {
        let batch = decoded(&request.encode_to_vec()).batch;
        let written = encode_proto(&batch);
        let theirs = ExportTraceServiceRequest::decode(written.as_slice()).unwrap();
        let theirs = Ours::decode(theirs.encode_to_vec().as_slice()).unwrap();
        let original = Ours::decode(request.encode_to_vec().as_slice()).unwrap();
        prop_assert_eq!(normalised(theirs), normalised(original));
        let again = decoded(&written);
        prop_assert_eq!(hashes(&again.batch), hashes(&batch));
    }

    #[test]
    fn parts_together_are_the_whole_and_each_is_as_long_as_it_may_be(
        request in a_request(), bytes_max in 0_usize..4_000,
    ) {
        let batch = decoded(&request.encode_to_vec()).batch;
        let (mut from, mut together) = (0, Vec::new());
        while from < batch.len() {
            let (part, end) = encode_proto_part(&batch, from..batch.len(), bytes_max);
            prop_assert!(end > from);
            prop_assert!(part.len() <= bytes_max || end == from + 1, "{} > {bytes_max}", part.len());
            together.extend(hashes(&decoded(&part).batch));
            from = end;
        }
        prop_assert_eq!(together, hashes(&batch));
    }

    #[test]
    fn json_carries_everything(request in a_request()) {
        let batch = decoded(&request.encode_to_vec()).batch;
        let text = encode_json(&batch);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        let again = decode_json(text.as_bytes()).unwrap();
        prop_assert_eq!((again.rejected_spans, again.warning), (0, None));
        // NaN has many forms in memory and one in JSON.
        prop_assert_eq!(one_by_one(&again.batch), one_by_one(&batch), "{}", text);
    }

    #[test]
    fn the_order_of_fields_means_nothing(
        request in a_request(), order in Just((0..17u32).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let bytes = request.encode_to_vec();
        let other = shuffled_request(&bytes, &order);
        prop_assert_eq!(hashes(&decoded(&other).batch), hashes(&decoded(&bytes).batch));
    }

    #[test]
    fn a_request_with_any_bytes_changed_holds_the_checks(
        request in a_request(), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = request.encode_to_vec();
        let mut text = encode_json(&decoded(&bytes).batch).into_bytes();
        for (at, byte) in changes {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let at = at.index(text.len());
            text[at] = byte;
        }
        check_otlp_proto(&bytes);
        check_otlp_json(&text);
        check_wire(&bytes);
    }
}
