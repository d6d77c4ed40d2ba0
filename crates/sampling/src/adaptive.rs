//! Decides with which probability each operation's traces are recorded, so that a wanted number comes a second.
//!
//! Each interval a collector keeps how many traces began at which operation; the one that leads estimates from the
//! last intervals how many there *would* be if all were recorded, and chooses the probability that gives the target.
//!
//! - A trace whose first span says its probability stands for 1 / probability traces, whatever was decided meanwhile.
//!   The rate is the likeliest one: recorded traces by seconds, each second counted as its probability.
//! - A plain one (OpenTelemetry's SDKs say nothing) was recorded with the probability that its client was told. Clients
//!   ask once a minute, so plain traces of slices that begin sooner than [`CLIENT_REFRESH`] after a decision say
//!   nothing.
//! - Slices are added newest first, until there are enough traces to be sure, or one differs by more than chance does:
//!   then the traffic has changed, and what is older says nothing.
//! - A probability falls as soon as the estimate says so. It rises no further than the traffic that can be believed at
//!   most allows; where nothing was recorded at all, that is three expected traces.
//! - An operation that was never seen has its service's probability for all such: it is believed to have at most the
//!   traffic of all known ones together. While none is known it rises as for one of which nothing was recorded.
//!
//! Works on any spans, unlike Jaeger's, which only knows those of its own clients. Services that don't follow (a
//! client that records everything whatever it is told) end at the smallest probability, which they don't ask for.
//!
//! Source for the idea, the options and the form of the answer: Jaeger's adaptive sampling.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use codec::generated::jaeger::api_v2::{
    OperationSamplingStrategy, PerOperationSamplingStrategies, ProbabilisticSamplingStrategy,
    SamplingStrategyType,
};
use model::SpanBatch;
use model::recorded::{Recorded, recorded};
use model::throughput::{
    Decision, Decisions, NAME_BYTES_MAX, OPERATIONS_MAX, Throughput, ThroughputSlice,
};

use crate::{FileStrategies, Strategies, Strategy};

/// How often clients ask, at the latest, unless somebody has changed it.
pub const CLIENT_REFRESH: Duration = Duration::from_secs(60);
/// So many traces are enough for an estimate: chance then makes it wrong by 5 %.
const ENOUGH_TRACES: f64 = 400.0;
/// So many make it good enough to be used in both directions.
const MANY_TRACES: f64 = 100.0;
/// Differences of more standard deviations are no chance.
const DEVIATIONS_MAX: f64 = 3.0;
/// Where no trace was recorded, fewer than so many were to be expected (95 % sure).
const UNSEEN_TRACES_MAX: f64 = 3.0;
/// A probability rises at most so much at once.
const RISE_MAX: f64 = 20.0;
/// An operation that was not seen for so long is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The operation that stands for all that were never seen; spans without a name have no probability of their own.
const UNSEEN: &str = "";

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveOptions {
    /// Traces a second of each operation.
    pub target: f64,
    /// A probability stays while what it gives differs from the target by less than this share.
    pub tolerance: f64,
    /// What an operation is told before something is known of it.
    pub initial_probability: f64,
    /// The smallest probability.
    pub min_probability: f64,
    /// Traces a second that clients record of each operation whatever the probability, if they can.
    pub min_samples: f64,
}

impl Default for AdaptiveOptions {
    fn default() -> Self {
        Self {
            target: 1.0,
            tolerance: 0.1,
            initial_probability: 0.001,
            min_probability: 1e-5,
            min_samples: 1.0 / 60.0,
        }
    }
}

/// Strategies that follow the traffic; services that a file names have what the file says.
#[derive(Debug)]
pub struct Adaptive {
    options: AdaptiveOptions,
    file: Arc<FileStrategies>,
    counting: Mutex<Counting>,
    told: RwLock<Arc<Told>>,
}

/// What clients are told.
#[derive(Debug, Default)]
struct Told {
    strategies: HashMap<String, Strategy>,
    /// Where it comes from; `since` is when this collector began to tell it.
    decided: BTreeMap<String, BTreeMap<String, Decision>>,
}

