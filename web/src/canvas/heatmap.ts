// Latency over time. Many matches are cells, the darker the more; few are points. Work depends on the cells that there
// are, never on the matches in them.
//
// Cells are shades of one colour on a logarithmic scale, so that one slow request beside a million others is seen. A red
// foot says how many of a cell failed: red has no other meaning. Points that failed are crosses, not only red ones.

import type { Surface } from './surface.ts';
import { mix, type Theme } from './theme.ts';

/** Matches that are still drawn as points. */
export const POINTS_MAX = 300;

export interface HeatCell {
  /** Device pixels are made of these: shares of the width and of the height from the bottom, 0 to 1. */
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
  readonly top: number;
  readonly count: number;
  readonly errors: number;
  /** Where its slowest one is, as a share of the height. */
  readonly slowest: number;
}

export interface HeatInput {
  readonly cells: readonly HeatCell[];
  readonly asPoints: boolean;
  /** Shares of the height at which there are lines. */
  readonly lines: readonly number[];
  readonly theme: Theme;
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** Device pixels a CSS pixel. */
  readonly scale: number;
}

/** From the faintest that is told from the background to the full colour. */
const FAINTEST = 0.18;

export function shadeOf(count: number, most: number): number {
  if (most <= 1) return 0.6;
  return FAINTEST + (1 - FAINTEST) * (Math.log1p(count) / Math.log1p(most));
}

export function paintHeatmap(surface: Surface, input: HeatInput): void {
  const { theme, scale, cells } = input;
  const width = Math.round(input.width * scale);
  const height = Math.round(input.height * scale);
  const unit = Math.max(1, Math.round(scale));
  surface.fillStyle = theme.background;
  surface.fillRect(0, 0, width, height);
  surface.fillStyle = theme.line;
  for (const line of input.lines) surface.fillRect(0, Math.round((1 - line) * height), width, unit);
  const most = cells.reduce((max, { count }) => Math.max(max, count), 0);
  for (const cell of cells) {
    if (input.asPoints) paintPoint(surface, cell, theme, { width, height, unit });
    else paintCell(surface, cell, theme, { width, height, unit }, shadeOf(cell.count, most));
  }
}

interface Box {
  readonly width: number;
  readonly height: number;
  readonly unit: number;
}

function paintCell(surface: Surface, cell: HeatCell, theme: Theme, box: Box, shade: number): void {
  const x0 = Math.round(cell.left * box.width);
  const x1 = Math.max(x0 + 1, Math.round(cell.right * box.width));
  const y0 = Math.round((1 - cell.top) * box.height);
  const y1 = Math.max(y0 + 1, Math.round((1 - cell.bottom) * box.height));
  surface.fillStyle = mix(theme.background, theme.accent, shade);
  surface.fillRect(x0, y0, x1 - x0, y1 - y0);
  if (cell.errors === 0) return;
  const foot = Math.max(2 * box.unit, Math.round(((y1 - y0) * cell.errors) / Math.max(1, cell.count)));
  const high = Math.min(foot, y1 - y0);
  surface.fillStyle = theme.error;
  surface.fillRect(x0, y1 - high, x1 - x0, high);
}

function paintPoint(surface: Surface, cell: HeatCell, theme: Theme, box: Box): void {
  const { unit } = box;
  const half = (cell.count > 1 ? 3 : 2) * unit;
  const x = Math.round(((cell.left + cell.right) / 2) * box.width);
  const y = Math.min(box.height - half, Math.max(half, Math.round((1 - cell.slowest) * box.height)));
  if (cell.errors === 0) {
    surface.fillStyle = theme.accent;
    surface.fillRect(x - half, y - half, 2 * half, 2 * half);
    return;
  }
  surface.fillStyle = theme.error;
  const arm = half + unit;
  surface.fillRect(x - arm, y - unit, 2 * arm, 2 * unit);
  surface.fillRect(x - unit, y - arm, 2 * unit, 2 * arm);
}
