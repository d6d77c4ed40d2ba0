//! The section `DEPS`: all calls of a segment's traces together, so that nobody counts them who wants all.
//!
//! A call is a span whose parent, the first to arrive with the id it names, is in the same trace; unlike in `RCAL` also
//! within a service. What a trace has in other segments is not known here: whoever adds segments up takes the traces
//! out that lie in several.
//!
//! Bytes (varints): 1 if all calls are counted, else 0 and nothing behind it; if there is a trace, the earliest start
//! of one, the latest less that, the earliest end of one, the latest less that; then the number of pairs of services,
//! by caller, then called: caller (index in `SYMS`; difference to the pair before), called, calls.
//!
//! Where there are too many pairs nothing is counted, and whoever wants to know looks at the traces.

#![allow(
    clippy::cast_possible_truncation,
    reason = "services of a segment are far below 2^32"
)]

use std::ops::RangeInclusive;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::contract::Window;

use super::catalogue::{Operations, Places};
use crate::segment::decode::take_varint;
use crate::segment::encode::put_varint;
use crate::segment::order::NONE;
use crate::segment::parts::Parts;

/// More pairs of services than this are not counted.
const PAIRS_MAX: usize = 1 << 16;

/// When the traces of a segment are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TraceBounds {
    /// The earliest and the latest start.
    pub starts: RangeInclusive<u64>,
    /// The earliest and the latest end.
    pub ends: RangeInclusive<u64>,
}

/// Counts calls, row group by row group.
#[derive(Debug, Default)]
pub(super) struct CallSumsBuilder {
    counts: HashMap<(u32, u32), u64, RandomState>,
}

impl CallSumsBuilder {
    /// Adds a row group.
    pub(super) fn add(&mut self, parts: &Parts<'_>, operations: &Operations) {
        let service = |row: usize| operations.service_of.get(row).copied().unwrap_or_default();
        let mut last = ((0, 0), 0);
        for (row, caller) in parts.order.caller.iter().enumerate() {
            if *caller == NONE {
                continue;
            }
            let pair = (service(*caller as usize), service(row));
            // The same comes many times in a row.
            if pair != last.0 {
                self.put(last);
                last = (pair, 0);
            }
            last.1 += 1;
        }
        self.put(last);
    }

    fn put(&mut self, (pair, calls): ((u32, u32), u64)) {
        if calls > 0 && self.counts.len() <= PAIRS_MAX {
            *self.counts.entry(pair).or_default() += calls;
        }
    }

    /// The section, with services as the catalogue has them; without bounds there is no trace.
    pub(super) fn section(self, bounds: Option<&TraceBounds>, places: &Places) -> Vec<u8> {
        let is_complete = self.counts.len() <= PAIRS_MAX;
        let mut out = vec![u8::from(is_complete)];
        if !is_complete {
            return out;
        }
        for range in bounds.iter().flat_map(|b| [&b.starts, &b.ends]) {
            put_varint(*range.start(), &mut out);
            put_varint(range.end() - range.start(), &mut out);
        }
        let counts = self.counts.into_iter();
        let mut counts: Vec<((u32, u32), u64)> = counts
            .map(|((caller, called), calls)| {
                ((places.service(caller), places.service(called)), calls)
            })
            .collect();
        counts.sort_unstable();
        put_varint(counts.len() as u64, &mut out);
        let mut before = 0;
        for ((caller, called), calls) in counts {
            put_varint(u64::from(caller - before), &mut out);
            put_varint(called.into(), &mut out);
            put_varint(calls, &mut out);
            before = caller;
        }
        out
    }
}

/// All calls of a segment's traces.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct CallSums {
    /// Whether they are counted; if not, nothing is known.
    pub is_complete: bool,
    bounds: Option<TraceBounds>,
    /// Caller and called, indexes of the catalogue's services, with the calls.
    pub calls: Vec<(u32, u32, u64)>,
}

impl CallSums {
    /// Tells whether all traces, as far as they are here, lie in a window.
    pub(crate) fn are_within(&self, window: Window) -> bool {
        self.bounds
            .as_ref()
            .is_none_or(|TraceBounds { starts, ends }| {
                [starts.start(), starts.end(), ends.start(), ends.end()]
                    .into_iter()
                    .all(|time| window.contains(*time))
            })
    }

    /// Tells whether no trace lies in a window.
    pub(crate) fn are_outside(&self, window: Window) -> bool {
        let is_apart = |times: &RangeInclusive<u64>| {
            *times.end() < window.start || window.end < *times.start()
        };
        let bounds = self.bounds.as_ref();
        bounds.is_none_or(|TraceBounds { starts, ends }| is_apart(starts) || is_apart(ends))
    }

    /// What a section of a segment with so many traces and services says; `None` when it makes no sense.
    pub(crate) fn parse(section: &[u8], has_traces: bool, services: usize) -> Option<Self> {
        let (flags, mut rest) = section.split_first()?;
        let rest = &mut rest;
        let mut sums = Self {
            is_complete: *flags == 1,
            ..Self::default()
        };
        if !sums.is_complete {
            return (*flags == 0 && rest.is_empty()).then_some(sums);
        }
        let range = |rest: &mut &[u8]| {
            let first = take_varint(rest)?;
            Some(first..=first.checked_add(take_varint(rest)?)?)
        };
        if has_traces {
            let (starts, ends) = (range(rest)?, range(rest)?);
            sums.bounds = Some(TraceBounds { starts, ends });
        }
        let service = |number: u64| {
            u32::try_from(number)
                .ok()
                .filter(|n| (*n as usize) < services)
        };
        let mut before = 0;
        for _ in 0..take_varint(rest)? {
            let caller = service(u64::from(before).checked_add(take_varint(rest)?)?)?;
            let called = service(take_varint(rest)?)?;
            sums.calls.push((caller, called, take_varint(rest)?));
            before = caller;
        }
        rest.is_empty().then_some(sums)
    }

    /// Memory held, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        self.calls.capacity() * size_of::<(u32, u32, u64)>() + size_of::<Self>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::trace_facts::FactsBuilder;
    use super::*;

    fn window(start: u64, end: u64) -> Window {
        Window { start, end }
    }

    #[test]
    fn traces_are_within_only_with_start_and_end_and_outside_by_either() {
        let mut sums = CallSums::default();
        assert!(sums.are_within(window(5, 6)) && sums.are_outside(window(5, 6)));
        // One of them ends before it starts.
        let mut facts = FactsBuilder::default();
        facts.push(1, (20, 30), 0);
        facts.push(1, (25, 10), 0);
        sums.bounds = facts.bounds();
        let of = |start, end| {
            let window = window(start, end);
            (sums.are_within(window), sums.are_outside(window))
        };
        assert_eq!(of(10, 30), (true, false));
        assert_eq!(of(11, 30), (false, false));
        assert_eq!(of(10, 29), (false, false));
        assert_eq!(of(26, 40), (false, true));
        assert_eq!(of(0, 9), (false, true));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            has_traces in any::<bool>(),
        ) {
            if let Some(sums) = CallSums::parse(&bytes, has_traces, 9) {
                prop_assert!(sums.calls.iter().all(|(caller, called, _)| *caller < 9 && *called < 9));
            }
        }
    }
}
