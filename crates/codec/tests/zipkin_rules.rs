//! One test for each rule of Zipkin's formats that the recordings don't show.

use codec::zipkin::{decode_json_v1, decode_json_v2, decode_proto_v2};
use codec::{DecodeError, Decoded};
use model::batch::SpanRef;
use model::value::Value as Attr;
use serde_json::{Value, json};

/// Spans of version 2 with good ids and these fields on top.
fn decoded(spans: &[Value]) -> Decoded {
    decode_json_v2(json_of(spans).as_bytes()).unwrap()
}

fn decoded_v1(spans: &[Value]) -> Decoded {
    decode_json_v1(json_of(spans).as_bytes()).unwrap()
}

fn json_of(spans: &[Value]) -> String {
    let spans = spans.iter().enumerate().map(|(index, fields)| {
        let mut span = json!({"traceId": "0000000000000abc", "id": format!("{:x}", index + 1), "timestamp": 1_000_000});
        let fields = fields.as_object().unwrap().clone();
        span.as_object_mut().unwrap().extend(fields);
        span
    });
    Value::from(spans.collect::<Vec<_>>()).to_string()
}

fn tagged(tags: &Value) -> Decoded {
    decoded(&[json!({"tags": tags})])
}

fn first(decoded: &Decoded) -> SpanRef<'_> {
    decoded.batch.span(0).unwrap()
}

fn attributes(span: SpanRef<'_>) -> Vec<(&str, Attr)> {
    span.attributes()
        .map(|a| (a.key, a.value.to_value()))
        .collect()
}

fn text(text: &str) -> Attr {
    Attr::String(text.to_owned())
}

#[test]
fn a_bad_span_among_good_ones_is_rejected_alone_and_told() {
    let bad = [
        json!({"traceId": "xyz"}),
        json!({"traceId": "00000000000000000000000000000000"}),
        json!({"traceId": "747261636b77617900000000000000001"}),
        json!({"id": ""}),
        json!({"id": null}),
        json!({"id": "00000000000000001"}),
        json!({"parentId": "z"}),
        json!({"timestamp": -1}),
        json!({"timestamp": 18_446_744_073_709_551_615u64}),
        json!({"duration": 1.5}),
        json!({"tags": {"a": [1]}}),
        json!({"tags": []}),
        json!({"annotations": [{"timestamp": 18_446_744_073_709_551_615u64}]}),
        json!({"localEndpoint": "here"}),
        json!({"name": 5}),
    ];
    for bad in bad {
        let decoded = decoded(&[
            json!({"name": "before"}),
            bad.clone(),
            json!({"name": "after"}),
        ]);
        let names: Vec<&str> = decoded.batch.iter().map(|span| span.name()).collect();
        assert_eq!(
            (&names[..], decoded.rejected_spans),
            (&["before", "after"][..], 1),
            "{bad}"
        );
        let rejection = decoded.rejection.unwrap();
        assert!(rejection.contains("spans[1]"), "{bad}: {rejection}");
    }
    let text = decode_json_v2(b"[5, null, \"a\"]").unwrap();
    assert_eq!((text.rejected_spans, text.batch.len()), (2, 0));
}

#[test]
fn what_is_no_array_is_refused_whole() {
    for text in ["", "{}", "[", "null", "5", "[]x"] {
        for decode in [decode_json_v2, decode_json_v1] {
            let error = decode(text.as_bytes()).unwrap_err();
            assert!(
                matches!(error, DecodeError::Broken { .. }),
                "{text}: {error}"
            );
        }
    }
    assert!(decode_json_v2(b" []\n").unwrap().batch.is_empty());
    assert!(decode_proto_v2(b"").unwrap().batch.is_empty());
    for bytes in [&b"\xff\xff"[..], b"\x08\x01", b"\x0a\x05\x0a"] {
        let error = decode_proto_v2(bytes).unwrap_err();
        assert!(
            matches!(error, DecodeError::Broken { .. }),
            "{bytes:?}: {error}"
        );
    }
}

#[test]
fn a_span_of_protobuf_that_is_cut_off_is_rejected_alone() {
    let good = b"\x0a\x14\x0a\x08AAAAAAAA\x1a\x08BBBBBBBB";
    let bytes = [
        &good[..],
        b"\x0a\x05\x0a\x08AAA",
        b"\x0a\x0a\x0a\x08AAAAAAAA",
        good,
    ]
    .concat();
    let decoded = decode_proto_v2(&bytes).unwrap();
    assert_eq!((decoded.batch.len(), decoded.rejected_spans), (2, 2));
    assert_eq!(
        first(&decoded).trace_id().to_string(),
        "00000000000000004141414141414141"
    );
}

