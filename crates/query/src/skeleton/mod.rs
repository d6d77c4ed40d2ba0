//! The skeleton of a trace: everything that draws it, as columns in the order in which its rows are shown.
//!
//! Rows are in pre-order of the tree ([`model::tree`]), so that the rows below a span are the next `subtree - 1` ones:
//! who folds, skips or finds needs no tree. Times are relative to the trace's start.
//!
//! Promises: every span of the outline has exactly one row; it takes the work of sorting, whatever the shape is.
//! Refuses: attributes; they are asked for by span.

mod groups;
mod ids;
mod skew;
#[cfg(test)]
mod tests;

use model::tree::{OwnTimes, PathPiece, Time, Tree, TreeRow, TreeSpan};
use model::{SpanId, TraceOutline};
use xxhash_rust::xxh3::Xxh3;

use ids::Ids;
use skew::Times;

/// OTLP's number of the status "error".
const STATUS_ERROR: i32 = 2;

/// What is true of a row, as bits of [`Skeleton::flags`].
pub mod flag {
    /// Its status is an error.
    pub const ERROR: u16 = 1;
    /// It has events.
    pub const EVENTS: u16 = 1 << 1;
    /// It has links.
    pub const LINKS: u16 = 1 << 2;
    /// Its parent is not in the trace, or stands in a circle with it.
    pub const ORPHAN: u16 = 1 << 3;
    /// Its times were moved, since the clock of its host differs.
    pub const SKEW_ADJUSTED: u16 = 1 << 4;
    /// Its end lies before its start, or is not known.
    pub const INCOMPLETE: u16 = 1 << 5;
    /// A piece of the critical path is its own.
    pub const CRITICAL: u16 = 1 << 6;
    /// It is the first of a run of siblings that are alike.
    pub const GROUP_HEAD: u16 = 1 << 7;
}

/// A trace as columns by row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Skeleton {
    /// Changes whenever another span of the trace is known.
    pub version: u64,
    /// Nanoseconds since the epoch: the earliest start.
    pub start: u64,
    /// Nanoseconds from the earliest start to the latest end.
    pub duration: u64,
    /// Rows whose status is an error.
    pub errors: u64,
    /// Whether there is one span without a parent and all others are below it.
    pub is_complete: bool,
    /// What is odd about the trace, in sentences.
    pub warnings: Vec<String>,
    /// The distinct names of services.
    pub services: Vec<String>,
    /// The distinct names of spans.
    pub names: Vec<String>,
    /// The columns.
    pub rows: Rows,
    /// Pieces of the critical path by time.
    pub critical: Vec<CriticalPiece>,
}

/// The columns, all of one length.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// The ids as they were sent; a client and a server may share one.
    pub span_id: Vec<SpanId>,
    /// The place of the span in the outline.
    pub source: Vec<u32>,
    /// Distance from the top, at most 65,535.
    pub depth: Vec<u16>,
    /// Rows of the subtree, itself included.
    pub subtree: Vec<u32>,
    /// Nanoseconds from the trace's start.
    pub start: Vec<u64>,
    /// Nanoseconds.
    pub duration: Vec<u64>,
    /// Nanoseconds in which no child was running.
    pub own: Vec<u64>,
    /// Place in `services`.
    pub service: Vec<u32>,
    /// Place in `names`.
    pub name: Vec<u32>,
    /// OTLP's number of the kind.
    pub kind: Vec<u8>,
    /// OTLP's number of the status.
    pub status: Vec<u8>,
    /// Bits of [`flag`].
    pub flags: Vec<u16>,
    /// The run of like siblings that the row belongs to, counted from 1; 0 for none.
    pub group: Vec<u32>,
}

/// A piece of the critical path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CriticalPiece {
    /// The row whose own work it is.
    pub row: u32,
    /// Nanoseconds from the trace's start.
    pub from: u64,
    /// Nanoseconds from the trace's start.
    pub to: u64,
}

