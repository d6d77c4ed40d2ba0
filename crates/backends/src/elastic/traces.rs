//! The spans of a trace, page by page.
//!
//! Promises: all of them, each once, in the order of their starts; a trace that would take more than
//! [`super::ElasticOptions::answer_bytes_max`] is refused; a document that is no span is told.

use std::collections::HashMap;

use bytes::Bytes;
use codec::jaeger_document::DocumentLayout;
use http::Method;
use model::contract::{ReadError, Skipped, TraceAnswer};
use model::{BatchBuilder, TraceId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Elastic;
use super::client::{Body, Fault};
use super::indices::{Indices, search_path};
use super::lower::trace_id_forms;
use super::pages::{Found, PAGE_SPANS, Page, decode, question, read_page};
use crate::busy;
use crate::facts::each_once;

/// Documents counted by their traces.
#[derive(Deserialize)]
pub(super) struct ByTrace {
    aggregations: Option<OfTraces>,
}

#[derive(Deserialize)]
struct OfTraces {
    traces: Buckets,
}

#[derive(Deserialize)]
struct Buckets {
    buckets: Vec<Bucket>,
}

/// The documents of a trace.
#[derive(Deserialize)]
pub(super) struct Bucket {
    pub(super) key: String,
    pub(super) doc_count: usize,
    /// The least of their starts, where that was asked for.
    #[serde(default)]
    pub(super) start: Extreme,
    /// The greatest of their ends, where that was asked for.
    #[serde(default)]
    pub(super) end: Extreme,
    /// Those that do not say when they end, where that was asked for.
    pub(super) unended: Option<Unended>,
}

/// The least or the greatest of some numbers; none where there are no numbers.
#[derive(Default, Deserialize)]
pub(super) struct Extreme {
    pub(super) value: Option<f64>,
}

#[derive(Deserialize)]
pub(super) struct Unended {
    pub(super) doc_count: usize,
}

impl ByTrace {
    /// None where there is no index at all.
    pub(super) fn buckets(self) -> Vec<Bucket> {
        let found = self.aggregations.map(|found| found.traces.buckets);
        found.unwrap_or_default()
    }
}

/// A trace as far as it was read.
#[derive(Default)]
struct Reading {
    spans: BatchBuilder,
    skipped: Vec<Skipped>,
}

impl Elastic {
    /// All spans of a trace; none when there is no such trace.
    pub(super) async fn read_trace(
        &self,
        indices: &Indices,
        trace_id: TraceId,
    ) -> Result<TraceAnswer, ReadError> {
        let found = self.read_from(&indices.all_spans(), trace_id).await?;
        if found.spans.is_empty() && found.skipped.is_empty() {
            return self.read_from(&indices.archived(), trace_id).await;
        }
        Ok(found)
    }

    /// The spans of several traces, in the order in which these are asked for; of the archive nothing. Small ones come
    /// with one request.
    pub(super) async fn read_traces(
        &self,
        indices: &Indices,
        ids: Vec<TraceId>,
    ) -> Result<Vec<(TraceId, TraceAnswer)>, ReadError> {
        let all_spans = indices.all_spans();
        if ids.len() > 1 {
            let forms: Vec<String> = ids.iter().flat_map(|id| trace_id_forms(*id)).collect();
            let asked = question(&json!({"terms": {"traceID": forms}}), "startTime", "asc");
            let path = search_path(&all_spans);
            let answer = self.client.ask(&Method::POST, &path, Body::Json(asked));
            let answer = answer.await.map_err(Fault::unread)?;
            let (layout, asked) = (self.options.layout.clone(), ids.clone());
            let split = self.pool.run(move || split(&answer, &layout, &asked));
            if let Some(traces) = split.await.map_err(busy)?? {
                return Ok(traces);
            }
        }
        let mut read = Vec::new();
        for id in ids {
            read.push((id, self.read_from(&all_spans, id).await?));
        }
        Ok(read)
    }

    async fn read_from(&self, index: &str, trace_id: TraceId) -> Result<TraceAnswer, ReadError> {
        let query = json!({"terms": {"traceID": trace_id_forms(trace_id)}});
        let asked = question(&query, "startTime", "asc");
        let bytes_max = self.options.answer_bytes_max;
        let add = move |reading: &mut Reading, answer: &[u8], layout: &DocumentLayout| {
            add_page(reading, answer, layout, (trace_id, bytes_max))
        };
        let reading = self.page_through(index, &asked, Reading::default(), add);
        let reading = reading.await?;
        let finished = self.pool.run(move || TraceAnswer {
            spans: each_once(reading.spans.finish()),
            skipped: reading.skipped,
        });
        finished.await.map_err(busy)
    }
}

/// Sorts the spans of a page by their traces; nothing when there may be more than the page has.
fn split(
    answer: &Bytes,
    layout: &DocumentLayout,
    ids: &[TraceId],
) -> Result<Option<Vec<(TraceId, TraceAnswer)>>, ReadError> {
    let hits = Found::read(answer).map_err(Fault::unread)?;
    if hits.len() >= PAGE_SPANS {
        return Ok(None);
    }
    let mut skipped = Vec::new();
    let batch = decode(&hits, layout, &mut skipped)?;
    let mut rows: HashMap<TraceId, Vec<usize>> = HashMap::new();
    for span in batch.iter() {
        rows.entry(span.trace_id()).or_default().push(span.row());
    }
    let traces = ids.iter().map(|id| {
        let mut spans = BatchBuilder::new();
        spans.append_rows(&batch, rows.remove(id).unwrap_or_default());
        let trace = TraceAnswer {
            spans: each_once(spans.finish()),
            // What can't be read is of any of them; it is said once.
            skipped: std::mem::take(&mut skipped),
        };
        (*id, trace)
    });
    Ok(Some(traces.collect()))
}

fn add_page(
    reading: &mut Reading,
    answer: &[u8],
    layout: &DocumentLayout,
    (trace_id, bytes_max): (TraceId, usize),
) -> Result<Option<Value>, ReadError> {
    let Page { batch, next, .. } = read_page(answer, layout, &mut reading.skipped)?;
    // An id of 64 bits without its zeros may be the end of another: only what is this trace's is read.
    let rows = (0..batch.len()).filter(|row| batch.spans().trace_id.get(*row) == Some(&trace_id));
    reading.spans.append_rows(&batch, rows.collect::<Vec<_>>());
    if reading.spans.size_bytes() > bytes_max {
        let reason = format!(
            "the trace {trace_id} takes more than {bytes_max} bytes, the most that an answer may; \
             query.answer_bytes_max allows more"
        );
        return Err(ReadError::OverLimit { reason });
    }
    Ok(next)
}
