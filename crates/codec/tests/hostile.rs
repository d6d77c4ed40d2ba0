//! Input that is made to do harm: nothing panics, and memory stays in proportion to the input.

use codec::generated::opentelemetry::proto::common::v1::any_value::Value as Any;
use codec::otlp::{decode_json, decode_proto, encode_json};
use codec::wire::Writer;
use codec::{DecodeError, Decoded, LINKS_PER_SPAN_MAX};
use proptest::prelude::*;
use prost::Message as _;

use crate::checks::{check_otlp_json, check_otlp_proto, check_wire};
use crate::spans::{decoded, request, request_of_raw_spans, span, span_and, span_with};

/// What a batch may hold of a request, as the decoder promises, and what may come on top of it between two checks.
fn memory_bytes_max(request_bytes: usize) -> usize {
    8 * request_bytes + (16 << 20)
}

fn assert_memory(bytes: usize, decoded: &Result<Decoded, DecodeError>) {
    match decoded {
        Ok(decoded) => assert!(
            decoded.batch.size_bytes() <= memory_bytes_max(bytes),
            "{}",
            decoded.batch.size_bytes()
        ),
        Err(error) => assert!(matches!(error, DecodeError::TooLarge { .. }), "{error}"),
    }
}

#[test]
fn a_request_cut_off_anywhere_is_refused_or_loses_whole_envelopes_only() {
    let mut full = span_with("key", Any::IntValue(5));
    full.events.push(Default::default());
    full.links.push(Default::default());
    let bytes = request(vec![full, span(2)]);
    assert_eq!(decoded(&bytes).batch.len(), 2);
    for end in 1..bytes.len() {
        let error = decode_proto(&bytes[..end]).expect_err("the only envelope is cut off");
        assert!(
            matches!(error, DecodeError::Broken { .. }),
            "{end}: {error}"
        );
    }
    let text = encode_json(&decoded(&bytes).batch);
    for end in 1..text.len() {
        let error = decode_json(&text.as_bytes()[..end]).expect_err("the only object is cut off");
        assert!(
            error.to_string().starts_with("JSON at byte"),
            "{end}: {error}"
        );
    }
}

#[test]
fn a_span_cut_off_anywhere_is_rejected_alone() {
    let whole = span_with("key", Any::IntValue(5)).encode_to_vec();
    for end in 0..whole.len() {
        let decoded = decoded(&request_of_raw_spans(&[
            whole[..end].to_vec(),
            span(2).encode_to_vec(),
        ]));
        // Cut between two fields, what is left may be a good span.
        assert_eq!(
            decoded.batch.len() as u64 + decoded.rejected_spans,
            2,
            "{end}"
        );
        assert!(!decoded.batch.is_empty());
        assert_eq!(
            decoded.batch.span(decoded.batch.len() - 1).unwrap().name(),
            "span 2"
        );
    }
}

#[test]
fn lengths_up_to_2_to_the_63_are_refused_without_memory() {
    for length in [1u64 << 31, 1 << 32, 1 << 63, u64::MAX] {
        let mut varint = Writer::new();
        varint.varint_field(1, length);
        let length = varint.as_bytes()[1..].to_vec();
        let error = decode_proto(&[&[0x0a], &length[..]].concat()).unwrap_err();
        assert!(error.to_string().contains("0 are left"), "{error}");
        let broken_span = span_and(|out| out.raw(&[&[0x4a], &length[..]].concat()));
        let decoded = decoded(&request_of_raw_spans(&[broken_span]));
        assert_eq!((decoded.rejected_spans, decoded.batch.len()), (1, 0));
    }
}

#[test]
fn ten_thousand_levels_in_protobuf_cut_the_value_and_keep_the_span() {
    let mut value = Any::IntValue(1);
    for level in 0..10_000 {
        let any =
            codec::generated::opentelemetry::proto::common::v1::AnyValue { value: Some(value) };
        value = if level % 2 == 0 {
            Any::ArrayValue(
                codec::generated::opentelemetry::proto::common::v1::ArrayValue {
                    values: vec![any],
                },
            )
        } else {
            let pair = codec::generated::opentelemetry::proto::common::v1::KeyValue {
                key: "k".into(),
                value: Some(any),
            };
            Any::KvlistValue(
                codec::generated::opentelemetry::proto::common::v1::KeyValueList {
                    values: vec![pair],
                },
            )
        };
    }
    // The other implementation recurses to write (and to drop) it.
    let bytes = std::thread::Builder::new()
        .stack_size(256 << 20)
        .spawn(|| request(vec![span_with("deep", value)]))
        .unwrap()
        .join()
        .unwrap();
    let decoded = decoded(&bytes);
    assert_eq!(
        (
            decoded.batch.len(),
            decoded.truncated_values,
            decoded.is_verbatim
        ),
        (1, 1, false)
    );
}

