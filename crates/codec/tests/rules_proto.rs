//! One test for each rule of OTLP over protobuf: what is accepted, what is rejected alone, what is refused, and what
//! a sender is told.

use codec::DecodeError;
use codec::generated::google::protobuf::Any as Detailed;
use codec::generated::google::rpc::{BadRequest, RetryInfo, Status as RpcStatus};
use codec::generated::opentelemetry::proto::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use codec::generated::opentelemetry::proto::common::v1::any_value::Value as Any;
use codec::generated::opentelemetry::proto::common::v1::{
    AnyValue, ArrayValue, EntityRef, KeyValue, KeyValueList,
};
use codec::generated::opentelemetry::proto::trace::v1::span::{Event, Link};
use codec::generated::opentelemetry::proto::trace::v1::{ResourceSpans, ScopeSpans, Span};
use codec::otlp::{Detail, Encoding, decode_proto, status_body, success_body};
use codec::wire::Writer;
use model::batch::AttrValue;
use model::value::Value;
use prost::Message as _;

use crate::checks::{check_encoders, hashes};
use crate::spans::{
    attribute, decoded, request, request_of_raw_spans, resource_spans, span, span_and, span_with,
    text,
};

#[test]
fn o_02_a_success_without_anything_to_say_is_unset() {
    assert_eq!(success_body(Encoding::Proto, 0, ""), b"");
    assert_eq!(success_body(Encoding::Json, 0, ""), b"{}");
    let partial =
        ExportTraceServiceResponse::decode(&*success_body(Encoding::Proto, 3, "why")).unwrap();
    let partial = partial.partial_success.unwrap();
    assert_eq!(
        (partial.rejected_spans, partial.error_message.as_str()),
        (3, "why")
    );
    let json = br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"why \"so\""}}"#;
    assert_eq!(success_body(Encoding::Json, 3, "why \"so\""), json);
    assert_eq!(
        success_body(Encoding::Json, 0, "hint"),
        br#"{"partialSuccess":{"errorMessage":"hint"}}"#
    );
}

#[test]
fn o_04_an_empty_body_and_empty_envelopes_are_fine() {
    let nothing = [
        Vec::new(),
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans::default()],
        }
        .encode_to_vec(),
        ExportTraceServiceRequest {
            resource_spans: vec![resource_spans("idle", Vec::new())],
        }
        .encode_to_vec(),
    ];
    for bytes in nothing {
        let decoded = decoded(&bytes);
        assert_eq!(
            (decoded.batch.len(), decoded.rejected_spans, decoded.warning),
            (0, 0, None)
        );
        assert!(decoded.is_verbatim);
        assert!(
            decoded.batch.resources().is_empty(),
            "a service without spans is no service"
        );
    }
}

#[test]
fn o_10_broken_bytes_outside_of_spans_refuse_the_request_and_say_where() {
    let good = request(vec![span(1)]);
    let cases: [(&[u8], usize, &str); 6] = [
        (&[0x0a], 0, "request"),
        (&[0x08, 1], 2, "request"),
        (&[0x0a, 2, 0x08, 1], 4, "resource spans"),
        (&[0x0a, 3, 0x12, 5, 0], 4, "resource spans"),
        (&[0x0a, 4, 0x0a, 2, 0x0a, 9], 4, "resource"),
        (&[0x0a, 4, 0x12, 2, 0x10, 1], 6, "scope spans"),
    ];
    for (bytes, at, place) in cases {
        let error = decode_proto(bytes).unwrap_err();
        let DecodeError::Broken { what, byte, .. } = &error else {
            panic!("{error}")
        };
        assert!(
            (at..=bytes.len()).contains(byte) && *what == place,
            "{error}: {bytes:?}"
        );
        let behind = decode_proto(&[&good, bytes].concat()).unwrap_err();
        let DecodeError::Broken { byte: later, .. } = behind else {
            panic!("{behind}")
        };
        assert_eq!(
            later,
            good.len() + byte,
            "the place counts from the start of the request"
        );
    }
}

