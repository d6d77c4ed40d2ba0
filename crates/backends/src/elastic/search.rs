//! Searches for traces: the server gives the newest span of each trace that may match, or by longest first their ids,
//! then when these traces start and end; `crate::walk` reads and judges them.
//!
//! No script is run on the server: when a span ends is asked where its document says so (`DocumentLayout::has_end`).

use std::sync::Arc;

use http::Method;
use model::TraceId;
use model::contract::{Order, ReadError, SearchAnswer, SearchRequest, Skipped, TraceHit};
use model::evaluate::Compiled;
use plumbing::planted;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Elastic;
use super::client::{Body, Fault};
use super::indices::{Indices, search_path};
use super::lower::{judged_and_asked, trace_id_forms};
use super::pages::PAGE_SPANS;
use super::traces::ByTrace;
use crate::busy;
use crate::walk::{self, Candidates, Known, Limits, Source, Times};

/// When a span ends, in microseconds.
pub(super) const END: &str = "endTime";
/// Ids of traces that are given at once where each is known by no more.
const IDS_AT_ONCE: usize = 10_000;

/// A search that is under way.
struct Finding<'a> {
    elastic: &'a Elastic,
    request: &'a SearchRequest,
    judged: Arc<Compiled>,
    indices: Indices,
    query: Value,
    /// The ids that were given, as they are written there.
    seen: Vec<String>,
    /// When the last span that was given starts, in microseconds.
    cursor: u64,
    /// Behind which id the next ones come, in the order of ids.
    after: Option<Value>,
}

/// Ids in their order.
#[derive(Deserialize)]
struct Listing {
    aggregations: Option<ListedTraces>,
}

#[derive(Deserialize)]
struct ListedTraces {
    traces: ListedIds,
}

#[derive(Deserialize)]
struct ListedIds {
    after_key: Option<Value>,
    buckets: Vec<ListedTrace>,
}

#[derive(Deserialize)]
struct ListedTrace {
    key: ListedId,
}

#[derive(Deserialize)]
struct ListedId {
    id: String,
}

#[derive(Deserialize)]
struct Found {
    hits: FoundHits,
}

#[derive(Deserialize)]
struct FoundHits {
    hits: Vec<FoundHit>,
}

/// The start of a span and the id of its trace.
#[derive(Deserialize)]
struct FoundHit {
    sort: (u64, String),
}

impl Elastic {
    pub(super) async fn find(&self, request: SearchRequest) -> Result<SearchAnswer, ReadError> {
        let layout = &self.options.layout;
        let asked = judged_and_asked(&request.predicate, request.window, layout)?;
        let Some((judged, query)) = asked else {
            return Ok(SearchAnswer::default());
        };
        if request.limit == 0 {
            return Ok(SearchAnswer::default());
        }
        let source = Finding {
            elastic: self,
            request: &request,
            judged: Arc::new(judged),
            indices: self.indices(&request.tenant),
            query,
            seen: Vec::new(),
            cursor: u64::MAX,
            after: None,
        };
        let limits = Limits {
            store: "Elasticsearch",
            key: "backend.elasticsearch.search_traces_max",
            traces_max: self.options.search_traces_max,
            spans_at_once: PAGE_SPANS,
        };
        walk::search(source, &request, limits).await
    }
}

