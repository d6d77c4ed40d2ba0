//! Searches: the server finds candidates, each is judged here, and the question is asked again for more while the
//! answer could still change.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use codec::generated::jaeger::storage::{v1, v2};
use model::contract::{Order, ReadError, SearchAnswer, SearchRequest, Skipped, TraceHit, Window};
use model::evaluate::{Compiled, matches};
use model::{SpanBatch, TenantId, TraceId};
use plumbing::planted;

use super::client::unread;
use super::lower::Lowered;
use super::traces::{Visit, Visited};
use super::{Remote, SERVICES_MAX, Search, Version};
use crate::facts;
use crate::walk::compiled;

/// Traces that are asked for at first, at least.
const DEPTH_MIN: usize = 20;
/// So many times more the next time.
const DEPTH_GROWTH: usize = 4;

impl Remote {
    pub(super) async fn find(&self, request: SearchRequest) -> Result<SearchAnswer, ReadError> {
        let judged = compiled(&request.predicate)?;
        let lowered = Lowered::of(&request.predicate);
        if lowered.finds_nothing || request.limit == 0 {
            return Ok(SearchAnswer::default());
        }
        let version = self.version().await.map_err(unread)?;
        let questions = self.questions(&request.tenant, lowered, version).await?;
        // What is not returned is older than all that is, where the server gives the newest of all.
        let is_newest = matches!(
            version,
            Version::V2(Search {
                is_newest_first: true,
                ..
            })
        ) && request.order == Order::NewestFirst
            && questions.len() == 1;
        let visit = judge(judged, request.window);
        let depth_max = self.options.search_traces_max.max(1);
        let wanted = request.limit.saturating_add(1).max(DEPTH_MIN);
        let mut depth = wanted.min(depth_max);
        loop {
            let mut found = Found::default();
            for question in &questions {
                let asked = (question, request.window, depth);
                let visited = self
                    .ask(&request.tenant, version, asked, Arc::clone(&visit))
                    .await?;
                found.add(visited, depth);
            }
            let hits = found.page_of(&request);
            let is_enough = is_newest && hits.len() > request.limit;
            if !found.is_cut || is_enough {
                return Ok(found.answer(hits, request.limit, None));
            }
            if depth == depth_max {
                let lack = (!planted("remote-cut-not-told")).then(|| not_all(depth));
                return Ok(found.answer(hits, request.limit, lack));
            }
            depth = depth.saturating_mul(DEPTH_GROWTH).min(depth_max);
        }
    }

    /// One question, or one for each service where the server needs to be told which.
    async fn questions(
        &self,
        tenant: &TenantId,
        lowered: Lowered,
        version: Version,
    ) -> Result<Vec<Lowered>, ReadError> {
        let takes_any = matches!(
            version,
            Version::V2(Search {
                without_service: true,
                ..
            })
        );
        if takes_any || !lowered.service.is_empty() {
            return Ok(vec![lowered]);
        }
        let services = self.service_names(tenant).await.map_err(unread)?;
        if services.len() > SERVICES_MAX {
            let reason = format!(
                "the remote store finds traces of one service at a time, and has {} of them; name one",
                services.len()
            );
            return Err(ReadError::BadQuestion { reason });
        }
        let of_service = services.into_iter().map(|service| {
            let mut lowered = lowered.clone();
            lowered.service = service;
            lowered
        });
        Ok(of_service.collect())
    }

    async fn ask(
        &self,
        tenant: &TenantId,
        version: Version,
        (question, window, depth): (&Lowered, Window, usize),
        visit: Visit<TraceHit>,
    ) -> Result<Visited<TraceHit>, ReadError> {
        match version {
            Version::V2(_) => {
                let asked = v2::FindTracesRequest {
                    query: Some(question.v2(window, depth)),
                };
                let path = "/jaeger.storage.v2.TraceReader/FindTraces";
                let messages = self
                    .client
                    .many(tenant, path, &asked)
                    .await
                    .map_err(unread)?;
                self.visit(messages, true, visit).await
            }
            Version::V1 { .. } => {
                let asked = v1::FindTracesRequest {
                    query: Some(question.v1(window, depth)),
                };
                let path = "/jaeger.storage.v1.SpanReaderPlugin/FindTraces";
                let messages = self
                    .client
                    .many(tenant, path, &asked)
                    .await
                    .map_err(unread)?;
                self.visit(messages, false, visit).await
            }
        }
    }
}

fn not_all(depth: usize) -> Skipped {
    Skipped {
        what: "traces of the remote store".to_owned(),
        why: format!(
            "it was asked for {depth} candidates and gave as many, so others may come before these; narrow the search, \
             or raise backend.remote.search_traces_max"
        ),
    }
}

/// Judges whole traces.
fn judge(predicate: Compiled, window: Window) -> Visit<TraceHit> {
    Arc::new(move |trace_id: TraceId, spans: SpanBatch| {
        let is_found = spans
            .iter()
            .any(|span| window.contains(span.start()) && matches(span, &predicate));
        if !is_found && !planted("remote-candidates-not-judged") {
            return None;
        }
        facts::hit(trace_id, &spans)
    })
}

/// What one round of questions found.
#[derive(Debug, Default)]
struct Found {
    hits: HashMap<TraceId, TraceHit>,
    skipped: Vec<Skipped>,
    /// There may be more candidates.
    is_cut: bool,
}

impl Found {
    fn add(&mut self, visited: Visited<TraceHit>, depth: usize) {
        self.is_cut |= visited.traces >= depth;
        self.skipped.extend(visited.skipped);
        let hits = visited.made.into_iter();
        self.hits.extend(hits.map(|hit| (hit.trace_id, hit)));
    }

    /// The hits behind the page before, in their order.
    fn page_of(&self, request: &SearchRequest) -> Vec<TraceHit> {
        let mut hits: Vec<TraceHit> = self.hits.values().copied().collect();
        if let Some(after) = &request.after {
            hits.retain(|hit| after.is_before(&hit.position(request.order)));
        }
        hits.sort_unstable_by_key(|hit| {
            let position = hit.position(request.order);
            (Reverse(position.order_value), position.trace_id)
        });
        hits
    }

    fn answer(
        self,
        mut traces: Vec<TraceHit>,
        limit: usize,
        lack: Option<Skipped>,
    ) -> SearchAnswer {
        let has_more = traces.len() > limit;
        traces.truncate(limit);
        let mut skipped = self.skipped;
        skipped.extend(lack);
        SearchAnswer {
            traces,
            has_more,
            skipped,
        }
    }
}
