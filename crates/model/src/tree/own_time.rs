//! How much of a trace's time each of its spans accounts for: its own time, and what of that is on the critical path.
//!
//! *Self time* is what of a span no child of it covers.
//!
//! The *critical path* is found backwards. From the end of a span on, the child that ended last is what the span waited
//! for; between that end and where one stood the span itself was at work. One goes on at the child's start, with the
//! child that had ended last by then, and so on; what is left before the first of them is the span's own. A child that
//! was still running where one stood ran beside the path and adds nothing. A child counts only as far as it lies inside
//! its parent, so work that goes on when nobody waits any more is not on the path. Where a trace has several roots,
//! they are taken for the children of one span from the first start to the last end.
//!
//! Some clocks (OpenTelemetry's SDK for JavaScript, Jaeger's client for Node.js) cut a span's start to the millisecond
//! and measure its duration exactly, so that one call seems to begin before the one in front of it has ended, and a
//! short one seems to lie inside it. Siblings that begin whole milliseconds apart and overlap by less than one are
//! therefore taken for calls in sequence, and the earlier counts up to where the later begins. What begins in the same
//! millisecond can't be told from calls side by side. (CRISP allows an overlap of 1 % of the parent with any clock.)
//!
//! Promises: over all spans of a complete trace the critical times are the duration of its root.
//!
//! Source: Z. Zhang et al., "CRISP: Critical Path Analysis of Large-Scale Microservice Architectures", USENIX ATC 2022.

use super::NONE;

/// What the coarsest clocks tell a start in.
const TICK: u64 = 1_000_000;

/// What of a span's duration is its own, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnTime {
    /// What no child covers.
    pub own: u64,
    /// What of the trace's duration it is to account for.
    pub critical: u64,
}

/// From one moment to another, the second never before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Time {
    from: u64,
    to: u64,
}

/// A piece of the critical path: what a span of the trace did while everything waited for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathPiece {
    /// The row of the span.
    pub row: u32,
    /// When it begins.
    pub from: u64,
    /// When it ends.
    pub to: u64,
}

impl Time {
    /// From a start to an end; an end before the start counts as the start.
    #[must_use]
    pub fn of(from: u64, to: u64) -> Self {
        Self {
            from,
            to: to.max(from),
        }
    }

    /// What of it lies inside another.
    fn inside(self, other: Self) -> Self {
        let from = self.from.clamp(other.from, other.to);
        Self::of(from, self.to.min(other.to))
    }

    fn len(self) -> u64 {
        self.to - self.from
    }
}

/// One of several siblings.
#[derive(Debug, Clone, Copy)]
struct Child {
    /// What of it lies inside its parent.
    inside: Time,
    /// When it began and ended, inside its parent or not.
    whole: Time,
    row: u32,
}

impl Child {
    /// What of it lies before one stands, where one came to by the start of a sibling; `None` when it ran beside that.
    fn before(&self, stand: u64, sibling_began: Option<u64>) -> Option<Time> {
        let Time { from, to } = self.inside;
        if to <= stand {
            return Some(self.inside);
        }
        let sibling_began = sibling_began?;
        let ahead = sibling_began.checked_sub(self.whole.from)?;
        let overlap = self.whole.to.saturating_sub(sibling_began);
        let is_cut = ahead > 0 && ahead.is_multiple_of(TICK) && overlap < TICK;
        (is_cut && from < stand).then_some(Time { from, to: stand })
    }

    /// When a sibling would have begun that came behind it, and seems to lie inside it.
    fn last_tick(&self) -> Option<u64> {
        let ticks = self.whole.len() / TICK;
        Some(self.whole.from + ticks * TICK).filter(|tick| ticks > 0 && *tick > self.inside.from)
    }
}

/// Finds own times. It keeps its memory from one trace to the next.
#[derive(Debug, Default)]
pub struct OwnTimes {
    /// By row: its time inside its parent, where one stood when one came to it; `None` beside the path.
    on_path: Vec<Option<Time>>,
    /// By row: its first child and its next sibling.
    first_child: Vec<u32>,
    next_sibling: Vec<u32>,
    children: Vec<Child>,
}