/// The traces that begin in a batch: what is counted of it once it is kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Beginnings(Vec<(String, String, Recorded)>);

impl Beginnings {
    /// Those of a batch. A span without a service or a name begins nothing that could be told a probability.
    #[must_use]
    pub fn of(batch: &SpanBatch) -> Self {
        let parents = batch.spans().parent_span_id.iter().zip(0..);
        let roots = parents.filter(|(parent, _)| parent.is_zero());
        let spans = roots.filter_map(|(_, row)| batch.span(row));
        let named = spans.filter(|span| !span.service().is_empty() && !span.name().is_empty());
        let beginnings = named.map(|span| {
            let (service, operation) = (span.service().to_owned(), span.name().to_owned());
            (service, operation, recorded(span))
        });
        Self(beginnings.collect())
    }

    /// Tells whether no trace begins.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[derive(Debug, Default)]
struct Counting {
    by_service: HashMap<String, HashMap<String, Throughput>>,
    operations: usize,
    left_out: u64,
}

impl Adaptive {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(options: AdaptiveOptions, file: Arc<FileStrategies>) -> Self {
        Self {
            options,
            file,
            counting: Mutex::default(),
            told: RwLock::default(),
        }
    }

    /// Counts the traces that begin in a batch that was kept.
    pub fn observe(&self, batch: &SpanBatch) {
        self.count(&Beginnings::of(batch));
    }

    /// Counts traces that began.
    pub fn count(&self, beginnings: &Beginnings) {
        let mut counting = self.counting.lock().unwrap_or_else(PoisonError::into_inner);
        for (service, operation, recorded) in &beginnings.0 {
            counting.count(service, operation, *recorded);
        }
    }

    /// Takes what was counted, as the slice between two moments (ns since the epoch).
    pub fn take_slice(&self, start: u64, end: u64) -> ThroughputSlice {
        let counting = {
            let mut counting = self.counting.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *counting)
        };
        if counting.left_out > 0 {
            tracing::warn!(
                traces = counting.left_out,
                operations_max = OPERATIONS_MAX,
                "operations beyond the limit have no probability of their own"
            );
        }
        let told = self.told();
        let counted = counting
            .by_service
            .into_values()
            .flat_map(HashMap::into_values);
        let mut of: Vec<Throughput> = counted
            .map(|counted| self.weighed(counted, &told, start))
            .collect();
        of.sort_by(|a, b| (&a.service, &a.operation).cmp(&(&b.service, &b.operation)));
        ThroughputSlice { start, end, of }
    }

    /// Plain traces stand for as many as by the probability that their clients were told, once all were.
    fn weighed(&self, mut counted: Throughput, told: &Told, start: u64) -> Throughput {
        let of_service = told.decided.get(&counted.service);
        let decision =
            of_service.and_then(|of| of.get(&counted.operation).or_else(|| of.get(UNSEEN)));
        let (probability, is_settled) = decision
            .map_or((self.options.initial_probability, true), |decision| {
                (decision.probability, is_settled(decision, start))
            });
        if is_settled {
            #[allow(clippy::cast_precision_loss, reason = "a count of a minute")]
            let plain = counted.plain as f64;
            counted.told_weight += plain / probability;
            counted.told += std::mem::take(&mut counted.plain);
        }
        counted
    }

