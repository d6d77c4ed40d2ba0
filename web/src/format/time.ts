// Instants as texts: the clock, the date, "3 min ago", and the three of a tooltip.
//
// All take nanoseconds since the epoch as a bigint, which no double can hold, and the zone that the reader chose.

import { formatCountExact } from './number.ts';
import { splitNs, wallTime, type Zone, zoneLabel } from './zone.ts';

export { isZone, type Zone, zoneLabel } from './zone.ts';

/** Digits after the second. */
export type Fraction = 0 | 3 | 6 | 9;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `15:02:11.482` */
export function clockTime(ns: bigint, zone: Zone, fraction: Fraction = 3): string {
  const wall = wallTime(ns, zone);
  return `${two(wall.hour)}:${two(wall.minute)}:${two(wall.second)}${fractionText(ns, fraction)}`;
}

/** `2026-11-28` */
export function dateText(ns: bigint, zone: Zone): string {
  const wall = wallTime(ns, zone);
  return `${String(wall.year).padStart(4, '0')}-${two(wall.month)}-${two(wall.day)}`;
}

/** `28 Nov` */
export function dayText(ns: bigint, zone: Zone): string {
  const wall = wallTime(ns, zone);
  return `${wall.day} ${MONTHS[wall.month - 1] ?? ''}`;
}

/** `2026-11-28 15:02:11.482`: the zone is said once, in the head of the column. */
export function dateTime(ns: bigint, zone: Zone, fraction: Fraction = 3): string {
  return `${dateText(ns, zone)} ${clockTime(ns, zone, fraction)}`;
}

/** The clock alone when it is the same day for the reader as now, else with the date. */
export function shortDateTime(ns: bigint, nowNs: bigint, zone: Zone, fraction: Fraction = 3): string {
  return dateText(ns, zone) === dateText(nowNs, zone) ? clockTime(ns, zone, fraction) : dateTime(ns, zone, fraction);
}

/** `just now`, `12 s ago`, `3 min ago`, `2 h ago`, `5 d ago`, `in 3 min`. Rounds down, so that it never overstates. */
export function relativeTime(ns: bigint, nowNs: bigint): string {
  const seconds = Number((nowNs - ns) / 1_000_000n) / 1000;
  const text = age(Math.abs(seconds));
  if (text === null) return 'just now';
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

export type TimeTooltip = { readonly local: string; readonly utc: string; readonly relative: string };

/** What is shown on hover over any time: in the reader's zone, in UTC, and how long ago. All digits there are. */
export function timeTooltip(ns: bigint, nowNs: bigint, zone: Zone): TimeTooltip {
  return {
    local: `${dateTime(ns, zone, 9)} ${zoneLabel(ns, zone)}`,
    utc: `${dateTime(ns, 'UTC', 9)} UTC`,
    relative: relativeTime(ns, nowNs),
  };
}

function age(seconds: number): string | null {
  if (seconds < 2) return null;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3_600) return `${Math.floor(seconds / 3_600)} h`;
  return `${formatCountExact(Math.floor(seconds / 86_400))} d`;
}

function fractionText(ns: bigint, fraction: Fraction): string {
  if (fraction === 0) return '';
  const { ms, restNs } = splitNs(ns);
  const nsOfSecond = (((ms % 1000) + 1000) % 1000) * 1_000_000 + restNs;
  return `.${String(nsOfSecond).padStart(9, '0').slice(0, fraction)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
