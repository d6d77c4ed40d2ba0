//! What must be found, span by span, and the comparison of the engine with it.
//!
//! A request is *kept* once it was acknowledged, or once a start has shown it. A request that was refused is *open*
//! until the next start: then it is kept whole or gone whole. Spans that retention removed are gone from what was sent
//! before. The answers that are due come from `testkit::oracle`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bytes::Bytes;
use futures_util::FutureExt;
use model::contract::{DependencyLink, SearchRequest, SpanReader, Window};
use model::outline::spans_with_ids;
use model::rates::{RatesOf, RatesRequest};
use model::{BatchBuilder, Predicate, SpanBatch, SpanId, TenantId, TraceId, TraceOutline};
use rand::Rng;
use rand::rngs::SmallRng;
use testkit::oracle::OracleStore;

use super::first_spans::compare_first_spans;
use super::machine::links;
use super::questions::{self, compare_overview, compare_search};
use super::traffic::decode;
use crate::engine::{Engine, lock};

/// A span by its content.
pub(super) type Key = (TenantId, TraceId, SpanId, u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Kept,
    Open,
    Gone,
}

#[derive(Debug)]
struct Sent {
    tenant: TenantId,
    batch: SpanBatch,
    fate: Fate,
}

#[derive(Debug, Default)]
pub(super) struct Truth {
    sent: Vec<Sent>,
    /// Retention removed the span from all requests before this one.
    removed: HashMap<Key, usize>,
    /// Retention may have removed these: it failed half-way.
    perhaps_removed: HashSet<Key>,
    /// Traces that retention must leave.
    pinned: BTreeSet<(TenantId, TraceId)>,
    /// Those that it may leave: a pin, or its end, failed.
    perhaps_pinned: BTreeSet<(TenantId, TraceId)>,
    /// Traces may be dropped: their services stay known as long as they are counted.
    is_judged: bool,
}

pub(super) fn keys<'a>(
    tenant: &'a TenantId,
    batch: &'a SpanBatch,
) -> impl Iterator<Item = Key> + 'a {
    batch.iter().map(|s| {
        (
            tenant.clone(),
            s.trace_id(),
            s.span_id(),
            batch.span_hash(s.row()),
        )
    })
}

/// The keys that the engine finds for some traces.
fn found_keys(engine: &Engine, tenant: &TenantId, traces: &BTreeSet<TraceId>) -> HashSet<Key> {
    let mut found = HashSet::new();
    for trace_id in traces {
        let answer = engine.trace(tenant, *trace_id).unwrap();
        assert_eq!(answer.skipped, []);
        found.extend(keys(tenant, &answer.spans));
    }
    found
}

impl Truth {
    pub(super) fn new(is_judged: bool) -> Self {
        Self {
            is_judged,
            ..Self::default()
        }
    }

