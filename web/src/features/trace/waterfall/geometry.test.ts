// Heights and entries: one the inverse of the other, with and without a gap, for a million rows too.

import { expect, it } from 'vitest';
import { clampScroll, type Geometry, indexAt, isInGap, scrollTo, topOf, totalHeight } from './geometry.ts';

const GEOMETRIES: readonly Geometry[] = [
  { count: 0, rowHeight: 24, gap: null },
  { count: 1_000_000, rowHeight: 24, gap: null },
  { count: 1_000_000, rowHeight: 20, gap: { after: 500_000, height: 333 } },
  { count: 5, rowHeight: 42, gap: { after: 4, height: 200 } },
];

it('finds the entry at every height', () => {
  for (const g of GEOMETRIES) {
    const places = [0, 1, 2, 499_999, 500_000, 500_001, 999_999].filter((index) => index < g.count);
    for (const index of places) {
      const top = topOf(g, index);
      expect(indexAt(g, top)).toBe(index);
      expect(indexAt(g, top + g.rowHeight - 1)).toBe(index);
      expect(isInGap(g, top)).toBe(false);
    }
    if (g.gap !== null) {
      const inside = topOf(g, g.gap.after) + g.rowHeight + 5;
      expect(isInGap(g, inside)).toBe(true);
      expect(indexAt(g, inside)).toBe(g.gap.after);
    }
    expect(totalHeight(g)).toBe(g.count * g.rowHeight + (g.gap?.height ?? 0));
  }
});

it('scrolls no further than the ends, and only as far as needed', () => {
  const g = { count: 100, rowHeight: 24, gap: null };
  expect(clampScroll(g, -5, 240)).toBe(0);
  expect(clampScroll(g, 1e9, 240)).toBe(2_400 - 240);
  expect(clampScroll(g, 50, 9_999)).toBe(0);
  expect(scrollTo(g, 5, 0, 240)).toBe(0);
  // The next one below the edge: as little as possible. Far away: into the middle.
  expect(scrollTo(g, 10, 0, 240)).toBe(24);
  expect(scrollTo(g, 3, 96, 240)).toBe(72);
  expect(scrollTo(g, 60, 0, 240)).toBe(60 * 24 - 120 + 12);
  expect(scrollTo(g, 99, 0, 240)).toBe(2_160);
});