    fn told(&self) -> Arc<Told> {
        Arc::clone(&self.told.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Decides anew, from the slices of all collectors.
    #[must_use]
    pub fn decide(&self, slices: &[ThroughputSlice], before: &Decisions, now: u64) -> Decisions {
        decide(&self.options, slices, before, now)
    }

    /// From now on (ns since the epoch) clients are told what was decided.
    pub fn adopt(&self, decisions: &Decisions, now: u64) {
        let before = self.told();
        let strategies = decisions.of.iter().map(|(service, operations)| {
            let unseen = operations.get(UNSEEN).map(|of| of.probability);
            let seen = operations.iter().filter(|(name, _)| *name != UNSEEN);
            let strategies = seen.map(|(operation, decision)| OperationSamplingStrategy {
                operation: operation.clone(),
                probabilistic_sampling: Some(ProbabilisticSamplingStrategy {
                    sampling_rate: decision.probability,
                }),
            });
            let strategy = self.strategy_of(unseen, strategies.collect());
            (service.clone(), strategy)
        });
        let strategies = strategies.collect();
        let mut decided = decisions.of.clone();
        for (service, operations) in &mut decided {
            let known = before.decided.get(service);
            for (operation, decision) in operations {
                let known = known.and_then(|of| of.get(operation));
                #[allow(clippy::float_cmp, reason = "unchanged means the very same number")]
                let unchanged = known.filter(|known| known.probability == decision.probability);
                // The one that decides may have done so a while ago, but a start only goes on.
                decision.since = match unchanged {
                    Some(known) => known.since,
                    None if before.decided.is_empty() => decision.since,
                    None => decision.since.max(now),
                };
            }
        }
        let told = Arc::new(Told {
            strategies,
            decided,
        });
        *self.told.write().unwrap_or_else(PoisonError::into_inner) = told;
    }

    fn strategy_of(
        &self,
        unseen: Option<f64>,
        operations: Vec<OperationSamplingStrategy>,
    ) -> Strategy {
        let options = &self.options;
        let unseen = unseen.unwrap_or(options.initial_probability);
        Strategy {
            strategy_type: SamplingStrategyType::Probabilistic.into(),
            probabilistic_sampling: Some(ProbabilisticSamplingStrategy {
                sampling_rate: unseen,
            }),
            rate_limiting_sampling: None,
            operation_sampling: Some(PerOperationSamplingStrategies {
                default_sampling_probability: unseen,
                default_lower_bound_traces_per_second: options.min_samples,
                per_operation_strategies: operations,
                default_upper_bound_traces_per_second: 0.0,
            }),
        }
    }
}

impl Strategies for Adaptive {
    fn strategy(&self, service: &str) -> Strategy {
        if let Some(named) = self.file.named(service) {
            return named;
        }
        {
            let mut counting = self.counting.lock().unwrap_or_else(PoisonError::into_inner);
            counting.find(service, UNSEEN);
        }
        let told = self.told();
        told.strategies
            .get(service)
            .cloned()
            .unwrap_or_else(|| self.strategy_of(None, Vec::new()))
    }
}

impl Counting {
    /// The count of an operation, which is begun when it is new and there is room.
    fn find(&mut self, service: &str, operation: &str) -> Option<&mut Throughput> {
        let is_known = |of: &HashMap<String, Throughput>| of.contains_key(operation);
        if !self.by_service.get(service).is_some_and(is_known) {
            let is_too_long = service.len() > NAME_BYTES_MAX || operation.len() > NAME_BYTES_MAX;
            if is_too_long || self.operations >= OPERATIONS_MAX {
                return None;
            }
            self.operations += 1;
            let counted = Throughput {
                service: service.to_owned(),
                operation: operation.to_owned(),
                ..Throughput::default()
            };
            let of_service = self.by_service.entry(service.to_owned()).or_default();
            of_service.insert(operation.to_owned(), counted);
        }
        self.by_service.get_mut(service)?.get_mut(operation)
    }

    fn count(&mut self, service: &str, operation: &str, recorded: Recorded) {
        let Some(counted) = self.find(service, operation) else {
            self.left_out += 1;
            return;
        };
        match recorded {
            Recorded::Unsaid => counted.plain += 1,
            Recorded::WithProbability(probability) => {
                counted.told += 1;
                let is_ignored = plumbing::planted("sampling-told-probability-ignored");
                counted.told_weight += if is_ignored { 1.0 } else { 1.0 / probability };
            }
            // It is seen, and says nothing about how many there are.
            Recorded::Otherwise => {}
        }
    }
}

/// What several collectors counted of one operation between two moments.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    plain: f64,
    told: f64,
    told_weight: f64,
}

/// Slices of several collectors that end in the same interval are one.
#[derive(Debug)]
struct Interval<'a> {
    start: u64,
    end: u64,
    of: BTreeMap<(&'a str, &'a str), Counted>,
}

