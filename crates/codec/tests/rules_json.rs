//! One test for each rule of OTLP/JSON.

use codec::DecodeError;
use codec::otlp::{decode_json, encode_json};
use model::batch::{AttrValue, SpanRef};
use model::value::Value;

use crate::spans::{decoded_json, json_of_span, json_with};

/// The attribute values of the only span.
fn values(json: &str) -> Vec<Value> {
    let decoded = decoded_json(json);
    assert_eq!(decoded.rejection, None, "{json}");
    decoded
        .batch
        .span(0)
        .unwrap()
        .attributes()
        .map(|a| a.value.to_value())
        .collect()
}

/// The value of an attribute given as JSON; `None` when the span is rejected for it.
fn value(any_value: &str) -> Option<Value> {
    let decoded = decoded_json(&json_with(&format!(
        r#","attributes":[{{"key":"k","value":{any_value}}}]"#
    )));
    assert_eq!(decoded.batch.len() as u64 + decoded.rejected_spans, 1);
    decoded
        .batch
        .span(0)
        .map(|span| span.attributes().next().unwrap().value.to_value())
}

/// A fact about the only span; `None` when it is rejected.
fn fact<T>(members: &str, of: impl Fn(SpanRef<'_>) -> T) -> Option<T> {
    let decoded = decoded_json(&json_with(members));
    assert_eq!(decoded.batch.len() as u64 + decoded.rejected_spans, 1);
    decoded.batch.span(0).map(of)
}

#[test]
fn o_04_an_empty_body_and_empty_envelopes_are_fine() {
    let nothing = [
        "",
        " \n",
        "{}",
        r#"{"resourceSpans":[]}"#,
        r#"{"resourceSpans":null}"#,
        r#"{"resourceSpans":[{}]}"#,
        r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name"}]},"scopeSpans":[]}]}"#,
        r#"{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{"name":"x"},"spans":[]}]}]}"#,
    ];
    for text in nothing {
        let decoded = decoded_json(text);
        assert_eq!(
            (decoded.batch.len(), decoded.rejected_spans, decoded.warning),
            (0, 0, None),
            "{text}"
        );
        assert!(
            decoded.batch.resources().is_empty() && decoded.batch.scopes().is_empty(),
            "{text}"
        );
    }
}

#[test]
fn o_10_what_is_no_json_or_no_request_is_refused_and_says_where() {
    let cases = [
        ("[", "JSON at byte 1"),
        (
            "[]",
            "request at byte 0 is broken: request must be an object",
        ),
        ("null", "request at byte 0"),
        (
            r#"{"resourceSpans":{}}"#,
            "request at byte 17 is broken: resourceSpans must be an array",
        ),
        (r#"{"resourceSpans":[5]}"#, "resourceSpans at byte 18"),
        (
            r#"{"resourceSpans":[{"scopeSpans":[{"spans":7}]}]}"#,
            "spans must be an array",
        ),
        (
            r#"{"resourceSpans":[{"resource":{"attributes":5}}]}"#,
            "attributes must be an array",
        ),
        (
            r#"{"resourceSpans":[{"resource":{"attributes":[{"key":5}]}}]}"#,
            "key must be text",
        ),
        (
            "{} {}",
            "JSON at byte 3 is broken: something follows the value",
        ),
        ("{\"a\":01}", "JSON at byte 6"),
        ("{'a':1}", "JSON at byte 1"),
    ];
    for (text, start) in cases {
        let error = decode_json(text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(start), "{text}: {error}");
    }
}

#[test]
fn n_01_ids_are_hexadecimal_of_any_case_and_others_reject_the_span() {
    let ids = |trace: &str, span: &str| {
        decoded_json(&json_of_span(&format!(
            r#""traceId":{trace},"spanId":{span}"#
        )))
    };
    let trace = r#""747261636B776179000000000000aBcD""#;
    let good = ids(trace, r#""00000001000000fF""#);
    let span = good.batch.span(0).unwrap();
    assert_eq!(
        span.trace_id().to_string(),
        "747261636b776179000000000000abcd"
    );
    assert_eq!(span.span_id().to_string(), "00000001000000ff");
    assert_eq!(good.rejection, None);
    let bad = [
        (
            r#""dHJhY2t3YXkAAAAAAAAAAQ==""#,
            r#""0000000100000001""#,
            "trace id is not a text of 32",
        ),
        (
            r#""747261636b77617900000000000000""#,
            r#""0000000100000001""#,
            "trace id is not",
        ),
        (
            r#""747261636b776179000000000000000g""#,
            r#""0000000100000001""#,
            "trace id is not",
        ),
        (
            r#""00000000000000000000000000000000""#,
            r#""0000000100000001""#,
            "trace id is all zero",
        ),
        ("5", r#""0000000100000001""#, "trace id is not"),
        ("null", r#""0000000100000001""#, "trace id is not"),
        (trace, r#""AAAAAQAAAAE=""#, "span id is not a text of 16"),
        (trace, r#""0000000000000000""#, "span id is all zero"),
        (trace, "null", "span id is not"),
    ];
    for (trace, span, why) in bad {
        let decoded = ids(trace, span);
        assert_eq!((decoded.batch.len(), decoded.rejected_spans), (0, 1));
        assert!(decoded.rejection.unwrap().contains(why), "{trace} {span}");
    }
    let parent = |text: &str| {
        fact(&format!(r#","parentSpanId":{text}"#), |span| {
            span.parent_span_id().number()
        })
    };
    assert_eq!(parent(r#""00000000000000Ff""#), Some(255));
    assert_eq!(
        (
            parent(r#""""#),
            parent("null"),
            parent(r#""0000000000000000""#)
        ),
        (Some(0), Some(0), Some(0))
    );
    assert_eq!((parent(r#""01""#), parent("7")), (None, None));
}

#[test]
fn n_01_a_link_with_other_ids_keeps_the_span_and_has_zero_ids() {
    let text = json_with(
        r#","links":[{"traceId":"x","spanId":"AAAAAQAAAAE=","flags":3},{"spanId":"00000000000000ff"}]"#,
    );
    let decoded = decoded_json(&text);
    let links: Vec<_> = decoded
        .batch
        .span(0)
        .unwrap()
        .links()
        .map(|l| (l.trace_id().is_zero(), l.span_id().number(), l.flags()))
        .collect();
    assert_eq!(links, [(true, 0, 3), (true, 255, 0)]);
    assert!(decoded.warning.unwrap().starts_with("2 ids of links"));
}

#[test]
fn n_02_64_bit_numbers_are_exact_as_text_and_as_number() {
    let int = |text: &str| value(&format!(r#"{{"intValue":{text}}}"#));
    for (text, number) in [
        ("9223372036854775807", i64::MAX),
        (r#""9223372036854775807""#, i64::MAX),
        (r#""-9223372036854775808""#, i64::MIN),
        (r#""-0""#, 0),
        ("-0", 0),
        ("1e3", 1000),
        (r#""12.5e1""#, 125),
        ("3.0", 3),
        (r#""\u0037""#, 7),
    ] {
        assert_eq!(int(text), Some(Value::Int(number)), "{text}");
    }
    for text in [
        "9223372036854775808",
        r#""-9223372036854775809""#,
        "1.5",
        "1e19",
        r#""1 ""#,
        r#""""#,
        "true",
        "[]",
    ] {
        assert_eq!(int(text), None, "{text}");
    }
    let start = |text: &str| {
        fact(&format!(r#","startTimeUnixNano":{text}"#), |span| {
            span.start()
        })
    };
    assert_eq!(start(r#""18446744073709551615""#), Some(u64::MAX));
    assert_eq!(
        start("1768471200000000001"),
        Some(1_768_471_200_000_000_001)
    );
    assert_eq!(start("1.7684712e18"), Some(1_768_471_200_000_000_000));
    assert_eq!((start("18446744073709551616"), start("-1")), (None, None));
    let flags = |text: &str| fact(&format!(r#","flags":{text}"#), |span| span.flags());
    assert_eq!(
        (flags("4294967295"), flags(r#""769""#), flags("4294967296")),
        (Some(u32::MAX), Some(769), None)
    );
}

#[test]
fn n_03_enums_are_accepted_by_name_too_and_written_as_numbers() {
    let kind = |text: &str| fact(&format!(r#","kind":{text}"#), |span| span.kind());
    assert_eq!(
        (kind("2"), kind(r#""SPAN_KIND_SERVER""#), kind(r#""3""#)),
        (Some(2), Some(2), Some(3))
    );
    assert_eq!(
        (kind("77"), kind("-1")),
        (Some(77), Some(-1)),
        "values of the future are kept"
    );
    assert_eq!(
        (kind(r#""SERVER""#), kind("1.5"), kind("3000000000")),
        (None, None, None)
    );
    let status = |text: &str| {
        fact(
            &format!(r#","status":{{"code":{text},"message":"m"}}"#),
            |span| span.status(),
        )
    };
    assert_eq!(
        (
            status("2"),
            status(r#""STATUS_CODE_ERROR""#),
            status(r#""ERROR""#)
        ),
        (Some(2), Some(2), None)
    );
    let text = encode_json(&decoded_json(&json_with(r#","kind":"SPAN_KIND_CLIENT""#)).batch);
    assert!(text.contains(r#""kind":3"#), "{text}");
}

#[test]
fn n_04_unknown_fields_are_ignored_at_every_depth() {
    let junk = r#""future":{"a":[1,{"b":null}],"c":"\ud800"},"also":[[],[{}]]"#;
    let plain = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":{"intValue":1}}]},
        "scopeSpans":[{"scope":{"name":"s"},"spans":[{"traceId":"747261636b7761790000000000000001",
        "spanId":"0000000100000001","status":{"code":1},"events":[{"name":"e"}],"links":[{"traceState":"t"}],
        "attributes":[{"key":"a","value":{"arrayValue":{"values":[{"stringValue":"x"}]}}}]}]}]}]}"#;
    let with_junk = plain.replace("{\"", &format!("{{{junk},\""));
    let (plain, with_junk) = (decoded_json(plain), decoded_json(&with_junk));
    assert_eq!(with_junk.batch.span_hash(0), plain.batch.span_hash(0));
    assert_eq!(
        (
            with_junk.batch.len(),
            with_junk.warning,
            with_junk.repaired_texts
        ),
        (1, None, 0)
    );
}

#[test]
fn n_05_snake_case_names_are_unknown_fields_and_the_sender_is_told() {
    for text in [
        r#"{"resource_spans":[{"scope_spans":[]}]}"#,
        r#"{"resourceSpans":[{"scope_spans":[{"spans":[{}]}]}]}"#,
        r#"{"resourceSpans":[{"instrumentationLibrarySpans":[{"spans":[{}]}]}]}"#,
    ] {
        let decoded = decoded_json(text);
        assert_eq!((decoded.batch.len(), decoded.rejected_spans), (0, 0));
        let warning = decoded.warning.expect("a warning");
        assert!(
            warning.starts_with("no spans found; unknown field \""),
            "{warning}"
        );
    }
    let snake = decoded_json(&json_of_span(
        r#""trace_id":"747261636b7761790000000000000001","span_id":"0000000100000001""#,
    ));
    assert_eq!(
        (snake.batch.len(), snake.rejected_spans),
        (0, 1),
        "a span without ids is rejected"
    );
    let fine = decoded_json(&json_with("").replacen('{', r#"{"resource_spans":[],"#, 1));
    assert_eq!((fine.batch.len(), fine.warning), (1, None));
}

#[test]
fn n_06_doubles_and_bytes_come_in_all_their_forms() {
    let double = |text: &str| value(&format!(r#"{{"doubleValue":{text}}}"#));
    for (text, number) in [
        ("0.1", 0.1),
        ("5", 5.0),
        (r#""2.5e-3""#, 0.0025),
        (r#""Infinity""#, f64::INFINITY),
        (r#""-Infinity""#, f64::NEG_INFINITY),
        ("1.7976931348623157e308", f64::MAX),
    ] {
        assert_eq!(double(text), Some(Value::Double(number)), "{text}");
    }
    assert!(matches!(double(r#""NaN""#), Some(Value::Double(number)) if number.is_nan()));
    for text in ["-0.0", "-0", r#""-0""#] {
        assert!(
            matches!(double(text), Some(Value::Double(zero)) if zero == 0.0 && zero.is_sign_negative()),
            "{text}"
        );
    }
    for text in [
        "1e999", r#""inf""#, r#""nan""#, r#""1.""#, r#""+1""#, r#""""#, "true",
    ] {
        assert_eq!(double(text), None, "{text}");
    }
    let bytes = |text: &str| value(&format!(r#"{{"bytesValue":"{text}"}}"#));
    for text in ["+/8=", "-_8=", "+/8", "-_8", "\\u002b/8"] {
        assert_eq!(bytes(text), Some(Value::Bytes(vec![0xfb, 0xff])), "{text}");
    }
    assert_eq!(
        (bytes(""), bytes("***"), bytes("+_8=")),
        (Some(Value::Bytes(vec![])), None, None)
    );
    assert_eq!(value(r#"{"boolValue":true}"#), Some(Value::Bool(true)));
    assert_eq!(
        (
            value(r#"{"boolValue":"true"}"#),
            value(r#"{"stringValue":5}"#)
        ),
        (None, None)
    );
}

#[test]
fn n_07_null_is_absent_and_the_last_of_equal_keys_counts() {
    let nulls = json_with(
        r#","name":null,"kind":null,"startTimeUnixNano":null,"attributes":null,"events":[null],"links":null,
           "status":null,"flags":null,"parentSpanId":null,"droppedLinksCount":null"#,
    );
    assert_eq!(
        decoded_json(&nulls).batch.span_hash(0),
        decoded_json(&json_with("")).batch.span_hash(0)
    );
    let pairs = r#","attributes":[null,{"key":null,"value":null},{"value":{"stringValue":null}},
        {"value":{"arrayValue":null}},{"value":{"arrayValue":{"values":null}}},
        {"value":{"arrayValue":{"values":[null,{"intValue":1}]}}},{"value":{"kvlistValue":{"values":[null]}}}]"#;
    let list = Value::Array(vec![Value::Empty, Value::Int(1)]);
    let expected = [
        Value::Empty,
        Value::Empty,
        Value::Empty,
        Value::Array(vec![]),
        list,
        Value::Map(vec![]),
    ];
    assert_eq!(values(&json_with(pairs)), expected);

    let twice = decoded_json(&json_with(
        r#","name":"first","kind":1,"name":"last","n\u0061me":"escaped","kind":null"#,
    ));
    let span = twice.batch.span(0).unwrap();
    assert_eq!((span.name(), span.kind()), ("escaped", 0));
    assert!(twice.warning.unwrap().starts_with("3 JSON keys came twice"));
    assert_eq!(
        value(r#"{"intValue":1,"stringValue":"last"}"#),
        Some(Value::String("last".into()))
    );
}

#[test]
fn n_08_odd_texts_are_repaired_or_refused() {
    let name = |text: &[u8]| {
        let json = [b"\xef\xbb\xbf", json_with(r#","name":"@""#).as_bytes()].concat();
        let at = json.iter().position(|byte| *byte == b'@').unwrap();
        decode_json(&[&json[..at], text, &json[at + 1..]].concat())
    };
    let repaired = |text: &[u8]| {
        let decoded = name(text).unwrap();
        (
            decoded.batch.span(0).unwrap().name().to_owned(),
            decoded.repaired_texts,
        )
    };
    assert_eq!(
        repaired(b"with a byte order mark"),
        ("with a byte order mark".into(), 0)
    );
    assert_eq!(repaired(br"\ud83d!"), ("\u{fffd}!".into(), 1));
    assert_eq!(repaired(br"\ude00"), ("\u{fffd}".into(), 1));
    assert_eq!(repaired(br"\u0000"), ("\0".into(), 0));
    assert_eq!(repaired(b"\xff\xc3"), ("\u{fffd}\u{fffd}".into(), 1));
    for broken in [&b"\n"[..], b"\0", br"\x", br"\u12", br"\"] {
        let error = name(broken).unwrap_err();
        assert!(error.to_string().starts_with("JSON at byte"), "{error}");
    }
    let nested =
        r#"{"kvlistValue":{"values":[{"key":"\ud800","value":{"stringValue":"\udfff"}}]}}"#;
    let good = String::from("\u{fffd}");
    assert_eq!(
        value(nested),
        Some(Value::Map(vec![(good.clone(), Value::String(good))]))
    );
    assert!(
        decode_json(b"\xff\xfe{\0}\0").is_err(),
        "UTF-16 is not JSON"
    );
    assert!(decode_json(b"{}\xff").is_err());
}

#[test]
fn n_09_64_levels_are_kept_and_10_000_are_refused_with_a_constant_stack() {
    let nested = |levels: usize| {
        let mut text = r#"{"kvlistValue":{"values":[{"key":"k","value":"#.repeat(levels);
        text.push_str(r#"{"intValue":1}"#);
        text.push_str(&"}]}}".repeat(levels));
        json_with(&format!(
            r#","attributes":[{{"key":"deep","value":{text}}}]"#
        ))
    };
    let decoded = decoded_json(&nested(64));
    assert_eq!((decoded.truncated_values, decoded.batch.len()), (0, 1));
    let mut value = decoded
        .batch
        .span(0)
        .unwrap()
        .attributes()
        .next()
        .unwrap()
        .value
        .to_value();
    let mut levels = 0;
    while let Value::Map(mut pairs) = value {
        levels += 1;
        value = pairs.pop().unwrap().1;
    }
    assert_eq!((levels, value), (64, Value::Int(1)));
    let cut = decoded_json(&nested(65));
    assert_eq!((cut.truncated_values, cut.batch.len()), (1, 1));
    for levels in [10_000, 1_000_000] {
        // A small stack: were it used by level, this would end the process.
        let text = nested(levels);
        let error = std::thread::Builder::new()
            .stack_size(128 << 10)
            .spawn(move || decode_json(text.as_bytes()).unwrap_err())
            .unwrap()
            .join()
            .unwrap();
        assert!(
            matches!(error, DecodeError::Broken { what: "JSON", .. }),
            "{error}"
        );
    }
}

#[test]
fn a_resource_and_a_scope_may_follow_their_spans() {
    let first = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
        "scopeSpans":[{"scope":{"name":"lib"},"spans":[SPAN],"schemaUrl":"s"}],"schemaUrl":"r"}]}"#;
    let last = r#"{"resourceSpans":[{"schemaUrl":"r",
        "scopeSpans":[{"schemaUrl":"s","spans":[SPAN],"scope":{"name":"lib"}}],
        "resource":{"attributes":[{"value":{"stringValue":"shop"},"key":"service.name"}]}}]}"#;
    let last = &last.replace("spans\"", "sp\\u0061ns\"");
    let span = r#"{"traceId":"747261636b7761790000000000000001","spanId":"0000000100000001"}"#;
    let (first, last) = (
        decoded_json(&first.replace("SPAN", span)),
        decoded_json(&last.replace("SPAN", span)),
    );
    assert_eq!(first.batch.span_hash(0), last.batch.span_hash(0));
    let span = last.batch.span(0).unwrap();
    assert_eq!(
        (
            span.service(),
            span.scope().name(),
            span.scope().schema_url()
        ),
        ("shop", "lib", "s")
    );
}

#[test]
fn o_11_one_invalid_span_among_valid_ones_is_rejected_alone() {
    let good = r#"{"traceId":"747261636b7761790000000000000001","spanId":"0000000100000001","name":"good"}"#;
    let bad = [
        r#"{"spanId":"0000000100000001"}"#,
        "5",
        r#"{"traceId":"747261636b7761790000000000000001","spanId":"0000000100000001","name":5}"#,
        r#"{"traceId":"747261636b7761790000000000000001","spanId":"0000000100000001","events":{}}"#,
        r#"{"traceId":"747261636b7761790000000000000001","spanId":"0000000100000001",
            "attributes":[{"key":"k","value":{"stringValue":"left behind"}}],"events":[{"name":"left behind"},7]}"#,
        r#"{"traceId":"747261636b7761790000000000000001","spanId":"0000000100000001","links":[{"flags":-1}]}"#,
    ];
    for bad in bad {
        let text = format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{good},{bad},{good}]}}]}}]}}"#
        );
        let decoded = decoded_json(&text);
        assert_eq!(
            (decoded.batch.len(), decoded.rejected_spans),
            (2, 1),
            "{bad}"
        );
        assert!(
            decoded
                .batch
                .iter()
                .all(|span| span.attributes().len() + span.events().len() == 0),
            "{bad}"
        );
        let rejection = decoded.rejection.unwrap();
        assert!(rejection.contains("spans[1]"), "{rejection}");
        assert_eq!(decoded.batch.span_hash(0), decoded.batch.span_hash(1));
    }
}

#[test]
fn s_05_entity_refs_are_the_fields_that_a_protobuf_sender_would_have_sent() {
    let refs = r#"[{"type":"host","idKeys":["host.id"],"descriptionKeys":["a","b"],"schemaUrl":"u"},{},null]"#;
    let text = json_with("").replace(
        r#"{"scopeSpans""#,
        &format!(r#"{{"resource":{{"entityRefs":{refs}}},"scopeSpans""#),
    );
    let decoded = decoded_json(&text);
    let expected = b"\x1a\x18\x0a\x01u\x12\x04host\x1a\x07host.id\x22\x01a\x22\x01b\x1a\x00";
    let expected = [
        &expected[..1],
        &[u8::try_from(expected.len() - 4).unwrap()],
        &expected[2..],
    ]
    .concat();
    assert_eq!(
        decoded.batch.span(0).unwrap().resource().entity_refs(),
        expected
    );
    let again = decoded_json(&encode_json(&decoded.batch));
    assert_eq!(again.batch.span_hash(0), decoded.batch.span_hash(0));
}

#[test]
fn fields_that_only_profiles_use_are_absent_and_warned_about() {
    let text = json_with(r#","attributes":[{"keyStrindex":1,"value":{"stringValueStrindex":2}}]"#);
    let decoded = decoded_json(&text);
    assert_eq!(
        decoded
            .batch
            .span(0)
            .unwrap()
            .attributes()
            .next()
            .unwrap()
            .value,
        AttrValue::Empty
    );
    assert!(
        decoded
            .warning
            .unwrap()
            .starts_with("2 fields that only profiles may use")
    );
}

#[test]
fn what_is_written_is_strict_otlp_json() {
    let text = json_with(
        r#","name":"a\"\\\n\u0001ä","startTimeUnixNano":"5","kind":2,"attributes":[
        {"key":"i","value":{"intValue":-7}},{"key":"d","value":{"doubleValue":0.5}},
        {"key":"n","value":{"doubleValue":"NaN"}},
        {"key":"b","value":{"bytesValue":"-_8"}},{"key":"e","value":{}},{"key":"a","value":{"arrayValue":{}}},
        {"key":"m","value":{"kvlistValue":{"values":[{"key":"x","value":{"boolValue":false}}]}}}]"#,
    );
    let expected = concat!(
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"747261636b7761790000000000000001","#,
        r#""spanId":"0000000100000001","name":"a\"\\\n\u0001ä","kind":2,"startTimeUnixNano":"5","attributes":["#,
        r#"{"key":"i","value":{"intValue":"-7"}},{"key":"d","value":{"doubleValue":0.5}},"#,
        r#"{"key":"n","value":{"doubleValue":"NaN"}},{"key":"b","value":{"bytesValue":"+/8="}},"#,
        r#"{"key":"e","value":{}},{"key":"a","value":{"arrayValue":{}}},"#,
        r#"{"key":"m","value":{"kvlistValue":{"values":[{"key":"x","value":{"boolValue":false}}]}}}],"#,
        r#""status":{}}]}]}]}"#,
    );
    assert_eq!(encode_json(&decoded_json(&text).batch), expected);
    assert_eq!(encode_json(&decoded_json("").batch), "{}");
}
