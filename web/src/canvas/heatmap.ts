// The heatmap of durations over time, and the points that stand for it where there are few.
//
// A cell's shade is the logarithm of its count: one trace is seen beside ten thousand. Errors are a red foot of the
// cell, as high as their share. A share that is less than a pixel is not drawn: a pixel would say many times as much,
// and the histogram shows each. Shade means count and nothing else.

import { bucketY, type GridSelection, type HeatGrid, rectOf, type Size, stepX } from './grid.ts';
import { Pixels } from './pixels.ts';
import type { Surface } from './surface.ts';
import { mix, packed, type Theme } from './theme.ts';

export const SHADES = 8;
const SHADE_LEAST = 0.18;

export function rasterHeatmap(grid: HeatGrid, size: Size, theme: Theme): Pixels {
  const pixels = new Pixels(size.width, size.height);
  pixels.data.fill(packed(theme.background));
  const shades = Array.from({ length: SHADES }, (_, i) =>
    packed(mix(theme.background, theme.accent, SHADE_LEAST + ((1 - SHADE_LEAST) * i) / (SHADES - 1))),
  );
  const error = packed(theme.error);
  let most = 1;
  for (let i = 0; i < grid.count.length; i++) most = Math.max(most, grid.count[i] as number);
  for (let i = 0; i < grid.step.length; i++) {
    const step = grid.step[i] as number;
    const bucket = grid.bucket[i] as number;
    const count = grid.count[i] as number;
    const x = stepX(grid.steps, size.width, step);
    const y = bucketY(grid.buckets, size.height, bucket + 1);
    const width = Math.max(1, stepX(grid.steps, size.width, step + 1) - x);
    const height = Math.max(1, bucketY(grid.buckets, size.height, bucket) - y);
    pixels.fill(x, y, width, height, shades[shadeOf(count, most)] as number);
    const share = (grid.errors[i] as number) / Math.max(1, count);
    const foot = Math.min(height, Math.floor(share * height));
    if (foot > 0) {
      pixels.fill(x, y + height - foot, width, foot, error);
    }
  }
  return pixels;
}

/** From 0 to `SHADES - 1`: for the legend too. */
export function shadeOf(count: number, most: number): number {
  if (most <= 1) return SHADES - 1;
  return Math.max(0, Math.min(SHADES - 1, Math.round((Math.log(Math.max(1, count)) / Math.log(most)) * (SHADES - 1))));
}

/** The frame of a selection, over what is there. */
export function paintSelection(
  surface: Surface,
  grid: HeatGrid,
  size: Size,
  selection: GridSelection,
  theme: Theme,
): void {
  const { x, y, width, height } = rectOf(grid, size, selection);
  surface.fillStyle = theme.text;
  surface.fillRect(x, y, width, 1);
  surface.fillRect(x, y + height - 1, width, 1);
  surface.fillRect(x, y, 1, height);
  surface.fillRect(x + width - 1, y, 1, height);
}

/** Parts of the width and of the height (from the bottom), 0 to 1. */
export interface HeatPoint {
  readonly x: number;
  readonly y: number;
  readonly isError: boolean;
}

const POINT_PX = 4;

/** Those that failed are crosses, not only red. `unit`: device pixels a CSS pixel. */
export function rasterPoints(points: readonly HeatPoint[], size: Size, theme: Theme, unit = 1): Pixels {
  const pixels = new Pixels(size.width, size.height);
  pixels.data.fill(packed(theme.background));
  const [plain, failed] = [packed(theme.accent), packed(theme.error)];
  const half = (POINT_PX / 2) * unit;
  // Errors last, so that they are on top.
  for (const point of points.filter(({ isError }) => !isError)) {
    const { x, y } = centre(point, size);
    pixels.fill(x - half, y - half, 2 * half, 2 * half, plain);
  }
  for (const point of points.filter(({ isError }) => isError)) {
    const { x, y } = centre(point, size);
    pixels.fill(x - 2 * half, y - unit, 4 * half, 2 * unit, failed);
    pixels.fill(x - unit, y - 2 * half, 2 * unit, 4 * half, failed);
  }
  return pixels;
}

/** The point nearest to a pixel, not farther than `reach`; -1: there is none. */
export function hitPoint(points: readonly HeatPoint[], size: Size, x: number, y: number, reach: number): number {
  let best = -1;
  let least = reach * reach;
  points.forEach((point, i) => {
    const at = centre(point, size);
    const distance = (at.x - x) ** 2 + (at.y - y) ** 2;
    if (distance <= least) {
      least = distance;
      best = i;
    }
  });
  return best;
}

function centre(point: HeatPoint, size: Size): { x: number; y: number } {
  return { x: Math.round(point.x * (size.width - 1)), y: Math.round((1 - point.y) * (size.height - 1)) };
}
