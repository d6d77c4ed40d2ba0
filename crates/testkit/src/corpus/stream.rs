//! Turns traces into requests: spans of several traces shuffled, cut into batches, grouped by resource.
//!
//! Promises: spans of one trace arrive in several requests, as from many hosts; at most four batches and one trace
//! wait.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message;
use rand::{Rng, RngCore, SeedableRng, rngs::SmallRng};

use super::{
    catalogue::Service,
    options::{CorpusOptions, Profile},
    trace::{PlacedSpan, TraceBuilder, TraceId},
    truth::{Truth, TruthKeeper},
};
use crate::Error;

/// Batches that gather before they are shuffled, and how many of them stay behind to mix with later traces.
const SHUFFLED_BATCHES: usize = 4;
const KEPT_BATCHES: usize = 2;
/// How far forward a span may be swapped.
const SHUFFLE_SPANS: usize = 600;

const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.37.0";

/// One request of a corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorpusRequest {
    /// An `ExportTraceServiceRequest`, encoded as protobuf.
    pub bytes: Vec<u8>,
    /// How many spans are in it.
    pub spans: usize,
}

/// A corpus being generated: an iterator of its requests in the order of sending, and at last its truth.
#[derive(Debug)]
pub struct Corpus {
    options: CorpusOptions,
    rng: SmallRng,
    start_ns: u64,
    /// Distance of two traces.
    step_ns: u64,
    pub(super) waiting: Vec<PlacedSpan>,
    is_emptying: bool,
    truth: TruthKeeper,
}

impl Corpus {
    /// Starts a corpus; nothing is generated before the first request is asked for.
    ///
    /// # Errors
    /// [`Error::OptionTooLarge`] if times or batches are over what can be generated.
    pub fn new(options: CorpusOptions) -> Result<Self, Error> {
        let options = options.checked()?;
        Ok(Self {
            rng: SmallRng::seed_from_u64(options.seed),
            start_ns: options.start_unix_seconds * 1_000_000_000,
            step_ns: step_ns(&options),
            waiting: Vec::new(),
            is_emptying: false,
            truth: TruthKeeper::new(&options),
            options,
        })
    }

    /// Gives the truth of the whole corpus; requests that were not taken yet are generated and dropped.
    #[must_use]
    pub fn into_truth(mut self) -> Truth {
        while self.next().is_some() {}
        self.truth.into_truth()
    }

    fn generate_trace(&mut self) {
        let mut trace_id: TraceId = [0; 16];
        self.rng.fill_bytes(&mut trace_id);
        trace_id[0] |= 1;
        let jitter_ns = self.rng.random_range(0..self.step_ns.max(1));
        let start_ns = self.start_ns + self.truth.traces() * self.step_ns + jitter_ns;
        let mut trace = TraceBuilder::new(&mut self.rng, trace_id);
        match self.options.profile {
            Profile::Kind => trace.visit_shop(start_ns),
            Profile::Unkind => trace.grow_random_tree(start_ns),
        }
        self.truth.count_trace(&trace);
        self.waiting.append(&mut trace.spans);
    }

    fn shuffle(&mut self) {
        let Some(last) = self.waiting.len().checked_sub(1) else {
            return;
        };
        for place in 0..=last {
            let other = (place + self.rng.random_range(0..SHUFFLE_SPANS)).min(last);
            self.waiting.swap(place, other);
        }
    }

    fn take_request(&mut self, spans: usize) -> CorpusRequest {
        let mut by_place: BTreeMap<(Service, usize), Vec<Span>> = BTreeMap::new();
        for placed in self.waiting.drain(..spans) {
            by_place
                .entry((placed.service, placed.replica))
                .or_default()
                .push(placed.span);
        }
        let resource_spans = by_place
            .into_iter()
            .map(|((service, replica), spans)| ResourceSpans {
                resource: Some(service.resource(replica)),
                scope_spans: vec![ScopeSpans {
                    scope: Some(service.scope()),
                    spans,
                    schema_url: SCHEMA_URL.into(),
                }],
                schema_url: String::new(),
            })
            .collect();
        let bytes = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        self.truth.count_request(bytes.len());
        CorpusRequest { bytes, spans }
    }
}

impl Iterator for Corpus {
    type Item = CorpusRequest;

    fn next(&mut self) -> Option<CorpusRequest> {
        let batch = self.options.batch_spans;
        loop {
            if self.is_emptying && self.waiting.len() >= batch * KEPT_BATCHES {
                return Some(self.take_request(batch));
            }
            self.is_emptying = false;
            if self.truth.spans() >= self.options.spans {
                let rest = self.waiting.len().min(batch);
                return (rest > 0).then(|| self.take_request(rest));
            }
            self.generate_trace();
            if self.waiting.len() >= batch * SHUFFLED_BATCHES {
                self.shuffle();
                self.is_emptying = true;
            }
        }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the cast saturates, and the bytes of the corpora rest on just this rounding"
)]
fn step_ns(options: &CorpusOptions) -> u64 {
    let window_ns = options.window_seconds as f64 * 1e9;
    (window_ns / (options.spans as f64 / options.profile.spacing_spans())) as u64
}
