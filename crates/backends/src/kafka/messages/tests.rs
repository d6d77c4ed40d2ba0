//! Messages as a Jaeger's, and what is read of broken ones.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::*;

/// Long enough for every message of these tests.
const BYTES_MAX: usize = 1_000_000;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden")
}

fn incoming(key: &str, value: Vec<u8>) -> Incoming {
    Incoming {
        partition: 0,
        offset: 0,
        message: Message {
            key: Some(Bytes::from(key.to_owned())),
            value: value.into(),
            headers: Vec::new(),
        },
    }
}

/// What a Jaeger put into its topic.
fn recorded(encoding: Encoding) -> Vec<Incoming> {
    let path = golden().join(format!("kafka/{}.json", encoding.name()));
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let messages = &file["messages"]["partition_traces_by_id true"];
    let messages = messages.as_array().unwrap().iter().map(|message| {
        let key = message["key_text_or_hex"].as_str().unwrap();
        let value = match message["value_base64"].as_str() {
            Some(text) => STANDARD.decode(text).unwrap(),
            None => message["value"].to_string().into_bytes(),
        };
        incoming(key, value)
    });
    let messages: Vec<Incoming> = messages.collect();
    assert!(messages.len() >= 13, "{} messages", messages.len());
    messages
}

/// What was sent to it.
fn sent() -> Vec<SpanBatch> {
    let names = [
        "02-status",
        "04-scalars",
        "10-events",
        "13-scopes",
        "30-messaging",
        "18-short-trace-id",
    ];
    let requests = names.map(|name| {
        let bytes = std::fs::read(golden().join(format!("input/{name}.bin"))).unwrap();
        decode_proto(&bytes).unwrap().batch
    });
    requests.into()
}

fn written(encoding: Encoding) -> Vec<Incoming> {
    let written = sent().into_iter().flat_map(|batch| {
        let messages = messages(&TenantId::default(), &batch, encoding, BYTES_MAX);
        messages.into_iter().map(|message| Incoming {
            partition: 0,
            offset: 0,
            message,
        })
    });
    written.collect()
}

/// Messages by their keys, each value as a comparable text.
fn by_key(messages: &[Incoming], text: impl Fn(&[u8]) -> String) -> BTreeMap<String, Vec<String>> {
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for incoming in messages {
        let key = incoming.message.key.as_deref().unwrap_or_default();
        let key = String::from_utf8(key.to_vec()).unwrap();
        keys.entry(key)
            .or_default()
            .push(text(&incoming.message.value));
    }
    keys.values_mut().for_each(|values| values.sort());
    keys
}

/// Every span by itself as JSON, sorted; what is empty is as if it were not there, as protobuf has it, and a zero has
/// no sign, which the recorder has lost.
fn spans(batches: &[SpanBatch]) -> Vec<String> {
    fn normal(value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(normal),
            Value::Object(members) => {
                members.values_mut().for_each(normal);
                members.retain(|name, value| {
                    let is_message = ["scope", "resource", "status"].contains(&name.as_str());
                    !is_message || value.as_object().is_none_or(|it| !it.is_empty())
                });
            }
            _ => {}
        }
    }
    let mut spans = Vec::new();
    for batch in batches {
        for row in 0..batch.len() {
            let mut one = BatchBuilder::default();
            one.append_rows(batch, [row]);
            let mut value: Value = serde_json::from_str(&encode_json(&one.finish())).unwrap();
            normal(&mut value);
            spans.push(value.to_string().replace(":-0.0", ":0"));
        }
    }
    spans.sort();
    spans
}

/// Fails with the first text that is not the same on both sides.
fn assert_same(ours: &BTreeMap<String, Vec<String>>, theirs: &BTreeMap<String, Vec<String>>) {
    assert_eq!(
        ours.keys().collect::<Vec<_>>(),
        theirs.keys().collect::<Vec<_>>()
    );
    for (key, values) in ours {
        for (ours, theirs) in values.iter().zip(&theirs[key]) {
            assert_eq!(ours, theirs, "{key}");
        }
        assert_eq!(values.len(), theirs[key].len(), "{key}");
    }
}

/// Numbers as numbers: the recorder has lost how they were written, and the sign of a zero.
fn value_text(json: &[u8]) -> String {
    fn normal(value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(normal),
            Value::Object(members) => {
                members.retain(|name, value| name != "vFloat64" || value.as_f64() != Some(0.0));
                members.values_mut().for_each(normal);
                members.sort_keys();
            }
            Value::Number(number) => {
                let double = number.as_f64().unwrap();
                *value = serde_json::Number::from_f64(double).unwrap().into();
            }
            _ => {}
        }
    }
    let mut value: Value = serde_json::from_slice(json).unwrap();
    normal(&mut value);
    value.to_string()
}

#[test]
fn messages_of_one_span_are_those_of_a_jaeger() {
    // A zero's sign, which is kept here, a Jaeger loses.
    let proto_text = |bytes: &[u8]| {
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        text.replace(
            "42180a0b642e6d696e75737a65726f1003310000000000000080",
            "420f0a0b642e6d696e75737a65726f1003",
        )
    };
    let encoding = Encoding::JaegerProto;
    let (ours, theirs) = (written(encoding), recorded(encoding));
    assert_same(&by_key(&ours, proto_text), &by_key(&theirs, proto_text));
    let encoding = Encoding::JaegerJson;
    let (ours, theirs) = (written(encoding), recorded(encoding));
    assert_same(&by_key(&ours, value_text), &by_key(&theirs, value_text));
}

