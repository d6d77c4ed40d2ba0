//! Recorded requests of Zipkin clients: each must become what the real Jaeger showed afterwards, or what is better.
//!
//! Where ours differs on purpose, `OURS` has the case; `docs/jaeger-differences.md` says why.

use std::path::Path;

use codec::zipkin::{decode_json_v1, decode_json_v2, decode_proto_v2, decode_thrift_v1};
use codec::{DecodeError, Decoded};
use model::batch::{Attribute, SpanRef};
use model::value::Value as Attr;
use serde_json::{Value, json};

/// What we do with requests that the recorded server refused whole, by case: spans kept and spans rejected.
const OURS: [(&str, u64, u64); 5] = [
    ("bad trace id", 0, 1),
    ("no id", 0, 1),
    ("negative duration", 0, 1),
    ("text timestamp", 1, 0),
    ("client", 1, 0),
];
/// Cases whose spans Jaeger's query service shows with other ids; the decoder's are tested below.
const SHOWN_OTHERWISE: [&str; 1] = ["shared id pair"];

fn cases(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden/thrift")
        .join(file);
    let text = std::fs::read(&path).expect("the recording is there");
    let recording: Value = serde_json::from_slice(&text).unwrap();
    recording["cases"].as_array().unwrap().clone()
}

fn body_of(case: &Value) -> Vec<u8> {
    let Some(hex) = case["body_hex"].as_str() else {
        return case["body_text"].as_str().unwrap().as_bytes().to_vec();
    };
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// As the receiver will choose, so that the recordings of all four formats can be replayed.
fn decode(case: &Value) -> Result<Decoded, DecodeError> {
    let body = body_of(case);
    let is_v1 = case["sent_by"].as_str().unwrap().contains("api/v1/spans");
    match (is_v1, case["content_type"].as_str()) {
        (true, Some("application/x-thrift")) => decode_thrift_v1(&body),
        (true, _) => decode_json_v1(&body),
        (false, Some("application/x-protobuf")) => decode_proto_v2(&body),
        (false, _) => decode_json_v2(&body),
    }
}

fn check(file: &str, cases_min: usize) {
    let mut compared = 0;
    for case in cases(file) {
        let name = case["name"].as_str().unwrap();
        if case["headers"].get("Content-Encoding").is_some() {
            continue;
        }
        compared += 1;
        let decoded = decode(&case);
        let ours = OURS.iter().find(|(ours, ..)| *ours == name);
        match (case["answer"]["status"].as_u64().unwrap(), ours) {
            (400, None) => assert!(
                matches!(decoded, Err(DecodeError::Broken { .. })),
                "{name}: {decoded:?}"
            ),
            (_, Some((_, kept, rejected))) if case["answer"]["status"] == 400 => {
                let decoded = decoded.unwrap();
                assert_eq!(
                    (decoded.batch.len() as u64, decoded.rejected_spans),
                    (*kept, *rejected),
                    "{name}"
                );
            }
            _ => {
                let decoded = decoded.unwrap();
                assert_eq!(
                    (&decoded.rejection, &decoded.warning),
                    (&None, &None),
                    "{name}"
                );
                if !SHOWN_OTHERWISE.contains(&name) && case.get("jaeger_api_traces").is_some() {
                    let moved = moved_micros(&decoded, &case);
                    let shown: Vec<Value> = decoded
                        .batch
                        .iter()
                        .map(|span| shown(span, moved))
                        .collect();
                    assert_eq!(Value::from(shown), recorded(&case), "{name}");
                }
            }
        }
    }
    assert!(compared >= cases_min, "{compared} cases of {file}");
}

/// By how much the times of a recorded request are off, which can't be taken out of bytes: a whole number of hours.
fn moved_micros(decoded: &Decoded, case: &Value) -> u64 {
    let span = &case["jaeger_api_traces"]["body"]["data"][0]["spans"][0];
    match (decoded.batch.span(0), span["startTime"].as_u64()) {
        (Some(ours), Some(theirs)) if case.get("body_hex").is_some() => {
            let moved = ours.start() / 1000 - theirs;
            assert_eq!(moved % 3_600_000_000, 0);
            moved
        }
        _ => 0,
    }
}

/// The recorded spans, without what Jaeger's query service adds.
fn recorded(case: &Value) -> Value {
    let Some(trace) = case["jaeger_api_traces"]["body"]["data"].get(0) else {
        return json!([]);
    };
    let spans = trace["spans"].as_array().unwrap().iter().map(|span| {
        let process = &trace["processes"][span["processID"].as_str().unwrap()];
        let mut service = process["serviceName"].clone();
        if case["name"] == "plain annotation" {
            // The annotation names it, and the recorded server lost it.
            assert_eq!(service, "unknown-service");
            service = json!("gold-zipkin-1");
        }
        json!({
            "trace": format!("{:0>32}", span["traceID"].as_str().unwrap()),
            "span": span["spanID"],
            "parent": span["references"].get(0).map_or(&Value::Null, |reference| &reference["spanID"]),
            "name": span["operationName"],
            "start": span["startTime"],
            "duration": span["duration"],
            "tags": sorted(span["tags"].as_array().unwrap().clone()),
            "logs": sorted(span["logs"].as_array().unwrap().clone()),
            "service": service,
            "process": sorted(process["tags"].as_array().unwrap().clone()),
        })
    });
    spans.collect()
}

fn sorted(mut list: Vec<Value>) -> Vec<Value> {
    list.sort_by_key(ToString::to_string);
    list
}

/// A span in the words of the recordings.
fn shown(span: SpanRef<'_>, moved_micros: u64) -> Value {
    let mut tags = tags(span.attributes());
    let kinds = ["", "internal", "server", "client", "producer", "consumer"];
    let kind = kinds[usize::try_from(span.kind()).unwrap()];
    if !kind.is_empty() {
        tags.push(json!({"key": "span.kind", "type": "string", "value": kind}));
    }
    if span.status() == 2 {
        tags.push(json!({"key": "otel.status_code", "type": "string", "value": "ERROR"}));
        tags.push(json!({"key": "error", "type": "bool", "value": true}));
    }
    let logs = span.events().map(|event| {
        let name = json!({"key": "event", "type": "string", "value": event.name()});
        let fields: Vec<Value> = std::iter::once(name)
            .chain(self::tags(event.attributes()))
            .collect();
        json!({"timestamp": event.time() / 1000 - moved_micros, "fields": fields})
    });
    let resource = span.resource();
    let process = self::tags(
        resource
            .attributes()
            .filter(|attribute| attribute.key != "service.name"),
    );
    json!({
        "trace": span.trace_id().to_string(),
        "span": span.span_id().to_string(),
        "parent": if span.parent_span_id().is_zero() { None } else { Some(span.parent_span_id().to_string()) },
        "name": if span.name().is_empty() { "empty-span-name" } else { span.name() },
        "start": span.start() / 1000 - moved_micros,
        "duration": (span.end() - span.start()) / 1000,
        "tags": sorted(tags),
        "logs": sorted(logs.collect()),
        "service": span.service(),
        "process": sorted(process),
    })
}

fn tags<'a>(attributes: impl Iterator<Item = Attribute<'a>>) -> Vec<Value> {
    let tag = |Attribute { key, value }| match value.to_value() {
        Attr::String(text) => json!({"key": key, "type": "string", "value": text}),
        Attr::Bool(is) => json!({"key": key, "type": "bool", "value": is}),
        Attr::Int(int) => json!({"key": key, "type": "int64", "value": int}),
        Attr::Double(double) => json!({"key": key, "type": "float64", "value": double}),
        other => panic!("{key}: {other:?}"),
    };
    attributes.map(tag).collect()
}

