//! The search: summaries of traces, or spans with their traces, as lines of JSON that are sent as they are found.
//!
//! Promises: the first page is small and comes at once; a search that fails before its first line has an error status,
//! later a line says so. Who reads slowly is waited for: nothing is searched ahead of what was sent. A query that the
//! store can't answer alone is answered by judging what it gives, [`LOOKED_AT_MAX`] at most, and says so.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::RawQuery;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use model::contract::{Order, Window};
use plumbing::planted;
use query::{FindTraces, Question, Scope};
use traceql::Field;

use super::Ui;
use super::answers::{Diagnostic, SearchLine, Skipped};
use super::error::UiError;
use super::parameters::Parameters;
use super::summary::{self, Shown, Told};
use super::text;
use crate::guard::For;

/// Traces or spans of the first step of a search, so that something is seen at once.
const FIRST_STEP: usize = 10;
/// Traces or spans of each later step.
const STEP: usize = 50;
/// Traces or spans of a page that doesn't say.
const PAGE: u64 = 50;
/// Traces or spans that are looked at for one page where the store can't tell which match.
const LOOKED_AT_MAX: usize = 2_000;

/// A search that goes on step by step.
struct Running {
    ui: Arc<Ui>,
    question: Arc<Question>,
    fields: Arc<Vec<Field>>,
    window: Window,
    order: Order,
    /// Traces or spans that are still wanted.
    left: usize,
    /// Those that may still be looked at.
    looks_left: usize,
    cursor: Option<String>,
    found: u64,
    skipped: Vec<Skipped>,
    warnings: Vec<Diagnostic>,
    began: u64,
}

pub(super) async fn search(
    For(ui): For<Ui>,
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
        let limit = match self.question.is_exact {
            true => self.left.min(most),
            // Of what is looked at few may match, so a step is not smaller for that few are wanted.
            false => most,
        };
        let request = FindTraces {
            tenant: self.ui.parts.tenant.clone(),
            predicate: self.question.predicate.clone(),
            window: self.window,
            order: self.order,
            limit,
            cursor: self.cursor.take(),
        };
        let (mut told, looked_at) = match self.question.scope() {
            Scope::Traces => self.traces(request).await?,
            Scope::Entry | Scope::Spans => self.spans(request).await?,
        };
        // What is behind the last one that is wanted belongs to the next page.
        if told.traces.len() > self.left {
            told.traces.truncate(self.left);
            if !planted("ui-search-cursor-too-far") {
                self.cursor = told.traces.last().map(|(_, cursor)| cursor.clone());
            }
        }
        self.left = self.left.saturating_sub(told.traces.len());
        self.found += told.traces.len() as u64;
        let too_long = told.too_long.iter().map(|id| Skipped {
            what: format!("trace {id}"),
            why: "it is too long to be judged in a list; open it and find there".to_owned(),
        });
        self.tell_skipped(too_long.collect());
        self.stop_looking(looked_at);
        let mut lines = Vec::new();
        for (trace, _) in told.traces {
            push_line(&mut lines, &SearchLine::Trace { trace });
        }
        let progress = SearchLine::Progress {
            found: self.found,
            elapsed_ms: self.elapsed_ms(),
        };
        push_line(&mut lines, &progress);
        Ok(Bytes::from(lines))
    }

    /// The next traces; with how many were looked at.
    async fn traces(&mut self, request: FindTraces) -> Result<(Told, usize), UiError> {
        let options = &self.ui.parts.options;
        let wants_spans = !self.question.is_all || !self.fields.is_empty();
        let spans_of = wants_spans.then_some(options.matched_spans_of);
        let found = self.ui.parts.query.summaries(request, spans_of).await?;
        self.cursor = found.next;
        self.tell_skipped(Skipped::all(&found.skipped));
        let looked_at = found.traces.len();
        let told = self
            .judge(move |shown| summary::all(found.traces, shown))
            .await?;
        Ok((told, looked_at))
    }

    /// The next spans; with how many were looked at.
    async fn spans(&mut self, request: FindTraces) -> Result<(Told, usize), UiError> {
        let options = &self.ui.parts.options;
        let needs_traces = !self.question.is_exact && self.question.needs_whole_trace();
        let spans_of = needs_traces.then_some(options.matched_spans_of);
        let mut found = self.ui.parts.query.list_spans(request, spans_of).await?;
        self.cursor = found.next.take();
        self.tell_skipped(Skipped::all(&found.skipped));
        let looked_at = found.listed.len();
        let told = self
            .judge(move |shown| summary::spans(found, shown))
            .await?;
        Ok((told, looked_at))
    }

    async fn judge(
        &self,
        judge: impl FnOnce(&Shown<'_>) -> Told + Send + 'static,
    ) -> Result<Told, UiError> {
        let (question, fields) = (Arc::clone(&self.question), Arc::clone(&self.fields));
        let window = self.window;
        let work = move || {
            judge(&Shown {
                question: &question,
                fields: &fields,
                window,
            })
        };
        self.ui.work(work).await
    }

    fn tell_skipped(&mut self, skipped: Vec<Skipped>) {
        for skipped in skipped {
            if !self.skipped.contains(&skipped) && !planted("ui-skipped-not-told") {
                self.skipped.push(skipped);
            }
        }
    }

    /// Ends the page when too much was looked at; the cursor goes on from there.
    fn stop_looking(&mut self, looked_at: usize) {
        if self.question.is_exact {
            return;
        }
        self.looks_left = self.looks_left.saturating_sub(looked_at);
        if self.looks_left == 0 && self.left > 0 && self.cursor.is_some() {
            self.left = 0;
            let what = match self.question.scope() {
                Scope::Traces => "traces",
                Scope::Entry | Scope::Spans => "spans",
            };
            self.skipped.push(Skipped {
                what: "the rest of the time range".to_owned(),
                why: format!(
                    "the store can't tell which {what} match, and {LOOKED_AT_MAX} were looked at; go on for more"
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
