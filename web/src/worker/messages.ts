// What the page and the trace worker say to each other.
//
// Every request has an id; it is answered by any number of `partial` or `progress` and then one `done` or `failed`, all
// with that id.
// `cancel` names the request that is no longer wanted: it is answered by `failed` or not at all.

import type { SpanDetails, TraceKey } from '../api/types.ts';
import type { FlameIndex } from '../canvas/flameIndex.ts';
import type { TraceColumns } from '../model/columns.ts';
import type { DiffInput, TraceDiff } from '../model/diff.ts';
import type { FileSought } from '../model/fileQuery.ts';
import type { FieldValues, StatBy, StatInput, StatRow } from '../model/stats.ts';

export type StatKeys = readonly [StatBy] | readonly [StatBy, StatBy];

export type FieldKey = Pick<TraceKey, 'field' | 'spans'>;

/** What each kind of request asks for, and what it is answered with. */
export interface Calls {
  /** Fetches `/skeleton` and decodes it. */
  open: { ask: { url: string }; answer: OpenedTrace };
  /** Reads a file; its details stay in the worker until `closeFile`. Tells how far it is as it reads. */
  openFile: { ask: { name: string; file: Blob }; answer: OpenedFile };
  details: { ask: { file: number; trace: number; rows: readonly number[] }; answer: SpanDetails[] };
  /** The rows of a file's trace that satisfy all tests, or hold any of the words. */
  find: { ask: { file: number; trace: number; sought: FileSought }; answer: Uint32Array };
  /** The values of a field of a file's trace, by row. */
  column: { ask: { file: number; trace: number; field: string }; answer: FieldValues };
  /** The fields that spans of a file's trace have. */
  keys: { ask: { file: number; trace: number }; answer: FieldKey[] };
  closeFile: { ask: { file: number }; answer: null };
  /** `rows`: the words of the set of rows to look at. */
  stats: { ask: { columns: StatInput; keys: StatKeys; rows: Uint32Array | null }; answer: StatRow[] };
  diff: { ask: { a: DiffInput; b: DiffInput }; answer: TraceDiff };
}
export type CallName = keyof Calls;

export interface OpenedTrace {
  readonly columns: TraceColumns;
  readonly flame: FlameIndex;
}
export interface OpenedFile {
  /** For `details` and `closeFile`. */
  readonly file: number;
  readonly traces: readonly OpenedTrace[];
  /** What of the file could not be read. */
  readonly skipped: readonly { what: string; why: string }[];
}

/** Bytes; all of them are read: what was read is being made sense of. */
export interface FileProgress {
  readonly read: number;
  readonly all: number;
}

export type Request =
  | { [N in CallName]: { readonly id: number; readonly call: N; readonly ask: Calls[N]['ask'] } }[CallName]
  | { readonly id: number; readonly call: 'cancel' };

export type Response =
  | { readonly id: number; readonly type: 'partial'; readonly columns: TraceColumns }
  | { readonly id: number; readonly type: 'progress'; readonly progress: FileProgress }
  | { readonly id: number; readonly type: 'done'; readonly answer: Calls[CallName]['answer'] }
  | { readonly id: number; readonly type: 'failed'; readonly message: string; readonly hint: string | null };

/** The memory behind typed arrays anywhere in a value, each once: what can be moved instead of copied. */
export function buffersOf(value: unknown, found = new Set<ArrayBuffer>()): Set<ArrayBuffer> {
  if (ArrayBuffer.isView(value)) {
    // A view of a part is copied: whoever owns the rest would lose it.
    if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength) found.add(value.buffer);
  } else if (Array.isArray(value)) {
    if (typeof value[0] === 'object') for (const one of value) buffersOf(one, found);
  } else if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    for (const one of Object.values(value)) buffersOf(one, found);
  }
  return found;
}
