// Ticks of axes that show instants. Steps of a minute and less divide every zone's offset and are counted on the
// instant; longer ones are counted on the wall clock, so that ticks stay on the hour and on midnight when the clock
// changes: a day of 23 hours has one tick less, none is in the wrong place.

import { niceStep } from './durationAxis.ts';
import { clockTime, dateText, dayText, type Fraction } from './time.ts';
import { instantOf, type WallTime, wallTime, type Zone } from './zone.ts';

export type TimeTick = { readonly atNs: bigint; readonly label: string };

type CalendarStep = { readonly unit: 'minute' | 'day' | 'month'; readonly count: number };

export const TIME_TICKS_MAX = 100;

const S = 1_000_000_000;
const MINUTE = 60 * S;
const DAY = 86_400 * S;
/** Steps on the wall clock with their usual length. */
const CALENDAR_STEPS: readonly (CalendarStep & { readonly ns: number })[] = [
  ...[2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((count) => ({
    unit: 'minute' as const,
    count,
    ns: count * MINUTE,
  })),
  ...[1, 2, 7, 14].map((count) => ({ unit: 'day' as const, count, ns: count * DAY })),
  ...[1, 3, 6, 12, 24, 60, 120, 240, 600, 1200].map((count) => ({
    unit: 'month' as const,
    count,
    ns: count * 30.44 * DAY,
  })),
];

/** Ticks in [fromNs, toNs] of an axis of `widthPx`, at least `gapPx` apart. */
export function timeTicks(fromNs: bigint, toNs: bigint, widthPx: number, zone: Zone, gapPx = 90): TimeTick[] {
  const span = Number(toNs - fromNs);
  if (!(span > 0) || !(widthPx > 0)) return [];
  const atLeast = span / Math.min(TIME_TICKS_MAX, Math.max(1, widthPx / gapPx));
  if (atLeast <= MINUTE) return instantTicks(fromNs, toNs, niceStep(atLeast), zone);
  const step = CALENDAR_STEPS.find(({ ns }) => ns >= atLeast) ?? CALENDAR_STEPS.at(-1);
  return step === undefined ? [] : calendarTicks(fromNs, toNs, step, zone);
}

function instantTicks(fromNs: bigint, toNs: bigint, stepNs: number, zone: Zone): TimeTick[] {
  const step = BigInt(Math.max(1, Math.round(stepNs)));
  const fraction: Fraction = stepNs >= S ? 0 : stepNs >= 1e6 ? 3 : stepNs >= 1e3 ? 6 : 9;
  const ticks: TimeTick[] = [];
  const rest = ((fromNs % step) + step) % step;
  for (let at = rest === 0n ? fromNs : fromNs + step - rest; at <= toNs && ticks.length < TIME_TICKS_MAX; at += step) {
    const clock = clockTime(at, zone, fraction);
    ticks.push({ atNs: at, label: stepNs >= MINUTE ? clock.slice(0, 5) : clock });
  }
  return ticks;
}

function calendarTicks(fromNs: bigint, toNs: bigint, step: CalendarStep, zone: Zone): TimeTick[] {
  const ticks: TimeTick[] = [];
  const start = floorTo(wallTime(fromNs, zone), step);
  let last: bigint | null = null;
  // Ticks before `fromNs` and those that a clock change made equal are left out; there are few of either.
  for (let i = 0; i < 2 * TIME_TICKS_MAX && ticks.length < TIME_TICKS_MAX; i += 1) {
    const atNs = instantOf(plus(start, step, i), zone);
    if (atNs > toNs) break;
    if (atNs < fromNs || (last !== null && atNs <= last)) continue;
    ticks.push({ atNs, label: calendarLabel(atNs, step, zone) });
    last = atNs;
  }
  return ticks;
}

function calendarLabel(atNs: bigint, step: CalendarStep, zone: Zone): string {
  const wall = wallTime(atNs, zone);
  if (step.unit === 'month') return step.count >= 12 ? String(wall.year) : dateText(atNs, zone).slice(0, 7);
  // Midnight is where the day changes, so it says which day begins.
  if (step.unit === 'day' || (wall.hour === 0 && wall.minute === 0)) return dayText(atNs, zone);
  return clockTime(atNs, zone, 0).slice(0, 5);
}

/** The last wall time at or before `wall` that is a multiple of the step. */
function floorTo(wall: WallTime, step: CalendarStep): WallTime {
  const midnight = { ...wall, hour: 0, minute: 0, second: 0 };
  if (step.unit === 'minute') {
    const minutes = Math.floor((wall.hour * 60 + wall.minute) / step.count) * step.count;
    return { ...midnight, hour: Math.floor(minutes / 60), minute: minutes % 60 };
  }
  if (step.unit === 'month') {
    const months = Math.floor((wall.year * 12 + wall.month - 1) / step.count) * step.count;
    return { ...midnight, year: Math.floor(months / 12), month: (months % 12) + 1, day: 1 };
  }
  // Days are counted from a Monday, so that a step of seven days begins weeks.
  const days = Math.floor(Date.UTC(wall.year, wall.month - 1, wall.day) / 86_400_000) + 3;
  return fromUtcMs((Math.floor(days / step.count) * step.count - 3) * 86_400_000);
}

function plus(wall: WallTime, step: CalendarStep, times: number): WallTime {
  const by = step.count * times;
  if (step.unit === 'minute') {
    return fromUtcMs(Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute + by));
  }
  return fromUtcMs(
    Date.UTC(wall.year, wall.month - 1 + (step.unit === 'month' ? by : 0), wall.day + (step.unit === 'day' ? by : 0)),
  );
}

function fromUtcMs(ms: number): WallTime {
  return wallTime(BigInt(ms) * 1_000_000n, 'UTC');
}