fn decide(
    options: &AdaptiveOptions,
    slices: &[ThroughputSlice],
    before: &Decisions,
    now: u64,
) -> Decisions {
    let intervals = intervals(slices);
    let mut seen: BTreeMap<&str, BTreeMap<&str, Option<Decision>>> = BTreeMap::new();
    for (service, of_service) in &before.of {
        let known = seen.entry(service).or_default();
        known.extend(
            of_service
                .iter()
                .map(|(name, decision)| (name.as_str(), Some(*decision))),
        );
    }
    for (service, operation) in intervals.iter().flat_map(|interval| interval.of.keys()) {
        let known = seen.entry(service).or_default();
        known.entry(operation).or_insert(None);
        known.entry(UNSEEN).or_insert(None);
    }
    let mut room = OPERATIONS_MAX;
    let of = seen.into_iter().map(|(service, known)| {
        let of_service = decide_service(options, &intervals, (service, known), now);
        (service.to_owned(), of_service)
    });
    let of = of.take_while(|(_, of_service)| {
        let left = room.checked_sub(of_service.len());
        room = left.unwrap_or_default();
        left.is_some()
    });
    Decisions {
        made: now,
        of: of
            .filter(|(_, of_service)| !of_service.is_empty())
            .collect(),
    }
}

fn decide_service(
    options: &AdaptiveOptions,
    intervals: &[Interval<'_>],
    (service, known): (&str, BTreeMap<&str, Option<Decision>>),
    now: u64,
) -> BTreeMap<String, Decision> {
    // What nothing is known of was told to all from the start.
    let initial = Decision {
        probability: options.initial_probability,
        since: 0,
        seen: now,
    };
    let unseen = known.get(UNSEEN).copied().flatten().unwrap_or(initial);
    let mut decided = BTreeMap::new();
    let (mut rate, mut is_any_known) = (0.0, false);
    for (operation, decision) in &known {
        let newest = intervals
            .iter()
            .find(|interval| interval.of.contains_key(&(service, *operation)));
        let mut decision = decision.unwrap_or(unseen);
        decision.seen = newest.map_or(decision.seen, |interval| interval.end.max(decision.seen));
        if now.saturating_sub(decision.seen) > nanos(FORGOTTEN_AFTER) {
            continue;
        }
        let estimate = estimate(intervals, (service, operation), decision);
        if *operation != UNSEEN {
            is_any_known = true;
            rate += estimate.map_or(options.target / decision.probability, Estimate::rate);
        }
        if let Some(estimate) = estimate {
            let probability = choose(options, decision.probability, estimate);
            change(&mut decision, probability, now);
        }
        decided.insert((*operation).to_owned(), decision);
    }
    if let (true, Some(unseen)) = (is_any_known, decided.get_mut(UNSEEN)) {
        let probability = options.target / rate.max(f64::MIN_POSITIVE);
        change(
            unseen,
            probability.clamp(options.initial_probability, 1.0),
            now,
        );
    }
    decided
}

fn change(decision: &mut Decision, probability: f64, now: u64) {
    #[allow(clippy::float_cmp, reason = "unchanged means the very same number")]
    if probability != decision.probability {
        decision.probability = probability;
        decision.since = now;
    }
}

/// Slices joined by where they end, newest first.
fn intervals(slices: &[ThroughputSlice]) -> Vec<Interval<'_>> {
    let mut sorted: Vec<&ThroughputSlice> = slices.iter().collect();
    sorted.sort_by_key(|slice| std::cmp::Reverse(slice.end));
    let mut intervals: Vec<Interval<'_>> = Vec::new();
    for slice in sorted {
        let middle = slice.start + slice.end.saturating_sub(slice.start) / 2;
        let is_same = intervals
            .last()
            .is_some_and(|last| middle < last.end && middle >= last.start);
        if !is_same {
            intervals.push(Interval {
                start: slice.start,
                end: slice.end,
                of: BTreeMap::new(),
            });
        }
        let Some(interval) = intervals.last_mut() else {
            continue;
        };
        for one in &slice.of {
            let counted = interval
                .of
                .entry((&one.service, &one.operation))
                .or_default();
            #[allow(clippy::cast_precision_loss, reason = "counts of minutes")]
            {
                counted.plain += one.plain as f64;
                counted.told += one.told as f64;
            }
            counted.told_weight += one.told_weight;
        }
    }
    intervals
}

