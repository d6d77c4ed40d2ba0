// Opens and closes entries of the list: what a key or a press does, written into the address.

import type { RowIndex } from '../../../model/columns.ts';
import { spanIdOf } from '../../../model/tree.ts';
import type { Collapse } from '../../../url/index.ts';
import { ALL_OPEN, oneLevelLess, oneLevelMore, withClosed, withRunOpened, withSubtree } from '../state/collapse.ts';
import { stateNow, update } from '../state/page.tsx';
import type { TraceSession } from '../state/session.ts';

function change(next: (collapse: Collapse) => Collapse): void {
  const state = stateNow();
  if (state !== null) update({ collapse: next(state.collapse) });
}

export function setEntryOpen(session: TraceSession, index: number, isOpen: boolean): void {
  const { rows, columns } = session;
  const row = rows.rowAt(index);
  if (rows.isGroupAt(index)) change((collapse) => withRunOpened(collapse, spanIdOf(columns, row), isOpen));
  else change((collapse) => withClosed(columns, collapse, [row], !isOpen));
}

export function toggleEntry(session: TraceSession, index: number): void {
  setEntryOpen(session, index, !session.rows.isExpandedAt(index));
}

export function setSubtreeOpen(session: TraceSession, row: RowIndex, isOpen: boolean): void {
  change((collapse) => withSubtree(session.columns, collapse, row, !isOpen));
}

export function closeAll(): void {
  change(() => ({ ...ALL_OPEN, depth: 0 }));
}

export function openAll(): void {
  change((collapse) => ({ ...ALL_OPEN, opened: collapse.opened }));
}

export function closeOneLevel(session: TraceSession): void {
  const { rows, columns } = session;
  let deepest = 0;
  for (let i = 0; i < rows.length; i++) deepest = Math.max(deepest, columns.depth[rows.rowAt(i)] as number);
  change((collapse) => oneLevelLess(columns, collapse, deepest, session.rowOf));
}

export function openOneLevel(session: TraceSession): void {
  const { rows, columns } = session;
  let nearest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < rows.length; i++) {
    const row = rows.rowAt(i);
    if (rows.collapsed.has(row)) nearest = Math.min(nearest, columns.depth[row] as number);
  }
  change((collapse) => oneLevelMore(columns, collapse, nearest, session.facts.deepest, session.rowOf));
}
