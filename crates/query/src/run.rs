//! Asking the store: one question of a front end becomes one or several of a [`SpanReader`].
//!
//! Promises: traces come in the order that the store gave; at most [`QueryLimits::loads_at_once`] are read at a time;
//! an answer that would take more than [`QueryLimits::answer_bytes_max`] is refused before it is built.
//! Refuses: filtering or ordering anything itself; both are the store's work.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use model::contract::{
    DependencyAnswer, OperationsAnswer, Order, SearchAnswer, SearchRequest, Skipped, SpanReader,
    TraceAnswer, TraceHit, Window,
};
use model::{Predicate, SpanBatch, TenantId, TraceId};
use plumbing::planted;
use std::collections::HashSet;

use crate::cursor::{self, QueryHash};
use crate::{Error, SPAN_NAME_EMPTY};

/// What is made of a span before it is shown, beside what it takes itself: an entry that may be edited, and its text.
/// Measured in answers of 66,000 and 200,000 small spans: 1.2 to 2 KiB a span.
pub const SHOWN_SPAN_BYTES: usize = 1_000;

/// Traces that are read ahead of the one that is written, where they are written one by one.
const EACH_AHEAD: usize = 2;

/// How much one question may take.
#[derive(Debug, Clone, Copy)]
pub struct QueryLimits {
    /// Traces of one answer that are read at the same time.
    pub loads_at_once: usize,
    /// The most memory of the traces of one answer, in bytes, with what is made of them to show them.
    pub answer_bytes_max: usize,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self {
            loads_at_once: 8,
            answer_bytes_max: 256 << 20,
        }
    }
}

/// A search for whole traces.
#[derive(Debug, Clone)]
pub struct FindTraces {
    /// Whose spans.
    pub tenant: TenantId,
    /// What one span of a trace must satisfy.
    pub predicate: Predicate,
    /// When that span must start.
    pub window: Window,
    /// Which traces come first.
    pub order: Order,
    /// The most traces to give.
    pub limit: usize,
    /// The cursor that the page before ended with.
    pub cursor: Option<String>,
}

impl FindTraces {
    pub(crate) fn hash(&self) -> QueryHash {
        let Self {
            tenant,
            predicate,
            window,
            order,
            ..
        } = self;
        QueryHash::of(&format!("{tenant}\n{predicate:?}\n{window:?}\n{order:?}"))
    }
}

/// A trace that was found, with its spans.
#[derive(Debug)]
pub struct FoundTrace {
    /// What the search said about it.
    pub hit: TraceHit,
    /// Its spans in the order of arrival.
    pub spans: SpanBatch,
}

/// The traces that were found, still without their spans.
#[derive(Debug, Default)]
pub struct FoundHits {
    /// What the search said about the traces, in the order asked for.
    pub hits: Vec<TraceHit>,
    /// The cursor of the next page, when there is one.
    pub next: Option<String>,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

/// The traces that were found.
#[derive(Debug, Default)]
pub struct FoundTraces {
    /// The traces in the order asked for.
    pub traces: Vec<FoundTrace>,
    /// The cursor of the next page, when there is one.
    pub next: Option<String>,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

/// Traces that were asked for by their ids.
#[derive(Debug, Default)]
pub struct TracesById {
    /// The traces that there are, in the order of the ids.
    pub found: Vec<SpanBatch>,
    /// The ids without a trace, in their order.
    pub missing: Vec<TraceId>,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

/// Asks a store.
#[derive(Debug, Clone)]
pub struct Query {
    reader: Arc<dyn SpanReader>,
    limits: QueryLimits,
}

/// How much memory the spans of one answer, and what is made of them, have taken so far.
#[derive(Debug)]
pub(crate) struct AnswerBudget {
    taken: usize,
    bytes_max: usize,
}

impl AnswerBudget {
    pub(crate) fn take(&mut self, spans: &SpanBatch) -> Result<(), Error> {
        let made_of_them = spans.len().saturating_mul(SHOWN_SPAN_BYTES);
        let taken = spans.size_bytes().saturating_add(made_of_them);
        self.taken = self.taken.saturating_add(taken);
        if self.taken > self.bytes_max {
            return Err(Error::TooMuch {
                bytes_max: self.bytes_max,
            });
        }
        Ok(())
    }
}

impl Query {
    /// Asks this reader, with the limits that hold by default.
    #[must_use]
    pub fn new(reader: Arc<dyn SpanReader>) -> Self {
        Self::with_limits(reader, QueryLimits::default())
    }

    /// Asks this reader.
    #[must_use]
    pub fn with_limits(reader: Arc<dyn SpanReader>, limits: QueryLimits) -> Self {
        Self { reader, limits }
    }

    /// The spans of one trace; none when there is no such trace.
    pub async fn trace(&self, tenant: &TenantId, trace_id: TraceId) -> Result<TraceAnswer, Error> {
        let answer = self.reader.trace(tenant, trace_id).await?;
        self.answer_budget().take(&answer.spans)?;
        Ok(answer)
    }