#[test]
fn short_ids_have_zeros_before_them() {
    let decoded = decoded(&[json!({"traceId": "ABC", "parentId": "d"})]);
    let span = first(&decoded);
    assert_eq!(
        span.trace_id().to_string(),
        "00000000000000000000000000000abc"
    );
    assert_eq!(span.parent_span_id().to_string(), "000000000000000d");
}

#[test]
fn a_span_that_is_its_own_parent_is_a_root() {
    let decoded = decoded(&[
        json!({"parentId": "1"}),
        json!({"parentId": ""}),
        json!({"parentId": null}),
    ]);
    assert!(
        decoded
            .batch
            .iter()
            .all(|span| span.parent_span_id().is_zero())
    );
    assert_eq!(decoded.batch.len(), 3);
}

#[test]
fn any_error_is_an_error_and_stays_unless_it_says_nothing_else() {
    for (value, stays) in [("true", false), ("", true), ("false", true), ("boom", true)] {
        let decoded = tagged(&json!({"error": value, "a": "b"}));
        let span = first(&decoded);
        assert_eq!(span.status(), 2, "{value}");
        assert_eq!(attributes(span).len(), 1 + usize::from(stays), "{value}");
    }
    assert_eq!(first(&tagged(&json!({"Error": "x"}))).status(), 0);
}

#[test]
fn exporters_say_status_scope_and_state_in_tags() {
    let decoded = tagged(&json!({
        "otel.status_code": "Ok", "otel.status_description": "fine", "otel.library.name": "old",
        "otel.scope.name": "scope", "otel.scope.version": "2", "w3c.tracestate": "a=b", "span.kind": "internal",
    }));
    let span = first(&decoded);
    assert_eq!((span.status(), span.status_message()), (1, "fine"));
    assert_eq!(
        (span.scope().name(), span.scope().version()),
        ("scope", "2")
    );
    assert_eq!((span.trace_state(), span.kind()), ("a=b", 1));
    assert_eq!(attributes(span), []);
    let old = tagged(&json!({"otel.library.name": "old", "otel.status_code": "STATUS_CODE_ERROR"}));
    assert_eq!(
        (first(&old).scope().name(), first(&old).status()),
        ("old", 2)
    );
}

#[test]
fn what_such_tags_say_otherwise_stays_an_attribute() {
    let tags = json!({"otel.status_code": "7", "otel.other": "a", "span.kind": "x", "otlp.link.0": "no|link"});
    let decoded = tagged(&tags);
    assert_eq!(attributes(first(&decoded)).len(), 4);
    let decoded = self::decoded(&[json!({"kind": "SERVER", "tags": {"span.kind": "client"}})]);
    assert_eq!(
        (first(&decoded).kind(), attributes(first(&decoded))),
        (2, vec![("span.kind", text("client"))])
    );
}

#[test]
fn links_of_exporters_are_links() {
    let link = r#"0000000000000abc0000000000000def|00000000000000aa|s=1|{"k":"a|b","n":1}|3"#;
    let decoded = tagged(&json!({"otlp.link.0": link, "a": "b"}));
    let span = first(&decoded);
    assert_eq!(attributes(span), [("a", text("b"))]);
    let links: Vec<_> = span.links().collect();
    assert_eq!(links.len(), 1);
    assert_eq!(
        links[0].trace_id().to_string(),
        "0000000000000abc0000000000000def"
    );
    assert_eq!(
        (links[0].trace_state(), links[0].dropped_attributes()),
        ("s=1", 3)
    );
    let attributes: Vec<_> = links[0]
        .attributes()
        .map(|a| (a.key, a.value.to_value()))
        .collect();
    assert_eq!(attributes, [("k", text("a|b")), ("n", Attr::Int(1))]);
}

