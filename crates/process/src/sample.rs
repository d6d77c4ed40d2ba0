//! Keeps a part of the traces: by a probability, which is a function of the trace's id, and by rates for each service.
//!
//! Promises
//! - The probability keeps or leaves out a trace the same at every collector and however often it is sent. The
//!   threshold is written into the trace state, so that counts can be weighted; a span that was sampled more strictly
//!   before stays.
//! - What somebody forces (Jaeger's debug flag, `sampling.priority`, `jaeger-debug-id`) is kept.
//! - Services and traces that rates remember are bounded: [`SERVICES_MAX`], [`TRACES_MAX`].
//!
//! Rates depend on the moment: they are the one thing here that a request sent again may find otherwise.
//!
//! Read next: `weight.rs` for thresholds.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use model::TraceId;
use model::batch::SpanRef;
use model::contract::{FilteredSpans, Processed};
use model::threshold::{Sampled, Threshold, with_threshold};
use plumbing::Clock;
use serde_json::Value;

use crate::pipeline::{Step, With, keep_rows};
use crate::reader::Reader;
use crate::rewrite::{Rewrite, rewrite};
use crate::weight::is_forced;
use crate::{Map, Set};

/// Services that have a rate of their own; all others share one.
const SERVICES_MAX: usize = 10_000;
/// Traces whose verdict is remembered: at least the last so many, at most twice as many, 50 bytes each.
const TRACES_MAX: usize = 65_536;
/// Bytes of a service's name by which its rate is known.
const NAME_BYTES_MAX: usize = 256;
/// Who shares the rate of services beyond the most.
const OTHER_SERVICES: &str = "<other>";

/// What is kept of a service.
#[derive(Debug, Clone, Copy, Default)]
struct Rule {
    probability: Option<f64>,
    spans_per_second: Option<f64>,
    traces_per_second: Option<f64>,
}

impl Rule {
    fn read(keys: &mut Reader<'_>) -> Self {
        Self {
            probability: keys.number("probability", (0.0, 1.0)),
            spans_per_second: keys.number("spans_per_second", (0.0, f64::INFINITY)),
            traces_per_second: keys.number("traces_per_second", (0.0, f64::INFINITY)),
        }
    }

    fn is_idle(&self) -> bool {
        self.probability.is_none()
            && self.spans_per_second.is_none()
            && self.traces_per_second.is_none()
    }

    /// What a service says, and where it says nothing, what is said for all.
    fn or(self, all: Self) -> Self {
        Self {
            probability: self.probability.or(all.probability),
            spans_per_second: self.spans_per_second.or(all.spans_per_second),
            traces_per_second: self.traces_per_second.or(all.traces_per_second),
        }
    }

    fn has_rate(&self) -> bool {
        self.spans_per_second.is_some() || self.traces_per_second.is_some()
    }
}

/// What is kept.
#[derive(Debug, Clone)]
pub(crate) struct SampleOptions {
    all: Rule,
    services: Map<String, Rule>,
}

impl SampleOptions {
    /// Reads the keys of a step.
    pub(crate) fn read(keys: &mut Reader<'_>) -> Option<Self> {
        let all = Rule::read(keys);
        let mut services = Map::default();
        for (service, written) in keys.pairs("services") {
            let probability = written.as_f64().filter(|one| (0.0..=1.0).contains(one));
            let rule = match (written, probability) {
                (Value::Number(_), Some(_)) => Rule {
                    probability,
                    ..Rule::default()
                },
                (Value::Number(_), None) => {
                    keys.complain("services", format!("{service}: write a number from 0 to 1"));
                    continue;
                }
                _ => {
                    let path = format!("{}.services.{service}", keys.path());
                    let mut below = Reader::new(path, written);
                    let rule = Rule::read(&mut below);
                    keys.absorb(below.finish());
                    rule
                }
            };
            services.insert(service.to_owned(), rule.or(all));
        }
        let is_idle = all.is_idle() && services.is_empty();
        (!is_idle).then_some(Self { all, services })
    }
}

/// The step, ready.
pub(crate) struct Sample {
    options: SampleOptions,
    clock: Arc<dyn Clock>,
    /// Held for one batch, and only where there are rates.
    rates: Mutex<Rates>,
}

impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sample").field(&self.options).finish()
    }
}

/// Why a span is left out, or how it is kept.
#[derive(Clone, Copy)]
enum Verdict {
    Kept,
    KeptBy(Threshold),
    LeftOut(&'static str),
}

const BY_PROBABILITY: &str = "probability";
const BY_RATE: &str = "rate";

impl Sample {
    pub(crate) fn new(options: SampleOptions, clock: Arc<dyn Clock>) -> Self {
        Self {
            options,
            clock,
            rates: Mutex::default(),
        }
    }

    fn rule(&self, span: SpanRef<'_>) -> Rule {
        let of_service = self.options.services.get(span.service());
        of_service.copied().unwrap_or(self.options.all)
    }

    fn by_probability(span: SpanRef<'_>, probability: f64) -> Verdict {
        let wanted = Threshold::of(probability);
        let state = span.trace_state();
        let sampled = if state.contains("ot=") {
            Sampled::of(state)
        } else {
            Sampled::default()
        };
        match (wanted, sampled.threshold) {
            (None, _) => Verdict::LeftOut(BY_PROBABILITY),
            (Some(wanted), Some(before)) if before >= wanted => Verdict::Kept,
            (Some(wanted), before) => {
                let randomness = sampled.randomness(span.trace_id().0);
                if !wanted.keeps(randomness) {
                    return Verdict::LeftOut(BY_PROBABILITY);
                }
                // Who keeps everything has nothing to say that was not known.
                if probability >= 1.0 && before.is_none() {
                    return Verdict::Kept;
                }
                Verdict::KeptBy(wanted)
            }
        }
    }

