import { describe, expect, it } from 'vitest';
import { boxOfRow, cut, paintFrame } from './flameText.ts';
import { expectGolden } from './golden.ts';
import {
  bucketAt,
  bucketY,
  cellAtOrBelow,
  type HeatGrid,
  rectOf,
  selectionBetween,
  stepAt,
  stepX,
  within,
} from './grid.ts';
import { hitPoint, paintSelection, rasterHeatmap, rasterPoints, shadeOf } from './heatmap.ts';
import { countsOfSteps, rasterHistogram, stepsBetween } from './histogram.ts';
import { PixelSurface } from './pixels.ts';
import { DARK, LIGHT } from './theme.ts';

const grid: HeatGrid = {
  steps: 6,
  buckets: 4,
  step: [0, 0, 1, 2, 2, 3, 5],
  bucket: [0, 1, 0, 0, 3, 2, 1],
  count: [1_000, 40, 500, 3, 1, 10, 100],
  errors: [0, 0, 5, 3, 0, 5, 0],
};
const size = { width: 45, height: 18 };

describe('the heatmap', () => {
  it('shades cells by the logarithm of their count, with errors at their feet', () => {
    expectGolden('heatmap', rasterHeatmap(grid, size, LIGHT));
  });

  it('frames a selection of whole cells and knows what is in it', () => {
    const surface = new PixelSurface(size.width, size.height);
    const selection = selectionBetween(grid, size, { x: 30, y: 17 }, { x: 10, y: 5 });
    expect(selection).toEqual({ fromStep: 1, toStep: 5, fromBucket: 0, toBucket: 3 });
    paintSelection(surface, grid, size, selection, LIGHT);
    expectGolden('heatmap-selection', surface.pixels);
    expect(within(grid, selection)).toEqual({ cells: [2, 3, 5], count: 513, errors: 13 });
  });

  it('maps every pixel to the cell that is painted there', () => {
    for (let steps = 1; steps < 70; steps += 3) {
      for (let x = 0; x < size.width; x++) {
        const step = stepAt(steps, size.width, x);
        expect(stepX(steps, size.width, step)).toBeLessThanOrEqual(x);
        if (steps <= size.width) expect(stepX(steps, size.width, step + 1)).toBeGreaterThan(x);
      }
    }
    for (let y = 0; y < size.height; y++) {
      const bucket = bucketAt(grid.buckets, size.height, y);
      const { y: top, height } = rectOf(grid, size, {
        fromStep: 0,
        toStep: 1,
        fromBucket: bucket,
        toBucket: bucket + 1,
      });
      expect(y).toBeGreaterThanOrEqual(top);
      expect(y).toBeLessThan(top + height);
    }
    expect([bucketY(4, 18, 0), bucketY(4, 18, 4)]).toEqual([18, 0]);
  });

  it('opens the cell under the pointer, or what is below it', () => {
    expect(cellAtOrBelow(grid, size, 2, 0)).toBe(1);
    expect(cellAtOrBelow(grid, size, 17, 1)).toBe(4);
    expect(cellAtOrBelow(grid, size, 17, 8)).toBe(3);
    expect(cellAtOrBelow(grid, size, 34, 8)).toBe(-1);
  });

  it('paints few matches as points, errors on top', () => {
    const points = [
      { x: 0, y: 0, isError: false },
      { x: 0.5, y: 0.5, isError: true },
      { x: 0.52, y: 0.5, isError: false },
      { x: 1, y: 1, isError: false },
    ];
    expectGolden('points', rasterPoints(points, size, DARK));
    expect([
      hitPoint(points, size, 21, 8, 5),
      hitPoint(points, size, 43, 1, 5),
      hitPoint(points, size, 10, 9, 5),
    ]).toEqual([1, 3, -1]);
  });

  it('gives the only count the strongest shade', () => {
    expect([shadeOf(1, 1), shadeOf(1, 1_000), shadeOf(1_000, 1_000), shadeOf(0, 5)]).toEqual([7, 0, 7, 0]);
  });
});

describe('the histogram', () => {
  it('paints counts over time with errors at the foot', () => {
    expectGolden('histogram', rasterHistogram(countsOfSteps(grid), size, LIGHT));
    expect(stepsBetween(6, 45, 44, 3)).toEqual({ from: 0, to: 6 });
  });

  it('has an answer for nothing', () => {
    const none = { steps: 0, buckets: 0, step: [], bucket: [], count: [], errors: [] };
    expect(new Set(rasterHistogram(countsOfSteps(none), size, LIGHT).data).size).toBe(1);
    expect(new Set(rasterHeatmap(none, size, LIGHT).data).size).toBe(1);
  });
});

describe('what is drawn over the flame view', () => {
  it('cuts texts to their room', () => {
    expect([cut('SELECT items', 100, 11), cut('SELECT items', 45, 11), cut('SELECT items', 12, 11)]).toEqual([
      'SELECT items',
      'SELECT…',
      '',
    ]);
  });

  it('frames a row where the raster has it', () => {
    const columns = { depth: [2], start: [100], dur: [0] };
    expect(boxOfRow(columns, { from: 0, to: 200, width: 50 }, 0, 1, 10)).toEqual({
      x: 25,
      y: 10,
      width: 1,
      height: 10,
    });
    expect(boxOfRow(columns, { from: 150, to: 200, width: 50 }, 0, 1, 10)).toBeNull();
    const surface = new PixelSurface(16, 8);
    paintFrame(surface, LIGHT, { x: 1, y: 1, width: 14, height: 6 }, 'selected');
    expectGolden('frame', surface.pixels);
  });
});
