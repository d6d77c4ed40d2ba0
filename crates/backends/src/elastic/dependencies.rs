//! Calls between services: counted from the spans of a window, or read from Jaeger's records.
//!
//! Promises: see `crate::dependencies`. A span that was sent twice to a Jaeger before 2.20, which gave documents no
//! ids, is there twice and counted twice.

use std::collections::HashSet;

use codec::jaeger_document::DocumentLayout;
use http::Method;
use model::capability::Capability;
use model::contract::{ReadError, Skipped, Window};
use model::{TenantId, TraceId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Elastic;
use super::client::{Body, Fault};
use super::indices::{Indices, path_of, search_path};
use super::lower::trace_id_forms;
use super::pages::{Found, question, read_page};
use super::traces::ByTrace;
use crate::busy;
use crate::calls::{Calls, Members};
use crate::dependencies::{CallLimits, CallSource, Counted};

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

#[derive(Deserialize)]
struct Count {
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

/// The spans of a window.
#[derive(Default)]
struct Reading {
    members: Members,
    skipped: Vec<Skipped>,
}

impl CallSource for Elastic {
    fn limits(&self) -> CallLimits {
        self.options.call_limits
    }

    async fn counted(
        &self,
        tenant: &TenantId,
        window: Window,
        spans_max: usize,
    ) -> Result<Option<Counted>, ReadError> {
        let indices = &self.indices(tenant);
        let inside = inside(window);
        let spans = self.count_of(&indices.spans_in(window), &inside).await?;
        if spans > u64::try_from(spans_max).unwrap_or(u64::MAX) {
            return Ok(None);
        }
        if spans == 0 {
            return Ok(Some(Counted::default()));
        }
        self.counted_of(indices, window, &inside).await.map(Some)
    }

    async fn recorded(&self, tenant: &TenantId, window: Window) -> Result<Calls, ReadError> {
        self.recorded_in(&self.indices(tenant), window).await
    }

    fn too_many(&self, spans_max: usize) -> ReadError {
        let reason = format!(
            "Elasticsearch can't {}: more than {spans_max} spans start in the window, and nobody has counted the \
             calls; narrow the window",
            Capability::Dependencies
        );
        ReadError::OverLimit { reason }
    }
}

/// Asks for the spans that start in a window.
fn inside(window: Window) -> Value {
    json!({"range": {"startTime": {
        "gte": window.start.div_ceil(NANOS_PER_MICRO),
        "lte": window.end / NANOS_PER_MICRO,
    }}})
}

impl Elastic {
    async fn count_of(&self, index: &str, query: &Value) -> Result<u64, ReadError> {
        let path = path_of(index, "/_count?ignore_unavailable=true");
        let asked = Body::Json(json!({"query": query}));
        let told: Result<Count, Fault> = self.client.ask_json(&Method::POST, &path, asked).await;
        Ok(told.map_err(Fault::unread)?.count)
    }

    async fn counted_of(
        &self,
        indices: &Indices,
        window: Window,
        inside: &Value,
    ) -> Result<Counted, ReadError> {
        let mut asked = question(inside, "startTime", "asc");
        if let Some(asked) = asked.as_object_mut() {
            asked.insert("_source".to_owned(), json!(SOURCE));
        }
        let index = indices.spans_in(window);
        let members = self.page_through(&index, &asked, Reading::default(), add_page);
        let Reading {
            mut members,
            skipped,
        } = members.await?;
        members.traces.retain(|_, trace| trace.end <= window.end);
        let ids: Vec<TraceId> = members.traces.keys().copied().collect();
        for ids in ids.chunks(TRACES_AT_ONCE) {
            for outside in self.outside(indices, inside, ids).await? {
                members.traces.remove(&outside);
            }
        }
        let calls = self.pool.run(move || members.calls()).await.map_err(busy)?;
        Ok(Counted { calls, skipped })
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
    async fn recorded_in(&self, indices: &Indices, window: Window) -> Result<Calls, ReadError> {
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
    reading: &mut Reading,
    answer: &[u8],
    layout: &DocumentLayout,
) -> Result<Option<Value>, ReadError> {
    let page = read_page(answer, layout, &mut reading.skipped)?;
    reading.members.add(&page.batch);
    Ok(page.next)
}
