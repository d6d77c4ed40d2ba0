// What the map says by shade, width and words: one measure at a time, of a service or of its calls.

import type { RedPoint } from '../../api/types.ts';
import { formatDuration } from '../../format/duration.ts';
import { formatPercent, formatRate } from '../../format/number.ts';
import type { MapState } from '../../url/index.ts';
import { type Drawn, errorShare } from './calls.ts';

export type Metric = MapState['metric'];
/** What is measured: a service or calls. */
export type Measured = { readonly total: RedPoint | null; readonly rate: number };

/** From this share of errors on a service has a red ring. */
export const RING_FROM = 0.01;
/** Shades of errors are full from here on. */
const ERRORS_FULL = 0.05;
const WIDTH = { least: 1, most: 6 };

function measureOf({ total, rate }: Measured, metric: Metric): number {
  if (metric === 'rate') return rate;
  return metric === 'errors' ? errorShare(total) : (total?.p95 ?? 0);
}

export function valueText(measured: Measured, metric: Metric): string {
  if (metric === 'rate') return formatRate(measured.rate);
  if (measured.total === null) return '–';
  return metric === 'errors' ? formatPercent(errorShare(measured.total)) : formatDuration(measured.total.p95);
}

export type CallLabel = { readonly above: string; readonly below: string; readonly main: 'above' | 'below' };

/** Above and below the line of calls: rate and errors always, and latency where it is what is looked at. */
export function callLabel(call: Measured, metric: Metric): CallLabel {
  const rate = valueText(call, 'rate');
  const errors = valueText(call, 'errors');
  if (metric === 'latency') return { above: valueText(call, 'latency'), below: `${rate} · ${errors}`, main: 'above' };
  return { above: rate, below: errors, main: metric === 'rate' ? 'above' : 'below' };
}

export type Scale = {
  /** The least and the most of what is drawn. */
  readonly least: number;
  readonly most: number;
  /** 0 to 1. */
  readonly shade: (measured: Measured) => number;
  /** The width of the line of a call. */
  readonly width: (measured: Measured) => number;
};

/** Latency and rate span powers of ten, so shades follow their logarithm; errors are shown as they are. */
export function scaleOf({ services, calls }: Pick<Drawn, 'services' | 'calls'>, metric: Metric): Scale {
  const values = [...services, ...calls].map((one) => measureOf(one, metric)).filter((value) => value > 0);
  const [least, most] = ends(values);
  const [leastRate, mostRate] = ends(calls.map(({ rate }) => rate).filter((rate) => rate > 0));
  return {
    least,
    most,
    shade: (measured) => {
      const value = measureOf(measured, metric);
      return metric === 'errors' ? Math.min(1, value / ERRORS_FULL) : logShare(value, least, most);
    },
    width: ({ rate }) => WIDTH.least + logShare(rate, leastRate, mostRate) * (WIDTH.most - WIDTH.least),
  };
}

function ends(values: readonly number[]): [number, number] {
  return values.length === 0 ? [0, 0] : [Math.min(...values), Math.max(...values)];
}

function logShare(value: number, least: number, most: number): number {
  if (!(value > 0) || !(least > 0)) return 0;
  return most > least ? Math.min(1, Math.max(0, Math.log(value / least) / Math.log(most / least))) : 0.5;
}