#[test]
fn recorded_lists_of_version_2_in_json_are_what_jaeger_showed() {
    check("zipkin-v2-json.json", 30);
}

#[test]
fn recorded_lists_of_version_2_in_protobuf_are_what_jaeger_showed() {
    check("zipkin-v2-protobuf.json", 4);
}

#[test]
fn recorded_lists_of_version_1_in_json_are_what_jaeger_showed() {
    check("zipkin-v1-json.json", 10);
}

#[test]
fn recorded_lists_of_version_1_in_thrift_are_what_jaeger_showed() {
    check("zipkin-v1-thrift.json", 2);
}

#[test]
fn the_two_halves_of_a_shared_span_are_both_kept() {
    let all = cases("zipkin-v2-json.json");
    let case = all
        .iter()
        .find(|case| case["name"] == SHOWN_OTHERWISE[0])
        .unwrap();
    let batch = decode(case).unwrap().batch;
    let spans = batch.iter().map(|span| {
        (
            span.span_id().to_string(),
            span.kind(),
            span.service().to_owned(),
        )
    });
    let [client, server] = ["gold-zipkin-c", "gold-zipkin-s"].map(str::to_owned);
    let expected = [
        ("00000000000000b1".to_owned(), 3, client),
        ("00000000000000b1".to_owned(), 2, server.clone()),
        ("00000000000000b2".to_owned(), 0, server),
    ];
    assert_eq!(spans.collect::<Vec<_>>(), expected);
}
