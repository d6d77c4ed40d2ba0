//! Numbers and values that are found by reading spans, whatever store they come from.

use std::collections::{BTreeSet, HashSet};

use model::batch::AttrValue;
use model::contract::{Skipped, Window};
use model::evaluate::{Compiled, any_value, matches};
use model::seen::{ValuesAnswer, ValuesRequest};
use model::{CountAnswer, Field, SpanBatch, SpanId, TraceId};

/// Spans whose values are looked at.
const VALUES_OF_SPANS_MAX: usize = 20_000;

/// A count that is under way.
#[derive(Debug)]
pub(crate) struct Counting {
    judged: Compiled,
    window: Window,
    /// One that was stored twice counts once.
    spans: HashSet<(TraceId, SpanId, u64)>,
    buffer: Vec<u8>,
}

impl Counting {
    /// Begins with none.
    pub(crate) fn new(judged: Compiled, window: Window) -> Self {
        Self {
            judged,
            window,
            spans: HashSet::new(),
            buffer: Vec::new(),
        }
    }

    /// Counts the spans of a batch that match.
    pub(crate) fn add(&mut self, batch: &SpanBatch) {
        for span in batch.iter() {
            if self.window.contains(span.start()) && matches(span, &self.judged) {
                let content = batch.span_hash_with(span.row(), &mut self.buffer);
                self.spans
                    .insert((span.trace_id(), span.span_id(), content));
            }
        }
    }

    /// How many there are.
    pub(crate) fn answer(&self, skipped: Vec<Skipped>) -> CountAnswer {
        let traces: HashSet<TraceId> = self.spans.iter().map(|(trace, ..)| *trace).collect();
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        CountAnswer {
            spans: number(self.spans.len()),
            traces: number(traces.len()),
            skipped,
        }
    }
}

/// Values that are gathered.
#[derive(Debug)]
pub(crate) struct Values {
    request: ValuesRequest,
    field: Field,
    found: BTreeSet<String>,
    spans: usize,
}

impl Values {
    /// Begins with none.
    pub(crate) fn new(request: ValuesRequest) -> Self {
        let field = Field::Attribute {
            place: request.place,
            key: request.key.clone(),
        };
        Self {
            request,
            field,
            found: BTreeSet::new(),
            spans: 0,
        }
    }

    /// Looks at the spans of a batch.
    pub(crate) fn add(&mut self, batch: &SpanBatch) {
        self.spans += batch.len();
        for span in batch.iter() {
            // No value is the one that is looked for: all are seen.
            any_value(span, &self.field, &mut |value| {
                let text = text_of(&value).filter(|text| text.starts_with(&self.request.prefix));
                self.found.extend(text);
                false
            });
        }
    }

    /// Whether so many were looked at, or found, that it is no use to go on.
    pub(crate) fn is_enough(&self) -> bool {
        self.spans >= VALUES_OF_SPANS_MAX || self.found.len() > self.request.limit
    }

    /// The values; whether all spans were looked at is told.
    pub(crate) fn answer(self, is_all: bool, skipped: Vec<Skipped>) -> ValuesAnswer {
        let limit = self.request.limit;
        ValuesAnswer {
            is_all: is_all && self.found.len() <= limit,
            values: self.found.into_iter().take(limit).collect(),
            skipped,
        }
    }
}

/// A value as it is completed; what has no short text is left out.
fn text_of(value: &AttrValue<'_>) -> Option<String> {
    match value {
        AttrValue::Empty | AttrValue::Array(_) | AttrValue::Map(_) | AttrValue::Bytes(_) => None,
        _ => Some(value.canonical_text().into_owned()),
    }
}