impl Skeleton {
    /// Lays the rows of a trace out. Clock skew up to so many nanoseconds is corrected.
    #[must_use]
    pub fn of(outline: &TraceOutline, clock_skew_max_nanos: u64) -> Self {
        let ids = Ids::of(outline);
        let mut times = Times::of(outline);
        let mut tree = Tree::default();
        build(&mut tree, &ids, &times);
        let skewed = skew::correct(outline, &tree, &mut times, clock_skew_max_nanos);
        if skewed.moved > 0 {
            build(&mut tree, &ids, &times);
        }
        let mut skeleton = Self {
            version: version_of(outline),
            start: times.starts.iter().copied().min().unwrap_or_default(),
            names: outline.names.clone(),
            ..Self::default()
        };
        let end = times.ends.iter().copied().max().unwrap_or_default();
        skeleton.duration = end.saturating_sub(skeleton.start);
        let service_of = skeleton.take_services(outline);
        let mut deltas = Vec::with_capacity(outline.len());
        let mut cut = 0;
        skeleton.rows.reserve(outline.len());
        for row in tree.rows() {
            deltas.push(row.parent_delta);
            cut += u64::from(row.parent_delta < 0 && row.caller.is_some());
            skeleton.push_row(outline, &times, &service_of, row);
        }
        skeleton.find_own_times(&deltas);
        skeleton.count_subtrees(&deltas);
        groups::mark(&mut skeleton.rows, &deltas);
        skeleton.sum_up(&ids, &skewed, cut, &deltas);
        skeleton
    }

    /// Names the services of the resources; gives the place of each resource's service.
    fn take_services(&mut self, outline: &TraceOutline) -> Vec<u32> {
        let place = |resource: &model::outline::OutlineResource| {
            let known = self.services.iter().position(|of| *of == resource.service);
            let place = known.unwrap_or_else(|| {
                self.services.push(resource.service.clone());
                self.services.len() - 1
            });
            u32::try_from(place).unwrap_or(u32::MAX)
        };
        outline.resources.iter().map(place).collect()
    }

    fn push_row(
        &mut self,
        outline: &TraceOutline,
        times: &Times,
        service_of: &[u32],
        row: TreeRow,
    ) {
        let at = row.span as usize;
        let (Some(span), Some((start, end))) = (outline.row(at), times.get(at)) else {
            return;
        };
        let bits = [
            (flag::ERROR, span.status == STATUS_ERROR),
            (flag::EVENTS, span.events > 0),
            (flag::LINKS, span.links > 0),
            (flag::ORPHAN, row.parent_delta < 0),
            (flag::SKEW_ADJUSTED, start != span.start),
            (flag::INCOMPLETE, span.end < span.start),
        ];
        let flags = bits.into_iter().filter(|(_, is_set)| *is_set);
        let rows = &mut self.rows;
        rows.span_id.push(span.span_id);
        rows.source.push(row.span);
        rows.depth
            .push(u16::try_from(row.depth).unwrap_or(u16::MAX));
        rows.start.push(start.saturating_sub(self.start));
        rows.duration.push(end.saturating_sub(start));
        let service = service_of.get(span.resource as usize).copied();
        rows.service.push(service.unwrap_or_default());
        rows.name.push(span.name);
        rows.kind.push(u8::try_from(span.kind).unwrap_or_default());
        rows.status
            .push(u8::try_from(span.status).unwrap_or_default());
        rows.flags.push(flags.map(|(bit, _)| bit).sum());
    }

    fn find_own_times(&mut self, deltas: &[i32]) {
        let rows = &mut self.rows;
        let times = rows.start.iter().zip(&rows.duration);
        let times: Vec<Time> = times
            .map(|(start, duration)| Time::of(*start, start + duration))
            .collect();
        let (own, critical) = (&mut rows.own, &mut self.critical);
        OwnTimes::default().find(
            &times,
            deltas,
            |of_row| own.push(of_row.own),
            |PathPiece { row, from, to }| critical.push(CriticalPiece { row, from, to }),
        );
        for piece in &*critical {
            if let Some(flags) = rows.flags.get_mut(piece.row as usize) {
                *flags |= flag::CRITICAL;
            }
        }
        critical.sort_unstable_by_key(|piece| (piece.from, piece.row));
    }