/// Spans with unusable ids, and what is said about each.
fn spans_without_usable_ids() -> Vec<(Span, &'static str)> {
    let id = |bytes: &[u8]| bytes.to_vec();
    vec![
        (
            Span {
                trace_id: id(&[]),
                ..span(9)
            },
            "trace id is 0 bytes long, must be 16",
        ),
        (
            Span {
                trace_id: id(&[1; 15]),
                ..span(9)
            },
            "trace id is 15 bytes long",
        ),
        (
            Span {
                trace_id: id(&[1; 17]),
                ..span(9)
            },
            "trace id is 17 bytes long",
        ),
        (
            Span {
                trace_id: id(&[0; 16]),
                ..span(9)
            },
            "trace id is all zero",
        ),
        (
            Span {
                span_id: id(&[1; 7]),
                ..span(9)
            },
            "span id is 7 bytes long, must be 8",
        ),
        (
            Span {
                span_id: id(&[0; 8]),
                ..span(9)
            },
            "span id is all zero",
        ),
        (
            Span {
                parent_span_id: id(&[1; 4]),
                ..span(9)
            },
            "parent span id is 4 bytes long",
        ),
    ]
}

#[test]
fn o_11_one_invalid_span_among_valid_ones_is_rejected_alone() {
    for (bad, why) in spans_without_usable_ids() {
        // The bad span has something of everything, none of which may be left behind.
        let event = Event {
            attributes: vec![attribute("left", text("behind"))],
            ..Event::default()
        };
        let bad = Span {
            attributes: vec![attribute("bad", text("value"))],
            events: vec![event],
            ..bad
        };
        let decoded = decoded(&request(vec![span(1), bad, span(2)]));
        let names: Vec<_> = decoded.batch.iter().map(|span| span.name()).collect();
        assert_eq!(names, ["span 1", "span 2"]);
        assert!(
            decoded
                .batch
                .iter()
                .all(|span| span.attributes().len() + span.events().len() == 0)
        );
        assert_eq!((decoded.rejected_spans, decoded.is_verbatim), (1, false));
        let rejection = decoded.rejection.unwrap();
        assert!(
            rejection.starts_with("1 span rejected") && rejection.contains(why),
            "{rejection}"
        );
        assert!(
            rejection.contains("resourceSpans[0].scopeSpans[0].spans[1]"),
            "{rejection}"
        );
        assert_eq!(
            hashes(&decoded.batch),
            hashes(&self::decoded(&request(vec![span(1), span(2)])).batch)
        );
    }
}

#[test]
fn o_11_a_span_with_broken_bytes_in_a_sound_frame_is_rejected_alone() {
    let broken: [Vec<u8>; 6] = [
        span_and(|out| out.varint_field(5, 1)),
        span_and(|out| out.raw(&[0x4a, 9, 1])),
        span_and(|out| out.message(9, |out| out.varint_field(1, 1))),
        span_and(|out| out.message(11, |out| out.bytes_field(1, b"eight by"))),
        span_and(|out| out.message(13, |out| out.message(4, |out| out.raw(&[0x12, 3, 0x0a])))),
        span_and(|out| {
            out.message(9, |out| {
                out.message(2, |out| out.message(5, |out| out.varint_field(1, 1)));
            });
        }),
    ];
    for bad in broken {
        let decoded = decoded(&request_of_raw_spans(&[bad, span(2).encode_to_vec()]));
        assert_eq!((decoded.batch.len(), decoded.rejected_spans), (1, 1));
        assert_eq!(decoded.batch.span(0).unwrap().name(), "span 2");
        assert!(decoded.rejection.unwrap().contains("span is broken"));
    }
}

#[test]
fn o_17_messages_are_at_most_1_kib() {
    let long = "ä".repeat(5000);
    for encoding in [Encoding::Proto, Encoding::Json] {
        assert!(success_body(encoding, 1, &long).len() < 1100);
        let details = [Detail::BadRequest {
            field: long.clone(),
            description: long.clone(),
        }];
        assert!(status_body(encoding, 3, &long, &details).len() < 3500);
    }
}

