//! A trace of any size without its attributes, and some of its spans whole.
//!
//! Only the columns that are shown are read. A span that lies in several places is told by its id: where none comes
//! twice, which is usual, no span is read whole; where some do, those that have them are compared as wholes, few at a
//! time.

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use model::batch::BatchBuilder;
use model::contract::{ReadError, TraceAnswer};
use model::outline::{OutlineAnswer, OutlineBuilder};
use model::{SpanBatch, SpanId, TenantId, TraceId};

use crate::engine::{Engine, Placed, View};
use crate::head::{Chunk, merge_unique};
use crate::index::TraceEntry;
use crate::segment::SegmentError;
use crate::segment::bits::Bits;

use super::trace::READ_SPAN_BYTES;
use super::{Skips, taken_back};

/// About what a span of an outline takes while it is made.
pub const OUTLINE_SPAN_BYTES: usize = 100;
/// Names and resources of an outline; each is there once.
const OUTLINE_TEXT_BYTES_MAX: usize = 128 << 20;
/// Ids of spans that may be asked for at once.
const SPAN_IDS_MAX: usize = 10_000;
/// Rows that are read whole at once to be compared.
const COMPARED_ROWS: usize = 1_024;

type Ids = HashSet<SpanId, RandomState>;

/// Where rows of an outline come from.
enum Source<'a> {
    Segment(&'a Placed, Vec<u32>),
    Head(&'a Chunk, Vec<usize>),
}

/// Rows of an outline from one place.
struct Part<'a> {
    first: usize,
    source: Source<'a>,
}

