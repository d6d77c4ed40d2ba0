// The table of a trace's time: spans grouped by one or two keys.
//
// `total` is the sum of durations and counts nested spans twice; `self` does not, and `share` is that of all self time.
// Works on columns only and keeps nothing, so it runs as well in the worker as in a test.

import type { Bits } from './bits.ts';
import { FLAG, type Ns, type TraceColumns } from './columns.ts';
import { quantile } from './quantile.ts';

export const STAT_KEYS = ['service', 'name', 'kind', 'status', 'depth', 'critical'] as const;
export type StatKey = (typeof STAT_KEYS)[number];

/** A key that no column has: the values of a field, and for each row which one it has, counted from 1; 0 is none. */
export interface FieldValues {
  readonly values: readonly string[];
  readonly rows: ArrayLike<number>;
}
export type StatBy = StatKey | FieldValues;

export const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
export const STATUSES = ['unset', 'ok', 'error'] as const;

export interface StatRow {
  /** One value a key; null where the spans have none. */
  readonly keys: readonly (string | null)[];
  readonly count: number;
  readonly errors: number;
  readonly total: Ns;
  readonly self: Ns;
  readonly average: Ns;
  readonly p95: Ns;
  readonly longest: Ns;
  /** Of the self time of all rows that were looked at, 0 to 1. */
  readonly share: number;
}
export type StatColumn = Exclude<keyof StatRow, 'keys'>;

/** What `groupStats` reads. */
export type StatInput = Pick<
  TraceColumns,
  'count' | 'depth' | 'dur' | 'self' | 'services' | 'service' | 'names' | 'name' | 'kind' | 'status' | 'flags'
>;

/** All rows, or those of `rows`; the largest self time first. */
export function groupStats(
  columns: StatInput,
  keys: readonly [StatBy] | readonly [StatBy, StatBy],
  rows: Bits | null = null,
): StatRow[] {
  const { count, dur, self, flags } = columns;
  const [first, second] = keys.map((key) => keyOf(columns, key));
  if (first === undefined) return [];
  const width = second?.texts.length ?? 1;
  // Groups are numbered as they come; a table of all pairs where that is small, else a map.
  const pairs = first.texts.length * width;
  const table = pairs <= 1 << 22 ? new Int32Array(pairs).fill(-1) : null;
  const map = new Map<number, number>();
  const codes: number[] = [];
  const groupOf = new Int32Array(count).fill(-1);
  const counts: number[] = [];
  for (let i = 0; i < count; i++) {
    if (rows !== null && !rows.has(i)) continue;
    const code = first.code(i) * width + (second?.code(i) ?? 0);
    let g = table === null ? (map.get(code) ?? -1) : (table[code] as number);
    if (g < 0) {
      g = codes.push(code) - 1;
      counts.push(0);
      if (table === null) map.set(code, g);
      else table[code] = g;
    }
    counts[g] = (counts[g] as number) + 1;
    groupOf[i] = g;
  }
  // Durations by group, one group after the other, for the quantile.
  const ends = new Uint32Array(codes.length + 1);
  counts.forEach((n, g) => {
    ends[g + 1] = (ends[g] as number) + n;
  });
  const fill = ends.slice();
  const durations = new Float64Array(ends[codes.length] as number);
  const selfs = new Float64Array(codes.length);
  const errors = new Uint32Array(codes.length);
  let allSelf = 0;
  for (let i = 0; i < count; i++) {
    const g = groupOf[i] as number;
    if (g < 0) continue;
    const at = fill[g] as number;
    fill[g] = at + 1;
    durations[at] = dur[i] as number;
    selfs[g] = (selfs[g] as number) + (self[i] as number);
    allSelf += self[i] as number;
    if (((flags[i] as number) & FLAG.error) !== 0) errors[g] = (errors[g] as number) + 1;
  }
  const stats = codes.map((code, g): StatRow => {
    const values = durations.subarray(ends[g], ends[g + 1]);
    let total = 0;
    let longest = 0;
    for (const value of values) {
      total += value;
      if (value > longest) longest = value;
    }
    const texts = [first.texts[Math.floor(code / width)] ?? null];
    if (second !== undefined) texts.push(second.texts[code % width] ?? null);
    return {
      keys: texts,
      count: values.length,
      errors: errors[g] as number,
      total,
      self: selfs[g] as number,
      average: total / values.length,
      p95: quantile(values, 0.95),
      longest,
      share: allSelf > 0 ? (selfs[g] as number) / allSelf : 0,
    };
  });
  return sortStats(stats, 'self', true);
}

/** A new list; rows that are equal by the column go by their keys. `by` may be the index of a key. */
export function sortStats(stats: readonly StatRow[], by: StatColumn | number, isDescending: boolean): StatRow[] {
  const sign = isDescending ? -1 : 1;
  const byKeys = (a: StatRow, b: StatRow): number => compareTexts(a.keys.join('\0'), b.keys.join('\0'));
  return stats.toSorted((a, b) => {
    const order = typeof by === 'number' ? compareTexts(a.keys[by] ?? '', b.keys[by] ?? '') : a[by] - b[by];
    return sign * order || byKeys(a, b);
  });
}

interface Key {
  readonly texts: readonly (string | null)[];
  readonly code: (row: number) => number;
}

function keyOf(columns: StatInput, key: StatBy): Key {
  if (typeof key !== 'string')
    return { texts: [null, ...key.values], code: (row) => Math.min(key.rows[row] ?? 0, key.values.length) };
  switch (key) {
    case 'service':
      return { texts: columns.services, code: (row) => columns.service[row] as number };
    case 'name':
      return { texts: columns.names, code: (row) => columns.name[row] as number };
    case 'kind':
      return { texts: KINDS, code: (row) => Math.min(columns.kind[row] as number, KINDS.length - 1) };
    case 'status':
      return { texts: STATUSES, code: (row) => Math.min(columns.status[row] as number, STATUSES.length - 1) };
    case 'depth': {
      let deepest = 0;
      for (let i = 0; i < columns.count; i++) deepest = Math.max(deepest, columns.depth[i] as number);
      return {
        texts: Array.from({ length: deepest + 1 }, (_, d) => String(d)),
        code: (row) => columns.depth[row] as number,
      };
    }
    case 'critical':
      return { texts: ['no', 'yes'], code: (row) => (((columns.flags[row] as number) & FLAG.critical) !== 0 ? 1 : 0) };
  }
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
