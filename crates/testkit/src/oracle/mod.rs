//! A store that is too simple to be wrong: every question is answered by looking at every span.
//!
//! Promises: the meaning of `model::predicate` and `model::contract`, word for word, and nothing more; the real store
//! and every backend must answer as it does. Spans are kept in memory in the order of arrival, each once: a span that
//! is the same in every part as one before is a duplicate.
//! Refuses: being fast.

mod evaluate;
mod facts;
mod first_spans;
mod overview;
mod rates;
mod seen;
mod structure;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::batch::SpanRef;
use model::contract::{
    Answer, DependencyAnswer, DependencyLink, IncomingBatch, Kept, Operation, OperationsAnswer,
    ReadError, SearchAnswer, SearchRequest, SpanReader, SpanWriter, TraceAnswer, TraceHit, Window,
    WriteError,
};
use model::facts::FactsAnswer;
use model::rates::{RatesAnswer, RatesRequest};
use model::seen::{SeenAnswer, ValuesAnswer, ValuesRequest};
use model::{
    BatchBuilder, CountAnswer, CountRequest, OverviewAnswer, OverviewRequest, SpanBatch, SpanId,
    SpanSearchAnswer, SpanSearchRequest, StructureAnswer, StructureRequest, TenantId, TraceId,
};

pub use evaluate::{BadPattern, Evaluator};

/// The spans of one tenant.
#[derive(Debug, Default)]
struct Spans {
    batches: Vec<SpanBatch>,
    known: HashSet<(TraceId, SpanId, u64)>,
}

/// Keeps spans in memory and finds them by looking at all of them.
#[derive(Debug, Default)]
pub struct OracleStore {
    tenants: Mutex<HashMap<TenantId, Spans>>,
}