impl OwnTimes {
    /// The own times of a trace's rows, which are in pre-order with the distances to their parents, and the pieces of
    /// its critical path; those of a row from the last to the first.
    pub fn find(
        &mut self,
        times: &[Time],
        parent_deltas: &[i32],
        mut of_row: impl FnMut(OwnTime),
        mut piece: impl FnMut(PathPiece),
    ) {
        let first_root = self.link(parent_deltas);
        self.on_path.clear();
        self.on_path.resize(times.len(), None);
        // One root is the whole path, whatever else goes on.
        let whole = match (first_root, self.next(first_root)) {
            (NONE, _) => Time::default(),
            (only, NONE) => time(times, only),
            _ => {
                let from = times.iter().map(|time| time.from).min().unwrap_or_default();
                let to = times.iter().map(|time| time.to).max().unwrap_or_default();
                Time::of(from, to)
            }
        };
        self.walk(times, first_root, whole, |_, _| {});
        // Rows are in pre-order, so a parent is settled before its children.
        for row in 0..times.len() as u32 {
            let first = at(&self.first_child, row);
            let own = self.uncovered(times, first, time(times, row));
            let critical = match self.on_path.get(row as usize).copied().flatten() {
                Some(inside) => self.walk(times, first, inside, |from, to| {
                    piece(PathPiece { row, from, to });
                }),
                None => 0,
            };
            of_row(OwnTime { own, critical });
        }
    }

    /// Links the rows to their children; gives the first root.
    fn link(&mut self, parent_deltas: &[i32]) -> u32 {
        let rows = parent_deltas.len();
        self.first_child.clear();
        self.first_child.resize(rows, NONE);
        self.next_sibling.clear();
        self.next_sibling.resize(rows, NONE);
        let mut first_root = NONE;
        for (row, delta) in parent_deltas.iter().enumerate().rev() {
            let row = row as u32;
            let delta = u32::try_from(*delta).unwrap_or_default();
            let first = match (delta, row.checked_sub(delta)) {
                (0, _) | (_, None) => &mut first_root,
                (_, Some(parent)) => match self.first_child.get_mut(parent as usize) {
                    Some(first) => first,
                    None => continue,
                },
            };
            if let Some(next) = self.next_sibling.get_mut(row as usize) {
                *next = std::mem::replace(first, row);
            }
        }
        first_root
    }

    fn next(&self, row: u32) -> u32 {
        at(&self.next_sibling, row)
    }

    /// What of a time some siblings, in order of their start, don't cover.
    fn uncovered(&self, times: &[Time], first: u32, whole: Time) -> u64 {
        let (mut covered_to, mut uncovered) = (whole.from, 0);
        let mut row = first;
        while row != NONE {
            let child = time(times, row).inside(whole);
            uncovered += child.from.saturating_sub(covered_to);
            covered_to = covered_to.max(child.to);
            row = self.next(row);
        }
        uncovered + whole.to.saturating_sub(covered_to)
    }

    /// Goes back through a time from its end, and puts those siblings on the path that were waited for; gives what is
    /// left between them, and its length.
    fn walk(
        &mut self,
        times: &[Time],
        first: u32,
        whole: Time,
        mut left: impl FnMut(u64, u64),
    ) -> u64 {
        self.children.clear();
        let mut row = first;
        while row != NONE {
            let own = time(times, row);
            let inside = own.inside(whole);
            if inside.len() > 0 {
                self.children.push(Child {
                    inside,
                    whole: own,
                    row,
                });
            }
            row = self.next(row);
        }
        // The last to end first; of several, the longest.
        self.children.sort_unstable_by(|a, b| {
            (b.inside.to, a.inside.from, a.row).cmp(&(a.inside.to, b.inside.from, b.row))
        });
        let (mut stand, mut sibling_began, mut all_left) = (whole.to, None, 0);
        let mut leave = |from: u64, to: u64| {
            if from < to {
                left(from, to);
            }
            to - from
        };
        for (at, child) in self.children.iter().enumerate() {
            let is_whole = child.inside.to <= stand;
            let behind = is_whole.then(|| self.behind(at)).flatten();
            for child in behind.into_iter().chain([*child]) {
                let Some(inside) = child.before(stand, sibling_began) else {
                    continue;
                };
                all_left += leave(inside.to, stand);
                (stand, sibling_began) = (inside.from, Some(child.whole.from));
                if let Some(slot) = self.on_path.get_mut(child.row as usize) {
                    *slot = Some(inside);
                }
            }
        }
        all_left + leave(whole.from, stand)
    }

    /// The sibling that came behind a child, though it seems to lie inside it: both by a clock that cuts.
    fn behind(&self, at: usize) -> Option<Child> {
        let tick = self.children.get(at)?.last_tick()?;
        // They come by their ends: where one ends before that tick, all others have begun before it.
        let others = self.children.get(at + 1..)?.iter();
        others
            .take_while(|sibling| sibling.inside.to > tick)
            .find(|sibling| sibling.whole.from == tick)
            .copied()
    }
}

fn at(column: &[u32], row: u32) -> u32 {
    column.get(row as usize).copied().unwrap_or(NONE)
}

fn time(times: &[Time], row: u32) -> Time {
    times.get(row as usize).copied().unwrap_or_default()
}
