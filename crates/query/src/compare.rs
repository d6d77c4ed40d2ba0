//! Two traces compared: one tree of both with the time of each side, and what explains the difference.
//!
//! Spans are aligned by their path: the services and names from the root down. Like siblings are one node that counts
//! them, except where both sides have the same few ([`PAIRED_MAX`]): those are compared one by one, by position. Times
//! of a node are sums over its spans. Siblings come by the size of their difference, the largest first.
//!
//! What explains the difference is told by own time, summed by service and name over the whole tree: it counts nothing
//! twice. Differences are the first minus the second. A trace compared with itself has none.
//!
//! The app compares by the same rule in the browser, where one side may come from a file.

use std::collections::HashMap;

use model::SpanId;
use plumbing::planted;

use crate::skeleton::{Rows, Skeleton};

/// Like siblings that are compared one by one, if both sides have as many.
const PAIRED_MAX: usize = 3;
/// Causes that are told.
const CAUSES_MAX: usize = 50;

/// Two traces compared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TraceDiff {
    /// What there is in the first trace, and in the second.
    pub sides: [Side; 2],
    /// The largest difference first; none that is 0.
    pub causes: Vec<Cause>,
    /// In pre-order.
    pub nodes: Vec<DiffNode>,
    /// How many nodes there are.
    pub all_nodes: u64,
}

/// One of two traces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Side {
    /// Nanoseconds from the first start to the last end.
    pub nanos: u64,
    /// Its spans.
    pub spans: u64,
    /// Those without a counterpart.
    pub only_here: u64,
}

/// An operation that took longer on one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Its service.
    pub service: String,
    /// The name of its spans.
    pub operation: String,
    /// Own time in nanoseconds, the first trace minus the second.
    pub difference: i64,
    /// Its spans on either side.
    pub spans: [u64; 2],
}

/// A node of the common tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffNode {
    /// Distance from the top.
    pub depth: u32,
    /// The service of its spans.
    pub service: String,
    /// Their name.
    pub operation: String,
    /// Spans on either side; 0: it is only in the other trace.
    pub spans: [u64; 2],
    /// Their durations together, in nanoseconds.
    pub nanos: [u64; 2],
    /// Their own time together, in nanoseconds.
    pub own: [u64; 2],
    /// The first span on either side.
    pub first: [Option<SpanId>; 2],
}

/// Codes of service and name in the lists of both traces.
type Key = (u32, u32);

/// Spans that stand at the same place.
struct Alike {
    key: Key,
    depth: u32,
    rows: [Vec<u32>; 2],
    /// Of the difference.
    size: u64,
}

/// The words of both traces, each once.
#[derive(Default)]
struct Words(HashMap<String, u32>);

impl Words {
    fn codes(&mut self, words: &[String]) -> Vec<u32> {
        let code = |word: &String| {
            let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
            *self.0.entry(word.clone()).or_insert(next)
        };
        words.iter().map(code).collect()
    }
}

/// A trace, with the codes of its words.
struct Coded<'a> {
    trace: &'a Skeleton,
    services: Vec<u32>,
    names: Vec<u32>,
}

impl Coded<'_> {
    fn key(&self, row: u32) -> Key {
        let rows = &self.trace.rows;
        let code = |codes: &[u32], column: &[u32]| {
            let place = column.get(row as usize).copied().unwrap_or_default();
            codes.get(place as usize).copied().unwrap_or_default()
        };
        (
            code(&self.services, &rows.service),
            code(&self.names, &rows.name),
        )
    }

    fn sum(&self, column: fn(&Rows) -> &[u64], rows: &[u32]) -> u64 {
        let values = column(&self.trace.rows);
        let of_rows = rows.iter().filter_map(|row| values.get(*row as usize));
        of_rows.fold(0, |sum: u64, value| sum.saturating_add(*value))
    }

    fn end_of(&self, row: u32) -> u32 {
        let below = self.trace.rows.subtree.get(row as usize).copied();
        row.saturating_add(below.unwrap_or(1).max(1))
    }

    /// The rows between two that stand directly below one that is none of them.
    fn tops(&self, from: u32, to: u32) -> Vec<u32> {
        let mut tops = Vec::new();
        let mut row = from;
        while row < to {
            tops.push(row);
            row = self.end_of(row);
        }
        tops
    }

    fn children(&self, rows: &[u32]) -> Vec<u32> {
        let below = rows.iter().map(|row| self.tops(row + 1, self.end_of(*row)));
        below.flatten().collect()
    }
}

fn durations(rows: &Rows) -> &[u64] {
    &rows.duration
}

fn own_times(rows: &Rows) -> &[u64] {
    &rows.own
}

