//! What any correct system must answer about a corpus, counted while it is generated.
//!
//! Promises: exact for the whole corpus; memory grows only with the sampled traces and the traces of the rare and slow
//! lists (about one trace in 65, in 2,500, and in 700).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use opentelemetry_proto::tonic::{resource::v1::Resource, trace::v1::Span};
use rand::{RngCore, SeedableRng, rngs::SmallRng};
use serde::{Deserialize, Serialize};

use super::{
    catalogue::Service,
    options::{CorpusOptions, Profile},
    question::{Question, Watch, hex, watches},
    trace::{STATUS_ERROR, TraceBuilder, TraceId, kind},
};

/// A checkout span longer than this puts its trace into [`Truth::slow_checkout`].
const SLOW_CHECKOUT_NS: u64 = 250_000_000;
/// Of the traces, every so many-th is in the sample …
const SAMPLE_EVERY: u64 = 97;
/// … and of those with an order every so many-th.
const SAMPLE_ORDER_EVERY: u64 = 29;
/// How many ids are given that no trace has.
const ABSENT_TRACES: usize = 20;

/// One trace of the sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceTruth {
    /// Hex id.
    pub id: String,
    /// How many spans it has.
    pub spans: usize,
    /// Start of its earliest span, microseconds since 1970, cut.
    pub start_us: u64,
    /// End of its latest span, microseconds since 1970, cut.
    pub end_us: u64,
    /// Its `app.order.id`, if it is an order.
    pub order_id: Option<String>,
    /// Whether a span has the status "error".
    pub error: bool,
    /// Services with a span in it, in the catalogue's order.
    pub services: Vec<String>,
}

/// A span name of a service with the kind it has there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OperationTruth {
    /// The span name.
    pub name: String,
    /// `internal`, `server`, `client`, `producer` or `consumer`.
    pub span_kind: String,
}

/// Everything that is known of a corpus. Hex ids throughout; maps are sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Truth {
    /// The profile's name.
    pub profile: String,
    /// Number of spans.
    pub spans: u64,
    /// Number of traces.
    pub traces: u64,
    /// Number of requests.
    pub requests: u64,
    /// Bytes of all requests together, without the lengths of the record format.
    pub bytes: u64,
    /// Begin of the window in microseconds; no span starts earlier.
    pub start_us: u64,
    /// End of the window in microseconds; the last spans may end later, see `latest_end_ns`.
    pub end_us: u64,
    /// Start of the earliest span.
    pub earliest_start_ns: u64,
    /// End of the latest span.
    pub latest_end_ns: u64,
    /// Services that have a span, in the catalogue's order.
    pub services: Vec<String>,
    /// Spans of each service.
    pub spans_by_service: BTreeMap<String, u64>,
    /// Traces with a span of each service.
    pub traces_by_service: BTreeMap<String, u64>,
    /// Spans with the status "error" of each service that has some.
    pub error_spans_by_service: BTreeMap<String, u64>,
    /// Spans with the status "error".
    pub error_spans: u64,
    /// Traces with such a span.
    pub error_traces: u64,
    /// `caller->callee`: child spans of another service's span.
    pub edges: BTreeMap<String, u64>,
    /// `parent->child`: as `edges`, but with the calls of a service to itself, as Jaeger counts dependencies.
    pub calls: BTreeMap<String, u64>,
    /// Operations of each service, sorted.
    pub operations: BTreeMap<String, Vec<OperationTruth>>,
    /// Some traces in detail, in the order of sending.
    pub sample: Vec<TraceTruth>,
    /// All traces with a span of the service `checkout` longer than 250 ms, in the order of sending.
    pub slow_checkout: Vec<String>,
    /// All traces with a span that bears `app.user.tier=platinum-founder`, in the order of sending.
    pub rare_attr: Vec<String>,
    /// Ids that no trace has.
    pub absent_traces: Vec<String>,
    /// Searches with their answers.
    pub questions: Vec<Question>,
}

impl Truth {
    /// Gives the question of this name.
    #[must_use]
    pub fn question(&self, name: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.name == name)
    }
}