impl OracleStore {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps the spans of a batch that are not known yet; gives how many were kept and how many were known.
    pub fn keep(&self, tenant: &TenantId, batch: &SpanBatch) -> Kept {
        let mut tenants = self.lock();
        let spans = tenants.entry(tenant.clone()).or_default();
        let mut is_new = |row: &usize| {
            let span = batch.span(*row);
            span.is_some_and(|span| {
                spans
                    .known
                    .insert((span.trace_id(), span.span_id(), batch.span_hash(*row)))
            })
        };
        let new: Vec<usize> = (0..batch.len()).filter(&mut is_new).collect();
        let kept = Kept {
            spans: new.len() as u64,
            duplicate_spans: (batch.len() - new.len()) as u64,
        };
        let mut builder = BatchBuilder::new();
        builder.append_rows(batch, new);
        spans.batches.push(builder.finish());
        kept
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Spans>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets `look` see all spans of a tenant in the order of arrival.
    fn with_spans<T>(&self, tenant: &TenantId, look: impl FnOnce(&[SpanRef<'_>]) -> T) -> T {
        let tenants = self.lock();
        let batches = tenants
            .get(tenant)
            .map(|spans| spans.batches.as_slice())
            .unwrap_or_default();
        let spans: Vec<SpanRef<'_>> = batches.iter().flat_map(SpanBatch::iter).collect();
        look(&spans)
    }

    fn find(&self, request: &SearchRequest) -> Result<SearchAnswer, ReadError> {
        let evaluator = Evaluator::new(&request.predicate).map_err(bad_question)?;
        self.with_spans(&request.tenant, |spans| {
            let matches = |span: &&SpanRef<'_>| {
                request.window.contains(span.start()) && evaluator.holds(**span)
            };
            let found: BTreeSet<TraceId> = spans
                .iter()
                .filter(matches)
                .map(SpanRef::trace_id)
                .collect();
            let mut hits: Vec<TraceHit> = by_trace(spans)
                .into_values()
                .filter(|of| found.contains(&of[0].trace_id()))
                .map(|of| hit(&of))
                .collect();
            let place = |hit: &TraceHit| {
                let position = hit.position(request.order);
                (std::cmp::Reverse(position.order_value), position.trace_id)
            };
            hits.sort_by_key(place);
            if let Some(after) = request.after {
                hits.retain(|hit| after.is_before(&hit.position(request.order)));
            }
            let has_more = hits.len() > request.limit;
            hits.truncate(request.limit);
            Ok(SearchAnswer {
                traces: hits,
                has_more,
                skipped: Vec::new(),
            })
        })
    }

    fn number(&self, request: &CountRequest) -> Result<CountAnswer, ReadError> {
        let evaluator = Evaluator::new(&request.predicate).map_err(bad_question)?;
        self.with_spans(&request.tenant, |spans| {
            let found = spans
                .iter()
                .filter(|span| request.window.contains(span.start()) && evaluator.holds(**span));
            let traces: Vec<TraceId> = found.map(SpanRef::trace_id).collect();
            Ok(CountAnswer {
                spans: traces.len() as u64,
                traces: traces.iter().collect::<BTreeSet<_>>().len() as u64,
                skipped: Vec::new(),
            })
        })
    }

    fn calls(&self, tenant: &TenantId, window: Window) -> DependencyAnswer {
        let mut calls: BTreeMap<(String, String), u64> = BTreeMap::new();
        self.with_spans(tenant, |spans| {
            for of_trace in by_trace(spans).values() {
                let TraceHit { start, end, .. } = hit(of_trace);
                if !window.contains(start) || !window.contains(end) {
                    continue;
                }
                for span in of_trace {
                    let parent_id = span.parent_span_id();
                    let parent = of_trace
                        .iter()
                        .find(|parent| parent.span_id() == parent_id && !parent_id.is_zero());
                    if let Some(parent) = parent {
                        *calls
                            .entry((parent.service().to_owned(), span.service().to_owned()))
                            .or_default() += 1;
                    }
                }
            }
        });
        let link = |((parent, child), calls)| DependencyLink {
            parent,
            child,
            calls,
        };
        DependencyAnswer {
            links: calls.into_iter().map(link).collect(),
            skipped: Vec::new(),
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the form that map_err calls")]
fn bad_question(error: BadPattern) -> ReadError {
    ReadError::BadQuestion {
        reason: error.to_string(),
    }
}

fn by_trace<'a>(spans: &[SpanRef<'a>]) -> BTreeMap<TraceId, Vec<SpanRef<'a>>> {
    let mut traces: BTreeMap<TraceId, Vec<SpanRef<'a>>> = BTreeMap::new();
    for span in spans {
        traces.entry(span.trace_id()).or_default().push(*span);
    }
    traces
}

/// What a search says of a trace; it has at least one span.
fn hit(spans: &[SpanRef<'_>]) -> TraceHit {
    TraceHit {
        trace_id: spans.first().map(SpanRef::trace_id).unwrap_or_default(),
        start: spans.iter().map(SpanRef::start).min().unwrap_or_default(),
        end: spans.iter().map(SpanRef::end).max().unwrap_or_default(),
        spans: spans.len() as u64,
    }
}

impl SpanWriter for OracleStore {
    fn write(&self, incoming: IncomingBatch) -> Answer<'static, Result<Kept, WriteError>> {
        let kept = self.keep(&incoming.tenant, &incoming.batch);
        Box::pin(async move { Ok(kept) })
    }

    fn readiness(&self) -> Result<(), String> {
        Ok(())
    }
}

impl SpanReader for OracleStore {
    fn trace(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
    ) -> Answer<'_, Result<TraceAnswer, ReadError>> {
        let mut builder = BatchBuilder::new();
        let tenants = self.lock();
        for batch in tenants
            .get(tenant)
            .map(|spans| spans.batches.as_slice())
            .unwrap_or_default()
        {
            let rows = batch
                .iter()
                .filter(|span| span.trace_id() == trace_id)
                .map(|span| span.row());
            builder.append_rows(batch, rows);
        }
        drop(tenants);
        let answer = TraceAnswer {
            spans: builder.finish(),
            skipped: Vec::new(),
        };
        Box::pin(async move { Ok(answer) })
    }

    fn search(&self, request: SearchRequest) -> Answer<'_, Result<SearchAnswer, ReadError>> {
        let answer = self.find(&request);
        Box::pin(async move { answer })
    }

