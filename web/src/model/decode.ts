// The answer of `/skeleton` into the columns of a trace.
//
// The body is two Arrow IPC streams, one after the other, each preceded by its length in bytes as a little-endian u32:
//
// 1. the skeleton, one row a span in pre-order, in batches of about 16k rows: `span_id` fixed binary(8), `depth` u16,
//    `subtree` u32, `start` `dur` `self` f64, `service` `name` dictionary of utf8, `kind` `status` u8, `flags` u16,
//    `group` u32. Metadata of its schema: `trace_id`, `version`, `start_ns`, `duration_ns`, `errors`, `complete`
//    ("true"), `warnings` (a JSON array of texts), and `spans`, which may be left out: memory is then taken as rows
//    come.
// 2. the critical path by time: `row` u32, `from` `to` f64.
//
// Rows that are there never change while others come: `columns()` may be called at any time and gives views of what
// has arrived, so that the first batch is painted while the rest is on its way. A value is copied once, from its batch
// into the trace's column; views into the batches would make every loop a loop over batches. A row whose `subtree`
// is 0 would make loops stand still and is read as 1. What is not a trace fails with `DecodeError`.

import { type Table, tableFromIPC } from '@uwdata/flechette';
import { ArrowFrames, DecodeError } from './arrowFrames.ts';
import type { TraceColumns } from './columns.ts';

export { DecodeError } from './arrowFrames.ts';

const ROWS_MAX = 50_000_000;

type Writable = { -readonly [K in keyof TraceColumns]: TraceColumns[K] };
type ColumnArray = Uint8Array | Uint16Array | Uint32Array | Float64Array;
type FixedColumn =
  | 'spanId'
  | 'depth'
  | 'subtree'
  | 'start'
  | 'dur'
  | 'self'
  | 'service'
  | 'name'
  | 'kind'
  | 'status'
  | 'flags'
  | 'group';

/** Field of the stream, column of the trace, array elements a row. */
const FIXED: readonly (readonly [field: string, column: FixedColumn, width: number])[] = [
  ['span_id', 'spanId', 8],
  ['depth', 'depth', 1],
  ['subtree', 'subtree', 1],
  ['start', 'start', 1],
  ['dur', 'dur', 1],
  ['self', 'self', 1],
  ['service', 'service', 1],
  ['name', 'name', 1],
  ['kind', 'kind', 1],
  ['status', 'status', 1],
  ['flags', 'flags', 1],
  ['group', 'group', 1],
];

export class TraceDecoder {
  readonly #frames = new ArrowFrames();
  readonly #streams: StreamMessages[] = [];
  #trace: Writable | null = null;
  #capacity = 0;
  #count = 0;
  #criticals: TraceColumns['critical'][] = [];

  /** Takes the next piece of the body; says whether rows came. */
  push(chunk: Uint8Array): boolean {
    this.#frames.push(chunk);
    const before = this.#count;
    for (let frame = this.#frames.next(); frame !== null; frame = this.#frames.next()) {
      if (frame.message === null) continue;
      const stream = this.#streams[frame.stream] ?? new StreamMessages();
      this.#streams[frame.stream] = stream;
      const table = stream.add(frame.message);
      if (frame.stream === 0) this.#rows(stream, table);
      else if (frame.stream === 1) this.#critical(table);
    }
    return this.#count > before;
  }

  /** What has come so far; null before the first message. */
  columns(): TraceColumns | null {
    const trace = this.#trace;
    if (trace === null) return null;
    const view: Writable = { ...trace, count: this.#count, critical: joinCritical(this.#criticals) };
    for (const [, column, width] of FIXED) setColumn(view, column, trace[column].subarray(0, this.#count * width));
    return view;
  }

  /** The whole trace; memory that was taken in advance is given back. */
  finish(): TraceColumns {
    this.#frames.end();
    const columns = this.columns();
    if (columns === null) throw new DecodeError('the answer has no trace in it');
    if (this.#capacity === this.#count) return columns;
    const trimmed: Writable = { ...columns };
    for (const [, column] of FIXED) setColumn(trimmed, column, columns[column].slice());
    return trimmed;
  }

  #rows(stream: StreamMessages, table: Table): void {
    this.#trace ??= this.#begin(table.schema.metadata ?? new Map());
    const rows = table.numRows;
    this.#reserve(this.#count + rows);
    const trace = this.#trace;
    for (const [field, column, width] of FIXED) {
      if (rows === 0) break;
      const values = valuesOf(table, field, rows * width);
      (trace[column] as ColumnArray).set(values, this.#count * width);
    }
    for (let i = this.#count; i < this.#count + rows; i++) {
      if (trace.subtree[i] === 0) trace.subtree[i] = 1;
    }
    if (rows > 0 && stream.hasNewDictionaries()) {
      trace.services = grown(trace.services, dictionaryOf(table, 'service'));
      trace.names = grown(trace.names, dictionaryOf(table, 'name'));
    }
    this.#count += rows;
  }

  #critical(table: Table): void {
    const rows = table.numRows;
    if (rows === 0) return;
    this.#criticals.push({
      row: Uint32Array.from(valuesOf(table, 'row', rows)),
      from: Float64Array.from(valuesOf(table, 'from', rows)),
      to: Float64Array.from(valuesOf(table, 'to', rows)),
    });
  }

  #begin(metadata: ReadonlyMap<string, string>): Writable {
    const spans = numberOf(metadata.get('spans'));
    if (spans > ROWS_MAX) throw new DecodeError(`a trace of ${spans} spans is more than can be shown`);
    this.#capacity = spans;
    return {
      traceId: metadata.get('trace_id') ?? '',
      version: metadata.get('version') ?? '',
      isComplete: metadata.get('complete') === 'true',
      startNs: bigintOf(metadata.get('start_ns')),
      durationNs: numberOf(metadata.get('duration_ns')),
      errors: numberOf(metadata.get('errors')),
      warnings: textsOf(metadata.get('warnings')),
      count: 0,
      services: [],
      names: [],
      ...emptyColumns(spans),
      critical: joinCritical([]),
    };
  }

