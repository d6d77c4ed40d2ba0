//! The writer of a store as who takes what the buffer holds.
//!
//! Promises
//! - Nothing counts as taken that the writer has not confirmed. What the store can't take at the moment is tried again
//!   until it can, with growing random pauses; while it is known to be away one write at a time finds out.
//! - A batch that can't be decoded is refused for good: its bytes are not what was acknowledged.
//! - The spans of batches are decoded anew for each try: what waits for a store takes the memory of its bytes alone.

use std::sync::Arc;

use bytes::Bytes;
use codec::otlp::decode_proto;
use journal::Frame;
use model::TenantId;
use model::contract::{Answer, IncomingBatch, WriteError};
use plumbing::{Complaints, CpuPool, Random};
use tokio::time::sleep;

use crate::guarded::GuardedWriter;
use crate::metrics::SinkMetrics;
use crate::outlet::{Fate, Outlet, joined};

/// A store behind a writer.
#[derive(Debug)]
pub(crate) struct StoreOutlet {
    pub(crate) writer: GuardedWriter,
    pub(crate) pool: CpuPool,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) metrics: SinkMetrics,
    pub(crate) complaints: Complaints,
}

/// What one try came to.
enum Tried {
    Done(Fate),
    Again(WriteError),
}

impl StoreOutlet {
    async fn keep(&self, parts: &[Frame]) -> Fate {
        let tenant = parts.first().map_or("", |part| part.tenant.as_str());
        let tenant = match TenantId::parse(tenant) {
            Ok(tenant) => tenant,
            Err(error) => return damaged(error.to_string()),
        };
        let otlp = Bytes::from(joined(parts));
        let mut failures = 0_u32;
        loop {
            let error = match self.attempt(&tenant, &otlp).await {
                Tried::Done(fate) => return fate,
                Tried::Again(error) => error,
            };
            failures = failures.saturating_add(1);
            self.metrics.retry(label(&error));
            if let Some(untold) = self.complaints.due() {
                tracing::warn!(%error, untold, "spans in the buffer are not kept yet: they are written again");
            }
            sleep(self.writer.pauses().after(failures, &*self.random)).await;
        }
    }

    async fn attempt(&self, tenant: &TenantId, otlp: &Bytes) -> Tried {
        let permit = self.writer.enter().await;
        let bytes = otlp.clone();
        let batch = match self.pool.run(move || decode_proto(&bytes)).await {
            Ok(Ok(decoded)) => decoded.batch,
            Ok(Err(error)) => return Tried::Done(damaged(error.to_string())),
            Err(error) => {
                return Tried::Again(WriteError::Busy {
                    reason: error.to_string(),
                });
            }
        };
        let incoming = IncomingBatch {
            tenant: tenant.clone(),
            batch,
            otlp: otlp.clone(),
        };
        let taken = Fate::Taken { rejected_spans: 0 };
        match self.writer.attempt(permit, incoming).await {
            Ok(_) => Tried::Done(taken),
            Err(_) if plumbing::planted("backend-buffer-released-early") => Tried::Done(taken),
            Err(WriteError::Failed { reason }) => Tried::Done(Fate::Failed { reason }),
            Err(error) => Tried::Again(error),
        }
    }
}

fn damaged(reason: String) -> Fate {
    Fate::Refused {
        code: "damaged",
        reason,
    }
}

fn label(error: &WriteError) -> &'static str {
    match error {
        WriteError::Busy { .. } => "busy",
        WriteError::Unavailable { .. } => "unavailable",
        WriteError::Failed { .. } => "failed",
    }
}

impl Outlet for StoreOutlet {
    fn hand_on<'a>(&'a self, parts: &'a [Frame]) -> Answer<'a, Fate> {
        Box::pin(self.keep(parts))
    }

    fn trouble(&self) -> Option<String> {
        self.writer.trouble()
    }
}
