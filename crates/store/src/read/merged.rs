//! All traces of several segments, each once, with its fragments.
//!
//! The tables of traces are in order of ids, so they are merged: memory is one place a segment, whatever they hold.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::index::{TraceEntry, TraceTable};

/// A part of a trace: which of the tables has it, and what it says.
pub(super) type Fragment = (usize, TraceEntry);

/// Gives each trace of the tables with its fragments, by table; ends early when `give` says so.
pub(super) fn each_trace<E>(
    tables: &[Arc<TraceTable>],
    mut give: impl FnMut(&[Fragment]) -> Result<(), E>,
) -> Result<(), E> {
    let mut places = vec![0; tables.len()];
    let entry_at = |table: usize, place: usize| tables.get(table).and_then(|t| t.by_id(place));
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

    fn id(high: u64, low: u64) -> TraceId {
        TraceId((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
    }

    #[test]
    fn every_trace_comes_once_with_all_its_fragments() {
        let table = |ids: &[TraceId]| {
            let runs: Vec<(TraceId, u32)> = ids.iter().map(|id| (*id, 2)).collect();
            Arc::new(TraceTable::of_runs(&runs))
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
}
