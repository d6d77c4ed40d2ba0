//! A span as Jaeger's stores keep it, whatever they keep it in, and the way from there into a batch.
//!
//! Promises: it was a span of OpenTelemetry's; its times are whole microseconds.

use std::borrow::Cow;

use model::batch::PackedValue;
use model::{SpanId, TraceId};

use super::translate::{Log, Process, Reference, Span, Tag, Translator};
use crate::DecodeError;

const NANOS_PER_MICRO: u64 = 1_000;

/// A value of a tag.
#[derive(Debug)]
pub(super) enum Given<'a> {
    Nothing,
    Text(Cow<'a, [u8]>),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(Cow<'a, [u8]>),
}

impl Given<'_> {
    fn packed(&self) -> PackedValue<'_> {
        match self {
            Self::Nothing => PackedValue::Empty,
            Self::Text(text) => PackedValue::String(text),
            Self::Bool(is) => PackedValue::Bool(*is),
            Self::Int(int) => PackedValue::Int(*int),
            Self::Double(double) => PackedValue::Double(*double),
            Self::Bytes(bytes) => PackedValue::Bytes(bytes),
        }
    }
}

/// Tags in their order.
pub(super) type Tags<'a> = Vec<(Cow<'a, [u8]>, Given<'a>)>;

/// A span as it is kept; its texts may be those of what it was read from.
#[derive(Debug, Default)]
pub(super) struct Stored<'a> {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) parent: SpanId,
    pub(super) flags: u32,
    pub(super) name: Cow<'a, [u8]>,
    pub(super) references: Vec<Reference>,
    pub(super) start_micros: u64,
    pub(super) duration_micros: u64,
    pub(super) tags: Tags<'a>,
    pub(super) logs: Vec<(u64, Tags<'a>)>,
    pub(super) service: Cow<'a, [u8]>,
    pub(super) process: Tags<'a>,
}

/// Adds a span to a batch.
pub(super) fn add(translator: &mut Translator, stored: &Stored<'_>) -> Result<(), DecodeError> {
    let mut process = Process {
        service: &stored.service,
        ..Process::default()
    };
    for (key, value) in &stored.process {
        process.push_tag(tag(key, value));
    }
    let resource = translator.resource(&process)?;
    let nanos = |micros: u64| micros.saturating_mul(NANOS_PER_MICRO);
    let start = nanos(stored.start_micros);
    let mut span = Span {
        trace_id: stored.trace_id,
        span_id: stored.span_id,
        parent_span_id: stored.parent,
        name: &stored.name,
        flags: stored.flags,
        start,
        end: start.saturating_add(nanos(stored.duration_micros)),
        ..Span::default()
    };
    for reference in &stored.references {
        span.push_reference(*reference);
    }
    for (key, value) in &stored.tags {
        span.push_tag(tag(key, value));
    }
    for (micros, fields) in &stored.logs {
        let (first, mut dropped) = (span.log_fields.len(), 0);
        for (key, value) in fields {
            span.push_field(first, tag(key, value), &mut dropped);
        }
        span.push_log(Log {
            time: nanos(*micros),
            fields_end: span.log_fields.len(),
            dropped,
        });
    }
    translator.check(&span, 0)?;
    translator.span(&mut span, resource)
}

fn tag<'a>(key: &'a [u8], value: &'a Given<'_>) -> Tag<'a> {
    Tag {
        key,
        value: value.packed(),
        is_taken: false,
    }
}
