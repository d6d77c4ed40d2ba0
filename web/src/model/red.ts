// Rate, errors and durations as pages show them: made of what the server counted, by step and for the whole window.
//
// Promises: a step in which nothing came is a rate of zero and no duration; a step that has hardly begun is left out,
// since it would read as a fall.

import type { RedAnswer, RedPoint, RedSeries } from '../api/types.ts';

export type Change = {
  /** Now as a multiple of before. */
  readonly ratio: number;
  readonly before: number;
  readonly now: number;
};

export type RedStat = {
  readonly spans: number;
  readonly errors: number;
  readonly perSecond: number;
  /** 0 to 1. */
  readonly errorShare: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** Seconds of p95 that begin each second: what a faster one would save. */
  readonly impact: number;
  /** p95 to the same time a day before; null where either has too few spans to say. */
  readonly change: Change | null;
  readonly errorsBefore: number | null;
};

export type RedCourse = {
  /** The middle of each step in seconds since the epoch. */
  readonly at: readonly number[];
  /** Spans a second. */
  readonly rate: readonly (number | null)[];
  /** Failing spans a second. */
  readonly failing: readonly (number | null)[];
  readonly errorShare: readonly (number | null)[];
  readonly p50: readonly (number | null)[];
  readonly p95: readonly (number | null)[];
  readonly p99: readonly (number | null)[];
};

/** Fewer spans say little about their slowest twentieth. */
const CHANGE_SPANS_MIN = 20;
/** The part of a step that must have passed for its rate to be told. */
const STEP_PASSED_MIN = 0.5;
/** The server counts by the minute; a shorter step has no more to say. */
const STEP_NS_MIN = 60e9;

const NOTHING: RedPoint = { spans: 0, errors: 0, p50: 0, p95: 0, p99: 0 };

export function statOf(total: RedPoint, dayBefore: RedPoint | null, seconds: number): RedStat {
  const { spans, errors, p50, p95, p99 } = total;
  const perSecond = seconds > 0 ? spans / seconds : 0;
  const isTold =
    dayBefore !== null && dayBefore.spans >= CHANGE_SPANS_MIN && spans >= CHANGE_SPANS_MIN && dayBefore.p95 > 0;
  return {
    spans,
    errors,
    perSecond,
    errorShare: spans > 0 ? errors / spans : 0,
    p50,
    p95,
    p99,
    impact: perSecond * (p95 / 1e9),
    change: isTold ? { ratio: p95 / dayBefore.p95, before: dayBefore.p95, now: p95 } : null,
    errorsBefore: dayBefore && dayBefore.spans > 0 ? dayBefore.errors / dayBefore.spans : null,
  };
}

export function statOfSeries(series: RedSeries, seconds: number): RedStat {
  return statOf(series.total, series.dayBefore, seconds);
}

/** All series as if they were one. Of durations only their largest can be told. */
export function sumOf(series: readonly RedSeries[]): { spans: number; errors: number } {
  let spans = 0;
  let errors = 0;
  for (const { total } of series) {
    spans += total.spans;
    errors += total.errors;
  }
  return { spans, errors };
}

type Steps = Pick<RedAnswer, 'fromNs' | 'stepNs' | 'seconds'>;

/** Seconds of step `i` that have passed. */
function passedOf({ stepNs, seconds }: Steps, i: number): number {
  const step = stepNs / 1e9;
  return Math.max(0, Math.min(step, seconds - i * step));
}

export function courseOf(points: readonly (RedPoint | null)[], steps: Steps): RedCourse {
  const step = steps.stepNs / 1e9;
  const from = Number(BigInt(steps.fromNs) / 1_000_000n) / 1000;
  const told = points.map((point, i) => {
    const passed = passedOf(steps, i);
    const isTold = passed >= STEP_PASSED_MIN * step;
    const { spans, errors } = point ?? NOTHING;
    return {
      rate: isTold ? spans / passed : null,
      failing: isTold ? errors / passed : null,
      errorShare: isTold && spans > 0 ? errors / spans : null,
      durations: isTold && point && spans > 0 ? point : null,
    };
  });
  return {
    at: points.map((_, i) => from + (i + 0.5) * step),
    rate: told.map(({ rate }) => rate),
    failing: told.map(({ failing }) => failing),
    errorShare: told.map(({ errorShare }) => errorShare),
    p50: told.map(({ durations }) => durations?.p50 ?? null),
    p95: told.map(({ durations }) => durations?.p95 ?? null),
    p99: told.map(({ durations }) => durations?.p99 ?? null),
  };
}

/** Begin and end of step `i` in nanoseconds since the epoch. */
export function stepBounds({ fromNs, stepNs }: Pick<Steps, 'fromNs' | 'stepNs'>, i: number) {
  const step = BigInt(Math.round(stepNs));
  const from = BigInt(fromNs) + BigInt(i) * step;
  return { fromNs: from, toNs: from + step };
}

/** How many steps to ask for, of a chart that is this wide: none is narrower than a minute. */
export function stepsFor(fromNs: bigint, toNs: bigint, most: number): number {
  return Math.max(1, Math.min(most, Math.ceil(Number(toNs - fromNs) / STEP_NS_MIN)));
}

/** Kinds of spans that serve others: what enters a service. */
const SERVING: readonly (string | null)[] = ['server', 'consumer'];

/**
 * The series of one kind; without one those that enter the service, or all of a service that nothing enters, as the
 * server counts services.
 */
export function ofKind<T extends Pick<RedSeries, 'kind'>>(series: readonly T[], kind: string | null): readonly T[] {
  if (kind !== null) return series.filter((one) => one.kind === kind);
  const serving = series.filter((one) => SERVING.includes(one.kind));
  return serving.length > 0 ? serving : series;
}
