//! Writing: a batch as messages, and an answer only when Kafka has confirmed every one.

use std::sync::Arc;

use model::contract::{
    Answer, IncomingBatch, Kept, PinError, PinnedTrace, Pins, SpanWriter, WriteError,
};
use model::{TenantId, TraceId};

use super::Kafka;
use super::client::Fault;
use super::messages::messages;

/// A handle that writes; the connection is shared.
#[derive(Debug, Clone)]
pub struct KafkaWriter(pub Arc<Kafka>);

impl SpanWriter for KafkaWriter {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        let kafka = Arc::clone(&self.0);
        Box::pin(async move { kafka.keep(incoming).await })
    }

    fn readiness(&self) -> Result<(), String> {
        self.0.trouble.readiness()
    }
}

impl Kafka {
    async fn keep(&self, incoming: IncomingBatch) -> Result<Kept, WriteError> {
        let spans = u64::try_from(incoming.batch.len()).unwrap_or(u64::MAX);
        let (encoding, bytes_max) = (self.options.encoding, self.options.message_bytes_max);
        let made = self.pool.run(move || {
            let IncomingBatch { tenant, batch, .. } = incoming;
            messages(&tenant, &batch, encoding, bytes_max)
        });
        let made = made.await.map_err(|error| WriteError::Busy {
            reason: error.to_string(),
        })?;
        let count = u64::try_from(made.len()).unwrap_or(u64::MAX);
        let sent = self.client.send(&self.options.topic, made).await;
        sent.map_err(|fault| {
            let reason = format!("Kafka: {fault}");
            match fault {
                Fault::Unavailable(_) => WriteError::Unavailable { reason },
                Fault::TooLong(_) => WriteError::Failed { reason },
            }
        })?;
        self.metrics.spans_sent.inc_by(spans);
        self.metrics.messages_sent.inc_by(count);
        Ok(Kept {
            spans,
            duplicate_spans: 0,
        })
    }
}

fn not_here<T: Send + 'static>() -> Answer<'static, Result<T, PinError>> {
    let reason = "Kafka finds no traces; ask where the ingester writes to".to_owned();
    Box::pin(std::future::ready(Err(PinError::Unavailable { reason })))
}

impl Pins for KafkaWriter {
    fn pin(&self, _: &TenantId, _: TraceId) -> Answer<'static, Result<bool, PinError>> {
        not_here()
    }

    fn unpin(&self, _: &TenantId, _: TraceId) -> Answer<'static, Result<bool, PinError>> {
        not_here()
    }

    fn pins(&self, _: &TenantId) -> Answer<'static, Result<Vec<PinnedTrace>, PinError>> {
        not_here()
    }
}
