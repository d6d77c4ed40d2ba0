//! Sampling that follows the traffic: what is kept is counted, and each interval probabilities are chosen anew.
//!
//! Promises: of several collectors over one storage one chooses, and all tell the same; a storage that fails changes
//! nothing that clients are told, and the log says so once.

use std::sync::Arc;
use std::time::Duration;

use model::contract::{Answer, IncomingBatch, Kept, SpanWriter, WriteError};
use model::throughput::{SamplingStore, SamplingStoreError};
use plumbing::{Clock, Shutdown};
use sampling::{Adaptive, AdaptiveOptions, Beginnings, FileStrategies};

use crate::config::{OrOff, Sampling};

/// Slices of so many intervals say something about now.
const INTERVALS: u32 = 16;
/// The lead is asked for so many intervals: long enough for one that is late, short enough for one that is gone.
const LEAD_INTERVALS: u32 = 2;

/// What decides, where the configuration wants it.
pub(crate) fn of(config: &Sampling, file: &Arc<FileStrategies>) -> Option<Arc<Adaptive>> {
    let adaptive = &config.adaptive;
    let OrOff::On(target) = adaptive.target else {
        return None;
    };
    let options = AdaptiveOptions {
        target: target.0,
        tolerance: adaptive.tolerance.0,
        initial_probability: adaptive.initial_probability.0,
        min_probability: adaptive.min_probability.0,
        min_samples: adaptive.min_traces_per_second.0,
    };
    Some(Arc::new(Adaptive::new(options, Arc::clone(file))))
}

/// Chooses again and again until the stop.
pub(crate) async fn follow(
    adaptive: Arc<Adaptive>,
    store: Arc<dyn SamplingStore>,
    interval: Duration,
    clock: Arc<dyn Clock>,
    stop: Shutdown,
) {
    let mut start = clock.unix_nanos();
    let mut complaint: Option<SamplingStoreError> = None;
    // A start goes on from what was decided before it.
    match store.decisions().await {
        Ok(decisions) => adaptive.adopt(&decisions, start),
        Err(error) => complain(&mut complaint, Some(error)),
    }
    while let Some(pause) = until_next(interval, clock.unix_nanos())
        && tokio::time::timeout(pause, stop.begun()).await.is_err()
    {
        let end = clock.unix_nanos();
        let result = round(&adaptive, &*store, (start, end, interval), &*clock).await;
        complain(&mut complaint, result.err());
        start = end;
    }
}

/// Intervals end at the same moments on all machines, so that what is counted in them can be added.
fn until_next(interval: Duration, now: u64) -> Option<Duration> {
    let interval = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
    let into = now.checked_rem(interval)?;
    Some(Duration::from_nanos(interval - into))
}

async fn round(
    adaptive: &Adaptive,
    store: &dyn SamplingStore,
    (start, end, interval): (u64, u64, Duration),
    clock: &dyn Clock,
) -> Result<(), SamplingStoreError> {
    store
        .add_throughput(adaptive.take_slice(start, end))
        .await?;
    let settles = store.settles_after();
    if !settles.is_zero() {
        tokio::time::sleep(settles).await;
    }
    let before = store.decisions().await?;
    let now = clock.unix_nanos();
    let decisions = if store.lead(interval.saturating_mul(LEAD_INTERVALS)).await? {
        let from = u64::try_from(interval.saturating_mul(INTERVALS).as_nanos()).unwrap_or(u64::MAX);
        let slices = store.throughput(now.saturating_sub(from)).await?;
        let decisions = adaptive.decide(&slices, &before, now);
        store.decide(decisions.clone()).await?;
        decisions
    } else {
        before
    };
    adaptive.adopt(&decisions, now);
    Ok(())
}

/// The same complaint is made once.
fn complain(last: &mut Option<SamplingStoreError>, error: Option<SamplingStoreError>) {
    if let Some(error) = error.as_ref().filter(|error| last.as_ref() != Some(error)) {
        tracing::warn!(%error, "sampling probabilities stay as they were");
    }
    *last = error;
}

/// Counts the traces that begin in what is kept.
#[derive(Debug)]
pub(crate) struct CountedWriter {
    pub(crate) inner: Arc<dyn SpanWriter>,
    pub(crate) adaptive: Arc<Adaptive>,
}

impl SpanWriter for CountedWriter {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        let beginnings = Beginnings::of(&incoming.batch);
        let written = self.inner.write(incoming);
        if beginnings.is_empty() {
            return written;
        }
        let adaptive = Arc::clone(&self.adaptive);
        Box::pin(async move {
            let kept = written.await?;
            // What is sent again was counted before.
            if kept.spans > 0 {
                adaptive.count(&beginnings);
            }
            Ok(kept)
        })
    }

    fn readiness(&self) -> Result<(), String> {
        self.inner.readiness()
    }
}
