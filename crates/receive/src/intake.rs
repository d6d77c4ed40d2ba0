//! The road of one request from its body to its answer, the same for every transport.
//!
//! ```text
//! body ─▶ decompress ─▶ decode ─▶ (process) ─▶ (encode again) ─▶ writer ─▶ receipt
//!         └───────────────── on the CPU pool ────────────────┘
//! ```
//!
//! Promises
//! - A receipt is given only after the writer said that the spans are kept.
//! - Memory is reserved before each step and follows what is really held after it; all of it until the answer.
//! - A client that goes away before the writer has the spans costs nothing more; one that goes away later changes
//!   nothing: the write goes on and is counted.
//! - One bad span never costs its batch: the rest is kept, and the receipt says how many were rejected and why.
//! - What a step changed or left out reaches the writer in no form: the bytes that came are let go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use access::Gate;
use bytes::Bytes;
use codec::otlp::encode_proto;
use codec::{DecodeError, Decoded};
use model::contract::{BatchProcessor, IncomingBatch, Kept, Processed, SpanWriter};
use model::{SpanBatch, TenantId, TraceId};
use plumbing::{ByteBudget, Clock, CpuPool, Metrics, Reservation, Tasks};
use sampling::Strategies;
use tokio::sync::oneshot;

use crate::body::Held;
use crate::client_losses::ClientLosses;
use crate::collector;
use crate::decompress::{Compression, decompress, grow};
use crate::format::Format;
use crate::ledger::{Ledger, Outcome, Tally};
use crate::limits::Limits;
use crate::refusal::{Refusal, shorten};

/// What a receiver stands on.
#[derive(Debug)]
pub struct ReceiverParts<'a> {
    /// Where bodies are decompressed and decoded.
    pub pool: CpuPool,
    /// The memory that requests under way may take.
    pub budget: ByteBudget,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where the ledger is shown.
    pub metrics: &'a Metrics,
    /// What is allowed.
    pub limits: Limits,
    /// Whose spans are those that come without a word of it: datagrams have none.
    pub tenant: TenantId,
    /// How the doors are spoken to, and who is let in.
    pub gate: Gate,
    /// What clients that ask at these doors are to record.
    pub strategies: Arc<dyn Strategies>,
    /// What changes spans before they are written; `None` costs nothing.
    pub processor: Option<Arc<dyn BatchProcessor>>,
}

/// Takes requests, whatever transport they come by, and hands their spans to a writer.
#[derive(Debug)]
pub struct Receiver {
    writer: Arc<dyn SpanWriter>,
    pool: CpuPool,
    budget: ByteBudget,
    clock: Arc<dyn Clock>,
    limits: Limits,
    tenant: TenantId,
    gate: Gate,
    ledger: Arc<Ledger>,
    losses: Arc<ClientLosses>,
    strategies: Arc<dyn Strategies>,
    processor: Option<Arc<dyn BatchProcessor>>,
    refusals: AtomicU64,
}

/// A request whose body was read.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) tenant: TenantId,
    pub(crate) format: Format,
    pub(crate) compression: Compression,
    pub(crate) held: Held,
    pub(crate) tally: Arc<Tally>,
}

/// What is said of a request whose spans are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) rejected_spans: u64,
    pub(crate) message: String,
}

/// A request's spans, ready for the writer.
struct Digest {
    tenant: TenantId,
    receipt: Receipt,
    batch: SpanBatch,
    otlp: Bytes,
    on_kept: OnKept,
    reservation: Reservation,
}

/// What waits until spans are kept.
pub(crate) type OnKept = Vec<Box<dyn FnOnce() + Send>>;

/// The steps that spans go through before they are written.
#[derive(Debug, Clone)]
pub(crate) struct Steps {
    processor: Option<Arc<dyn BatchProcessor>>,
}

impl Steps {
    /// Tells whether there is none.
    pub(crate) fn are_none(&self) -> bool {
        self.processor.is_none()
    }

    /// Takes a batch through all steps; what they left out is settled in the account it came by.
    pub(crate) fn process(
        &self,
        tenant: &TenantId,
        batch: SpanBatch,
        forced: &[TraceId],
        tally: &Tally,
    ) -> Processed {
        let Some(processor) = &self.processor else {
            return Processed::untouched(batch);
        };
        let processed = processor.process(tenant, batch, forced);
        tally.filter(&processed.filtered);
        processed
    }
}

