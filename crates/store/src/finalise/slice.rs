//! What is merged when: a slice is a run of a tenant's segments that lie together in the order of arrival.
//!
//! A slice is ready when nothing more is expected of most of its traces (`finalise_after`), and when it is worth it:
//! it holds `finalise_spans_min` spans, or its oldest segment is `finalise_age` old. When more than
//! `finalise_segments_max` segments of a tenant wait, it is ready at once.
//!
//! Bounds: `finalise_spans_max` spans, [`INPUTS_MAX`] segments, and as many traces as memory has room for.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use model::{TenantId, TraceId};

use super::When;
use super::traces::Fate;
use crate::engine::{Engine, Placed, lock, nanos};
use crate::index::trace_hash;
use crate::options::StoreOptions;
use crate::segment::{Level, SegmentId};

/// Segments of a slice: so many have files open at once, and a trace table in memory.
pub(super) const INPUTS_MAX: usize = 128;
/// What a trace costs in memory while its slice is merged; all of a slice may take as much as heads may.
const TRACE_BYTES: u64 = 128;

/// Hashes of the ids of traces: one that only looks like another waits for nothing, which does no harm.
pub(super) type TraceHashes = HashSet<u32, RandomState>;

/// Segments to merge.
pub(super) struct Slice {
    pub tenant: TenantId,
    /// In order of arrival.
    pub inputs: Vec<Arc<Placed>>,
    /// The tenant's segments that are not merged here and were merged before.
    pub others: Vec<Arc<Placed>>,
    /// What the tenant remembers of dropped traces.
    pub dropped: Arc<Vec<Arc<Placed>>>,
    /// The number of the commit.
    pub number: u32,
    /// All frames of the log below this sequence are in segments, those of the inputs among them.
    pub floor: u64,
    /// The traces that go on behind the slice, if open ones may wait for the next.
    pub going_on: Option<TraceHashes>,
    /// An open trace that has waited so long waits no longer: when the segment with its first spans was made.
    pub waits_since_min: u64,
    /// The pinned traces that are moved out of the inputs, which leave; none: all traces are moved.
    pub pinned: Vec<TraceId>,
}

impl Slice {
    pub(super) fn spans(&self) -> u64 {
        self.inputs
            .iter()
            .map(|input| input.listed.meta.spans)
            .sum()
    }

    /// When the newest input was made: retention must not remove a span before its time.
    pub(super) fn created(&self) -> u64 {
        let created = self
            .inputs
            .iter()
            .map(|input| input.listed.created_unix_nanos);
        created.max().unwrap_or_default()
    }

    /// Why the inputs leave, as the list says it.
    pub(super) fn why(&self) -> &'static str {
        if self.pinned.is_empty() {
            "merged"
        } else {
            "pinned"
        }
    }

    /// The level of what holds the traces of a fate.
    pub(super) fn level_of(&self, fate: Fate) -> Level {
        match fate {
            _ if !self.pinned.is_empty() => Level::Pinned,
            Fate::Whole => Level::Merged,
            Fate::Open => Level::Open,
            Fate::InPieces => Level::Piece,
        }
    }

    /// The number of the commit: the highest of its outputs.
    pub(super) fn last_number(&self) -> u32 {
        self.number + u32::from(!self.pinned.is_empty())
    }

    /// The name of the output with the traces of a fate.
    pub(super) fn name(&self, fate: Fate) -> SegmentId {
        let level = self.level_of(fate);
        let mut id = self.name_of_inputs(level, &(0..self.inputs.len()));
        if matches!(level, Level::Open | Level::Pinned) {
            id.first_sequence = id.last_sequence;
        }
        id
    }

    /// The name of what is remembered of dropped traces.
    pub(super) fn name_of_dropped(&self) -> SegmentId {
        self.name_of_inputs(Level::Dropped, &(0..self.inputs.len()))
    }

    /// The name of an output with parts of long traces, from some inputs.
    pub(super) fn name_of_piece(&self, inputs: &Range<usize>) -> SegmentId {
        let mut id = self.name_of_inputs(self.level_of(Fate::InPieces), inputs);
        if id.level == Level::Pinned {
            // With a number of its own: the last sequence alone may be that of the whole traces, too.
            (id.first_sequence, id.number) = (id.last_sequence, self.last_number());
        }
        id
    }

    /// The name of an output that was made of some inputs. Those of level open count only if there are no others: what
    /// they hold arrived earlier, and most of the output did not.
    fn name_of_inputs(&self, level: Level, inputs: &Range<usize>) -> SegmentId {
        let inputs = self.inputs.get(inputs.clone()).unwrap_or_default();
        let ids = inputs.iter().map(|input| input.listed.meta.id);
        let fresh: Vec<SegmentId> = ids.clone().filter(|id| id.level == Level::Fresh).collect();
        let ids = if fresh.is_empty() {
            ids.collect()
        } else {
            fresh
        };
        let first = ids.iter().map(|id| id.first_sequence).min();
        let last = ids.iter().map(|id| id.last_sequence).max();
        SegmentId {
            first_sequence: first.unwrap_or_default(),
            last_sequence: last.unwrap_or_default(),
            level,
            number: self.number,
        }
    }
}

