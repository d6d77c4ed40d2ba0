// The range of time that a page is about, as it stands in a link: `range=1h`, or `from` and `to`.
//
// A relative range stays relative while somebody explores; `freezeRange` makes it absolute for whoever gets the link.
// Instants are bigints of nanoseconds since the epoch. Links may write them as RFC 3339 or as an epoch of any unit,
// which is told by its size: of one number only one unit gives a time between 1973 and 2262, where 64-bit
// nanoseconds end.

export type UnixNs = bigint & { readonly __unit?: 'unixNs' };

export type TimeRange =
  /** `1h`: up to now. */
  | { readonly kind: 'relative'; readonly last: string }
  /** `toNs` is null: up to now, from a point that does not move. */
  | { readonly kind: 'absolute'; readonly fromNs: UnixNs; readonly toNs: UnixNs | null };

const SECOND = 1_000_000_000n;
const UNIT_NS = { s: SECOND, m: 60n * SECOND, h: 3_600n * SECOND, d: 86_400n * SECOND, w: 604_800n * SECOND } as const;
/** What the server counts with. */
const UNIX_NS_MAX = 2n ** 63n - 1n;

/** `15m`, `1h`, `2d`; null when it is none. Five digits: more than a century in hours. */
export function parseLast(text: string): string | null {
  const match = /^0*([1-9]\d{0,4})([smhdw])$/.exec(text.trim());
  return match === null ? null : `${match[1]}${match[2]}`;
}

/** The length of a relative range. */
export function lastNs(last: string): bigint {
  const match = /^(\d{1,5})([smhdw])$/.exec(last);
  if (match === null) return UNIT_NS.h;
  return BigInt(match[1] ?? '1') * UNIT_NS[match[2] as keyof typeof UNIT_NS];
}

/** The shortest text for a length in milliseconds; null when it is no whole number of seconds. */
export function lastOfMs(ms: number): string | null {
  if (!Number.isSafeInteger(ms) || ms <= 0 || ms % 1000 !== 0) return null;
  const seconds = BigInt(ms / 1000);
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const size = UNIT_NS[unit] / SECOND;
    if (seconds % size === 0n) return parseLast(`${seconds / size}${unit}`);
  }
  return null;
}

/** The two ends as of now. */
export function resolveRange(range: TimeRange, nowNs: bigint): { fromNs: UnixNs; toNs: UnixNs } {
  if (range.kind === 'absolute') return { fromNs: range.fromNs, toNs: range.toNs ?? nowNs };
  const fromNs = nowNs - lastNs(range.last);
  return { fromNs: fromNs > 0n ? fromNs : 0n, toNs: nowNs };
}

export function freezeRange(range: TimeRange, nowNs: bigint): TimeRange {
  return { kind: 'absolute', ...resolveRange(range, nowNs) };
}

/** Nanoseconds of RFC 3339 text or of an epoch in s, ms, µs or ns; null when it is neither, or before 1970. */
export function parseInstant(text: string): UnixNs | null {
  const trimmed = text.trim();
  const ns = /^\d{1,19}$/.test(trimmed) ? epochNs(BigInt(trimmed)) : rfc3339Ns(trimmed);
  return ns !== null && ns >= 0n && ns <= UNIX_NS_MAX ? ns : null;
}

/** `2026-11-28T14:02:11.482Z`, with as many digits as it needs. */
export function printInstant(instant: UnixNs): string {
  const ns = instant < 0n ? 0n : instant > UNIX_NS_MAX ? UNIX_NS_MAX : instant;
  const rest = ns % SECOND;
  const date = new Date(Number((ns - rest) / 1_000_000n)).toISOString().slice(0, 19);
  return rest === 0n ? `${date}Z` : `${date}.${String(rest).padStart(9, '0').replace(/0+$/, '')}Z`;
}

function epochNs(value: bigint): bigint {
  if (value < 10n ** 11n) return value * SECOND;
  if (value < 10n ** 14n) return value * 1_000_000n;
  return value < 10n ** 17n ? value * 1_000n : value;
}

function rfc3339Ns(text: string): bigint | null {
  const match = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return null;
  const [, date = '', time = '', fraction = '', offset = ''] = match;
  const ms = Date.parse(`${date}T${time}${offset.toUpperCase()}`);
  return Number.isNaN(ms) ? null : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
