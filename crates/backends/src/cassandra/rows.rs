//! Rows in the forms in which the driver sends and gives them.
//!
//! Promises: every member is written, as Jaeger writes it; what is read may lack any of them.

use codec::jaeger_encode::{Reference, ReferenceType};
use codec::jaeger_row::{JaegerRow, RowLog, RowTag, RowValue};
use model::{SpanId, TraceId};
use scylla::{DeserializeRow, DeserializeValue, SerializeValue};

/// The type `keyvalue`: a tag.
#[derive(Debug, Default, SerializeValue, DeserializeValue)]
pub(super) struct KeyValue {
    key: Option<String>,
    value_type: Option<String>,
    value_string: Option<String>,
    value_bool: Option<bool>,
    value_long: Option<i64>,
    value_double: Option<f64>,
    value_binary: Option<Vec<u8>>,
}

impl From<RowTag> for KeyValue {
    fn from(tag: RowTag) -> Self {
        let mut written = Self {
            key: Some(tag.key),
            value_type: Some(tag.value.type_name().to_owned()),
            value_string: Some(String::new()),
            value_bool: Some(false),
            value_long: Some(0),
            value_double: Some(0.0),
            value_binary: None,
        };
        match tag.value {
            RowValue::Text(text) => written.value_string = Some(text),
            RowValue::Bool(is) => written.value_bool = Some(is),
            RowValue::Int(int) => written.value_long = Some(int),
            RowValue::Double(double) => written.value_double = Some(double),
            RowValue::Binary(bytes) => written.value_binary = (!bytes.is_empty()).then_some(bytes),
        }
        written
    }
}

impl From<KeyValue> for RowTag {
    fn from(read: KeyValue) -> Self {
        let value = match read.value_type.as_deref() {
            Some("bool") => RowValue::Bool(read.value_bool.unwrap_or_default()),
            Some("int64") => RowValue::Int(read.value_long.unwrap_or_default()),
            Some("float64") => RowValue::Double(read.value_double.unwrap_or_default()),
            Some("binary") => RowValue::Binary(read.value_binary.unwrap_or_default()),
            _ => RowValue::Text(read.value_string.unwrap_or_default()),
        };
        Self {
            key: read.key.unwrap_or_default(),
            value,
        }
    }
}

/// The type `log`.
#[derive(Debug, Default, SerializeValue, DeserializeValue)]
pub(super) struct Log {
    ts: Option<i64>,
    fields: Option<Vec<KeyValue>>,
}

/// The type `span_ref`.
#[derive(Debug, Default, SerializeValue, DeserializeValue)]
pub(super) struct SpanRef {
    ref_type: Option<String>,
    trace_id: Option<Vec<u8>>,
    span_id: Option<i64>,
}

/// The type `process`.
#[derive(Debug, Default, SerializeValue, DeserializeValue)]
pub(super) struct Process {
    service_name: Option<String>,
    tags: Option<Vec<KeyValue>>,
}

/// The type `dependency`.
#[derive(Debug, Default, DeserializeValue)]
pub(super) struct Dependency {
    pub(super) parent: Option<String>,
    pub(super) child: Option<String>,
    pub(super) call_count: Option<i64>,
    #[allow(dead_code, reason = "the driver wants every member of a type")]
    source: Option<String>,
}

/// A row of `traces` as it is written.
pub(super) type Written = (
    Vec<u8>,
    i64,
    i64,
    i64,
    String,
    i32,
    i64,
    i64,
    Vec<KeyValue>,
    Vec<Log>,
    Vec<SpanRef>,
    Process,
);

/// The values of a span's row, in the order of the columns of its statement.
pub(super) fn written(row: JaegerRow) -> Written {
    let logs = row.logs.into_iter().map(|log| Log {
        ts: Some(log.micros),
        fields: Some(log.fields.into_iter().map(KeyValue::from).collect()),
    });
    let references = row.references.iter().map(|reference| SpanRef {
        ref_type: Some(
            match reference.reference_type {
                ReferenceType::ChildOf => "child-of",
                ReferenceType::FollowsFrom => "follows-from",
            }
            .to_owned(),
        ),
        trace_id: Some(reference.trace_id.0.to_vec()),
        span_id: Some(number_of(reference.span_id)),
    });
    let process = Process {
        service_name: Some(row.service),
        tags: Some(row.process_tags.into_iter().map(KeyValue::from).collect()),
    };
    (
        row.trace_id.0.to_vec(),
        number_of(row.span_id),
        row.hash,
        number_of(row.parent_id),
        row.name,
        row.flags,
        row.start_micros,
        row.duration_micros,
        row.tags.into_iter().map(KeyValue::from).collect(),
        logs.collect(),
        references.collect(),
        process,
    )
}

/// A row of `traces` as it is read.
#[derive(Debug, DeserializeRow)]
pub(super) struct Read {
    trace_id: Vec<u8>,
    span_id: i64,
    span_hash: i64,
    parent_id: Option<i64>,
    operation_name: Option<String>,
    flags: Option<i32>,
    start_time: Option<i64>,
    duration: Option<i64>,
    tags: Option<Vec<KeyValue>>,
    logs: Option<Vec<Log>>,
    refs: Option<Vec<SpanRef>>,
    process: Option<Process>,
}

impl From<Read> for JaegerRow {
    fn from(read: Read) -> Self {
        let tags = |tags: Option<Vec<KeyValue>>| -> Vec<RowTag> {
            tags.into_iter().flatten().map(RowTag::from).collect()
        };
        let logs = read.logs.into_iter().flatten().map(|log| RowLog {
            micros: log.ts.unwrap_or_default(),
            fields: tags(log.fields),
        });
        let references = read.refs.into_iter().flatten().map(|reference| Reference {
            reference_type: match reference.ref_type.as_deref() {
                Some("child-of") => ReferenceType::ChildOf,
                _ => ReferenceType::FollowsFrom,
            },
            trace_id: trace_id(reference.trace_id.as_deref().unwrap_or_default()),
            span_id: id_of(reference.span_id.unwrap_or_default()),
        });
        let process = read.process.unwrap_or_default();
        Self {
            trace_id: trace_id(&read.trace_id),
            span_id: id_of(read.span_id),
            hash: read.span_hash,
            parent_id: id_of(read.parent_id.unwrap_or_default()),
            name: read.operation_name.unwrap_or_default(),
            flags: read.flags.unwrap_or_default(),
            start_micros: read.start_time.unwrap_or_default(),
            duration_micros: read.duration.unwrap_or_default(),
            tags: tags(read.tags),
            logs: logs.collect(),
            references: references.collect(),
            service: process.service_name.unwrap_or_default(),
            process_tags: tags(process.tags),
        }
    }
}

/// The id of a span as a number with a sign.
pub(super) fn number_of(id: SpanId) -> i64 {
    i64::from_be_bytes(id.0)
}

fn id_of(number: i64) -> SpanId {
    SpanId(number.to_be_bytes())
}

/// The id of a trace; one of 64 bits has zeros before it.
pub(super) fn trace_id(bytes: &[u8]) -> TraceId {
    let mut id = [0; 16];
    let bytes = bytes.get(bytes.len().saturating_sub(id.len())..);
    let bytes = bytes.unwrap_or_default();
    for (to, from) in id.iter_mut().rev().zip(bytes.iter().rev()) {
        *to = *from;
    }
    TraceId(id)
}
