// The rows on screen, recycled: an element whose entry left the screen is filled with one that came. The element that
// has the focus is kept for its entry even off the screen, so that the focus is never lost.

import type { RowColours } from '../../../canvas/theme.ts';
import type { Bits } from '../../../model/bits.ts';
import type { TraceSession } from '../state/session.ts';
import type { ValueColumn } from '../state/useValueColumns.ts';
import { Row } from './row.ts';

export type RowsInput = {
  readonly session: TraceSession;
  /** Prefix of the ids of rows. */
  readonly id: string;
  readonly colours: RowColours;
  readonly values: readonly ValueColumn[];
  readonly matches: Bits | null;
  /** The entry that has the focus, or would get it; -1: the first. */
  readonly active: number;
  readonly indentPx: number;
  /** Changes with the list of rows. */
  readonly revision: string;
  /** Changes when what a row shows may have; with the list, too. */
  readonly stamp: string;
};

export class RowPool {
  readonly #parent: HTMLElement;
  readonly #rows = new Map<number, Row>();
  readonly #free: Row[] = [];
  #active = -1;
  #revision = '';

  constructor(parent: HTMLElement) {
    this.#parent = parent;
  }

  /** The entries `[first, last)`, each at the height that `topOf` says. */
  draw(first: number, last: number, topOf: (index: number) => number, input: RowsInput): void {
    const before = this.#active;
    const isRebuilt = input.revision !== this.#revision;
    const hadFocus = this.hasFocus;
    this.#active = input.active;
    this.#revision = input.revision;
    if (isRebuilt) this.#keepFocus(Math.max(0, before), Math.max(0, input.active));
    const keep = Math.max(0, input.active);
    for (const [index, row] of this.#rows) {
      if ((index >= first && index < last) || (index === keep && last > first)) continue;
      this.#rows.delete(index);
      this.#free.push(row);
    }
    for (let index = first; index < last; index++) this.#put(index, topOf, input);
    if ((keep < first || keep >= last) && keep < input.session.rows.length) this.#put(keep, topOf, input);
    for (const row of this.#free) row.park();
    if (hadFocus && !isRebuilt && before !== input.active) this.focus(input.active);
  }

  elementAt(index: number): HTMLElement | null {
    return this.#rows.get(index)?.element ?? null;
  }

  get hasFocus(): boolean {
    return this.#parent.contains(document.activeElement);
  }

  focus(index: number): void {
    this.#rows.get(Math.max(0, index))?.element.focus({ preventScroll: true });
  }

  /** Once scrolling rests: in the order in which they are read. The one with the focus does not move. */
  sort(): void {
    const focused = document.activeElement;
    const inOrder = [...this.#rows.values()].sort((a, b) => a.index - b.index).map((row) => row.element);
    const at = inOrder.indexOf(focused as HTMLDivElement);
    if (at < 0) {
      this.#parent.append(...inOrder);
      return;
    }
    const pinned = inOrder[at] as HTMLElement;
    for (const element of inOrder.slice(0, at)) this.#parent.insertBefore(element, pinned);
    this.#parent.append(...inOrder.slice(at + 1));
  }

  /** The list was made anew, and the entry with the focus has another place: its element goes with it. */
  #keepFocus(before: number, active: number): void {
    if (before === active) return;
    const row = this.#rows.get(before);
    if (row === undefined || row.element !== document.activeElement) return;
    const other = this.#rows.get(active);
    this.#rows.delete(before);
    this.#rows.set(active, row);
    if (other !== undefined) this.#free.push(other);
  }

  #put(index: number, topOf: (index: number) => number, input: RowsInput): void {
    let row = this.#rows.get(index);
    if (row === undefined) {
      row = this.#free.pop() ?? this.#make();
      this.#rows.set(index, row);
    }
    row.fill(index, input);
    row.place(topOf(index));
  }

  #make(): Row {
    const row = new Row();
    this.#parent.append(row.element);
    return row;
  }
}
