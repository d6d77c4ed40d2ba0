// The grid behind the overview of a search: how many matches began in which step of time and took how long.
//
// Cells that are empty are not in it. Steps go from left to right, buckets of durations from the bottom up. All that
// maps pixels to cells and back is here, so that the heatmap, the histogram and their brushes agree.

export interface HeatGrid {
  readonly steps: number;
  readonly buckets: number;
  /** Of each cell that is not empty. */
  readonly step: ArrayLike<number>;
  readonly bucket: ArrayLike<number>;
  readonly count: ArrayLike<number>;
  readonly errors: ArrayLike<number>;
}
export interface Size {
  readonly width: number;
  readonly height: number;
}
/** Steps `[fromStep, toStep)`, buckets `[fromBucket, toBucket)`. */
export interface GridSelection {
  readonly fromStep: number;
  readonly toStep: number;
  readonly fromBucket: number;
  readonly toBucket: number;
}
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export function stepAt(steps: number, width: number, x: number): number {
  return Math.max(0, Math.min(steps - 1, Math.floor((x / Math.max(1, width)) * steps)));
}

export function bucketAt(buckets: number, height: number, y: number): number {
  return Math.max(0, Math.min(buckets - 1, buckets - 1 - Math.floor((y / Math.max(1, height)) * buckets)));
}

/** Where a step begins; `steps` itself is the right edge. */
export function stepX(steps: number, width: number, step: number): number {
  return Math.ceil((step * width) / Math.max(1, steps));
}

/** The lower edge of a bucket; `buckets` itself is the top. */
export function bucketY(buckets: number, height: number, bucket: number): number {
  return Math.ceil(((buckets - bucket) * height) / Math.max(1, buckets));
}

/** The cells that a drag between two points covers, whole ones. */
export function selectionBetween(
  grid: HeatGrid,
  size: Size,
  a: { x: number; y: number },
  b: { x: number; y: number },
): GridSelection {
  return {
    fromStep: stepAt(grid.steps, size.width, Math.min(a.x, b.x)),
    toStep: stepAt(grid.steps, size.width, Math.max(a.x, b.x)) + 1,
    fromBucket: bucketAt(grid.buckets, size.height, Math.max(a.y, b.y)),
    toBucket: bucketAt(grid.buckets, size.height, Math.min(a.y, b.y)) + 1,
  };
}

export function rectOf(grid: HeatGrid, size: Size, selection: GridSelection): Rect {
  const x = stepX(grid.steps, size.width, selection.fromStep);
  const y = bucketY(grid.buckets, size.height, selection.toBucket);
  return {
    x,
    y,
    width: stepX(grid.steps, size.width, selection.toStep) - x,
    height: bucketY(grid.buckets, size.height, selection.fromBucket) - y,
  };
}

/** The cells of a selection: their indexes, and what is in them. */
export function within(grid: HeatGrid, s: GridSelection): { cells: number[]; count: number; errors: number } {
  const cells: number[] = [];
  let count = 0;
  let errors = 0;
  for (let i = 0; i < grid.step.length; i++) {
    const step = grid.step[i] as number;
    const bucket = grid.bucket[i] as number;
    if (step < s.fromStep || step >= s.toStep || bucket < s.fromBucket || bucket >= s.toBucket) continue;
    cells.push(i);
    count += grid.count[i] as number;
    errors += grid.errors[i] as number;
  }
  return { cells, count, errors };
}

/** The cell under a point, or the nearest below it in the same step: whose slowest a click opens; -1: there is none. */
export function cellAtOrBelow(grid: HeatGrid, size: Size, x: number, y: number): number {
  const step = stepAt(grid.steps, size.width, x);
  const bucket = bucketAt(grid.buckets, size.height, y);
  let best = -1;
  for (let i = 0; i < grid.step.length; i++) {
    const at = grid.bucket[i] as number;
    if (grid.step[i] === step && at <= bucket && (best < 0 || at > (grid.bucket[best] as number))) best = i;
  }
  return best;
}
