//! Clock skew between hosts: a child that starts before its parent, or ends behind it, ran by another clock.
//!
//! From each root down, the distance between the clocks is guessed where the host changes (or is not known): a child
//! that fits into its parent is put into its middle, a longer one to its start; the spans below it on the same host
//! move along. What is over the greatest skew is only warned of; so it is with a greatest skew of 0, the default.
//!
//! Promises: every span is visited at most once, without recursion; cycles have no root and are left alone.

use model::SpanId;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::clock::{Hosts, Interval, NO_HOST, delta};
use super::trace::{AdjustableSpan, AdjustableTrace};
use crate::go_time::duration_text;

const DUPLICATE: &str = "duplicate span IDs; skipping clock skew adjustment";

/// The skew of a host, as it holds for the spans below a span.
#[derive(Debug, Clone, Copy)]
struct Skew {
    /// Index in the list of hosts.
    host: usize,
    delta: i64,
}

/// What has to be visited: a span and the skew that its parent passes on.
#[derive(Debug, Clone, Copy)]
struct Visit {
    span: usize,
    parent: Option<usize>,
    skew: Skew,
}

pub(super) fn correct(trace: &mut AdjustableTrace<'_>, max_nanos: u64) {
    let hosts = hosts(trace);
    let host_of = |trace: &AdjustableTrace<'_>, span: usize| {
        let resource = trace
            .spans
            .get(span)
            .map_or(usize::MAX, |span| span.resource);
        hosts.get(resource).copied().unwrap_or(0)
    };
    let (children, roots) = tree(trace);
    let mut to_visit: Vec<Visit> = roots
        .into_iter()
        .map(|span| Visit {
            span,
            parent: None,
            skew: Skew {
                host: host_of(trace, span),
                delta: 0,
            },
        })
        .collect();
    while let Some(Visit {
        span,
        parent,
        mut skew,
    }) = to_visit.pop()
    {
        let host = host_of(trace, span);
        let spans = (
            trace.spans.get(span),
            parent.and_then(|at| trace.spans.get(at)),
        );
        if let (Some(child), Some(parent)) = spans
            && (host != skew.host || host == NO_HOST)
        {
            skew = Skew {
                host,
                delta: delta(interval(parent), interval(child)),
            };
        }
        if let Some(span) = trace.spans.get_mut(span) {
            apply(span, skew.delta, max_nanos);
        }
        for child in children.get(&span).map(Vec::as_slice).unwrap_or_default() {
            to_visit.push(Visit {
                span: *child,
                parent: Some(span),
                skew,
            });
        }
    }
}

/// For each resource the number of its host.
fn hosts(trace: &AdjustableTrace<'_>) -> Vec<usize> {
    let mut hosts = Hosts::default();
    let resources = trace.resources.iter();
    resources
        .map(|resource| {
            hosts.number(|key| {
                let mut attributes = resource.attributes.iter();
                let found = attributes.find(|attribute| attribute.key == key)?;
                Some(found.value.get().to_value())
            })
        })
        .collect()
}

/// The children of each span, and the spans to begin with; warns of duplicate ids and of absent parents.
fn tree(trace: &mut AdjustableTrace<'_>) -> (HashMap<usize, Vec<usize>>, Vec<usize>) {
    let mut by_id: HashMap<SpanId, usize> = HashMap::with_capacity(trace.spans.len());
    let mut first_of_id = Vec::with_capacity(trace.spans.len());
    for (index, span) in trace.spans.iter_mut().enumerate() {
        match by_id.entry(span.span_id) {
            Entry::Occupied(_) => span.warnings.push(DUPLICATE.to_owned()),
            Entry::Vacant(free) => {
                free.insert(index);
                first_of_id.push(index);
            }
        }
    }
    let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut roots = Vec::new();
    for index in first_of_id {
        let Some(span) = trace.spans.get_mut(index) else {
            continue;
        };
        let parent = span.parent_span_id;
        match by_id.get(&parent) {
            _ if parent.is_zero() => roots.push(index),
            Some(parent) => children.entry(*parent).or_default().push(index),
            None => {
                span.warnings.push(format!(
                    "parent span ID={parent} is not in the trace; skipping clock skew adjustment"
                ));
                roots.push(index);
            }
        }
    }
    (children, roots)
}

fn interval(span: &AdjustableSpan<'_>) -> Interval {
    Interval {
        start: span.start,
        end: span.end,
    }
}

fn apply(span: &mut AdjustableSpan<'_>, delta: i64, max_nanos: u64) {
    if delta == 0 {
        return;
    }
    let text = duration_text(delta);
    if delta.unsigned_abs() > max_nanos {
        span.warnings.push(if max_nanos == 0 {
            format!("clock skew adjustment disabled; not applying calculated delta of {text}")
        } else {
            let max = duration_text(i64::try_from(max_nanos).unwrap_or(i64::MAX));
            format!(
                "max clock skew adjustment delta of {max} exceeded; not applying calculated delta of {text}"
            )
        });
        return;
    }
    let moved = |time: u64| time.saturating_add_signed(delta);
    span.start = moved(span.start);
    span.end = moved(span.end);
    for event in &mut span.events {
        event.time = moved(event.time);
    }
    span.warnings
        .push(format!("This span's timestamps were adjusted by {text}"));
}
