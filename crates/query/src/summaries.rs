//! Lists of traces: what a search finds, with what each trace looks like from afar.

use std::collections::HashMap;

use model::TenantId;
use model::contract::{Skipped, TraceHit};
use model::facts::TraceFacts;

use crate::{Error, FindTraces, FoundHits, Query};

/// A page of a list.
#[derive(Debug, Default)]
pub struct Summaries {
    /// In the order asked for.
    pub traces: Vec<TraceFacts>,
    /// The cursor of the next page, when there is one.
    pub next: Option<String>,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

impl Query {
    /// A page of the traces that a search finds.
    pub async fn summaries(&self, request: FindTraces) -> Result<Summaries, Error> {
        let tenant = request.tenant.clone();
        let FoundHits {
            hits,
            next,
            skipped,
        } = self.find(request).await?;
        let mut page = self.facts_of(&tenant, &hits).await?;
        page.skipped.extend(skipped);
        page.next = next;
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
            traces: in_order.collect(),
            next: None,
            skipped: answer.skipped,
        })
    }
}
