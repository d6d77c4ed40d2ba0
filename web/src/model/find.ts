// Finds spans by text, in the browser: words in names and services. What needs attributes is asked of the server.
//
// The text is split at spaces (double quotes keep them); a span matches when any of the words is in its name or its
// service, in any case, or is its id. `-key` only leaves attributes out, which are not looked at here. Words are looked
// up in the dictionaries, so the loop over spans only compares bits.

import { Bits } from './bits.ts';
import type { RowIndex, TraceColumns } from './columns.ts';
import { rowOfSpan } from './tree.ts';

const WORDS_MAX = 30;

export class Matches {
  readonly bits: Bits;
  readonly count: number;

  constructor(bits: Bits) {
    this.bits = bits;
    this.count = bits.count();
  }

  /** The next match after a row, from the first again after the last; -1: there is none. */
  next(after: RowIndex): RowIndex {
    const row = this.bits.next(after + 1);
    return row >= 0 ? row : this.bits.next(0);
  }

  previous(before: RowIndex): RowIndex {
    const row = this.bits.previous(before - 1);
    return row >= 0 ? row : this.bits.previous(this.bits.length - 1);
  }

  /** Which of the matches the row is, from 1; 0: it is none. */
  ordinal(row: RowIndex): number {
    return this.bits.has(row) ? this.bits.count(0, row + 1) : 0;
  }
}

export function wordsOf(text: string): string[] {
  const words = Array.from(text.matchAll(/"([^"]*)"?|(\S+)/g), (m) => (m[1] ?? m[2] ?? '').toLowerCase());
  return words.filter((word) => word !== '').slice(0, WORDS_MAX);
}

/** The words that are looked for: those without a minus in front, or quoted. */
function soughtOf(text: string): string[] {
  return wordsOf(text.replaceAll(/(^|\s)-\S*/g, ' '));
}

/** No words: no matches. */
export function findText(columns: TraceColumns, text: string): Matches {
  const bits = new Bits(columns.count);
  const words = soughtOf(text);
  for (const word of words) {
    const row = rowOfSpan(columns, word);
    if (row >= 0) bits.add(row);
  }
  if (words.length > 0) {
    const ofService = columns.services.map((service) => holdsAny(service, words));
    const ofName = columns.names.map((name) => holdsAny(name, words));
    const { service, name, count } = columns;
    for (let i = 0; i < count; i++) {
      if (ofService[service[i] as number] || ofName[name[i] as number]) bits.add(i);
    }
  }
  return new Matches(bits);
}

/** Rows that somebody else found, as the server's `find` does; what is not a row is left out. */
export function matchesOf(columns: TraceColumns, rows: Iterable<number>): Matches {
  const bits = new Bits(columns.count);
  for (const row of rows) if (Number.isInteger(row) && row >= 0) bits.add(row);
  return new Matches(bits);
}

/** Rows with any of the flags, for next and previous error. */
export function findFlags(columns: TraceColumns, flags: number): Matches {
  const bits = new Bits(columns.count);
  for (let i = 0; i < columns.count; i++) if (((columns.flags[i] as number) & flags) !== 0) bits.add(i);
  return new Matches(bits);
}

function holdsAny(text: string, words: readonly string[]): boolean {
  const lower = text.toLowerCase();
  return words.some((word) => lower.includes(word));
}