/// What is counted of one service; maps and sets by numbers and names, so that a span costs no new text.
#[derive(Debug, Default)]
struct ServiceCount {
    spans: u64,
    traces: u64,
    error_spans: u64,
    operations: BTreeMap<String, BTreeSet<i32>>,
}

impl ServiceCount {
    fn count(&mut self, span: &Span) {
        self.spans += 1;
        self.error_spans += u64::from(has_error(span));
        match self.operations.get_mut(&span.name) {
            Some(kinds) => {
                kinds.insert(span.kind);
            }
            None => {
                self.operations
                    .insert(span.name.clone(), BTreeSet::from([span.kind]));
            }
        }
    }
}

fn has_error(span: &Span) -> bool {
    span.status
        .as_ref()
        .is_some_and(|status| status.code == STATUS_ERROR)
}

/// Counts a corpus, trace by trace.
#[derive(Debug)]
pub(super) struct TruthKeeper {
    truth: Truth,
    seed: u64,
    profile: Profile,
    by_service: BTreeMap<Service, ServiceCount>,
    calls: BTreeMap<(Service, Service), u64>,
    resources: BTreeMap<(Service, usize), Resource>,
    watches: Vec<Watch>,
}

impl TruthKeeper {
    pub(super) fn new(options: &CorpusOptions) -> Self {
        let start_us = options.start_unix_seconds * 1_000_000;
        let end_us = start_us + options.window_seconds * 1_000_000;
        Self {
            truth: Truth {
                profile: options.profile.name().to_owned(),
                start_us,
                end_us,
                ..Truth::default()
            },
            seed: options.seed,
            profile: options.profile,
            by_service: BTreeMap::new(),
            calls: BTreeMap::new(),
            resources: BTreeMap::new(),
            watches: watches(options.profile),
        }
    }

    /// Spans counted so far.
    pub(super) fn spans(&self) -> u64 {
        self.truth.spans
    }

    /// Traces counted so far.
    pub(super) fn traces(&self) -> u64 {
        self.truth.traces
    }

    pub(super) fn count_request(&mut self, bytes: usize) {
        self.truth.requests += 1;
        self.truth.bytes += bytes as u64;
    }

    /// Counts one whole trace.
    pub(super) fn count_trace(&mut self, trace: &TraceBuilder<'_>) {
        let starts = trace
            .spans
            .iter()
            .map(|placed| placed.span.start_time_unix_nano);
        let ends = trace
            .spans
            .iter()
            .map(|placed| placed.span.end_time_unix_nano);
        let (Some(start_ns), Some(end_ns)) = (starts.min(), ends.max()) else {
            return;
        };
        self.count_services(trace);
        self.count_calls(trace);
        self.judge_questions(trace, start_ns);
        self.list_trace(trace, start_ns, end_ns);

        let truth = &mut self.truth;
        let is_first = truth.traces == 0;
        truth.earliest_start_ns = if is_first {
            start_ns
        } else {
            truth.earliest_start_ns.min(start_ns)
        };
        truth.latest_end_ns = truth.latest_end_ns.max(end_ns);
        truth.spans += trace.spans.len() as u64;
        truth.error_traces += u64::from(trace.has_error);
        truth.traces += 1;
    }

    fn count_services(&mut self, trace: &TraceBuilder<'_>) {
        for placed in &trace.spans {
            self.by_service
                .entry(placed.service)
                .or_default()
                .count(&placed.span);
        }
        for service in services_of(trace) {
            self.by_service.entry(service).or_default().traces += 1;
        }
    }

    fn count_calls(&mut self, trace: &TraceBuilder<'_>) {
        let owners: HashMap<&[u8], Service> = trace
            .spans
            .iter()
            .map(|placed| (placed.span.span_id.as_slice(), placed.service))
            .collect();
        for placed in &trace.spans {
            if let Some(parent) = owners.get(placed.span.parent_span_id.as_slice()) {
                *self.calls.entry((*parent, placed.service)).or_default() += 1;
            }
        }
    }

