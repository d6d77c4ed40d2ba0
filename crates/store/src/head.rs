//! The part of the store that is still in memory: per tenant the batches that were acknowledged and are not in a
//! segment yet.
//!
//! A head is a list of [`Chunk`]s, immutable batches that readers share without a lock. Chunks of many small
//! requests are merged, so that a sender of single spans costs neither memory nor search time.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;
use model::batch::SpanBatch;
use model::{BatchBuilder, SpanId, TraceId};

/// Chunks below this many spans are small.
const SMALL_CHUNK_SPANS: usize = 512;
/// So many small chunks in a row are merged into one.
const SMALL_CHUNKS_MAX: usize = 16;

/// What a chunk, or a whole head, knows of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeadTrace {
    pub trace_id: TraceId,
    pub start: u64,
    pub end: u64,
    pub spans: u64,
}

/// A batch that can be searched.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub batch: SpanBatch,
    /// By trace id.
    pub traces: Vec<HeadTrace>,
    /// The start, here, of the trace that starts last.
    pub max_trace_start: u64,
    pub bytes: usize,
}

impl Chunk {
    pub(crate) fn new(batch: SpanBatch) -> Self {
        let spans = batch.spans();
        let times = spans.start.iter().zip(&spans.end);
        let mut traces: Vec<HeadTrace> = spans
            .trace_id
            .iter()
            .zip(times)
            .map(|(&trace_id, (&start, &end))| HeadTrace {
                trace_id,
                start,
                end,
                spans: 1,
            })
            .collect();
        traces.sort_unstable_by_key(|trace| trace.trace_id);
        traces.dedup_by(|next, kept| {
            let is_same = next.trace_id == kept.trace_id;
            if is_same {
                kept.absorb(next);
            }
            is_same
        });
        traces.shrink_to_fit();
        let bytes = batch.size_bytes() + traces.capacity() * size_of::<HeadTrace>();
        let starts = traces.iter().map(|trace| trace.start);
        Self {
            max_trace_start: starts.max().unwrap_or_default(),
            batch,
            traces,
            bytes,
        }
    }

    pub(crate) fn trace(&self, trace_id: TraceId) -> Option<&HeadTrace> {
        let at = self
            .traces
            .binary_search_by_key(&trace_id, |trace| trace.trace_id)
            .ok()?;
        self.traces.get(at)
    }
}

impl HeadTrace {
    /// Takes another fragment of the same trace into account.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.start = self.start.min(other.start);
        self.end = self.end.max(other.end);
        self.spans += other.spans;
    }
}

/// The acknowledged spans of a tenant between two sequences of the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    pub chunks: Vec<Arc<Chunk>>,
    pub spans: usize,
    pub bytes: usize,
    /// Sequences of the first and last frame; 0 while there is none.
    pub first_sequence: u64,
    pub last_sequence: u64,
    /// When the first frame came, on the monotonic clock.
    pub since_nanos: u64,
}

impl Head {
    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub(crate) fn push(&mut self, chunk: Chunk, sequence: u64, now_nanos: u64) {
        if self.is_empty() {
            (self.first_sequence, self.since_nanos) = (sequence, now_nanos);
        }
        self.last_sequence = sequence;
        self.spans += chunk.batch.len();
        self.bytes += chunk.bytes;
        self.chunks.push(Arc::new(chunk));
        self.merge_small();
    }

    fn merge_small(&mut self) {
        let small = self
            .chunks
            .iter()
            .rev()
            .take_while(|chunk| chunk.batch.len() < SMALL_CHUNK_SPANS)
            .count();
        if small < SMALL_CHUNKS_MAX {
            return;
        }
        let tail = self.chunks.split_off(self.chunks.len() - small);
        let mut builder = BatchBuilder::new();
        tail.iter().for_each(|chunk| builder.append(&chunk.batch));
        let merged = Chunk::new(builder.finish());
        self.bytes -= tail.iter().map(|chunk| chunk.bytes).sum::<usize>();
        self.bytes += merged.bytes;
        self.chunks.push(Arc::new(merged));
    }

