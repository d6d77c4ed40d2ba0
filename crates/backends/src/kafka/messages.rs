//! Spans to messages and back.
//!
//! Promises
//! - Messages are what a Jaeger writes with `partition_traces_by_id`: keyed by trace, so that a trace stays in one
//!   partition; tenants but the default one stand in a header.
//! - What is read of several messages at once is what each says by itself: none can bleed into the next.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use bytes::Bytes;
use codec::jaeger::decode_spans;
use codec::jaeger_encode::JaegerSpans;
use codec::jaeger_json::{span_json, span_proto};
use codec::otlp::{decode_json, decode_proto, encode_json, encode_proto, encode_proto_part};
use codec::wire::{Reader, Writer};
use codec::zipkin::{decode_json_v2, decode_proto_v2, decode_thrift_v1};
use codec::{DecodeError, Decoded};
use model::batch::BatchBuilder;
use model::{SpanBatch, TenantId, TraceId};

use super::client::{Incoming, Message};
use super::options::Encoding;

/// The header that names a tenant.
const TENANT: &str = "x-tenant";

/// The messages of a batch.
pub(super) fn messages(
    tenant: &TenantId,
    batch: &SpanBatch,
    encoding: Encoding,
    bytes_max: usize,
) -> Vec<Message> {
    let headers = match *tenant == TenantId::default() {
        true => Vec::new(),
        false => vec![(TENANT.to_owned(), Bytes::from(tenant.to_string()))],
    };
    let message = |key: String, value: Vec<u8>| Message {
        key: Some(key.into()),
        value: value.into(),
        headers: headers.clone(),
    };
    match encoding {
        Encoding::JaegerProto => {
            let mut spans = JaegerSpans::new(batch);
            let rows = batch.iter().enumerate();
            let made = rows.map(|(row, span)| {
                let mut out = Writer::new();
                spans.write(&mut out, row);
                message(jaeger_key(span.trace_id()), out.into_bytes())
            });
            made.collect()
        }
        Encoding::JaegerJson => {
            let made = batch.iter().map(|span| {
                let key = jaeger_key(span.trace_id());
                message(key, span_json(span).into_bytes())
            });
            made.collect()
        }
        Encoding::OtlpJson => {
            let (sorted, traces) = by_trace(batch);
            let mut made = Vec::new();
            for (trace_id, rows) in traces {
                let mut values = Vec::new();
                json_parts(&sorted, rows, bytes_max, &mut values);
                let key = trace_id.to_string();
                made.extend(values.into_iter().map(|value| message(key.clone(), value)));
            }
            made
        }
        // What is only read is never asked to be written: the configuration refuses it.
        _ => {
            let (sorted, traces) = by_trace(batch);
            let mut made = Vec::new();
            for (trace_id, Range { start, end }) in traces {
                let mut from = start;
                while from < end {
                    let (value, next) = encode_proto_part(&sorted, from..end, bytes_max);
                    made.push(message(trace_id.to_string(), value));
                    from = next.max(from + 1);
                }
            }
            made
        }
    }
}

/// As many texts as some rows need that none is too long, unless one span is: only a text says how long it is.
fn json_parts(batch: &SpanBatch, rows: Range<usize>, bytes_max: usize, made: &mut Vec<Vec<u8>>) {
    let mut part = BatchBuilder::default();
    part.append_rows(batch, rows.clone());
    let text = encode_json(&part.finish()).into_bytes();
    if text.len() <= bytes_max || rows.len() < 2 {
        made.push(text);
        return;
    }
    let middle = rows.start + rows.len() / 2;
    json_parts(batch, rows.start..middle, bytes_max, made);
    json_parts(batch, middle..rows.end, bytes_max, made);
}

/// Jaeger's text of a trace id has no leading zeros where half of it would be nothing else.
fn jaeger_key(trace_id: TraceId) -> String {
    let text = trace_id.to_string();
    match text.strip_prefix("0000000000000000") {
        Some(short) => short.to_owned(),
        None => text,
    }
}