/// Tells whether all clients were told a probability before some moment.
fn is_settled(decision: &Decision, moment: u64) -> bool {
    let refreshed = decision.since.saturating_add(nanos(CLIENT_REFRESH));
    decision.since == 0 || moment >= refreshed
}

/// What is known of how many traces there are.
#[derive(Debug, Clone, Copy)]
struct Estimate {
    /// Traces that were recorded.
    recorded: f64,
    /// Seconds, each counted as the probability with which a trace of it was recorded.
    exposure: f64,
}

impl Estimate {
    /// Traces a second, recorded or not.
    fn rate(self) -> f64 {
        self.recorded / self.exposure
    }
}

fn estimate(
    intervals: &[Interval<'_>],
    name: (&str, &str),
    decision: Decision,
) -> Option<Estimate> {
    let mut sum: Option<Estimate> = None;
    for interval in intervals {
        let counted = interval.of.get(&name).copied().unwrap_or_default();
        // What clients were told in it is not known; nor, where nothing came, what it would have said.
        let is_in_doubt = counted.told == 0.0 && !is_settled(&decision, interval.start);
        if counted.plain > 0.0 || is_in_doubt {
            continue;
        }
        let probability = if counted.told > 0.0 {
            counted.told / counted.told_weight
        } else {
            decision.probability
        };
        let one = Estimate {
            recorded: counted.told,
            exposure: probability * seconds(interval.end.saturating_sub(interval.start)),
        };
        let Some(before) = sum else {
            sum = Some(one);
            continue;
        };
        if before.recorded >= ENOUGH_TRACES || differ(before, one) {
            break;
        }
        sum = Some(Estimate {
            recorded: before.recorded + one.recorded,
            exposure: before.exposure + one.exposure,
        });
    }
    sum.filter(|sum| sum.exposure > 0.0)
}

/// Tells whether two rates differ by more than chance explains, both counted with noise of a Poisson kind.
fn differ(a: Estimate, b: Estimate) -> bool {
    // Half a trace more keeps zero from being certain.
    let deviation = |of: Estimate| (of.recorded + 0.5).sqrt() / of.exposure;
    let off = deviation(a).hypot(deviation(b));
    (a.rate() - b.rate()).abs() > DEVIATIONS_MAX * off
}

fn choose(options: &AdaptiveOptions, now: f64, estimate: Estimate) -> f64 {
    let clamp = |probability: f64| probability.clamp(options.min_probability, 1.0);
    if estimate.recorded <= 0.0 {
        // As many as could be there without one of them having been recorded.
        let most = UNSEEN_TRACES_MAX / estimate.exposure;
        let allowed = options.target / most;
        return clamp(allowed.clamp(now, now * RISE_MAX));
    }
    let rate = estimate.rate();
    let expected = now * rate;
    if (expected - options.target).abs() <= options.tolerance * options.target {
        return now;
    }
    let wanted = options.target / rate;
    if wanted < now || estimate.recorded >= MANY_TRACES {
        return clamp(wanted.min(now * RISE_MAX));
    }
    let most = rate * (1.0 + 2.0 / estimate.recorded.sqrt());
    clamp((options.target / most).clamp(now, now * RISE_MAX))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[allow(clippy::cast_precision_loss, reason = "a time between two decisions")]
fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}
