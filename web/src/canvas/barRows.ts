// From the list of rows to what the painter of bars wants, for the rows on screen.

import type { RowList } from '../model/rows.ts';
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
