//! Questions to the store: a trace by its id, whole or without attributes, a search, services and operations, calls
//! between services, numbers of spans, kin of spans.
//!
//! Promises
//! - An answer is of one moment: heads and segments as they were when the question began.
//! - A trace is judged whole, whatever its spans lie in; a span that was stored twice is counted and shown once.
//! - What can't be read is named in the answer, counted, and logged once; the rest of the answer is true without it.
//!
//! Read next: `search.rs` for how few segments are touched.

mod cells;
mod count;
mod dependencies;
mod facet_counts;
mod facts;
mod first_spans;
mod groups;
mod heads;
mod kinship;
mod outline;
mod overview;
mod rates;
mod repeats;
mod room;
mod search;
mod seen;
mod slowest;
mod splits;
mod structure;
mod trace;

pub use outline::OUTLINE_SPAN_BYTES;
pub(crate) use room::ReadRoom;
pub(crate) use seen::with_text;

use std::collections::BTreeMap;

use model::contract::{OTHER_OPERATIONS, Operation, OperationsAnswer, ReadError, Skipped};
use model::{TenantId, TraceId};

use crate::engine::{Engine, Placed, lock};
use crate::head::HeadTrace;
use crate::index::TraceEntry;
use crate::segment::{SegmentError, SegmentErrorKind, SegmentId};
use model::evaluate::PredicateError;

/// What a question could not read, each segment once.
pub(crate) type Skips = BTreeMap<SegmentId, Skipped>;

/// What a segment says of a trace.
fn trace_of(entry: &TraceEntry, trace_id: TraceId) -> HeadTrace {
    HeadTrace {
        trace_id,
        start: entry.start,
        end: entry.end,
        spans: entry.rows.into(),
    }
}

/// What is said of dropped traces whose spans are of too many kinds to be counted.
fn too_many(placed: &Placed) -> Skipped {
    Skipped {
        what: format!("{} spans of dropped traces", placed.listed.meta.spans),
        why: "they are of too many services or operations to be counted".to_owned(),
    }
}

/// What is said of a question whose asker went away.
fn taken_back() -> ReadError {
    ReadError::Busy {
        reason: "the question was taken back".to_owned(),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the form that map_err calls")]
fn bad_question(error: PredicateError) -> ReadError {
    ReadError::BadQuestion {
        reason: error.to_string(),
    }
}

impl Engine {
    /// As [`Engine::skip`], noting it.
    pub(crate) fn skip_once(
        &self,
        placed: &Placed,
        error: &SegmentError,
        skips: &mut Skips,
    ) -> Result<(), ReadError> {
        let skipped = self.skip(placed, error)?;
        if !plumbing::planted("store-skipped-not-told") {
            skips.entry(placed.listed.meta.id).or_insert(skipped);
        }
        Ok(())
    }

    /// Decides what a segment that can't be read means: damage and refusals of the disk are skipped and named,
    /// the rest ends the question.
    pub(crate) fn skip(&self, placed: &Placed, error: &SegmentError) -> Result<Skipped, ReadError> {
        match error.kind() {
            SegmentErrorKind::Corrupt | SegmentErrorKind::Io => {
                if self.is_new_damage(placed) {
                    let segment = placed.listed.meta.id;
                    tracing::error!(%segment, %error, "a segment can't be read; answers leave it out");
                }
                let what = format!(
                    "segment {} ({} spans)",
                    placed.listed.meta.id, placed.listed.meta.spans
                );
                Ok(Skipped {
                    what,
                    why: error.to_string(),
                })
            }
            SegmentErrorKind::Cancelled => Err(ReadError::Busy {
                reason: error.to_string(),
            }),
            SegmentErrorKind::Question => Err(ReadError::BadQuestion {
                reason: error.to_string(),
            }),
            SegmentErrorKind::Bug => Err(ReadError::Failed {
                reason: error.to_string(),
            }),
        }
    }

    /// The names of a tenant's services, ascending.
    pub(crate) fn services(&self, tenant: &TenantId) -> Vec<String> {
        let state = lock(&self.state);
        let found = state.tenants.get(tenant);
        found.map_or_else(Vec::new, |t| t.names.services().cloned().collect())
    }

    /// The operations of a service, by name, then kind.
    pub(crate) fn operations(&self, tenant: &TenantId, service: &str) -> OperationsAnswer {
        let state = lock(&self.state);
        let found = state.tenants.get(tenant);
        let operations: Vec<Operation> =
            found.map_or_else(Vec::new, |t| t.names.operations(service).cloned().collect());
        let is_all = operations.iter().all(|o| o.name != OTHER_OPERATIONS);
        OperationsAnswer { operations, is_all }
    }
}
