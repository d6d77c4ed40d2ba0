//! The search: summaries of traces, as lines of JSON that are sent as they are found.
//!
//! Promises: the first page is small and comes at once; a search that fails before its first line has an error status,
//! later a line says so. Who reads slowly is waited for: nothing is searched ahead of what was sent.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use model::Predicate;
use model::contract::{Order, Window};
use model::facts::TraceFacts;
use query::{FindTraces, Summaries};

use super::Ui;
use super::answers::{Root, SearchLine, ServiceShare, Skipped, SpanKind, TraceSummary};
use super::error::UiError;
use super::parameters::Parameters;

/// Traces of the first step of a search, so that something is seen at once.
const FIRST_STEP: usize = 10;
/// Traces of each later step.
const STEP: usize = 100;
/// Traces of a page that doesn't say.
const PAGE: u64 = 50;

/// A search that goes on step by step.
struct Running {
    ui: Arc<Ui>,
    predicate: Predicate,
    window: Window,
    order: Order,
    /// Traces that are still wanted.
    left: usize,
    cursor: Option<String>,
    found: u64,
    skipped: Vec<Skipped>,
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
    let mut running = Running {
        predicate: Predicate::All,
        window: parameters.window(now)?,
        order: parameters.order()?,
        left: usize::try_from(limit).unwrap_or(max),
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
        if running.is_over() {
            return Some((Ok(running.last_line()), (None, None)));
        }
        match running.step(STEP).await {
            Ok(lines) => Some((Ok(lines), (None, Some(running)))),
            Err(error) => Some((Ok(failed_line(error)), (None, None))),
        }
    });
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
    fn is_over(&self) -> bool {
        self.left == 0 || (self.cursor.is_none() && self.found > 0) || self.found == 0
    }

    async fn step(&mut self, most: usize) -> Result<Bytes, UiError> {
        let query = Arc::clone(&self.ui.parts.query);
        let limit = self.left.min(most);
        let Summaries {
            traces,
            next,
            skipped,
        } = query
            .summaries(FindTraces {
                tenant: self.ui.parts.tenant.clone(),
                predicate: self.predicate.clone(),
                window: self.window,
                order: self.order,
                limit,
                cursor: self.cursor.take(),
            })
            .await?;
        self.left = if next.is_some() { self.left - limit } else { 0 };
        self.cursor = next;
        self.found += traces.len() as u64;
        for skipped in Skipped::all(&skipped) {
            if !self.skipped.contains(&skipped) {
                self.skipped.push(skipped);
            }
        }
        let mut lines = Vec::new();
        for facts in traces {
            let trace = summary(facts);
            push_line(&mut lines, &SearchLine::Trace { trace });
        }
        let progress = SearchLine::Progress {
            found: self.found,
            elapsed_ms: self.elapsed_ms(),
        };
        push_line(&mut lines, &progress);
        Ok(Bytes::from(lines))
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
            diagnostics: Vec::new(),
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

fn summary(facts: TraceFacts) -> TraceSummary {
    TraceSummary {
        trace_id: facts.trace_id.to_string(),
        start_ns: facts.start.to_string(),
        duration_ns: facts.end.saturating_sub(facts.start),
        spans: facts.spans,
        errors: facts.errors,
        root: facts.root.map(|root| Root {
            service: root.service,
            name: root.name,
            kind: SpanKind::of(root.kind),
        }),
        services: facts
            .services
            .into_iter()
            .map(|share| ServiceShare {
                service: share.service,
                spans: share.spans,
                errors: share.errors,
            })
            .collect(),
        is_complete: facts.is_complete,
        matched: Vec::new(),
        matched_spans: None,
    }
}
