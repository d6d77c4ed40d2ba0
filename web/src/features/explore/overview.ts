// All matches as a grid of time and latency: where cells are, what is at a place, how one walks from cell to cell.
// Pure. Places are shares, 0 to 1, of the width from the left and of the height from the bottom.

import type { Bucket, OverviewAnswer, SpanPointer } from '../../api/types.ts';
import type { HeatGrid } from '../../canvas/grid.ts';
import type { HeatPoint } from '../../canvas/heatmap.ts';
import { countsOfSteps, type StepCounts } from '../../canvas/histogram.ts';
import { latencyShare } from '../../format/latencyAxis.ts';

/** Matches that are still drawn as points. */
export const POINTS_MAX = 300;

/** Shares of a rectangle. */
export type Area = { readonly left: number; readonly right: number; readonly bottom: number; readonly top: number };

export type Cell = Area & {
  readonly step: number;
  /** Of those that are shown. */
  readonly bucket: number;
  readonly count: number;
  readonly errors: number;
  /** The height at which its slowest one is. */
  readonly height: number;
  readonly slowest: SpanPointer;
};

export type Overview = {
  readonly fromNs: bigint;
  readonly stepNs: number;
  readonly grid: HeatGrid;
  readonly steps: StepCounts;
  /** By time, then by latency. */
  readonly cells: readonly Cell[];
  /** The rows that are shown: from the lowest with something in it to the highest. */
  readonly buckets: OverviewAnswer['buckets'];
  readonly points: number;
  /** Null: too many. */
  readonly asPoints: readonly HeatPoint[] | null;
};

/** So that a single latency is not all of the axis. */
const BUCKETS_MIN = 12;
/** From this share of failures on. */
const ALL_RED = 0.95;
/** Lower rows could not be told apart. */
const ROWS_MAX = 20;

export function overviewOf(answer: OverviewAnswer): Overview {
  const fromNs = BigInt(answer.fromNs);
  // Whole, as instants are.
  const stepNs = Math.max(1, Math.round(answer.stepNs));
  const steps = Math.max(1, Math.ceil(Number(BigInt(answer.toNs) - fromNs) / stepNs - 1e-6));
  const { rowOf, buckets } = shownRows(answer);
  const cells = cellsOf(answer, steps, rowOf, buckets);
  const grid: HeatGrid = {
    steps,
    buckets: buckets.length,
    step: cells.map(({ step }) => step),
    bucket: cells.map(({ bucket }) => bucket),
    count: cells.map(({ count }) => count),
    errors: cells.map(({ errors }) => errors),
  };
  const { points } = answer;
  // Where all failed, red would hide how many there are and tell nothing.
  const isAllRed = answer.errors >= points * ALL_RED;
  const heat: HeatGrid = isAllRed ? { ...grid, errors: cells.map(() => 0) } : grid;
  const asPoints = points < POINTS_MAX ? pointsOf(answer, steps, buckets) : null;
  return { fromNs, stepNs, grid: heat, steps: countsOfSteps(grid), cells, buckets, points, asPoints };
}

/**
 * The rows from the lowest with something in it to the highest, several of the server's in one where there are
 * many.
 */
function shownRows({ buckets, cells }: OverviewAnswer): { rowOf: (bucket: number) => number; buckets: Bucket[] } {
  let low = buckets.length - 1;
  let high = 0;
  for (const at of cells.bucket) {
    low = Math.min(low, at);
    high = Math.max(high, at);
  }
  if (low > high) return { rowOf: (at) => at, buckets };
  const missing = Math.max(0, BUCKETS_MIN - (high - low + 1));
  const first = Math.max(0, low - Math.ceil(missing / 2));
  const last = Math.min(buckets.length - 1, high + Math.floor(missing / 2));
  const size = Math.ceil((last - first + 1) / ROWS_MAX);
  const rows: Bucket[] = [];
  for (let at = first; at <= last; at += size) {
    const end = Math.min(at + size, buckets.length) - 1;
    rows.push({ fromNs: buckets[at]?.fromNs ?? 0, toNs: buckets[end]?.toNs ?? 0 });
  }
  return { rowOf: (at) => Math.floor((at - first) / size), buckets: rows };
}

