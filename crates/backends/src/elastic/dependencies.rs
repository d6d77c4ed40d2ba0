//! Calls between services: counted from the spans of a window, or read from Jaeger's records.
//!
//! Promises: as in every store the calls of traces that lie wholly in the window. What can't be counted, because there
//! are more than [`SPANS_MAX`] spans or none any more, is what Jaeger's own job has recorded there; where that has
//! recorded nothing either, the question is refused. A span that was sent twice to a Jaeger before 2.20, which gave
//! documents no ids, is there twice and counted twice.

use std::collections::{BTreeMap, HashMap, HashSet};

use codec::jaeger_document::DocumentLayout;
use http::Method;
use model::capability::Capability;
use model::contract::{DependencyAnswer, DependencyLink, ReadError, Skipped, Window};
use model::{SpanBatch, SpanId, TraceId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Elastic;
use super::client::{Body, Fault};
use super::indices::{Indices, path_of, search_path};
use super::lower::trace_id_forms;
use super::pages::{Found, busy, question, read_page};
use super::traces::ByTrace;

/// The most spans of which calls are counted for one answer.
const SPANS_MAX: u64 = 200_000;
/// Traces that are asked for at once.
const TRACES_AT_ONCE: usize = 1_000;
/// Records that are read; a record is of a day.
const RECORDS_MAX: usize = 10_000;
/// What is read of a span.
const SOURCE: [&str; 7] = [
    "traceID",
    "spanID",
    "parentSpanID",
    "references",
    "startTime",
    "duration",
    "process.serviceName",
];
const NANOS_PER_MICRO: u64 = 1_000;
const NANOS_PER_MILLI: u64 = 1_000_000;

type Calls = BTreeMap<(String, String), u64>;

#[derive(Deserialize)]
struct Counted {
    count: u64,
}

/// What Jaeger's job has written for a day.
#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    dependencies: Vec<RecordedCall>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordedCall {
    parent: String,
    child: String,
    call_count: u64,
}

/// A trace, as far as calls are concerned.
#[derive(Default)]
struct OfTrace {
    end: u64,
    /// Id, parent, and service by its number.
    spans: Vec<(SpanId, SpanId, usize)>,
}

/// The spans of a window.
#[derive(Default)]
struct Members {
    names: Vec<String>,
    number_of: HashMap<String, usize>,
    traces: HashMap<TraceId, OfTrace>,
    skipped: Vec<Skipped>,
}

impl Members {
    fn add(&mut self, batch: &SpanBatch) {
        for span in batch.iter() {
            let service = match self.number_of.get(span.service()) {
                Some(number) => *number,
                None => {
                    self.number_of
                        .insert(span.service().to_owned(), self.names.len());
                    self.names.push(span.service().to_owned());
                    self.names.len() - 1
                }
            };
            let trace = self.traces.entry(span.trace_id()).or_default();
            trace.end = trace.end.max(span.end());
            let member = (span.span_id(), span.parent_span_id(), service);
            trace.spans.push(member);
        }
    }

    fn calls(&self) -> Calls {
        let name = |number: usize| self.names.get(number).cloned().unwrap_or_default();
        let mut counts: HashMap<(usize, usize), u64> = HashMap::new();
        for trace in self.traces.values() {
            let mut service_of = HashMap::new();
            for (id, _, service) in &trace.spans {
                service_of.entry(*id).or_insert(*service);
            }
            for (_, parent, service) in trace.spans.iter().filter(|span| !span.1.is_zero()) {
                if let Some(caller) = service_of.get(parent) {
                    *counts.entry((*caller, *service)).or_default() += 1;
                }
            }
        }
        let named = counts
            .into_iter()
            .map(|((caller, called), calls)| ((name(caller), name(called)), calls));
        named.collect()
    }
}

