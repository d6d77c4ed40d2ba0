// Times as people write them, in a zone: to nanoseconds and back. Reads `2026-11-23 14:05[:06[.123]]`, `14:05` (today),
// ISO with Z or an offset, `now`, `now-2h`, `-2h`, and epochs in s, ms, µs or ns.

const ms = 1_000_000n;
const unitNs: Record<string, bigint> = {
  s: 1_000n * ms,
  m: 60_000n * ms,
  h: 3_600_000n * ms,
  d: 86_400_000n * ms,
  w: 604_800_000n * ms,
};

/** "90m" → ns; null if it is none. */
export function durationNs(text: string): bigint | null {
  const found = /^(\d{1,6})\s*([smhdw])$/.exec(text.trim());
  const unit = unitNs[found?.[2] ?? ''];
  return found && unit ? BigInt(found[1] ?? 0) * unit : null;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** How far the zone's clock is ahead of UTC at an instant, in ms. */
export function zoneOffsetMs(utcMs: number, zone: string): number {
  let format = formats.get(zone);
  if (!format) {
    const two = '2-digit';
    const fields = { year: 'numeric', month: two, day: two, hour: two, minute: two, second: two } as const;
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', calendar: 'gregory', ...fields });
    formats.set(zone, format);
  }
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(utcMs)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(utcMs / 1000) * 1000;
}

/** The instant at which the zone's clock shows this. In the hour that is there twice: the first. */
function toUtcMs(wallMs: number, zone: string): number {
  const before = zoneOffsetMs(wallMs - 86_400_000, zone);
  const after = zoneOffsetMs(wallMs + 86_400_000, zone);
  for (const offset of [before, after]) if (zoneOffsetMs(wallMs - offset, zone) === offset) return wallMs - offset;
  return wallMs - before;
}

/** "2026-11-23 14:05:06", with milliseconds if there are any. */
export function writeTime(ns: bigint, zone: string): string {
  const utcMs = Number(ns / ms);
  const iso = new Date(utcMs + zoneOffsetMs(utcMs, zone)).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, iso.endsWith('.000Z') ? 19 : 23)}`;
}

/** "UTC+01:00" */
export function zoneOffsetText(ns: bigint, zone: string): string {
  const minutes = Math.round(zoneOffsetMs(Number(ns / ms), zone) / 60_000);
  if (minutes === 0) return 'UTC';
  const of = Math.abs(minutes);
  const two = (n: number) => String(n).padStart(2, '0');
  return `UTC${minutes < 0 ? '−' : '+'}${two(Math.floor(of / 60))}:${two(of % 60)}`;
}

function readEpoch(digits: string): bigint | null {
  const n = BigInt(digits);
  const scale = { 10: 1_000_000_000n, 13: 1_000_000n, 16: 1_000n, 19: 1n }[digits.length];
  return scale === undefined ? null : n * scale;
}

const wallClock =
  /^(?:(\d{4})-(\d\d?)-(\d\d?))?[T\s]*(?:(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|[+-]\d\d:?\d\d)?$/i;

export function readTime(text: string, zone: string, nowNs: bigint): bigint | null {
  const trimmed = text.trim();
  if (trimmed.toLowerCase() === 'now') return nowNs;
  const ago = /^(?:now)?\s*[-−]\s*(\w+)$/i.exec(trimmed);
  if (ago) {
    const back = durationNs(ago[1] ?? '');
    return back === null ? null : nowNs - back;
  }
  if (/^\d{10,19}$/.test(trimmed)) return readEpoch(trimmed);
  const found = trimmed === '' ? null : wallClock.exec(trimmed);
  if (!found) return null;
  const today = writeTime(nowNs, zone);
  const n = (i: number, other: number) => (found[i] === undefined ? other : Number(found[i]));
  const [year, month, day] = [
    n(1, Number(today.slice(0, 4))),
    n(2, Number(today.slice(5, 7))),
    n(3, Number(today.slice(8, 10))),
  ];
  const [hour, minute, second] = [n(4, 0), n(5, 0), n(6, 0)];
  const date = new Date(Date.UTC(year, month - 1, day));
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!isReal || hour > 23 || minute > 59 || second > 59) return null;
  const wallMs = Date.UTC(year, month - 1, day, hour, minute, second);
  const offset = found[8];
  const utcMs = offset === undefined ? toUtcMs(wallMs, zone) : wallMs - isoOffsetMs(offset);
  return BigInt(utcMs) * ms + BigInt((found[7] ?? '').padEnd(9, '0'));
}

function isoOffsetMs(text: string): number {
  if (text.toUpperCase() === 'Z') return 0;
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(-2));
  return (text.startsWith('-') ? -1 : 1) * minutes * 60_000;
}
