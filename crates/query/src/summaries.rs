//! Lists of traces and of spans: what a search finds, with what each trace looks like from afar, and its spans where
//! they are wanted.

use std::collections::{HashMap, HashSet};

use model::contract::{ReadError, Skipped, TraceAnswer};
use model::facts::TraceFacts;
use model::{SpanBatch, SpanSearchAnswer, SpanSearchRequest, TenantId, TraceId};

use futures_util::StreamExt as _;

use crate::cursor;
use crate::{Error, FindTraces, FoundHits, Query};

/// A trace of a list.
#[derive(Debug)]
pub struct Summary {
    /// What it looks like.
    pub facts: TraceFacts,
    /// Its spans, where they are wanted and not too many.
    pub spans: Option<SpanBatch>,
    /// The cursor of the page behind it.
    pub cursor: String,
}

/// A page of a list.
#[derive(Debug, Default)]
pub struct Summaries {
    /// In the order asked for.
    pub traces: Vec<Summary>,
    /// The cursor of the next page, when there is one.
    pub next: Option<String>,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

/// A span of a list.
#[derive(Debug)]
pub struct ListedSpan {
    /// Its row among the spans of the list.
    pub row: usize,
    /// What its trace looks like.
    pub trace: TraceFacts,
    /// The cursor of the page behind it.
    pub cursor: String,
}

/// A page of a list of spans.
#[derive(Debug, Default)]
pub struct SpanList {
    /// The spans, whole.
    pub spans: SpanBatch,
    /// In the order asked for.
    pub listed: Vec<ListedSpan>,
    /// Their traces, where they are wanted and not too long.
    pub traces: HashMap<TraceId, SpanBatch>,
    /// The cursor of the next page, when there is one.
    pub next: Option<String>,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

impl Query {
    /// A page of the traces that a search finds; those of up to so many spans with their spans.
    pub async fn summaries(
        &self,
        request: FindTraces,
        spans_of: Option<u64>,
    ) -> Result<Summaries, Error> {
        let (tenant, order, hash) = (request.tenant.clone(), request.order, request.hash());
        let FoundHits {
            hits,
            next,
            skipped,
        } = self.find(request).await?;
        let mut page = Summaries {
            next,
            skipped,
            ..Summaries::default()
        };
        let ids: Vec<TraceId> = hits.iter().map(|hit| hit.trace_id).collect();
        let mut facts = self.facts_by_id(&tenant, &ids, &mut page.skipped).await?;
        let mut whole = match spans_of {
            Some(spans_max) => {
                let of = (ids, &facts, spans_max);
                self.load_small(&tenant, of, &mut page.skipped).await?
            }
            None => HashMap::new(),
        };
        // One that was removed since it was found is left out.
        page.traces = hits
            .iter()
            .filter_map(|hit| {
                Some(Summary {
                    facts: facts.remove(&hit.trace_id)?,
                    spans: whole.remove(&hit.trace_id),
                    cursor: cursor::encode(hash, &hit.position(order)),
                })
            })
            .collect();
        Ok(page)
    }

    /// A page of the spans that match, by their own order; if it is wanted, with those of their traces that have up to
    /// so many spans.
    pub async fn list_spans(
        &self,
        request: FindTraces,
        spans_of: Option<u64>,
    ) -> Result<SpanList, Error> {
        let hash = request.hash();
        let tenant = request.tenant.clone();
        let after = request.cursor.as_deref();
        let request = SpanSearchRequest {
            after: after
                .map(|cursor| cursor::decode(hash, cursor))
                .transpose()?,
            tenant: request.tenant,
            predicate: request.predicate,
            window: request.window,
            order: request.order,
            limit: request.limit,
        };
        let SpanSearchAnswer {
            spans,
            positions,
            has_more,
            skipped,
        } = self.reader().search_spans(request).await?;
        self.check_room(&spans)?;
        let cursors = positions.iter().map(|place| cursor::encode(hash, place));
        let cursors: Vec<String> = cursors.collect();
        let mut page = SpanList {
            next: cursors.last().filter(|_| has_more).cloned(),
            skipped,
            ..SpanList::default()
        };
        let mut seen = HashSet::new();
        let ids = spans.spans().trace_id.iter().copied();
        let ids: Vec<TraceId> = ids.filter(|id| seen.insert(*id)).collect();
        let facts = self.facts_by_id(&tenant, &ids, &mut page.skipped).await?;
        if let Some(spans_max) = spans_of {
            let of = (ids, &facts, spans_max);
            page.traces = self.load_small(&tenant, of, &mut page.skipped).await?;
        }
        let of_rows = spans.spans().trace_id.iter().zip(cursors).enumerate();
        page.listed = of_rows
            .filter_map(|(row, (trace_id, cursor))| {
                let trace = facts.get(trace_id)?.clone();
                Some(ListedSpan { row, trace, cursor })
            })
            .collect();
        page.spans = spans;
        Ok(page)
    }

    /// What some traces look like; of those that are there.
    pub(crate) async fn facts_by_id(
        &self,
        tenant: &TenantId,
        ids: &[TraceId],
        skipped: &mut Vec<Skipped>,
    ) -> Result<HashMap<TraceId, TraceFacts>, Error> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let answer = self.reader().facts(tenant, ids.to_vec()).await?;
        add_new(skipped, answer.skipped);
        let facts = answer.facts.into_iter();
        Ok(facts.map(|facts| (facts.trace_id, facts)).collect())
    }

    /// The spans of those of some traces that have up to so many; the first of them come first to what room there is.
    async fn load_small(
        &self,
        tenant: &TenantId,
        (mut wanted, facts, spans_max): (Vec<TraceId>, &HashMap<TraceId, TraceFacts>, u64),
        skipped: &mut Vec<Skipped>,
    ) -> Result<HashMap<TraceId, SpanBatch>, Error> {
        wanted.retain(|id| facts.get(id).is_some_and(|facts| facts.spans <= spans_max));
        let mut found = HashMap::new();
        let mut budget = self.answer_budget();
        let mut loads = self.loads(tenant, wanted, |id| *id);
        while let Some((trace_id, loaded)) = loads.next().await {
            let answer: TraceAnswer = match loaded {
                Ok(loaded) => loaded,
                // Too long after all: it goes without its spans.
                Err(ReadError::OverLimit { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            // Of what has no room, too.
            if budget.take(&answer.spans).is_ok() {
                add_new(skipped, answer.skipped);
                found.insert(trace_id, answer.spans);
            }
        }
        Ok(found)
    }
}

pub(crate) fn add_new(known: &mut Vec<Skipped>, more: Vec<Skipped>) {
    for skipped in more {
        if !known.contains(&skipped) {
            known.push(skipped);
        }
    }
}
