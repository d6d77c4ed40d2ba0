//! Rows for Cassandra: those that a Jaeger wrote for the recorded requests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use codec::jaeger::decode_rows;
use codec::jaeger_encode::ReferenceType;
use codec::jaeger_row::{JaegerRow, RowLog, RowTag, RowValue};
use codec::otlp::decode_proto;
use model::{SpanBatch, SpanId, TraceId};
use serde_json::Value;

use crate::documents::{everything, shown};
use crate::golden::requests;

/// Rows that are recorded at least.
const ROWS_MIN: usize = 100;
/// Traces that are not compared, by the ends of their ids: broken UTF-8, which Jaeger keeps as bytes under names of its
/// own, and is repaired here.
const LEFT_OUT: [&str; 1] = ["0023"];

fn recorded(table: &str) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/cassandra");
    let text = std::fs::read_to_string(root.join(format!("rows-{table}.json"))).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    file["rows"].as_array().unwrap().clone()
}

fn batches() -> Vec<SpanBatch> {
    let read = requests()
        .into_iter()
        .map(|path| std::fs::read(path).unwrap());
    read.map(|bytes| decode_proto(&bytes).unwrap().batch)
        .collect()
}

fn rows(batch: &SpanBatch) -> Vec<JaegerRow> {
    (0..batch.len())
        .map(|row| JaegerRow::of(batch, row).unwrap())
        .collect()
}

/// The rows that are written for all requests.
fn written() -> Vec<JaegerRow> {
    batches().iter().flat_map(rows).collect()
}

fn number_of_id(id: SpanId) -> i64 {
    i64::from_be_bytes(id.0)
}

fn blob(trace_id: TraceId) -> String {
    format!("0x{trace_id}")
}

/// A tag as the recorder wrote it.
fn tag(tag: &RowTag) -> Value {
    let (mut text, mut is, mut int, mut double) = ("", false, 0, 0.0);
    let mut binary = Value::Null;
    match &tag.value {
        RowValue::Text(value) => text = value,
        RowValue::Bool(value) => is = *value,
        RowValue::Int(value) => int = *value,
        RowValue::Double(value) => double = *value,
        RowValue::Binary(value) => {
            let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            binary = match hex.is_empty() {
                true => Value::Null,
                false => format!("0x{hex}").into(),
            };
        }
    }
    // JSON has no infinities.
    let double = match double.is_finite() {
        true => Value::from(double),
        false if double.is_nan() => "NaN".into(),
        false => format!("{}Infinity", if double > 0.0 { "" } else { "-" }).into(),
    };
    serde_json::json!({
        "key": tag.key, "value_type": tag.value.type_name(), "value_string": text, "value_bool": is,
        "value_long": int, "value_double": double, "value_binary": binary,
    })
}

fn tags(tags: &[RowTag]) -> Value {
    tags.iter().map(tag).collect()
}

fn or_null(list: Vec<Value>) -> Value {
    match list.is_empty() {
        true => Value::Null,
        false => list.into(),
    }
}

/// A row of the table `traces` as the recorder wrote it, but for the hash.
fn json(row: &JaegerRow) -> Value {
    let references = row.references.iter().map(|reference| {
        let ref_type = match reference.reference_type {
            ReferenceType::ChildOf => "child-of",
            ReferenceType::FollowsFrom => "follows-from",
        };
        serde_json::json!({
            "ref_type": ref_type,
            "trace_id": blob(reference.trace_id),
            "span_id": number_of_id(reference.span_id),
        })
    });
    let logs = row
        .logs
        .iter()
        .map(|log: &RowLog| serde_json::json!({"ts": log.micros, "fields": tags(&log.fields)}));
    let of_span = tags(&row.tags).as_array().unwrap().clone();
    serde_json::json!({
        "trace_id": blob(row.trace_id),
        "span_id": number_of_id(row.span_id),
        "duration": row.duration_micros,
        "flags": row.flags,
        "logs": or_null(logs.collect()),
        "operation_name": row.name,
        "parent_id": number_of_id(row.parent_id),
        "process": {"service_name": row.service, "tags": tags(&row.process_tags)},
        "refs": or_null(references.collect()),
        "start_time": row.start_micros,
        "tags": or_null(of_span),
    })
}

fn is_repair(tag: &Value) -> bool {
    let text = tag["value_string"].as_str().unwrap_or_default();
    tag["key"] == "@jaeger@warnings"
        && text.starts_with("[\"Negative duration detected, sanitizing")
}