function cellsOf({ cells: given }: OverviewAnswer, steps: number, rowOf: (at: number) => number, buckets: Bucket[]) {
  const cells = new Map<number, Cell>();
  given.step.forEach((step, i) => {
    const slowest = given.slowest[i];
    if (slowest === undefined || step >= steps) return;
    const bucket = rowOf(given.bucket[i] ?? 0);
    const key = step * buckets.length + bucket;
    const known = cells.get(key);
    const isSlower = known === undefined || slowest.durationNs > known.slowest.durationNs;
    cells.set(key, {
      step,
      bucket,
      left: step / steps,
      right: (step + 1) / steps,
      bottom: bucket / buckets.length,
      top: (bucket + 1) / buckets.length,
      count: (known?.count ?? 0) + (given.count[i] ?? 0),
      errors: (known?.errors ?? 0) + (given.errors[i] ?? 0),
      height: isSlower ? latencyShare(buckets, slowest.durationNs) : known.height,
      slowest: isSlower ? slowest : known.slowest,
    });
  });
  return [...cells.values()].sort((a, b) => a.step - b.step || a.bucket - b.bucket);
}

/** One for each of the server's cells, which are small where there are few matches. */
function pointsOf({ cells }: OverviewAnswer, steps: number, buckets: Bucket[]): HeatPoint[] {
  return cells.step.map((step, i) => ({
    x: (step + 0.5) / steps,
    y: latencyShare(buckets, cells.slowest[i]?.durationNs ?? 0),
    isError: (cells.errors[i] ?? 0) > 0,
  }));
}

export function instantAt({ fromNs, stepNs, grid }: Overview, share: number): bigint {
  return fromNs + BigInt(Math.round(share * grid.steps * stepNs));
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
    const dy = asPoints ? Math.abs(cell.height - at.y) : outside(at.y, cell.bottom, cell.top);
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
  return (
    column.reduce<Cell | null>(
      (best, cell) =>
        best === null || Math.abs(cell.bucket - from.bucket) < Math.abs(best.bucket - from.bucket) ? cell : best,
      null,
    ) ?? from
  );
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
export function snapped({ grid }: Overview, area: Area): Area {
  const down = (share: number, parts: number) => Math.floor(share * parts + 1e-9) / parts;
  const up = (share: number, parts: number) => Math.min(1, Math.ceil(share * parts - 1e-9) / parts);
  return {
    left: down(area.left, grid.steps),
    right: up(area.right, grid.steps),
    bottom: down(area.bottom, grid.buckets),
    top: up(area.top, grid.buckets),
  };
}

/** How many are in an area of whole cells. */
export function countIn({ cells }: Overview, area: Area): number {
  let sum = 0;
  for (const { left, right, bottom, top, count } of cells) {
    const x = (left + right) / 2;
    const y = (bottom + top) / 2;
    if (x >= area.left && x <= area.right && y >= area.bottom && y <= area.top) sum += count;
  }
  return sum;
}

/** The bounds of latency of an area of whole cells; null where it reaches the end of the axis. */
export function latencyOf({ buckets }: Overview, area: Area): { from: number | null; to: number | null } {
  const first = Math.round(area.bottom * buckets.length);
  const end = Math.round(area.top * buckets.length);
  return {
    from: first <= 0 ? null : rounded(buckets[first]?.fromNs ?? 0, Math.floor),
    to: end >= buckets.length ? null : rounded(buckets[end - 1]?.toNs ?? 0, Math.ceil),
  };
}

/** Three digits, outwards: nobody reads `983040ns`. */
function rounded(ns: number, round: (value: number) => number): number {
  const unit = Math.max(1, 10 ** (Math.floor(Math.log10(Math.max(1, ns))) - 2));
  return round(ns / unit) * unit;
}
