// From the list of rows to what the painter of bars wants, for the rows on screen.

import type { Ns, RowIndex, TraceColumns } from '../model/columns.ts';
import type { RowList } from '../model/rows.ts';
import { latestEnd } from '../model/tree.ts';
import type { BarRow } from './bars.ts';

/** The entries `[first, first + count)`, as many as there are. */
export function barRowsOf(rows: RowList, first: number, count: number): BarRow[] {
  const bars: BarRow[] = [];
  for (let i = Math.max(0, first); i < Math.min(rows.length, first + count); i++) {
    const row = rows.rowAt(i);
    const isGroup = rows.isGroupAt(i);
    bars.push({
      row,
      members: isGroup ? rows.membersAt(i) : null,
      isClosed: !isGroup && rows.isExpandableAt(i) && !rows.isExpandedAt(i),
      isDimmed: !isGroup && !rows.passes(row),
    });
  }
  return bars;
}

const LATEST_ENDS_MAX = 10_000;

/** `latestEnd` that remembers: a closed root of a million spans is asked about in every frame. */
export function latestEnds(columns: TraceColumns): (row: RowIndex) => Ns {
  const known = new Map<RowIndex, Ns>();
  return (row) => {
    const at = known.get(row) ?? latestEnd(columns, row);
    if (known.size >= LATEST_ENDS_MAX) known.clear();
    known.set(row, at);
    return at;
  };
}
