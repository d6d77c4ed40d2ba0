// The tree that `depth` and `subtree` describe: rows are in pre-order, so no pointer is kept.
//
// Parents are found by walking back, siblings by skipping subtrees; both are for keys and clicks (a walk over a
// million rows takes about a millisecond), not for loops over all rows. Every answer is a row or -1. While a trace
// still arrives, `subtree` may reach past the last row; nothing here does.

import { FLAG, type RowIndex, type TraceColumns } from './columns.ts';

export type Tree = Pick<TraceColumns, 'count' | 'depth' | 'subtree'>;

/** One past the last row of the row's subtree. */
export function subtreeEnd(tree: Tree, row: RowIndex): RowIndex {
  return Math.min(tree.count, row + Math.max(1, tree.subtree[row] as number));
}

export function hasChildren(tree: Tree, row: RowIndex): boolean {
  return subtreeEnd(tree, row) > row + 1;
}

export function parentOf(tree: Tree, row: RowIndex): RowIndex {
  const depth = tree.depth[row] as number;
  if (depth === 0) return -1;
  for (let i = row - 1; i >= 0; i--) {
    if ((tree.depth[i] as number) < depth) return i;
  }
  return -1;
}

/** From the row's parent up to its root. */
export function ancestorsOf(tree: Tree, row: RowIndex): RowIndex[] {
  const above: RowIndex[] = [];
  let depth = tree.depth[row] as number;
  for (let i = row - 1; i >= 0 && depth > 0; i--) {
    if ((tree.depth[i] as number) < depth) {
      above.push(i);
      depth = tree.depth[i] as number;
    }
  }
  return above;
}

export function nextSibling(tree: Tree, row: RowIndex): RowIndex {
  const next = subtreeEnd(tree, row);
  return next < tree.count && tree.depth[next] === tree.depth[row] ? next : -1;
}

export function previousSibling(tree: Tree, row: RowIndex): RowIndex {
  const depth = tree.depth[row] as number;
  for (let i = row - 1; i >= 0; i--) {
    const at = tree.depth[i] as number;
    if (at === depth) return i;
    if (at < depth) return -1;
  }
  return -1;
}

export function isWithin(tree: Tree, row: RowIndex, ancestor: RowIndex): boolean {
  return row >= ancestor && row < subtreeEnd(tree, ancestor);
}

export function maxDepth(tree: Tree): number {
  let deepest = 0;
  for (let i = 0; i < tree.count; i++) {
    const depth = tree.depth[i] as number;
    if (depth > deepest) deepest = depth;
  }
  return deepest;
}

/** The latest end in the row's subtree: past the row's own end where work outlives it. */
export function latestEnd(columns: TraceColumns, row: RowIndex): number {
  let latest = 0;
  for (let i = row, end = subtreeEnd(columns, row); i < end; i++) {
    const at = (columns.start[i] as number) + (columns.dur[i] as number);
    if (at > latest) latest = at;
  }
  return latest;
}

/** The members of the row's run of like siblings, all of them, in order; empty where it has none. */
export function groupMembers(columns: TraceColumns, row: RowIndex): RowIndex[] {
  const group = columns.group[row] as number;
  if (group === 0) return [];
  let head = row;
  while (head >= 0 && ((columns.flags[head] as number) & FLAG.groupHead) === 0) head = previousSibling(columns, head);
  const members: RowIndex[] = [];
  for (let i = head; i >= 0 && columns.group[i] === group; i = nextSibling(columns, i)) members.push(i);
  return members;
}

/** The row of a span by its id (16 hex digits), or -1. */
export function rowOfSpan(columns: TraceColumns, spanId: string): RowIndex {
  if (!/^[0-9a-f]{16}$/i.test(spanId)) return -1;
  const wanted = Uint8Array.from({ length: 8 }, (_, i) => Number.parseInt(spanId.slice(2 * i, 2 * i + 2), 16));
  const ids = columns.spanId;
  const first = wanted[0] as number;
  for (let i = 0, at = 0; i < columns.count; i++, at += 8) {
    if (ids[at] !== first) continue;
    let k = 1;
    while (k < 8 && ids[at + k] === wanted[k]) k++;
    if (k === 8) return i;
  }
  return -1;
}

export function spanIdOf(columns: TraceColumns, row: RowIndex): string {
  let hex = '';
  for (let i = row * 8; i < row * 8 + 8; i++) hex += (columns.spanId[i] as number).toString(16).padStart(2, '0');
  return hex;
}