    /// All spans as one batch in order of arrival, each once.
    pub(crate) fn merge(&self) -> SpanBatch {
        let batches: Vec<&SpanBatch> = self.chunks.iter().map(|chunk| &chunk.batch).collect();
        merge_unique(&batches)
    }
}

/// Joins batches in their order and drops every span that is there already with the same content.
pub(crate) fn merge_unique(batches: &[&SpanBatch]) -> SpanBatch {
    let mut seen = Seen::default();
    let mut builder = BatchBuilder::new();
    for batch in batches {
        let is_new = |row: &usize| {
            !seen.is_repeat(batch, *row) || plumbing::planted("store-keep-duplicates")
        };
        let rows: Vec<usize> = (0..batch.len()).filter(is_new).collect();
        builder.append_rows(batch, rows);
    }
    builder.finish()
}

/// The spans that came so far.
///
/// Content is hashed only for spans whose ids come more than once, which is rare.
#[derive(Debug, Default)]
pub(crate) struct Seen<'a> {
    first_of: HashMap<(TraceId, SpanId), (&'a SpanBatch, usize), RandomState>,
    contents: HashSet<(TraceId, SpanId, u64), RandomState>,
    buf: Vec<u8>,
}

impl<'a> Seen<'a> {
    /// Tells whether a span came before with the same content.
    pub(crate) fn is_repeat(&mut self, batch: &'a SpanBatch, row: usize) -> bool {
        let spans = batch.spans();
        let ids = spans.trace_id.get(row).zip(spans.span_id.get(row));
        let Some((trace_id, span_id)) = ids.map(|(trace, span)| (*trace, *span)) else {
            return false;
        };
        let Some(&(first_batch, first_row)) = self.first_of.get(&(trace_id, span_id)) else {
            self.first_of.insert((trace_id, span_id), (batch, row));
            return false;
        };
        let mut content =
            |batch: &SpanBatch, row| (trace_id, span_id, batch.span_hash_with(row, &mut self.buf));
        let (first, this) = (content(first_batch, first_row), content(batch, row));
        self.contents.insert(first);
        !self.contents.insert(this)
    }
}

#[cfg(test)]
mod tests {
    use model::batch::SpanRow;

    use super::*;

    fn batch(rows: &[(u64, u64, u64)]) -> SpanBatch {
        let mut builder = BatchBuilder::new();
        for &(trace, span, start) in rows {
            builder.push_span(SpanRow {
                trace_id: TraceId(u128::from(trace).to_be_bytes()),
                span_id: SpanId::from_number(span),
                start,
                end: start + 5,
                ..Default::default()
            });
        }
        builder.finish()
    }

    #[test]
    fn equal_spans_are_one_and_spans_that_only_share_ids_are_both_kept() {
        let (a, b) = (
            batch(&[(1, 1, 10), (1, 1, 10), (1, 2, 10)]),
            batch(&[(1, 1, 11), (1, 1, 10), (1, 1, 11), (2, 1, 10)]),
        );
        let merged = merge_unique(&[&a, &b]);
        assert_eq!(merged.spans().start, [10, 10, 11, 10]);
    }

    #[test]
    fn many_small_requests_become_few_chunks_and_lose_no_trace() {
        let mut head = Head::default();
        for n in 0..1000u64 {
            head.push(Chunk::new(batch(&[(n % 7 + 1, n + 1, n)])), n + 1, n);
        }
        assert!(head.chunks.len() < 32, "{}", head.chunks.len());
        assert_eq!(
            (head.spans, head.first_sequence, head.last_sequence),
            (1000, 1, 1000)
        );
        let id = TraceId(1u128.to_be_bytes());
        let known: u64 = head
            .chunks
            .iter()
            .filter_map(|chunk| chunk.trace(id))
            .map(|trace| trace.spans)
            .sum();
        assert_eq!(known, 143);
        assert_eq!(
            head.bytes,
            head.chunks.iter().map(|chunk| chunk.bytes).sum::<usize>()
        );
    }
}