    /// Notes spans of traces that were dropped.
    pub(super) fn note_dropped<'k>(&mut self, keys: impl Iterator<Item = &'k Key>) {
        for key in keys {
            let of = (key.0.clone(), key.1);
            assert!(
                !self.pinned.contains(&of),
                "{of:?} is pinned and was dropped"
            );
            self.removed.insert(key.clone(), self.sent.len());
        }
    }

    /// Notes spans that may have been dropped: a merge failed half-way.
    pub(super) fn note_perhaps_dropped<'k>(&mut self, keys: impl Iterator<Item = &'k Key>) {
        for key in keys {
            if !self.pinned.contains(&(key.0.clone(), key.1)) {
                self.perhaps_removed.insert(key.clone());
            }
        }
    }

    /// Tells whether a trace is pinned, or a pin of it failed.
    pub(super) fn may_be_pinned(&self, of: &(TenantId, TraceId)) -> bool {
        self.pinned.contains(of) || self.perhaps_pinned.contains(of)
    }

    /// Notes what became of a request.
    pub(super) fn note(&mut self, tenant: &TenantId, otlp: &Bytes, is_acknowledged: bool) {
        let fate = if is_acknowledged {
            Fate::Kept
        } else {
            Fate::Open
        };
        self.sent.push(Sent {
            tenant: tenant.clone(),
            batch: decode(otlp),
            fate,
        });
    }

    /// Notes what came of an attempt to pin a trace.
    pub(super) fn note_pin(&mut self, of: (TenantId, TraceId), is_pinned: Result<bool, ()>) {
        match is_pinned {
            Ok(true) => {
                self.perhaps_pinned.remove(&of);
                self.pinned.insert(of);
            }
            // Nothing of it is there, and it is not pinned.
            Ok(false) => {
                self.perhaps_pinned.remove(&of);
                assert!(!self.pinned.contains(&of), "{of:?} was pinned");
            }
            Err(()) if self.pinned.contains(&of) => {}
            Err(()) => drop(self.perhaps_pinned.insert(of)),
        }
    }

    /// Notes what came of an attempt to unpin a trace.
    pub(super) fn note_unpin(&mut self, of: (TenantId, TraceId), was_pinned: Result<bool, ()>) {
        let is_known = self.pinned.remove(&of);
        match was_pinned {
            Ok(was_pinned) => {
                let was_perhaps = self.perhaps_pinned.remove(&of);
                assert!(
                    was_pinned == is_known || was_perhaps,
                    "{of:?} was {is_known}"
                );
            }
            Err(()) => {
                if is_known {
                    self.perhaps_pinned.insert(of);
                }
            }
        }
    }

    /// The pins are those that were acknowledged, and perhaps some that were not. Once the list was written after a
    /// start there is no doubt.
    pub(super) fn check_pins(&mut self, engine: &Engine, is_after_start: bool) {
        let is_certain = is_after_start && lock(&engine.manifest).is_settled();
        for number in 0..2 {
            let tenant = super::traffic::tenant(number);
            let found = engine.pins(&tenant).into_iter();
            let found: BTreeSet<_> = found.map(|pin| (tenant.clone(), pin.trace_id)).collect();
            let of_tenant = |of: &&(TenantId, TraceId)| of.0 == tenant;
            for of in self.pinned.iter().filter(of_tenant) {
                assert!(found.contains(of), "{of:?} is not pinned any more");
            }
            for of in &found {
                let is_known = self.pinned.contains(of) || self.perhaps_pinned.contains(of);
                assert!(is_known, "nobody pinned {of:?}");
            }
            if is_certain {
                self.pinned.extend(found);
            }
        }
        if is_certain {
            self.perhaps_pinned.clear();
        }
    }

    /// Notes the spans of segments that retention removed; `is_certain` when it said so.
    pub(super) fn note_removed(&mut self, tenant: &TenantId, spans: &SpanBatch, is_certain: bool) {
        for key in keys(tenant, spans) {
            if self.pinned.contains(&(tenant.clone(), key.1)) {
                continue;
            }
            if is_certain {
                self.removed.insert(key, self.sent.len());
            } else {
                self.perhaps_removed.insert(key);
            }
        }
    }

    /// Spans that lie in a head or in a segment that stays are not removed.
    pub(super) fn still_there(&mut self, tenant: &TenantId, spans: &SpanBatch) {
        for key in keys(tenant, spans) {
            self.removed.remove(&key);
        }
    }

    fn kept_rows(&self, index: usize) -> Vec<usize> {
        let sent = &self.sent[index];
        let is_there = |key: &Key| self.removed.get(key).is_none_or(|before| *before <= index);
        keys(&sent.tenant, &sent.batch)
            .enumerate()
            .filter(|(_, key)| is_there(key))
            .map(|(row, _)| row)
            .collect()
    }

    pub(super) fn kept_spans(&self) -> usize {
        (0..self.sent.len())
            .filter(|i| self.sent[*i].fate == Fate::Kept)
            .map(|i| self.kept_rows(i).len())
            .sum()
    }

    /// A start decides what became of the requests that were not acknowledged: each is there whole or not at all.
    pub(super) fn settle(&mut self, engine: &Engine) {
        let perhaps = std::mem::take(&mut self.perhaps_removed);
        for key in perhaps {
            let found = found_keys(engine, &key.0, &BTreeSet::from([key.1]));
            if !found.contains(&key) {
                self.removed.insert(key, self.sent.len());
            }
        }
        let open: Vec<usize> = (0..self.sent.len())
            .filter(|i| self.sent[*i].fate == Fate::Open)
            .collect();
        let mut shown: HashSet<Key> = (0..self.sent.len())
            .filter(|i| self.sent[*i].fate == Fate::Kept)
            .flat_map(|i| keys(&self.sent[i].tenant, &self.sent[i].batch))
            .collect();
        let mut partly = Vec::new();
        for index in open {
            let sent = &mut self.sent[index];
            let traces: BTreeSet<TraceId> = sent.batch.spans().trace_id.iter().copied().collect();
            let found = found_keys(engine, &sent.tenant, &traces);
            let there = keys(&sent.tenant, &sent.batch)
                .filter(|key| found.contains(key))
                .count();
            if there == sent.batch.len() {
                sent.fate = Fate::Kept;
                // What was dropped of it meanwhile lay elsewhere.
                for key in keys(&sent.tenant, &sent.batch) {
                    self.removed.remove(&key);
                }
                shown.extend(keys(&sent.tenant, &sent.batch));
            } else {
                sent.fate = Fate::Gone;
                partly.extend(keys(&sent.tenant, &sent.batch).filter(|key| found.contains(key)));
            }
        }
        for key in partly {
            assert!(
                shown.contains(&key),
                "a part of a request that was not acknowledged is there: {key:?}"
            );
        }
    }

    /// The plain store with what must be found.
    pub(super) fn oracle(&self) -> OracleStore {
        let oracle = OracleStore::new();
        for (index, sent) in self
            .sent
            .iter()
            .enumerate()
            .filter(|(_, sent)| sent.fate == Fate::Kept)
        {
            let mut builder = BatchBuilder::new();
            builder.append_rows(&sent.batch, self.kept_rows(index));
            oracle.keep(&sent.tenant, &builder.finish());
        }
        oracle
    }

    /// Counts over time are those of the plain store; all must be merged.
    pub(super) fn compare_rates(&self, engine: &Engine) {
        let oracle = self.oracle();
        for tenant in self.traces().into_keys() {
            compare_rates(engine, &oracle, &tenant);
        }
    }

    pub(super) fn traces(&self) -> BTreeMap<TenantId, BTreeSet<TraceId>> {
        let mut traces: BTreeMap<TenantId, BTreeSet<TraceId>> = BTreeMap::new();
        for sent in &self.sent {
            traces
                .entry(sent.tenant.clone())
                .or_default()
                .extend(&sent.batch.spans().trace_id);
        }
        traces
    }

    /// Every span is found by its trace's id, each once, and no other.
    pub(super) fn compare_spans(&self, engine: &Engine) {
        let mut wanted: HashMap<(TenantId, TraceId), Vec<Key>> = HashMap::new();
        for (index, sent) in self
            .sent
            .iter()
            .enumerate()
            .filter(|(_, sent)| sent.fate == Fate::Kept)
        {
            let all: Vec<Key> = keys(&sent.tenant, &sent.batch).collect();
            for key in self.kept_rows(index).into_iter().map(|row| &all[row]) {
                let of_trace = wanted.entry((key.0.clone(), key.1)).or_default();
                if !of_trace.contains(key) {
                    of_trace.push(key.clone());
                }
            }
        }
        for (tenant, traces) in self.traces() {
            for trace_id in traces {
                let answer = engine.trace(&tenant, trace_id).unwrap();
                assert_eq!(answer.skipped, []);
                let sorted = |mut all: Vec<Key>| {
                    all.sort_unstable();
                    all
                };
                let wanted = wanted
                    .remove(&(tenant.clone(), trace_id))
                    .unwrap_or_default();
                let found = keys(&tenant, &answer.spans).collect();
                assert_eq!(
                    sorted(found),
                    sorted(wanted),
                    "trace {trace_id:?} of {tenant}"
                );
            }
        }
    }

    /// Everything that can be asked is answered as the plain store answers it.
    pub(super) fn compare(&self, engine: &Engine, rng: &mut SmallRng) {
        self.compare_spans(engine);
        let oracle = self.oracle();
        for (tenant, traces) in self.traces() {
            if !self.is_judged {
                compare_catalogue(engine, &oracle, &tenant);
            }
            compare_facts(engine, &oracle, &tenant, traces.iter().copied().collect());
            for trace_id in &traces {
                let wanted = now(oracle.trace(&tenant, *trace_id)).unwrap().spans;
                let shown = engine.trace(&tenant, *trace_id).unwrap().spans;
                compare_outline(engine, (&tenant, *trace_id), &shown, rng);
                if rng.random_bool(0.2)
                    && let Some(span) = wanted.iter().next()
                {
                    let is_it = questions::is_uid(&questions::uid_of(span));
                    compare_search(engine, &oracle, &questions::all(&tenant, is_it));
                }
            }
            for _ in 0..6 {
                compare_search(engine, &oracle, &questions::random(rng, &tenant));
            }
            let request = questions::overview(rng, &tenant);
            compare_overview(engine, &oracle, &request, rng);
            compare_first_spans(engine, &oracle, &tenant, rng);
            for window in [Window::ALWAYS, questions::window(rng)] {
                let wanted = now(oracle.dependencies(&tenant, window)).unwrap().links;
                if self.is_judged {
                    // Those of dropped traces are counted besides.
                    let found = links(engine, &tenant, window);
                    let has = |wanted: &DependencyLink| {
                        let mut found = found.iter();
                        found.any(|link| {
                            (&link.parent, &link.child) == (&wanted.parent, &wanted.child)
                                && link.calls >= wanted.calls
                        })
                    };
                    assert!(wanted.iter().all(has), "{wanted:?} are not in {found:?}");
                    continue;
                }
                assert_eq!(
                    links(engine, &tenant, window),
                    wanted,
                    "calls of {tenant} in {window:?}"
                );
            }
        }
    }
}

