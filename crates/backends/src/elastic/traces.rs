//! The spans of a trace, page by page.
//!
//! Promises: all of them, each once, in the order of their starts; a trace that would take more than
//! [`super::ElasticOptions::answer_bytes_max`] is refused; a document that is no span is told.
//!
//! Pages follow one another by start and span id. Documents may share both: a page that is full is read up to the last
//! place where these change, and the next one begins there.

use std::collections::HashMap;

use bytes::Bytes;
use codec::jaeger::decode_documents;
use codec::jaeger_document::DocumentLayout;
use http::Method;
use model::contract::{ReadError, Skipped, TraceAnswer};
use model::{BatchBuilder, SpanBatch, TraceId};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Elastic;
use super::client::{Body, Fault};
use super::indices::{Indices, search_path};
use super::lower::trace_id_forms;
use crate::facts::each_once;

/// Spans that are read at once; servers give 10,000 at the most, unless told otherwise.
pub(super) const PAGE_SPANS: usize = 2_000;

/// The documents of an answer.
#[derive(Deserialize)]
pub(super) struct Found<'a> {
    #[serde(borrow)]
    hits: Hits<'a>,
}

#[derive(Deserialize)]
struct Hits<'a> {
    #[serde(borrow)]
    hits: Vec<Hit<'a>>,
}

/// A document.
#[derive(Deserialize)]
pub(super) struct Hit<'a> {
    #[serde(rename = "_source", borrow)]
    pub(super) source: &'a RawValue,
    #[serde(default)]
    pub(super) sort: Vec<Value>,
}

impl<'a> Found<'a> {
    pub(super) fn read(answer: &'a [u8]) -> Result<Vec<Hit<'a>>, Fault> {
        let found: Self =
            serde_json::from_slice(answer).map_err(|error| Fault::Unreadable(error.to_string()))?;
        Ok(found.hits.hits)
    }

    /// The documents alone.
    pub(super) fn sources(answer: &'a [u8]) -> Result<Vec<&'a RawValue>, Fault> {
        let hits = Self::read(answer)?;
        Ok(hits.into_iter().map(|hit| hit.source).collect())
    }
}

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
    pub(super) start: Least,
}

#[derive(Default, Deserialize)]
pub(super) struct Least {
    pub(super) value: Option<f64>,
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
    /// Where the next page begins; nothing when there is none.
    after: Option<Value>,
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
            let asked = page(&forms, None);
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
        let mut reading = Reading::default();
        loop {
            let asked = page(&trace_id_forms(trace_id), reading.after.take());
            let path = search_path(index);
            let answer = self.client.ask(&Method::POST, &path, Body::Json(asked));
            let answer = answer.await.map_err(Fault::unread)?;
            let (layout, bytes_max) = (self.options.layout.clone(), self.options.answer_bytes_max);
            let read = self.pool.run(move || {
                let added = add_page(&mut reading, &answer, &layout, (trace_id, bytes_max));
                added.map(|()| reading)
            });
            reading = read.await.map_err(busy)??;
            if reading.after.is_none() {
                break;
            }
        }
        let finished = self.pool.run(move || TraceAnswer {
            spans: each_once(reading.spans.finish()),
            skipped: reading.skipped,
        });
        finished.await.map_err(busy)
    }
}

/// The question for a page of spans of some traces.
fn page(ids: &[String], after: Option<Value>) -> Value {
    let mut asked = json!({
        "size": PAGE_SPANS,
        "query": {"bool": {"filter": [{"terms": {"traceID": ids}}]}},
        "sort": [
            {"startTime": {"order": "asc", "unmapped_type": "long"}},
            {"spanID": {"order": "asc", "unmapped_type": "keyword"}},
        ],
        "track_total_hits": false,
    });
    if let (Some(after), Some(asked)) = (after, asked.as_object_mut()) {
        asked.insert("search_after".to_owned(), after);
    }
    asked
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
    answer: &Bytes,
    layout: &DocumentLayout,
    (trace_id, bytes_max): (TraceId, usize),
) -> Result<(), ReadError> {
    let mut hits = Found::read(answer).map_err(Fault::unread)?;
    reading.after = cut(&mut hits, PAGE_SPANS)?;
    let batch = decode(&hits, layout, &mut reading.skipped)?;
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
    Ok(())
}

/// Leaves out of a full page what may go on in the next one; tells where that begins, if there is one.
pub(super) fn cut(hits: &mut Vec<Hit<'_>>, page: usize) -> Result<Option<Value>, ReadError> {
    if hits.len() < page {
        return Ok(None);
    }
    let last = hits.last().map(|hit| hit.sort.clone()).unwrap_or_default();
    let Some(whole) = hits.iter().rposition(|hit| hit.sort != last) else {
        let reason = format!(
            "{page} documents of Elasticsearch share their ids and their times: what is behind them can't be read"
        );
        return Err(ReadError::OverLimit { reason });
    };
    hits.truncate(whole + 1);
    Ok(hits.last().map(|hit| Value::Array(hit.sort.clone())))
}

/// The spans of documents.
pub(super) fn decode(
    hits: &[Hit<'_>],
    layout: &DocumentLayout,
    skipped: &mut Vec<Skipped>,
) -> Result<SpanBatch, ReadError> {
    let documents: Vec<&[u8]> = hits.iter().map(|hit| hit.source.get().as_bytes()).collect();
    let decoded = decode_documents(&documents, layout).map_err(|error| ReadError::Failed {
        reason: format!("Elasticsearch: its documents can't be read: {error}"),
    })?;
    if decoded.rejected_spans > 0 {
        skipped.push(Skipped {
            what: format!("{} documents of Elasticsearch", decoded.rejected_spans),
            why: decoded
                .rejection
                .unwrap_or_else(|| "they are no spans".to_owned()),
        });
    }
    Ok(decoded.batch)
}

#[allow(clippy::needless_pass_by_value, reason = "the form that map_err calls")]
pub(super) fn busy(error: plumbing::PoolError) -> ReadError {
    ReadError::Busy {
        reason: error.to_string(),
    }
}
