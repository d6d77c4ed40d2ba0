//! The writer that counts, and the two tasks around it: who keeps what was counted, and who finishes it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::contract::{Answer, IncomingBatch, Kept, SpanReader, SpanWriter, WriteError};
use model::rates::MINUTE_NANOS;
use model::{SpanBatch, TenantId};
use plumbing::{Clock, Complaints, CpuPool, Metrics, Random, Shutdown, planted};
use prometheus_client::metrics::counter::Counter;

use super::count::{Counted, Tally};
use super::finish::{Finished, finish};
use super::{LEAD_SECONDS, Ledger, Record};

/// How often what was counted is kept.
const KEEP_PERIOD: Duration = Duration::from_secs(10);
/// How often it is looked for what can be finished.
const FINISH_PERIOD: Duration = Duration::from_secs(LEAD_SECONDS / 2);
/// How long it is not asked again whether this process leads, once it does.
const LEAD_TRUSTED_MILLIS: u64 = LEAD_SECONDS * 1_000 / 6;
/// How long the last records may take at a stop.
const LAST_KEEP_TIMEOUT: Duration = Duration::from_secs(5);

/// The counters; clones share them.
#[derive(Debug, Clone, Default)]
pub struct SumsMetrics {
    records_kept: Counter,
    keep_failures: Counter,
    spans_lost: Counter,
    calls_found: Counter,
    calls_orphaned: Counter,
    hours_added_up: Counter,
}

impl SumsMetrics {
    /// Makes the counters and registers them.
    #[must_use]
    pub fn register(metrics: &Metrics) -> Self {
        let made = Self::default();
        metrics.register(|registry| {
            for (name, help, counter) in [
                (
                    "trackway_sums_records_kept",
                    "Records of counts by minute that the store of others has confirmed",
                    &made.records_kept,
                ),
                (
                    "trackway_sums_keep_failures",
                    "Times that records could not be kept or finished; it is tried again",
                    &made.keep_failures,
                ),
                (
                    "trackway_sums_spans_lost",
                    "Spans that are kept but were not counted, for want of room",
                    &made.spans_lost,
                ),
                (
                    "trackway_sums_calls_found",
                    "Calls whose callers came to another writer and were found in the store",
                    &made.calls_found,
                ),
                (
                    "trackway_sums_calls_orphaned",
                    "Calls whose callers were not in the store some minutes later",
                    &made.calls_orphaned,
                ),
                (
                    "trackway_sums_hours_added_up",
                    "Times that the records of an hour became one",
                    &made.hours_added_up,
                ),
            ] {
                registry.register(name, help, counter.clone());
            }
        });
        made
    }
}

/// What counting stands on.
#[derive(Debug)]
pub struct SumsParts {
    /// Where records are kept.
    pub ledger: Arc<dyn Ledger>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for the name of this writer.
    pub random: Arc<dyn Random>,
    /// Where it is counted.
    pub pool: CpuPool,
    /// What is counted of counting.
    pub metrics: SumsMetrics,
}

/// What was counted and is on its way to be kept.
#[derive(Debug)]
pub struct Sums {
    parts: SumsParts,
    /// The name of this writer; each start has its own.
    name: String,
    tally: Mutex<Tally>,
    /// When it was last told that this process finishes records, in milliseconds.
    leads_since: AtomicU64,
    complaints: Complaints,
}

impl Sums {
    /// Begins with nothing.
    #[must_use]
    pub fn new(parts: SumsParts) -> Self {
        Self {
            name: format!("{:016x}", parts.random.next_u64()),
            parts,
            tally: Mutex::default(),
            leads_since: AtomicU64::new(0),
            complaints: Complaints::default(),
        }
    }