#[test]
fn errors_are_a_status_with_details_in_either_encoding() {
    let details = [
        Detail::BadRequest {
            field: "body".into(),
            description: "cut off".into(),
        },
        Detail::RetryInfo { seconds: 7 },
    ];
    let status = RpcStatus::decode(&*status_body(Encoding::Proto, 3, "bad", &details)).unwrap();
    assert_eq!((status.code, status.message.as_str()), (3, "bad"));
    let [
        Detailed {
            type_url: first,
            value: bad,
        },
        Detailed {
            type_url: second,
            value: retry,
        },
    ] = &status.details[..]
    else {
        panic!("{status:?}")
    };
    assert_eq!(first, "type.googleapis.com/google.rpc.BadRequest");
    assert_eq!(second, "type.googleapis.com/google.rpc.RetryInfo");
    let violation = &BadRequest::decode(&**bad).unwrap().field_violations[0];
    assert_eq!(
        (violation.field.as_str(), violation.description.as_str()),
        ("body", "cut off")
    );
    assert_eq!(
        RetryInfo::decode(&**retry)
            .unwrap()
            .retry_delay
            .unwrap()
            .seconds,
        7
    );
    let json = concat!(
        r#"{"code":3,"message":"bad","details":["#,
        r#"{"@type":"type.googleapis.com/google.rpc.BadRequest","#,
        r#""fieldViolations":[{"field":"body","description":"cut off"}]},"#,
        r#"{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}]}"#,
    );
    assert_eq!(
        String::from_utf8(status_body(Encoding::Json, 3, "bad", &details)).unwrap(),
        json
    );
    assert_eq!(
        status_body(Encoding::Json, 14, "busy", &[]),
        br#"{"code":14,"message":"busy"}"#
    );
}

#[test]
fn s_01_all_32_bits_of_flags_are_kept() {
    for flags in [0x0000_0301, 0xffff_fc00, u32::MAX] {
        let link = Link {
            flags,
            ..Link::default()
        };
        let decoded = decoded(&request(vec![Span {
            flags,
            links: vec![link],
            ..span(1)
        }]));
        let span = decoded.batch.span(0).unwrap();
        assert_eq!(
            (span.flags(), span.links().next().unwrap().flags()),
            (flags, flags)
        );
        check_encoders(&decoded.batch);
    }
}

#[test]
fn s_02_bytes_nested_values_and_empty_values_round_trip() {
    let list = |values: Vec<Option<Any>>| ArrayValue {
        values: values.into_iter().map(|value| AnyValue { value }).collect(),
    };
    let inner = Any::KvlistValue(KeyValueList {
        values: vec![attribute("", text("")), attribute("k", Any::IntValue(-1))],
    });
    let nested = Any::ArrayValue(list(vec![
        None,
        Some(inner),
        Some(Any::BytesValue(vec![0, 255])),
    ]));
    let mut span = span_with("nested", nested);
    span.attributes.push(KeyValue {
        key: "none".into(),
        value: None,
    });
    span.attributes.push(KeyValue {
        key: "empty".into(),
        value: Some(AnyValue::default()),
    });
    span.attributes
        .push(attribute("bytes", Any::BytesValue(vec![1, 2])));
    span.attributes.push(attribute("", Any::DoubleValue(-0.0)));
    let decoded = decoded(&request(vec![span]));
    let values: Vec<_> = decoded
        .batch
        .span(0)
        .unwrap()
        .attributes()
        .map(|a| (a.key, a.value.to_value()))
        .collect();
    let pairs = vec![
        (String::new(), Value::String(String::new())),
        ("k".into(), Value::Int(-1)),
    ];
    let expected = [
        (
            "nested",
            Value::Array(vec![
                Value::Empty,
                Value::Map(pairs),
                Value::Bytes(vec![0, 255]),
            ]),
        ),
        ("none", Value::Empty),
        ("empty", Value::Empty),
        ("bytes", Value::Bytes(vec![1, 2])),
        ("", Value::Double(-0.0)),
    ];
    assert_eq!(values, expected);
    check_encoders(&decoded.batch);
}

