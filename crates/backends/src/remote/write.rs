//! Writing: OTLP's `Export` to a server of version 2, spans in Jaeger's model to one of version 1; the archive as pins.
//!
//! A request that is longer than what servers take is sent in parts. It is kept wholly only when all parts are: what
//! fails halfway is answered as failed, and its sender sends all of it again.

use bytes::Bytes;
use codec::generated::jaeger::storage::v1::CapabilitiesRequest;
use codec::generated::jaeger::storage::v1::CapabilitiesResponse;
use codec::generated::opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;
use codec::jaeger_encode::JaegerSpans;
use codec::otlp::encode_proto_part;
use codec::wire::Writer;
use futures_util::stream;
use model::contract::{
    Answer, IncomingBatch, Kept, PinError, PinnedTrace, Pins, SpanWriter, WriteError,
};
use model::{SpanBatch, TenantId, TraceId};
use std::sync::Arc;
use tonic::Status;

use super::client::{decode, unwritten};
use super::{Remote, Version};

/// What a server takes in one message unless it is told otherwise is 4 MiB.
const MESSAGE_BYTES_MAX: usize = 3 << 20;

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const WRITE: &str = "/jaeger.storage.v1.SpanWriterPlugin/WriteSpan";
const STREAM: &str = "/jaeger.storage.v1.StreamingSpanWriterPlugin/WriteSpanStream";
const ARCHIVE: &str = "/jaeger.storage.v1.ArchiveSpanWriterPlugin/WriteArchiveSpan";

/// A handle that writes; the server is shared.
#[derive(Debug, Clone)]
pub struct RemoteWriter(pub Arc<Remote>);

impl SpanWriter for RemoteWriter {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        let remote = Arc::clone(&self.0);
        Box::pin(async move {
            let spans = u64::try_from(incoming.batch.len()).unwrap_or(u64::MAX);
            match remote.version().await.map_err(unwritten)? {
                Version::V2(_) => remote.export(incoming).await?,
                Version::V1 { is_streaming } => {
                    let written = remote.write_spans(&incoming, is_streaming).await;
                    written.map_err(unwritten)?;
                }
            }
            Ok(Kept {
                spans,
                duplicate_spans: 0,
            })
        })
    }

    fn readiness(&self) -> Result<(), String> {
        self.0.trouble.readiness()
    }
}

impl Remote {
    async fn export(&self, incoming: IncomingBatch) -> Result<(), WriteError> {
        let IncomingBatch {
            tenant,
            batch,
            otlp,
        } = incoming;
        if otlp.len() <= MESSAGE_BYTES_MAX {
            return self.export_part(&tenant, otlp).await;
        }
        drop(otlp);
        let mut from = 0;
        while from < batch.len() {
            let (part, end) = encode_proto_part(&batch, from..batch.len(), MESSAGE_BYTES_MAX);
            self.export_part(&tenant, part.into()).await?;
            from = end.max(from + 1);
        }
        Ok(())
    }

    async fn export_part(&self, tenant: &TenantId, part: Bytes) -> Result<(), WriteError> {
        let answer = self.client.raw(Some(tenant), EXPORT, part).await;
        let answer = answer.and_then(decode::<ExportTraceServiceResponse>);
        let partial = answer.map_err(unwritten)?.partial_success;
        match partial {
            Some(partial) if partial.rejected_spans > 0 => Err(WriteError::Failed {
                reason: format!(
                    "the remote store rejects {} spans: {}",
                    partial.rejected_spans, partial.error_message
                ),
            }),
            _ => Ok(()),
        }
    }

    async fn write_spans(
        &self,
        incoming: &IncomingBatch,
        is_streaming: bool,
    ) -> Result<(), Status> {
        let (tenant, batch) = (&incoming.tenant, &incoming.batch);
        if is_streaming {
            let batch = batch.clone();
            let messages = (0..batch.len()).map(move |row| write_request(&batch, row));
            return self
                .client
                .pour(tenant, STREAM, stream::iter(messages))
                .await;
        }
        for row in 0..batch.len() {
            let message = write_request(batch, row);
            self.client.raw(Some(tenant), WRITE, message).await?;
        }
        Ok(())
    }

    async fn archive(&self, tenant: &TenantId, trace_id: TraceId) -> Result<bool, PinError> {
        let unavailable = |status: Status| PinError::Unavailable {
            reason: status.message().to_owned(),
        };
        let path = "/jaeger.storage.v1.PluginCapabilities/Capabilities";
        let told = self
            .client
            .one::<_, CapabilitiesResponse>(None, path, &CapabilitiesRequest {})
            .await;
        if !told.is_ok_and(|told| told.archive_span_writer) {
            return Err(not_here("archive traces"));
        }
        let found = self.read_trace(tenant, trace_id).await;
        let found = found.map_err(|error| PinError::Failed {
            reason: error.to_string(),
        })?;
        for row in 0..found.spans.len() {
            let message = write_request(&found.spans, row);
            let written = self.client.raw(Some(tenant), ARCHIVE, message).await;
            written.map_err(unavailable)?;
        }
        Ok(!found.spans.is_empty())
    }
}

/// A `WriteSpanRequest`.
fn write_request(batch: &SpanBatch, row: usize) -> Bytes {
    let mut out = Writer::new();
    JaegerSpans::new(batch).push(&mut out, 1, row);
    out.into_bytes().into()
}

fn not_here(what: &str) -> PinError {
    PinError::Unavailable {
        reason: format!("the remote store can't {what}"),
    }
}

impl Pins for RemoteWriter {
    fn pin(&self, tenant: &TenantId, trace_id: TraceId) -> Answer<'static, Result<bool, PinError>> {
        let (remote, tenant) = (Arc::clone(&self.0), tenant.clone());
        Box::pin(async move { remote.archive(&tenant, trace_id).await })
    }

    fn unpin(&self, _: &TenantId, _: TraceId) -> Answer<'static, Result<bool, PinError>> {
        Box::pin(std::future::ready(Err(not_here(
            "take a trace out of its archive",
        ))))
    }

    fn pins(&self, _: &TenantId) -> Answer<'static, Result<Vec<PinnedTrace>, PinError>> {
        Box::pin(std::future::ready(Err(not_here("list its archive"))))
    }
}
