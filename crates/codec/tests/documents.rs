//! Documents for Elasticsearch: those that a Jaeger wrote for the recorded requests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use codec::jaeger::decode_documents;
use codec::jaeger_document::{
    DocumentLayout, TagsAsFields, service_document_id, span_document_id, write_service, write_span,
};
use codec::otlp::decode_proto;
use model::SpanBatch;
use serde_json::Value;

use crate::golden::requests;

/// Traces and spans that are not compared, by the ends of their ids, and why.
const LEFT_OUT: [(&str, &str); 3] = [
    ("0022", "NaN and the infinities: Jaeger loses the span"),
    (
        "0000000c00000006",
        "flags that the mapping refuses: Jaeger loses the span",
    ),
    (
        "0023",
        "broken UTF-8: Jaeger keeps it as bytes under names of its own, here it is repaired",
    ),
];
/// Documents that are recorded at least.
const DOCUMENTS_MIN: usize = 100;

fn recorded(name: &str) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/elasticsearch");
    let text = std::fs::read_to_string(root.join(name)).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    file["documents"].as_array().unwrap().clone()
}

fn batches() -> Vec<SpanBatch> {
    let read = requests()
        .into_iter()
        .map(|path| std::fs::read(path).unwrap());
    read.map(|bytes| decode_proto(&bytes).unwrap().batch)
        .collect()
}

fn is_compared(document: &Value) -> bool {
    let [trace, span] = ["traceID", "spanID"].map(|name| document[name].as_str().unwrap());
    let is_left_out = |end: &&str| trace.ends_with(*end) || span == *end;
    !LEFT_OUT.iter().any(|(end, _)| is_left_out(end))
}

/// Takes off what Jaeger's collector repaired before it kept a span, and the sign of a zero, which the recorder lost.
fn normal(mut document: Value) -> Value {
    if document["operationName"] == "empty-span-name" {
        document["operationName"] = "".into();
    }
    let is_repair = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        text.starts_with("[\"Negative duration detected, sanitizing")
    };
    let is_minus_zero = |value: &Value| value.as_f64() == Some(0.0) && value.is_f64();
    for tag in document["tags"].as_array_mut().unwrap() {
        if is_minus_zero(&tag["value"]) {
            tag["value"] = 0.into();
        }
    }
    let tags = document["tags"].as_array_mut().unwrap();
    tags.retain(|tag| tag["key"] != "@jaeger@warnings" || !is_repair(&tag["value"]));
    if let Some(fields) = document["tag"].as_object_mut() {
        fields.retain(|key, value| key != "@jaeger@warnings" || !is_repair(value));
        for value in fields.values_mut().filter(|value| is_minus_zero(value)) {
            *value = 0.into();
        }
    }
    document
}

/// Documents by their trace, span and text, so that those with the same ids stay apart.
fn sorted(documents: impl Iterator<Item = Value>) -> Vec<String> {
    let compared = documents.filter(is_compared).map(normal);
    let mut texts: Vec<String> = compared
        .map(|document| {
            let ids = (&document["traceID"], &document["spanID"]);
            format!("{} {} {document}", ids.0, ids.1)
        })
        .collect();
    texts.sort();
    texts
}

fn compare(name: &str, layout: &DocumentLayout) {
    let recorded = recorded(name).into_iter().map(|it| it["_source"].clone());
    let recorded = sorted(recorded);
    let known: BTreeSet<String> = recorded
        .iter()
        .filter_map(|line| Some(line.split(' ').next()?.to_owned()))
        .collect();
    let batches = batches();
    let written = batches.iter().flat_map(SpanBatch::iter).map(|span| {
        let mut text = String::new();
        write_span(&mut text, span, layout);
        serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    });
    let written = sorted(written.filter(|it| known.contains(&it["traceID"].to_string())));
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        let missing = these.iter().filter(|line| !those.contains(line));
        missing.cloned().collect()
    };
    assert!(recorded.len() >= DOCUMENTS_MIN, "{}", recorded.len());
    assert_eq!(
        (only(&recorded, &written), only(&written, &recorded)),
        (Vec::new(), Vec::new()),
        "recorded alone, written alone: {name}"
    );
    assert_eq!(recorded.len(), written.len());
}

#[test]
fn documents_are_those_that_a_jaeger_wrote() {
    compare("default-span-documents.json", &DocumentLayout::default());
}

#[test]
fn documents_with_tags_as_fields_are_those_that_a_jaeger_wrote() {
    let layout = DocumentLayout {
        tags_as_fields: TagsAsFields::All,
        ..DocumentLayout::default()
    };
    compare("tags-as-fields-span-documents.json", &layout);
}