    /// What this writer is called in the store.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn minute(&self) -> u64 {
        self.parts.clock.unix_nanos() / MINUTE_NANOS
    }

    // A std mutex: it is held while a batch is added, on the pool, or records are copied.
    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what is counted, from time to time until the stop.
    pub async fn keep_on(&self, shutdown: Shutdown) {
        while tokio::time::timeout(KEEP_PERIOD, shutdown.begun())
            .await
            .is_err()
        {
            if let Err(why) = self.keep().await {
                self.complain("counts by minute can't be kept; it is tried again", &why);
            }
        }
    }

    /// Keeps what is left when nothing more comes.
    pub async fn keep_last(&self) {
        match tokio::time::timeout(LAST_KEEP_TIMEOUT, self.keep()).await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => tracing::warn!(why, "the last counts by minute are lost"),
            Err(_) => {
                tracing::warn!("the last counts by minute are lost: the store does not answer");
            }
        }
    }

    /// Keeps what was counted since it was kept last.
    ///
    /// # Errors
    /// A sentence; what was not kept is kept the next time.
    pub async fn keep(&self) -> Result<(), String> {
        let now = self.minute();
        let (records, lost) = {
            let mut tally = self.tally();
            (tally.records(&self.name, now), tally.take_lost())
        };
        self.parts.metrics.spans_lost.inc_by(lost);
        let mut fault = None;
        for (record, changes) in records {
            // One that the store refuses holds up no other.
            let kept = self.keep_one(&record, changes, now).await;
            fault = fault.or(kept.err());
        }
        fault.map_or(Ok(()), Err)
    }

    async fn keep_one(&self, record: &Record, changes: u64, now: u64) -> Result<(), String> {
        let tenant = TenantId::parse(&record.tenant).map_err(|error| error.to_string())?;
        self.parts.ledger.keep(record.clone()).await?;
        self.parts.metrics.records_kept.inc();
        self.tally().note_kept(&tenant, record, changes, now);
        Ok(())
    }

    /// Finishes records, of all writers, from time to time until the stop, as long as nobody else does.
    pub async fn finish_on(&self, reader: Arc<dyn SpanReader>, shutdown: Shutdown) {
        while tokio::time::timeout(FINISH_PERIOD, shutdown.begun())
            .await
            .is_err()
        {
            if let Err(why) = self.finish(&*reader, self.minute()).await {
                self.complain(
                    "counts by minute can't be finished; it is tried again",
                    &why,
                );
            }
        }
    }

    async fn leads(&self) -> Result<bool, String> {
        let millis = self.parts.clock.unix_nanos() / 1_000_000;
        let since = self.leads_since.load(Ordering::Relaxed);
        if millis.abs_diff(since) < LEAD_TRUSTED_MILLIS {
            return Ok(true);
        }
        let leads = self.parts.ledger.lead(&self.name, millis).await?;
        let since = if leads { millis } else { 0 };
        self.leads_since.store(since, Ordering::Relaxed);
        Ok(leads)
    }

    /// Finishes what can be in a minute since the epoch, unless another process does.
    ///
    /// # Errors
    /// A sentence; what was not finished is the next time.
    pub async fn finish(&self, reader: &dyn SpanReader, minute: u64) -> Result<(), String> {
        let Finished {
            calls,
            orphans,
            hours,
        } = finish(&*self.parts.ledger, reader, minute, &|| {
            Box::pin(self.leads())
        })
        .await?;
        let metrics = &self.parts.metrics;
        metrics.calls_found.inc_by(calls);
        metrics.calls_orphaned.inc_by(orphans);
        metrics.hours_added_up.inc_by(hours);
        Ok(())
    }

    fn complain(&self, what: &'static str, why: &str) {
        self.parts.metrics.keep_failures.inc();
        if let Some(untold) = self.complaints.due() {
            tracing::warn!(why, untold, "{what}");
        }
    }

    /// Counts a batch away from the sockets, and gives it back.
    async fn count(&self, batch: SpanBatch) -> Result<(Counted, SpanBatch), WriteError> {
        let counted = self.parts.pool.run(move || (Counted::of(&batch), batch));
        counted.await.map_err(|error| WriteError::Busy {
            reason: error.to_string(),
        })
    }
}

/// Counts what another writer has kept.
#[derive(Debug, Clone)]
pub struct CountingWriter {
    /// Who keeps spans.
    pub inner: Arc<dyn SpanWriter>,
    /// Where it is counted.
    pub sums: Arc<Sums>,
}

impl SpanWriter for CountingWriter {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        let this = self.clone();
        Box::pin(async move {
            let tenant = incoming.tenant.clone();
            let (counted, batch) = this.sums.count(incoming.batch).await?;
            if planted("sums-counted-before-kept") {
                this.sums.tally().add(&tenant, &counted, this.sums.minute());
            }
            let kept = this
                .inner
                .write(IncomingBatch { batch, ..incoming })
                .await?;
            let (sums, minute) = (Arc::clone(&this.sums), this.sums.minute());
            let counted = Arc::new(counted);
            let job = {
                let (sums, tenant, counted) =
                    (Arc::clone(&sums), tenant.clone(), Arc::clone(&counted));
                move || sums.tally().add(&tenant, &counted, minute)
            };
            if sums.parts.pool.run(job).await.is_err() {
                // The pool has no room: it is kept, so it is counted here.
                sums.tally().add(&tenant, &counted, minute);
            }
            Ok(kept)
        })
    }

    fn readiness(&self) -> Result<(), String> {
        self.inner.readiness()
    }
}