/// Takes off what Jaeger's collector repaired before it kept a span, and its hash.
fn normal(mut row: Value) -> Value {
    row.as_object_mut().unwrap().remove("span_hash");
    if row["operation_name"] == "empty-span-name" {
        row["operation_name"] = "".into();
    }
    if let Some(tags) = row["tags"].as_array_mut() {
        tags.retain(|tag| !is_repair(tag));
        if tags.is_empty() {
            row["tags"] = Value::Null;
        }
    }
    row
}

fn is_compared(trace_id: &str) -> bool {
    !LEFT_OUT.iter().any(|end| trace_id.ends_with(end))
}

#[test]
fn rows_are_those_that_a_jaeger_wrote() {
    let recorded: Vec<Value> = recorded("traces").into_iter().map(normal).collect();
    let recorded: Vec<String> = recorded
        .iter()
        .filter(|row| is_compared(row["trace_id"].as_str().unwrap()))
        .map(Value::to_string)
        .collect();
    assert!(recorded.len() >= ROWS_MIN, "{}", recorded.len());
    let traces: BTreeSet<String> = recorded
        .iter()
        .map(|row| serde_json::from_str::<Value>(row).unwrap()["trace_id"].to_string())
        .collect();
    let written: Vec<String> = written()
        .iter()
        .map(|row| normal(sorted_members(&json(row), &recorded[0])))
        .filter(|row| traces.contains(&row["trace_id"].to_string()))
        .map(|row| row.to_string())
        .collect();
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        let missing = these.iter().filter(|line| !those.contains(line));
        missing.cloned().collect()
    };
    assert_eq!(
        (only(&recorded, &written), only(&written, &recorded)),
        (Vec::new(), Vec::new()),
        "recorded alone, written alone"
    );
}

/// Members in the order of a recorded row.
fn sorted_members(row: &Value, like: &str) -> Value {
    let like: Value = serde_json::from_str(like).unwrap();
    let keys = like.as_object().unwrap().keys();
    let members = keys.map(|key| (key.clone(), row[key].clone()));
    Value::Object(members.collect())
}

#[test]
fn tags_are_looked_up_under_the_texts_that_a_jaeger_wrote() {
    let mut recorded_of: BTreeMap<(String, i64), BTreeSet<(String, String)>> = BTreeMap::new();
    for row in recorded("tag_index") {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        if is_compared(&text("trace_id")) {
            let span = (text("trace_id"), row["span_id"].as_i64().unwrap());
            let tag = (text("tag_key"), text("tag_value"));
            recorded_of.entry(span).or_default().insert(tag);
        }
    }
    let mut written_of: BTreeMap<(String, i64), BTreeSet<(String, String)>> = BTreeMap::new();
    for row in written() {
        let span = (blob(row.trace_id), number_of_id(row.span_id));
        let all = || row.tags.iter().chain(&row.process_tags);
        // Bytes are looked up here alone.
        let is_bytes =
            |key: &str| all().any(|tag| tag.key == key && matches!(tag.value, RowValue::Binary(_)));
        let tags = row.indexed().filter(|(key, _)| !is_bytes(key));
        let tags = tags.map(|(key, value)| (key.to_owned(), value));
        written_of.entry(span).or_default().extend(tags);
    }
    assert!(recorded_of.len() >= ROWS_MIN, "{}", recorded_of.len());
    for (span, recorded) in recorded_of {
        let recorded: BTreeSet<_> = recorded
            .into_iter()
            .filter(|(key, value)| key != "@jaeger@warnings" || !value.contains("sanitizing"))
            .collect();
        let written = written_of.remove(&span).unwrap_or_default();
        assert_eq!(recorded, written, "{span:?}");
    }
}

#[test]
fn spans_come_back_as_they_were_but_for_what_a_row_cannot_say() {
    let batch = everything();
    let decoded = decode_rows(&rows(&batch)).unwrap();
    assert_eq!((decoded.rejected_spans, &decoded.rejection), (0, &None));
    assert_eq!(shown(&decoded.batch), shown(&batch));
}

#[test]
fn a_row_that_is_no_span_is_refused_alone() {
    let good = rows(&batches()[0]);
    let mut bad = good.clone();
    bad[0].start_micros = -1;
    let decoded = decode_rows(&bad).unwrap();
    assert_eq!(decoded.rejected_spans, 1);
    assert_eq!(decoded.batch.len(), good.len() - 1);
}