#[test]
fn operations_have_the_ids_that_a_jaeger_gave_them() {
    let documents = recorded("default-service-documents.json");
    assert!(documents.len() >= DOCUMENTS_MIN, "{}", documents.len());
    for document in documents {
        let text = |name: &str| document["_source"][name].as_str().unwrap();
        let (service, operation) = (text("serviceName"), text("operationName"));
        assert_eq!(document["_id"], service_document_id(service, operation));
        let mut written = String::new();
        write_service(&mut written, service, operation);
        assert_eq!(
            serde_json::from_str::<Value>(&written).unwrap(),
            document["_source"]
        );
    }
}

#[test]
fn an_id_is_the_same_whenever_a_span_is_written_and_another_for_every_content() {
    let batches = batches();
    let mut ids: BTreeMap<String, u64> = BTreeMap::new();
    let (layout, mut spans) = (DocumentLayout::default(), 0);
    for span in batches.iter().flat_map(SpanBatch::iter) {
        let (mut text, mut again) = (String::new(), String::new());
        write_span(&mut text, span, &layout);
        write_span(&mut again, span, &layout);
        assert_eq!(text, again);
        let id = span_document_id(span, &text);
        assert!(
            id.starts_with(&format!("{}_{}_", span.trace_id(), span.span_id())),
            "{id}"
        );
        *ids.entry(id).or_default() += 1;
        spans += 1;
    }
    // Of the recorded spans one pair is the same in every part that a document has.
    let twice = ids.values().filter(|count| **count > 1).count();
    assert!(
        ids.len() + 2 >= spans && twice <= 2,
        "{} of {spans}",
        ids.len()
    );
}

/// Documents of all spans of a batch.
fn write_all(batch: &SpanBatch, layout: &DocumentLayout) -> Vec<String> {
    let write = |span| {
        let mut text = String::new();
        write_span(&mut text, span, layout);
        text
    };
    batch.iter().map(write).collect()
}

fn read_all(documents: &[String], layout: &DocumentLayout) -> SpanBatch {
    let documents: Vec<&[u8]> = documents.iter().map(String::as_bytes).collect();
    let decoded = decode_documents(&documents, layout).unwrap();
    assert_eq!((decoded.rejected_spans, decoded.rejection), (0, None));
    decoded.batch
}

#[test]
fn recorded_documents_are_read_and_written_the_same() {
    let layout = DocumentLayout::default();
    let documents = recorded("default-span-documents.json");
    let mut others = Vec::new();
    for document in &documents {
        let source = &document["_source"];
        let batch = read_all(&[source.to_string()], &layout);
        let written = write_all(&batch, &layout).pop().unwrap();
        let written: Value = serde_json::from_str(&written).unwrap();
        if normal(written) != normal(source.clone()) {
            others.push(source["operationName"].as_str().unwrap());
        }
    }
    // Their attributes are called as the tags of fields are, so they are those fields from now on.
    let expected = [
        "otel.status_code attribute",
        "dup",
        "kind by odd attribute",
        "library",
        "jaeger attributes",
        "with own otel.scope.name",
    ];
    assert_eq!(others, expected);
    assert!(documents.len() >= DOCUMENTS_MIN);
}

/// All that a document says of spans. Tags that are members of their own come last, so attributes are sorted.
pub(crate) fn shown(batch: &SpanBatch) -> Vec<String> {
    let shown = batch.iter().map(|span| {
        let (scope, resource) = (span.scope(), span.resource());
        let ids = (span.trace_id(), span.span_id(), span.parent_span_id());
        let numbers = (span.kind(), span.status(), span.flags());
        let times = (span.start(), span.duration());
        let texts = [
            span.name(),
            span.status_message(),
            span.trace_state(),
            scope.name(),
            scope.version(),
        ];
        let mut attributes: Vec<_> = span.attributes().map(|tag| format!("{tag:?}")).collect();
        attributes.sort();
        let events = span.events().map(|event| {
            let fields: Vec<_> = event.attributes().collect();
            format!("{} {} {fields:?}", event.time(), event.name())
        });
        let events: Vec<String> = events.collect();
        let links = span.links().map(|link| (link.trace_id(), link.span_id()));
        let links: Vec<_> = links.collect();
        let resource: Vec<_> = resource.attributes().collect();
        format!(
            "{ids:?} {numbers:?} {times:?} {texts:?} {attributes:?} {events:?} {links:?} {resource:?}"
        )
    });
    shown.collect()
}

