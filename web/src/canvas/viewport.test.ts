import { describe, expect, it } from 'vitest';
import { random } from '../../perf/generate.ts';
import { clamp, fitAll, fitTo, nsToPx, panBy, pxToNs, reveal, ticks, WINDOW_NS_MIN, zoomAt } from './viewport.ts';

const TEN_HOURS = { durationNs: 36_000e9 };

describe('viewport', () => {
  it('tells one nanosecond from the next within ten hours', () => {
    const view = { from: 35_999e9, to: 35_999e9 + 1_000, width: 1_000 };
    for (const k of [0, 1, 2, 499, 999]) {
      expect(nsToPx(view, 35_999e9 + k)).toBe(k);
      expect(pxToNs(view, k)).toBe(35_999e9 + k);
    }
  });

  it('keeps the time under the pointer where it is while zooming', () => {
    let view = fitAll(TEN_HOURS, 1_600);
    const at = pxToNs(view, 400);
    for (let i = 0; i < 60; i++) view = zoomAt(view, TEN_HOURS, 400, 0.7);
    expect(Math.abs(pxToNs(view, 400) - at)).toBeLessThan(1);
    expect(view.to - view.from).toBeCloseTo(36_000e9 * 0.7 ** 60, 0);
    for (let i = 0; i < 120; i++) view = zoomAt(view, TEN_HOURS, 400, 1.5);
    expect(view).toEqual(fitAll(TEN_HOURS, 1_600));
  });

  it('never leaves the trace, whatever is done to it', () => {
    const next = random(3);
    let view = fitAll(TEN_HOURS, 1_000);
    for (let i = 0; i < 2_000; i++) {
      const what = next();
      if (what < 0.4) view = zoomAt(view, TEN_HOURS, next() * 1_000, 0.2 + 2 * next());
      else if (what < 0.7) view = panBy(view, TEN_HOURS, (next() - 0.5) * 5_000);
      else if (what < 0.8) view = fitTo(view, TEN_HOURS, next() * 36_000e9, next() * 36_000e9);
      else view = reveal(view, TEN_HOURS, next() * 36_000e9, next() * 36_000e9);
      expect(view.from).toBeGreaterThanOrEqual(0);
      expect(view.to).toBeLessThanOrEqual(36_000e9);
      expect(view.to - view.from).toBeGreaterThanOrEqual(WINDOW_NS_MIN * 0.99);
    }
  });

  it('survives numbers that are none, and traces without length', () => {
    expect(clamp({ from: Number.NaN, to: Number.POSITIVE_INFINITY, width: 10 }, TEN_HOURS)).toEqual({
      from: 0,
      to: 36_000e9,
      width: 10,
    });
    expect(fitAll({ durationNs: 0 }, 10)).toEqual({ from: 0, to: WINDOW_NS_MIN, width: 10 });
    expect(clamp({ from: 5, to: 5, width: 10 }, { durationNs: 0 })).toEqual({ from: 0, to: WINDOW_NS_MIN, width: 10 });
  });

  it('puts marks at round times', () => {
    expect(ticks({ from: 0, to: 2.14e9, width: 600 }, 100).map((tick) => tick.at)).toEqual([0, 0.5e9, 1e9, 1.5e9, 2e9]);
    expect(ticks({ from: 0, to: 36_000e9, width: 600 }, 100).map((tick) => tick.at / 3_600e9)).toEqual([
      0, 2, 4, 6, 8, 10,
    ]);
    expect(ticks({ from: 7, to: 17, width: 1_000 }, 100).map((tick) => tick.at)).toEqual([
      7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
    ]);
  });
});
