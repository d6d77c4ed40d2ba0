// Durations as people read and type them. The unit everywhere is the nanosecond.
//
// Three significant digits are what an eye compares; whoever needs all of them gets `formatExactNs` on hover and copy.

import { formatCountExact, NO_VALUE, significant } from './number.ts';

const NS_PER = { us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3_600e9, d: 86_400e9 } as const;

/** Durations beyond this are not exact in a double: 104 days. */
const EXACT_NS_MAX = Number.MAX_SAFE_INTEGER;

/** `2.14 s`, `310 ms`, `41.2 µs`, `17 ns`, `3 m 05 s`, `1 h 02 m`, `4 d 03 h`. */
export function formatDuration(ns: number): string {
  if (!Number.isFinite(ns)) return NO_VALUE;
  return ns < 0 ? `−${formatPositive(-ns)}` : formatPositive(ns);
}

/** A difference: as `formatDuration`, with its sign also when it is more. */
export function formatDurationChange(ns: number): string {
  return ns > 0 && Number.isFinite(ns) ? `+${formatDuration(ns)}` : formatDuration(ns);
}

/** `2,140,312,455 ns`. */
export function formatExactNs(ns: number | bigint): string {
  const text = formatCountExact(ns);
  return text === NO_VALUE ? text : `${text} ns`;
}

/**
 * The shortest text that `parseDuration` and the query language read as exactly this: `1ms`, `1500us`, `90s`. For
 * links and for query text, where rounding would change the meaning.
 */
export function durationLiteral(ns: number): string {
  const whole = Math.max(0, Math.round(ns));
  const units = [
    ['h', NS_PER.h],
    ['m', NS_PER.m],
    ['s', NS_PER.s],
    ['ms', NS_PER.ms],
    ['us', NS_PER.us],
  ] as const;
  for (const [unit, size] of units) {
    if (whole > 0 && whole % size === 0) return `${whole / size}${unit}`;
  }
  return `${whole}ns`;
}

/**
 * Nanoseconds of what people type: `1.2s`, `100ms`, `500us`, `1m30s`, `1 h 02 m`. Null when it is none, also for a
 * number without a unit, since nobody can know which one was meant.
 */
export function parseDuration(text: string): number | null {
  const compact = text.trim().replace(/[µμ]/g, 'u').replace(/\s+/g, '');
  if (
    !/^(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|ms|[smhdwy])(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|ms|[smhdwy]))*$/.test(compact)
  ) {
    return null;
  }
  let sum = 0;
  for (const [, number = '', unit = ''] of compact.matchAll(/([\d.]+)([a-z]+)/g)) sum += Number(number) * unitNs(unit);
  const ns = Math.round(sum);
  return ns <= EXACT_NS_MAX ? ns : null;
}

function unitNs(unit: string): number {
  switch (unit) {
    case 'us':
      return NS_PER.us;
    case 'ms':
      return NS_PER.ms;
    case 's':
      return NS_PER.s;
    case 'm':
      return NS_PER.m;
    case 'h':
      return NS_PER.h;
    case 'd':
      return NS_PER.d;
    case 'w':
      return 7 * NS_PER.d;
    case 'y':
      return 365 * NS_PER.d;
    default:
      return 1;
  }
}

/** Rounds first and then chooses the unit, so that 999.6 µs is `1 ms` and 59.96 s is `1 m 00 s`. */
function formatPositive(ns: number): string {
  const steps = [
    [' ns', 1, 1_000],
    [' µs', NS_PER.us, 1_000],
    [' ms', NS_PER.ms, 1_000],
    [' s', NS_PER.s, 60],
  ] as const;
  for (const [unit, size, limit] of steps) {
    const text = significant(ns / size, 3);
    if (Number(text) < limit) return text + unit;
  }
  const seconds = Math.round(ns / NS_PER.s);
  if (seconds < 3_600) return twoUnits(seconds, 60, 'm', 's');
  const minutes = Math.round(ns / NS_PER.m);
  if (minutes < 1_440) return twoUnits(minutes, 60, 'h', 'm');
  const hours = Math.round(ns / NS_PER.h);
  return hours < 2_400 ? twoUnits(hours, 24, 'd', 'h') : `${formatCountExact(Math.round(hours / 24))} d`;
}

function twoUnits(small: number, perLarge: number, large: string, unit: string): string {
  return `${Math.floor(small / perLarge)} ${large} ${String(small % perLarge).padStart(2, '0')} ${unit}`;
}
