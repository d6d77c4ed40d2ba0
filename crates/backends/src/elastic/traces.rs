//! The spans of a trace, page by page.
//!
//! Promises: all of them, each once, in the order of their starts; a trace that would take more than
//! [`super::ElasticOptions::answer_bytes_max`] is refused; a document that is no span is told.
//!
//! Pages follow one another by start and span id. Documents may share both: a page that is full is read up to the last
//! place where these change, and the next one begins there.

use bytes::Bytes;
use codec::jaeger::decode_documents;
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
const PAGE_SPANS: usize = 2_000;

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
    pub(super) sort: Vec<Value>,
}

impl<'a> Found<'a> {
    pub(super) fn read(answer: &'a [u8]) -> Result<Vec<Hit<'a>>, Fault> {
        let found: Self =
            serde_json::from_slice(answer).map_err(|error| Fault::Unreadable(error.to_string()))?;
        Ok(found.hits.hits)
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
            return self.read_from(&indices.archive(), trace_id).await;
        }
        Ok(found)
    }

    async fn read_from(&self, index: &str, trace_id: TraceId) -> Result<TraceAnswer, ReadError> {
        let mut reading = Reading::default();
        loop {
            let mut asked = json!({
                "size": PAGE_SPANS,
                "query": {"bool": {"filter": [{"terms": {"traceID": trace_id_forms(trace_id)}}]}},
                "sort": [
                    {"startTime": {"order": "asc", "unmapped_type": "long"}},
                    {"spanID": {"order": "asc", "unmapped_type": "keyword"}},
                ],
                "track_total_hits": false,
            });
            if let (Some(after), Some(asked)) = (reading.after.take(), asked.as_object_mut()) {
                asked.insert("search_after".to_owned(), after);
            }
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

fn add_page(
    reading: &mut Reading,
    answer: &Bytes,
    layout: &codec::jaeger_document::DocumentLayout,
    (trace_id, bytes_max): (TraceId, usize),
) -> Result<(), ReadError> {
    let mut hits = Found::read(answer).map_err(Fault::unread)?;
    if hits.len() >= PAGE_SPANS {
        let last = hits.last().map(|hit| hit.sort.clone()).unwrap_or_default();
        let whole = hits.iter().rposition(|hit| hit.sort != last);
        let Some(whole) = whole else {
            let reason = format!(
                "{PAGE_SPANS} documents of the trace {trace_id} share one span id and one start: it can't be read"
            );
            return Err(ReadError::OverLimit { reason });
        };
        hits.truncate(whole + 1);
        reading.after = hits.last().map(|hit| Value::Array(hit.sort.clone()));
    }
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

/// The spans of documents.
pub(super) fn decode(
    hits: &[Hit<'_>],
    layout: &codec::jaeger_document::DocumentLayout,
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
