//! Searches for spans: documents in the order that is asked for, each judged here.
//!
//! Promises: exact; spans of one place in the order are given in the order of their ids and contents, which a server
//! does not know: reading goes on until the place changes.

use std::collections::{BTreeMap, HashSet};

use codec::jaeger_document::DocumentLayout;
use model::contract::{Order, ReadError, Skipped};
use model::evaluate::{Compiled, matches};
use model::{BatchBuilder, SpanBatch, SpanPosition, SpanSearchAnswer, SpanSearchRequest};
use serde_json::{Value, json};

use super::Elastic;
use super::lower::judged_and_asked;
use super::pages::{JUDGED_MAX, busy, question, read_page, too_many_to_judge};

const NANOS_PER_MICRO: u64 = 1_000;

/// A search that is under way.
struct Walk {
    judged: Compiled,
    request: SpanSearchRequest,
    /// One more than is given, by their places; each with the batch and the row that it is in.
    found: BTreeMap<SpanPosition, (usize, usize)>,
    batches: Vec<SpanBatch>,
    skipped: Vec<Skipped>,
    documents: usize,
    buffer: Vec<u8>,
}

impl Elastic {
    pub(super) async fn find_spans(
        &self,
        request: SpanSearchRequest,
    ) -> Result<SpanSearchAnswer, ReadError> {
        let layout = &self.options.layout;
        let asked = judged_and_asked(&request.predicate, request.window, layout)?;
        let Some((judged, query)) = asked else {
            return Ok(SpanSearchAnswer::default());
        };
        if request.limit == 0 {
            return Ok(SpanSearchAnswer::default());
        }
        let field = match request.order {
            Order::NewestFirst => "startTime",
            Order::SlowestFirst => "duration",
        };
        let mut filter = vec![query];
        if let Some(after) = request.after {
            let most = after.order_value.0 / NANOS_PER_MICRO;
            filter.push(json!({"range": {field: {"lte": most}}}));
        }
        let index = self.indices(&request.tenant).spans_in(request.window);
        let asked = question(&json!({"bool": {"filter": filter}}), field, "desc");
        let walk = Walk {
            judged,
            request,
            found: BTreeMap::new(),
            batches: Vec::new(),
            skipped: Vec::new(),
            documents: 0,
            buffer: Vec::new(),
        };
        let walk = self.page_through(&index, &asked, walk, Walk::add).await?;
        self.pool.run(move || walk.answer()).await.map_err(busy)
    }
}

impl Walk {
    fn add(&mut self, answer: &[u8], layout: &DocumentLayout) -> Result<Option<Value>, ReadError> {
        let page = read_page(answer, layout, &mut self.skipped)?;
        self.documents += page.documents;
        let batch = page.batch;
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
        let worst = self
            .found
            .last_key_value()
            .map(|(place, _)| place.order_value.0);
        let is_full = self.found.len() == wanted
            && worst
                > page
                    .reached
                    .map(|micros| micros.saturating_mul(NANOS_PER_MICRO));
        if page.next.is_none() || is_full {
            return Ok(None);
        }
        if self.documents > JUDGED_MAX {
            return Err(too_many_to_judge());
        }
        Ok(page.next)
    }

    fn answer(self) -> SpanSearchAnswer {
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
            skipped: self.skipped,
        }
    }
}