  #reserve(rows: number): void {
    if (rows <= this.#capacity || this.#trace === null) return;
    if (rows > ROWS_MAX) throw new DecodeError(`more than ${ROWS_MAX} spans cannot be shown`);
    this.#capacity = Math.max(rows, this.#capacity * 2);
    const larger = emptyColumns(this.#capacity);
    for (const [, column, width] of FIXED) {
      (larger[column] as ColumnArray).set(this.#trace[column].subarray(0, this.#count * width));
      setColumn(this.#trace, column, larger[column]);
    }
  }
}

/** A body that is there as a whole. */
export function decodeTrace(body: Uint8Array): TraceColumns {
  const decoder = new TraceDecoder();
  decoder.push(body);
  return decoder.finish();
}

/** Yields growing columns as rows come, at last the whole trace. */
export async function* decodeProgressively(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<{ columns: TraceColumns; isLast: boolean }> {
  const decoder = new TraceDecoder();
  const reader = body.getReader();
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      const columns = decoder.push(piece.value) ? decoder.columns() : null;
      if (columns !== null) yield { columns, isLast: false };
    }
    yield { columns: decoder.finish(), isLast: true };
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The messages of a stream that later ones need: its schema and its dictionaries. */
class StreamMessages {
  readonly #kept: Uint8Array[] = [];
  #seen = 0;

  /** What the message says as a table; without rows where it is a schema or a dictionary. */
  add(message: Uint8Array): Table {
    let table: Table;
    try {
      table = tableFromIPC([...this.#kept, message]);
    } catch (cause) {
      throw new DecodeError(`the trace cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      });
    }
    if (table.numRows === 0) this.#kept.push(message);
    return table;
  }

  /** Whether dictionaries came since the last question. */
  hasNewDictionaries(): boolean {
    const isNew = this.#kept.length > this.#seen;
    this.#seen = this.#kept.length;
    return isNew;
  }
}

function valuesOf(table: Table, field: string, length: number): ColumnArray {
  const values = table.getChild(field)?.data[0]?.values;
  if (values === undefined || values.length < length) throw new DecodeError(`the trace has no column \`${field}\``);
  return values.subarray(0, length) as ColumnArray;
}

function dictionaryOf(table: Table, field: string): readonly string[] {
  const batch = table.getChild(field)?.data[0] as { dictionary?: { toArray(): ArrayLike<unknown> } } | undefined;
  if (batch?.dictionary === undefined) throw new DecodeError(`the column \`${field}\` has no dictionary`);
  return Array.from(batch.dictionary.toArray(), (text) => (typeof text === 'string' ? text : ''));
}

/** A dictionary may only grow: rows that are there keep their words. */
function grown(old: readonly string[], now: readonly string[]): readonly string[] {
  if (old.some((word, i) => now[i] !== word)) throw new DecodeError('a dictionary changed within the trace');
  return now;
}

function joinCritical(parts: readonly TraceColumns['critical'][]): TraceColumns['critical'] {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const length = parts.reduce((sum, part) => sum + part.row.length, 0);
  const whole = { row: new Uint32Array(length), from: new Float64Array(length), to: new Float64Array(length) };
  let at = 0;
  for (const part of parts) {
    whole.row.set(part.row, at);
    whole.from.set(part.from, at);
    whole.to.set(part.to, at);
    at += part.row.length;
  }
  return whole;
}

/** Zeroed columns for `rows` rows. */
export function emptyColumns(rows: number): Pick<TraceColumns, FixedColumn> {
  return {
    spanId: new Uint8Array(rows * 8),
    depth: new Uint16Array(rows),
    subtree: new Uint32Array(rows),
    start: new Float64Array(rows),
    dur: new Float64Array(rows),
    self: new Float64Array(rows),
    service: new Uint32Array(rows),
    name: new Uint32Array(rows),
    kind: new Uint8Array(rows),
    status: new Uint8Array(rows),
    flags: new Uint16Array(rows),
    group: new Uint32Array(rows),
  };
}

function setColumn(trace: Writable, column: FixedColumn, values: ColumnArray): void {
  (trace as Record<FixedColumn, ColumnArray>)[column] = values;
}

function numberOf(text: string | undefined): number {
  const value = Number(text ?? 0);
  return Number.isFinite(value) && value > 0 ? value : 0;
}

function bigintOf(text: string | undefined): bigint {
  return text !== undefined && /^-?\d{1,20}$/.test(text) ? BigInt(text) : 0n;
}

function textsOf(json: string | undefined): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(json ?? '[]');
    return Array.isArray(parsed) ? parsed.filter((text): text is string => typeof text === 'string') : [];
  } catch {
    return [];
  }
}