#[test]
fn s_03_attributes_with_equal_keys_are_all_kept_in_order() {
    let attributes = vec![
        attribute("k", Any::IntValue(1)),
        attribute("k", text("two")),
        attribute("k", Any::IntValue(1)),
    ];
    let decoded = decoded(&request(vec![Span {
        attributes,
        ..span(1)
    }]));
    let values: Vec<_> = decoded
        .batch
        .span(0)
        .unwrap()
        .attributes()
        .map(|a| a.value)
        .collect();
    assert_eq!(
        values,
        [
            AttrValue::Int(1),
            AttrValue::String("two"),
            AttrValue::Int(1)
        ]
    );
    check_encoders(&decoded.batch);
}

#[test]
fn s_04_dropped_counts_are_kept_and_our_own_truncation_adds_to_them() {
    let counts = Span {
        dropped_attributes_count: 1,
        dropped_events_count: 2,
        dropped_links_count: 3,
        ..span(1)
    };
    assert_eq!(
        decoded(&request(vec![counts.clone()]))
            .batch
            .span(0)
            .unwrap()
            .dropped(),
        (1, 2, 3)
    );
    let pair = attribute("k", Any::BoolValue(true));
    let over = 65_536 + 5;
    let many = Span {
        attributes: vec![pair; over],
        events: vec![
            Event {
                time_unix_nano: 1,
                ..Event::default()
            };
            over
        ],
        links: vec![
            Link {
                flags: 1,
                ..Link::default()
            };
            over
        ],
        ..counts
    };
    let decoded = decoded(&request(vec![many]));
    let span = decoded.batch.span(0).unwrap();
    assert_eq!(span.dropped(), (6, 7, 8));
    assert_eq!(
        (
            span.attributes().len(),
            span.events().len(),
            span.links().len()
        ),
        (65_536, 65_536, 65_536)
    );
    assert_eq!((decoded.truncated_values, decoded.is_verbatim), (15, false));
    assert!(decoded.warning.unwrap().starts_with("15 values"));
}

#[test]
fn s_05_what_the_envelopes_say_is_kept() {
    let mut envelope = resource_spans("shop", vec![span(1)]);
    envelope.schema_url = "https://schema/resource".into();
    let resource = envelope.resource.as_mut().unwrap();
    resource.dropped_attributes_count = 4;
    let entity_ref = EntityRef {
        r#type: "service".into(),
        id_keys: vec!["service.name".into()],
        ..EntityRef::default()
    };
    resource.entity_refs = vec![
        entity_ref.clone(),
        EntityRef {
            r#type: "host".into(),
            ..entity_ref
        },
    ];
    let scope_spans = &mut envelope.scope_spans[0];
    scope_spans.schema_url = "https://schema/scope".into();
    let scope = scope_spans.scope.as_mut().unwrap();
    scope.version = "1.2".into();
    scope.dropped_attributes_count = 5;
    scope.attributes = vec![attribute("lang", text("rust"))];
    let entity_refs = resource_entity_refs(&envelope);
    let decoded = decoded(
        &ExportTraceServiceRequest {
            resource_spans: vec![envelope],
        }
        .encode_to_vec(),
    );
    let span = decoded.batch.span(0).unwrap();
    assert_eq!(
        (
            span.resource().schema_url(),
            span.resource().row().dropped_attributes
        ),
        ("https://schema/resource", 4)
    );
    assert_eq!(span.resource().entity_refs(), entity_refs);
    let scope = span.scope();
    assert_eq!(
        (scope.name(), scope.version(), scope.schema_url()),
        ("library", "1.2", "https://schema/scope")
    );
    assert_eq!(
        (scope.row().dropped_attributes, scope.attributes().len()),
        (5, 1)
    );
    check_encoders(&decoded.batch);
}