#[test]
fn messages_of_a_trace_are_those_of_a_jaeger() {
    for encoding in [Encoding::OtlpProto, Encoding::OtlpJson] {
        let (ours, theirs) = (written(encoding), recorded(encoding));
        let keys = |messages: &[Incoming]| {
            let mut keys: BTreeMap<String, Vec<SpanBatch>> = BTreeMap::new();
            for incoming in messages {
                let key = incoming.message.key.clone().unwrap();
                let key = String::from_utf8(key.to_vec()).unwrap();
                let read = read(std::slice::from_ref(incoming), encoding).unwrap();
                keys.entry(key).or_default().push(read.batch);
            }
            let keys = keys.into_iter();
            keys.map(|(key, batches)| (key, spans(&batches))).collect()
        };
        assert_same(&keys(&ours), &keys(&theirs));
        let batches = [read(&theirs, encoding).unwrap().batch];
        assert_eq!(spans(&batches), spans(&sent()), "{}", encoding.name());
    }
}

#[test]
fn what_a_jaeger_wrote_is_read_in_every_encoding() {
    let read_all = |encoding| {
        let read = read(&recorded(encoding), encoding).unwrap();
        assert_eq!((read.rejected, read.truncated_values), (None, 0));
        let again = decode_proto(&read.otlp).unwrap().batch;
        assert_eq!(spans(&[again]), spans(std::slice::from_ref(&read.batch)));
        read.batch
    };
    let [proto, json] = [Encoding::JaegerProto, Encoding::JaegerJson].map(read_all);
    // The recorder has lost the sign of a zero.
    let but_scalars = |batch: &SpanBatch| {
        let mut kept = BatchBuilder::default();
        let rows = batch.iter().enumerate();
        let rows = rows.filter(|(_, span)| span.name() != "scalars");
        kept.append_rows(batch, rows.map(|(row, _)| row));
        spans(&[kept.finish()])
    };
    assert_eq!(but_scalars(&proto), but_scalars(&json));
    let count: usize = sent().iter().map(SpanBatch::len).sum();
    assert_eq!(proto.len(), count);
    for encoding in [Encoding::ZipkinProto, Encoding::ZipkinJson] {
        assert_eq!(read_all(encoding).len(), count, "{}", encoding.name());
    }
}

#[test]
fn one_broken_message_spoils_no_other_and_takes_nothing_of_it() {
    let good = written(Encoding::OtlpProto);
    let mut cut = good[0].message.value.to_vec();
    cut.pop();
    // The field at its end wants a byte more, which the message behind it must not give.
    let broken = vec![incoming("", cut), good[1].clone()];
    let why = read(&broken, Encoding::OtlpProto).unwrap_err();
    assert!(why.contains("OTLP"), "{why}");
    for encoding in [
        Encoding::OtlpProto,
        Encoding::OtlpJson,
        Encoding::JaegerJson,
        Encoding::ZipkinProto,
        Encoding::ZipkinJson,
        Encoding::ZipkinThrift,
    ] {
        let garbage = incoming("", b"\x07garbage".to_vec());
        assert!(read(&[garbage], encoding).is_err(), "{}", encoding.name());
    }
    let garbage = incoming("", b"\x07garbage".to_vec());
    let spoilt = read(&[garbage], Encoding::JaegerProto).unwrap();
    assert!(spoilt.batch.is_empty() && spoilt.rejected.is_some());
}

#[test]
fn a_long_trace_is_several_messages_and_a_tenant_is_a_header() {
    let batch = &sent()[0];
    let tenant = TenantId::parse("team-a").unwrap();
    let mut wrong = None;
    for encoding in [Encoding::OtlpProto, Encoding::OtlpJson] {
        let whole = messages(&tenant, batch, encoding, usize::MAX);
        let longest = whole.iter().map(|message| message.value.len()).max();
        let bytes_max = longest.unwrap() - 1;
        let parts = messages(&tenant, batch, encoding, bytes_max);
        assert!(parts.len() > whole.len() && parts.len() <= batch.len());
        assert!(parts.iter().all(|message| message.value.len() <= bytes_max));
        let parts = parts.into_iter().map(|message| Incoming {
            partition: 0,
            offset: 0,
            message,
        });
        let parts: Vec<Incoming> = parts.collect();
        for part in &parts {
            assert_eq!(tenant_of(part), Ok(tenant.clone()));
        }
        let read = read(&parts, encoding).unwrap();
        assert_eq!(spans(&[read.batch]), spans(std::slice::from_ref(batch)));
        wrong = parts.into_iter().next();
    }
    let mut wrong = wrong.unwrap();
    wrong.message.headers = vec![(TENANT.to_owned(), Bytes::from_static(b"a/b"))];
    assert!(tenant_of(&wrong).unwrap_err().contains("x-tenant"));
}
