import { describe, expect, it } from 'vitest';
import { CriticalIndex } from '../model/critical.ts';
import { traceOf } from '../model/forest.ts';
import { RowList } from '../model/rows.ts';
import { latestEnd } from '../model/tree.ts';
import { barRowsOf } from './barRows.ts';
import { type BarsInput, paintBars } from './bars.ts';
import { expectGolden } from './golden.ts';
import { PixelSurface } from './pixels.ts';
import { DARK, LIGHT } from './theme.ts';

const shop = traceOf(`
  web GET 0..100 *
    shop order 5..70
      db SELECT 10..12
      db SELECT 12..19 !
      db SELECT 20..21
      db SELECT 22..26
      pay charge 30..50 !e
    mail send 60..61
      mail deliver 80..118
`);

function painted(rows: RowList, width: number, change: Partial<BarsInput> = {}): PixelSurface {
  const { columns } = rows;
  const scale = change.scale ?? 1;
  const surface = new PixelSurface(width * scale, rows.length * 12 * scale);
  paintBars(surface, {
    columns,
    rows: barRowsOf(rows, 0, rows.length),
    theme: LIGHT,
    colours: { code: columns.service, slotOf: [0, 1, 2, 13, 4] },
    window: { from: 0, to: columns.durationNs },
    width,
    height: rows.length * 12,
    rowHeight: 12,
    top: 0,
    scale,
    critical: new CriticalIndex(columns.critical),
    eventsOf: (row) => (row === 6 ? [35, 45] : []),
    latestEnd: (row) => latestEnd(columns, row),
    durationText: (ns) => `${ns}`,
    ...change,
  });
  return surface;
}

function texts(surface: PixelSurface): string[] {
  return surface.texts.map(({ text, x, y }) => `text ${text} at ${x},${y}`);
}

describe('paintBars', () => {
  it('paints bars, self time, the critical path, errors, events and a folded run', () => {
    const surface = painted(new RowList(shop), 120);
    expectGolden('bars', surface.pixels, texts(surface));
  });

  it('paints what outlives a closed row as a tail', () => {
    const rows = new RowList(shop);
    rows.collapseAll();
    rows.expandOneLevel();
    const surface = painted(rows, 120, { theme: DARK });
    expectGolden('bars-closed', surface.pixels, texts(surface));
  });

  it('paints a piece of the trace at two device pixels a pixel', () => {
    const rows = new RowList(shop);
    rows.setFolding(false);
    const surface = painted(rows, 60, { scale: 2, window: { from: 10, to: 40 } });
    expectGolden('bars-zoomed', surface.pixels, texts(surface));
  });

  it('puts the duration beside the bar, left of it at the end, and inside where there is no room', () => {
    const rows = new RowList(
      traceOf(`
      a whole 0..100
      a early 0..10
      a late 90..100
    `),
    );
    const surface = painted(rows, 100);
    const sides = surface.texts.map(({ x }) => (x < 76 ? 'in front or behind' : 'inside, at the end'));
    expect(sides).toEqual(['inside, at the end', 'in front or behind', 'in front or behind']);
    for (const { text, x } of surface.texts) expect(x + text.length * 6.4).toBeLessThanOrEqual(100);
  });

  it('is not slower for a row with very many children', () => {
    const lines = Array.from({ length: 50_000 }, (_, i) => `  a child${i % 7} ${i}..${i + 1}`);
    const rows = new RowList(traceOf(`a root 0..50000\n${lines.join('\n')}`));
    rows.collapseAll();
    const before = performance.now();
    painted(rows, 1_000, { latestEnd: () => 0 });
    expect(performance.now() - before).toBeLessThan(200);
  });
});