impl Receiver {
    /// Makes a receiver and shows its ledger among the metrics.
    #[must_use]
    pub fn new(writer: Arc<dyn SpanWriter>, parts: ReceiverParts<'_>) -> Arc<Self> {
        let ReceiverParts {
            pool,
            budget,
            clock,
            metrics,
            limits,
            tenant,
            gate,
            strategies,
            processor,
        } = parts;
        let ledger = Ledger::new(Arc::clone(&clock));
        let losses = ClientLosses::register(metrics);
        collector::register(metrics, &ledger, &budget);
        Arc::new(Self {
            writer,
            pool,
            budget,
            clock,
            limits,
            tenant,
            gate,
            ledger,
            losses,
            strategies,
            processor,
            refusals: AtomicU64::new(0),
        })
    }

    /// The same receiver with another writer: limits, budget and ledger are shared.
    #[must_use]
    pub(crate) fn with_writer(&self, writer: Arc<dyn SpanWriter>) -> Arc<Self> {
        Arc::new(Self {
            writer,
            pool: self.pool.clone(),
            budget: self.budget.clone(),
            clock: Arc::clone(&self.clock),
            limits: self.limits.clone(),
            tenant: self.tenant.clone(),
            gate: self.gate.clone(),
            ledger: Arc::clone(&self.ledger),
            losses: Arc::clone(&self.losses),
            strategies: Arc::clone(&self.strategies),
            processor: self.processor.clone(),
            refusals: AtomicU64::new(0),
        })
    }

    /// What came and what became of it.
    #[must_use]
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    pub(crate) fn losses(&self) -> &Arc<ClientLosses> {
        &self.losses
    }

    pub(crate) fn strategies(&self) -> &dyn Strategies {
        &*self.strategies
    }

    pub(crate) fn steps(&self) -> Steps {
        Steps {
            processor: self.processor.clone(),
        }
    }

    /// Whose spans are those that come without a word of it.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(crate) fn pool(&self) -> &CpuPool {
        &self.pool
    }

    pub(crate) fn budget(&self) -> &ByteBudget {
        &self.budget
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn readiness(&self) -> Result<(), String> {
        self.writer.readiness()
    }

    /// Seconds that a refused client should wait, different from one to the next.
    pub(crate) fn retry_after_s(&self, refusal: &Refusal) -> Option<u32> {
        refusal.retry_after_s(self.refusals.fetch_add(1, Ordering::Relaxed))
    }

    /// Takes a request in a task of its own; dropping what this gives back abandons the request if that is still
    /// possible. The account of the request is settled in any case.
    pub(crate) fn take(
        self: &Arc<Self>,
        request: Request,
        tasks: &Tasks,
    ) -> oneshot::Receiver<Result<Receipt, Refusal>> {
        let (tell, told) = oneshot::channel();
        let receiver = Arc::clone(self);
        tasks.spawn(async move {
            let tally = Arc::clone(&request.tally);
            let (result, _held) = match receiver.digest(request).await {
                Ok(digest) => receiver.keep(digest, &tally, &tell).await,
                Err(refusal) => (Some(Err(refusal)), None),
            };
            match &result {
                Some(Ok(_)) => tally.settle(Outcome::Accepted),
                Some(Err(refusal)) => tally.refuse(refusal),
                None => tally.settle(Outcome::Dropped),
            }
            if let Some(result) = result {
                // Nobody may be left to hear it: what is kept is kept, and the client will ask again.
                let _gone = tell.send(result);
            }
        });
        told
    }

    /// Writes spans, and says in the log when that fails by a fault of ours.
    pub(crate) async fn write(
        &self,
        tenant: TenantId,
        batch: SpanBatch,
        otlp: Bytes,
    ) -> Result<Kept, Refusal> {
        let incoming = IncomingBatch {
            tenant,
            batch,
            otlp,
        };
        let result = self.writer.write(incoming).await.map_err(Refusal::from);
        if let Err(Refusal::Failed { reason }) = &result {
            tracing::error!(error = %reason, "spans could not be kept");
        }
        result
    }

    /// Decompresses and decodes on the pool.
    async fn digest(&self, request: Request) -> Result<Digest, Refusal> {
        let bytes_max = self.limits.body_bytes_max;
        let (losses, steps) = (Arc::clone(&self.losses), self.steps());
        let work = move || digest(request, bytes_max, &losses, &steps);
        self.pool.run(work).await?
    }

    /// Hands the spans to the writer; gives nothing when the client was gone before. The reservation comes back
    /// with the result, so that it lives until the answer.
    async fn keep(
        self: &Arc<Self>,
        digest: Digest,
        tally: &Tally,
        tell: &oneshot::Sender<Result<Receipt, Refusal>>,
    ) -> (Option<Result<Receipt, Refusal>>, Option<Reservation>) {
        let Digest {
            tenant,
            receipt,
            batch,
            otlp,
            on_kept,
            reservation,
        } = digest;
        if batch.is_empty() {
            on_kept.into_iter().for_each(|act| act());
            return (Some(Ok(receipt)), Some(reservation));
        }
        if tell.is_closed() && !plumbing::planted("receive-abandoned-request-written") {
            return (None, None);
        }
        if plumbing::planted("receive-ack-before-write") {
            let receiver = Arc::clone(self);
            let writing = async move { drop(receiver.write(tenant, batch, otlp).await) };
            Tasks::new().spawn(writing);
            return (Some(Ok(receipt)), Some(reservation));
        }
        let result = self.write(tenant, batch, otlp).await.map(|kept| {
            tally.add_notes(0, 0, kept.duplicate_spans);
            // What is all there already was counted when it came first.
            if kept.spans > 0 {
                on_kept.into_iter().for_each(|act| act());
            }
            receipt
        });
        (Some(result), Some(reservation))
    }
}

