//! Walking over all spans of a trace with all that is known of them, however many they are: some thousands at a time.
//!
//! Promises: every span comes once, with its row in the skeleton; no more than a step's spans are in memory.

use std::collections::HashMap;

use model::contract::Skipped;
use model::{SpanBatch, SpanId, TenantId, TraceId, TraceOutline};
use plumbing::planted;

use crate::skeleton::Skeleton;
use crate::{Error, Query};

/// Spans of a step.
const STEP_SPANS: usize = 20_000;

/// A walk over a trace.
#[derive(Debug)]
pub struct Walk {
    trace_id: TraceId,
    /// What the trace looks like.
    pub skeleton: Skeleton,
    /// The distinct ids in the order of arrival, and how many were asked for.
    ids: Vec<SpanId>,
    asked: usize,
    /// By id: the rows of its spans, the first to arrive last.
    rows_of: HashMap<SpanId, Vec<u32>>,
}

/// Some spans of a walk.
#[derive(Debug)]
pub struct Step {
    /// The spans.
    pub spans: SpanBatch,
    /// By span: its row in the skeleton.
    pub rows: Vec<u32>,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
    /// Whether these are all spans of the trace.
    pub is_whole: bool,
}

impl Walk {
    /// Prepares a walk over the trace of an outline.
    #[must_use]
    pub fn new(trace_id: TraceId, outline: &TraceOutline, clock_skew_max_nanos: u64) -> Self {
        let skeleton = Skeleton::of(outline, clock_skew_max_nanos);
        let mut row_of = vec![0; outline.len()];
        for (row, source) in skeleton.rows.source.iter().enumerate() {
            if let Some(slot) = row_of.get_mut(*source as usize) {
                *slot = u32::try_from(row).unwrap_or(u32::MAX);
            }
        }
        let mut ids = Vec::new();
        let mut rows_of: HashMap<SpanId, Vec<u32>> = HashMap::with_capacity(outline.len());
        for (id, row) in outline.span_ids.iter().zip(row_of) {
            let rows = rows_of.entry(*id).or_insert_with(|| {
                ids.push(*id);
                Vec::with_capacity(1)
            });
            rows.push(row);
        }
        for rows in rows_of.values_mut() {
            if !planted("query-walk-shared-ids-turned") {
                rows.reverse();
            }
        }
        Self {
            trace_id,
            skeleton,
            ids,
            asked: 0,
            rows_of,
        }
    }
}

impl Query {
    /// The next spans of a walk; `None` behind the last.
    pub async fn walk_on(&self, tenant: &TenantId, walk: &mut Walk) -> Result<Option<Step>, Error> {
        let left = walk.ids.get(walk.asked..).unwrap_or_default();
        let ids: Vec<SpanId> = left.iter().copied().take(STEP_SPANS).collect();
        if ids.is_empty() {
            return Ok(None);
        }
        let is_whole = ids.len() == walk.ids.len();
        walk.asked += ids.len();
        let answer = self.spans_of(tenant, walk.trace_id, ids).await?;
        // A span that came since the outline was read has no row in it.
        let rows = answer.spans.spans().span_id.iter().map(|id| {
            let rows = walk.rows_of.get_mut(id);
            rows.and_then(Vec::pop).unwrap_or(u32::MAX)
        });
        Ok(Some(Step {
            rows: rows.collect(),
            spans: answer.spans,
            skipped: answer.skipped,
            is_whole,
        }))
    }
}
