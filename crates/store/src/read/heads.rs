//! The spans in memory that a question is about.

#![allow(
    clippy::cast_possible_truncation,
    reason = "segments, chunks and rows are below 2^32"
)]

use model::batch::SpanRef;
use model::contract::{ReadError, Window};

use crate::batch_scan::{BatchScan, may_match};
use crate::engine::View;
use crate::head::Seen;
use crate::meter::Meter;
use crate::segment::SearchPlan;

use super::cells::PointRef;
use super::repeats::Repeats;
use super::splits::Splits;
use super::taken_back;

/// A span in memory that matches.
pub(super) struct HeadSpan<'a> {
    pub span: SpanRef<'a>,
    /// Chunks stand behind all segments.
    pub at: PointRef,
    /// The place of its trace among those that lie in several places.
    pub split: Option<u32>,
    /// Whether another row holds it as well and was given before, or is given elsewhere.
    pub is_again: bool,
}

/// Gives the spans in memory that match and start in a window, the newest first.
pub(super) fn each_in_heads(
    view: &View,
    (plan, window): (&SearchPlan, Window),
    (splits, repeats): (&Splits, &Repeats),
    meter: &Meter<'_>,
    mut give: impl FnMut(&HeadSpan<'_>),
) -> Result<(), ReadError> {
    let mut seen = Seen::default();
    for (at, chunk) in view.chunks.iter().enumerate().rev() {
        if meter.is_cancelled() {
            return Err(taken_back());
        }
        if !may_match(&plan.rows, &chunk.batch) {
            continue;
        }
        let mut scan = BatchScan::new(&plan.rows, &chunk.batch);
        for row in (0..chunk.batch.len()).rev() {
            let Some(span) = chunk.batch.span(row) else {
                continue;
            };
            if !window.contains(span.start()) || !scan.matches(row) {
                continue;
            }
            let split = splits.place_of(span.trace_id());
            let is_again = match split {
                Some(_) => repeats.has(at, row),
                None => seen.is_repeat(&chunk.batch, row),
            };
            let at = PointRef {
                place: (view.segments.len() + at) as u32,
                row: row as u32,
            };
            give(&HeadSpan {
                span,
                at,
                split,
                is_again,
            });
        }
    }
    Ok(())
}
