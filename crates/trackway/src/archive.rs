//! Spans that are written to the archive: they are in the store already, most often, and their trace is pinned.
//!
//! Promises: a span whose id its trace has already is not written a second time, since what Jaeger copies into its
//! archive went through a poorer model; one that is not there is written. The answer comes when the trace is pinned.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use codec::otlp::encode_proto;
use model::contract::{
    Answer, IncomingBatch, Kept, PinError, Pins, ReadError, SpanReader, SpanWriter, WriteError,
};
use model::{BatchBuilder, SpanBatch, SpanId, TenantId, TraceId};

/// Keeps spans for good.
#[derive(Debug, Clone)]
pub(crate) struct ArchiveWriter {
    pub(crate) writer: Arc<dyn SpanWriter>,
    pub(crate) reader: Arc<dyn SpanReader>,
    pub(crate) pins: Arc<dyn Pins>,
}

impl SpanWriter for ArchiveWriter {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        let archive = self.clone();
        Box::pin(async move { archive.keep(incoming).await })
    }

    fn readiness(&self) -> Result<(), String> {
        self.writer.readiness()
    }
}

impl ArchiveWriter {
    async fn keep(&self, incoming: IncomingBatch) -> Result<Kept, WriteError> {
        let IncomingBatch { tenant, batch, .. } = incoming;
        let mut rows: BTreeMap<TraceId, Vec<usize>> = BTreeMap::new();
        for (row, span) in batch.iter().enumerate() {
            rows.entry(span.trace_id()).or_default().push(row);
        }
        let mut kept = Kept {
            spans: 0,
            duplicate_spans: 0,
        };
        for (trace_id, rows) in rows {
            let count = rows.len();
            let new = self.new_rows(&tenant, &batch, trace_id, rows).await?;
            kept.duplicate_spans += u64::try_from(count - new.len()).unwrap_or(0);
            if !new.is_empty() {
                let mut builder = BatchBuilder::new();
                builder.append_rows(&batch, new);
                let spans = builder.finish();
                let written = self.writer.write(IncomingBatch {
                    tenant: tenant.clone(),
                    otlp: Bytes::from(encode_proto(&spans)),
                    batch: spans,
                });
                let written = written.await?;
                kept.spans += written.spans;
                kept.duplicate_spans += written.duplicate_spans;
            }
            self.pin(&tenant, trace_id).await?;
        }
        Ok(kept)
    }

    /// Those rows whose span ids the trace does not have.
    async fn new_rows(
        &self,
        tenant: &TenantId,
        batch: &SpanBatch,
        trace_id: TraceId,
        mut rows: Vec<usize>,
    ) -> Result<Vec<usize>, WriteError> {
        let id_of = |row: usize| batch.span(row).map(|span| span.span_id());
        let ids: Vec<SpanId> = rows.iter().filter_map(|row| id_of(*row)).collect();
        let found = self.reader.spans_of(tenant, trace_id, ids).await;
        let found = found.map_err(unread)?;
        if let Some(skipped) = found.skipped.first() {
            let reason = format!("{} could not be read: {}", skipped.what, skipped.why);
            return Err(WriteError::Unavailable { reason });
        }
        let known: HashSet<SpanId> = found.spans.iter().map(|span| span.span_id()).collect();
        rows.retain(|row| id_of(*row).is_some_and(|id| !known.contains(&id)));
        Ok(rows)
    }

    async fn pin(&self, tenant: &TenantId, trace_id: TraceId) -> Result<(), WriteError> {
        match self.pins.pin(tenant, trace_id).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(WriteError::Unavailable {
                reason: "the trace was removed while it was archived".to_owned(),
            }),
            Err(PinError::TooMany { reason } | PinError::Unavailable { reason }) => {
                Err(WriteError::Unavailable { reason })
            }
            Err(PinError::Failed { reason }) => Err(WriteError::Failed { reason }),
        }
    }
}

fn unread(error: ReadError) -> WriteError {
    match error {
        ReadError::Busy { reason } => WriteError::Busy { reason },
        ReadError::BadQuestion { reason }
        | ReadError::NotHere { reason }
        | ReadError::OverLimit { reason }
        | ReadError::Failed { reason } => WriteError::Failed { reason },
    }
}
