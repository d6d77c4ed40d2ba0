//! The first spans in an order, whatever traces they are of.

use std::cmp::Reverse;

use crate::batch::SpanBatch;
use crate::contract::{Order, Skipped, Window};
use crate::{Predicate, SpanId, TenantId, TraceId};

/// A search for spans.
#[derive(Debug, Clone)]
pub struct SpanSearchRequest {
    /// Whose spans.
    pub tenant: TenantId,
    /// What a span must satisfy.
    pub predicate: Predicate,
    /// When it must start.
    pub window: Window,
    /// Which spans come first: by their own start, or by how long they themselves took.
    pub order: Order,
    /// The most spans to give.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<SpanPosition>,
}

/// The place of a span in an order: the value descends, and where it is equal all others ascend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpanPosition {
    /// Start in ns since the epoch (newest first), or duration in ns (slowest first), 0 where the end comes first.
    pub order_value: Reverse<u64>,
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// The hash of what it holds: several may share an id.
    pub content: u64,
}

/// The spans that were found, in the order asked for.
#[derive(Debug, Default)]
pub struct SpanSearchAnswer {
    /// The spans, whole.
    pub spans: SpanBatch,
    /// The place of each.
    pub positions: Vec<SpanPosition>,
    /// Whether there are more behind the last one.
    pub has_more: bool,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

impl SpanPosition {
    /// The place of a row of a batch; `buf` is room to hash in.
    #[must_use]
    pub fn of(batch: &SpanBatch, row: usize, order: Order, buf: &mut Vec<u8>) -> Option<Self> {
        let span = batch.span(row)?;
        Some(Self {
            order_value: Reverse(order_value(order, span.start(), span.duration())),
            trace_id: span.trace_id(),
            span_id: span.span_id(),
            content: batch.span_hash_with(row, buf),
        })
    }
}

/// What a span is ordered by.
#[must_use]
pub fn order_value(order: Order, start: u64, duration: i64) -> u64 {
    match order {
        Order::NewestFirst => start,
        Order::SlowestFirst => u64::try_from(duration).unwrap_or_default(),
    }
}
