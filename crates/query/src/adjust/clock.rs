//! The clocks of hosts: which host a resource names, and how far apart the clocks of a caller and a called one are.

use std::collections::HashMap;

use model::Value;
use plumbing::planted;

/// The number of the host of a resource that names none.
pub(crate) const NO_HOST: usize = 0;

/// Numbers hosts; equal texts are one host.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    numbers: HashMap<String, usize>,
}

impl Hosts {
    /// The number of the host of a resource, whose attributes are looked up by key: `host.id`, else `host.ip` (its
    /// first), else `host.name`.
    pub(crate) fn number(&mut self, find: impl Fn(&str) -> Option<Value>) -> usize {
        let text_of = |key: &str| {
            let text = match find(key)? {
                Value::String(text) => text,
                Value::Array(values) => values.first()?.canonical_text(),
                _ => return None,
            };
            (!text.is_empty()).then_some(text)
        };
        let keys = ["host.id", "host.ip", "host.name"];
        let Some(host) = keys.into_iter().find_map(text_of) else {
            return NO_HOST;
        };
        let next = self.numbers.len() + 1;
        *self.numbers.entry(host).or_insert(next)
    }
}

/// From a start to an end, which is not before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Interval {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Interval {
    fn duration(self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

/// How far a child has to be moved to lie within its parent.
pub(crate) fn delta(parent: Interval, child: Interval) -> i64 {
    let parent_to_child = parent.start.wrapping_sub(child.start).cast_signed();
    if child.duration() > parent.duration() {
        return if child.start < parent.start {
            parent_to_child
        } else {
            0
        };
    }
    if child.start >= parent.start && child.end <= parent.end {
        return 0;
    }
    let latency = (parent.duration() - child.duration()) / 2;
    if planted("adjust-skew-without-latency") {
        return parent_to_child;
    }
    parent_to_child.wrapping_add(latency.cast_signed())
}
