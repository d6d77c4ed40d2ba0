//! Tail sampling: asks a judge which of a slice's whole traces stay, and leaves out the others.
//!
//! A trace is judged once, when it is written whole to a merged segment: with all that came of it up to then, each span
//! once. What comes later follows the verdict: it stays when an earlier part lies in a merged segment, and it leaves
//! when the trace is among those that were dropped, which segments of level [`Level::Dropped`] remember.
//!
//! Promises
//! - A trace that is pinned is not dropped, also when it is pinned while the slice is merged.
//! - Verdicts become durable with the commit that moves the spans. A merge that failed is judged anew.
//! - Nothing but the row group that is written anyway is in memory, and about 40 bytes a trace of the slice.
//!
//! Refuses: judging traces that wait for the next slice, and those too long for a row group. These stay.
//!
//! Bounds: [`REMEMBERED_NANOS`] and [`REMEMBERED_MAX`]. What comes still later is judged by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::contract::{TraceJudge, WholeTrace};
use model::{BatchBuilder, SpanBatch, TraceId};

use super::Failure;
use super::join::{InputTraces, if_readable};
use super::slice::Slice;
use crate::engine::Placed;
use crate::index::{DroppedBuilder, dropped_hash, trace_hash};
use crate::manifest::Pins;
use crate::metrics::StoreMetrics;
use crate::pins::pinned_since;
use crate::segment::Level;
use crate::segment::order::TraceOrder;
use crate::segment::parts::{Parts, Shared};

/// Verdicts on traces whose segment is so much older than the slice are not looked up: a day.
const REMEMBERED_NANOS: u64 = 24 * 3600 * 1_000_000_000;
/// Dropped traces of a tenant that are looked up, the latest first: they are read for each slice, 8 bytes each.
const REMEMBERED_MAX: u64 = 1 << 21;

/// Whose word it is, where it is none of the judge's policies.
const PINNED: &str = "(pinned)";
const LATE: &str = "(late)";
const LONG: &str = "(long)";

/// What was decided on an earlier part of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Kept,
    Dropped,
}

/// The verdicts on a slice.
pub(super) struct Trial<'a> {
    judge: &'a dyn TraceJudge,
    policies: Vec<String>,
    slice: &'a Slice,
    known: HashMap<TraceId, Known, RandomState>,
    /// As they were when the trial began.
    pins: Arc<Pins>,
    left: DroppedBuilder,
    dropped: BTreeSet<TraceId>,
    /// Traces too long to be judged.
    long: BTreeSet<TraceId>,
    /// Traces and spans by policy, and whether it kept them.
    counts: BTreeMap<(String, bool), (u64, u64)>,
}

impl<'a> Trial<'a> {
    pub(super) fn new(
        judge: &'a dyn TraceJudge,
        slice: &'a Slice,
        tables: &[InputTraces],
        pins: Arc<Pins>,
        is_patient: bool,
    ) -> Result<Self, Failure> {
        let known = if plumbing::planted("store-verdict-forgotten") {
            HashMap::default()
        } else {
            known_of(slice, tables, is_patient)?
        };
        Ok(Self {
            judge,
            policies: judge.policies(),
            slice,
            known,
            pins,
            left: DroppedBuilder::default(),
            dropped: BTreeSet::new(),
            long: BTreeSet::new(),
            counts: BTreeMap::new(),
        })
    }

    /// Leaves out the traces that are dropped of a row group. Of traces too long for one, only what comes late of a
    /// dropped one leaves.
    pub(super) fn sift(&mut self, batch: SpanBatch, is_long: bool) -> Result<SpanBatch, Failure> {
        let ids = batch.spans().trace_id.iter().copied();
        let mut by_trace: Vec<(TraceId, usize)> = ids.zip(0..).collect();
        by_trace.sort_unstable();
        let mut leaving: Vec<usize> = Vec::new();
        for of_trace in by_trace.chunk_by(|a, b| a.0 == b.0) {
            let rows: Vec<usize> = of_trace.iter().map(|(_, row)| *row).collect();
            let id = of_trace.first().map(|(id, _)| *id).unwrap_or_default();
            if !self.is_kept(id, (&batch, &rows), is_long) {
                let half = rows.len().div_ceil(2);
                if plumbing::planted("store-trace-half-dropped") {
                    leaving.extend(rows.get(..half).unwrap_or_default());
                } else {
                    leaving.extend(rows);
                }
            }
        }
        if leaving.is_empty() {
            return Ok(batch);
        }
        leaving.sort_unstable();
        self.count(&batch, &leaving)?;
        let mut builder = BatchBuilder::new();
        let is_kept = |row: &usize| leaving.binary_search(row).is_err();
        builder.append_rows(&batch, (0..batch.len()).filter(is_kept));
        Ok(builder.finish())
    }