impl TraceDiff {
    /// Compares two traces; the first nodes of the tree are told, up to so many.
    #[must_use]
    pub fn of(a: &Skeleton, b: &Skeleton, nodes_max: usize) -> Self {
        let (mut services, mut names) = (Words::default(), Words::default());
        let sides = [a, b].map(|trace| Coded {
            trace,
            services: services.codes(&trace.services),
            names: names.codes(&trace.names),
        });
        let mut diff = Self {
            sides: [a, b].map(|trace| Side {
                nanos: trace.duration,
                spans: trace.rows.len() as u64,
                only_here: 0,
            }),
            ..Self::default()
        };
        let mut causes: HashMap<Key, Cause> = HashMap::new();
        let tops = [0, 1].map(|side: usize| {
            let side = &sides[side];
            side.tops(0, u32::try_from(side.trace.rows.len()).unwrap_or(u32::MAX))
        });
        let mut open = group(&sides, tops, 0);
        open.reverse();
        while let Some(alike) = open.pop() {
            diff.count(&alike, &sides, &mut causes, nodes_max);
            let [of_a, of_b] = &alike.rows;
            let below = [sides[0].children(of_a), sides[1].children(of_b)];
            open.extend(group(&sides, below, alike.depth + 1).into_iter().rev());
        }
        let causes = causes.into_values().filter(|cause| cause.difference != 0);
        diff.causes = causes.collect();
        diff.causes.sort_by(|a, b| {
            let by_name = || (&a.service, &a.operation).cmp(&(&b.service, &b.operation));
            let (of_a, of_b) = (a.difference.unsigned_abs(), b.difference.unsigned_abs());
            of_b.cmp(&of_a).then_with(by_name)
        });
        diff.causes.truncate(CAUSES_MAX);
        diff
    }

    fn count(
        &mut self,
        alike: &Alike,
        sides: &[Coded<'_>; 2],
        causes: &mut HashMap<Key, Cause>,
        nodes_max: usize,
    ) {
        let of_sides = |column: fn(&Rows) -> &[u64]| {
            let [a, b] = &alike.rows;
            [sides[0].sum(column, a), sides[1].sum(column, b)]
        };
        let spans = [alike.rows[0].len() as u64, alike.rows[1].len() as u64];
        for (side, other) in [(0, 1), (1, 0)] {
            if spans[other] == 0 {
                self.sides[side].only_here += spans[side];
            }
        }
        let own = of_sides(own_times);
        let (service, operation) = names_of(alike, sides);
        let cause = causes.entry(alike.key).or_insert_with(|| Cause {
            service: service.clone(),
            operation: operation.clone(),
            difference: 0,
            spans: [0, 0],
        });
        let signed = |nanos: u64| i64::try_from(nanos).unwrap_or(i64::MAX);
        cause.difference = cause
            .difference
            .saturating_add(signed(own[0]).saturating_sub(signed(own[1])));
        cause.spans[0] += spans[0];
        cause.spans[1] += spans[1];
        self.all_nodes += 1;
        if self.nodes.len() < nodes_max {
            let first = |side: usize| {
                let row = alike.rows[side].first()?;
                sides[side].trace.rows.span_id.get(*row as usize).copied()
            };
            self.nodes.push(DiffNode {
                depth: alike.depth,
                service,
                operation,
                spans,
                nanos: of_sides(durations),
                own,
                first: [first(0), first(1)],
            });
        }
    }
}

fn names_of(alike: &Alike, sides: &[Coded<'_>; 2]) -> (String, String) {
    let of_side = |(rows, side): (&Vec<u32>, &Coded<'_>)| {
        let row = *rows.first()? as usize;
        let of = &side.trace.rows;
        let service = side.trace.services.get(*of.service.get(row)? as usize)?;
        let name = side.trace.names.get(*of.name.get(row)? as usize)?;
        Some((service.clone(), name.clone()))
    };
    let mut of_sides = alike.rows.iter().zip(sides);
    of_sides.find_map(of_side).unwrap_or_default()
}

/// Like rows of both sides together, the largest difference first.
fn group(sides: &[Coded<'_>; 2], rows: [Vec<u32>; 2], depth: u32) -> Vec<Alike> {
    let mut likes: Vec<(Key, [Vec<u32>; 2])> = Vec::new();
    let mut places: HashMap<Key, usize> = HashMap::new();
    for (which, of_side) in rows.into_iter().enumerate() {
        for row in of_side {
            let key = sides[which].key(row);
            let place = *places.entry(key).or_insert_with(|| {
                likes.push((key, [Vec::new(), Vec::new()]));
                likes.len() - 1
            });
            if let Some((_, like)) = likes.get_mut(place) {
                like[which].push(row);
            }
        }
    }
    let alike = |key: Key, rows: [Vec<u32>; 2]| {
        let [a, b] = &rows;
        let size = sides[0]
            .sum(durations, a)
            .abs_diff(sides[1].sum(durations, b));
        Alike {
            key,
            depth,
            rows,
            size,
        }
    };
    let mut all = Vec::with_capacity(likes.len());
    for (key, [a, b]) in likes {
        let are_few = a.len() == b.len() && (2..=PAIRED_MAX).contains(&a.len());
        if are_few && !planted("query-compare-unpaired") {
            let pairs = a.into_iter().zip(b);
            all.extend(pairs.map(|(of_a, of_b)| alike(key, [vec![of_a], vec![of_b]])));
        } else {
            all.push(alike(key, [a, b]));
        }
    }
    all.sort_by_key(|alike| std::cmp::Reverse(alike.size));
    all
}
