//! The spans that a search for spans has found so far, whatever store they come from.
//!
//! Promises: one more than is given is kept, by their places in the order; spans of one place are in the order of their
//! ids and contents.

use std::collections::{BTreeMap, HashSet};

use model::contract::Skipped;
use model::evaluate::{Compiled, matches};
use model::{BatchBuilder, SpanBatch, SpanPosition, SpanSearchAnswer, SpanSearchRequest};

const NANOS_PER_MICRO: u64 = 1_000;

/// What was found.
#[derive(Debug)]
pub(crate) struct FoundSpans {
    judged: Compiled,
    request: SpanSearchRequest,
    /// One more than is given, by their places; each with the batch and the row that it is in.
    found: BTreeMap<SpanPosition, (usize, usize)>,
    batches: Vec<SpanBatch>,
    buffer: Vec<u8>,
}

impl FoundSpans {
    /// Begins with nothing.
    pub(crate) fn new(judged: Compiled, request: SpanSearchRequest) -> Self {
        Self {
            judged,
            request,
            found: BTreeMap::new(),
            batches: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// Judges the spans of a batch, and keeps those that are wanted.
    pub(crate) fn add(&mut self, batch: SpanBatch) {
        let order = self.request.order;
        for span in batch.iter() {
            let is_found =
                self.request.window.contains(span.start()) && matches(span, &self.judged);
            let position = SpanPosition::of(&batch, span.row(), order, &mut self.buffer);
            let behind =
                |place: &SpanPosition| self.request.after.is_none_or(|after| after < *place);
            if let Some(position) = position.filter(|place| is_found && behind(place)) {
                let at = (self.batches.len(), span.row());
                self.found.entry(position).or_insert(at);
            }
        }
        self.batches.push(batch);
        let wanted = self.request.limit.saturating_add(1);
        while self.found.len() > wanted {
            self.found.pop_last();
        }
        let used: HashSet<usize> = self.found.values().map(|(batch, _)| *batch).collect();
        for (at, batch) in self.batches.iter_mut().enumerate() {
            if !used.contains(&at) && !batch.is_empty() {
                *batch = SpanBatch::default();
            }
        }
    }

    /// Whether nothing that is still to come can change the answer: its place in the order is at most this, in
    /// microseconds; nothing where that is not known.
    pub(crate) fn is_full(&self, reached_micros: Option<u64>) -> bool {
        let worst = self
            .found
            .last_key_value()
            .map(|(place, _)| place.order_value.0);
        let reached = reached_micros.map(|micros| micros.saturating_mul(NANOS_PER_MICRO));
        self.found.len() > self.request.limit && worst > reached
    }

    /// The page.
    pub(crate) fn answer(self, skipped: Vec<Skipped>) -> SpanSearchAnswer {
        let has_more = self.found.len() > self.request.limit;
        let mut spans = BatchBuilder::new();
        let mut positions = Vec::new();
        for (position, (batch, row)) in self.found.into_iter().take(self.request.limit) {
            if let Some(batch) = self.batches.get(batch) {
                spans.append_rows(batch, [row]);
                positions.push(position);
            }
        }
        SpanSearchAnswer {
            spans: spans.finish(),
            positions,
            has_more,
            skipped,
        }
    }
}
