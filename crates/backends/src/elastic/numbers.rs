//! How many spans match, and which values an attribute has: both are found by reading what may match.
//!
//! Promises: a number is exact, and refused where it would take judging more than [`JUDGED_MAX`] spans. Values are
//! those of the newest spans that have the key; whether they are all is told.

use codec::jaeger_document::DocumentLayout;
use model::contract::{ReadError, Skipped, Window};
use model::seen::{ValuesAnswer, ValuesRequest};
use model::{CountAnswer, CountRequest, Field, Predicate};
use serde_json::Value;

use super::Elastic;
use super::lower::{self, Asked, judged_and_asked};
use super::pages::{JUDGED_MAX, question, read_page, too_many_to_judge};
use crate::numbers::{Counting, Values};

/// A count, as far as documents were read.
struct Counted {
    counting: Counting,
    documents: usize,
    skipped: Vec<Skipped>,
}

impl Counted {
    fn add(&mut self, answer: &[u8], layout: &DocumentLayout) -> Result<Option<Value>, ReadError> {
        let page = read_page(answer, layout, &mut self.skipped)?;
        self.documents += page.documents;
        self.counting.add(&page.batch);
        if page.next.is_some() && self.documents > JUDGED_MAX {
            return Err(too_many_to_judge());
        }
        Ok(page.next)
    }
}

/// Values, as far as documents were read.
struct Gathered {
    values: Values,
    is_all: bool,
    skipped: Vec<Skipped>,
}

impl Gathered {
    fn add(&mut self, answer: &[u8], layout: &DocumentLayout) -> Result<Option<Value>, ReadError> {
        let page = read_page(answer, layout, &mut self.skipped)?;
        self.values.add(&page.batch);
        if page.next.is_some() && self.values.is_enough() {
            self.is_all = false;
            return Ok(None);
        }
        Ok(page.next)
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
        let counted = Counted {
            counting: Counting::new(judged, window),
            documents: 0,
            skipped: Vec::new(),
        };
        let index = self.indices(&request.tenant).spans_in(window);
        let asked = question(&query, "startTime", "desc");
        let counted = self.page_through(&index, &asked, counted, Counted::add);
        let counted = counted.await?;
        Ok(counted.counting.answer(counted.skipped))
    }

    pub(super) async fn list_values(
        &self,
        request: ValuesRequest,
    ) -> Result<ValuesAnswer, ReadError> {
        let field = Field::Attribute {
            place: request.place,
            key: request.key.clone(),
        };
        let has_key = Predicate::Exists(field);
        let asked = lower::query(&has_key, Window::ALWAYS, &self.options.layout);
        let Asked::Some(query) = asked else {
            return Ok(ValuesAnswer::default());
        };
        let index = self.indices(&request.tenant).all_spans();
        let gathered = Gathered {
            values: Values::new(request),
            is_all: true,
            skipped: Vec::new(),
        };
        let asked = question(&query, "startTime", "desc");
        let read = self.page_through(&index, &asked, gathered, Gathered::add);
        let read = read.await?;
        Ok(read.values.answer(read.is_all, read.skipped))
    }
}
