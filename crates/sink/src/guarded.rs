//! A writer of a store behind a circuit breaker and a deadline.
//!
//! Promises
//! - While the store is known to be away a write is answered at once, with the last reason; the sender is told to come
//!   again, as it would be after waiting.
//! - A write has a deadline, whatever the writer behind does.
//! - That a store is too busy says nothing of whether it is there, and neither opens nor closes the circuit.

use std::sync::Arc;
use std::time::Duration;

use model::contract::{Answer, IncomingBatch, Kept, SpanWriter, WriteError};
use plumbing::{Clock, Metrics, Random};
use tokio::time::timeout;

use crate::breaker::{Breaker, Pauses, Permit};

/// How a store is written to.
#[derive(Debug, Clone)]
pub struct GuardOptions {
    /// Where the store is, for people.
    pub place: String,
    /// How long one write may take.
    pub timeout: Duration,
    /// How long the store is left alone when it is away.
    pub pauses: Pauses,
}

/// A writer that does not ask a store which is away.
#[derive(Debug, Clone)]
pub struct GuardedWriter {
    writer: Arc<dyn SpanWriter>,
    breaker: Arc<Breaker>,
    options: GuardOptions,
}

impl GuardedWriter {
    /// Before a writer; its state is shown among the metrics.
    #[must_use]
    pub fn new(
        writer: Arc<dyn SpanWriter>,
        options: GuardOptions,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        metrics: &Metrics,
    ) -> Self {
        let breaker = Breaker::new(
            options.place.clone(),
            options.pauses,
            clock,
            random,
            metrics,
        );
        Self {
            writer,
            breaker: Arc::new(breaker),
            options,
        }
    }

    /// Waits until a write may be tried.
    pub(crate) async fn enter(&self) -> Permit {
        self.breaker.enter().await
    }

    /// Tries a write.
    pub(crate) async fn attempt(
        &self,
        permit: Permit,
        incoming: IncomingBatch,
    ) -> Result<Kept, WriteError> {
        let within = self.options.timeout;
        let written = timeout(within, self.writer.write(incoming)).await;
        let written = written.unwrap_or_else(|_elapsed| {
            let reason = format!("the store did not confirm a write within {within:?}");
            Err(WriteError::Unavailable { reason })
        });
        match &written {
            Ok(_) | Err(WriteError::Failed { .. }) => permit.answered(),
            Err(WriteError::Unavailable { reason }) => permit.away(reason),
            Err(WriteError::Busy { .. }) => drop(permit),
        }
        written
    }

    pub(crate) fn pauses(&self) -> Pauses {
        self.options.pauses
    }

    /// Why the store takes nothing, as far as is known.
    pub(crate) fn trouble(&self) -> Option<String> {
        let known = self.writer.readiness().err();
        known.or_else(|| self.breaker.last_reason())
    }
}

impl SpanWriter for GuardedWriter {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        let guarded = self.clone();
        Box::pin(async move {
            let entered = guarded.breaker.try_enter();
            let permit = entered.map_err(|blocked| WriteError::Unavailable {
                reason: blocked.reason,
            })?;
            guarded.attempt(permit, incoming).await
        })
    }

    fn readiness(&self) -> Result<(), String> {
        self.writer.readiness()?;
        self.breaker.trouble().map_or(Ok(()), Err)
    }
}
