// Counts over time as bars; the part that failed stands at the bottom in red, at least a pixel of it.

import type { Surface } from './surface.ts';
import { mix, type Theme } from './theme.ts';

export interface HistogramInput {
  readonly counts: readonly number[];
  readonly errors: readonly number[];
  readonly theme: Theme;
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** Device pixels a CSS pixel. */
  readonly scale: number;
}

export function paintHistogram(surface: Surface, input: HistogramInput): void {
  const { counts, errors, theme, scale } = input;
  const width = Math.round(input.width * scale);
  const height = Math.round(input.height * scale);
  const unit = Math.max(1, Math.round(scale));
  surface.fillStyle = theme.background;
  surface.fillRect(0, 0, width, height);
  const most = counts.reduce((max, count) => Math.max(max, count), 0);
  const colour = mix(theme.background, theme.textSecondary, 0.55);
  counts.forEach((count, i) => {
    if (count === 0) return;
    const x0 = Math.round((i / counts.length) * width);
    const x1 = Math.round(((i + 1) / counts.length) * width);
    // A gap between bars where there is room for one.
    const wide = Math.max(1, x1 - x0 - (x1 - x0 > 3 * unit ? unit : 0));
    const high = Math.max(unit, Math.round((count / most) * height));
    surface.fillStyle = colour;
    surface.fillRect(x0, height - high, wide, high);
    const failed = errors[i] ?? 0;
    if (failed === 0) return;
    const red = Math.min(high, Math.max(unit, Math.round((failed / most) * height)));
    surface.fillStyle = theme.error;
    surface.fillRect(x0, height - red, wide, red);
  });
  surface.fillStyle = theme.line;
  surface.fillRect(0, height - unit, width, unit);
}
