//! Documents, page by page.
//!
//! Promises: every document that was there when the walk began, each once; the memory of a page at a time, besides what
//! is made of it.
//!
//! Pages follow one another by what they are sorted by. Documents may be alike in it: a page that is full is read up to
//! the last place where it changes, and the next one begins there.

use codec::jaeger::decode_documents;
use codec::jaeger_document::DocumentLayout;
use http::Method;
use model::SpanBatch;
use model::contract::{ReadError, Skipped};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Elastic;
use super::client::{Body, Fault};
use super::indices::search_path;
use crate::busy;

/// Documents that are read at once; servers give 10,000 at the most, unless told otherwise.
pub(super) const PAGE_SPANS: usize = 2_000;
/// The most spans that are judged for one answer.
pub(super) const JUDGED_MAX: usize = 1_000_000;

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

impl Elastic {
    /// Goes through what a question finds. `add` makes something of a page, and tells where the next one begins, if it
    /// is wanted.
    pub(super) async fn page_through<S: Send + 'static>(
        &self,
        indices: &str,
        question: &Value,
        mut state: S,
        add: impl Fn(&mut S, &[u8], &DocumentLayout) -> Result<Option<Value>, ReadError>
        + Clone
        + Send
        + 'static,
    ) -> Result<S, ReadError> {
        let path = search_path(indices);
        let mut asked = question.clone();
        loop {
            let answer = self.client.ask(&Method::POST, &path, Body::Json(asked));
            let answer = answer.await.map_err(Fault::unread)?;
            let (layout, add) = (self.options.layout.clone(), add.clone());
            let read = self.pool.run(move || {
                let next = add(&mut state, &answer, &layout);
                next.map(|next| (state, next))
            });
            let next;
            (state, next) = read.await.map_err(busy)??;
            let Some(next) = next else {
                return Ok(state);
            };
            asked = question.clone();
            if let Some(asked) = asked.as_object_mut() {
                asked.insert("search_after".to_owned(), next);
            }
        }
    }
}

/// What is said where judging goes on for too long.
pub(super) fn too_many_to_judge() -> ReadError {
    let reason = format!(
        "Elasticsearch can't decide this question by itself, and more than {JUDGED_MAX} spans may match; narrow the \
         window or the search"
    );
    ReadError::OverLimit { reason }
}

/// The question for pages of what a query finds, in the order of a field of time, ascending or descending.
pub(super) fn question(query: &Value, field: &str, order: &str) -> Value {
    json!({
        "size": PAGE_SPANS,
        "query": {"bool": {"filter": [query]}},
        "sort": [
            {field: {"order": order, "unmapped_type": "long"}},
            {"traceID": {"order": "asc", "unmapped_type": "keyword"}},
            {"spanID": {"order": "asc", "unmapped_type": "keyword"}},
        ],
        "track_total_hits": false,
    })
}

/// A page of spans.
pub(super) struct Page {
    pub(super) batch: SpanBatch,
    /// How many documents were given, those among them that the next page begins with.
    pub(super) documents: usize,
    /// By what the last span of the batch is sorted.
    pub(super) reached: Option<u64>,
    /// Where the next page begins, if there is one.
    pub(super) next: Option<Value>,
}

/// The spans of a page.
pub(super) fn read_page(
    answer: &[u8],
    layout: &DocumentLayout,
    skipped: &mut Vec<Skipped>,
) -> Result<Page, ReadError> {
    let mut hits = Found::read(answer).map_err(Fault::unread)?;
    let documents = hits.len();
    let next = cut(&mut hits)?;
    Ok(Page {
        batch: decode(&hits, layout, skipped)?,
        documents,
        reached: hits.last().and_then(|hit| hit.sort.first()?.as_u64()),
        next,
    })
}

/// Leaves out of a full page what may go on in the next one; tells where that begins, if there is one.
fn cut(hits: &mut Vec<Hit<'_>>) -> Result<Option<Value>, ReadError> {
    if hits.len() < PAGE_SPANS {
        return Ok(None);
    }
    let last = hits.last().map(|hit| hit.sort.clone()).unwrap_or_default();
    let Some(whole) = hits.iter().rposition(|hit| hit.sort != last) else {
        let reason = format!(
            "{PAGE_SPANS} documents of Elasticsearch share their ids and their times: what is behind them can't be read"
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
