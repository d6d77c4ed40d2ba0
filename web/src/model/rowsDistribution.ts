// What a folded run of like siblings says about its members: count, sum, average, and how durations are spread.

import { FLAG, type Ns, type RowIndex, type TraceColumns } from './columns.ts';
import { quantile } from './quantile.ts';

export const SPARK_BUCKETS = 16;

export interface RowsDistribution {
  readonly count: number;
  readonly errors: number;
  readonly sum: Ns;
  readonly average: Ns;
  readonly p95: Ns;
  readonly shortest: Ns;
  readonly longest: Ns;
  /** From the first start to the last end. */
  readonly from: Ns;
  readonly to: Ns;
  /** Members by duration, from the shortest to the longest, in equal steps of its logarithm. */
  readonly buckets: Uint32Array;
}

export function distributionOf(columns: TraceColumns, rows: readonly RowIndex[]): RowsDistribution {
  const durations = Float64Array.from(rows, (row) => columns.dur[row] as number);
  const buckets = new Uint32Array(SPARK_BUCKETS);
  let [sum, shortest, longest] = [0, Number.POSITIVE_INFINITY, 0];
  let [from, to, errors] = [Number.POSITIVE_INFINITY, 0, 0];
  for (const row of rows) {
    const start = columns.start[row] as number;
    const dur = columns.dur[row] as number;
    sum += dur;
    shortest = Math.min(shortest, dur);
    longest = Math.max(longest, dur);
    from = Math.min(from, start);
    to = Math.max(to, start + dur);
    errors += (columns.flags[row] as number) & FLAG.error;
  }
  if (rows.length === 0)
    return { count: 0, errors: 0, sum: 0, average: 0, p95: 0, shortest: 0, longest: 0, from: 0, to: 0, buckets };
  const low = Math.log(shortest + 1);
  const step = (Math.log(longest + 1) - low) / SPARK_BUCKETS;
  for (const dur of durations) {
    const b = step > 0 ? Math.min(SPARK_BUCKETS - 1, Math.floor((Math.log(dur + 1) - low) / step)) : 0;
    buckets[b] = (buckets[b] as number) + 1;
  }
  return {
    count: rows.length,
    errors,
    sum,
    average: sum / rows.length,
    p95: quantile(durations, 0.95),
    shortest,
    longest,
    from,
    to,
    buckets,
  };
}