impl Elastic {
    pub(super) async fn calls(
        &self,
        indices: &Indices,
        window: Window,
    ) -> Result<DependencyAnswer, ReadError> {
        let inside = json!({"range": {"startTime": {
            "gte": window.start.div_ceil(NANOS_PER_MICRO),
            "lte": window.end / NANOS_PER_MICRO,
        }}});
        let spans = self.count_of(&indices.spans_in(window), &inside).await?;
        let mut skipped = Vec::new();
        let calls = if (1..=SPANS_MAX).contains(&spans) {
            self.counted(indices, window, &inside, &mut skipped).await?
        } else {
            let recorded = self.recorded(indices, window).await?;
            if recorded.is_empty() && spans > 0 {
                let reason = format!(
                    "Elasticsearch can't {}: {spans} spans start in the window, and {SPANS_MAX} can be counted; narrow \
                     the window",
                    Capability::Dependencies
                );
                return Err(ReadError::OverLimit { reason });
            }
            recorded
        };
        let links = calls
            .into_iter()
            .map(|((parent, child), calls)| DependencyLink {
                parent,
                child,
                calls,
            });
        Ok(DependencyAnswer {
            links: links.collect(),
            skipped,
        })
    }

    async fn count_of(&self, index: &str, query: &Value) -> Result<u64, ReadError> {
        let path = path_of(index, "/_count?ignore_unavailable=true");
        let asked = Body::Json(json!({"query": query}));
        let told: Result<Counted, Fault> = self.client.ask_json(&Method::POST, &path, asked).await;
        Ok(told.map_err(Fault::unread)?.count)
    }

    async fn counted(
        &self,
        indices: &Indices,
        window: Window,
        inside: &Value,
        skipped: &mut Vec<Skipped>,
    ) -> Result<Calls, ReadError> {
        let mut asked = question(inside, "startTime", "asc");
        if let Some(asked) = asked.as_object_mut() {
            asked.insert("_source".to_owned(), json!(SOURCE));
        }
        let index = indices.spans_in(window);
        let members = self.page_through(&index, &asked, Members::default(), add_page);
        let mut members = members.await?;
        skipped.append(&mut members.skipped);
        members.traces.retain(|_, trace| trace.end <= window.end);
        let ids: Vec<TraceId> = members.traces.keys().copied().collect();
        for ids in ids.chunks(TRACES_AT_ONCE) {
            for outside in self.outside(indices, inside, ids).await? {
                members.traces.remove(&outside);
            }
        }
        self.pool.run(move || members.calls()).await.map_err(busy)
    }

    /// Those of some traces that have spans which start elsewhere.
    async fn outside(
        &self,
        indices: &Indices,
        inside: &Value,
        ids: &[TraceId],
    ) -> Result<HashSet<TraceId>, ReadError> {
        let forms: Vec<String> = ids.iter().flat_map(|id| trace_id_forms(*id)).collect();
        let asked = json!({
            "size": 0,
            "query": {"bool": {"filter": [{"terms": {"traceID": forms}}], "must_not": [inside]}},
            "aggs": {"traces": {"terms": {"field": "traceID", "size": forms.len()}}},
        });
        let path = search_path(&indices.all_spans());
        let asked = self
            .client
            .ask_json(&Method::POST, &path, Body::Json(asked));
        let told: ByTrace = asked.await.map_err(Fault::unread)?;
        let ids = told.buckets().into_iter();
        Ok(ids
            .filter_map(|bucket| TraceId::parse(&bucket.key).ok())
            .collect())
    }

    /// The sums of what Jaeger's job has recorded in a window.
    async fn recorded(&self, indices: &Indices, window: Window) -> Result<Calls, ReadError> {
        let asked = json!({
            "size": RECORDS_MAX,
            "query": {"range": {"timestamp": {
                "gte": window.start / NANOS_PER_MILLI,
                "lte": window.end / NANOS_PER_MILLI,
                "format": "epoch_millis",
            }}},
        });
        let path = search_path(&indices.all_dependencies());
        let answer = self.client.ask(&Method::POST, &path, Body::Json(asked));
        let answer = answer.await.map_err(Fault::unread)?;
        let mut calls = Calls::new();
        for source in Found::sources(&answer).map_err(Fault::unread)? {
            let record: Record = serde_json::from_str(source.get())
                .map_err(|error| Fault::Unreadable(error.to_string()).unread())?;
            for call in record.dependencies {
                let count: &mut u64 = calls.entry((call.parent, call.child)).or_default();
                *count = count.saturating_add(call.call_count);
            }
        }
        Ok(calls)
    }
}

/// Adds the spans of a page; tells where the next one begins.
fn add_page(
    members: &mut Members,
    answer: &[u8],
    layout: &DocumentLayout,
) -> Result<Option<Value>, ReadError> {
    let page = read_page(answer, layout, &mut members.skipped)?;
    members.add(&page.batch);
    Ok(page.next)
}