fn resource_entity_refs(envelope: &ResourceSpans) -> Vec<u8> {
    let mut out = Writer::new();
    for entity_ref in &envelope.resource.as_ref().unwrap().entity_refs {
        out.bytes_field(3, &entity_ref.encode_to_vec());
    }
    out.into_bytes()
}

#[test]
fn an_absent_resource_and_scope_stay_absent() {
    let decoded = decoded(&request_of_raw_spans(&[span(1).encode_to_vec()]));
    let span = decoded.batch.span(0).unwrap();
    assert!(!span.resource().row().is_present && !span.scope().row().is_present);
    assert_eq!(span.service(), "missing-service-name");
    check_encoders(&decoded.batch);
}

#[test]
fn a_resource_and_a_scope_may_follow_their_spans_and_come_in_pieces() {
    let envelope = resource_spans("shop", vec![span(1), span(2)]);
    let scope_spans = &envelope.scope_spans[0];
    let mut out = Writer::new();
    out.message(1, |out| {
        out.message(2, |out| {
            out.bytes_field(2, &scope_spans.spans[0].encode_to_vec());
            out.message(1, |out| out.bytes_field(1, b"to be replaced"));
            out.bytes_field(2, &scope_spans.spans[1].encode_to_vec());
            out.message(1, |out| out.bytes_field(1, b"library"));
        });
        out.message(1, |out| out.varint_field(2, 3));
        out.bytes_field(1, &envelope.resource.as_ref().unwrap().encode_to_vec());
        out.message(1, |out| {
            out.bytes_field(1, &attribute("more", text("x")).encode_to_vec());
        });
    });
    let in_pieces = decoded(&out.into_bytes());
    let mut whole = envelope;
    let resource = whole.resource.as_mut().unwrap();
    resource.dropped_attributes_count = 3;
    resource.attributes.push(attribute("more", text("x")));
    let whole = decoded(
        &ExportTraceServiceRequest {
            resource_spans: vec![whole],
        }
        .encode_to_vec(),
    );
    assert_eq!(hashes(&in_pieces.batch), hashes(&whole.batch));
    assert_eq!(in_pieces.batch.span(1).unwrap().service(), "shop");
}

#[test]
fn status_and_values_in_pieces_are_merged() {
    let bytes = span_and(|out| {
        out.message(15, |out| out.bytes_field(2, b"broken"));
        out.message(15, |out| out.varint_field(3, 2));
        out.message(9, |out| {
            out.bytes_field(1, b"k");
            let one = |out: &mut Writer| {
                out.message(5, |out| out.message(1, |out| out.varint_field(3, 1)));
            };
            out.message(2, one);
            out.message(2, one);
        });
    });
    let decoded = decoded(&request_of_raw_spans(&[bytes]));
    let span = decoded.batch.span(0).unwrap();
    assert_eq!((span.status(), span.status_message()), (2, "broken"));
    let value = span.attributes().next().unwrap().value.to_value();
    assert_eq!(value, Value::Array(vec![Value::Int(1), Value::Int(1)]));
}

#[test]
fn a_parent_id_of_eight_zero_bytes_means_a_root() {
    let decoded = decoded(&request(vec![Span {
        parent_span_id: vec![0; 8],
        ..span(1)
    }]));
    assert_eq!(decoded.rejected_spans, 0);
    assert!(decoded.batch.span(0).unwrap().parent_span_id().is_zero());
}

#[test]
fn a_link_with_ids_of_a_wrong_length_keeps_the_span_and_has_zero_ids() {
    let attributes = vec![attribute("why", text("batch"))];
    let bad = Link {
        trace_id: vec![1; 3],
        span_id: vec![2; 9],
        attributes,
        ..Link::default()
    };
    let good = Link {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        ..Link::default()
    };
    let decoded = decoded(&request(vec![Span {
        links: vec![bad, good, Link::default()],
        ..span(1)
    }]));
    let links: Vec<_> = decoded.batch.span(0).unwrap().links().collect();
    assert!(links[0].trace_id().is_zero() && links[0].span_id().is_zero());
    assert_eq!(
        (
            links[0].attributes().len(),
            links[1].trace_id().0,
            links[1].span_id().0
        ),
        (1, [1; 16], [2; 8])
    );
    assert_eq!((decoded.rejected_spans, decoded.is_verbatim), (0, false));
    assert!(decoded.warning.unwrap().starts_with("2 ids of links"));
}