impl Engine {
    /// The oldest slice that is ready.
    pub(super) fn choose_slice(
        &self,
        when: When,
        left_alone: &BTreeSet<(TenantId, SegmentId)>,
    ) -> Option<Slice> {
        // Frames at or above the floor are replayed: segments that have some must keep their names.
        let floor = if plumbing::planted("store-merge-above-floor") {
            u64::MAX
        } else {
            self.floor()
        };
        let end = match when {
            When::Due => floor,
            When::Below(end) => floor.min(end),
        };
        let now = self.clock.unix_nanos();
        let tenants: Vec<(TenantId, Arc<Vec<Arc<Placed>>>)> = {
            let state = lock(&self.state);
            let tenants = state.tenants.iter();
            tenants
                .map(|(id, tenant)| (id.clone(), Arc::clone(&tenant.segments)))
                .collect()
        };
        let ready = tenants.into_iter().filter_map(|(tenant, segments)| {
            let is_alone = |id: SegmentId| left_alone.contains(&(tenant.clone(), id));
            let run = first_run(&segments, end, is_alone, (&self.options, when, now))?;
            Some((tenant, segments, run))
        });
        let (tenant, segments, inputs) = ready.min_by_key(|(_, _, run)| created_first(run))?;
        let may_wait = when == When::Due && inputs.len() > 1;
        let going_on = may_wait.then(|| self.going_on_behind(&tenant, &segments, &inputs));
        let age_max = nanos(self.options.finalise_age);
        let created = inputs.iter().map(|input| input.listed.created_unix_nanos);
        let cut = created.max().unwrap_or_default();
        let others = segments.iter().filter(|placed| !is_mergeable(placed));
        Some(Slice {
            dropped: self.view(&tenant).dropped,
            tenant,
            others: others.cloned().collect(),
            inputs,
            number: self.next_move.fetch_add(1, Ordering::Relaxed),
            floor,
            going_on,
            waits_since_min: cut.saturating_sub(age_max),
            pinned: Vec::new(),
        })
    }

    /// The traces of which something arrived after the slice.
    fn going_on_behind(
        &self,
        tenant: &TenantId,
        segments: &[Arc<Placed>],
        inputs: &[Arc<Placed>],
    ) -> TraceHashes {
        let last = inputs.last().map(|input| input.listed.meta.id);
        let mut hashes = TraceHashes::default();
        let later = segments
            .iter()
            .filter(|placed| is_mergeable(placed) && Some(placed.listed.meta.id) > last);
        for placed in later {
            // One that can't be read is no reason to wait.
            if let Ok(traces) = placed.segment.trace_presence() {
                hashes.extend(traces.hashes());
            }
        }
        let chunks = self.view(tenant).chunks;
        let in_heads = chunks.iter().flat_map(|chunk| &chunk.traces);
        hashes.extend(in_heads.map(|trace| trace_hash(trace.trace_id)));
        hashes
    }
}

pub(super) fn is_mergeable(placed: &Placed) -> bool {
    matches!(placed.listed.meta.id.level, Level::Fresh | Level::Open)
}

fn created_first(run: &[Arc<Placed>]) -> u64 {
    let created = run.iter().map(|placed| placed.listed.created_unix_nanos);
    created.min().unwrap_or_default()
}

/// The first run of segments that is ready.
fn first_run(
    segments: &[Arc<Placed>],
    end: u64,
    is_left_alone: impl Fn(SegmentId) -> bool,
    (options, when, now): (&StoreOptions, When, u64),
) -> Option<Vec<Arc<Placed>>> {
    let all = segments.iter().filter(|placed| is_mergeable(placed));
    // When there are too many, every question pays for it; then late spans are not waited for.
    let is_hurried = all.count() > options.finalise_segments_max;
    let when = if is_hurried { When::Below(end) } else { when };
    let traces_max = options.heads_bytes_max as u64 / TRACE_BYTES;
    let is_settled = |placed: &Placed| {
        let age = now.saturating_sub(placed.listed.created_unix_nanos);
        // One from the future was made when the clock was wrong.
        let is_late = placed.listed.created_unix_nanos > now;
        when != When::Due || is_late || age >= nanos(options.finalise_after)
    };
    let mut run: Vec<Arc<Placed>> = Vec::new();
    let (mut spans, mut traces) = (0, 0);
    let mut is_full = false;
    for placed in segments.iter().filter(|placed| is_mergeable(placed)) {
        let meta = &placed.listed.meta;
        if is_left_alone(meta.id) {
            // What lies on both sides of it does not lie together.
            if is_ready(&run, spans, (options, when, now)) {
                break;
            }
            (run, spans, traces) = (Vec::new(), 0, 0);
            continue;
        }
        if meta.id.last_sequence >= end || !is_settled(placed) {
            break;
        }
        let is_over = spans + meta.spans > options.finalise_spans_max
            || traces + meta.traces > traces_max
            || run.len() >= INPUTS_MAX;
        if !run.is_empty() && is_over {
            is_full = true;
            break;
        }
        spans += meta.spans;
        traces += meta.traces;
        run.push(Arc::clone(placed));
    }
    (is_full || is_ready(&run, spans, (options, when, now))).then_some(run)
}

fn is_ready(
    run: &[Arc<Placed>],
    spans: u64,
    (options, when, now): (&StoreOptions, When, u64),
) -> bool {
    let age = now.saturating_sub(created_first(run));
    !run.is_empty()
        && (when != When::Due
            || spans >= options.finalise_spans_min
            || age >= nanos(options.finalise_age))
}
