//! The sections `EDGE` and `ORPH`: the calls between services, and the spans whose parent is not in the segment.
//!
//! Most traces of a program call the same services equally often, so the calls of a whole trace are a *pattern*, held
//! once, and each trace names its own. A call is a span whose parent id names a span of the same trace here, the
//! first to arrive if several have the id; a service that calls itself counts.
//!
//! `EDGE`: number of patterns, then each as number of edges and per edge caller, called, calls; then the pattern of
//! each trace by ordinal. `ORPH`: number of orphans, then each as ordinal of the trace (difference), called service,
//! parent id (8 bytes). Services are indexes of `SYMS`; numbers are varints.

#![allow(
    clippy::cast_possible_truncation,
    reason = "services, patterns and traces of a segment are far below 2^32"
)]

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use model::SpanId;

use crate::segment::decode::take_varint;
use crate::segment::encode::put_varint;
use crate::segment::order::NONE;
use crate::segment::parts::Parts;

/// How often one service called another in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge {
    /// The caller: index of [`Edges::services`].
    pub parent: u32,
    /// The called: index of [`Edges::services`].
    pub child: u32,
    /// Spans of the called service whose parent is a span of the caller.
    pub calls: u32,
}

/// A span whose parent is not in the segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orphan {
    /// Ordinal of its trace.
    pub trace: u32,
    /// The parent it names.
    pub parent_span_id: SpanId,
    /// Its service: index of [`Edges::services`].
    pub child: u32,
}

/// The calls between services.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edges {
    /// The services' names, ascending.
    pub services: Vec<String>,
    /// Distinct lists of calls, each by parent, then child.
    pub patterns: Vec<Vec<Edge>>,
    /// By trace ordinal: index of [`Edges::patterns`].
    pub pattern_of: Vec<u32>,
    /// By trace ordinal, then row.
    pub orphans: Vec<Orphan>,
}

/// Collects calls, row group by row group. Services are numbered as they come.
#[derive(Debug, Default)]
pub(super) struct EdgesBuilder {
    edges: Edges,
    /// The patterns by their hash.
    known: HashTable<u32>,
    hasher: RandomState,
}

impl EdgesBuilder {
    /// Adds a row group; `service_of` is by resource of the batch.
    pub(super) fn add(&mut self, parts: &Parts<'_>, service_of: &[u32]) {
        let spans = parts.batch.spans();
        let service = |row: usize| {
            let resource = parts.pick(&spans.resource, row);
            let service = service_of.get(resource as usize);
            service.copied().unwrap_or_default()
        };
        let mut calls: Vec<(u32, u32)> = Vec::new();
        for trace in &parts.order.traces {
            let ordinal = self.edges.pattern_of.len() as u32;
            calls.clear();
            for row in trace.range() {
                let child = service(row);
                match parts.order.caller.get(row).copied().unwrap_or(NONE) {
                    NONE => {
                        let parent_span_id = parts.pick(&spans.parent_span_id, row);
                        if !parent_span_id.is_zero() {
                            self.edges.orphans.push(Orphan {
                                trace: ordinal,
                                parent_span_id,
                                child,
                            });
                        }
                    }
                    caller => calls.push((service(caller as usize), child)),
                }
            }
            calls.sort_unstable();
            let pattern = self.number_of(pattern_of(&calls));
            self.edges.pattern_of.push(pattern);
        }
    }

    fn number_of(&mut self, pattern: Vec<Edge>) -> u32 {
        let (patterns, hasher) = (&mut self.edges.patterns, &self.hasher);
        let hash = hasher.hash_one(Some(&pattern));
        let is_same = |number: &u32| patterns.get(*number as usize) == Some(&pattern);
        if let Some(number) = self.known.find(hash, is_same) {
            return *number;
        }
        let next = patterns.len() as u32;
        patterns.push(pattern);
        self.known.insert_unique(hash, next, |number| {
            hasher.hash_one(patterns.get(*number as usize))
        });
        next
    }

