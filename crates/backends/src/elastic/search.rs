//! Searches for traces: the server gives the newest span of each trace that may match, then when these traces start;
//! they are read and judged here in the order of their starts, until nothing unseen can come before.
//!
//! Why this is exact: a trace that was not given yet has no span that may match behind the last one given, so it starts
//! no later. Those that start later than that are in their final order; they are read one after another until the page
//! is full. By duration there is no such end: all that may match are read, up to
//! [`super::ElasticOptions::search_traces_max`].
//!
//! No script is run on the server.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use http::Method;
use model::TraceId;
use model::contract::{
    Order, Position, ReadError, SearchAnswer, SearchRequest, Skipped, TraceHit, Window,
};
use model::evaluate::{Compiled, matches};
use plumbing::planted;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Elastic;
use super::client::{Body, Fault};
use super::indices::{Indices, search_path};
use super::lower::{judged_and_asked, trace_id_forms};
use super::pages::{PAGE_SPANS, busy};
use super::traces::ByTrace;
use crate::facts;

/// Traces that are asked for at once.
const PAGE_MIN: usize = 20;
const PAGE_MAX: usize = 1_000;
const NANOS_PER_MICRO: u64 = 1_000;

/// So many are read at least, should fewer be wanted: not all may match.
const READ_MIN: usize = 8;

/// A trace that may match, by when it starts.
type Waiting = (Reverse<u64>, TraceId);

/// A search that is under way.
struct Walk<'a> {
    elastic: &'a Elastic,
    request: &'a SearchRequest,
    judged: Arc<Compiled>,
    indices: Indices,
    query: Value,
    /// The ids that were given, as they are written there.
    seen: Vec<String>,
    /// When the last span that was given starts, in microseconds.
    cursor: u64,
    is_exhausted: bool,
    /// Each with the number of its documents.
    waiting: BTreeMap<Waiting, usize>,
    hits: Vec<TraceHit>,
    skipped: Vec<Skipped>,
}

#[derive(Deserialize)]
struct Newest {
    hits: NewestHits,
}

#[derive(Deserialize)]
struct NewestHits {
    hits: Vec<NewestHit>,
}

/// The start of a span and the id of its trace.
#[derive(Deserialize)]
struct NewestHit {
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
        let mut walk = Walk {
            elastic: self,
            request: &request,
            judged: Arc::new(judged),
            indices: self.indices(&request.tenant),
            query,
            seen: Vec::new(),
            cursor: u64::MAX,
            is_exhausted: false,
            waiting: BTreeMap::new(),
            hits: Vec::new(),
            skipped: Vec::new(),
        };
        walk.go().await?;
        Ok(walk.answer())
    }
}

