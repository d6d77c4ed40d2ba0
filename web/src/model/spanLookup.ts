// From a span's id to its row, for many spans at once: when a trace has grown, everything that is known by row moves to
// the rows of the newer version.
//
// A table of slots over the ids as two words; of spans with one id the first is found. Eight bytes a span while it is
// kept.

import type { RowIndex, TraceColumns } from './columns.ts';

export class SpanLookup {
  readonly #ids: Uint8Array;
  /** Row + 1, 0: free. */
  readonly #slots: Uint32Array;
  readonly #mask: number;

  constructor(columns: Pick<TraceColumns, 'count' | 'spanId'>) {
    const { count } = columns;
    const size = 2 ** Math.ceil(Math.log2(Math.max(2, count * 2)));
    this.#ids = columns.spanId;
    this.#slots = new Uint32Array(size);
    this.#mask = size - 1;
    for (let row = 0; row < count; row++) {
      const slot = this.#find(this.#ids, row * 8);
      if (this.#slots[slot] === 0) this.#slots[slot] = row + 1;
    }
  }

  /** The row of the id that begins at `at`, or -1. */
  rowOf(ids: Uint8Array, at: number): RowIndex {
    return (this.#slots[this.#find(ids, at)] as number) - 1;
  }

  #find(ids: Uint8Array, at: number): number {
    let hash = 0x811c9dc5;
    for (let i = at; i < at + 8; i++) hash = Math.imul(hash ^ (ids[i] as number), 0x01000193);
    let slot = (hash ^ (hash >>> 15)) & this.#mask;
    for (let row = this.#slots[slot] as number; row !== 0; row = this.#slots[slot] as number) {
      const other = (row - 1) * 8;
      let k = 0;
      while (k < 8 && this.#ids[other + k] === ids[at + k]) k++;
      if (k === 8) return slot;
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }
}

/** For each row of the older version its row in the newer one, or -1. */
export function rowMapping(older: TraceColumns, newer: TraceColumns): (row: RowIndex) => RowIndex {
  const lookup = new SpanLookup(newer);
  return (row) => (row >= 0 && row < older.count ? lookup.rowOf(older.spanId, row * 8) : -1);
}
