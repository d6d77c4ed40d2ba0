//! All traces of several segments, those that may have parts in common side by side.
//!
//! The tables of traces are in order of the hashes of their ids, so they are merged, range of hashes by range of
//! hashes: so much is in memory at once as ranges hold, whatever is stored.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::RangeInclusive;

use crate::index::TraceEntry;

/// About so many traces are looked at together.
const TRACES_AT_ONCE: u64 = 1 << 20;

/// The traces of a segment in order of the hashes of their ids.
pub(super) type HashedTable = Vec<(u32, TraceEntry)>;

/// A part of a trace: which of the tables has it, and what it says.
pub(super) type Fragment = (usize, TraceEntry);

/// Ranges of hashes that together are all of them, and hold about as many traces as can be looked at together, when
/// there are so many in all.
pub(super) fn hash_ranges(traces: u64) -> impl Iterator<Item = RangeInclusive<u32>> {
    let all = u64::from(u32::MAX) + 1;
    let count = traces.div_ceil(TRACES_AT_ONCE).clamp(1, all);
    let bound = move |at: u64| at * all / count;
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    (0..count).map(move |at| number(bound(at))..=number(bound(at + 1) - 1))
}

/// Gives each hash of the tables with all fragments that have it, by table; ends early when `give` says so. Traces of
/// one hash are mostly, but not always, the same.
pub(super) fn each_hash<E>(
    tables: &[HashedTable],
    mut give: impl FnMut(u32, &[Fragment]) -> Result<(), E>,
) -> Result<(), E> {
    let mut places = vec![0; tables.len()];
    let hash_at = |table: usize, place: usize| Some(tables.get(table)?.get(place)?.0);
    let mut next: BinaryHeap<Reverse<(u32, usize)>> = (0..tables.len())
        .filter_map(|table| Some(Reverse((hash_at(table, 0)?, table))))
        .collect();
    let mut fragments: Vec<Fragment> = Vec::new();
    while let Some(Reverse((hash, _))) = next.peek().copied() {
        fragments.clear();
        while let Some(Reverse((_, table))) = next.peek().copied().filter(|n| n.0.0 == hash) {
            next.pop();
            let (Some(place), Some(entries)) = (places.get_mut(table), tables.get(table)) else {
                continue;
            };
            let rest = entries.get(*place..).unwrap_or_default();
            let same = rest.iter().take_while(|(other, _)| *other == hash);
            let before = fragments.len();
            fragments.extend(same.map(|(_, entry)| (table, *entry)));
            *place += fragments.len() - before;
            next.extend(hash_at(table, *place).map(|hash| Reverse((hash, table))));
        }
        give(hash, &fragments)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use model::TraceId;

    use super::*;
    use crate::index::{TraceTable, trace_hash};

    fn id(number: u128) -> TraceId {
        TraceId(number.to_be_bytes())
    }

    #[test]
    fn every_hash_comes_once_with_all_its_fragments() {
        let table = |ids: &[TraceId]| -> HashedTable {
            let runs: Vec<(TraceId, u32)> = ids.iter().map(|id| (*id, 2)).collect();
            TraceTable::of_runs(&runs)
                .in_hash_order(&(0..=u32::MAX))
                .collect()
        };
        let tables = [
            table(&[id(9), id(3), id(4)]),
            table(&[]),
            // The same trace twice in a table: no segment has that, but two traces of one hash look like it.
            table(&[id(3), id(1), id(9), id(9)]),
            table(&[id(9), id(6)]),
        ];
        let mut seen = Vec::new();
        let Ok(()) = each_hash(&tables, |hash, fragments| {
            let tables: Vec<usize> = fragments.iter().map(|(table, _)| *table).collect();
            seen.push((hash, tables));
            Ok::<(), Infallible>(())
        });
        let mut wanted = vec![
            (trace_hash(id(1)), vec![2]),
            (trace_hash(id(3)), vec![0, 2]),
            (trace_hash(id(4)), vec![0]),
            (trace_hash(id(6)), vec![3]),
            (trace_hash(id(9)), vec![0, 2, 2, 3]),
        ];
        wanted.sort_unstable();
        assert_eq!(seen, wanted);
    }

    #[test]
    fn ranges_are_all_hashes_each_once() {
        let counts = [
            0,
            1,
            TRACES_AT_ONCE,
            TRACES_AT_ONCE + 1,
            13 * TRACES_AT_ONCE,
        ];
        for traces in counts {
            let ranges: Vec<_> = hash_ranges(traces).collect();
            assert_eq!(ranges.len() as u64, traces.div_ceil(TRACES_AT_ONCE).max(1));
            assert_eq!(*ranges[0].start(), 0);
            assert_eq!(*ranges.last().unwrap().end(), u32::MAX);
            for pair in ranges.windows(2) {
                assert_eq!(pair[0].end() + 1, *pair[1].start());
            }
        }
    }
}
