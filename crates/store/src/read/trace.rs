//! A trace by its id: its spans from segments and heads, in order of arrival, each once.

use model::contract::{ReadError, TraceAnswer};
use model::{BatchBuilder, SpanBatch, TenantId, TraceId};

use crate::engine::{Engine, Placed, View};
use crate::head::{HeadTrace, merge_unique};
use crate::index::TraceEntry;

use super::{Skips, trace_of};

/// About what a span takes while it is read and put together with others.
pub(super) const READ_SPAN_BYTES: usize = 400;

/// What is known of a trace over all its fragments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Summary {
    pub trace: HeadTrace,
    /// Whether its spans are counted, each once: it lies in one segment and nowhere else. A chunk may hold a span
    /// twice, and so may two fragments.
    pub is_exact: bool,
}

impl Engine {
    /// The spans of a trace.
    pub(crate) fn trace(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
    ) -> Result<TraceAnswer, ReadError> {
        let mut skips = Skips::new();
        let view = self.view(tenant);
        let spans_max = self.options.trace_spans_max;
        let spans = self.trace_within((&view, spans_max), trace_id, &mut skips)?;
        Ok(TraceAnswer {
            spans,
            skipped: skips.into_values().collect(),
        })
    }

    /// The spans of a trace, to be looked at.
    pub(super) fn trace_in(
        &self,
        view: &View,
        trace_id: TraceId,
        skips: &mut Skips,
    ) -> Result<SpanBatch, ReadError> {
        self.trace_within((view, u64::MAX), trace_id, skips)
    }

    /// The spans of a trace, if they are not certainly more than so many.
    pub(super) fn trace_within(
        &self,
        (view, spans_max): (&View, u64),
        trace_id: TraceId,
        skips: &mut Skips,
    ) -> Result<SpanBatch, ReadError> {
        // Heads came after all segments.
        let found = self.fragments(view, trace_id, skips)?;
        let in_heads = view.chunks.iter().filter_map(|c| c.trace(trace_id));
        let in_heads: u64 = in_heads.map(|trace| trace.spans).sum();
        let rows = found.iter().map(|(_, entry)| u64::from(entry.rows));
        let all = usize::try_from(rows.clone().sum::<u64>() + in_heads).unwrap_or(usize::MAX);
        // A segment holds a span once, so the trace has as many as one of them has of it.
        if rows.max().unwrap_or_default() > spans_max {
            return Err(self.too_long(trace_id));
        }
        self.check_trace_bytes(trace_id, all.saturating_mul(SpanBatch::SPAN_BYTES_MIN))?;
        let _room = self.trace_room.take(all.saturating_mul(READ_SPAN_BYTES));
        self.read_found((view, &found), trace_id, skips)
    }

    fn read_found(
        &self,
        (view, found): (&View, &[(&Placed, TraceEntry)]),
        trace_id: TraceId,
        skips: &mut Skips,
    ) -> Result<SpanBatch, ReadError> {
        let mut fragments: Vec<SpanBatch> = Vec::new();
        let mut bytes = 0;
        for (placed, entry) in found {
            match placed.segment.read_trace(entry) {
                Ok(batch) => {
                    bytes += batch.size_bytes();
                    self.check_trace_bytes(trace_id, bytes)?;
                    fragments.push(batch);
                }
                Err(error) => self.skip_once(placed, &error, skips)?,
            }
        }
        let heads = || {
            view.chunks
                .iter()
                .filter(|chunk| chunk.trace(trace_id).is_some())
        };
        // A segment holds a span once; only a head, or several fragments, may have it twice.
        if fragments.len() == 1 && heads().next().is_none() {
            return Ok(fragments.pop().unwrap_or_default());
        }
        for chunk in heads() {
            let ids = &chunk.batch.spans().trace_id;
            let rows = ids
                .iter()
                .enumerate()
                .filter(|(_, id)| **id == trace_id)
                .map(|(row, _)| row);
            let mut builder = BatchBuilder::new();
            builder.append_rows(&chunk.batch, rows);
            let batch = builder.finish();
            bytes += batch.size_bytes();
            self.check_trace_bytes(trace_id, bytes)?;
            fragments.push(batch);
        }
        let fragments: Vec<&SpanBatch> = fragments.iter().collect();
        Ok(merge_unique(&fragments))
    }

    /// Refuses a trace as soon as it takes more than it may: a sender decides how long it is.
    pub(super) fn check_trace_bytes(
        &self,
        trace_id: TraceId,
        bytes: usize,
    ) -> Result<(), ReadError> {
        if bytes <= self.options.trace_bytes_max {
            return Ok(());
        }
        Err(self.too_long(trace_id))
    }

    fn too_long(&self, trace_id: TraceId) -> ReadError {
        let bytes_max = self.options.trace_bytes_max;
        let reason = format!(
            "trace {trace_id} takes more than query.answer_bytes_max ({bytes_max} bytes); set a greater one to read it \
             whole"
        );
        ReadError::OverLimit { reason }
    }

    /// What is known of a trace. Segments that can't be read count as if they did not have it, and are named.
    pub(super) fn summary(
        &self,
        view: &View,
        trace_id: TraceId,
        skips: &mut Skips,
    ) -> Result<Option<Summary>, ReadError> {
        let mut whole: Option<Summary> = None;
        let mut add = |trace: HeadTrace, is_unique: bool| match &mut whole {
            Some(whole) => {
                whole.trace.absorb(&trace);
                whole.is_exact = false;
            }
            None => {
                whole = Some(Summary {
                    trace,
                    is_exact: is_unique,
                });
            }
        };
        for placed in view.segments.iter() {
            match placed.segment.find_trace(trace_id) {
                Ok(Some(entry)) => {
                    add(trace_of(&entry, trace_id), true);
                }
                Ok(None) => {}
                Err(error) => self.skip_once(placed, &error, skips)?,
            }
        }
        view.chunks
            .iter()
            .filter_map(|chunk| chunk.trace(trace_id))
            .for_each(|trace| add(*trace, false));
        Ok(whole)
    }
}