    fn services(&self, tenant: &TenantId) -> Answer<'_, Result<Vec<String>, ReadError>> {
        let names: BTreeSet<String> = self.with_spans(tenant, |spans| {
            spans.iter().map(|span| span.service().to_owned()).collect()
        });
        Box::pin(async move { Ok(names.into_iter().collect()) })
    }

    fn operations(
        &self,
        tenant: &TenantId,
        service: &str,
    ) -> Answer<'_, Result<OperationsAnswer, ReadError>> {
        let operations: BTreeSet<Operation> = self.with_spans(tenant, |spans| {
            let of_service = spans.iter().filter(|span| span.service() == service);
            of_service
                .map(|span| Operation {
                    name: span.name().to_owned(),
                    kind: span.kind(),
                })
                .collect()
        });
        let answer = OperationsAnswer {
            operations: operations.into_iter().collect(),
            is_all: true,
        };
        Box::pin(async move { Ok(answer) })
    }

    fn dependencies(
        &self,
        tenant: &TenantId,
        window: Window,
    ) -> Answer<'_, Result<DependencyAnswer, ReadError>> {
        let answer = self.calls(tenant, window);
        Box::pin(async move { Ok(answer) })
    }

    fn facts(
        &self,
        tenant: &TenantId,
        traces: Vec<TraceId>,
    ) -> Answer<'_, Result<FactsAnswer, ReadError>> {
        let facts = self.with_spans(tenant, |spans| {
            let facts = traces.iter().map(|id| facts::facts(spans, *id));
            facts.flatten().collect()
        });
        let skipped = Vec::new();
        Box::pin(async move { Ok(FactsAnswer { facts, skipped }) })
    }

    fn seen(&self, tenant: &TenantId) -> Answer<'_, Result<SeenAnswer, ReadError>> {
        let answer = self.with_spans(tenant, seen::seen);
        Box::pin(async move { Ok(answer) })
    }

    fn values(&self, request: ValuesRequest) -> Answer<'_, Result<ValuesAnswer, ReadError>> {
        let answer = self.with_spans(&request.tenant, |spans| seen::values(spans, &request));
        Box::pin(async move { Ok(answer) })
    }

    fn rates(&self, request: RatesRequest) -> Answer<'_, Result<RatesAnswer, ReadError>> {
        let answer = self.with_spans(&request.tenant, |spans| rates::rates(spans, &request));
        Box::pin(async move { answer })
    }

    fn count(&self, request: CountRequest) -> Answer<'_, Result<CountAnswer, ReadError>> {
        let answer = self.number(&request);
        Box::pin(async move { answer })
    }

    fn overview(&self, request: OverviewRequest) -> Answer<'_, Result<OverviewAnswer, ReadError>> {
        let answer = self.with_spans(&request.tenant, |spans| overview::overview(spans, &request));
        Box::pin(async move { answer })
    }

    fn search_spans(
        &self,
        request: SpanSearchRequest,
    ) -> Answer<'_, Result<SpanSearchAnswer, ReadError>> {
        let answer = self.with_spans(&request.tenant, |spans| {
            first_spans::search_spans(spans, &request)
        });
        Box::pin(async move { answer })
    }

    fn find_structure(
        &self,
        request: StructureRequest,
    ) -> Answer<'_, Result<StructureAnswer, ReadError>> {
        let answer = self.with_spans(&request.tenant, |spans| structure::find(spans, &request));
        Box::pin(async move { answer })
    }
}
