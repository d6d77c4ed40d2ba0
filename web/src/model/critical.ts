// The critical path by row: the trace has its pieces by time, bars ask for those of a row.
//
// Rows are in pre-order, so the pieces of a whole subtree are as near as those of one row.

import type { Ns, RowIndex, TraceColumns } from './columns.ts';

export class CriticalIndex {
  readonly #critical: TraceColumns['critical'];
  /** Indexes of pieces, by row and within a row by time. */
  readonly #order: Uint32Array;

  constructor(critical: TraceColumns['critical']) {
    this.#critical = critical;
    const { row, from } = critical;
    this.#order = Uint32Array.from(row.keys()).sort(
      (a, b) => (row[a] as number) - (row[b] as number) || (from[a] as number) - (from[b] as number),
    );
  }

  /** The pieces of the rows `[first, end)`. */
  forEach(first: RowIndex, end: RowIndex, piece: (from: Ns, to: Ns, row: RowIndex) => void): void {
    const { row, from, to } = this.#critical;
    for (let k = this.#position(first); k < this.#order.length; k++) {
      const at = this.#order[k] as number;
      if ((row[at] as number) >= end) return;
      piece(from[at] as number, to[at] as number, row[at] as number);
    }
  }

  /** Time on the critical path that the rows `[first, end)` spend. */
  time(first: RowIndex, end: RowIndex): Ns {
    let sum = 0;
    this.forEach(first, end, (from, to) => {
      sum += to - from;
    });
    return sum;
  }

  #position(first: RowIndex): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if ((this.#critical.row[this.#order[mid] as number] as number) < first) low = mid + 1;
      else high = mid;
    }
    return low;
  }
}
