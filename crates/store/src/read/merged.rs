//! All traces of several segments, each once, with its fragments.
//!
//! The tables of traces are in order of ids, so they are merged, range of ids by range of ids: so much is in memory
//! at once as ranges hold, whatever is stored. (Ids are random; where a tracer counts them up, a range may hold all.)

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::RangeInclusive;

use crate::index::TraceEntry;

/// About so many traces are looked at together.
const TRACES_AT_ONCE: u64 = 1 << 20;

/// A part of a trace: which of the tables has it, and what it says.
pub(super) type Fragment = (usize, TraceEntry);

/// Ranges of the low halves of ids that together are all of them, and hold about as many traces as can be looked at
/// together, when there are so many in all.
pub(super) fn id_ranges(traces: u64) -> impl Iterator<Item = RangeInclusive<u64>> {
    let count = traces.div_ceil(TRACES_AT_ONCE).max(1);
    let width = u64::MAX / count;
    (0..count).map(move |at| {
        let is_last = at + 1 == count;
        at * width + u64::from(at > 0)..=if is_last { u64::MAX } else { (at + 1) * width }
    })
}

/// Gives each trace of the tables, which are in order of the low halves of ids, with its fragments, by table; ends
/// early when `give` says so.
pub(super) fn each_trace<E>(
    tables: &[Vec<TraceEntry>],
    mut give: impl FnMut(&[Fragment]) -> Result<(), E>,
) -> Result<(), E> {
    let mut places = vec![0; tables.len()];
    let entry_at = |table: usize, place: usize| tables.get(table)?.get(place).copied();
    let low_at = |table: usize, place: usize| entry_at(table, place).map(|e| e.trace_id.low());
    let mut next: BinaryHeap<Reverse<(u64, usize)>> = (0..tables.len())
        .filter_map(|table| Some(Reverse((low_at(table, 0)?, table))))
        .collect();
    let mut same_low: Vec<Fragment> = Vec::new();
    while let Some(Reverse((low, _))) = next.peek().copied() {
        same_low.clear();
        while let Some(Reverse((_, table))) = next.peek().copied().filter(|n| n.0.0 == low) {
            next.pop();
            let Some(place) = places.get_mut(table) else {
                continue;
            };
            same_low.extend(entry_at(table, *place).map(|entry| (table, entry)));
            *place += 1;
            next.extend(low_at(table, *place).map(|low| Reverse((low, table))));
        }
        // Ids may share their low half.
        same_low.sort_unstable_by_key(|(table, entry)| (entry.trace_id, *table));
        for fragments in same_low.chunk_by(|a, b| a.1.trace_id == b.1.trace_id) {
            give(fragments)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use model::TraceId;

    use super::*;
    use crate::index::TraceTable;

    fn id(high: u64, low: u64) -> TraceId {
        TraceId((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
    }

    #[test]
    fn every_trace_comes_once_with_all_its_fragments() {
        let table = |ids: &[TraceId]| {
            let runs: Vec<(TraceId, u32)> = ids.iter().map(|id| (*id, 2)).collect();
            TraceTable::of_runs(&runs).with_low_ids(&(0..=u64::MAX))
        };
        let tables = [
            table(&[id(0, 9), id(7, 3), id(8, 3)]),
            table(&[]),
            table(&[id(8, 3), id(0, 1), id(0, 9)]),
            table(&[id(0, 9), id(6, 3)]),
        ];
        let mut seen = Vec::new();
        let Ok(()) = each_trace(&tables, |fragments| {
            let tables: Vec<usize> = fragments.iter().map(|(table, _)| *table).collect();
            seen.extend(fragments.first().map(|f| (f.1.trace_id, tables)));
            Ok::<(), Infallible>(())
        });
        let wanted = [
            (id(0, 1), vec![2]),
            (id(6, 3), vec![3]),
            (id(7, 3), vec![0]),
            (id(8, 3), vec![0, 2]),
            (id(0, 9), vec![0, 2, 3]),
        ];
        assert_eq!(seen, wanted);
    }

    #[test]
    fn ranges_are_all_ids_each_once() {
        for traces in [
            0,
            1,
            TRACES_AT_ONCE,
            TRACES_AT_ONCE + 1,
            13 * TRACES_AT_ONCE,
        ] {
            let ranges: Vec<_> = id_ranges(traces).collect();
            assert_eq!(ranges.len() as u64, traces.div_ceil(TRACES_AT_ONCE).max(1));
            assert_eq!(*ranges[0].start(), 0);
            assert_eq!(*ranges.last().unwrap().end(), u64::MAX);
            for pair in ranges.windows(2) {
                assert_eq!(pair[0].end() + 1, *pair[1].start());
            }
        }
    }

    #[test]
    fn a_table_gives_what_lies_in_a_range() {
        let runs = [id(0, 9), id(0, u64::MAX), id(0, 0), id(3, 9), id(0, 4)].map(|id| (id, 1));
        let table = TraceTable::of_runs(&runs);
        let lows = |range| {
            let entries = table.with_low_ids(&range).into_iter();
            entries
                .map(|entry| entry.trace_id.low())
                .collect::<Vec<_>>()
        };
        assert_eq!(lows(0..=u64::MAX), [0, 4, 9, 9, u64::MAX]);
        assert_eq!(lows(4..=9), [4, 9, 9]);
        assert_eq!(lows(5..=8), [0u64; 0]);
        assert_eq!(lows(10..=u64::MAX), [u64::MAX]);
    }
}
