// The spans of each depth by their start, with summaries of blocks: what the flame view and the minimap are painted
// from, and what finds the span under the pointer.
//
// Spans of a depth may overlap (work that runs at the same time), so a block of 8, 64, 512… neighbours knows its latest
// end, which skips what lies left of the window, and its worst span, which stands for the block where all of it falls
// into one pixel. 5.7 bytes a span. Built once a trace, in the worker.

import { FLAG, type RowIndex, type TraceColumns } from '../model/columns.ts';
import { sortByKey } from '../model/sortByKey.ts';
import { maxDepth } from '../model/tree.ts';

export interface FlameIndex {
  /** Where each depth begins in `rows`; one more at the end. */
  readonly offsets: Uint32Array;
  readonly rows: Uint32Array;
  /** Blocks of 8, then of 64, … positions in `rows`. */
  readonly levels: readonly FlameLevel[];
}
export interface FlameLevel {
  readonly worst: Uint32Array;
  readonly latestEnd: Float64Array;
}

export type FlameColumns = Pick<TraceColumns, 'count' | 'depth' | 'start' | 'dur' | 'flags'>;

/** How bad: an error, on the critical path, anything else. */
export function severity(columns: FlameColumns, row: RowIndex): number {
  const flags = columns.flags[row] as number;
  return (flags & FLAG.error) !== 0 ? 2 : (flags & FLAG.critical) !== 0 ? 1 : 0;
}

/** Whether `a` is painted where only one of both can be: the worse, the longer, the earlier. */
export function wins(columns: FlameColumns, a: RowIndex, b: RowIndex): boolean {
  const worse = severity(columns, a) - severity(columns, b);
  if (worse !== 0) return worse > 0;
  const longer = (columns.dur[a] as number) - (columns.dur[b] as number);
  return longer !== 0 ? longer > 0 : a < b;
}

export function buildFlameIndex(columns: FlameColumns & Pick<TraceColumns, 'subtree'>): FlameIndex {
  const { count, depth, start, dur } = columns;
  const depths = count > 0 ? maxDepth(columns) + 1 : 0;
  const offsets = new Uint32Array(depths + 1);
  for (let i = 0; i < count; i++) offsets[(depth[i] as number) + 1] = (offsets[(depth[i] as number) + 1] as number) + 1;
  for (let d = 0; d < depths; d++) offsets[d + 1] = (offsets[d + 1] as number) + (offsets[d] as number);
  const fill = offsets.slice();
  const rows = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const d = depth[i] as number;
    const at = fill[d] as number;
    rows[at] = i;
    fill[d] = at + 1;
  }
  const spare = new Uint32Array(count);
  for (let d = 0; d < depths; d++) sortByKey(rows, start, offsets[d] as number, offsets[d + 1] as number, spare);

  const levels: FlameLevel[] = [];
  for (let size = count; size > 8 || levels.length === 0; size = Math.ceil(size / 8)) {
    const below = levels.at(-1);
    const blocks = Math.ceil(size / 8);
    const level = { worst: new Uint32Array(blocks), latestEnd: new Float64Array(blocks) };
    for (let b = 0; b < blocks; b++) {
      let worst = (below === undefined ? rows[b * 8] : below.worst[b * 8]) as number;
      let latest = Number.NEGATIVE_INFINITY;
      for (let k = b * 8, end = Math.min(size, b * 8 + 8); k < end; k++) {
        const row = (below === undefined ? rows[k] : below.worst[k]) as number;
        const to = below === undefined ? (start[row] as number) + (dur[row] as number) : (below.latestEnd[k] as number);
        if (wins(columns, row, worst)) worst = row;
        if (to > latest) latest = to;
      }
      level.worst[b] = worst;
      level.latestEnd[b] = latest;
    }
    levels.push(level);
  }
  return { offsets, rows, levels };
}

/** The first position in `[low, high)` whose span starts at or after `at`. */
export function positionAt(columns: FlameColumns, index: FlameIndex, low: number, high: number, at: number): number {
  let a = low;
  let b = high;
  while (a < b) {
    const mid = (a + b) >>> 1;
    if ((columns.start[index.rows[mid] as number] as number) < at) a = mid + 1;
    else b = mid;
  }
  return a;
}

/** Calls for each span in `[low, high)` that ends after `at`. */
export function forEachEndingAfter(
  columns: FlameColumns,
  index: FlameIndex,
  low: number,
  high: number,
  isAfter: (end: number) => boolean,
  visit: (row: RowIndex) => void,
): void {
  let position = low;
  while (position < high) {
    const skipped = blockWhere(index, position, high, (level, block) => !isAfter(level.latestEnd[block] as number));
    if (skipped > 0) {
      position += skipped;
      continue;
    }
    const row = index.rows[position++] as number;
    if (isAfter((columns.start[row] as number) + (columns.dur[row] as number))) visit(row);
  }
}

/**
 * How many positions the largest block has that begins here, ends by `high` and is as asked; 0: none is. A block is
 * asked about when those it is made of were as asked.
 */
export function blockWhere(
  index: FlameIndex,
  position: number,
  high: number,
  isSo: (level: FlameLevel, block: number, last: number) => boolean,
): number {
  let found = 0;
  for (let l = 0, size = 8; l < index.levels.length; l++, size *= 8) {
    if (position % size !== 0 || position + size > high) break;
    if (!isSo(index.levels[l] as FlameLevel, position / size, position + size - 1)) break;
    found = size;
  }
  return found;
}

/** The span that comes before (-1) or after (1) a row on its depth, or -1. */
export function neighbourOnDepth(columns: FlameColumns, index: FlameIndex, row: RowIndex, direction: -1 | 1): RowIndex {
  const depth = columns.depth[row] as number;
  const low = index.offsets[depth] ?? 0;
  const high = index.offsets[depth + 1] ?? 0;
  let at = positionAt(columns, index, low, high, columns.start[row] as number);
  while (at < high && index.rows[at] !== row) at++;
  const next = at + direction;
  return at < high && next >= low && next < high ? (index.rows[next] as number) : -1;
}