/// Decompresses, decodes and processes; the CPU's part of the road.
fn digest(
    request: Request,
    bytes_max: u64,
    losses: &ClientLosses,
    steps: &Steps,
) -> Result<Digest, Refusal> {
    let Request {
        tenant,
        format,
        compression,
        held: Held {
            bytes,
            mut reservation,
        },
        tally,
    } = request;
    let plain = match compression {
        Compression::Identity => bytes,
        Compression::Gzip | Compression::Zstd | Compression::Deflate => {
            let plain = decompress(compression, &bytes, bytes_max, &mut reservation)?;
            drop(bytes);
            plain
        }
    };
    // As much again is a guess of the batch's size, which is known only afterwards.
    follow(&mut reservation, plain.capacity() + plain.len())?;
    let decoded = format.decode(&plain, losses).map_err(undecodable)?;
    tally.add_decoded(&decoded);
    let receipt = receipt(&decoded);
    let batch_bytes = decoded.batch.size_bytes();
    // A step holds the batch as it was and as it becomes.
    let copy_bytes = if steps.are_none() { 0 } else { batch_bytes };
    follow(
        &mut reservation,
        plain.capacity() + batch_bytes + copy_bytes,
    )?;
    let is_verbatim = format.is_otlp_proto() && decoded.is_verbatim;
    let processed = steps.process(&tenant, decoded.batch, &decoded.forced, &tally);
    let (batch, is_changed) = (processed.batch, processed.is_changed);
    let is_as_sent = is_verbatim && (!is_changed || plumbing::planted("receive-changed-as-sent"));
    let otlp = if batch.is_empty() {
        Vec::new()
    } else if is_as_sent {
        plain
    } else {
        // Protobuf of OTLP's JSON is shorter than that; of other formats it is about as long as their batch.
        grow(&mut reservation, plain.len().max(batch.size_bytes()))?;
        drop(plain);
        encode_proto(&batch)
    };
    follow(&mut reservation, otlp.capacity() + batch.size_bytes())?;
    Ok(Digest {
        tenant,
        receipt,
        batch,
        otlp: Bytes::from(otlp),
        on_kept: processed.on_kept,
        reservation,
    })
}

/// Says why a body could not be decoded: its bytes are wrong, or would unpack to more than may be held.
pub(crate) fn undecodable(error: DecodeError) -> Refusal {
    match error {
        DecodeError::TooLarge {
            memory_bytes_max, ..
        } => Refusal::TooLarge {
            what: "the unpacked request",
            bytes_max: size(memory_bytes_max),
        },
        broken @ DecodeError::Broken { .. } => Refusal::Malformed {
            reason: shorten(&broken.to_string()),
        },
    }
}

/// What the answer will say of spans that were left out.
fn receipt(decoded: &Decoded) -> Receipt {
    let rejected_spans = decoded.rejected_spans;
    let message = decoded
        .rejection
        .as_deref()
        .or(decoded.warning.as_deref())
        .unwrap_or_default();
    let miscounted = u64::from(plumbing::planted("receive-partial-success-wrong-count"));
    Receipt {
        rejected_spans: rejected_spans + miscounted,
        message: shorten(message),
    }
}

/// Makes the reservation what is really held.
fn follow(reservation: &mut Reservation, bytes: usize) -> Result<(), Refusal> {
    let missing = size(bytes).saturating_sub(reservation.bytes());
    grow(reservation, usize::try_from(missing).unwrap_or(usize::MAX))?;
    reservation.shrink_to(size(bytes));
    Ok(())
}

fn size(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