#[test]
fn annotations_hold_attributes_only_in_the_exact_form() {
    let json =
        r#"{"t":"x","i":1,"d":0.5,"b":true,"l":[1,"a"],"m":{"k":null},"whole":2.0,"big":1e300}"#;
    let whole = ["a|b", "a|b|1", "a|{|1", "a|{}|x", "a|{}", "{}|1", "|", ""];
    let mut values = vec![format!("name|{json}|2")];
    values.extend(whole.iter().map(|text| (*text).to_owned()));
    let annotations: Vec<_> = values
        .iter()
        .map(|value| json!({"timestamp": 7, "value": value}))
        .collect();
    let decoded = decoded(&[json!({"annotations": annotations})]);
    let events: Vec<_> = first(&decoded).events().collect();
    assert_eq!(
        (
            events[0].name(),
            events[0].dropped_attributes(),
            events[0].time()
        ),
        ("name", 2, 7000)
    );
    let attributes: Vec<_> = events[0]
        .attributes()
        .map(|a| (a.key, a.value.to_value()))
        .collect();
    let expected = [
        ("t", text("x")),
        ("i", Attr::Int(1)),
        ("d", Attr::Double(0.5)),
        ("b", Attr::Bool(true)),
        ("l", Attr::Array(vec![Attr::Int(1), text("a")])),
        ("m", Attr::Map(vec![("k".to_owned(), Attr::Empty)])),
        ("whole", Attr::Int(2)),
        ("big", Attr::Double(1e300)),
    ];
    assert_eq!(attributes, expected);
    for (event, text) in events[1..].iter().zip(whole) {
        assert_eq!((event.name(), event.attributes().len()), (text, 0));
    }
}

#[test]
fn tags_that_are_no_text_are_their_text_and_equal_tags_are_all_kept() {
    let text = r#"[{"traceId":"1","id":"1","tags":{"n":42,"t":true,"f":false,"d":1.50,"x":null,"n":"b"}}]"#;
    let decoded = decode_json_v2(text.as_bytes()).unwrap();
    let expected = [
        ("n", "42"),
        ("t", "true"),
        ("f", "false"),
        ("d", "1.50"),
        ("n", "b"),
    ];
    let mut expected = expected
        .map(|(key, value)| (key, self::text(value)))
        .to_vec();
    expected.push(("otel.zipkin.absentField.startTime", Attr::Bool(true)));
    assert_eq!(attributes(first(&decoded)), expected);
}

#[test]
fn services_that_take_turns_share_two_resources() {
    let spans: Vec<_> = (0..100)
        .map(|index| json!({"localEndpoint": {"serviceName": if index % 2 == 0 { "a" } else { "b" }}}))
        .collect();
    let decoded = decoded(&spans);
    assert_eq!(decoded.batch.resources().len(), 2);
    assert_eq!(decoded.batch.values().len(), 2, "one name each");
    let services: Vec<_> = decoded
        .batch
        .iter()
        .take(3)
        .map(|span| span.service().to_owned())
        .collect();
    assert_eq!(services, ["a", "b", "a"]);
}

#[test]
fn core_annotations_make_the_kind_the_service_and_the_times() {
    let host = |service: &str| json!({"serviceName": service, "ipv4": "1.2.3.4"});
    for (first_value, last_value, kind) in [
        ("cs", "cr", 3),
        ("sr", "ss", 2),
        ("ms", "ws", 4),
        ("mr", "x", 5),
    ] {
        let annotations = json!([
            {"timestamp": 30, "value": first_value, "endpoint": host("mine")},
            {"timestamp": 90, "value": last_value, "endpoint": host("other")},
        ]);
        let decoded = decoded_v1(&[json!({"timestamp": 0, "annotations": annotations})]);
        let span = first(&decoded);
        assert_eq!(
            (span.kind(), span.start(), span.end()),
            (kind, 30_000, 90_000),
            "{first_value}"
        );
        assert_eq!(span.service(), "mine");
        assert_eq!(span.events().len(), usize::from(kind > 3));
    }
}

#[test]
fn addresses_in_binary_annotations_are_the_remote_endpoint() {
    let host = |service: &str| json!({"serviceName": service, "ipv4": "10.0.0.1", "port": 5432});
    let decoded = decoded_v1(&[json!({
        "annotations": [{"timestamp": 30, "value": "cs", "endpoint": host("mine")}],
        "binaryAnnotations": [
            {"key": "ca", "value": true, "endpoint": host("self")},
            {"key": "sa", "value": true, "endpoint": host("db")},
        ],
    })]);
    let expected = [
        ("service.peer.name", text("db")),
        ("network.peer.address", text("10.0.0.1")),
        ("net.peer.port", Attr::Int(5432)),
    ];
    assert_eq!(attributes(first(&decoded)), expected);
    assert_eq!(first(&decoded).service(), "mine");
}

