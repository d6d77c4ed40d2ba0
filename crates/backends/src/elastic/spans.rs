//! Searches for spans: documents in the order that is asked for, each judged here.
//!
//! Promises: exact; the order of spans of one place is one which a server does not know: reading goes on until the
//! place changes.

use codec::jaeger_document::DocumentLayout;
use model::contract::{Order, ReadError, Skipped};
use model::{SpanSearchAnswer, SpanSearchRequest};
use serde_json::{Value, json};

use super::Elastic;
use super::lower::judged_and_asked;
use super::pages::{JUDGED_MAX, question, read_page, too_many_to_judge};
use crate::busy;
use crate::found::FoundSpans;

const NANOS_PER_MICRO: u64 = 1_000;

/// A search that is under way.
struct Walk {
    found: FoundSpans,
    skipped: Vec<Skipped>,
    documents: usize,
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
            found: FoundSpans::new(judged, request),
            skipped: Vec::new(),
            documents: 0,
        };
        let walk = self.page_through(&index, &asked, walk, Walk::add).await?;
        let answer = self.pool.run(move || walk.found.answer(walk.skipped));
        answer.await.map_err(busy)
    }
}

impl Walk {
    fn add(&mut self, answer: &[u8], layout: &DocumentLayout) -> Result<Option<Value>, ReadError> {
        let page = read_page(answer, layout, &mut self.skipped)?;
        self.documents += page.documents;
        self.found.add(page.batch);
        // Where the next page begins is not told of the last one.
        if page.next.is_none() || self.found.is_full(page.reached) {
            return Ok(None);
        }
        if self.documents > JUDGED_MAX {
            return Err(too_many_to_judge());
        }
        Ok(page.next)
    }
}