    fn judge_questions(&mut self, trace: &TraceBuilder<'_>, start_ns: u64) {
        for placed in &trace.spans {
            let place = (placed.service, placed.replica);
            self.resources
                .entry(place)
                .or_insert_with(|| placed.service.resource(placed.replica));
        }
        let spans: Vec<(Service, &Resource, &Span)> = trace
            .spans
            .iter()
            .filter_map(|placed| {
                let resource = self.resources.get(&(placed.service, placed.replica))?;
                Some((placed.service, resource, &placed.span))
            })
            .collect();
        for watch in &mut self.watches {
            watch.judge(start_ns, trace.trace_id, &spans);
        }
    }

    fn list_trace(&mut self, trace: &TraceBuilder<'_>, start_ns: u64, end_ns: u64) {
        let truth = &mut self.truth;
        let nth = truth.traces;
        let is_slow = trace.spans.iter().any(|placed| {
            let span = &placed.span;
            placed.service == Service::CHECKOUT
                && span.end_time_unix_nano - span.start_time_unix_nano > SLOW_CHECKOUT_NS
        });
        if is_slow {
            truth.slow_checkout.push(hex(&trace.trace_id));
        }
        // The unkind profile draws the rare user too, but no span of it tells.
        if trace.is_rare && self.profile == Profile::Kind {
            truth.rare_attr.push(hex(&trace.trace_id));
        }
        if nth.is_multiple_of(SAMPLE_EVERY)
            || (trace.order.is_some() && nth.is_multiple_of(SAMPLE_ORDER_EVERY))
        {
            truth.sample.push(TraceTruth {
                id: hex(&trace.trace_id),
                spans: trace.spans.len(),
                start_us: start_ns / 1000,
                end_us: end_ns / 1000,
                order_id: trace.order.clone(),
                error: trace.has_error,
                services: services_of(trace)
                    .into_iter()
                    .map(|service| service.name().to_owned())
                    .collect(),
            });
        }
    }

    /// Gives the truth of all that was counted.
    pub(super) fn into_truth(self) -> Truth {
        let mut truth = self.truth;
        for (service, count) in self.by_service {
            let name = service.name().to_owned();
            truth.services.push(name.clone());
            truth.error_spans += count.error_spans;
            truth.spans_by_service.insert(name.clone(), count.spans);
            truth.traces_by_service.insert(name.clone(), count.traces);
            if count.error_spans > 0 {
                truth
                    .error_spans_by_service
                    .insert(name.clone(), count.error_spans);
            }
            truth.operations.insert(name, operations(count.operations));
        }
        for ((parent, child), count) in self.calls {
            let edge = format!("{}->{}", parent.name(), child.name());
            if parent != child {
                truth.edges.insert(edge.clone(), count);
            }
            truth.calls.insert(edge, count);
        }
        truth.absent_traces = absent_traces(self.seed);
        truth.questions = self
            .watches
            .into_iter()
            .filter_map(Watch::into_question)
            .collect();
        truth
    }
}

fn services_of(trace: &TraceBuilder<'_>) -> BTreeSet<Service> {
    trace.spans.iter().map(|placed| placed.service).collect()
}

fn operations(kinds_by_name: BTreeMap<String, BTreeSet<i32>>) -> Vec<OperationTruth> {
    let mut operations = Vec::new();
    for (name, kinds) in kinds_by_name {
        let names = kinds.into_iter().map(|kind| kind_name(kind).to_owned());
        operations.extend(names.map(|span_kind| OperationTruth {
            name: name.clone(),
            span_kind,
        }));
    }
    operations.sort();
    operations
}

fn kind_name(number: i32) -> &'static str {
    match number {
        kind::INTERNAL => "internal",
        kind::SERVER => "server",
        kind::CLIENT => "client",
        kind::PRODUCER => "producer",
        kind::CONSUMER => "consumer",
        _ => "unspecified",
    }
}

/// Every trace id of a corpus has an odd first byte, so these, with an even one, are absent.
fn absent_traces(seed: u64) -> Vec<String> {
    let mut rng = SmallRng::seed_from_u64(!seed);
    let mut absent = || {
        let mut id: TraceId = [0; 16];
        rng.fill_bytes(&mut id);
        id[0] = (id[0] & !1) | 2;
        hex(&id)
    };
    (0..ABSENT_TRACES).map(|_| absent()).collect()
}