/// Spans with all that Jaeger's stores have a place for.
pub(crate) fn everything() -> SpanBatch {
    use testkit::spans::{SpanKind, request};
    const MICRO: u64 = 1_000;
    let at = 1_790_000_000_000_000 * MICRO;
    let bytes = request()
        .service("shop")
        .resource_attr("hostname", "web-1")
        .resource_attr("replicas", 3_i64)
        .scope("http", "1.2.0")
        .span("GET /", |s| {
            s.kind(SpanKind::Server)
                .start_ns(at)
                .lasting_ns(1_234 * MICRO)
                .trace_state("vendor=a1")
                .flags(0x301)
                .attr("text", "a \"quoted\" \u{1F600}\n")
                .attr("digits", "500")
                .attr("int", i64::MIN)
                .attr("double", 2.5)
                .attr("whole", 7.0)
                .attr("nan", f64::NAN)
                .attr("infinite", f64::INFINITY)
                .attr("yes", true)
                .attr("bytes", vec![0_u8, 255])
                .attr("http.status_code", 500_i64)
                .event("first")
                .event_at_ns(at + MICRO)
                .event_attr("event.key", "k")
                .link(9, 9)
                .error("it broke")
        })
        .span("SELECT", |s| {
            s.parent(1)
                .start_ns(at)
                .lasting_ns(MICRO)
                .flags(u32::MAX)
                .ok()
        })
        .resource()
        .span("of nobody", |s| {
            s.start_ns(at).lasting_ns(0).status(0, "a message alone")
        })
        .encode();
    decode_proto(&bytes).unwrap().batch
}

#[test]
fn spans_come_back_as_they_were_but_for_what_a_document_cannot_say() {
    let batch = everything();
    for tags_as_fields in [
        TagsAsFields::Few,
        TagsAsFields::Some(BTreeSet::from([
            "http.status_code".to_owned(),
            "text".to_owned(),
        ])),
    ] {
        let layout = DocumentLayout {
            tags_as_fields,
            ..DocumentLayout::default()
        };
        let read = read_all(&write_all(&batch, &layout), &layout);
        assert_eq!(shown(&read), shown(&batch));
        if layout.tags_as_fields == TagsAsFields::Few {
            let hashes = |batch: &SpanBatch| -> Vec<u64> {
                (0..batch.len()).map(|row| batch.span_hash(row)).collect()
            };
            assert_eq!(hashes(&read), hashes(&batch));
        }
    }
}

/// One member more; all others are as ever, and what is read is the same.
#[test]
fn documents_may_say_when_spans_end() {
    let batch = everything();
    let plain = DocumentLayout::default();
    let ending = DocumentLayout {
        has_end: true,
        ..DocumentLayout::default()
    };
    let (with, without) = (write_all(&batch, &ending), write_all(&batch, &plain));
    let parse = |text: &String| -> serde_json::Value { serde_json::from_str(text).unwrap() };
    for (with, without) in with.iter().zip(&without) {
        let (mut with, without) = (parse(with), parse(without));
        let end = with.as_object_mut().unwrap().remove("endTime").unwrap();
        assert_eq!(with, without);
        let number = |name: &str| without[name].as_u64().unwrap();
        assert_eq!(end, number("startTime") + number("duration"));
    }
    assert_eq!(shown(&read_all(&with, &plain)), shown(&batch));
}

#[test]
fn documents_of_older_versions_and_broken_ones_are_read_as_far_as_they_go() {
    let older = r#"{"traceID":"abc","spanID":"1","operationName":"old","references":[{"refType":"CHILD_OF",
        "traceID":"abc","spanID":"2"}],"startTime":1790000000000000,"duration":5,"tags":[
        {"key":"yes","type":"bool","value":"true"},{"key":"n","type":"int64","value":"7"},
        {"key":"d","type":"float64","value":"0.5"},{"key":"b","type":"binary","value":"00ff"},
        {"key":"bad","type":"int64","value":"seven"}],"tag":{"http@code":200,"ratio":0.5,"big":1e300},
        "process":{"serviceName":"shop","tags":null},"later":{"unknown":[1]}}"#;
    let documents = [
        older,
        "{",
        "[]",
        r#"{"traceID":"xyz"}"#,
        r#"{"traceID":"a","spanID":"0"}"#,
    ];
    let documents: Vec<&[u8]> = documents.iter().map(|text| text.as_bytes()).collect();
    let decoded = decode_documents(&documents, &DocumentLayout::default()).unwrap();
    assert_eq!((decoded.batch.len(), decoded.rejected_spans), (1, 4));
    let span = decoded.batch.span(0).unwrap();
    assert_eq!(span.trace_id().to_string(), format!("{:032x}", 0xabc));
    assert_eq!(span.parent_span_id().to_string(), format!("{:016x}", 2));
    assert_eq!((span.duration(), span.links().len()), (5_000, 0));
    let attributes: Vec<String> = span
        .attributes()
        .map(|tag| format!("{}={:?}", tag.key, tag.value))
        .collect();
    let expected = [
        "yes=Bool(true)",
        "n=Int(7)",
        "d=Double(0.5)",
        "b=Bytes([0, 255])",
        "bad=String(\"Can't convert the type int64 for the key bad: value must be a whole number\")",
        "http.code=Int(200)",
        "ratio=Double(0.5)",
        "big=Double(1e300)",
    ];
    assert_eq!(attributes, expected);
}