impl Source for Finding<'_> {
    async fn next(&mut self, size: usize) -> Result<Candidates, ReadError> {
        if self.request.order == Order::SlowestFirst {
            return self.next_ids().await;
        }
        let mut query = json!({"bool": {"filter": [self.query]}});
        if let Some(bool) = query.get_mut("bool").filter(|_| !self.seen.is_empty()) {
            if let Some(Value::Array(filter)) = bool.get_mut("filter") {
                filter.push(json!({"range": {"startTime": {"lte": self.cursor}}}));
            }
            if let Some(bool) = bool.as_object_mut() {
                let seen = json!({"terms": {"traceID": self.seen}});
                bool.insert("must_not".to_owned(), seen);
            }
        }
        let asked = json!({
            "size": size,
            "query": query,
            "collapse": {"field": "traceID"},
            "sort": [
                {"startTime": {"order": "desc", "unmapped_type": "long"}},
                {"traceID": {"order": "asc", "unmapped_type": "keyword"}},
            ],
            "_source": false,
            "track_total_hits": false,
        });
        let path = search_path(&self.indices.spans_in(self.request.window));
        let client = &self.elastic.client;
        let found: Found = client
            .ask_json(&Method::POST, &path, Body::Json(asked))
            .await
            .map_err(Fault::unread)?;
        let hits = found.hits.hits;
        let is_exhausted = hits.len() < size;
        if let Some(last) = hits.last() {
            self.cursor = last.sort.0;
        }
        let texts: Vec<String> = hits.into_iter().map(|hit| hit.sort.1).collect();
        let mut ids: Vec<TraceId> = texts
            .iter()
            .filter_map(|text| TraceId::parse(text).ok())
            .collect();
        self.seen.extend(texts);
        ids.sort_unstable();
        ids.dedup();
        Ok(Candidates {
            ids,
            cursor: self.cursor,
            is_exhausted,
        })
    }

    async fn times(&self, ids: &[TraceId]) -> Result<Known, ReadError> {
        let forms: Vec<String> = ids.iter().flat_map(|id| trace_id_forms(*id)).collect();
        let mut of_each = json!({"start": {"min": {"field": "startTime"}}});
        let has_ends = self.request.order == Order::SlowestFirst;
        if let Some(of_each) = of_each.as_object_mut().filter(|_| has_ends) {
            of_each.insert("end".to_owned(), json!({"max": {"field": END}}));
            of_each.insert("unended".to_owned(), json!({"missing": {"field": END}}));
        }
        let traces = json!({"terms": {"field": "traceID", "size": forms.len()}, "aggs": of_each});
        let asked = json!({
            "size": 0,
            "query": {"terms": {"traceID": forms}},
            "aggs": {"traces": traces},
        });
        let path = search_path(&self.indices.all_spans());
        let client = &self.elastic.client;
        let told: ByTrace = client
            .ask_json(&Method::POST, &path, Body::Json(asked))
            .await
            .map_err(Fault::unread)?;
        let mut known = Known::new();
        for bucket in told.buckets() {
            let Ok(id) = TraceId::parse(&bucket.key) else {
                continue;
            };
            let is_ended = bucket.unended.is_some_and(|unended| unended.doc_count == 0);
            let end = bucket.end.value.and_then(micros);
            let of_form = Times {
                start: bucket.start.value.and_then(micros),
                end: end.filter(|_| is_ended || planted("elastic-ends-missing-ignored")),
                spans: bucket.doc_count,
            };
            // An id of 64 bits may stand there in two forms.
            known
                .entry(id)
                .and_modify(|other| {
                    *other = Times {
                        start: other
                            .start
                            .zip(of_form.start)
                            .map(|(one, two)| one.min(two)),
                        end: other.end.zip(of_form.end).map(|(one, two)| one.max(two)),
                        spans: other.spans + of_form.spans,
                    };
                })
                .or_insert(of_form);
        }
        Ok(known)
    }

    async fn judged(&self, ids: Vec<TraceId>) -> Result<(Vec<TraceHit>, Vec<Skipped>), ReadError> {
        let traces = self.elastic.read_traces(&self.indices, ids).await?;
        let (judged, window) = (Arc::clone(&self.judged), self.request.window);
        let judged = self
            .elastic
            .pool
            .run(move || walk::judge(traces, &judged, window));
        judged.await.map_err(busy)
    }
}

impl Finding<'_> {
    /// The next ids of traces that may match, in no order that means anything.
    async fn next_ids(&mut self) -> Result<Candidates, ReadError> {
        let mut traces = json!({
            "size": IDS_AT_ONCE,
            "sources": [{"id": {"terms": {"field": "traceID"}}}],
        });
        if let (Some(traces), Some(after)) = (traces.as_object_mut(), self.after.take()) {
            traces.insert("after".to_owned(), after);
        }
        let asked = json!({
            "size": 0,
            "query": self.query,
            "track_total_hits": false,
            "aggs": {"traces": {"composite": traces}},
        });
        let path = search_path(&self.indices.spans_in(self.request.window));
        let client = &self.elastic.client;
        let told: Listing = client
            .ask_json(&Method::POST, &path, Body::Json(asked))
            .await
            .map_err(Fault::unread)?;
        let Some(ListedTraces { traces }) = told.aggregations else {
            return Ok(Candidates {
                is_exhausted: true,
                ..Candidates::default()
            });
        };
        self.after = traces.after_key;
        let is_exhausted = traces.buckets.len() < IDS_AT_ONCE || self.after.is_none();
        let ids = traces.buckets.iter();
        let mut ids: Vec<TraceId> = ids
            .filter_map(|trace| TraceId::parse(&trace.key.id).ok())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(Candidates {
            ids,
            cursor: u64::MAX,
            is_exhausted,
        })
    }
}

/// Microseconds as an aggregation gives them; none where a double has no room to be exact.
fn micros(value: f64) -> Option<u64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if !(0.0..EXACT_MAX).contains(&value) {
        return None;
    }
    // A whole number of at most 53 bits.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked above"
    )]
    let micros = value as u64;
    Some(micros)
}
