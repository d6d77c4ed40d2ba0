//! A trace by its id: its spans from segments and heads, in order of arrival, each once.

use model::contract::{ReadError, TraceAnswer};
use model::{BatchBuilder, SpanBatch, TenantId, TraceId};

use crate::engine::{Engine, View};
use crate::head::{HeadTrace, merge_unique};

use super::Skips;

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
        let spans = self.trace_in(&self.view(tenant), trace_id, &mut skips)?;
        Ok(TraceAnswer {
            spans,
            skipped: skips.into_values().collect(),
        })
    }

    pub(super) fn trace_in(
        &self,
        view: &View,
        trace_id: TraceId,
        skips: &mut Skips,
    ) -> Result<SpanBatch, ReadError> {
        let mut fragments: Vec<SpanBatch> = Vec::new();
        let mut bytes = 0;
        // Segments are in the order in which their spans arrived, and heads came after all of them.
        for placed in view.segments.iter() {
            let found = placed.segment.find_trace(trace_id);
            let read = found.and_then(|found| {
                let trace = found.map(|entry| placed.segment.read_trace(&entry));
                trace.transpose()
            });
            match read {
                Ok(Some(batch)) => {
                    bytes += batch.size_bytes();
                    self.check_trace_bytes(trace_id, bytes)?;
                    fragments.push(batch);
                }
                Ok(None) => {}
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
    fn check_trace_bytes(&self, trace_id: TraceId, bytes: usize) -> Result<(), ReadError> {
        let bytes_max = self.options.trace_bytes_max;
        if bytes <= bytes_max {
            return Ok(());
        }
        let reason = format!(
            "trace {trace_id} takes more than query.answer_bytes_max ({bytes_max} bytes); set a greater one to read it \
             whole"
        );
        Err(ReadError::OverLimit { reason })
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
                    let trace = HeadTrace {
                        trace_id,
                        start: entry.start,
                        end: entry.end,
                        spans: entry.rows.into(),
                    };
                    add(trace, true);
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