    fn count_subtrees(&mut self, deltas: &[i32]) {
        let subtree = &mut self.rows.subtree;
        subtree.resize(deltas.len(), 1);
        // Rows are in pre-order: all below a row were added to it before it is added to its parent.
        for (row, delta) in deltas.iter().enumerate().rev() {
            let own = subtree.get(row).copied().unwrap_or_default();
            if let Some(parent) = parent_of(row, *delta).and_then(|parent| subtree.get_mut(parent))
            {
                *parent += own;
            }
        }
    }

    /// What holds for the trace as a whole, in which so many circles were cut.
    fn sum_up(&mut self, ids: &Ids, skewed: &skew::Skewed, cut: u64, deltas: &[i32]) {
        let has = |bit: u16| {
            let flags = self.rows.flags.iter();
            flags.filter(|flags| **flags & bit != 0).count() as u64
        };
        let roots = deltas.iter().filter(|delta| **delta == 0).count();
        let orphans = has(flag::ORPHAN);
        let told = [
            (
                orphans.saturating_sub(cut),
                "has a parent that is not in the trace",
                "have parents that are not in the trace",
            ),
            (cut, "is its own ancestor", "are their own ancestors"),
            (
                has(flag::INCOMPLETE),
                "has no end, or one before its start",
                "have no end, or one before their start",
            ),
            (
                ids.repeated,
                "has an id that another one has",
                "have ids that others have",
            ),
            (
                skewed.moved,
                "was moved, since the clock of its host differs",
                "were moved, since the clocks of their hosts differ",
            ),
            (
                skewed.left,
                "lies outside of its parent; clocks may differ",
                "lie outside of their parents; clocks may differ",
            ),
        ];
        self.errors = has(flag::ERROR);
        self.is_complete = roots == 1 && orphans == 0;
        let several = (roots > 1).then(|| format!("the trace has {roots} roots"));
        let told = told.into_iter().filter(|(count, ..)| *count > 0);
        let told = told.map(|(count, one, many)| match count {
            1 => format!("1 span {one}"),
            count => format!("{count} spans {many}"),
        });
        self.warnings = told.chain(several).collect();
    }
}

impl Rows {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.span_id.len()
    }

    /// Tells whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.span_id.is_empty()
    }

    fn reserve(&mut self, rows: usize) {
        self.span_id.reserve(rows);
        self.source.reserve(rows);
        self.depth.reserve(rows);
        self.start.reserve(rows);
        self.duration.reserve(rows);
        self.own.reserve(rows);
        self.service.reserve(rows);
        self.name.reserve(rows);
        self.kind.reserve(rows);
        self.status.reserve(rows);
        self.flags.reserve(rows);
    }
}

/// The row of the parent, where there is one.
fn parent_of(row: usize, delta: i32) -> Option<usize> {
    match usize::try_from(delta) {
        Ok(0) | Err(_) => None,
        Ok(delta) => row.checked_sub(delta),
    }
}

fn build(tree: &mut Tree, ids: &Ids, times: &Times) {
    let spans = ids.ids.iter().zip(&ids.parents).zip(&times.starts);
    tree.build(spans.map(|((id, parent), start)| TreeSpan {
        id: *id,
        parent: *parent,
        start: *start,
    }));
}

/// Of which spans the trace is known, whatever order they came in.
fn version_of(outline: &TraceOutline) -> u64 {
    let spans = (0..outline.len()).filter_map(|at| outline.row(at));
    let of_each = spans.map(|span| {
        let mut hash = Xxh3::new();
        hash.update(&span.span_id.0);
        for number in [
            span.start,
            span.end,
            u64::from(span.events),
            u64::from(span.links),
        ] {
            hash.update(&number.to_le_bytes());
        }
        hash.update(&span.status.to_le_bytes());
        hash.digest()
    });
    of_each.fold(outline.len() as u64, u64::wrapping_add)
}