/// The spans with those of a trace together, and which rows are whose; traces in the order in which they first come.
fn by_trace(batch: &SpanBatch) -> (Cow<'_, SpanBatch>, Vec<(TraceId, Range<usize>)>) {
    let mut traces: Vec<(TraceId, Vec<usize>)> = Vec::new();
    let mut places: HashMap<TraceId, usize> = HashMap::new();
    for (row, span) in batch.iter().enumerate() {
        let trace_id = span.trace_id();
        let place = *places.entry(trace_id).or_insert(traces.len());
        match traces.get_mut(place) {
            Some((_, rows)) => rows.push(row),
            None => traces.push((trace_id, vec![row])),
        }
    }
    let mut end = 0;
    let ranges = traces.iter().map(|(trace_id, rows)| {
        let start = end;
        end += rows.len();
        (*trace_id, start..end)
    });
    let ranges = ranges.collect();
    if traces.iter().flat_map(|(_, rows)| rows).is_sorted() {
        return (Cow::Borrowed(batch), ranges);
    }
    let mut sorted = BatchBuilder::default();
    sorted.append_rows(batch, traces.into_iter().flat_map(|(_, rows)| rows));
    (Cow::Owned(sorted.finish()), ranges)
}

/// Spans of messages.
#[derive(Debug)]
pub(super) struct Spans {
    pub(super) batch: SpanBatch,
    /// The same as OTLP.
    pub(super) otlp: Bytes,
    /// Why some spans of the messages are not among these.
    pub(super) rejected: Option<String>,
    /// Values that were too deep or too many and are cut off.
    pub(super) truncated_values: u64,
}

/// Whose spans a message holds.
pub(super) fn tenant_of(incoming: &Incoming) -> Result<TenantId, String> {
    let named = incoming
        .message
        .headers
        .iter()
        .find(|(name, _)| name == TENANT);
    let Some((_, value)) = named else {
        return Ok(TenantId::default());
    };
    let name = String::from_utf8_lossy(value);
    TenantId::parse(&name).map_err(|error| format!("header {TENANT}: {error}"))
}

/// Reads messages; an error when one of them can't be read, which one it does not say.
pub(super) fn read(group: &[Incoming], encoding: Encoding) -> Result<Spans, String> {
    let mut joined = Writer::new();
    let mut rejected = None;
    let mut truncated_values = 0;
    let mut note = |decoded: &Decoded| {
        if let Some(why) = decoded
            .rejection
            .clone()
            .filter(|_| decoded.rejected_spans > 0)
        {
            rejected.get_or_insert(why);
        }
        truncated_values += decoded.truncated_values;
    };
    for incoming in group {
        let value = &incoming.message.value[..];
        match encoding {
            Encoding::JaegerProto => joined.bytes_field(1, value),
            Encoding::JaegerJson => {
                joined.bytes_field(1, &span_proto(value).map_err(|why| why.to_string())?);
            }
            Encoding::OtlpProto => {
                check_frames(value)?;
                joined.raw(value);
            }
            Encoding::OtlpJson
            | Encoding::ZipkinProto
            | Encoding::ZipkinJson
            | Encoding::ZipkinThrift => {
                let decoded = match encoding {
                    Encoding::OtlpJson => decode_json(value),
                    Encoding::ZipkinProto => decode_proto_v2(value),
                    Encoding::ZipkinJson => decode_json_v2(value),
                    _ => decode_thrift_v1(value),
                };
                let decoded = decoded.map_err(|error| error.to_string())?;
                note(&decoded);
                joined.raw(&encode_proto(&decoded.batch));
            }
        }
    }
    let bytes = joined.into_bytes();
    let is_jaeger = matches!(encoding, Encoding::JaegerProto | Encoding::JaegerJson);
    let decoded = match is_jaeger {
        true => decode_spans(&bytes),
        false => decode_proto(&bytes),
    };
    let decoded = decoded.map_err(|error: DecodeError| error.to_string())?;
    note(&decoded);
    let is_as_read = !is_jaeger && decoded.is_verbatim;
    let otlp = match is_as_read {
        true => bytes,
        false => encode_proto(&decoded.batch),
    };
    Ok(Spans {
        batch: decoded.batch,
        otlp: otlp.into(),
        rejected,
        truncated_values,
    })
}

/// Makes sure that a message ends where its last field does, so that others can stand behind it.
fn check_frames(value: &[u8]) -> Result<(), String> {
    let mut reader = Reader::new(value);
    loop {
        match reader.next_field() {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(()),
            Err(error) => return Err(format!("it is no request of OTLP: {error}")),
        }
    }
}

#[cfg(test)]
mod tests;