#[test]
fn binary_annotations_have_the_type_that_they_are_given_or_written_with() {
    let cases = [
        (json!({"value": true}), Attr::Bool(true)),
        (json!({"value": "true", "type": "BOOL"}), Attr::Bool(true)),
        (json!({"value": "true"}), text("true")),
        (json!({"value": 7, "type": "I64"}), Attr::Int(7)),
        (
            json!({"value": "9223372036854775807", "type": "I64"}),
            Attr::Int(i64::MAX),
        ),
        (json!({"value": "x", "type": "I64"}), text("x")),
        (json!({"value": 7, "type": "DOUBLE"}), Attr::Double(7.0)),
        (json!({"value": 0.5}), Attr::Double(0.5)),
        (json!({"value": "500"}), text("500")),
        (json!({"value": null}), text("")),
        (json!({"value": "AP8=", "type": "BYTES"}), text("AP8=")),
    ];
    for (mut annotation, expected) in cases {
        annotation["key"] = json!("k");
        let decoded = decoded_v1(&[json!({"binaryAnnotations": [annotation]})]);
        assert_eq!(
            attributes(first(&decoded)),
            [("k", expected)],
            "{annotation}"
        );
    }
}

#[test]
fn the_service_of_version_1_is_looked_for_everywhere_but_in_addresses() {
    let host = json!({"serviceName": "mine"});
    let sources = [
        (
            json!({"annotations": [{"timestamp": 1, "value": "sr", "endpoint": host}]}),
            "mine",
        ),
        (
            json!({"annotations": [{"timestamp": 1, "value": "x", "endpoint": host}]}),
            "mine",
        ),
        (
            json!({"binaryAnnotations": [{"key": "lc", "value": "c", "endpoint": host}]}),
            "mine",
        ),
        (
            json!({"binaryAnnotations": [{"key": "k", "value": "v", "endpoint": host}]}),
            "mine",
        ),
        (
            json!({"binaryAnnotations": [{"key": "lc", "value": "c"}]}),
            "c",
        ),
        (
            json!({"binaryAnnotations": [{"key": "sa", "value": true, "endpoint": host}]}),
            "unknown-service",
        ),
    ];
    for (span, service) in sources {
        let decoded = decoded_v1(std::slice::from_ref(&span));
        assert_eq!(first(&decoded).service(), service, "{span}");
    }
}

#[test]
fn deep_nesting_is_refused_or_cut_and_takes_no_stack() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(decode_json_v2(nested(100_000).as_bytes()).is_err());
    let value = format!("name|{{\"a\":{}}}|0", nested(300));
    let decoded = decoded(&[json!({"annotations": [{"timestamp": 1, "value": value}]})]);
    assert_eq!((decoded.batch.len(), decoded.truncated_values), (1, 1));
    let value = format!("name|{{\"a\":{}}}|0", nested(100_000));
    let decoded = self::decoded(&[json!({"annotations": [{"timestamp": 1, "value": value}]})]);
    assert_eq!(first(&decoded).events().next().unwrap().name(), value);
}

#[test]
fn annotations_and_tags_over_the_limit_are_counted_as_dropped() {
    let (annotation, tag) = (b"\x52\x00", b"\x5a\x00");
    let span = [
        &b"\x0a\x08AAAAAAAA\x1a\x08BBBBBBBB"[..],
        &annotation.repeat(100_000),
        &tag.repeat(90_000),
    ]
    .concat();
    let mut out = codec::wire::Writer::new();
    out.bytes_field(1, &span);
    let decoded = decode_proto_v2(out.as_bytes()).unwrap();
    let (dropped_tags, dropped_events) = (90_000 - 65_536, 100_000 - 65_536);
    // One attribute more: that there is no start.
    let dropped = (dropped_tags + 1, dropped_events, 0);
    assert_eq!(first(&decoded).dropped(), dropped);
    assert_eq!(decoded.truncated_values, u64::from(dropped.0 + dropped.1));
}

#[test]
fn spans_that_are_nothing_but_ids_are_bounded() {
    let mut out = codec::wire::Writer::new();
    for number in 1..1_000_000u64 {
        let scope = format!("{number:x}");
        out.message(1, |out| {
            out.bytes_field(1, &number.to_be_bytes());
            out.bytes_field(3, &number.to_be_bytes());
            out.message(8, |out| out.bytes_field(1, scope.as_bytes()));
        });
    }
    let bytes = out.into_bytes();
    match decode_proto_v2(&bytes) {
        Ok(decoded) => assert!(decoded.batch.size_bytes() <= 8 * bytes.len() + (16 << 20)),
        Err(error) => assert!(matches!(error, DecodeError::TooLarge { .. }), "{error}"),
    }
}
