//! The search: summaries of traces, as lines of JSON that are sent as they are found.
//!
//! Promises: the first page is small and comes at once; a search that fails before its first line has an error status,
//! later a line says so. Who reads slowly is waited for: nothing is searched ahead of what was sent. A query that the
//! store can't answer alone is answered by judging what it gives, [`LOOKED_AT_MAX`] traces at most, and says so.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use model::contract::{Order, Window};
use plumbing::planted;
use query::{FindTraces, Question, Summaries};
use traceql::Field;

use super::Ui;
use super::answers::{Diagnostic, SearchLine, Skipped};
use super::error::UiError;
use super::parameters::Parameters;
use super::summary::{self, Shown};
use super::text;

/// Traces of the first step of a search, so that something is seen at once.
const FIRST_STEP: usize = 10;
/// Traces of each later step.
const STEP: usize = 50;
/// Traces of a page that doesn't say.
const PAGE: u64 = 50;
/// Traces that are looked at for one page where the store can't tell which match.
const LOOKED_AT_MAX: usize = 2_000;

/// A search that goes on step by step.
struct Running {
    ui: Arc<Ui>,
    question: Arc<Question>,
    fields: Arc<Vec<Field>>,
    window: Window,
    order: Order,
    /// Traces that are still wanted.
    left: usize,
    /// Traces that may still be looked at.
    looks_left: usize,
    cursor: Option<String>,
    found: u64,
    skipped: Vec<Skipped>,
    warnings: Vec<Diagnostic>,
    began: u64,
}

pub(super) async fn search(
    State(ui): State<Arc<Ui>>,
    RawQuery(query): RawQuery,
) -> Result<Response, UiError> {
    let parameters = Parameters::parse(query.as_deref());
    let now = ui.parts.clock.unix_nanos();
    let max = ui.parts.options.page_traces_max;
    let limit = parameters.number("limit", PAGE, max as u64)?;
    let cursor = parameters.text("cursor");
    let q = parameters.text("q");
    let question = ui.question(&parameters).await?;
    let mut running = Running {
        warnings: text::warnings(q, &question),
        question: Arc::new(question),
        fields: Arc::new(parameters.fields("cols")?),
        window: parameters.window(now)?,
        order: parameters.order()?,
        left: usize::try_from(limit).unwrap_or(max),
        looks_left: LOOKED_AT_MAX,
        cursor: (!cursor.is_empty()).then(|| cursor.to_owned()),
        found: 0,
        skipped: Vec::new(),
        began: ui.parts.clock.monotonic_nanos(),
        ui,
    };
    let first = running.step(FIRST_STEP).await?;
    let lines = stream::unfold((Some(first), Some(running)), |(line, running)| async move {
        if let Some(line) = line {
            return Some((Ok::<Bytes, Infallible>(line), (None, running)));
        }
        let mut running = running?;
        if running.left == 0 || running.cursor.is_none() {
            return Some((Ok(running.last_line()), (None, None)));
        }
        match running.step(STEP).await {
            Ok(lines) => Some((Ok(lines), (None, Some(running)))),
            Err(error) => Some((Ok(failed_line(error)), (None, None))),
        }
    });
    // A body may be asked again behind its end.
    let lines = lines.fuse();
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-ndjson"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

impl Running {
    async fn step(&mut self, most: usize) -> Result<Bytes, UiError> {
        let query = Arc::clone(&self.ui.parts.query);
        let limit = self.left.min(most);
        let request = FindTraces {
            tenant: self.ui.parts.tenant.clone(),
            predicate: self.question.predicate.clone(),
            window: self.window,
            order: self.order,
            limit,
            cursor: self.cursor.take(),
        };
        let wants_spans = !self.question.is_all || !self.fields.is_empty();
        let spans_of = wants_spans.then_some(self.ui.parts.options.matched_spans_of);
        let Summaries {
            traces,
            next,
            skipped,
        } = query.summaries(request, spans_of).await?;
        let (question, fields) = (Arc::clone(&self.question), Arc::clone(&self.fields));
        let window = self.window;
        let looked_at = traces.len();
        let told = self
            .ui
            .work(move || {
                let shown = Shown {
                    question: &question,
                    fields: &fields,
                    window,
                };
                summary::all(traces, &shown)
            })
            .await?;
        self.cursor = next;
        self.left = self.left.saturating_sub(told.traces.len());
        self.found += told.traces.len() as u64;
        let too_long = told.too_long.iter().map(|id| Skipped {
            what: format!("trace {id}"),
            why: "it is too long to be judged in a list; open it and find there".to_owned(),
        });
        for skipped in Skipped::all(&skipped).into_iter().chain(too_long) {
            if !self.skipped.contains(&skipped) && !planted("ui-skipped-not-told") {
                self.skipped.push(skipped);
            }
        }
        self.stop_looking(looked_at);
        let mut lines = Vec::new();
        for trace in told.traces {
            push_line(&mut lines, &SearchLine::Trace { trace });
        }
        let progress = SearchLine::Progress {
            found: self.found,
            elapsed_ms: self.elapsed_ms(),
        };
        push_line(&mut lines, &progress);
        Ok(Bytes::from(lines))
    }

    /// Ends the page when too much was looked at; the cursor goes on from there.
    fn stop_looking(&mut self, looked_at: usize) {
        if self.question.is_exact {
            return;
        }
        self.looks_left = self.looks_left.saturating_sub(looked_at);
        if self.looks_left == 0 && self.left > 0 && self.cursor.is_some() {
            self.left = 0;
            self.skipped.push(Skipped {
                what: "the rest of the time range".to_owned(),
                why: format!(
                    "the store can't tell which traces match, and {LOOKED_AT_MAX} were looked at; go on for more"
                ),
            });
        }
    }

    fn elapsed_ms(&self) -> u64 {
        let now = self.ui.parts.clock.monotonic_nanos();
        now.saturating_sub(self.began) / 1_000_000
    }

    fn last_line(&mut self) -> Bytes {
        let mut lines = Vec::new();
        let done = SearchLine::Done {
            cursor: self.cursor.take(),
            found: self.found,
            elapsed_ms: self.elapsed_ms(),
            skipped: std::mem::take(&mut self.skipped),
            diagnostics: std::mem::take(&mut self.warnings),
        };
        push_line(&mut lines, &done);
        Bytes::from(lines)
    }
}

fn failed_line(error: UiError) -> Bytes {
    let mut lines = Vec::new();
    let failed = SearchLine::Failed {
        message: error.message,
        hint: error.hint,
    };
    push_line(&mut lines, &failed);
    Bytes::from(lines)
}

fn push_line(lines: &mut Vec<u8>, line: &SearchLine) {
    // Plain structures of numbers and texts: they can always be written.
    if serde_json::to_writer(&mut *lines, line).is_ok() {
        lines.push(b'\n');
    }
}
