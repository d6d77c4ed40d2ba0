// Which rows are closed: by depth, by exception, one level at a time; and that links hold it.

import { describe, expect, it } from 'vitest';
import { generateTrace } from '../../../../perf/generate.ts';
import { RowList } from '../../../model/rows.ts';
import { hasChildren, rowOfSpan, spanIdOf } from '../../../model/tree.ts';
import { parseUrl, printUrl } from '../../../url/index.ts';
import {
  ALL_OPEN,
  oneLevelLess,
  oneLevelMore,
  withClosed,
  withRunOpened,
  withSubtree,
  writeClosed,
} from './collapse.ts';

const columns = generateTrace(3_000);
const rowOf = (id: string) => rowOfSpan(columns, id);

function shown(collapse: typeof ALL_OPEN): number[] {
  const rows = new RowList(columns);
  writeClosed(columns, collapse, rowOf, rows.collapsed);
  rows.setFolding(false);
  return Array.from({ length: rows.length }, (_, i) => rows.rowAt(i));
}
const parents = Array.from({ length: columns.count }, (_, i) => i).filter((row) => hasChildren(columns, row));

describe('closed rows', () => {
  it('closing and opening a row gives back what was there', () => {
    for (const start of [ALL_OPEN, { ...ALL_OPEN, depth: 3 }]) {
      for (const row of parents.slice(0, 40)) {
        const closed = withClosed(columns, start, [row], true);
        expect(shown(closed)).not.toContain(row + 1);
        const opened = withClosed(columns, closed, [row], false);
        const isOpenAbove = shown(opened).includes(row);
        if (isOpenAbove) expect(shown(opened)).toContain(row + 1);
        expect(withClosed(columns, opened, [row], true)).toEqual(closed);
      }
    }
  });

  it('a depth closes all rows from there on', () => {
    expect(shown({ ...ALL_OPEN, depth: 0 }).every((row) => columns.depth[row] === 0)).toBe(true);
    expect(shown({ ...ALL_OPEN, depth: 2 }).every((row) => (columns.depth[row] as number) <= 2)).toBe(true);
    expect(shown(ALL_OPEN)).toHaveLength(columns.count);
  });

  it('level by level down to the roots and up again', () => {
    let collapse = ALL_OPEN;
    const deepestOf = (rows: number[]) => Math.max(...rows.map((row) => columns.depth[row] as number));
    const deepest = deepestOf(shown(ALL_OPEN));
    for (let level = deepest; level > 0; level--) {
      collapse = oneLevelLess(columns, collapse, level, rowOf);
      expect(deepestOf(shown(collapse))).toBe(level - 1);
    }
    expect(oneLevelLess(columns, collapse, 0, rowOf)).toBe(collapse);
    for (let level = 0; level < deepest; level++) {
      collapse = oneLevelMore(columns, collapse, level, deepest, rowOf);
      expect(deepestOf(shown(collapse))).toBe(level + 1);
    }
    expect(collapse).toEqual(ALL_OPEN);
  });

  it('rows closed by hand above the level stay closed', () => {
    const row = parents.find((one) => columns.depth[one] === 1) ?? 0;
    const byHand = withClosed(columns, ALL_OPEN, [row], true);
    const less = oneLevelLess(columns, byHand, 10, rowOf);
    expect(less.except).toEqual([spanIdOf(columns, row)]);
    expect(shown(less)).not.toContain(row + 1);
    expect(shown(oneLevelMore(columns, byHand, 1, 30, rowOf))).toHaveLength(columns.count);
  });

  it('a subtree closes and opens as a whole, within the bounds of a link', () => {
    const row = parents.find((one) => (columns.subtree[one] as number) > 20 && one > 0) ?? 1;
    const closed = withSubtree(columns, ALL_OPEN, row, true);
    expect(shown(closed)).not.toContain(row + 1);
    expect(shown(withSubtree(columns, closed, row, false))).toHaveLength(columns.count);
    expect(closed.except.length).toBeLessThanOrEqual(2_000);
  });

  it('runs are opened and closed, and a link holds all of it', () => {
    const collapse = withRunOpened(
      withClosed(columns, { ...ALL_OPEN, depth: 4 }, parents.slice(0, 3), false),
      spanIdOf(columns, 9),
      true,
    );
    const place = parseUrl('/trace/abc').route;
    if (place.page !== 'trace') throw new Error('not a trace');
    const back = parseUrl(printUrl({ ...place, state: { ...place.state, collapse } })).route;
    expect(back.page === 'trace' && back.state.collapse).toEqual(collapse);
    expect(withRunOpened(collapse, spanIdOf(columns, 9), false).opened).toEqual([]);
  });

  it('ids that are not in the trace change nothing', () => {
    expect(shown({ depth: null, except: ['ffffffffffffffff', 'xyz'], opened: ['ffffffffffffffff'] })).toHaveLength(
      columns.count,
    );
  });
});
