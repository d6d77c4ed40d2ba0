//! How many spans match, and which values an attribute has: both are found by reading what may match.
//!
//! Promises: a number is exact, and refused where it would take judging more than [`JUDGED_MAX`] spans. Values are
//! those of the newest spans that have the key; whether they are all is told.

use std::collections::{BTreeSet, HashSet};

use codec::jaeger_document::DocumentLayout;
use model::batch::AttrValue;
use model::contract::{ReadError, Skipped, Window};
use model::evaluate::{Compiled, any_value, matches};
use model::seen::{ValuesAnswer, ValuesRequest};
use model::{CountAnswer, CountRequest, Field, Predicate, SpanId, TraceId};
use serde_json::Value;

use super::Elastic;
use super::lower::{self, Asked, judged_and_asked};
use super::pages::{JUDGED_MAX, question, read_page, too_many_to_judge};

/// Spans whose values are looked at.
const VALUES_OF_SPANS_MAX: usize = 20_000;

struct Counting {
    judged: Compiled,
    window: Window,
    /// One that was stored twice counts once.
    spans: HashSet<(TraceId, SpanId, u64)>,
    documents: usize,
    buffer: Vec<u8>,
    skipped: Vec<Skipped>,
}

impl Counting {
    fn add(&mut self, answer: &[u8], layout: &DocumentLayout) -> Result<Option<Value>, ReadError> {
        let page = read_page(answer, layout, &mut self.skipped)?;
        self.documents += page.documents;
        let batch = page.batch;
        for span in batch.iter() {
            if self.window.contains(span.start()) && matches(span, &self.judged) {
                let content = batch.span_hash_with(span.row(), &mut self.buffer);
                self.spans
                    .insert((span.trace_id(), span.span_id(), content));
            }
        }
        if page.next.is_some() && self.documents > JUDGED_MAX {
            return Err(too_many_to_judge());
        }
        Ok(page.next)
    }
}

struct Values {
    request: ValuesRequest,
    field: Field,
    found: BTreeSet<String>,
    documents: usize,
    is_all: bool,
    skipped: Vec<Skipped>,
}

impl Values {
    fn add(&mut self, answer: &[u8], layout: &DocumentLayout) -> Result<Option<Value>, ReadError> {
        let page = read_page(answer, layout, &mut self.skipped)?;
        self.documents += page.documents;
        let batch = page.batch;
        for span in batch.iter() {
            // No value is the one that is looked for: all are seen.
            any_value(span, &self.field, &mut |value| {
                let text = text_of(&value).filter(|text| text.starts_with(&self.request.prefix));
                self.found.extend(text);
                false
            });
        }
        let is_enough =
            self.documents >= VALUES_OF_SPANS_MAX || self.found.len() > self.request.limit;
        if page.next.is_some() && is_enough {
            self.is_all = false;
            return Ok(None);
        }
        Ok(page.next)
    }
}

/// A value as it is completed; what has no short text is left out.
fn text_of(value: &AttrValue<'_>) -> Option<String> {
    match value {
        AttrValue::Empty | AttrValue::Array(_) | AttrValue::Map(_) | AttrValue::Bytes(_) => None,
        _ => Some(value.canonical_text().into_owned()),
    }
}

impl Elastic {
    pub(super) async fn count_spans(
        &self,
        request: CountRequest,
    ) -> Result<CountAnswer, ReadError> {
        let window = request.window;
        let asked = judged_and_asked(&request.predicate, window, &self.options.layout)?;
        let Some((judged, query)) = asked else {
            return Ok(CountAnswer::default());
        };
        let counting = Counting {
            judged,
            window,
            spans: HashSet::new(),
            documents: 0,
            buffer: Vec::new(),
            skipped: Vec::new(),
        };
        let index = self.indices(&request.tenant).spans_in(window);
        let asked = question(&query, "startTime", "desc");
        let counted = self.page_through(&index, &asked, counting, Counting::add);
        let counted = counted.await?;
        let traces: HashSet<TraceId> = counted.spans.iter().map(|(trace, ..)| *trace).collect();
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Ok(CountAnswer {
            spans: number(counted.spans.len()),
            traces: number(traces.len()),
            skipped: counted.skipped,
        })
    }

    pub(super) async fn list_values(
        &self,
        request: ValuesRequest,
    ) -> Result<ValuesAnswer, ReadError> {
        let field = Field::Attribute {
            place: request.place,
            key: request.key.clone(),
        };
        let has_key = Predicate::Exists(field.clone());
        let asked = lower::query(&has_key, Window::ALWAYS, &self.options.layout);
        let Asked::Some(query) = asked else {
            return Ok(ValuesAnswer::default());
        };
        let (index, limit) = (self.indices(&request.tenant).all_spans(), request.limit);
        let values = Values {
            request,
            field,
            found: BTreeSet::new(),
            documents: 0,
            is_all: true,
            skipped: Vec::new(),
        };
        let asked = question(&query, "startTime", "desc");
        let read = self
            .page_through(&index, &asked, values, Values::add)
            .await?;
        Ok(ValuesAnswer {
            is_all: read.is_all && read.found.len() <= limit,
            values: read.found.into_iter().take(limit).collect(),
            skipped: read.skipped,
        })
    }
}
