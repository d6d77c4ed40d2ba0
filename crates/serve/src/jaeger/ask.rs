//! What the newer APIs ask (v3, and both over gRPC): a search in numbers, and traces as they are shown.
//!
//! Promises: a search is one predicate, whichever API worded it; a trace is shown by the same edits everywhere.

use std::collections::BTreeMap;

use axum::http::{HeaderName, HeaderValue};
use model::contract::{DependencyAnswer, Order, Skipped, TraceAnswer, Window};
use model::{Predicate, SpanBatch, TraceId};
use query::adjust::{AdjustOptions, AdjustableTrace, adjust};
use query::jaeger_search::JaegerSearch;
use query::{FindTraces, FoundHits};

use super::Jaeger;
use super::filter;
use codec::generated::jaeger::expression::v1::Call;

/// Says what an answer lacks that has no place for it.
pub(super) const INCOMPLETE: HeaderName = HeaderName::from_static("trackway-incomplete");
/// The longest text that is put there.
const INCOMPLETE_CHARS_MAX: usize = 1_000;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum AskError {
    /// The question is wrong; the text is the whole message.
    Wrong(String),
    /// More traces are asked for than may be, or none.
    Depth,
    /// What the store said.
    Query(query::Error),
    /// There are too many answers under way.
    Busy(String),
}

/// Jaeger's words for a search depth that is none.
pub(super) const DEPTH_MESSAGE: &str =
    "search depth must be greater than 0 and less than max traces";

impl From<query::Error> for AskError {
    fn from(error: query::Error) -> Self {
        Self::Query(error)
    }
}

/// A search, in numbers.
#[derive(Debug, Default)]
pub(super) struct Search {
    pub(super) service: String,
    pub(super) operation: String,
    pub(super) attributes: BTreeMap<String, String>,
    /// Nanoseconds since the epoch; `None`: any time.
    pub(super) start_min: Option<i128>,
    /// Nanoseconds since the epoch; `None`: any time.
    pub(super) start_max: Option<i128>,
    /// Nanoseconds; 0 for none.
    pub(super) duration_min: i64,
    /// Nanoseconds; 0 for none.
    pub(super) duration_max: i64,
    /// As given; it may be 0 or negative.
    pub(super) depth: i64,
    pub(super) is_raw: bool,
    pub(super) filter: Option<Call>,
}

impl Search {
    fn predicate(&self) -> Result<Predicate, AskError> {
        let worded = JaegerSearch {
            service: self.service.clone(),
            operation: self.operation.clone(),
            duration_min_nanos: self.duration_min,
            duration_max_nanos: self.duration_max,
            tags: self.attributes.clone(),
            ..JaegerSearch::default()
        };
        let Some(call) = &self.filter else {
            return Ok(worded.predicate());
        };
        if worded != JaegerSearch::default() {
            let message = "the query filter can't be combined with service name, operation name, durations or \
                           attributes; say them in the filter";
            return Err(AskError::Wrong(message.to_owned()));
        }
        filter::lower(call)
            .map_err(|why| AskError::Wrong(format!("the query filter is refused: {why}")))
    }

    /// When a span must start; `None` when no moment can be.
    fn window(&self) -> Option<Window> {
        let start = self.start_min.unwrap_or(0).max(0);
        let end = self.start_max.unwrap_or(i128::from(u64::MAX));
        let start = u64::try_from(start).ok()?;
        let end = u64::try_from(end.min(i128::from(u64::MAX))).ok()?;
        (start <= end).then_some(Window { start, end })
    }
}

impl Jaeger {
    /// The traces that a search finds, the newest first.
    pub(super) async fn find(&self, search: &Search) -> Result<FoundHits, AskError> {
        let predicate = search.predicate()?;
        let limit = usize::try_from(search.depth).unwrap_or(0);
        if limit == 0 || limit > self.options.search_traces_max {
            return Err(AskError::Depth);
        }
        let Some(window) = search.window() else {
            return Ok(FoundHits::default());
        };
        let found = self.query.find(FindTraces {
            tenant: self.tenant.clone(),
            predicate,
            window,
            order: Order::NewestFirst,
            limit,
            cursor: None,
        });
        Ok(found.await?)
    }

    /// A trace with what could not be read of it. That it is not there is an error only where that is not known.
    pub(super) async fn find_one(&self, trace_id: TraceId) -> Result<TraceAnswer, AskError> {
        let found = self.query.trace(&self.tenant, trace_id).await?;
        if found.spans.is_empty() && !found.skipped.is_empty() {
            let reason = format!(
                "trace not found in what could be read; skipped {}",
                skipped_text(&found.skipped)
            );
            return Err(AskError::Query(
                model::contract::ReadError::Failed { reason }.into(),
            ));
        }
        Ok(found)
    }

    /// The calls in traces that lie wholly between two moments.
    pub(super) async fn calls(&self, start: i128, end: i128) -> Result<DependencyAnswer, AskError> {
        let start = u64::try_from(start.max(0)).unwrap_or(u64::MAX);
        // The window of the contract includes its last nanosecond.
        let end = u64::try_from((end - 1).min(i128::from(u64::MAX)));
        match end {
            Ok(end) if start <= end => {
                let window = Window { start, end };
                Ok(self.query.dependencies(&self.tenant, window).await?)
            }
            _ => Ok(DependencyAnswer::default()),
        }
    }

    /// The edits of traces that are shown; none when they are wanted raw.
    pub(super) fn edits(&self, is_raw: bool) -> Option<AdjustOptions> {
        (!is_raw).then_some(self.options.adjust)
    }

    /// Does work that may take long away from the sockets.
    pub(super) async fn at_work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AskError> {
        let done = self.pool.run(work).await;
        done.map_err(|error| AskError::Busy(error.to_string()))
    }
}

/// A trace as it is shown; without edits it is raw.
pub(super) fn shown(spans: &SpanBatch, edits: Option<AdjustOptions>) -> AdjustableTrace<'_> {
    let mut trace = AdjustableTrace::sanitized(spans);
    if let Some(options) = edits {
        adjust(&mut trace, options);
    }
    trace
}

fn skipped_text(skipped: &[Skipped]) -> String {
    let texts: Vec<String> = skipped
        .iter()
        .map(|one| format!("{}: {}", one.what, one.why))
        .collect();
    texts.join("; ")
}

/// What an answer lacks, for a header; nothing when it is whole.
pub(super) fn incomplete(skipped: &[Skipped]) -> Option<HeaderValue> {
    if skipped.is_empty() || plumbing::planted("jaeger-skipped-not-told") {
        return None;
    }
    header_text(&skipped_text(skipped))
}

/// A text as the value of a header, cut short; what a header can't hold becomes `?`.
pub(super) fn header_text(text: &str) -> Option<HeaderValue> {
    let printable = |c: char| if (' '..='~').contains(&c) { c } else { '?' };
    let text: String = text
        .chars()
        .take(INCOMPLETE_CHARS_MAX)
        .map(printable)
        .collect();
    HeaderValue::try_from(text).ok()
}
