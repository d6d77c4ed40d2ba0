import { describe, expect, it } from 'vitest';
import { generateTrace, random } from '../../perf/generate.ts';
import { Bits } from '../model/bits.ts';
import { FLAG, type TraceColumns } from '../model/columns.ts';
import { traceOf } from '../model/forest.ts';
import { type FlameInput, rasterFlame } from './flame.ts';
import { buildFlameIndex, neighbourOnDepth, wins } from './flameIndex.ts';
import { hitFlame, ownersOfDepth } from './flameOwners.ts';
import { expectGolden } from './golden.ts';
import { rasterMinimap } from './minimap.ts';
import { DARK, LIGHT } from './theme.ts';

const shop = traceOf(`
  web GET 0..100 *
    shop order 5..70
      db SELECT 10..12
      db SELECT 12..19 !
      db SELECT 20..21
      db SELECT 22..26
      pay charge 30..50 !
    mail send 60..61
    mail deliver 75..98
    mail deliver 80..118
`);
const colours = { code: shop.service, slotOf: [0, 1, 14, 3, 4] };

/** The rule, span by span. */
function slowOwner(
  c: TraceColumns,
  window: { from: number; to: number; width: number },
  depth: number,
  x: number,
): number {
  const perNs = window.width / (window.to - window.from);
  let best = -1;
  for (let row = 0; row < c.count; row++) {
    if (c.depth[row] !== depth) continue;
    const start = c.start[row] as number;
    const x0 = Math.floor((start - window.from) * perNs);
    const x1 = Math.max(x0 + 1, Math.ceil((start + (c.dur[row] as number) - window.from) * perNs));
    if (x0 <= x && x < x1 && (best < 0 || wins(c, row, best))) best = row;
  }
  return best;
}

function input(trace: TraceColumns, change: Partial<FlameInput> = {}): FlameInput {
  return {
    columns: trace,
    index: buildFlameIndex(trace),
    window: { from: 0, to: trace.durationNs, width: 118 },
    firstDepth: 0,
    depths: 3,
    theme: LIGHT,
    colours: { code: trace.service, slotOf: colours.slotOf },
    highlight: null,
    labelPx: 10,
    ...change,
  };
}

describe('flame', () => {
  it('paints a line a depth: errors, hatches, gaps, the critical path', () => {
    const frame = rasterFlame(input(shop));
    expectGolden(
      'flame',
      frame.boxes,
      frame.labels.map((l) => `label of row ${l.row} at depth ${l.depth}: ${l.x0}..${l.x1}`),
    );
    expectGolden('flame-critical', frame.critical);
  });

  it('dims what is not highlighted and paints a piece of the trace, into the memory of the last frame', () => {
    const highlight = new Bits(shop.count);
    highlight.add(6);
    const window = { from: 8.5, to: 67, width: 60 };
    const frame = rasterFlame(input(shop, { highlight, theme: DARK, window, firstDepth: 1 }));
    expectGolden('flame-zoomed', frame.boxes);
    const again = rasterFlame(input(shop, { theme: DARK, window, firstDepth: 1 }), frame);
    expect(again.boxes).toBe(frame.boxes);
  });

  it('sees in every pixel the worst span, as a slow search does, and points at the same', () => {
    const next = random(11);
    for (const [spans, seed] of [
      [300, 1],
      [300, 2],
      [3_000, 3],
    ] as const) {
      const trace = overlapping(generateTrace(spans, seed), next);
      const index = buildFlameIndex(trace);
      for (let k = 0; k < 25; k++) {
        const from = k === 0 ? 0 : next() * trace.durationNs;
        const to = k === 0 ? trace.durationNs : from + 10 + next() ** 4 * trace.durationNs;
        const window = { from, to, width: 1 + Math.floor(next() * 97) };
        const owners = new Int32Array(window.width);
        for (let depth = 0; depth < 40; depth += 3) {
          ownersOfDepth(trace, index, window, depth, owners);
          for (let x = 0; x < window.width; x++) {
            const row = slowOwner(trace, window, depth, x);
            expect(owners[x]).toBe(row);
            expect(hitFlame(trace, index, window, x + 0.5, depth)).toBe(row);
          }
        }
      }
    }
  });

  it('looks at little of a million equal spans', () => {
    const count = 1 << 20;
    const trace = { ...emptyTrace(count), durationNs: count };
    for (let i = 0; i < count; i++) {
      trace.start[i] = i;
      trace.dur[i] = 1;
    }
    const index = buildFlameIndex(trace);
    let best = Number.POSITIVE_INFINITY;
    for (let k = 0; k < 5; k++) {
      const before = performance.now();
      ownersOfDepth(trace, index, { from: 0, to: count, width: 1_024 }, 0, new Int32Array(1_024));
      best = Math.min(best, performance.now() - before);
    }
    expect(best).toBeLessThan(20);
  });

  it('points nowhere outside of what is painted', () => {
    const index = buildFlameIndex(shop);
    const window = { from: 0, to: 118, width: 118 };
    expect([
      hitFlame(shop, index, window, -1, 0),
      hitFlame(shop, index, window, 118, 0),
      hitFlame(shop, index, window, 5, 9),
    ]).toEqual([-1, -1, -1]);
    expect(buildFlameIndex(generateTrace(0)).rows.length).toBe(0);
  });

  it('walks along a depth', () => {
    const index = buildFlameIndex(shop);
    expect([
      neighbourOnDepth(shop, index, 1, 1),
      neighbourOnDepth(shop, index, 7, 1),
      neighbourOnDepth(shop, index, 9, 1),
    ]).toEqual([7, 8, -1]);
    expect(neighbourOnDepth(shop, index, 7, -1)).toBe(1);
  });
});

describe('minimap', () => {
  it('paints the levels of the trace, errors in red, the critical path as a line', () => {
    expectGolden(
      'minimap',
      rasterMinimap({ columns: shop, index: buildFlameIndex(shop), theme: LIGHT, colours, width: 118, height: 24 }),
    );
  });

  it('lets levels share lines where there are more of them, without losing an error', () => {
    const deep = traceOf(
      Array.from({ length: 40 }, (_, i) => `${'  '.repeat(i)}a b${i} ${i}..${100 - i} ${i === 21 ? '!' : ''}`).join(
        '\n',
      ),
    );
    const pixels = rasterMinimap({
      columns: deep,
      index: buildFlameIndex(deep),
      theme: LIGHT,
      colours: { code: deep.service, slotOf: [0] },
      width: 50,
      height: 8,
    });
    expectGolden('minimap-deep', pixels);
  });
});

/** Times moved about, so that spans of a depth overlap, some without length, some out of order. */
function overlapping(trace: TraceColumns, next: () => number): TraceColumns {
  for (let i = 1; i < trace.count; i++) {
    if (next() < 0.3) trace.start[i] = Math.round((trace.start[i] as number) * (0.9 + 0.2 * next()));
    if (next() < 0.1) trace.dur[i] = 0;
    if (next() < 0.05) trace.dur[i] = (trace.dur[i] as number) * 20;
    if (next() < 0.02) trace.flags[i] = (trace.flags[i] as number) | FLAG.critical;
  }
  return trace;
}

function emptyTrace(count: number): TraceColumns {
  const one = generateTrace(1);
  return {
    ...one,
    count,
    depth: new Uint16Array(count),
    subtree: new Uint32Array(count).fill(1),
    start: new Float64Array(count),
    dur: new Float64Array(count),
    flags: new Uint16Array(count),
  };
}
