//! Answers that take reading whole traces: lists of spans, numbers, values.
//!
//! Promises: exact, and refused where it would take reading more than [`SPANS_MAX`] spans. Values are those of the
//! newest spans; whether they are all is told.

use model::contract::{Order, ReadError, Skipped, Window};
use model::seen::{ValuesAnswer, ValuesRequest};
use model::{
    CountAnswer, CountRequest, Field, Predicate, SpanBatch, SpanSearchAnswer, SpanSearchRequest,
    TenantId,
};

use super::Cassandra;
use super::search::Newest;
use crate::busy;
use crate::found::FoundSpans;
use crate::numbers::{Counting, Values};
use crate::walk::compiled;

/// The most spans that are read for one answer.
const SPANS_MAX: usize = 200_000;
/// Traces that are asked for at once, and of them those that are held at once.
const TRACES_AT_ONCE: usize = 100;
const TRACES_HELD: usize = 10;

/// The traces of a search, as they are read one after another.
pub(super) struct Reader<'a> {
    cassandra: &'a Cassandra,
    newest: Newest<'a>,
    pub(super) spans: usize,
    pub(super) skipped: Vec<Skipped>,
    /// No span that may match and was not read starts later than this, in microseconds.
    cursor: u64,
    pub(super) is_done: bool,
}

impl<'a> Reader<'a> {
    pub(super) async fn new(
        cassandra: &'a Cassandra,
        tenant: &TenantId,
        predicate: &Predicate,
        window: Window,
    ) -> Result<Self, ReadError> {
        Ok(Self {
            cassandra,
            newest: cassandra.newest(tenant, predicate, window).await?,
            spans: 0,
            skipped: Vec::new(),
            cursor: u64::MAX,
            is_done: false,
        })
    }

    /// Reads the next traces and adds their spans to an answer, away from the sockets. Leaves off where it has read
    /// more spans than may be.
    pub(super) async fn add_next<T: Send + 'static>(
        &mut self,
        mut answer: T,
        spans_max: usize,
        add: impl Fn(&mut T, SpanBatch) + Clone + Send + 'static,
    ) -> Result<T, ReadError> {
        let found = self.newest.take(TRACES_AT_ONCE).await?;
        for ids in found.ids.chunks(TRACES_HELD) {
            let statements = &self.newest.statements;
            let traces = self.cassandra.read_traces(statements, ids.to_vec()).await?;
            let mut batches = Vec::new();
            for (_, trace) in traces {
                self.spans += trace.spans.len();
                self.skipped.extend(trace.skipped);
                batches.push(trace.spans);
            }
            let add = add.clone();
            let added = self.cassandra.pool.run(move || {
                batches
                    .into_iter()
                    .for_each(|spans| add(&mut answer, spans));
                answer
            });
            answer = added.await.map_err(busy)?;
            if self.spans > spans_max {
                return Ok(answer);
            }
        }
        (self.cursor, self.is_done) = (found.cursor, found.is_exhausted);
        Ok(answer)
    }

    /// Refuses to go on for too long.
    fn go_on(&self) -> Result<(), ReadError> {
        if self.spans <= SPANS_MAX {
            return Ok(());
        }
        let reason = format!(
            "Cassandra can't decide this question by itself, and more than {SPANS_MAX} spans must be read; narrow the \
             window or the search"
        );
        Err(ReadError::OverLimit { reason })
    }
}

impl Cassandra {
    pub(super) async fn find_spans(
        &self,
        request: SpanSearchRequest,
    ) -> Result<SpanSearchAnswer, ReadError> {
        let judged = compiled(&request.predicate)?;
        if request.limit == 0 || request.window.start > request.window.end {
            return Ok(SpanSearchAnswer::default());
        }
        let mut reader =
            Reader::new(self, &request.tenant, &request.predicate, request.window).await?;
        let is_by_start = request.order == Order::NewestFirst;
        let mut found = FoundSpans::new(judged, request);
        loop {
            found = reader.add_next(found, SPANS_MAX, FoundSpans::add).await?;
            if reader.is_done || (is_by_start && found.is_full(Some(reader.cursor))) {
                break;
            }
            reader.go_on()?;
        }
        let skipped = reader.skipped;
        let answer = self.pool.run(move || found.answer(skipped));
        answer.await.map_err(busy)
    }

    pub(super) async fn count_spans(
        &self,
        request: CountRequest,
    ) -> Result<CountAnswer, ReadError> {
        let window = request.window;
        let mut counting = Counting::new(compiled(&request.predicate)?, window);
        if window.start > window.end {
            return Ok(CountAnswer::default());
        }
        let mut reader = Reader::new(self, &request.tenant, &request.predicate, window).await?;
        loop {
            let add = |counting: &mut Counting, spans| counting.add(&spans);
            counting = reader.add_next(counting, SPANS_MAX, add).await?;
            if reader.is_done {
                return Ok(counting.answer(reader.skipped));
            }
            reader.go_on()?;
        }
    }

    pub(super) async fn list_values(
        &self,
        request: ValuesRequest,
    ) -> Result<ValuesAnswer, ReadError> {
        let has_key = Predicate::Exists(Field::Attribute {
            place: request.place,
            key: request.key.clone(),
        });
        let mut reader = Reader::new(self, &request.tenant, &has_key, Window::ALWAYS).await?;
        let mut values = Values::new(request);
        loop {
            let add = |values: &mut Values, spans| values.add(&spans);
            values = reader.add_next(values, usize::MAX, add).await?;
            if reader.is_done || values.is_enough() {
                return Ok(values.answer(reader.is_done, reader.skipped));
            }
        }
    }
}
