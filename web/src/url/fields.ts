// The parts that codecs are made of: a field reads one piece of state from its parameters and prints it back.
//
// Reading never throws. What cannot be read is the default, and a notice says so; what is the default is not printed,
// so that a link is as short as the view is plain. Keys are what every page and `s=` know a parameter by.

import { parseSpanId, type SpanId } from './ids.ts';
import { text as words } from './text.ts';
import { lastNs, parseInstant, parseLast, printInstant, type TimeRange } from './timeRange.ts';

export type Param = readonly [key: string, value: string];

/** The most entries that a list in a link may have. */
export const LIST_ITEMS_MAX = 2_000;

/** The parameters of a link; remembers which were asked for, so that the others can be told of. */
export class Params {
  private readonly values = new Map<string, string[]>();
  private readonly known = new Set<string>();
  readonly notices: string[] = [];

  constructor(params: Iterable<Param>) {
    for (const [key, value] of params) {
      const values = this.values.get(key);
      if (values === undefined) this.values.set(key, [value]);
      else if (values.length < LIST_ITEMS_MAX) values.push(value);
      else this.note(words.tooMany(key, LIST_ITEMS_MAX));
    }
  }

  all(key: string): readonly string[] {
    this.known.add(key);
    return this.values.get(key) ?? [];
  }

  /** The first value, as Jaeger takes it too; null without one. An empty one is none: `&maxDuration&` says nothing. */
  first(key: string): string | null {
    return this.all(key)[0] || null;
  }

  has(...keys: readonly string[]): boolean {
    return keys.some((key) => this.first(key) !== null);
  }

  note(notice: string): void {
    if (!this.notices.includes(notice)) this.notices.push(notice);
  }

  /** What nobody asked for. */
  unknown(): string[] {
    return [...this.values.keys()].filter((key) => !this.known.has(key));
  }
}

export type Field<T> = { readonly read: (params: Params) => T; readonly print: (value: T) => readonly Param[] };
/** One field for each piece of a state. */
export type Fields<S> = { readonly [K in keyof S]-?: Field<S[K]> };

export function readFields<S extends object>(fields: Fields<S>, params: Params): S {
  const state: Partial<S> = {};
  for (const key of Object.keys(fields) as (keyof S)[]) state[key] = fields[key].read(params);
  return state as S;
}

export function printFields<S extends object>(fields: Fields<S>, state: S): Param[] {
  return (Object.keys(fields) as (keyof S)[]).flatMap((key) => fields[key].print(state[key]));
}

/** A field of one parameter; `read` is null where the value is broken. */
function single<T>(key: string, fallback: T, read: (text: string) => T | null, print: (value: T) => string): Field<T> {
  return {
    read: (params) => {
      const text = params.first(key);
      if (text === null) return fallback;
      const value = read(text);
      if (value === null) params.note(words.broken(key, shortened(text)));
      return value ?? fallback;
    },
    print: (value) => (print(value) === print(fallback) ? [] : [[key, print(value)]]),
  };
}

export function text(key: string, fallback = ''): Field<string> {
  return single(
    key,
    fallback,
    (value) => value,
    (value) => value,
  );
}

export function optionalText(key: string): Field<string | null> {
  return single<string | null>(
    key,
    null,
    (value) => value,
    (value) => value ?? '',
  );
}

export function choice<T extends string>(key: string, choices: readonly [T, ...T[]]): Field<T> {
  return single<T>(
    key,
    choices[0],
    (value) => choices.find((one) => one === value) ?? null,
    (value) => value,
  );
}

/** `key=1` or `key=0`. */
export function flag(key: string, fallback: boolean): Field<boolean> {
  return single(
    key,
    fallback,
    (value) => (value === '1' || value === 'true' ? true : value === '0' || value === 'false' ? false : null),
    (value) => (value ? '1' : '0'),
  );
}

export function custom<T>(
  key: string,
  fallback: T,
  read: (text: string) => T | null,
  print: (value: T) => string,
): Field<T> {
  return single(key, fallback, read, print);
}

export function spanId(key: string): Field<SpanId | null> {
  return single<SpanId | null>(key, null, parseSpanId, (value) => value ?? '');
}

/** `a,b,c`; commas and backslashes within an entry are escaped. Empty entries do not exist. */
export function list(key: string): Field<readonly string[]> {
  return {
    read: (params) => {
      const items = params.all(key).flatMap(splitList);
      if (items.length > LIST_ITEMS_MAX) params.note(words.tooMany(key, LIST_ITEMS_MAX));
      return [...new Set(items)].slice(0, LIST_ITEMS_MAX);
    },
    print: (items) => (items.length === 0 ? [] : [[key, joinList(items)]]),
  };
}

export function joinList(items: readonly string[]): string {
  return items.map((item) => item.replace(/[\\,]/g, '\\$&')).join(',');
}

export function splitList(joined: string): string[] {
  const items = joined.match(/(?:[^\\,]|\\.|\\$)+/gs) ?? [];
  return items.map((item) => item.replace(/\\(.)/gs, '$1'));
}

/** `range=1h`, or `from=…&to=…`, which win. A usual range that is not the same everywhere is looked up each time. */
export function timeRange(usual: string | (() => string)): Field<TimeRange> {
  const fallback = () => (typeof usual === 'string' ? usual : usual());
  return {
    read: (params) => readRange(params, fallback()),
    print: (range) => {
      if (range.kind === 'relative') return range.last === fallback() ? [] : [['range', range.last]];
      const from: Param = ['from', printInstant(range.fromNs)];
      return range.toNs === null ? [from] : [from, ['to', printInstant(range.toNs)]];
    },
  };
}

function readRange(params: Params, fallback: string): TimeRange {
  const rangeText = params.first('range');
  const last = rangeText === null ? null : parseLast(rangeText);
  if (rangeText !== null && last === null) params.note(words.broken('range', shortened(rangeText)));
  const range: TimeRange = { kind: 'relative', last: last ?? fallback };
  const fromNs = readInstant(params, 'from');
  const toNs = readInstant(params, 'to');
  if (fromNs === null && toNs === null) return range;
  if (fromNs === null) return { kind: 'absolute', fromNs: before(toNs ?? 0n, range.last), toNs };
  if (toNs !== null && toNs <= fromNs) {
    params.note(words.backwards);
    return range;
  }
  return { kind: 'absolute', fromNs, toNs };
}

export function readInstant(params: Params, key: string): bigint | null {
  const value = params.first(key);
  if (value === null) return null;
  const ns = parseInstant(value);
  if (ns === null) params.note(words.noTime(key, shortened(value)));
  return ns;
}

/** The start of a range of this length, for links that have only an end. */
export function before(toNs: bigint, last: string): bigint {
  const fromNs = toNs - lastNs(last);
  return fromNs > 0n ? fromNs : 0n;
}

/** For notices: nobody reads more, and a link may hold anything. */
export function shortened(value: string): string {
  return value.length <= 40 ? value : `${value.slice(0, 40)}…`;
}
