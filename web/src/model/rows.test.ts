import { describe, expect, it } from 'vitest';
import { generateTrace, random } from '../../perf/generate.ts';
import { Bits } from './bits.ts';
import { traceOf } from './forest.ts';
import { NO_FILTER, RowList } from './rows.ts';
import { ancestorsOf, hasChildren, parentOf } from './tree.ts';

const shop = traceOf(`
  web GET 0..100 *
    shop order 5..95
      db SELECT 10..12
      db SELECT 12..19
      db SELECT 20..21
      db SELECT 22..26
        disk read 23..25
      pay charge 30..80 !
    mail send 90..140
`);

function shown(rows: RowList): string[] {
  return Array.from({ length: rows.length }, (_, i) => {
    const row = rows.rowAt(i);
    const name = rows.columns.names[rows.columns.name[row] as number];
    return `${'  '.repeat(rows.levelAt(i))}${name}${rows.isGroupAt(i) ? ` ×${rows.membersAt(i).length}` : ''}`;
  });
}

describe('RowList', () => {
  it('shows every span, repeated siblings as one row', () => {
    const rows = new RowList(shop);
    expect(shown(rows)).toEqual(['GET', '  order', '    SELECT ×4', '    charge', '  send']);
    rows.setFolding(false);
    expect(rows.length).toBe(shop.count);
  });

  it('opens a run into its members, the longest first and a level deeper', () => {
    const rows = new RowList(shop);
    rows.toggleAt(2);
    expect(shown(rows).slice(2, 8)).toEqual([
      '    SELECT ×4',
      '      SELECT',
      '      SELECT',
      '        read',
      '      SELECT',
      '      SELECT',
    ]);
    expect([3, 4, 6, 7].map((i) => rows.rowAt(i))).toEqual([3, 5, 2, 4]);
    expect(rows.indexOf(5)).toBe(4);
    expect(rows.indexOf(2)).toBe(6);
    expect(rows.indexOfGroup(2)).toBe(2);
    expect(rows.parentIndex(4)).toBe(2);
    rows.toggleAt(2);
    expect(rows.length).toBe(5);
  });

  it('keeps what leads to a row that passes a filter', () => {
    const rows = new RowList(shop);
    rows.setFilter({ ...NO_FILTER, hiddenServices: new Set([0, 1, 2, 3, 5]) });
    expect(shown(rows)).toEqual(['GET', '  order', '    charge']);
    expect([rows.passes(0), rows.passes(7)]).toEqual([false, true]);
    rows.setFilter({ ...NO_FILTER, minDuration: 5 });
    expect(shown(rows)).toEqual(['GET', '  order', '    SELECT', '    charge', '  send']);
    rows.setFilter({ ...NO_FILTER, onlyCritical: true });
    expect(shown(rows)).toEqual(['GET']);
    const only = new Bits(shop.count);
    only.add(6);
    rows.setFilter({ ...NO_FILTER, only });
    expect(shown(rows)).toEqual(['GET', '  order', '    SELECT', '      read']);
    rows.setFilter(NO_FILTER);
    expect(rows.length).toBe(5);
  });

  it('shows a focused subtree as if it were the trace', () => {
    const rows = new RowList(shop);
    rows.setFocus(1);
    expect(shown(rows)).toEqual(['order', '  SELECT ×4', '  charge']);
    rows.setFocus(2);
    expect(shown(rows)).toEqual(['SELECT']);
    rows.setFocus(-1);
    expect(rows.length).toBe(5);
  });

  it('closes and opens level by level', () => {
    const rows = new RowList(shop);
    rows.setFolding(false);
    rows.collapseOneLevel();
    expect(rows.length).toBe(8);
    rows.collapseOneLevel();
    expect(shown(rows)).toEqual(['GET', '  order', '  send']);
    rows.collapseOneLevel();
    expect(shown(rows)).toEqual(['GET']);
    rows.expandOneLevel();
    expect(shown(rows)).toEqual(['GET', '  order', '  send']);
    rows.expandAll();
    expect(rows.length).toBe(9);
  });

  it('finds the entry that hides a row, and reveals it', () => {
    const rows = new RowList(shop);
    expect(rows.nearestIndex(6)).toBe(2);
    rows.collapseAll();
    expect(rows.nearestIndex(6)).toBe(0);
    rows.reveal(6);
    expect(rows.rowAt(rows.indexOf(6))).toBe(6);
    expect(rows.isExpandedAt(rows.indexOf(1))).toBe(true);
  });

  it('takes over what was collapsed when the trace has grown', () => {
    const rows = new RowList(shop);
    rows.setSubtreeExpanded(1, false);
    const grown = new RowList(
      traceOf(`
      web GET 0..100
        auth check 1..2
        shop order 5..95
          db SELECT 10..12
        mail send 90..140
    `),
    );
    grown.adopt(rows, (row) => (row === 0 ? 0 : row + 1));
    expect(shown(grown)).toEqual(['GET', '  check', '  order', '  send']);
  });
});

