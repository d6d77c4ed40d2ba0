//! What the web app asks: `/api/ui/v1`. It is private to the app and changes with it; scripts use Jaeger's API.
//!
//! - [`answers`] are the shapes of all answers, from which the app's types and `docs/ui-api.json` are made.
//! - [`search`] streams summaries of traces; [`trace`] tells one trace row by row, its spans when they are asked for.
//!
//! Promises: an answer that lacks something says so in `skipped`; an error says what to do; nothing here needs more
//! memory than the questions it asks.

mod answers;
mod arrow;
mod compare;
mod error;
mod find_words;
mod near;
mod overview;
mod parameters;
#[cfg(test)]
mod paths;
mod program;
mod red;
mod search;
mod spans;
mod summary;
mod tail;
mod text;
mod trace;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get, post};
use model::TenantId;
use plumbing::{Clock, CpuPool, Shutdown};
use query::{Query, Question, Scope};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

pub use answers::status::{
    LastRefusal, LedgerStatus, ProgramStatus, ReceiverStatus, RefusedStatus, StoreGrowth,
    StoreStatus,
};
pub use program::Program;
pub use tail::Tail;

use crate::guard::OfTenant;
use error::UiError;
use parameters::Parameters;

/// What the app's API stands on.
#[derive(Debug, Clone)]
pub struct UiParts {
    /// What is asked.
    pub query: Arc<Query>,
    /// What "now" is.
    pub clock: Arc<dyn Clock>,
    /// Where answers are made that take long.
    pub pool: CpuPool,
    /// Whose spans are shown where a request does not say it.
    pub tenant: TenantId,
    /// What only the program knows.
    pub program: Arc<dyn Program>,
    /// Where spans are told as they arrive.
    pub tail: Tail,
    /// Ends what pages follow.
    pub shutdown: Shutdown,
    /// The choices.
    pub options: UiOptions,
}

/// What may be chosen.
#[derive(Debug, Clone, Copy)]
pub struct UiOptions {
    /// The most traces of a page of results.
    pub page_traces_max: usize,
    /// Spans of a trace up to which those that match are told in lists.
    pub matched_spans_of: u64,
    /// The greatest clock skew that is corrected, in nanoseconds; 0: it is only told.
    pub clock_skew_max_nanos: u64,
}

impl Default for UiOptions {
    fn default() -> Self {
        Self {
            page_traces_max: 1_000,
            matched_spans_of: 5_000,
            clock_skew_max_nanos: 0,
        }
    }
}

/// What every handler knows.
#[derive(Debug)]
struct Ui {
    parts: UiParts,
}

impl OfTenant for Ui {
    fn tenant(&self) -> &TenantId {
        &self.parts.tenant
    }

    fn of_tenant(&self, tenant: TenantId) -> Self {
        Self {
            parts: UiParts {
                tenant,
                ..self.parts.clone()
            },
        }
    }
}

impl Ui {
    /// The question of a request: its text, and which spans are meant.
    async fn question(&self, parameters: &Parameters) -> Result<Question, UiError> {
        let scope = match parameters.text("scope") {
            "" | "traces" => Scope::Traces,
            "entry" => Scope::Entry,
            "spans" => Scope::Spans,
            other => {
                let message = format!("scope is {other:?}; give traces, entry or spans");
                return Err(UiError::bad_request(message));
            }
        };
        let q = parameters.text("q");
        let asked = self.parts.query.question(&self.parts.tenant, q, scope);
        asked.await.map_err(|error| text::error_of(q, error))
    }

    /// Does work that may take long away from the sockets.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, UiError> {
        self.parts.pool.run(work).await.map_err(UiError::busy)
    }
}

/// Answers are compressed with little effort, streams of events not at all.
fn compression() -> CompressionLayer {
    CompressionLayer::new().quality(CompressionLevel::Fastest)
}

/// The routes below `/api/ui/v1`.
pub fn ui_router(parts: UiParts) -> Router {
    Router::new()
        .route("/search", get(search::search))
        .route("/overview", get(overview::overview))
        .route("/query", get(words::query))
        .route("/complete", get(words::complete))
        .route("/services", get(words::services))
        .route("/red", get(red::red))
        .route("/path", get(red::path))
        .route("/edges", get(red::edges))
        .route("/compare", get(compare::compare))
        .route("/home", get(red::home))
        .route("/traces/{trace_id}/skeleton", get(trace::skeleton))
        .route("/traces/{trace_id}/spans", post(trace::spans))
        .route("/tail", get(tail::tail))
        .route("/status", get(program::status))
        .route("/test-trace", post(program::test_trace))
        .route("/sample", post(program::sample))
        .route("/traces/{trace_id}/find", get(near::find))
        .route("/traces/{trace_id}/keys", get(near::keys))
        .route("/traces/{trace_id}/column", get(near::column))
        .route("/traces/{trace_id}/events", get(near::events))
        // Not only as a fallback: a route for all of /api would come before it.
        .route("/", any(error::no_route))
        .route("/{*rest}", any(error::no_route))
        .method_not_allowed_fallback(error::no_method)
        .with_state(Arc::new(Ui { parts }))
        .layer(compression())
}
