// Which span is seen at a pixel of a depth: the rule of the flame view, once for painting and once for pointing.
//
// Of the spans that touch a pixel the worst is seen: an error, then the critical path, then the longest. A span touches
// the pixel it starts in and all up to its end. Both functions use the same arithmetic, so `hitFlame` names the span
// whose colour is under the pointer. Work is width plus what cannot be skipped by blocks, not all spans.

import { FLAG, type Ns, type RowIndex } from '../model/columns.ts';
import { blockWhere, type FlameColumns, type FlameIndex, forEachEndingAfter, positionAt, wins } from './flameIndex.ts';

export interface FlameWindow {
  readonly from: Ns;
  readonly to: Ns;
  /** Device pixels. */
  readonly width: number;
}

/** The span whose colour is at a pixel, or -1. */
export function hitFlame(
  columns: FlameColumns,
  index: FlameIndex,
  window: FlameWindow,
  x: number,
  depth: number,
): RowIndex {
  const low = index.offsets[depth];
  const high = index.offsets[depth + 1];
  if (low === undefined || high === undefined || x < 0 || x >= window.width) return -1;
  const { perNs, from } = scaleOf(window);
  const pixel = Math.floor(x);
  let best = -1;
  const offer = (row: RowIndex): void => {
    if (best < 0 || wins(columns, row, best)) best = row;
  };
  // All that starts in pixels before this one and reaches it, then all that starts in it.
  let position = positionAt(columns, index, low, high, from + pixel / perNs);
  const pixelAt = (p: number): number =>
    Math.floor(((columns.start[index.rows[p] as number] as number) - from) * perNs);
  while (position > low && pixelAt(position - 1) >= pixel) position--;
  while (position < high && pixelAt(position) < pixel) position++;
  forEachEndingAfter(columns, index, low, position, (end) => Math.ceil((end - from) * perNs) > pixel, offer);
  while (position < high && pixelAt(position) === pixel) {
    let worst = index.rows[position] as number;
    const size = blockWhere(index, position, high, (level, block, last) => {
      if (pixelAt(last) !== pixel) return false;
      worst = level.worst[block] as number;
      return true;
    });
    offer(worst);
    position += Math.max(1, size);
  }
  return best;
}

/** For each pixel the row that is painted there, or -1. */
export function ownersOfDepth(
  columns: FlameColumns,
  index: FlameIndex,
  window: FlameWindow,
  depth: number,
  owners: Int32Array,
): void {
  owners.fill(-1);
  const low = index.offsets[depth];
  const high = index.offsets[depth + 1];
  if (low === undefined || high === undefined) return;
  const { rows, levels } = index;
  const { start, dur, flags } = columns;
  const { perNs, from } = scaleOf(window);
  const width = window.width;
  const pixelOf = (row: number): number => Math.floor(((start[row] as number) - from) * perNs);
  const endOf = (row: number): number => Math.ceil(((start[row] as number) + (dur[row] as number) - from) * perNs);
  // Spans that reach past the pixel they start in, the one to be painted on top.
  const wide = new WinnerHeap(columns);
  let position = positionAt(columns, index, low, high, from);
  forEachEndingAfter(
    columns,
    index,
    low,
    position,
    (end) => Math.ceil((end - from) * perNs) > 0,
    (row) => wide.push(row, endOf(row)),
  );

  let x = 0;
  while (x < width) {
    const next = position < high ? Math.min(width, pixelOf(rows[position] as number)) : width;
    // Until something starts, the widest of what is there.
    while (x < next) {
      const row = wide.top(x);
      const end = row < 0 ? next : Math.min(next, wide.topEnd);
      if (row < 0) x = end;
      else while (x < end) owners[x++] = row;
    }
    if (x >= width) return;
    // What starts and ends within this pixel: its best so far, with what decides. This is where the time goes at a
    // million spans, so floors, ceilings and calls are left out: `t < x + 1` says that floor(t) <= x.
    const right = x + 1;
    let narrow = -1;
    let narrowSeverity = -1;
    let narrowDur = -1;
    while (position < high) {
      let row = rows[position] as number;
      let taken = 1;
      if ((position & 7) === 0) {
        // The largest block that is all in this pixel: its worst stands for it.
        for (
          let l = 0, size = 8;
          l < levels.length && position % size === 0 && position + size <= high;
          l++, size *= 8
        ) {
          const level = levels[l] as FlameIndex['levels'][number];
          const block = position / size;
          const last = rows[position + size - 1] as number;
          if (
            ((level.latestEnd[block] as number) - from) * perNs > right ||
            ((start[last] as number) - from) * perNs >= right
          )
            break;
          taken = size;
          row = level.worst[block] as number;
        }
      }
      const at = start[row] as number;
      if ((at - from) * perNs >= right) break;
      position += taken;
      const length = dur[row] as number;
      const end = (at + length - from) * perNs;
      if (end > right) {
        wide.push(row, Math.ceil(end));
        continue;
      }
      const bits = flags[row] as number;
      const severe = (bits & FLAG.error) !== 0 ? 2 : (bits & FLAG.critical) !== 0 ? 1 : 0;
      if (
        severe < narrowSeverity ||
        (severe === narrowSeverity && (length < narrowDur || (length === narrowDur && row > narrow)))
      )
        continue;
      narrow = row;
      narrowSeverity = severe;
      narrowDur = length;
    }
    const top = wide.top(x);
    owners[x] = top >= 0 && (narrow < 0 || wins(columns, top, narrow)) ? top : narrow;
    x++;
  }
}

export function scaleOf(window: FlameWindow): { perNs: number; from: number } {
  return { perNs: window.width / (window.to - window.from), from: window.from };
}

/** Rows with the pixel they end at; the one that wins is on top. What ended is dropped when it comes to the top. */
class WinnerHeap {
  readonly #columns: FlameColumns;
  readonly #rows: number[] = [];
  readonly #ends: number[] = [];

  constructor(columns: FlameColumns) {
    this.#columns = columns;
  }

  get topEnd(): number {
    return this.#ends[0] as number;
  }

  /** The winner of those that reach pixel `x`, or -1. */
  top(x: number): number {
    while (this.#rows.length > 0 && (this.#ends[0] as number) <= x) this.#pop();
    return this.#rows[0] ?? -1;
  }

  push(row: number, end: number): void {
    const rows = this.#rows;
    const ends = this.#ends;
    // Whoever ends no later and does not win is never seen.
    if (rows.length > 0 && (ends[0] as number) >= end && wins(this.#columns, rows[0] as number, row)) return;
    let i = rows.length;
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (!wins(this.#columns, row, rows[up] as number)) break;
      rows[i] = rows[up] as number;
      ends[i] = ends[up] as number;
      i = up;
    }
    rows[i] = row;
    ends[i] = end;
  }

  #pop(): void {
    const row = this.#rows.pop() as number;
    const end = this.#ends.pop() as number;
    const size = this.#rows.length;
    if (size === 0) return;
    let i = 0;
    for (let child = 1; child < size; child = 2 * i + 1) {
      if (child + 1 < size && wins(this.#columns, this.#rows[child + 1] as number, this.#rows[child] as number))
        child++;
      if (!wins(this.#columns, this.#rows[child] as number, row)) break;
      this.#rows[i] = this.#rows[child] as number;
      this.#ends[i] = this.#ends[child] as number;
      i = child;
    }
    this.#rows[i] = row;
    this.#ends[i] = end;
  }
}