impl Walk<'_> {
    async fn go(&mut self) -> Result<(), ReadError> {
        loop {
            self.next_page().await?;
            let is_final = match self.request.order {
                Order::NewestFirst => true,
                Order::SlowestFirst => self.is_exhausted,
            };
            if is_final {
                self.read_waiting().await?;
            }
            if self.is_full() || self.is_exhausted {
                return Ok(());
            }
        }
    }

    /// The next traces that may match, by the start of their newest span that may.
    async fn next_page(&mut self) -> Result<(), ReadError> {
        let traces_max = self.elastic.options.search_traces_max;
        if self.seen.len() > traces_max {
            return Err(self.too_many(traces_max));
        }
        let size = self
            .request
            .limit
            .saturating_add(1)
            .clamp(PAGE_MIN, PAGE_MAX);
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
        let found: Newest = client
            .ask_json(&Method::POST, &path, Body::Json(asked))
            .await
            .map_err(Fault::unread)?;
        let hits = found.hits.hits;
        self.is_exhausted = hits.len() < size;
        if let Some(last) = hits.last() {
            self.cursor = last.sort.0;
        }
        let ids: Vec<String> = hits.into_iter().map(|hit| hit.sort.1).collect();
        self.wait_for(&ids).await?;
        self.seen.extend(ids);
        Ok(())
    }

    /// Asks when traces start, wherever their spans are.
    async fn wait_for(&mut self, ids: &[String]) -> Result<(), ReadError> {
        let ids: BTreeSet<TraceId> = ids
            .iter()
            .filter_map(|id| TraceId::parse(id).ok())
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let forms: Vec<String> = ids.iter().flat_map(|id| trace_id_forms(*id)).collect();
        let start = json!({"start": {"min": {"field": "startTime"}}});
        let traces = json!({"terms": {"field": "traceID", "size": forms.len()}, "aggs": start});
        let asked = json!({
            "size": 0,
            "query": {"terms": {"traceID": forms}},
            "aggs": {"traces": traces},
        });
        let path = search_path(&self.indices.all_spans());
        let client = &self.elastic.client;
        let starts: ByTrace = client
            .ask_json(&Method::POST, &path, Body::Json(asked))
            .await
            .map_err(Fault::unread)?;
        let mut first: HashMap<TraceId, (u64, usize)> = HashMap::new();
        for bucket in starts.buckets() {
            if let Ok(id) = TraceId::parse(&bucket.key) {
                let start = bucket.start.value.map_or(u64::MAX, micros);
                let known = first.entry(id).or_insert((u64::MAX, 0));
                *known = (start.min(known.0), known.1 + bucket.doc_count);
            }
        }
        let behind = |position: &Position| {
            let after = self
                .request
                .after
                .filter(|_| self.request.order == Order::NewestFirst);
            after.is_none_or(|after| after.is_before(position))
        };
        self.waiting.extend(ids.into_iter().filter_map(|trace_id| {
            let (start, documents) = first.get(&trace_id).copied().unwrap_or((u64::MAX, 0));
            let position = Position {
                order_value: start.saturating_mul(NANOS_PER_MICRO),
                trace_id,
            };
            // One whose start is not known to the microsecond is read to find out.
            let is_wanted = start == u64::MAX || behind(&position);
            is_wanted.then_some(((Reverse(start), trace_id), documents))
        }));
        Ok(())
    }

    /// Reads and judges those that are in their final order, until there are enough.
    async fn read_waiting(&mut self) -> Result<(), ReadError> {
        let (order, after) = (self.request.order, self.request.after);
        while !self.is_full() {
            let chunk = self.next_chunk();
            if chunk.is_empty() {
                return Ok(());
            }
            let judged = Arc::clone(&self.judged);
            let judged = self
                .elastic
                .judge(&self.indices, chunk, judged, self.request.window);
            let (hits, skipped) = judged.await?;
            let behind =
                |hit: &TraceHit| after.is_none_or(|after| after.is_before(&hit.position(order)));
            self.hits.extend(hits.into_iter().filter(behind));
            self.skipped.extend(skipped);
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.request.order == Order::NewestFirst && self.hits.len() > self.request.limit
    }

    /// The next traces whose place is settled: as many as are wanted and come with one request.
    fn next_chunk(&mut self) -> Vec<TraceId> {
        let wanted = match self.request.order {
            Order::NewestFirst => (self.request.limit + 1).saturating_sub(self.hits.len()),
            Order::SlowestFirst => PAGE_MAX,
        };
        let (mut chunk, mut documents) = (Vec::new(), 0);
        while let Some(first) = self.waiting.first_entry() {
            let (Reverse(start), trace_id) = *first.key();
            let is_settled = self.is_exhausted || start > self.cursor;
            if !is_settled && !planted("elastic-unseen-forgotten") {
                break;
            }
            documents += *first.get();
            let is_enough = chunk.len() >= wanted.max(READ_MIN) || documents >= PAGE_SPANS;
            if is_enough && !chunk.is_empty() {
                break;
            }
            first.remove();
            chunk.push(trace_id);
        }
        chunk
    }

    fn too_many(&self, traces: usize) -> ReadError {
        let can = match self.request.order {
            Order::SlowestFirst => "order traces by duration without reading all that may match",
            Order::NewestFirst => {
                "decide more of this question by itself than which traces may match"
            }
        };
        let reason = format!(
            "Elasticsearch can't {can}, and more than {traces} traces may; narrow the window or the search, or raise \
             backend.elasticsearch.search_traces_max"
        );
        ReadError::OverLimit { reason }
    }

    fn answer(self) -> SearchAnswer {
        let (order, limit) = (self.request.order, self.request.limit);
        let mut traces = self.hits;
        traces.sort_unstable_by_key(|hit| {
            let position = hit.position(order);
            (Reverse(position.order_value), position.trace_id)
        });
        let has_more = traces.len() > limit;
        traces.truncate(limit);
        SearchAnswer {
            traces,
            has_more,
            skipped: self.skipped,
        }
    }
}

/// Microseconds as an aggregation gives them; it is not told exactly where a double has no room for it.
fn micros(value: f64) -> u64 {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if !(0.0..EXACT_MAX).contains(&value) {
        return u64::MAX;
    }
    // A whole number of at most 53 bits.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked above"
    )]
    let micros = value as u64;
    micros
}

impl Elastic {
    /// Reads traces and judges them away from the sockets.
    async fn judge(
        &self,
        indices: &Indices,
        ids: Vec<TraceId>,
        predicate: Arc<Compiled>,
        window: Window,
    ) -> Result<(Vec<TraceHit>, Vec<Skipped>), ReadError> {
        let traces = self.read_traces(indices, ids).await?;
        let judged = self.pool.run(move || {
            let (mut hits, mut skipped) = (Vec::new(), Vec::new());
            for (trace_id, trace) in traces {
                let is_found = trace
                    .spans
                    .iter()
                    .any(|span| window.contains(span.start()) && matches(span, &predicate));
                if is_found || planted("elastic-candidates-not-judged") {
                    hits.extend(facts::hit(trace_id, &trace.spans));
                }
                skipped.extend(trace.skipped);
            }
            (hits, skipped)
        });
        judged.await.map_err(busy)
    }
}
