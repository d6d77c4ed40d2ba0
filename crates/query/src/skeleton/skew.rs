//! The clocks of hosts, over the rows of a trace: as [`crate::adjust`] has it for spans with their attributes.

use model::TraceOutline;
use model::tree::Tree;

use crate::adjust::clock::{Hosts, Interval, NO_HOST, delta};

/// Start and end of each span.
#[derive(Debug)]
pub(super) struct Times {
    pub(super) starts: Vec<u64>,
    /// Never before the start.
    pub(super) ends: Vec<u64>,
}

impl Times {
    pub(super) fn of(outline: &TraceOutline) -> Self {
        let ends = outline.starts.iter().zip(&outline.ends);
        Self {
            starts: outline.starts.clone(),
            ends: ends.map(|(start, end)| *end.max(start)).collect(),
        }
    }

    pub(super) fn get(&self, at: usize) -> Option<(u64, u64)> {
        Some((*self.starts.get(at)?, *self.ends.get(at)?))
    }
}

/// What was done about skew.
#[derive(Debug, Default)]
pub(super) struct Skewed {
    /// Spans that were moved.
    pub(super) moved: u64,
    /// Spans that would have had to be moved further than is allowed.
    pub(super) left: u64,
}

/// Moves the spans of hosts whose clocks differ from those that called them.
pub(super) fn correct(
    outline: &TraceOutline,
    tree: &Tree,
    times: &mut Times,
    max_nanos: u64,
) -> Skewed {
    let mut hosts = Hosts::default();
    let resources = outline.resources.iter();
    let hosts: Vec<usize> = resources
        .map(|resource| {
            hosts.number(|key| {
                let mut attributes = resource.attributes.iter();
                Some(attributes.find(|(of, _)| of == key)?.1.clone())
            })
        })
        .collect();
    let mut skewed = Skewed::default();
    // By row: the span, its host's number and the skew that holds below it.
    let mut rows: Vec<(usize, usize, i64)> = Vec::with_capacity(outline.len());
    for (at, row) in tree.rows().enumerate() {
        let span = row.span as usize;
        let resource = outline
            .resource
            .get(span)
            .map_or(usize::MAX, |at| *at as usize);
        let host = hosts.get(resource).copied().unwrap_or(NO_HOST);
        let parent = super::parent_of(at, row.parent_delta).and_then(|at| rows.get(at).copied());
        let delta = match parent {
            None => 0,
            Some((_, of_parent, delta)) if of_parent == host && host != NO_HOST => delta,
            Some((parent, ..)) => delta_between(times, parent, span),
        };
        rows.push((span, host, delta));
        if delta == 0 {
            continue;
        }
        if delta.unsigned_abs() > max_nanos {
            skewed.left += 1;
            continue;
        }
        skewed.moved += 1;
        for column in [&mut times.starts, &mut times.ends] {
            if let Some(time) = column.get_mut(span) {
                *time = time.saturating_add_signed(delta);
            }
        }
    }
    skewed
}

fn delta_between(times: &Times, parent: usize, child: usize) -> i64 {
    let interval = |(start, end)| Interval { start, end };
    let both = times.get(parent).zip(times.get(child));
    both.map_or(0, |(parent, child)| {
        delta(interval(parent), interval(child))
    })
}
