//! Lists of traces: what a search finds, with what each trace looks like from afar, and its spans where they are
//! wanted.

use std::collections::HashMap;

use model::contract::{ReadError, Skipped, TraceAnswer, TraceHit};
use model::facts::TraceFacts;
use model::{SpanBatch, TenantId};

use futures_util::StreamExt as _;

use crate::{Error, FindTraces, FoundHits, Query};

/// A trace of a list.
#[derive(Debug)]
pub struct Summary {
    /// What it looks like.
    pub facts: TraceFacts,
    /// Its spans, where they are wanted and not too many.
    pub spans: Option<SpanBatch>,
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

impl Query {
    /// A page of the traces that a search finds; those of up to so many spans with their spans.
    pub async fn summaries(
        &self,
        request: FindTraces,
        spans_of: Option<u64>,
    ) -> Result<Summaries, Error> {
        let tenant = request.tenant.clone();
        let FoundHits {
            hits,
            next,
            skipped,
        } = self.find(request).await?;
        let mut page = self.facts_of(&tenant, &hits).await?;
        page.skipped.extend(skipped);
        page.next = next;
        if let Some(spans_max) = spans_of {
            self.load_small(&tenant, &mut page, spans_max).await?;
        }
        Ok(page)
    }

    /// What some traces look like, in the order of the hits. One that was removed since it was found is left out.
    async fn facts_of(&self, tenant: &TenantId, hits: &[TraceHit]) -> Result<Summaries, Error> {
        if hits.is_empty() {
            return Ok(Summaries::default());
        }
        let ids = hits.iter().map(|hit| hit.trace_id).collect();
        let answer = self.reader().facts(tenant, ids).await?;
        let mut by_id: HashMap<_, _> = answer
            .facts
            .into_iter()
            .map(|facts| (facts.trace_id, facts))
            .collect();
        let in_order = hits.iter().filter_map(|hit| by_id.remove(&hit.trace_id));
        Ok(Summaries {
            traces: in_order
                .map(|facts| Summary { facts, spans: None })
                .collect(),
            next: None,
            skipped: answer.skipped,
        })
    }

    async fn load_small(
        &self,
        tenant: &TenantId,
        page: &mut Summaries,
        spans_max: u64,
    ) -> Result<(), Error> {
        let wanted = page.traces.iter().enumerate();
        let wanted: Vec<_> = wanted
            .filter(|(_, summary)| summary.facts.spans <= spans_max)
            .map(|(at, summary)| (at, summary.facts.trace_id))
            .collect();
        let mut budget = self.answer_budget();
        let mut loads = self.loads(tenant, wanted, |(_, id)| *id);
        while let Some(((at, _), loaded)) = loads.next().await {
            let TraceAnswer { spans, skipped } = match loaded {
                Ok(loaded) => loaded,
                // Too long after all: it goes without its spans.
                Err(ReadError::OverLimit { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            // Of what has no room, too.
            if budget.take(&spans).is_err() {
                continue;
            }
            page.skipped.extend(skipped);
            if let Some(summary) = page.traces.get_mut(at) {
                summary.spans = Some(spans);
            }
        }
        page.skipped.dedup();
        Ok(())
    }
}
