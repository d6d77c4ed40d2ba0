// Traces that nobody sends on purpose go through everything that is painted and computed of a trace.

import { describe, expect, it } from 'vitest';
import { buildTrace, type SpanInput } from '../model/build.ts';
import type { TraceColumns } from '../model/columns.ts';
import { CriticalIndex } from '../model/critical.ts';
import { diffTraces, isEmptyDiff } from '../model/diff.ts';
import { findText } from '../model/find.ts';
import { RowList } from '../model/rows.ts';
import { groupStats } from '../model/stats.ts';
import { summarize } from '../model/summary.ts';
import { latestEnd } from '../model/tree.ts';
import { barRowsOf } from './barRows.ts';
import { paintBars } from './bars.ts';
import { rasterFlame } from './flame.ts';
import { buildFlameIndex } from './flameIndex.ts';
import { hitFlame } from './flameOwners.ts';
import { rasterMinimap } from './minimap.ts';
import { PixelSurface } from './pixels.ts';
import { LIGHT, packed } from './theme.ts';
import { fitAll } from './viewport.ts';

function span(
  id: number,
  parent: number | null,
  from: number,
  durationNs: number,
  more: Partial<SpanInput> = {},
): SpanInput {
  return {
    spanId: id.toString(16).padStart(16, '0'),
    parentId: parent === null ? null : parent.toString(16).padStart(16, '0'),
    startNs: BigInt(from),
    durationNs,
    service: 'a',
    name: 'op',
    kind: 0,
    status: 0,
    isError: false,
    hasEvents: false,
    hasLinks: false,
    ...more,
  };
}

const ODD: Readonly<Record<string, SpanInput[]>> = {
  'one span': [span(1, null, 5, 10)],
  'one span without length': [span(1, null, 5, 0)],
  'nothing but spans without length at one time': Array.from({ length: 50 }, (_, i) =>
    span(i, i === 0 ? null : 0, 7, 0),
  ),
  'only orphans': [span(1, 9, 0, 5), span(2, 9, 3, 5), span(3, 8, 1, 1)],
  'several roots': [span(1, null, 0, 5), span(2, null, 3, 50), span(3, 1, 1, 1)],
  'a circle': [span(1, 2, 0, 5), span(2, 1, 3, 5)],
  'children before and after their parent': [span(1, null, 100, 10), span(2, 1, 0, 20), span(3, 1, 500, 100)],
  'negative lengths': [span(1, null, 0, -5), span(2, 1, 3, Number.NaN)],
  'ten hours and one nanosecond': [span(1, null, 0, 36_000e9), span(2, 1, 35_999e9, 1, { isError: true })],
  'no names': [span(1, null, 0, 5, { service: '', name: '' })],
  'the same id everywhere': Array.from({ length: 9 }, (_, i) => span(1, i === 0 ? null : 1, i, 3)),
  'a start far from the others': [span(1, null, 0, 10), span(2, 1, 1_700_000_000_000, 10)],
};

describe.each(Object.entries(ODD))('%s', (_, spans) => {
  const trace: TraceColumns = buildTrace('t', spans).columns;
  const colours = { code: trace.service, slotOf: [0] };
  const index = buildFlameIndex(trace);

  it('shows every span, each with something to be seen', () => {
    const rows = new RowList(trace);
    rows.setFolding(false);
    expect(rows.length).toBe(spans.length);
    const surface = new PixelSurface(200, rows.length * 12);
    paintBars(surface, {
      columns: trace,
      rows: barRowsOf(rows, 0, rows.length),
      theme: LIGHT,
      colours,
      window: fitAll(trace, 200),
      width: 200,
      height: rows.length * 12,
      rowHeight: 12,
      top: 0,
      scale: 1,
      critical: new CriticalIndex(trace.critical),
      eventsOf: null,
      latestEnd: (row) => latestEnd(trace, row),
      durationText: (ns) => `${ns}`,
    });
    const background = packed(LIGHT.background);
    for (let i = 0; i < rows.length; i++) {
      const line = surface.pixels.data.subarray((i * 12 + 5) * 200, (i * 12 + 6) * 200);
      expect(line.some((pixel) => pixel !== background)).toBe(true);
    }
    rows.collapseAll();
    rows.setFolding(true);
    expect(rows.length).toBeGreaterThan(0);
  });

  it('paints a flame and a minimap that point at spans', () => {
    const window = fitAll(trace, 64);
    const frame = rasterFlame({
      columns: trace,
      index,
      window,
      firstDepth: 0,
      depths: 3,
      theme: LIGHT,
      colours,
      highlight: null,
      labelPx: 8,
    });
    const background = packed(LIGHT.background);
    expect(frame.boxes.data.subarray(0, 64).some((pixel) => pixel !== background)).toBe(true);
    const hits = Array.from({ length: 64 }, (_, x) => hitFlame(trace, index, window, x, 0));
    expect(hits.some((row) => row >= 0)).toBe(true);
    expect(
      rasterMinimap({ columns: trace, index, theme: LIGHT, colours, width: 64, height: 16 }).data.some(
        (pixel) => pixel !== background,
      ),
    ).toBe(true);
  });

  it('is summed up, searched and compared with itself', () => {
    expect(summarize(trace).spans).toBe(spans.length);
    expect(groupStats(trace, ['service', 'name'])[0]?.count).toBe(spans.length);
    expect(findText(trace, 'op').count).toBe(spans.filter((one) => one.name === 'op').length);
    expect(isEmptyDiff(diffTraces(trace, trace))).toBe(true);
  });
});
