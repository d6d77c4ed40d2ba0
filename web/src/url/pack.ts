// `s=`: the id lists of a link that has become too long, as base64url of a version byte and their bytes.
//
// Ids are random, so deflate saves nothing on them that hex digits as bytes do not; it would also make reading a link
// asynchronous. Names and query text stay readable beside it: packed, they would be longer.
//
// Layout: version, then per list: key, number of runs, and per run: kind, number of items, items. Numbers are varints.
// Kinds are 0 for text (length and UTF-8), 8 and 16 for ids of so many bytes.

import { LIST_ITEMS_MAX, type Param } from './fields.ts';
import { base64Bytes, base64Text, hex } from './ids.ts';

/** A link longer than this is packed: chat programs and mail cut or break longer ones. */
export const PLAIN_CHARS_MAX = 1_500;

const VERSION = 1;
/** The position is what is written, so new keys go to the end. */
const KEYS = ['x', 'traceID', 'span', 'cohort'] as const;
type Key = (typeof KEYS)[number];

/** The same parameters with their id lists in `s`. */
export function packParams(params: readonly Param[]): Param[] {
  const bytes: number[] = [VERSION];
  for (const [index, key] of KEYS.entries()) {
    const values = params.filter((param) => param[0] === key && isPacked(param)).map((param) => param[1]);
    if (values.length > 0) bytes.push(index, ...packItems(toItems(key, values)));
  }
  const others = params.filter((param) => !isPacked(param));
  return bytes.length === 1 ? [...params] : [...others, ['s', base64Text(Uint8Array.from(bytes))]];
}

/** Null when it is broken or of a later version. */
export function unpackParams(packed: string): Param[] | null {
  const bytes = base64Bytes(packed);
  if (bytes === null || bytes[0] !== VERSION) return null;
  const reader = new Reader(bytes, 1);
  const params: Param[] = [];
  while (!reader.isAtEnd() && params.length <= LIST_ITEMS_MAX) {
    const key = KEYS[reader.byte() ?? -1];
    const items = key === undefined ? null : unpackItems(reader);
    if (key === undefined || items === null) return null;
    params.push(...fromItems(key, items).map((value): Param => [key, value]));
  }
  return params;
}

/** On the trace page `span` is one id, and not a list of ids within traces. */
function isPacked([key, value]: Param): boolean {
  return (KEYS as readonly string[]).includes(key) && (key !== 'span' || value.includes('@'));
}

/** `span=a b@t` is the items t, a, b: ids of different length need no separators. */
function toItems(key: Key, values: readonly string[]): string[] {
  if (key === 'x') return values.flatMap((value) => value.split(','));
  if (key !== 'span') return [...values];
  return values.flatMap((value) => {
    const at = value.lastIndexOf('@');
    return [value.slice(at + 1), ...value.slice(0, at).split(' ').filter(Boolean)];
  });
}

function fromItems(key: Key, items: readonly string[]): string[] {
  if (key === 'x') return [items.join(',')];
  if (key !== 'span') return [...items];
  const traces: { traceId: string; spanIds: string[] }[] = [];
  for (const item of items) {
    if (item.length === 32) traces.push({ traceId: item, spanIds: [] });
    else traces.at(-1)?.spanIds.push(item);
  }
  return traces.map(({ traceId, spanIds }) => `${spanIds.join(' ')}@${traceId}`);
}

function packItems(items: readonly string[]): number[] {
  const runs: { kind: number; items: string[] }[] = [];
  for (const item of items) {
    const kind = kindOf(item);
    const last = runs.at(-1);
    if (last?.kind === kind) last.items.push(item);
    else runs.push({ kind, items: [item] });
  }
  return [
    ...varint(runs.length),
    ...runs.flatMap((run) => [run.kind, ...varint(run.items.length), ...run.items.flatMap(packItem)]),
  ];
}

function packItem(item: string): number[] {
  if (kindOf(item) !== 0) return (item.match(/../g) ?? []).map((two) => Number.parseInt(two, 16));
  const utf8 = new TextEncoder().encode(item);
  return [...varint(utf8.length), ...utf8];
}

function unpackItems(reader: Reader): string[] | null {
  const items: string[] = [];
  const runs = reader.varint();
  if (runs === null) return null;
  for (let run = 0; run < runs; run += 1) {
    const kind = reader.byte();
    const count = reader.varint();
    if (kind === null || count === null || items.length + count > 2 * LIST_ITEMS_MAX) return null;
    for (let i = 0; i < count; i += 1) {
      const item = unpackItem(reader, kind);
      if (item === null) return null;
      items.push(item);
    }
  }
  return items;
}

function unpackItem(reader: Reader, kind: number): string | null {
  if (kind !== 0 && kind !== 8 && kind !== 16) return null;
  const length = kind === 0 ? reader.varint() : kind;
  const bytes = length === null ? null : reader.take(length);
  if (bytes === null) return null;
  return kind === 0 ? new TextDecoder().decode(bytes) : hex(bytes);
}

function kindOf(item: string): 0 | 8 | 16 {
  if (!/^[\da-f]+$/.test(item)) return 0;
  return item.length === 16 ? 8 : item.length === 32 ? 16 : 0;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

/** Reads bytes that anybody may have written: every read is checked against the end. */
class Reader {
  private readonly bytes: Uint8Array;
  private at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number | null {
    const byte = this.bytes[this.at];
    this.at += 1;
    return byte ?? null;
  }

  take(length: number): Uint8Array | null {
    if (length > this.bytes.length - this.at) return null;
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  varint(): number | null {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      if (byte === null) return null;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return null;
  }
}
