import { describe, expect, it } from 'vitest';
import { expectGolden } from './golden.ts';
import { type HeatCell, paintHeatmap, shadeOf } from './heatmap.ts';
import { paintHistogram } from './histogram.ts';
import { PixelSurface } from './pixels.ts';
import { DARK, LIGHT } from './theme.ts';

const cell = (step: number, bucket: number, count: number, errors = 0): HeatCell => ({
  left: step / 8,
  right: (step + 1) / 8,
  bottom: bucket / 4,
  top: (bucket + 1) / 4,
  count,
  errors,
  slowest: (bucket + 0.75) / 4,
});
const cells = [cell(0, 0, 1), cell(1, 0, 900), cell(1, 1, 20, 5), cell(4, 3, 1, 1), cell(7, 1, 50)];
const size = { width: 48, height: 24, lines: [0.5] };

describe('paintHeatmap', () => {
  it('shades cells by their count and shows what failed', () => {
    const surface = new PixelSurface(48, 24);
    paintHeatmap(surface, { cells, asPoints: false, theme: LIGHT, scale: 1, ...size });
    expectGolden('heatmap', surface.pixels);
  });

  it('draws few as points at their duration, and crosses where they failed', () => {
    const surface = new PixelSurface(96, 48);
    paintHeatmap(surface, { cells, asPoints: true, theme: DARK, scale: 2, ...size });
    expectGolden('heatmap-points', surface.pixels);
  });

  it('one match is seen beside a million', () => {
    expect(shadeOf(1, 1e6)).toBeGreaterThan(0.2);
    expect(shadeOf(1e6, 1e6)).toBe(1);
    expect(shadeOf(1, 1)).toBeGreaterThan(0.5);
  });
});

describe('paintHistogram', () => {
  it('draws counts and what failed of them', () => {
    const surface = new PixelSurface(48, 16);
    const counts = [1, 0, 200, 100, 40, 7];
    paintHistogram(surface, { counts, errors: [0, 0, 1, 50, 0, 7], theme: LIGHT, width: 48, height: 16, scale: 1 });
    expectGolden('histogram', surface.pixels);
  });

  it('draws nothing where there is nothing', () => {
    const surface = new PixelSurface(12, 4);
    paintHistogram(surface, { counts: [0, 0], errors: [0, 0], theme: LIGHT, width: 12, height: 4, scale: 1 });
    expect(new Set(surface.pixels.data).size).toBe(2);
  });
});
