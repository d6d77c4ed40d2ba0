// Instants as wall-clock fields of a time zone and back, over `Intl`, which knows every zone and its history.
//
// An instant is a bigint of nanoseconds since the epoch. `Intl` counts milliseconds; what is below a millisecond never
// depends on the zone and is carried beside it.

/** The reader's choice: the browser's zone, UTC, or an IANA name such as `Europe/Berlin`. */
export type Zone = 'browser' | 'UTC' | (string & { readonly __unit?: 'iana' });

export type WallTime = {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
};

const MS_PER_DAY = 86_400_000;
const NS_PER_MS = 1_000_000n;
/** What a `Date` can hold; later and earlier instants are drawn at this edge instead of throwing. */
const DATE_MS_MAX = 8.64e15 - MS_PER_DAY;

/** True for names that `Intl` knows; settings from another browser may hold others. */
export function isZone(zone: string): boolean {
  if (zone === 'browser') return true;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** Milliseconds since the epoch, rounded down, and the nanoseconds above them. */
export function splitNs(ns: bigint): { ms: number; restNs: number } {
  const restNs = ((ns % NS_PER_MS) + NS_PER_MS) % NS_PER_MS;
  return { ms: Number((ns - restNs) / NS_PER_MS), restNs: Number(restNs) };
}

export function msToNs(ms: number): bigint {
  return BigInt(Math.round(ms)) * NS_PER_MS;
}

/** The clock on the wall at this instant. */
export function wallTime(ns: bigint, zone: Zone): WallTime {
  const date = new Date(offsetMs(ns, zone) + clampMs(splitNs(ns).ms));
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  };
}

/**
 * The instant at which the wall shows this. Where the clock was set back it is the first of the two; a time that the
 * clock jumped over is as far behind the jump as it would have been.
 */
export function instantOf(wall: WallTime, zone: Zone): bigint {
  const asUtcMs = utcMs(wall);
  // The offsets a day before and after enclose any change; the earlier instant whose wall time is right wins.
  const candidates = [asUtcMs - MS_PER_DAY, asUtcMs + MS_PER_DAY].map(
    (ms) => asUtcMs - offsetMs(msToNs(clampMs(ms)), zone),
  );
  candidates.sort((a, b) => a - b);
  const right = candidates.find((ms) => ms + offsetMs(msToNs(clampMs(ms)), zone) === asUtcMs);
  return msToNs(clampMs(right ?? candidates.at(-1) ?? asUtcMs));
}

/** How far the wall clock is ahead of UTC, in milliseconds. */
export function offsetMs(ns: bigint, zone: Zone): number {
  if (zone === 'UTC') return 0;
  const ms = clampMs(splitNs(ns).ms);
  const wholeSecondMs = Math.floor(ms / 1000) * 1000;
  const fields: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of fieldsFormat(zone).formatToParts(wholeSecondMs)) fields[type] = Number(value);
  const wall = utcMs({
    year: fields.year ?? 1970,
    month: fields.month ?? 1,
    day: fields.day ?? 1,
    hour: fields.hour ?? 0,
    minute: fields.minute ?? 0,
    second: fields.second ?? 0,
  });
  return wall - wholeSecondMs;
}

/** `UTC`, `CET`, `UTC+05:45`: the name where it has one in English, else the offset. */
export function zoneLabel(ns: bigint, zone: Zone): string {
  if (zone === 'UTC') return 'UTC';
  const ms = clampMs(splitNs(ns).ms);
  // British English has names for Europe's zones, American English for America's.
  for (const locale of ['en-US', 'en-GB']) {
    const name = nameFormat(locale, zone)
      .formatToParts(ms)
      .find((part) => part.type === 'timeZoneName')?.value;
    if (name !== undefined && !/^(?:GMT|UTC)./.test(name))
      return name === 'GMT' && offsetMs(ns, zone) === 0 ? 'GMT' : name;
  }
  return offsetLabel(offsetMs(ns, zone));
}

function offsetLabel(offset: number): string {
  if (offset === 0) return 'UTC';
  const minutes = Math.round(Math.abs(offset) / 60_000);
  const text = `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
  return `UTC${offset < 0 ? '−' : '+'}${text}`;
}

/** Fields taken as if they were UTC. `Date.UTC` alone reads the years 0 to 99 as 1900 to 1999. */
function utcMs(wall: WallTime): number {
  const date = new Date(Date.UTC(2000, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second));
  if (wall.year === 2000) return date.getTime();
  return new Date(0).setUTCFullYear(wall.year, wall.month - 1, wall.day) + msOfDay(wall);
}

function msOfDay(wall: WallTime): number {
  return ((wall.hour * 60 + wall.minute) * 60 + wall.second) * 1000;
}

function clampMs(ms: number): number {
  return Math.min(DATE_MS_MAX, Math.max(-DATE_MS_MAX, ms));
}

// Making a formatter takes 65 µs and using one 3 µs, and one is needed per label, so they are kept: one per zone that
// was shown. A person shows a few zones; the bound is for whoever walks through all of them.
const FORMATS_MAX = 64;
const formats = new Map<string, Intl.DateTimeFormat>();

const FIELDS: Intl.DateTimeFormatOptions = {
  calendar: 'iso8601',
  numberingSystem: 'latn',
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
};

function fieldsFormat(zone: Zone): Intl.DateTimeFormat {
  return (
    formats.get(`fields ${zone}`) ??
    keep(`fields ${zone}`, new Intl.DateTimeFormat('en-US', { ...FIELDS, ...inZone(zone) }))
  );
}

function nameFormat(locale: string, zone: Zone): Intl.DateTimeFormat {
  const key = `${locale} ${zone}`;
  return formats.get(key) ?? keep(key, new Intl.DateTimeFormat(locale, { timeZoneName: 'short', ...inZone(zone) }));
}

/** Asks by making a formatter, so it is only for where one is made anyway. */
function inZone(zone: Zone): Intl.DateTimeFormatOptions {
  return zone === 'browser' ? {} : { timeZone: isZone(zone) ? zone : 'UTC' };
}

function keep(key: string, format: Intl.DateTimeFormat): Intl.DateTimeFormat {
  if (formats.size >= FORMATS_MAX) formats.clear();
  formats.set(key, format);
  return format;
}
