//! Who takes what the buffer holds: the seam between delivering and whom it is delivered to.
//!
//! Promises: an outlet tries again by itself whatever may pass, for as long as it is asked; what it gives back is final
//! for these batches as they stand together.

use std::sync::Arc;

use codec::otlp::read_success;
use journal::Frame;
use model::contract::Answer;
use plumbing::CpuPool;

use crate::call::{Framed, Verdict};
use crate::collectors::Collectors;
use crate::metrics::CollectorMetrics;
use crate::options::Compression;

/// What became of batches that were handed on together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// They were taken, but for so many spans.
    Taken { rejected_spans: u64 },
    /// They will never be taken: why in a word for metrics, and in a sentence.
    Refused { code: &'static str, reason: String },
    /// They were not taken, and it can't be told whether that is about them. To be tried again, apart.
    Failed { reason: String },
}

/// Takes batches on.
pub(crate) trait Outlet: Send + Sync + std::fmt::Debug {
    /// Hands on batches of one tenant, one at least.
    fn hand_on<'a>(&'a self, parts: &'a [Frame]) -> Answer<'a, Fate>;

    /// In a few words why nothing is taken at the moment, where that is known.
    fn trouble(&self) -> Option<String>;
}

/// Batches as one message: OTLP's requests can be laid one behind another.
pub(crate) fn joined(parts: &[Frame]) -> Vec<u8> {
    let payloads: Vec<&[u8]> = parts.iter().map(|part| part.payload.as_slice()).collect();
    payloads.concat()
}

/// Collectors, over OTLP.
#[derive(Debug)]
pub(crate) struct CollectorOutlet {
    pub(crate) collectors: Collectors,
    pub(crate) pool: CpuPool,
    pub(crate) compression: Compression,
    pub(crate) metrics: CollectorMetrics,
}

impl CollectorOutlet {
    /// Compresses on the pool; when that is busy, the message goes as it is.
    async fn frame(&self, message: &Arc<Vec<u8>>) -> Framed {
        let (packed, compression) = (Arc::clone(message), self.compression);
        let packed = self
            .pool
            .run(move || Framed::new(&packed, compression))
            .await;
        packed.unwrap_or_else(|_| Framed::new(message, Compression::None))
    }

    async fn export(&self, parts: &[Frame]) -> Fate {
        let message = Arc::new(joined(parts));
        let framed = self.frame(&message).await;
        let answer = self.collectors.export(&message, &framed).await;
        if answer.verdict() != Verdict::Taken {
            return Fate::Refused {
                code: answer.code.label(),
                reason: answer.message,
            };
        }
        let accepted = read_success(&answer.body);
        let spans: u64 = parts.iter().map(|part| u64::from(part.span_count)).sum();
        let rejected = accepted.rejected_spans.min(spans);
        self.metrics.rejected_spans.inc_by(rejected);
        if !accepted.message.is_empty() {
            tracing::debug!(
                rejected,
                message = accepted.message,
                "a collector took a request in part"
            );
        }
        Fate::Taken {
            rejected_spans: rejected,
        }
    }
}

impl Outlet for CollectorOutlet {
    fn hand_on<'a>(&'a self, parts: &'a [Frame]) -> Answer<'a, Fate> {
        Box::pin(self.export(parts))
    }

    fn trouble(&self) -> Option<String> {
        None
    }
}
