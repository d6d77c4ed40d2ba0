//! Spans that the program sends to itself: a trace to try, sample data, a demonstration.
//!
//! Promises: they go the way of a request that came by OTLP over HTTP, from the budget to the ledger; only the socket
//! and its credentials are left out. What is refused for the moment is tried again for a while.

use std::sync::Arc;
use std::time::Duration;

use model::TenantId;
use plumbing::Tasks;

use crate::body::Held;
use crate::decompress::Compression;
use crate::format::Format;
use crate::intake::{Receipt, Receiver, Request};
use crate::ledger::Transport;
use crate::refusal::{Reason, Refusal};

/// How long it is tried.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(200);

impl Receiver {
    /// Takes a request of OTLP's protobuf that the program made itself.
    ///
    /// # Errors
    /// The refusal, in words; also when some of the spans were rejected.
    pub async fn take_own(
        self: &Arc<Self>,
        tenant: &TenantId,
        otlp: &[u8],
        tasks: &Tasks,
    ) -> Result<(), String> {
        let trying = async {
            loop {
                match self.try_own(tenant, otlp, tasks).await {
                    Ok(receipt) if receipt.rejected_spans > 0 => return Err(receipt.message),
                    Ok(_) => return Ok(()),
                    Err(refusal) if !can_wait(&refusal) => return Err(refusal.to_string()),
                    Err(_) => tokio::time::sleep(PAUSE).await,
                }
            }
        };
        match tokio::time::timeout(PATIENCE, trying).await {
            Ok(ended) => ended,
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                Err(format!("spans could not be taken within {seconds} s"))
            }
        }
    }

    async fn try_own(
        self: &Arc<Self>,
        tenant: &TenantId,
        otlp: &[u8],
        tasks: &Tasks,
    ) -> Result<Receipt, Refusal> {
        let tally = self.ledger().open(Transport::OtlpHttp, None);
        let bytes = u64::try_from(otlp.len()).unwrap_or(u64::MAX);
        tally.add_bytes(bytes);
        let held = Held::with_capacity(self.budget(), bytes, false);
        let mut held = held.inspect_err(|refusal| tally.refuse(refusal))?;
        held.bytes.extend_from_slice(otlp);
        let request = Request {
            tenant: tenant.clone(),
            format: Format::OtlpProto,
            compression: Compression::Identity,
            held,
            tally,
        };
        let told = self.take(request, tasks).await;
        told.unwrap_or_else(|_| {
            Err(Refusal::Failed {
                reason: "the request's task ended early".to_owned(),
            })
        })
    }
}

fn can_wait(refusal: &Refusal) -> bool {
    matches!(refusal.kind(), Reason::Overloaded | Reason::Unavailable)
}
