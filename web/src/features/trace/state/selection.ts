// From the address to a selection and back: which span, what has to open for it to be seen, who is next to it.

import type { RowIndex, TraceColumns } from '../../../model/columns.ts';
import type { RowList } from '../../../model/rows.ts';
import { ancestorsOf, groupMembers, hasChildren, isWithin, spanIdOf } from '../../../model/tree.ts';
import type { Collapse, TraceState } from '../../../url/index.ts';
import { withClosed, withRunOpened } from './collapse.ts';
import type { Selection } from './page.tsx';

/** The changes of the state that make a row, or the run that it heads, be seen, as far as filters let it. */
export function revealing(
  columns: TraceColumns,
  rows: RowList,
  state: TraceState,
  row: RowIndex,
  isGroup = false,
): Partial<TraceState> {
  let collapse: Collapse = state.collapse;
  const above = ancestorsOf(columns, row);
  const closed = above.filter((at) => rows.collapsed.has(at) && hasChildren(columns, at));
  if (closed.length > 0) collapse = withClosed(columns, collapse, closed, false);
  if (state.fold) {
    for (const at of isGroup ? above : [row, ...above]) {
      const head = groupMembers(columns, at)[0];
      if (head === undefined || rows.opened.has(head)) continue;
      collapse = withRunOpened(collapse, spanIdOf(columns, head), true);
    }
  }
  const isInFocus = rows.focus < 0 || isWithin(columns, row, rows.focus);
  return {
    ...(collapse !== state.collapse && { collapse }),
    ...(!isInFocus && { focus: null }),
  };
}

/** Where the selection is in the list: the run, the row, or what hides it; -1: nowhere. */
export function indexOfSelection(rows: RowList, row: RowIndex, isGroup: boolean): number {
  if (row < 0) return -1;
  if (isGroup) {
    const group = rows.indexOfGroup(row);
    if (group >= 0) return group;
  }
  return rows.nearestIndex(row);
}

/** Whether an entry is the selection itself, not what hides it. */
export function isEntryOf(rows: RowList, index: number, { row, isGroup }: Selection): boolean {
  return index >= 0 && index < rows.length && rows.rowAt(index) === row && rows.isGroupAt(index) === isGroup;
}
