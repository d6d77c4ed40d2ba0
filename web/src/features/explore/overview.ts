// All matches as a grid of time and latency: where cells are, what is at a place, how one walks from cell to cell.
// Pure. Places are shares, 0 to 1, of the width from the left and of the height from the bottom.

import type { OverviewAnswer, SpanPointer } from '../../api/types.ts';
import { type HeatCell, POINTS_MAX } from '../../canvas/heatmap.ts';

export type Cell = HeatCell & {
  readonly step: number;
  readonly bucket: number;
  readonly slowestSpan: SpanPointer;
};

export type Overview = {
  readonly fromNs: bigint;
  readonly stepNs: number;
  readonly steps: number;
  /** By time, then by latency. */
  readonly cells: readonly Cell[];
  readonly counts: readonly number[];
  readonly errors: readonly number[];
  /** The ends of the axis of latency in nanoseconds. */
  readonly low: number;
  readonly high: number;
  readonly buckets: OverviewAnswer['buckets'];
  readonly asPoints: boolean;
  readonly points: number;
};

/** Shares of a rectangle. */
export type Area = { readonly left: number; readonly right: number; readonly bottom: number; readonly top: number };

/** An axis shows this much at least, so that a single latency is not all of it. */
const DECADES_MIN = 1.5;

export function overviewOf(answer: OverviewAnswer): Overview {
  const fromNs = BigInt(answer.fromNs);
  const span = Number(BigInt(answer.toNs) - fromNs);
  const stepNs = Math.max(1, answer.stepNs);
  const steps = Math.max(1, Math.ceil(span / stepNs));
  const { step, bucket, count, errors, slowest } = answer.cells;
  const counts = new Array<number>(steps).fill(0);
  const failed = new Array<number>(steps).fill(0);
  let lowest = Number.POSITIVE_INFINITY;
  let highest = 0;
  step.forEach((at, i) => {
    const s = Math.min(at, steps - 1);
    counts[s] = (counts[s] ?? 0) + (count[i] ?? 0);
    failed[s] = (failed[s] ?? 0) + (errors[i] ?? 0);
    const range = answer.buckets[bucket[i] ?? 0];
    if (range === undefined) return;
    lowest = Math.min(lowest, Math.max(1, range.fromNs));
    highest = Math.max(highest, range.toNs);
  });
  const { low, high } = axis(lowest, highest);
  const share = (ns: number) => shareOf(ns, low, high);
  const cells = step.flatMap((at, i): Cell[] => {
    const b = bucket[i] ?? 0;
    const range = answer.buckets[b];
    const slowestSpan = slowest[i];
    if (range === undefined || slowestSpan === undefined || at >= steps) return [];
    return [
      {
        step: at,
        bucket: b,
        left: at / steps,
        right: (at + 1) / steps,
        bottom: share(Math.max(1, range.fromNs)),
        top: share(range.toNs),
        count: count[i] ?? 0,
        errors: errors[i] ?? 0,
        slowest: share(Math.max(1, slowestSpan.durationNs)),
        slowestSpan,
      },
    ];
  });
  cells.sort((a, b) => a.step - b.step || a.bucket - b.bucket);
  const { buckets, points } = answer;
  const asPoints = points < POINTS_MAX;
  return { fromNs, stepNs, steps, cells, counts, errors: failed, low, high, buckets, asPoints, points };
}

function axis(lowest: number, highest: number): { low: number; high: number } {
  if (highest <= 0) return { low: 1e6, high: 1e9 };
  const missing = DECADES_MIN - Math.log10(highest / lowest);
  if (missing <= 0) return { low: lowest, high: highest };
  const factor = 10 ** (missing / 2);
  return { low: Math.max(1, lowest / factor), high: highest * factor };
}

export function shareOf(ns: number, low: number, high: number): number {
  return Math.min(1, Math.max(0, Math.log(ns / low) / Math.log(high / low)));
}

export function durationAt({ low, high }: Overview, share: number): number {
  return low * (high / low) ** share;
}

