//! Spans in Jaeger's model: what OTLP becomes, read by the generated messages.

use codec::generated::jaeger::api_v2;
use codec::jaeger_encode::JaegerSpans;
use codec::otlp::decode_json;
use codec::wire::Writer;
use prost::Message as _;

/// The spans of a request with one resource and one scope.
fn spans(resource: &str, scope: &str, spans: &str) -> Vec<api_v2::Span> {
    let text = format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{resource}]}},
        "scopeSpans":[{{"scope":{{{scope}}},"spans":[{spans}]}}]}}]}}"#
    );
    let batch = decode_json(text.as_bytes()).unwrap().batch;
    let (mut out, mut writing) = (Writer::new(), JaegerSpans::new(&batch));
    (0..=batch.len()).for_each(|row| writing.push(&mut out, 1, row));
    api_v2::SpansResponseChunk::decode(out.as_bytes())
        .unwrap()
        .spans
}

const IDS: &str = r#""traceId":"747261636b7761790000000000000001","spanId":"0000000000000002""#;
const NAMED: &str = r#"{"key":"service.name","value":{"stringValue":"s"}}"#;

fn keys(tags: &[api_v2::KeyValue]) -> Vec<&str> {
    tags.iter().map(|tag| tag.key.as_str()).collect()
}

#[test]
fn scope_and_fields_are_tags_around_the_span_s_own() {
    let span = format!(
        r#"{{{IDS},"kind":3,"status":{{"code":2,"message":"m"}},"traceState":"a=b","startTimeUnixNano":"1500000001",
        "endTimeUnixNano":"3500000001","attributes":[{{"key":"own",
        "value":{{"arrayValue":{{"values":[{{"intValue":1}}]}}}}}}]}}"#
    );
    let spans = spans(NAMED, r#""name":"lib","version":"1""#, &span);
    let [span] = spans.as_slice() else {
        panic!("{spans:?}")
    };
    let expected = [
        "otel.scope.name",
        "otel.scope.version",
        "own",
        "span.kind",
        "otel.status_code",
        "error",
        "otel.status_description",
        "w3c.tracestate",
    ];
    assert_eq!(keys(&span.tags), expected);
    assert_eq!(
        (span.tags[2].v_type, span.tags[2].v_str.as_str()),
        (0, "[1]")
    );
    assert_eq!((span.tags[5].v_type, span.tags[5].v_bool), (1, true));
    let (start, duration) = (span.start_time.unwrap(), span.duration.unwrap());
    assert_eq!((start.seconds, start.nanos), (1, 500_000_001));
    assert_eq!((duration.seconds, duration.nanos), (2, 0));
    let process = span.process.as_ref().unwrap();
    assert_eq!(
        (process.service_name.as_str(), process.tags.len()),
        ("s", 0)
    );
    assert_eq!(span.process_id, "");
}

#[test]
fn a_link_to_the_parent_only_says_of_what_type_it_is() {
    let link = |span: &str, kind: &str| {
        format!(
            r#"{{"traceId":"747261636b7761790000000000000001","spanId":"{span}","attributes":[
            {{"key":"opentracing.ref_type","value":{{"stringValue":"{kind}"}}}}]}}"#
        )
    };
    let links = [
        link("0000000000000009", ""),
        link("0000000000000005", "child_of"),
    ]
    .join(",");
    let span = format!(r#"{{{IDS},"parentSpanId":"0000000000000009","links":[{links}]}}"#);
    let spans = spans(NAMED, "", &span);
    let references = spans[0].references.iter();
    let references: Vec<(u8, i32)> = references
        .map(|one| (one.span_id[7], one.ref_type))
        .collect();
    assert_eq!(references, [(9, 1), (5, 0)]);
}

#[test]
fn events_warnings_and_odd_resources_are_where_jaeger_has_them() {
    let span = format!(
        r#"{{{IDS},"startTimeUnixNano":"5","endTimeUnixNano":"3","attributes":[
        {{"key":"@jaeger@warnings","value":{{"arrayValue":{{"values":[{{"stringValue":"w"}}]}}}}}}],
        "events":[{{"name":"e"}},{{"name":"e","attributes":[{{"key":"event","value":{{"boolValue":true}}}}]}},{{}}]}}"#
    );
    let spans = spans("", "", &span);
    let span = &spans[0];
    assert_eq!(span.warnings, ["w"]);
    assert!(span.tags.is_empty());
    // What ends before it starts took no time.
    assert_eq!(span.duration.unwrap().nanos, 0);
    let fields: Vec<Vec<&str>> = span.logs.iter().map(|log| keys(&log.fields)).collect();
    assert_eq!(fields, [vec!["event"], vec!["event"], vec![]]);
    assert_eq!(span.logs[0].fields[0].v_str, "e");
    assert!(span.logs[1].fields[0].v_bool);
    let service = &span.process.as_ref().unwrap().service_name;
    assert_eq!(service, "OTLPResourceNoServiceName");
}
