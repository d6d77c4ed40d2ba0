// Matches over time as bars, errors as their red foot.
//
// Heights are linear in the count; a step with anything in it has at least a pixel, one with errors a red one.

import { type HeatGrid, type Size, stepAt, stepX } from './grid.ts';
import { Pixels } from './pixels.ts';
import { mix, packed, type Theme } from './theme.ts';

export interface StepCounts {
  readonly counts: Float64Array;
  readonly errors: Float64Array;
}

export function countsOfSteps(grid: HeatGrid): StepCounts {
  const counts = new Float64Array(grid.steps);
  const errors = new Float64Array(grid.steps);
  for (let i = 0; i < grid.step.length; i++) {
    const step = grid.step[i] as number;
    if (step >= grid.steps) continue;
    counts[step] = (counts[step] as number) + (grid.count[i] as number);
    errors[step] = (errors[step] as number) + (grid.errors[i] as number);
  }
  return { counts, errors };
}

export function rasterHistogram({ counts, errors }: StepCounts, size: Size, theme: Theme): Pixels {
  const pixels = new Pixels(size.width, size.height);
  pixels.data.fill(packed(theme.background));
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  const steps = counts.length;
  // Not the full colour: a row of bars is the background of what failed.
  const colour = packed(mix(theme.background, theme.accent, 0.6));
  const heightOf = (count: number): number => (count > 0 ? Math.max(1, Math.round((count / most) * size.height)) : 0);
  for (let step = 0; step < steps; step++) {
    const x = stepX(steps, size.width, step);
    const whole = stepX(steps, size.width, step + 1) - x;
    // A free pixel between bars that are wide enough.
    const width = whole >= 4 ? whole - 1 : Math.max(1, whole);
    const height = heightOf(counts[step] as number);
    const foot = Math.min(height, heightOf(errors[step] as number));
    pixels.fill(x, size.height - height, width, height - foot, colour);
    pixels.fill(x, size.height - foot, width, foot, packed(theme.error));
  }
  return pixels;
}

/** The steps `[from, to)` between two pixels. */
export function stepsBetween(steps: number, width: number, a: number, b: number): { from: number; to: number } {
  return { from: stepAt(steps, width, Math.min(a, b)), to: stepAt(steps, width, Math.max(a, b)) + 1 };
}