    fn judge(
        &self,
        span: SpanRef<'_>,
        forced: &Set<TraceId>,
        rates: &mut Option<Moment<'_>>,
    ) -> Verdict {
        let rule = self.rule(span);
        if forced.contains(&span.trace_id()) || is_forced(span) {
            return Verdict::Kept;
        }
        let verdict = match rule.probability {
            Some(probability) => Self::by_probability(span, probability),
            None => Verdict::Kept,
        };
        if matches!(verdict, Verdict::LeftOut(_)) || !rule.has_rate() {
            return verdict;
        }
        let may_pass = rates
            .as_mut()
            .is_none_or(|moment| moment.allow(rule, span.service(), span.trace_id()));
        if may_pass {
            verdict
        } else {
            Verdict::LeftOut(BY_RATE)
        }
    }
}

/// Writes thresholds into the trace states of the rows that have one.
struct Thresholds(Vec<Option<Threshold>>);

impl Rewrite for Thresholds {
    fn trace_state(&self, span: SpanRef<'_>) -> Option<String> {
        if plumbing::planted("process-threshold-not-written") {
            return None;
        }
        let threshold = self.0.get(span.row()).copied().flatten()?;
        Some(with_threshold(span.trace_state(), threshold))
    }
}

impl Step for Sample {
    fn apply(&self, with: &With<'_>, work: &mut Processed) {
        let has_rates =
            self.options.all.has_rate() || self.options.services.values().any(Rule::has_rate);
        let mut locked =
            has_rates.then(|| self.rates.lock().unwrap_or_else(PoisonError::into_inner));
        let mut moment = locked.as_mut().map(|rates| Moment {
            nanos: self.clock.monotonic_nanos(),
            rates,
        });
        let mut rows = Vec::with_capacity(work.batch.len());
        let mut thresholds = vec![None; work.batch.len()];
        let forced: Set<TraceId> = with.forced.iter().copied().collect();
        let mut left_out = [(BY_PROBABILITY, 0u64), (BY_RATE, 0)];
        for (span, threshold) in work.batch.iter().zip(&mut thresholds) {
            match self.judge(span, &forced, &mut moment) {
                Verdict::Kept => rows.push(span.row()),
                Verdict::KeptBy(by) => {
                    *threshold = Some(by);
                    rows.push(span.row());
                }
                Verdict::LeftOut(reason) => {
                    let counts = left_out.iter_mut().filter(|(of, _)| *of == reason);
                    counts.for_each(|(_, count)| *count += 1);
                }
            }
        }
        drop(locked);
        if thresholds.iter().all(Option::is_none) {
            keep_rows(work, &rows);
        } else if let Some(batch) = rewrite(&work.batch, &rows, &Thresholds(thresholds)) {
            work.batch = batch;
            work.is_changed = true;
        }
        let left_out = left_out.into_iter().filter(|(_, spans)| *spans > 0);
        let left_out = left_out.map(|(reason, spans)| FilteredSpans { reason, spans });
        work.filtered.extend(left_out);
    }
}

/// What rates remember.
#[derive(Default)]
struct Rates {
    services: Map<String, ServiceRates>,
    /// Verdicts about traces, by the service's number.
    young: Map<(u32, TraceId), bool>,
    old: Map<(u32, TraceId), bool>,
}

struct ServiceRates {
    number: u32,
    spans: Bucket,
    traces: Bucket,
}

/// Tokens that come at a rate; a second's worth at most is saved up.
struct Bucket {
    tokens: f64,
    nanos: u64,
}

impl Bucket {
    fn full(rate: Option<f64>, nanos: u64) -> Self {
        Self {
            tokens: rate.unwrap_or_default().max(1.0),
            nanos,
        }
    }

    fn take(&mut self, rate: f64, nanos: u64) -> bool {
        if rate <= 0.0 {
            return false;
        }
        let passed = std::time::Duration::from_nanos(nanos.saturating_sub(self.nanos));
        self.nanos = self.nanos.max(nanos);
        self.tokens = (self.tokens + passed.as_secs_f64() * rate).min(rate.max(1.0));
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

/// The rates at one moment.
struct Moment<'a> {
    nanos: u64,
    rates: &'a mut Rates,
}

impl Moment<'_> {
    /// Whether a span may pass, as far as rates go.
    fn allow(&mut self, rule: Rule, service: &str, trace_id: TraceId) -> bool {
        let rates = &mut *self.rates;
        let service = service.get(..service.floor_char_boundary(NAME_BYTES_MAX));
        let service = service.unwrap_or_default();
        let is_known = rates.services.contains_key(service);
        let name = if is_known || rates.services.len() < SERVICES_MAX {
            service
        } else {
            OTHER_SERVICES
        };
        let number = u32::try_from(rates.services.len()).unwrap_or(u32::MAX);
        let nanos = self.nanos;
        let of_service = rates
            .services
            .entry_ref(name)
            .or_insert_with(|| ServiceRates {
                number,
                spans: Bucket::full(rule.spans_per_second, nanos),
                traces: Bucket::full(rule.traces_per_second, nanos),
            });
        if let Some(rate) = rule.traces_per_second {
            let key = (of_service.number, trace_id);
            let known = rates.young.get(&key).or_else(|| rates.old.get(&key));
            let verdict = match known {
                Some(verdict) => *verdict,
                None => of_service.traces.take(rate, nanos),
            };
            if rates.young.len() >= TRACES_MAX {
                rates.old = std::mem::take(&mut rates.young);
            }
            rates.young.insert(key, verdict);
            if !verdict {
                return false;
            }
        }
        rule.spans_per_second
            .is_none_or(|rate| of_service.spans.take(rate, nanos))
    }
}
