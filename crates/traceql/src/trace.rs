//! What is known of a trace when all its spans are there: its root, its tree, its times.
//!
//! *Self time* is what of a span no child of it covers. The *critical path* is found backwards: from the end of a span
//! on, the child that ended last is what the span waited for; between that end and where one stood the span itself was
//! at work; one goes on at the child's start. A child counts only as far as it lies inside its parent. Where a trace
//! has several roots, they are taken for the children of one span from the first start to the last end.
//!
//! Promises: these are the definitions of the store's merged segments, so both tell the same of a trace: the parent is
//! the span that came first of those with its id, a span is never its own parent, and in every circle of parents the
//! span that starts first is taken for a root. No recursion: the depth of a trace costs no stack.

use std::collections::HashMap;

use model::SpanId;
use model::batch::{SpanBatch, SpanRef};

/// OTLP's number.
const STATUS_ERROR: i32 = 2;

/// From one moment to another, the second never before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Time {
    from: u64,
    to: u64,
}

impl Time {
    fn of(from: u64, to: u64) -> Self {
        Self {
            from,
            to: to.max(from),
        }
    }

    fn inside(self, other: Self) -> Self {
        let from = self.from.clamp(other.from, other.to);
        Self::of(from, self.to.min(other.to))
    }

    fn len(self) -> u64 {
        self.to - self.from
    }
}

/// What a trace is; rows are those of its batch.
#[derive(Debug, Default)]
pub(crate) struct TraceFacts<'a> {
    /// The span without a parent that starts first.
    pub root: Option<SpanRef<'a>>,
    /// Latest end minus earliest start, in nanoseconds.
    pub duration: u64,
    pub spans: usize,
    pub errors: usize,
    /// By row: the spans whose parent it is.
    pub children: Vec<u64>,
    /// By row, in nanoseconds.
    pub self_time: Vec<u64>,
    /// By row, in nanoseconds.
    pub critical_time: Vec<u64>,
}

impl<'a> TraceFacts<'a> {
    /// Looks at all spans of a trace.
    pub(crate) fn of(trace: &'a SpanBatch) -> Self {
        let start = trace
            .iter()
            .map(|span| span.start())
            .min()
            .unwrap_or_default();
        let end = trace
            .iter()
            .map(|span| span.end())
            .max()
            .unwrap_or_default();
        let roots = trace.iter().filter(|span| span.parent_span_id().is_zero());
        let mut facts = Self {
            root: roots.min_by_key(SpanRef::start),
            duration: end.saturating_sub(start),
            spans: trace.len(),
            errors: trace
                .iter()
                .filter(|span| span.status() == STATUS_ERROR)
                .count(),
            children: vec![0; trace.len()],
            ..Self::default()
        };
        let tree = Tree::of(trace);
        for parent in tree.named_parent.iter().flatten() {
            if let Some(count) = facts.children.get_mut(*parent) {
                *count += 1;
            }
        }
        tree.put_times(trace, &mut facts);
        facts
    }
}

/// Who is below whom.
#[derive(Debug)]
struct Tree {
    /// By row: the span that the parent id names, if it is another one.
    named_parent: Vec<Option<usize>>,
    /// By row, by start, then row.
    children: Vec<Vec<usize>>,
    /// In order: those without a parent by start, then those that were made roots.
    roots: Vec<usize>,
    /// Every row, parents before their children.
    top_down: Vec<usize>,
}

