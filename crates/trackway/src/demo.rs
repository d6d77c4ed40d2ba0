//! The demonstration: realistic traffic of a small web shop, sent by this very program to itself.
//!
//! Promises: about [`SPANS_PER_SECOND`] spans a second with current times, until the program stops; a refusal is
//! logged and the traffic goes on. It takes the way of any sender, but for the socket.

use std::sync::Arc;
use std::time::Duration;

use model::TenantId;
use plumbing::{Clock, Random, Shutdown, Tasks};
use receive::Receiver;
use testkit::corpus::{Corpus, CorpusOptions, Profile};

const SPANS_PER_SECOND: u64 = 200;
/// Every so many seconds the spans of as many seconds are sent.
const BEAT_SECONDS: u64 = 2;
/// Traces begin so long ago that nearly all of their spans have ended.
const AGE_SECONDS: u64 = 5;
const BATCH_SPANS: usize = 250;

/// Sends traffic until the signal to stop.
pub(crate) async fn send_traffic(
    receiver: Arc<Receiver>,
    tasks: Tasks,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    shutdown: Shutdown,
) {
    let tenant = receiver.tenant().clone();
    while !shutdown.has_begun() {
        let beat = send_beat(
            &receiver,
            &tenant,
            &tasks,
            (clock.as_ref(), random.as_ref()),
        );
        tokio::select! {
            sent = beat => {
                if let Err(error) = sent {
                    tracing::warn!(error, "the demonstration's spans were not taken");
                }
            }
            () = shutdown.begun() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(BEAT_SECONDS)) => {}
            () = shutdown.begun() => return,
        }
    }
}

async fn send_beat(
    receiver: &Arc<Receiver>,
    tenant: &TenantId,
    tasks: &Tasks,
    (clock, random): (&dyn Clock, &dyn Random),
) -> Result<(), String> {
    let now = clock.unix_nanos() / 1_000_000_000;
    let corpus = Corpus::new(beat_options(now, random.next_u64()));
    for request in corpus.map_err(|error| error.to_string())? {
        receiver.take_own(tenant, &request.bytes, tasks).await?;
    }
    Ok(())
}

fn beat_options(now_unix_seconds: u64, seed: u64) -> CorpusOptions {
    CorpusOptions {
        profile: Profile::Kind,
        spans: SPANS_PER_SECOND * BEAT_SECONDS,
        seed,
        start_unix_seconds: now_unix_seconds.saturating_sub(AGE_SECONDS),
        window_seconds: BEAT_SECONDS + 1,
        batch_spans: BATCH_SPANS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_has_the_spans_of_its_seconds_and_current_times() {
        let now = 1_790_000_000;
        let truth = Corpus::new(beat_options(now, 1)).unwrap().into_truth();
        assert!((400..700).contains(&truth.spans), "{}", truth.spans);
        assert!(truth.earliest_start_ns >= (now - AGE_SECONDS) * 1_000_000_000);
        assert!(
            truth.latest_end_ns <= (now + 5) * 1_000_000_000,
            "{}",
            truth.latest_end_ns
        );
    }
}
