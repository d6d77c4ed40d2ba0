//! A corpus that never ends: generated once, kept in memory as requests, and sent again and again as new traces at new
//! times ([`crate::stamp`]).
//!
//! Promises: requests come in order, each once; the traces of a round end when its first request is taken, so spans are
//! as old as a round takes at most, and none lies in the future. Memory is that of the requests and their offsets.
//! Refuses: knowing what is true of it; who asks while it is sent can check little more than the status.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{anyhow, ensure};
use plumbing::Clock;
use testkit::corpus::{Corpus, CorpusOptions, Profile, Truth};

use crate::stamp::{Stamp, Template};

/// More are kept in memory for no load: some 800 MB.
const SPANS_MAX: u64 = 2_000_000;

/// The requests of all rounds.
#[derive(Debug)]
pub(crate) struct Rounds {
    requests: Vec<Kept>,
    /// What is true of round 0 as it was generated.
    pub(crate) truth: Truth,
    /// The request that is taken next, counted over all rounds.
    next: AtomicU64,
    /// Of each round that has begun.
    stamps: Mutex<Vec<Stamp>>,
}

/// A request of a round.
#[derive(Debug)]
struct Kept {
    /// Locked by who sends it; by nobody else unless a sender is behind by a whole round.
    template: Mutex<Template>,
    /// Spans of the round before it, and in it.
    before: u64,
    spans: u64,
}

/// A request that somebody has taken and must send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    nth: u64,
    /// Spans of all requests before it, of earlier rounds too.
    pub(crate) spans_before: u64,
    pub(crate) spans: u64,
}

impl Rounds {
    /// Generates a corpus whose traces begin within about so many seconds, as a round is to take, and keeps it.
    pub(crate) fn taking(
        seconds: u64,
        (profile, seed, spans): (Profile, u64, u64),
        clock: &dyn Clock,
    ) -> anyhow::Result<Self> {
        let now_seconds = clock.unix_nanos() / 1_000_000_000;
        let options = CorpusOptions {
            seed,
            ..CorpusOptions::new(profile, spans, now_seconds)
        };
        Self::generate(options.lying_over(seconds))
    }

    pub(crate) fn generate(options: CorpusOptions) -> anyhow::Result<Self> {
        ensure!(
            options.spans <= SPANS_MAX,
            "at most {SPANS_MAX} spans are kept in memory, use --spans"
        );
        let mut corpus = Corpus::new(options)?;
        let (mut requests, mut before) = (Vec::new(), 0);
        for request in &mut corpus {
            let spans = request.spans as u64;
            requests.push(Kept {
                template: Mutex::new(Template::of(request.bytes)?),
                before,
                spans,
            });
            before += spans;
        }
        Ok(Self {
            requests,
            truth: corpus.into_truth(),
            next: AtomicU64::new(0),
            stamps: Mutex::new(Vec::new()),
        })
    }

    /// Takes the next request.
    pub(crate) fn take(&self) -> anyhow::Result<Taken> {
        let nth = self.next.fetch_add(1, Ordering::Relaxed);
        let (round, kept) = self.find(nth)?;
        Ok(Taken {
            nth,
            spans_before: round * self.truth.spans + kept.before,
            spans: kept.spans,
        })
    }

    /// Gives the bytes of a request that was taken, as they are to be sent.
    pub(crate) fn with_bytes<T>(
        &self,
        taken: Taken,
        clock: &dyn Clock,
        send: impl FnOnce(&[u8]) -> T,
    ) -> anyhow::Result<T> {
        let (round, kept) = self.find(taken.nth)?;
        let stamp = self.stamp(round, clock)?;
        let template = kept.template.lock();
        let mut template = template.map_err(|_| anyhow!("another sender panicked"))?;
        Ok(send(template.stamped(stamp)))
    }

    /// Rounds of which all requests were taken.
    pub(crate) fn taken(&self) -> u64 {
        let requests = (self.requests.len() as u64).max(1);
        self.next.load(Ordering::Relaxed) / requests
    }

    /// Spans of all requests that were taken so far.
    pub(crate) fn spans_taken(&self) -> anyhow::Result<u64> {
        let (round, kept) = self.find(self.next.load(Ordering::Relaxed))?;
        Ok(round * self.truth.spans + kept.before)
    }

    /// The id of a trace of the sample in a round.
    pub(crate) fn sampled_id(&self, round: u64, nth: usize) -> Option<String> {
        let sample = &self.truth.sample;
        let stamp = Stamp {
            number: Stamp::number_of(round),
            delay: 0,
        };
        stamp.trace_id(&sample.get(nth % sample.len().max(1))?.id)
    }

    fn find(&self, nth: u64) -> anyhow::Result<(u64, &Kept)> {
        let requests = self.requests.len() as u64;
        let round = nth.checked_div(requests).unwrap_or_default();
        let kept = usize::try_from(nth - round * requests)
            .ok()
            .and_then(|at| self.requests.get(at));
        let kept = kept.ok_or_else(|| anyhow!("the corpus has no requests"))?;
        Ok((round, kept))
    }

    fn stamp(&self, round: u64, clock: &dyn Clock) -> anyhow::Result<Stamp> {
        let stamps = self.stamps.lock();
        let mut stamps = stamps.map_err(|_| anyhow!("another sender panicked"))?;
        let now = clock.unix_nanos();
        let at = usize::try_from(round)?;
        for begun in stamps.len() as u64..=round {
            stamps.push(Stamp {
                number: Stamp::number_of(begun),
                delay: now.wrapping_sub(self.truth.latest_end_ns),
            });
        }
        Ok(stamps.get(at).copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use plumbing::ManualClock;
    use prost::Message as _;
    use std::collections::BTreeSet;
    use std::time::Duration;

    #[test]
    fn every_round_has_the_same_spans_as_new_traces_that_end_when_it_begins() {
        let now = 1_800_000_000_000_000_000;
        let clock = ManualClock::at(now);
        let options = CorpusOptions::new(Profile::Kind, 5000, 1_790_000_000);
        let rounds = Rounds::generate(options).unwrap();
        let sampled = (
            rounds.sampled_id(0, 0).unwrap(),
            rounds.sampled_id(1, 0).unwrap(),
        );
        let (mut ids, mut ends) = ([BTreeSet::new(), BTreeSet::new()], [0, 0]);
        for round in [0, 1] {
            for _ in 0..rounds.truth.requests {
                let taken = rounds.take().unwrap();
                assert_eq!(taken.spans_before / rounds.truth.spans, round as u64);
                let bytes = rounds.with_bytes(taken, &clock, <[u8]>::to_vec).unwrap();
                let request = ExportTraceServiceRequest::decode(&bytes[..]).unwrap();
                let scopes = request
                    .resource_spans
                    .iter()
                    .flat_map(|one| &one.scope_spans);
                for span in scopes.flat_map(|scope| &scope.spans) {
                    let id: [u8; 16] = span.trace_id.as_slice().try_into().unwrap();
                    ids[round].insert(format!("{:032x}", u128::from_be_bytes(id)));
                    ends[round] = ends[round].max(span.end_time_unix_nano);
                }
                clock.advance(Duration::from_millis(1));
            }
            assert_eq!(rounds.taken(), round as u64 + 1);
        }
        assert!(ids[0].is_disjoint(&ids[1]) && ids[0].len() == ids[1].len());
        assert!(ids[0].contains(&sampled.0) && ids[1].contains(&sampled.1));
        assert_eq!(ends, [now, now + rounds.truth.requests * 1_000_000]);
    }
}