#[test]
fn texts_that_are_no_utf8_are_repaired_and_counted_at_every_place() {
    let bad = b"\xff!";
    let bytes = span_and(|out| {
        out.bytes_field(5, bad);
        out.bytes_field(3, bad);
        out.message(15, |out| out.bytes_field(2, bad));
        out.message(9, |out| {
            out.bytes_field(1, bad);
            out.message(2, |out| out.bytes_field(1, bad));
        });
        out.message(9, |out| {
            out.message(2, |out| {
                out.message(6, |out| {
                    out.message(1, |out| {
                        out.bytes_field(1, bad);
                        out.message(2, |out| out.bytes_field(1, bad));
                    });
                });
            });
        });
    });
    let decoded = decoded(&request_of_raw_spans(&[bytes]));
    assert_eq!(
        (
            decoded.repaired_texts,
            decoded.is_verbatim,
            decoded.rejected_spans
        ),
        (7, false, 0)
    );
    let span = decoded.batch.span(0).unwrap();
    let good = "\u{fffd}!";
    assert_eq!(
        (span.name(), span.trace_state(), span.status_message()),
        (good, good, good)
    );
    let attributes: Vec<_> = span
        .attributes()
        .map(|a| (a.key, a.value.to_value()))
        .collect();
    let map = Value::Map(vec![(good.into(), Value::String(good.into()))]);
    assert_eq!(attributes, [(good, Value::String(good.into())), ("", map)]);
}

#[test]
fn sixty_four_levels_are_kept_and_the_next_is_cut_off() {
    for (levels, truncated) in [(1, 0), (63, 0), (64, 0), (65, 1), (70, 1)] {
        let mut value = Any::IntValue(1);
        for _ in 0..levels {
            value = Any::ArrayValue(ArrayValue {
                values: vec![AnyValue { value: Some(value) }],
            });
        }
        let decoded = decoded(&request(vec![span_with("deep", value)]));
        assert_eq!(
            (decoded.truncated_values, decoded.is_verbatim),
            (truncated, truncated == 0),
            "{levels}"
        );
        let mut value = decoded
            .batch
            .span(0)
            .unwrap()
            .attributes()
            .next()
            .unwrap()
            .value
            .to_value();
        let mut found = 0;
        while let Value::Array(mut values) = value {
            found += 1;
            value = values.pop().unwrap();
        }
        assert_eq!(found, levels.min(64));
        assert_eq!(
            value,
            if truncated == 0 {
                Value::Int(1)
            } else {
                Value::Empty
            }
        );
        check_encoders(&decoded.batch);
    }
}

#[test]
fn arrays_and_maps_are_kept_byte_for_byte_when_nothing_is_wrong_with_them() {
    // A number padded with zeros and an unknown field: a rewritten list would have neither.
    let list: &[u8] = &[0x0a, 3, 0x18, 0x81, 0x00, 0x92, 0x03, 1, 7];
    let bytes =
        span_and(|out| out.message(9, |out| out.message(2, |out| out.bytes_field(5, list))));
    let decoded = decoded(&request_of_raw_spans(&[bytes]));
    assert_eq!(
        decoded
            .batch
            .span(0)
            .unwrap()
            .attributes()
            .next()
            .unwrap()
            .value,
        AttrValue::Array(list)
    );
    assert!(decoded.is_verbatim);
}

