//! A trace by its id: its spans from segments and heads, in order of arrival, each once.

use model::contract::{ReadError, TraceAnswer};
use model::{BatchBuilder, SpanBatch, TenantId, TraceId};

use crate::engine::{Engine, View};
use crate::head::{HeadTrace, merge_unique};

/// What is known of a trace over all its fragments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Summary {
    pub trace: HeadTrace,
    /// In how many segments and chunks it lies: its spans are counted exactly only when it is one.
    pub fragments: usize,
}

impl Engine {
    /// The spans of a trace.
    pub(crate) fn trace(&self, tenant: &TenantId, trace_id: TraceId) -> Result<TraceAnswer, ReadError> {
        self.trace_in(&self.view(tenant), trace_id)
    }

    pub(super) fn trace_in(&self, view: &View, trace_id: TraceId) -> Result<TraceAnswer, ReadError> {
        let mut answer = TraceAnswer::default();
        let mut fragments: Vec<SpanBatch> = Vec::new();
        // Segments are in the order in which their spans arrived, and heads came after all of them.
        for placed in view.segments.iter() {
            let read = placed.segment.traces().and_then(|traces| match traces.find(trace_id) {
                Some(entry) => placed.segment.read_trace(&entry).map(Some),
                None => Ok(None),
            });
            match read {
                Ok(Some(batch)) => fragments.push(batch),
                Ok(None) => {}
                Err(error) => answer.skipped.push(self.skip(placed, &error)?),
            }
        }
        for chunk in view.chunks.iter().filter(|chunk| chunk.trace(trace_id).is_some()) {
            let ids = &chunk.batch.spans().trace_id;
            let rows = ids.iter().enumerate().filter(|(_, id)| **id == trace_id).map(|(row, _)| row);
            let mut builder = BatchBuilder::new();
            builder.append_rows(&chunk.batch, rows);
            fragments.push(builder.finish());
        }
        let fragments: Vec<&SpanBatch> = fragments.iter().collect();
        answer.spans = merge_unique(&fragments);
        Ok(answer)
    }

    /// What is known of a trace. Segments that can't be read count as if they did not have it.
    pub(super) fn summary(view: &View, trace_id: TraceId) -> Option<Summary> {
        let mut whole: Option<Summary> = None;
        let mut add = |trace: HeadTrace| match &mut whole {
            Some(whole) => {
                whole.trace.absorb(&trace);
                whole.fragments += 1;
            }
            None => whole = Some(Summary { trace, fragments: 1 }),
        };
        for placed in view.segments.iter() {
            if let Ok(traces) = placed.segment.traces()
                && let Some(entry) = traces.find(trace_id)
            {
                add(HeadTrace { trace_id, start: entry.start, end: entry.end, spans: entry.rows.into() });
            }
        }
        view.chunks.iter().filter_map(|chunk| chunk.trace(trace_id)).for_each(|trace| add(*trace));
        whole
    }
}
