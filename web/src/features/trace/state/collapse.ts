// Which rows are closed, as a link says it: a depth, exceptions by span id, opened runs. Pure; RowList gets the result.
//
// Exceptions are bounded, as links are. Closing a large subtree closes its upper rows only, which looks the same.

import type { Bits } from '../../../model/bits.ts';
import type { RowIndex, TraceColumns } from '../../../model/columns.ts';
import { hasChildren, spanIdOf, subtreeEnd } from '../../../model/tree.ts';
import type { Collapse, SpanId } from '../../../url/index.ts';

const EXCEPTIONS_MAX = 2_000;

export const ALL_OPEN: Collapse = { depth: null, except: [], opened: [] };

export type RowOf = (spanId: SpanId) => RowIndex;

/** Writes the closed rows of a trace into `closed`. */
export function writeClosed(columns: TraceColumns, collapse: Collapse, rowOf: RowOf, closed: Bits): void {
  const { count, depth, subtree } = columns;
  const { words } = closed;
  closed.clear();
  if (collapse.depth !== null) {
    const from = collapse.depth;
    for (let i = 0; i < count; i++) {
      if ((depth[i] as number) >= from && (subtree[i] as number) > 1)
        words[i >>> 5] = (words[i >>> 5] as number) | (1 << (i & 31));
    }
  }
  for (const id of collapse.except) {
    const row = rowOf(id);
    if (row < 0 || !hasChildren(columns, row)) continue;
    if (closed.has(row)) closed.delete(row);
    else closed.add(row);
  }
}

function isClosedByDepth(columns: TraceColumns, collapse: Collapse, row: RowIndex): boolean {
  return collapse.depth !== null && (columns.depth[row] as number) >= collapse.depth;
}

/** With rows opened or closed; those that already are stay. */
export function withClosed(
  columns: TraceColumns,
  collapse: Collapse,
  rows: Iterable<RowIndex>,
  isClosed: boolean,
): Collapse {
  const except = new Set(collapse.except);
  for (const row of rows) {
    if (!hasChildren(columns, row)) continue;
    const id = spanIdOf(columns, row);
    if (isClosedByDepth(columns, collapse, row) === isClosed) except.delete(id);
    else if (except.size < EXCEPTIONS_MAX) except.add(id);
  }
  return { ...collapse, except: [...except] };
}

export function withRunOpened(collapse: Collapse, head: SpanId, isOpen: boolean): Collapse {
  const others = collapse.opened.filter((id) => id !== head);
  return { ...collapse, opened: isOpen ? [...others, head].slice(-EXCEPTIONS_MAX) : others };
}

/** The whole subtree of a row. */
export function withSubtree(columns: TraceColumns, collapse: Collapse, row: RowIndex, isClosed: boolean): Collapse {
  const end = subtreeEnd(columns, row);
  if (row === 0 && end === columns.count) {
    return isClosed ? { ...collapse, depth: 0, except: [] } : { ...collapse, depth: null, except: [] };
  }
  return withClosed(columns, collapse, range(row, end), isClosed);
}

function* range(from: number, to: number): Generator<number> {
  for (let i = from; i < to; i++) yield i;
}

/** One level less than is seen: `deepest` is the depth of the deepest row in the list. */
export function oneLevelLess(columns: TraceColumns, collapse: Collapse, deepest: number, rowOf: RowOf): Collapse {
  if (deepest <= 0) return collapse;
  const depth = deepest - 1;
  const limit = Math.min(depth, collapse.depth ?? depth);
  // Rows closed by hand above the new level stay closed.
  const except = collapse.except.filter((id) => {
    const row = rowOf(id);
    return row >= 0 && (columns.depth[row] as number) < limit;
  });
  return { ...collapse, depth, except };
}

/** One level more: `nearest` is the depth of the closed row in the list that is nearest to the root. */
export function oneLevelMore(
  columns: TraceColumns,
  collapse: Collapse,
  nearest: number,
  deepest: number,
  rowOf: RowOf,
): Collapse {
  if (!Number.isFinite(nearest)) return collapse;
  const next = collapse.depth === null ? null : Math.max(collapse.depth, nearest + 1);
  const except = collapse.except.filter((id) => {
    const row = rowOf(id);
    if (row < 0) return false;
    const depth = columns.depth[row] as number;
    return depth > nearest && (collapse.depth === null || depth < collapse.depth);
  });
  return { ...collapse, depth: next !== null && next >= deepest ? null : next, except };
}