#[test]
fn fields_that_only_profiles_use_are_absent_and_warned_about() {
    let bytes = span_and(|out| {
        out.message(9, |out| {
            out.varint_field(3, 5);
            out.message(2, |out| out.varint_field(8, 6));
        });
        out.message(9, |out| {
            out.bytes_field(1, b"k");
            out.message(2, |out| {
                out.bytes_field(1, b"kept");
                out.varint_field(8, 6);
            });
        });
    });
    let decoded = decoded(&request_of_raw_spans(&[bytes]));
    let attributes: Vec<_> = decoded
        .batch
        .span(0)
        .unwrap()
        .attributes()
        .map(|a| (a.key, a.value))
        .collect();
    assert_eq!(
        attributes,
        [("", AttrValue::Empty), ("k", AttrValue::String("kept"))]
    );
    assert!(
        decoded
            .warning
            .unwrap()
            .starts_with("3 fields that only profiles may use")
    );
    assert_eq!(decoded.rejected_spans, 0);
}

#[test]
fn unknown_fields_are_passed_over_at_every_level() {
    let unknown = |out: &mut Writer| {
        out.varint_field(100, u64::MAX);
        out.fixed64_field(101, 1);
        out.bytes_field(102, b"future");
        out.fixed32_field(536_870_911, 1);
    };
    let mut out = Writer::new();
    unknown(&mut out);
    out.message(1, |out| {
        unknown(out);
        out.message(1, unknown);
        out.message(2, |out| {
            unknown(out);
            out.message(1, unknown);
            out.message(2, |out| {
                out.raw(&span(1).encode_to_vec());
                unknown(out);
                for field in [9, 11, 13, 15] {
                    out.message(field, unknown);
                }
                out.message(9, |out| out.message(2, unknown));
            });
        });
    });
    let decoded = decoded(&out.into_bytes());
    assert_eq!(
        (
            decoded.batch.len(),
            decoded.rejected_spans,
            decoded.is_verbatim
        ),
        (1, 0, true)
    );
    let span = decoded.batch.span(0).unwrap();
    assert_eq!(
        (
            span.attributes().len(),
            span.events().len(),
            span.links().len()
        ),
        (2, 1, 1)
    );
    let list = [0x5d, 0, 0, 0, 0].repeat(400_000);
    let bytes =
        span_and(|out| out.message(9, |out| out.message(2, |out| out.bytes_field(5, &list))));
    let decoded = self::decoded(&request_of_raw_spans(&[bytes]));
    let value = decoded
        .batch
        .span(0)
        .unwrap()
        .attributes()
        .next()
        .unwrap()
        .value
        .to_value();
    assert_eq!(
        value,
        Value::Array(Vec::new()),
        "many unknown fields cost no stack"
    );
}

#[test]
fn equal_resources_and_scopes_are_one_and_spans_keep_their_order() {
    let envelopes = [("a", 1), ("b", 2), ("a", 3), ("a", 4)];
    let resource_spans = envelopes
        .map(|(service, id)| self::resource_spans(service, vec![span(id)]))
        .to_vec();
    let decoded = decoded(&ExportTraceServiceRequest { resource_spans }.encode_to_vec());
    let spans: Vec<_> = decoded
        .batch
        .iter()
        .map(|span| (span.service(), span.name().to_owned()))
        .collect();
    let expected = envelopes.map(|(service, id)| (service, format!("span {id}")));
    assert_eq!(spans, expected);
    assert_eq!(
        (
            decoded.batch.resources().len(),
            decoded.batch.scopes().len()
        ),
        (2, 1)
    );
    let again =
        ExportTraceServiceRequest::decode(&*codec::otlp::encode_proto(&decoded.batch)).unwrap();
    let spans_of = |envelope: &ResourceSpans| {
        envelope
            .scope_spans
            .iter()
            .map(|s: &ScopeSpans| s.spans.len())
            .collect::<Vec<_>>()
    };
    let shape: Vec<_> = again.resource_spans.iter().map(spans_of).collect();
    assert_eq!(
        shape,
        [vec![1], vec![1], vec![2]],
        "spans that follow one another share an envelope"
    );
}