    fn is_kept(
        &mut self,
        trace_id: TraceId,
        (spans, rows): (&SpanBatch, &[usize]),
        is_long: bool,
    ) -> bool {
        let tenant = &self.slice.tenant;
        let pins = self.pins.get(tenant.as_str());
        let is_pinned = pins.is_some_and(|pins| pins.contains_key(&trace_id));
        let known = self.known.get(&trace_id).copied();
        let (is_kept, policy) = match known {
            _ if is_pinned && !plumbing::planted("store-pinned-trace-dropped") => (true, PINNED),
            Some(known) => (known == Known::Kept, LATE),
            None if is_long => (true, LONG),
            None => {
                let times = rows.iter().filter_map(|row| spans.span(*row));
                let times = times.map(|span| (span.start(), span.end()));
                let (start, end) = times.fold((u64::MAX, 0), |(first, last), (start, end)| {
                    (first.min(start), last.max(end))
                });
                let verdict = self.judge.judge(&WholeTrace {
                    tenant,
                    trace_id,
                    spans,
                    rows,
                    start,
                    end,
                });
                let policy = self.policies.get(verdict.policy);
                (verdict.is_kept, policy.map_or("", String::as_str))
            }
        };
        let spans = rows.len() as u64;
        let count = self.counts.entry((policy.to_owned(), is_kept)).or_default();
        // A long trace has several parts; it counts with the first.
        let is_first = known.is_none() && (!is_long || self.long.insert(trace_id));
        *count = (count.0 + u64::from(is_first), count.1 + spans);
        if !is_kept {
            self.left.note(trace_id, policy, spans, known.is_none());
            self.dropped.insert(trace_id);
        }
        is_kept
    }

    /// Counts spans that leave by minute.
    fn count(&mut self, batch: &SpanBatch, rows: &[usize]) -> Result<(), Failure> {
        let mut builder = BatchBuilder::new();
        builder.append_rows(batch, rows.iter().copied());
        let leaving = builder.finish();
        // Nothing of it is written, so that each row group may have columns of its own.
        let mut shared = Shared::new(Level::Merged);
        let parts = Parts::new(&leaving, TraceOrder::ByStart, &mut shared)?;
        self.left.count(&parts);
        Ok(())
    }

    /// What is to be remembered; nothing when nothing was dropped.
    pub(super) fn take_left(&mut self) -> Option<DroppedBuilder> {
        let left = std::mem::take(&mut self.left);
        Some(left).filter(|left| !left.is_empty())
    }

    /// Tells whether a trace that is dropped here was pinned meanwhile.
    pub(super) fn drops_what_was_pinned_since(&self, now: &Arc<Pins>) -> bool {
        let since = pinned_since(&self.pins, now);
        let of_tenant = since.get(self.slice.tenant.as_str());
        let mut pinned = of_tenant.into_iter().flat_map(BTreeMap::keys);
        pinned.any(|trace_id| self.dropped.contains(trace_id))
    }

    /// Counts verdicts that are durable.
    pub(super) fn report(&self, metrics: &StoreMetrics) {
        for ((policy, is_kept), (traces, spans)) in &self.counts {
            metrics.count_verdict(policy, *is_kept, (*traces, *spans));
        }
    }
}

/// What was decided on earlier parts of a slice's traces.
fn known_of(
    slice: &Slice,
    tables: &[InputTraces],
    is_patient: bool,
) -> Result<HashMap<TraceId, Known, RandomState>, Failure> {
    let since = slice.created().saturating_sub(REMEMBERED_NANOS);
    let is_recent = |placed: &&Arc<Placed>| placed.listed.created_unix_nanos >= since;
    let ids = || tables.iter().flat_map(|table| table.ids.iter().copied());
    let mut known = HashMap::default();
    if slice.others.is_empty() && slice.dropped.is_empty() {
        return Ok(known);
    }
    let wanted = sorted(ids().map(|id| (trace_hash(id), id)));
    for placed in slice.others.iter().filter(is_recent) {
        let presence = if_readable(placed.segment.trace_presence(), is_patient)?;
        let mut perhaps = Vec::new();
        if let Some(presence) = presence {
            let hashes = presence.hashes().iter().copied();
            each_common(&wanted, hashes, |id| perhaps.push(id));
        }
        for id in perhaps {
            let found = if_readable(placed.segment.find_trace(id), is_patient)?;
            if found.flatten().is_some() {
                known.insert(id, Known::Kept);
            }
        }
    }
    drop(wanted);
    let wanted = sorted(ids().map(|id| (dropped_hash(id), id)));
    let mut left = REMEMBERED_MAX;
    for placed in slice.dropped.iter().rev().filter(is_recent) {
        if left == 0 {
            break;
        }
        if let Some(dropped) = if_readable(placed.segment.dropped(), is_patient)? {
            left = left.saturating_sub(dropped.len);
            each_common(&wanted, dropped.hashes(), |id| {
                known.entry(id).or_insert(Known::Dropped);
            });
        }
    }
    Ok(known)
}

fn sorted<H: Ord>(wanted: impl Iterator<Item = (H, TraceId)>) -> Vec<(H, TraceId)> {
    let mut wanted: Vec<(H, TraceId)> = wanted.collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

/// Gives the traces whose hashes are among others; both ascend.
fn each_common<H: Ord>(
    wanted: &[(H, TraceId)],
    hashes: impl Iterator<Item = H>,
    mut give: impl FnMut(TraceId),
) {
    let mut rest = wanted;
    for hash in hashes {
        while let Some((first, others)) = rest.split_first()
            && first.0 < hash
        {
            rest = others;
        }
        let same = rest.iter().take_while(|(of, _)| *of == hash);
        same.for_each(|(_, id)| give(*id));
        if rest.is_empty() {
            break;
        }
    }
}