describe('rows of random traces', () => {
  it.each([1, 2, 3, 4, 5, 6])('agree with the slow and simple way, seed %i', (seed) => {
    const trace = generateTrace(600, seed);
    const next = random(seed);
    const rows = new RowList(trace);
    for (let step = 0; step < 60; step++) {
      const what = next();
      if (what < 0.5 && rows.length > 0) rows.toggleAt(Math.floor(next() * rows.length));
      else if (what < 0.6) rows.setSubtreeExpanded(Math.floor(next() * trace.count), next() < 0.5);
      else if (what < 0.65) rows.setFocus(next() < 0.5 ? -1 : Math.floor(next() * trace.count));
      else if (what < 0.75) rows.setFolding(next() < 0.5);
      else if (what < 0.85)
        rows.setFilter({ ...NO_FILTER, minDuration: next() < 0.5 ? 0 : trace.durationNs * next() * 0.01 });
      else if (what < 0.9) rows.expandAll();
      else if (what < 0.95) rows.collapseOneLevel();
      else rows.collapseAll();
      check(rows);
    }
  });

  it('collapsing and expanding gives back the same rows', () => {
    const trace = generateTrace(2_000, 9);
    const rows = new RowList(trace);
    const before = shown(rows);
    for (let row = 0; row < trace.count; row += 7) {
      rows.setSubtreeExpanded(row, false);
      rows.setSubtreeExpanded(row, true);
      expect(rows.length).toBe(before.length);
    }
    rows.collapseAll();
    rows.expandAll();
    expect(shown(rows)).toEqual(before);
  });
});

/** Every entry is where it says, and a span is shown exactly if nothing above it hides it. */
function check(rows: RowList): void {
  const { columns } = rows;
  const plain = new Set<number>();
  const heads = new Map<number, number>();
  for (let i = 0; i < rows.length; i++) {
    const row = rows.rowAt(i);
    if (rows.isGroupAt(i)) heads.set(row, rows.membersAt(i).length);
    else {
      expect(plain.has(row)).toBe(false);
      expect(rows.indexOf(row)).toBe(i);
      plain.add(row);
    }
    const above = rows.parentIndex(i);
    expect(above < 0 ? 0 : rows.levelAt(above) + 1).toBe(rows.levelAt(i));
  }
  const headOf = (row: number): number => {
    let at = row;
    while (columns.group[at - 1] === columns.group[row] && columns.depth[at - 1] === columns.depth[row]) at--;
    if (((columns.flags[at] as number) & 128) !== 0) return at;
    for (let k = at; k >= 0; k--)
      if (columns.group[k] === columns.group[row] && ((columns.flags[k] as number) & 128) !== 0) return k;
    return -1;
  };
  const passes = Array.from({ length: columns.count }, (_, row) => rows.passes(row));
  for (let row = columns.count - 1; row >= 0; row--) {
    const parent = parentOf(columns, row);
    if (passes[row] && parent >= 0) passes[parent] = true;
  }
  for (let row = 0; row < columns.count; row++) {
    const path = [row, ...ancestorsOf(columns, row)];
    const isInFocus = rows.focus < 0 || path.includes(rows.focus);
    const inside = rows.focus < 0 ? path : path.slice(0, path.indexOf(rows.focus) + 1);
    const isHidden = inside.some((at) => {
      if (at !== row && rows.collapsed.has(at) && hasChildren(columns, at)) return true;
      if (!rows.isFolding || (columns.group[at] as number) === 0 || at === rows.focus) return false;
      const head = headOf(at);
      return heads.has(head) && !rows.opened.has(head);
    });
    expect(plain.has(row), `row ${row}`).toBe(isInFocus && (passes[row] as boolean) && !isHidden);
  }
}