export function instantAt({ fromNs, stepNs, steps }: Overview, share: number): bigint {
  return fromNs + BigInt(Math.round(share * steps * stepNs));
}

/** The cell at a place, or the nearest within `reach` pixels. */
export function cellAt(
  { cells, asPoints }: Overview,
  at: { x: number; y: number },
  size: { width: number; height: number },
  reach = 12,
): Cell | null {
  let nearest: Cell | null = null;
  let least = reach;
  for (const cell of cells) {
    const dx = asPoints ? Math.abs((cell.left + cell.right) / 2 - at.x) : outside(at.x, cell.left, cell.right);
    const dy = asPoints ? Math.abs(cell.slowest - at.y) : outside(at.y, cell.bottom, cell.top);
    const distance = Math.hypot(dx * size.width, dy * size.height);
    if (distance > least || (distance === least && nearest !== null)) continue;
    nearest = cell;
    least = distance;
  }
  return nearest;
}

function outside(at: number, from: number, to: number): number {
  return at < from ? from - at : at > to ? at - to : 0;
}

export type Step = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown' | 'Home' | 'End';

/** Where a key leads from a cell; the same cell at an end. */
export function walk({ cells }: Overview, from: Cell | null, key: Step): Cell | null {
  const first = cells[0] ?? null;
  const last = cells.at(-1) ?? null;
  if (key === 'Home') return first;
  if (key === 'End' || from === null) return last;
  if (key === 'ArrowUp' || key === 'ArrowDown') {
    const column = cells.filter(({ step }) => step === from.step);
    const at = column.findIndex(({ bucket }) => bucket === from.bucket);
    return column[at + (key === 'ArrowUp' ? 1 : -1)] ?? from;
  }
  const beyond = cells.filter(({ step }) => (key === 'ArrowRight' ? step > from.step : step < from.step));
  const next = key === 'ArrowRight' ? beyond[0]?.step : beyond.at(-1)?.step;
  const column = beyond.filter(({ step }) => step === next);
  return column.reduce<Cell | null>(
    (best, cell) =>
      best === null || Math.abs(cell.bucket - from.bucket) < Math.abs(best.bucket - from.bucket) ? cell : best,
    null,
  ) ?? from;
}

/** The smallest area that holds both. */
export function around(a: Area, b: Area): Area {
  return {
    left: Math.min(a.left, b.left),
    right: Math.max(a.right, b.right),
    bottom: Math.min(a.bottom, b.bottom),
    top: Math.max(a.top, b.top),
  };
}

/** Grown to the borders of the cells, so that what is asked for is what was seen. */
export function snapped(overview: Overview, area: Area): Area {
  const { steps, buckets, low, high, asPoints } = overview;
  const left = Math.floor(area.left * steps) / steps;
  const right = Math.min(1, Math.ceil(area.right * steps) / steps);
  if (asPoints) return { ...area, left, right };
  let { bottom, top } = area;
  for (const { fromNs, toNs } of buckets) {
    const from = shareOf(Math.max(1, fromNs), low, high);
    const to = shareOf(toNs, low, high);
    if (from <= area.bottom && to > area.bottom) bottom = from;
    if (from < area.top && to >= area.top) top = to;
  }
  return { left, right, bottom, top };
}

export function countIn({ cells, asPoints }: Overview, area: Area): number {
  let sum = 0;
  for (const cell of cells) {
    const x = (cell.left + cell.right) / 2;
    const y = asPoints ? cell.slowest : (cell.bottom + cell.top) / 2;
    if (x >= area.left && x <= area.right && y >= area.bottom && y <= area.top) sum += cell.count;
  }
  return sum;
}

/** The bounds of latency of an area as whole nanoseconds; null where it reaches the end of the axis. */
export function latencyOf(overview: Overview, area: Area): { from: number | null; to: number | null } {
  return {
    from: area.bottom <= 0.001 ? null : Math.floor(durationAt(overview, area.bottom)),
    to: area.top >= 0.999 ? null : Math.ceil(durationAt(overview, area.top)),
  };
}