/// Counts over time, once everything is merged: then every span is in the store once.
fn compare_rates(engine: &Engine, oracle: &OracleStore, tenant: &TenantId) {
    let request = RatesRequest {
        tenant: tenant.clone(),
        of: RatesOf::Operations,
        window: Window::ALWAYS,
        step_nanos: 0,
        services: Vec::new(),
        kinds: Vec::new(),
        by_operation: true,
        by_kind: true,
        with_examples: false,
    };
    let mut told = engine.rates(&request, &|| false).unwrap().series;
    for point in told.iter_mut().flat_map(|series| &mut series.points) {
        (point.timed_spans, point.own, point.critical) = (0, 0, 0);
    }
    assert_eq!(told, now(oracle.rates(request)).unwrap().series);
}

/// What traces look like.
pub(super) fn compare_facts(
    engine: &Engine,
    oracle: &OracleStore,
    tenant: &TenantId,
    traces: Vec<TraceId>,
) {
    let answer = engine.facts(tenant, &traces, &|| false).unwrap();
    assert_eq!(answer.skipped, []);
    let mut facts = answer.facts;
    facts.iter_mut().for_each(|facts| facts.alike = 0);
    assert_eq!(facts, now(oracle.facts(tenant, traces)).unwrap().facts);
}

/// The outline of a trace, and some of its spans whole.
pub(super) fn compare_outline(
    engine: &Engine,
    (tenant, trace_id): (&TenantId, TraceId),
    wanted: &SpanBatch,
    rng: &mut SmallRng,
) {
    let answer = engine.outline(tenant, trace_id, &|| false).unwrap();
    assert_eq!(answer.skipped, []);
    assert_eq!(answer.outline, TraceOutline::of(wanted), "{trace_id:?}");
    let all = wanted.spans().span_id.iter();
    let mut some: Vec<SpanId> = all.filter(|_| rng.random_bool(0.3)).copied().collect();
    some.push(SpanId([0xee; 8]));
    let found = engine.spans_of(tenant, trace_id, &some, &|| false).unwrap();
    assert_eq!(found.skipped, []);
    let wanted = spans_with_ids(wanted, &some);
    assert!(keys(tenant, &found.spans).eq(keys(tenant, &wanted)));
}

/// The names of services and operations.
pub(super) fn compare_catalogue(engine: &Engine, oracle: &OracleStore, tenant: &TenantId) {
    let services = now(oracle.services(tenant)).unwrap();
    assert_eq!(engine.services(tenant), services, "services of {tenant}");
    for service in services {
        let wanted = now(oracle.operations(tenant, &service)).unwrap();
        assert_eq!(
            engine.operations(tenant, &service),
            wanted,
            "operations of {service} of {tenant}"
        );
    }
}

/// The oracle's answers are there at once.
pub(super) fn now<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().unwrap()
}

/// Every span of a tenant, by way of a search.
pub(super) fn everything(tenant: &TenantId) -> SearchRequest {
    questions::all(tenant, Predicate::All)
}
