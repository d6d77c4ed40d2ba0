// The heatmap of an operation from the server's overview: its grid, its ticks, the slowest cell of each step. Pure.

import type { OverviewAnswer } from '../../api/types.ts';
import type { HeatGrid } from '../../canvas/grid.ts';
import { type LatencyTick, latencyTicks } from '../../format/latencyAxis.ts';

export const HEAT_PX = 160;

export type Heat = {
  readonly grid: HeatGrid;
  readonly fromNs: bigint;
  readonly toNs: bigint;
  readonly stepNs: number;
  readonly ticks: readonly LatencyTick[];
};

export function heatOf({ fromNs, toNs, stepNs, cells, buckets }: OverviewAnswer): Heat {
  const from = BigInt(fromNs);
  const to = BigInt(toNs);
  const steps = Math.max(1, Math.ceil(Number(to - from) / Math.max(1, stepNs)));
  return {
    grid: { steps, buckets: buckets.length, ...cells },
    fromNs: from,
    toNs: to,
    stepNs,
    ticks: latencyTicks(buckets, HEAT_PX),
  };
}

/** Of each step that has spans the cell of the slowest, by time. */
export function worstCells({ cells }: OverviewAnswer): { step: number; cell: number }[] {
  const worst = new Map<number, number>();
  cells.step.forEach((step, i) => {
    const held = worst.get(step);
    if (held === undefined || (cells.bucket[i] ?? 0) > (cells.bucket[held] ?? 0)) worst.set(step, i);
  });
  return [...worst].map(([step, cell]) => ({ step, cell })).sort((a, b) => a.step - b.step);
}