#[test]
fn a_million_tiny_parts_take_memory_in_proportion() {
    for field in [9, 11, 13] {
        let many = span_and(|out| (0..1_000_000).for_each(|_| out.bytes_field(field, &[])));
        let bytes = request_of_raw_spans(&[many]);
        let decoded = decode_proto(&bytes);
        assert_memory(bytes.len(), &decoded);
        let decoded = decoded.expect("what is over the limit of a span is cut off");
        let (attributes, events, links) = decoded.batch.span(0).unwrap().dropped();
        assert_eq!(
            u64::from(attributes + events + links),
            1_000_000 - LINKS_PER_SPAN_MAX as u64
        );
        assert_eq!(
            decoded.truncated_values,
            1_000_000 - LINKS_PER_SPAN_MAX as u64
        );
    }
    let many_spans = request_of_raw_spans(&vec![Vec::new(); 1_000_000]);
    let rejected = decoded(&many_spans);
    assert_eq!(rejected.rejected_spans, 1_000_000);
    assert_memory(many_spans.len(), &Ok(rejected));
}

#[test]
fn spans_of_nothing_but_tiny_links_are_refused_before_they_take_memory() {
    let links = span_and(|out| (0..LINKS_PER_SPAN_MAX).for_each(|_| out.bytes_field(13, &[])));
    let bytes = request_of_raw_spans(&vec![links; 100]);
    let error = decode_proto(&bytes).expect_err("44 bytes of memory for every two bytes");
    assert!(matches!(error, DecodeError::TooLarge { .. }), "{error}");
}

#[test]
fn distinct_resources_without_good_spans_are_bounded() {
    let mut out = Writer::new();
    for number in 0..400_000u64 {
        out.message(1, |out| {
            out.message(1, |out| out.varint_field(2, number));
            out.message(2, |out| out.bytes_field(2, &[]));
        });
    }
    let bytes = out.into_bytes();
    assert_memory(bytes.len(), &decode_proto(&bytes));
}

#[test]
fn shapes_that_never_repeat_are_bounded() {
    let mut spans = Vec::new();
    for number in 0..2_000u64 {
        spans.push(span_and(|out| {
            for attribute in 0..64u64 {
                out.message(9, |out| {
                    out.bytes_field(
                        1,
                        &[
                            u8::try_from(number % 100).unwrap(),
                            u8::try_from(attribute).unwrap(),
                        ],
                    );
                    out.message(2, |out| {
                        out.varint_field(2 + u32::from(number >> (attribute % 11) & 1 == 1), 1);
                    });
                });
            }
        }));
    }
    let bytes = request_of_raw_spans(&spans);
    assert_memory(bytes.len(), &decode_proto(&bytes));
}

#[test]
fn megabytes_of_repeated_json_keys_take_memory_in_proportion() {
    let text = format!("{{{}\"a\":1}}", "\"resourceSpans\":[],".repeat(200_000));
    let decoded = decode_json(text.as_bytes()).unwrap();
    assert!(
        decoded
            .warning
            .unwrap()
            .contains("199999 JSON keys came twice")
    );
    let text = format!("{{\"{}\":1}}", "resource_".repeat(1 << 20));
    let warning = decode_json(text.as_bytes()).unwrap().warning.unwrap();
    assert!(warning.len() < 200, "{warning}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_bytes_hold_the_checks(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check_otlp_proto(&bytes);
        check_otlp_json(&bytes);
        check_wire(&bytes);
    }

    #[test]
    fn random_bytes_within_a_span_reject_it_alone(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let request = request_of_raw_spans(&[bytes.clone(), span_and(|out| out.raw(&bytes)), span(2).encode_to_vec()]);
        check_otlp_proto(&request);
        let decoded = decoded(&request);
        prop_assert_eq!(decoded.batch.len() as u64 + decoded.rejected_spans, 3);
        prop_assert!(!decoded.batch.is_empty());
    }
}