impl Engine {
    /// The spans of a trace without their attributes.
    pub(crate) fn outline(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<OutlineAnswer, ReadError> {
        let mut skips = Skips::new();
        let view = self.view(tenant);
        let found = self.fragments(&view, trace_id, &mut skips)?;
        let rows = found.iter().map(|(_, entry)| u64::from(entry.rows));
        let in_heads = view.chunks.iter().filter_map(|c| c.trace(trace_id));
        let all = rows.sum::<u64>() + in_heads.map(|trace| trace.spans).sum::<u64>();
        let spans_max = self.options.outline_spans_max;
        if all > spans_max {
            let reason = format!(
                "trace {trace_id} has {all} spans, an outline of {spans_max} may be made: ask for some of them by a \
                 search"
            );
            return Err(ReadError::OverLimit { reason });
        }
        let all = usize::try_from(all).unwrap_or(usize::MAX);
        let _room = self.trace_room.take(all.saturating_mul(OUTLINE_SPAN_BYTES));
        let mut builder = OutlineBuilder::default();
        builder.reserve(all);
        let mut parts: Vec<Part<'_>> = Vec::new();
        for (placed, entry) in &found {
            check(is_cancelled, &builder, trace_id)?;
            let first = builder.outline().len();
            match placed.segment.outline(entry, &mut builder) {
                Ok(rows) => parts.push(Part {
                    first,
                    source: Source::Segment(placed, rows),
                }),
                Err(error) => self.skip_once(placed, &error, &mut skips)?,
            }
        }
        for (chunk, rows) in in_chunks(&view, trace_id) {
            check(is_cancelled, &builder, trace_id)?;
            let first = builder.outline().len();
            builder.append_rows(&chunk.batch, rows.iter().copied());
            parts.push(Part {
                first,
                source: Source::Head(chunk, rows),
            });
        }
        check(is_cancelled, &builder, trace_id)?;
        let outline = match self.repeats(&parts, &builder, is_cancelled, &mut skips)? {
            Some(repeats) => builder.finish_with(|row| !repeats.has(row)),
            None => builder.finish(),
        };
        Ok(OutlineAnswer {
            outline,
            skipped: skips.into_values().collect(),
        })
    }

    /// The rows of an outline that came before with the same content; `None`: certainly none.
    fn repeats(
        &self,
        parts: &[Part<'_>],
        builder: &OutlineBuilder,
        is_cancelled: &dyn Fn() -> bool,
        skips: &mut Skips,
    ) -> Result<Option<Bits>, ReadError> {
        // A segment holds a span once; only a head, or several places, may have it twice.
        let is_alone = matches!(
            parts,
            [] | [Part {
                source: Source::Segment(..),
                ..
            }]
        );
        let ids = &builder.outline().span_ids;
        let again = if is_alone {
            Ids::default()
        } else {
            ids_again(ids)
        };
        if again.is_empty() || plumbing::planted("store-outline-counts-again") {
            return Ok(None);
        }
        let mut repeats = Bits::none(ids.len());
        let mut seen: HashSet<(SpanId, u64), RandomState> = HashSet::default();
        for part in parts {
            let rows = match &part.source {
                Source::Segment(_, rows) => rows.len(),
                Source::Head(_, rows) => rows.len(),
            };
            let of_part = ids.iter().enumerate().skip(part.first).take(rows);
            let doubtful: Vec<usize> = of_part
                .filter(|(_, id)| again.contains(*id))
                .map(|(at, _)| at)
                .collect();
            let hashes = part.hashes(&doubtful, is_cancelled);
            if is_cancelled() {
                return Err(taken_back());
            }
            match hashes {
                Ok(hashes) => {
                    for (at, hash) in doubtful.iter().zip(hashes) {
                        let id = ids.get(*at).copied().unwrap_or_default();
                        let hash = if plumbing::planted("store-outline-ids-are-enough") {
                            0
                        } else {
                            hash
                        };
                        if !seen.insert((id, hash)) {
                            repeats.set(*at);
                        }
                    }
                }
                Err(error) => {
                    if let Source::Segment(placed, _) = &part.source {
                        self.skip_once(placed, &error, skips)?;
                    }
                    repeats.fill(&(part.first..part.first + rows));
                }
            }
        }
        Ok(Some(repeats))
    }

    /// The spans of a trace that have one of some ids.
    pub(crate) fn spans_of(
        &self,
        tenant: &TenantId,
        trace_id: TraceId,
        span_ids: &[SpanId],
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<TraceAnswer, ReadError> {
        if span_ids.len() > SPAN_IDS_MAX {
            let reason = format!(
                "{} spans are asked for by their ids, at most {SPAN_IDS_MAX} are given at once",
                span_ids.len()
            );
            return Err(ReadError::OverLimit { reason });
        }
        let ids: Ids = span_ids.iter().copied().collect();
        let mut skips = Skips::new();
        let view = self.view(tenant);
        let mut found: Vec<(&Placed, Vec<u32>)> = Vec::new();
        for (placed, entry) in self.fragments(&view, trace_id, &mut skips)? {
            if is_cancelled() {
                return Err(taken_back());
            }
            if !found.is_empty() && plumbing::planted("store-spans-of-one-place") {
                break;
            }
            match placed.segment.rows_with_ids(&entry, &ids) {
                Ok(rows) if rows.is_empty() => {}
                Ok(rows) => found.push((placed, rows)),
                Err(error) => self.skip_once(placed, &error, &mut skips)?,
            }
        }
        let mut in_heads: Vec<(&Chunk, Vec<usize>)> = Vec::new();
        for (chunk, mut rows) in in_chunks(&view, trace_id) {
            let id_of = |row: &usize| chunk.batch.spans().span_id.get(*row);
            rows.retain(|row| id_of(row).is_some_and(|id| ids.contains(id)));
            in_heads.push((chunk, rows));
        }
        in_heads.retain(|(_, rows)| !rows.is_empty());
        let rows = found.iter().map(|(_, rows)| rows.len());
        let all = rows.sum::<usize>() + in_heads.iter().map(|(_, rows)| rows.len()).sum::<usize>();
        self.check_trace_bytes(trace_id, all.saturating_mul(SpanBatch::SPAN_BYTES_MIN))?;
        let _room = self.trace_room.take(all.saturating_mul(READ_SPAN_BYTES));
        let (mut fragments, mut bytes): (Vec<SpanBatch>, usize) = (Vec::new(), 0);
        let mut add = |batch: SpanBatch| {
            bytes += batch.size_bytes();
            fragments.push(batch);
            self.check_trace_bytes(trace_id, bytes)
        };
        for (placed, rows) in &found {
            match placed.segment.read_single_rows(rows) {
                Ok(batch) => add(batch)?,
                Err(error) => self.skip_once(placed, &error, &mut skips)?,
            }
        }
        for (chunk, rows) in in_heads {
            let mut builder = BatchBuilder::new();
            builder.append_rows(&chunk.batch, rows);
            add(builder.finish())?;
        }
        Ok(TraceAnswer {
            spans: merge_unique(&fragments.iter().collect::<Vec<_>>()),
            skipped: skips.into_values().collect(),
        })
    }

    /// The segments that a trace lies in, in the order in which their spans arrived. Those that can't be read are
    /// named.
    pub(super) fn fragments<'a>(
        &self,
        view: &'a View,
        trace_id: TraceId,
        skips: &mut Skips,
    ) -> Result<Vec<(&'a Placed, TraceEntry)>, ReadError> {
        let mut found: Vec<(&Placed, TraceEntry)> = Vec::new();
        for placed in view.segments.iter() {
            match placed.segment.find_trace(trace_id) {
                Ok(entry) => found.extend(entry.map(|entry| (&**placed, entry))),
                Err(error) => self.skip_once(placed, &error, skips)?,
            }
        }
        Ok(found)
    }
}

impl Part<'_> {
    /// The hashes of the contents of some rows of the outline, which are of this part and ascend.
    fn hashes(
        &self,
        doubtful: &[usize],
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<u64>, SegmentError> {
        let mut hashes = Vec::with_capacity(doubtful.len());
        let mut buf = Vec::new();
        match &self.source {
            Source::Head(chunk, rows) => {
                let rows = doubtful.iter().filter_map(|at| rows.get(at - self.first));
                hashes.extend(rows.map(|row| chunk.batch.span_hash_with(*row, &mut buf)));
            }
            Source::Segment(placed, rows) => {
                let rows = doubtful.iter().filter_map(|at| rows.get(at - self.first));
                let mut rows: Vec<(u32, usize)> = rows.copied().zip(0..).collect();
                // Neighbours share what is read for them.
                rows.sort_unstable();
                hashes.resize(rows.len(), 0);
                for block in rows.chunks(COMPARED_ROWS) {
                    if is_cancelled() {
                        return Err(SegmentError::Cancelled);
                    }
                    let of_block: Vec<u32> = block.iter().map(|(row, _)| *row).collect();
                    let batch = placed.segment.read_single_rows(&of_block)?;
                    for (row, (_, place)) in block.iter().enumerate() {
                        if let Some(hash) = hashes.get_mut(*place) {
                            *hash = batch.span_hash_with(row, &mut buf);
                        }
                    }
                }
            }
        }
        Ok(hashes)
    }
}

/// Goes on if somebody still waits for the outline, and it is not too large.
fn check(
    is_cancelled: &dyn Fn() -> bool,
    builder: &OutlineBuilder,
    trace_id: TraceId,
) -> Result<(), ReadError> {
    if is_cancelled() {
        return Err(taken_back());
    }
    if builder.text_bytes() > OUTLINE_TEXT_BYTES_MAX {
        let reason = format!(
            "the names and resources of trace {trace_id} take more than {OUTLINE_TEXT_BYTES_MAX} bytes: ask for some \
             of its spans by a search"
        );
        return Err(ReadError::OverLimit { reason });
    }
    Ok(())
}

/// The ids that come more than once.
fn ids_again(ids: &[SpanId]) -> Ids {
    let mut sorted: Vec<u64> = ids.iter().map(|id| u64::from_be_bytes(id.0)).collect();
    sorted.sort_unstable();
    let again = sorted.chunk_by(|a, b| a == b).filter(|same| same.len() > 1);
    let again = again.filter_map(|same| same.first().copied());
    again.map(SpanId::from_number).collect()
}

/// The chunks that have spans of a trace, each with their rows.
fn in_chunks(view: &View, trace_id: TraceId) -> impl Iterator<Item = (&Chunk, Vec<usize>)> {
    let chunks = view.chunks.iter().map(AsRef::as_ref);
    let with_some = chunks.filter(move |chunk: &&Chunk| chunk.trace(trace_id).is_some());
    with_some.map(move |chunk| {
        let ids = chunk.batch.spans().trace_id.iter().enumerate();
        let of_trace = ids.filter(|(_, id)| **id == trace_id);
        (chunk, of_trace.map(|(row, _)| row).collect())
    })
}