impl Tree {
    fn of(trace: &SpanBatch) -> Self {
        let mut first: HashMap<SpanId, usize> = HashMap::new();
        for span in trace.iter() {
            first.entry(span.span_id()).or_insert(span.row());
        }
        let parent_of = |span: SpanRef<'_>| {
            let id = span.parent_span_id();
            let parent = first.get(&id).copied().filter(|_| !id.is_zero());
            parent.filter(|parent| *parent != span.row())
        };
        let named_parent: Vec<Option<usize>> = trace.iter().map(parent_of).collect();
        let mut by_start: Vec<usize> = (0..trace.len()).collect();
        by_start.sort_by_key(|row| start(trace, *row));
        let mut tree = Self {
            children: vec![Vec::new(); trace.len()],
            roots: Vec::new(),
            top_down: Vec::with_capacity(trace.len()),
            named_parent,
        };
        for row in &by_start {
            match tree.parent(*row) {
                Some(parent) => {
                    if let Some(children) = tree.children.get_mut(parent) {
                        children.push(*row);
                    }
                }
                None => tree.roots.push(*row),
            }
        }
        let mut is_visited = vec![false; trace.len()];
        for at in 0..tree.roots.len() {
            let root = tree.roots.get(at).copied().unwrap_or_default();
            tree.visit(root, &mut is_visited);
        }
        // What is left hangs below circles.
        let mut walked_from = vec![None; trace.len()];
        for row in by_start {
            if is_visited.get(row) == Some(&false) {
                let root = tree.cut_circle(trace, row, &mut walked_from);
                tree.roots.push(root);
                tree.visit(root, &mut is_visited);
            }
        }
        tree
    }

    fn parent(&self, row: usize) -> Option<usize> {
        self.named_parent.get(row).copied().flatten()
    }

    fn visit(&mut self, root: usize, is_visited: &mut [bool]) {
        let mut stack = vec![root];
        while let Some(row) = stack.pop() {
            match is_visited.get_mut(row) {
                Some(visited) if !*visited => *visited = true,
                _ => continue,
            }
            self.top_down.push(row);
            stack.extend(self.children.get(row).into_iter().flatten());
        }
    }

    /// Makes a root of the span that starts first in the circle above a row. By row: where the last walk up began that
    /// came by; every span on the way is visited right after it, so all walks together are as long as the trace.
    fn cut_circle(
        &mut self,
        trace: &SpanBatch,
        row: usize,
        walked_from: &mut [Option<usize>],
    ) -> usize {
        let up = |row: usize| self.parent(row).unwrap_or(row);
        let mut on_circle = row;
        while let Some(slot) = walked_from.get_mut(on_circle) {
            if slot.replace(row) == Some(row) {
                break;
            }
            on_circle = up(on_circle);
        }
        let (mut first, mut step) = (on_circle, up(on_circle));
        while step != on_circle {
            if (start(trace, step), step) < (start(trace, first), first) {
                first = step;
            }
            step = up(step);
        }
        if let Some(children) = self
            .parent(first)
            .and_then(|parent| self.children.get_mut(parent))
        {
            children.retain(|child| *child != first);
        }
        first
    }

    fn put_times(&self, trace: &SpanBatch, facts: &mut TraceFacts<'_>) {
        let times: Vec<Time> = trace
            .iter()
            .map(|span| Time::of(span.start(), span.end()))
            .collect();
        let time = |row: usize| times.get(row).copied().unwrap_or_default();
        facts.self_time = vec![0; trace.len()];
        facts.critical_time = vec![0; trace.len()];
        // One root is the whole path, whatever else goes on.
        let whole = match self.roots.as_slice() {
            [only] => time(*only),
            _ => Time {
                from: times.iter().map(|time| time.from).min().unwrap_or_default(),
                to: times.iter().map(|time| time.to).max().unwrap_or_default(),
            },
        };
        let mut on_path: Vec<Option<Time>> = vec![None; trace.len()];
        walk(&self.roots, &time, whole, &mut on_path);
        for row in &self.top_down {
            let children = self
                .children
                .get(*row)
                .map(Vec::as_slice)
                .unwrap_or_default();
            let own = uncovered(children, &time, time(*row));
            let critical = on_path.get(*row).copied().flatten();
            let critical = critical.map_or(0, |inside| walk(children, &time, inside, &mut on_path));
            if let Some(slot) = facts.self_time.get_mut(*row) {
                *slot = own;
            }
            if let Some(slot) = facts.critical_time.get_mut(*row) {
                *slot = critical;
            }
        }
    }
}

fn start(trace: &SpanBatch, row: usize) -> u64 {
    trace.span(row).map_or(0, |span| span.start())
}

/// What of a time some siblings, in order of their start, don't cover.
fn uncovered(siblings: &[usize], time_of: &impl Fn(usize) -> Time, time: Time) -> u64 {
    let (mut covered_to, mut uncovered) = (time.from, 0);
    for row in siblings {
        let child = time_of(*row).inside(time);
        uncovered += child.from.saturating_sub(covered_to);
        covered_to = covered_to.max(child.to);
    }
    uncovered + time.to.saturating_sub(covered_to)
}

/// Goes back through a time from its end, and puts those siblings on the path that were waited for; gives what is left
/// between them.
fn walk(
    siblings: &[usize],
    time_of: &impl Fn(usize) -> Time,
    time: Time,
    on_path: &mut [Option<Time>],
) -> u64 {
    let inside = siblings
        .iter()
        .map(|row| (time_of(*row).inside(time), *row));
    let mut children: Vec<(Time, usize)> = inside.filter(|(child, _)| child.len() > 0).collect();
    // The last to end first; of several, the longest; of those, the first in the order of the siblings.
    children.sort_by(|(a, _), (b, _)| (b.to, a.from).cmp(&(a.to, b.from)));
    let (mut stand, mut left) = (time.to, 0);
    for (child, row) in children {
        if child.to > stand {
            continue;
        }
        left += stand - child.to;
        stand = child.from;
        if let Some(slot) = on_path.get_mut(row) {
            *slot = Some(child);
        }
    }
    left + (stand - time.from)
}
