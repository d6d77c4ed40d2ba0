//! Jaeger's rows of Cassandra: values that have their types already.
//!
//! Promises: what [`crate::jaeger_row`] writes comes back as it was, but for what such a row can't say.
//!
//! Refuses: a row without usable ids or times, alone.

use std::borrow::Cow;

use super::stored::{Given, Stored, Tags, add};
use super::translate::{Origin, Reference, Translator};
use crate::jaeger_encode::ReferenceType;
use crate::jaeger_row::{JaegerRow, RowTag, RowValue};
use crate::notes::SpanFault;
use crate::{DecodeError, Decoded};

/// Decodes rows of spans, one span each.
///
/// # Errors
/// When they unpack to far more memory than their size. A row that is no span is a rejected span.
pub fn decode_rows(rows: &[JaegerRow]) -> Result<Decoded, DecodeError> {
    let bytes = rows.iter().map(JaegerRow::size_bytes).sum();
    let mut translator = Translator::of(Origin::Document, bytes);
    for row in rows {
        match stored(row) {
            Ok(stored) => add(&mut translator, &stored)?,
            Err(fault) => translator.reject(fault),
        }
    }
    Ok(translator.finish())
}

fn stored(row: &JaegerRow) -> Result<Stored<'_>, SpanFault> {
    let logs = row.logs.iter().map(|log| {
        let micros = micros(log.micros, "ts")?;
        Ok::<_, SpanFault>((micros, tags(&log.fields)))
    });
    let references = row.references.iter().map(|reference| Reference {
        trace_id: reference.trace_id,
        span_id: reference.span_id,
        is_child_of: reference.reference_type == ReferenceType::ChildOf,
    });
    Ok(Stored {
        trace_id: row.trace_id,
        span_id: row.span_id,
        parent: row.parent_id,
        flags: row.flags.cast_unsigned(),
        name: Cow::Borrowed(row.name.as_bytes()),
        references: references.collect(),
        start_micros: micros(row.start_micros, "start_time")?,
        duration_micros: micros(row.duration_micros, "duration")?,
        tags: tags(&row.tags),
        logs: logs.collect::<Result<_, _>>()?,
        service: Cow::Borrowed(row.service.as_bytes()),
        process: tags(&row.process_tags),
    })
}

fn micros(number: i64, name: &'static str) -> Result<u64, SpanFault> {
    let must_be = "a whole number that is not negative";
    u64::try_from(number).map_err(|_| SpanFault::Field { name, must_be })
}

fn tags(tags: &[RowTag]) -> Tags<'_> {
    tags.iter()
        .map(|tag| (Cow::Borrowed(tag.key.as_bytes()), given(&tag.value)))
        .collect()
}

fn given(value: &RowValue) -> Given<'_> {
    match value {
        RowValue::Bool(is) => Given::Bool(*is),
        RowValue::Int(int) => Given::Int(*int),
        RowValue::Double(double) => Given::Double(*double),
        RowValue::Text(text) => Given::Text(Cow::Borrowed(text.as_bytes())),
        RowValue::Binary(bytes) => Given::Bytes(Cow::Borrowed(bytes)),
    }
}