    /// Several traces by their ids; an id that is given twice counts once.
    pub async fn traces(
        &self,
        tenant: &TenantId,
        trace_ids: &[TraceId],
    ) -> Result<TracesById, Error> {
        let mut seen = HashSet::new();
        let distinct: Vec<TraceId> = trace_ids
            .iter()
            .copied()
            .filter(|id| seen.insert(*id))
            .collect();
        let mut answer = TracesById::default();
        let mut budget = self.answer_budget();
        let mut loads = self.loads(tenant, distinct, |id| *id);
        while let Some((trace_id, loaded)) = loads.next().await {
            let TraceAnswer { spans, skipped } = loaded?;
            answer.skipped.extend(skipped);
            budget.take(&spans)?;
            if spans.is_empty() {
                answer.missing.push(trace_id);
            } else {
                answer.found.push(spans);
            }
        }
        Ok(answer)
    }

    /// The traces that a search finds; [`Query::load`] gives them their spans.
    pub async fn find(&self, request: FindTraces) -> Result<FoundHits, Error> {
        let hash = request.hash();
        let FindTraces {
            tenant,
            predicate,
            window,
            order,
            limit,
            cursor,
        } = request;
        let after = cursor
            .map(|cursor| cursor::decode(hash, &cursor))
            .transpose()?;
        let request = SearchRequest {
            tenant,
            predicate,
            window,
            order,
            limit,
            after,
        };
        let SearchAnswer {
            traces: mut hits,
            has_more,
            skipped,
        } = self.reader.search(request).await?;
        if planted("query-answer-by-id") {
            hits.sort_by_key(|hit| hit.trace_id);
        }
        let last = hits.last().filter(|_| has_more);
        let next = last.map(|hit| cursor::encode(hash, &hit.position(order)));
        Ok(FoundHits {
            hits,
            next,
            skipped,
        })
    }

    /// The traces that were found, each with all its spans.
    pub async fn load(&self, tenant: &TenantId, found: FoundHits) -> Result<FoundTraces, Error> {
        let FoundHits {
            hits,
            next,
            skipped,
        } = found;
        let mut found = FoundTraces {
            traces: Vec::with_capacity(hits.len()),
            next,
            skipped,
        };
        let mut budget = self.answer_budget();
        let mut loads = self.loads(tenant, hits, |hit| hit.trace_id);
        while let Some((hit, loaded)) = loads.next().await {
            let TraceAnswer { spans, skipped } = loaded?;
            found.skipped.extend(skipped);
            budget.take(&spans)?;
            // A trace may have been removed between the search and the reading of it.
            if !spans.is_empty() {
                found.traces.push(FoundTrace { hit, spans });
            }
        }
        Ok(found)
    }

    /// The traces that were found, one after another, for answers that are made trace by trace: only each alone has to
    /// fit into an answer. What is dropped halfway is read no further.
    pub fn each(
        &self,
        tenant: &TenantId,
        hits: Vec<TraceHit>,
    ) -> impl stream::Stream<Item = Result<TraceAnswer, Error>> + Send + Unpin + use<> {
        let query = self.clone();
        let (reader, tenant) = (Arc::clone(&self.reader), tenant.clone());
        let load = move |hit: TraceHit| {
            let (reader, tenant) = (Arc::clone(&reader), tenant.clone());
            async move { reader.trace(&tenant, hit.trace_id).await }
        };
        let loads = stream::iter(hits).map(load).buffered(EACH_AHEAD);
        Box::pin(loads.map(move |loaded| {
            let answer = loaded?;
            query.check_room(&answer.spans)?;
            Ok(answer)
        }))
    }

    /// The names of all services, ascending.
    pub async fn services(&self, tenant: &TenantId) -> Result<Vec<String>, Error> {
        Ok(self.reader.services(tenant).await?)
    }

    /// The operations of a service by name, then kind, as they are shown.
    pub async fn operations(
        &self,
        tenant: &TenantId,
        service: &str,
    ) -> Result<OperationsAnswer, Error> {
        let mut answer = self.reader.operations(tenant, service).await?;
        for operation in &mut answer.operations {
            if operation.name.is_empty() {
                SPAN_NAME_EMPTY.clone_into(&mut operation.name);
            }
        }
        answer.operations.sort_unstable();
        answer.operations.dedup();
        Ok(answer)
    }

    /// The calls between services in traces that lie wholly in the window.
    pub async fn dependencies(
        &self,
        tenant: &TenantId,
        window: Window,
    ) -> Result<DependencyAnswer, Error> {
        Ok(self.reader.dependencies(tenant, window).await?)
    }

    pub(crate) fn reader(&self) -> &dyn SpanReader {
        &*self.reader
    }

    /// Refuses spans that take more than an answer may.
    pub(crate) fn check_room(&self, spans: &SpanBatch) -> Result<(), Error> {
        self.answer_budget().take(spans)
    }

    pub(crate) fn answer_budget(&self) -> AnswerBudget {
        AnswerBudget {
            taken: 0,
            bytes_max: self.limits.answer_bytes_max,
        }
    }

    /// Reads the traces of some items, a few at a time, in the items' order.
    pub(crate) fn loads<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        items: Vec<T>,
        id_of: fn(&T) -> TraceId,
    ) -> impl stream::Stream<Item = (T, Result<TraceAnswer, model::contract::ReadError>)>
    + Send
    + Unpin
    + use<T> {
        let (reader, tenant) = (Arc::clone(&self.reader), tenant.clone());
        let load = move |item: T| {
            let (reader, tenant) = (Arc::clone(&reader), tenant.clone());
            async move {
                let loaded = reader.trace(&tenant, id_of(&item)).await;
                (item, loaded)
            }
        };
        Box::pin(
            stream::iter(items)
                .map(load)
                .buffered(self.limits.loads_at_once.max(1)),
        )
    }
}
