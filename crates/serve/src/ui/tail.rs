//! Spans as they arrive: what the store has just taken, for pages that follow it.
//!
//! Promises: who writes never waits for who follows; what comes too fast for a page is left out and counted; without a
//! page that follows, a write costs one look at a number.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{StreamExt as _, stream};
use model::contract::Window;
use model::{SpanBatch, TenantId};
use plumbing::{Shutdown, planted};
use query::Question;
use tokio::sync::broadcast::{self, Receiver, Sender, error::RecvError};
use traceql::Field;

use super::Ui;
use super::answers::explore::{TailEvent, TailSpan};
use super::error::UiError;
use super::parameters::Parameters;
use super::summary::matched_span;
use crate::guard::For;

/// Batches that may wait for a page.
const WAITING_MAX: usize = 16;
/// Spans of a second that are sent to a page; nobody reads more.
const SPANS_A_SECOND: u32 = 100;
/// Pages that may follow at the same time.
const PAGES_MAX: usize = 64;
/// How often a page without news hears that the connection lives.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// A batch, and how many spans of its tenant came before it.
#[derive(Debug, Clone)]
struct Arrived {
    tenant: TenantId,
    before: u64,
    spans: Arc<SpanBatch>,
}

/// Where spans are told as they arrive; clones tell the same pages.
#[derive(Debug, Clone)]
pub struct Tail {
    pages: Sender<Arrived>,
    /// Spans that were told, by tenant: one must not learn how many another has.
    told: Arc<Mutex<HashMap<TenantId, u64>>>,
}

impl Default for Tail {
    fn default() -> Self {
        Self {
            pages: broadcast::channel(WAITING_MAX).0,
            told: Arc::default(),
        }
    }
}

impl Tail {
    /// Whether somebody follows.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        self.pages.receiver_count() > 0
    }

    /// Tells spans of a tenant that were taken.
    pub fn tell(&self, tenant: TenantId, spans: SpanBatch) {
        let before = {
            // A std mutex: it is held for an addition.
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let told = told.entry(tenant.clone()).or_default();
            let before = *told;
            *told += spans.len() as u64;
            before
        };
        // Nobody follows any more: nothing is lost.
        let _unheard = self.pages.send(Arrived {
            tenant,
            before,
            spans: Arc::new(spans),
        });
    }
}

/// What a page follows.
struct Following {
    ui: Arc<Ui>,
    question: Arc<Question>,
    fields: Arc<Vec<Field>>,
    arriving: Receiver<Arrived>,
    shutdown: Shutdown,
    /// Spans that were told when the last batch was read.
    seen: Option<u64>,
    /// Room for spans in this second, and when it began.
    room: u32,
    since: u64,
    waiting: VecDeque<TailEvent>,
}

/// `GET /tail?q=`
pub(super) async fn tail(
    For(ui): For<Ui>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, UiError> {
    let parameters = Parameters::parse(query.as_deref());
    let question = ui.question(&parameters).await?;
    if question.needs_whole_trace() {
        return Err(UiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "spans that arrive can't be judged by what holds for their traces as a whole",
        )
        .with_hint("leave out childCount, own and critical times, and facts of the trace"));
    }
    if ui.parts.tail.pages.receiver_count() >= PAGES_MAX {
        let message = format!("{PAGES_MAX} pages follow already");
        return Err(UiError::new(StatusCode::SERVICE_UNAVAILABLE, message));
    }
    let following = Following {
        question: Arc::new(question),
        fields: Arc::new(parameters.fields("cols")?),
        arriving: ui.parts.tail.pages.subscribe(),
        shutdown: ui.parts.shutdown.clone(),
        seen: None,
        room: SPANS_A_SECOND,
        since: 0,
        waiting: VecDeque::new(),
        ui,
    };
    let events = stream::unfold(following, |mut following| async move {
        let event = following.next().await?;
        // Plain structures of numbers and texts: they can always be written.
        let event = Event::default().json_data(&event).unwrap_or_default();
        Some((Ok::<Event, Infallible>(event), following))
    });
    Ok(Sse::new(events.fuse()).keep_alive(KeepAlive::new().interval(ALIVE_EVERY)))
}

impl Following {
    async fn next(&mut self) -> Option<TailEvent> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            let arrived = tokio::select! {
                () = self.shutdown.begun() => return None,
                arrived = self.arriving.recv() => arrived,
            };
            match arrived {
                Ok(arrived)
                    if arrived.tenant == self.ui.parts.tenant
                        || planted("ui-tail-of-all-tenants") =>
                {
                    self.take(arrived).await?;
                }
                Ok(_) => {}
                // What is missing is seen by the number of the next one.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }

    async fn take(&mut self, arrived: Arrived) -> Option<()> {
        let missed = self
            .seen
            .map_or(0, |seen| arrived.before.saturating_sub(seen));
        let missed = if planted("ui-tail-loss-not-told") {
            0
        } else {
            missed
        };
        self.seen = Some(arrived.before + arrived.spans.len() as u64);
        let (question, fields) = (Arc::clone(&self.question), Arc::clone(&self.fields));
        let now = self.ui.parts.clock.monotonic_nanos();
        if now.saturating_sub(self.since) >= 1_000_000_000 {
            (self.since, self.room) = (now, SPANS_A_SECOND);
        }
        let room = self.room as usize;
        let (spans, found) = self
            .ui
            .work(move || matching(&question, &fields, &arrived.spans, room))
            .await
            .ok()?;
        self.room = self
            .room
            .saturating_sub(u32::try_from(spans.len()).unwrap_or(u32::MAX));
        let dropped = missed + found.saturating_sub(spans.len() as u64);
        if !spans.is_empty() {
            self.waiting.push_back(TailEvent::Spans { spans });
        }
        if dropped > 0 {
            self.waiting
                .push_back(TailEvent::Dropped { spans: dropped });
        }
        Some(())
    }
}

/// The first spans of a batch that match, and how many do.
fn matching(
    question: &Question,
    fields: &[Field],
    spans: &SpanBatch,
    most: usize,
) -> (Vec<TailSpan>, u64) {
    let rows = question.matches(spans, Window::ALWAYS);
    let reader = traceql::FieldReader::new(spans, fields);
    let first = rows.iter().take(most).filter_map(|row| spans.span(*row));
    let told = first.map(|span| {
        let columns = fields.iter().map(|field| reader.text(field, span.row()));
        TailSpan {
            trace_id: span.trace_id().to_string(),
            span: matched_span(span, columns.collect()),
        }
    });
    (told.collect(), rows.len() as u64)
}