    /// The calls with services as the catalogue numbers them.
    pub(super) fn finish(self, index_of: &[u32]) -> Edges {
        let mut edges = self.edges;
        let index = |number: u32| index_of.get(number as usize).copied().unwrap_or_default();
        for pattern in &mut edges.patterns {
            for edge in pattern.iter_mut() {
                (edge.parent, edge.child) = (index(edge.parent), index(edge.child));
            }
            pattern.sort_unstable();
        }
        for orphan in &mut edges.orphans {
            orphan.child = index(orphan.child);
        }
        edges
    }
}

/// Counts calls that are sorted.
fn pattern_of(calls: &[(u32, u32)]) -> Vec<Edge> {
    let mut pattern: Vec<Edge> = Vec::new();
    for &(parent, child) in calls {
        match pattern.last_mut() {
            Some(edge) if (edge.parent, edge.child) == (parent, child) => edge.calls += 1,
            _ => pattern.push(Edge {
                parent,
                child,
                calls: 1,
            }),
        }
    }
    pattern
}

impl Edges {
    /// The calls inside a trace.
    #[must_use]
    pub fn of_trace(&self, ordinal: u32) -> &[Edge] {
        let pattern = self
            .pattern_of
            .get(ordinal as usize)
            .copied()
            .unwrap_or_default();
        self.patterns
            .get(pattern as usize)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Memory held, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let edges: usize = self
            .patterns
            .iter()
            .map(|pattern| 24 + pattern.len() * size_of::<Edge>())
            .sum();
        edges + self.pattern_of.len() * 4 + self.orphans.len() * size_of::<Orphan>()
    }

    /// The section `EDGE`.
    pub(super) fn edges_section(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(self.patterns.len() as u64, &mut out);
        for pattern in &self.patterns {
            put_varint(pattern.len() as u64, &mut out);
            for edge in pattern {
                [edge.parent, edge.child, edge.calls]
                    .iter()
                    .for_each(|number| put_varint(u64::from(*number), &mut out));
            }
        }
        self.pattern_of
            .iter()
            .for_each(|pattern| put_varint(u64::from(*pattern), &mut out));
        out
    }

    /// The section `ORPH`.
    pub(super) fn orphans_section(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(self.orphans.len() as u64, &mut out);
        let mut before = 0;
        for orphan in &self.orphans {
            put_varint(u64::from(orphan.trace - before), &mut out);
            before = orphan.trace;
            put_varint(u64::from(orphan.child), &mut out);
            out.extend_from_slice(&orphan.parent_span_id.0);
        }
        out
    }

    /// The calls that both sections hold; `None` when they make no sense.
    pub(crate) fn parse(
        mut calls: &[u8],
        mut orphans: &[u8],
        services: Vec<String>,
        traces: usize,
    ) -> Option<Self> {
        fn number(section: &mut &[u8]) -> Option<u32> {
            u32::try_from(take_varint(section)?).ok()
        }
        let count = services.len();
        let service =
            |section: &mut &[u8]| number(section).filter(|service| (*service as usize) < count);
        let mut edges = Self {
            services,
            ..Self::default()
        };
        for _ in 0..take_varint(&mut calls)? {
            let mut pattern = Vec::new();
            for _ in 0..take_varint(&mut calls)? {
                let (parent, child) = (service(&mut calls)?, service(&mut calls)?);
                pattern.push(Edge {
                    parent,
                    child,
                    calls: number(&mut calls)?,
                });
            }
            edges.patterns.push(pattern);
        }
        for _ in 0..traces {
            let pattern = number(&mut calls)?;
            edges.patterns.get(pattern as usize)?;
            edges.pattern_of.push(pattern);
        }
        let mut trace = 0u32;
        for _ in 0..take_varint(&mut orphans)? {
            trace = trace.checked_add(number(&mut orphans)?)?;
            let child = service(&mut orphans)?;
            let (id, rest) = orphans.split_first_chunk::<8>()?;
            orphans = rest;
            edges.orphans.push(Orphan {
                trace,
                parent_span_id: SpanId(*id),
                child,
            });
        }
        (calls.is_empty() && orphans.is_empty()).then_some(edges)
    }
}
