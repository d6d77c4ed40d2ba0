//! Runs of siblings that are alike: the same operation called again and again by one span, one right after the other,
//! as loops of queries are.

use std::collections::HashMap;

use plumbing::planted;

use super::{Rows, flag, parent_of};

/// Fewer like siblings are no run: folding them would hide more than it tells.
const RUN_MIN: usize = 4;

/// A row among its siblings, in whose order they are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Sibling {
    parent: u32,
    row: u32,
    operation: u32,
}

/// Marks the rows of every run, and the first one of each. Runs are numbered from 1.
pub(super) fn mark(rows: &mut Rows, deltas: &[i32]) {
    let mut siblings = siblings(rows, deltas);
    siblings.sort_unstable();
    if planted("skeleton-run-over-others") {
        siblings.sort_by_key(|sibling| (sibling.parent, sibling.operation));
    }
    rows.group.resize(rows.len(), 0);
    let mut last = 0;
    for run in siblings.chunk_by(|a, b| (a.parent, a.operation) == (b.parent, b.operation)) {
        if run.len() < RUN_MIN {
            continue;
        }
        last += 1;
        for sibling in run {
            if let Some(group) = rows.group.get_mut(sibling.row as usize) {
                *group = last;
            }
        }
        let head = run
            .first()
            .and_then(|head| rows.flags.get_mut(head.row as usize));
        if let Some(flags) = head {
            *flags |= flag::GROUP_HEAD;
        }
    }
}

fn siblings(rows: &Rows, deltas: &[i32]) -> Vec<Sibling> {
    let mut operations: HashMap<(u32, u32), u32> = HashMap::new();
    let of_rows = rows.service.iter().zip(&rows.name).zip(deltas).enumerate();
    let sibling = |(row, ((service, name), delta)): (usize, ((&u32, &u32), &i32))| {
        let next = number(operations.len());
        Sibling {
            parent: parent_of(row, *delta).map_or(u32::MAX, number),
            operation: *operations.entry((*service, *name)).or_insert(next),
            row: number(row),
        }
    };
    of_rows.map(sibling).collect()
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
