//! The skeleton of a trace as Arrow: what the app reads without a copy.
//!
//! The body is two Arrow IPC streams, each behind its length as four bytes, the low one first: the rows, in batches of
//! 16,384, with what holds for the whole trace as metadata of the schema; then the pieces of the critical path.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::UInt32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, FixedSizeBinaryArray, Float64Array, RecordBatch, StringArray,
    UInt8Array, UInt16Array, UInt32Array,
};
use arrow_buffer::Buffer;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Field, Schema};
use model::TraceId;
use query::skeleton::{CriticalPiece, Skeleton};

/// Rows of a batch.
const BATCH_ROWS: usize = 16_384;

/// Writes a skeleton.
pub(super) fn write(trace_id: TraceId, skeleton: &Skeleton) -> Result<Vec<u8>, ArrowError> {
    let rows = stream(|| rows_batch(trace_id, skeleton))?;
    let critical = stream(|| critical_batch(&skeleton.critical))?;
    let mut body = Vec::with_capacity(rows.len() + critical.len() + 8);
    for part in [rows, critical] {
        let length = u32::try_from(part.len())
            .map_err(|_| ArrowError::IpcError("a part is over 4 GiB".to_owned()))?;
        body.extend_from_slice(&length.to_le_bytes());
        body.extend_from_slice(&part);
    }
    Ok(body)
}

fn stream(batch: impl FnOnce() -> Result<RecordBatch, ArrowError>) -> Result<Vec<u8>, ArrowError> {
    let batch = batch()?;
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema())?;
    let mut from = 0;
    while from < batch.num_rows() {
        let rows = BATCH_ROWS.min(batch.num_rows() - from);
        writer.write(&batch.slice(from, rows))?;
        from += rows;
    }
    writer.into_inner()
}

fn rows_batch(trace_id: TraceId, skeleton: &Skeleton) -> Result<RecordBatch, ArrowError> {
    let rows = &skeleton.rows;
    let ids: Vec<u8> = rows.span_id.iter().flat_map(|id| id.0).collect();
    let ids = FixedSizeBinaryArray::try_new(8, Buffer::from_vec(ids), None)?;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("span_id", Arc::new(ids)),
        ("depth", Arc::new(UInt16Array::from(rows.depth.clone()))),
        ("subtree", Arc::new(UInt32Array::from(rows.subtree.clone()))),
        ("start", nanos(&rows.start)),
        ("dur", nanos(&rows.duration)),
        ("self", nanos(&rows.own)),
        ("service", texts(&rows.service, &skeleton.services)?),
        ("name", texts(&rows.name, &skeleton.names)?),
        ("kind", Arc::new(UInt8Array::from(rows.kind.clone()))),
        ("status", Arc::new(UInt8Array::from(rows.status.clone()))),
        ("flags", Arc::new(UInt16Array::from(rows.flags.clone()))),
        ("group", Arc::new(UInt32Array::from(rows.group.clone()))),
    ];
    let warnings = serde_json::Value::from(skeleton.warnings.clone());
    let metadata = HashMap::from([
        ("trace_id".to_owned(), trace_id.to_string()),
        ("spans".to_owned(), rows.len().to_string()),
        ("version".to_owned(), format!("{:016x}", skeleton.version)),
        ("start_ns".to_owned(), skeleton.start.to_string()),
        ("duration_ns".to_owned(), skeleton.duration.to_string()),
        ("errors".to_owned(), skeleton.errors.to_string()),
        ("complete".to_owned(), skeleton.is_complete.to_string()),
        ("warnings".to_owned(), warnings.to_string()),
    ]);
    batch(columns, metadata)
}

fn critical_batch(pieces: &[CriticalPiece]) -> Result<RecordBatch, ArrowError> {
    let column = |of: fn(&CriticalPiece) -> u64| nanos(&pieces.iter().map(of).collect::<Vec<_>>());
    let rows: Vec<u32> = pieces.iter().map(|piece| piece.row).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("row", Arc::new(UInt32Array::from(rows))),
        ("from", column(|piece| piece.from)),
        ("to", column(|piece| piece.to)),
    ];
    batch(columns, HashMap::new())
}

fn batch(
    columns: Vec<(&str, ArrayRef)>,
    metadata: HashMap<String, String>,
) -> Result<RecordBatch, ArrowError> {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), false))
        .collect();
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    RecordBatch::try_new(
        Arc::new(Schema::new(fields).with_metadata(metadata)),
        columns,
    )
}

/// Nanoseconds as doubles: exact up to 104 days, and what a page computes with.
#[allow(
    clippy::cast_precision_loss,
    reason = "a trace of over 104 days is told to within some nanoseconds"
)]
fn nanos(column: &[u64]) -> ArrayRef {
    Arc::new(
        column
            .iter()
            .map(|nanos| Some(*nanos as f64))
            .collect::<Float64Array>(),
    )
}

fn texts(codes: &[u32], texts: &[String]) -> Result<ArrayRef, ArrowError> {
    let codes = UInt32Array::from(codes.to_vec());
    let texts = StringArray::from_iter_values(texts);
    Ok(Arc::new(DictionaryArray::<UInt32Type>::try_new(
        codes,
        Arc::new(texts),
    )?))
}
