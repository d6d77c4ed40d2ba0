// The rows of the waterfall: which spans are shown, in which order.
//
// One walk over the trace, skipping what is collapsed, folded or filtered out, makes a list of entries; it is made
// again after every change (a few milliseconds at a million spans). What is collapsed, opened and filtered is kept by
// row, so that expanding again gives back what was there.
//
// - A row that passes no filter stays while something below it passes; the view dims it (`passes`).
// - A run of like siblings is one entry (its head, `isGroupAt`), which opens into its members, the longest first and
//   one level deeper. A filter that leaves fewer than two members shows them as plain rows.
// - The focused row is the only root.

import { Bits } from './bits.ts';
import { FLAG, type Ns, type RowIndex, type TraceColumns } from './columns.ts';
import { buildEntries, type Entries, GROUP_BIT, keptRows } from './rowWalk.ts';
import { groupMembers, hasChildren, isWithin, parentOf, subtreeEnd } from './tree.ts';

export interface RowFilter {
  /** Services that are not shown, as indexes into `services`. */
  readonly hiddenServices: ReadonlySet<number>;
  /** Shorter spans are not shown. */
  readonly minDuration: Ns;
  /** Only these, when not null. */
  readonly only: Bits | null;
  readonly onlyCritical: boolean;
}

export const NO_FILTER: RowFilter = { hiddenServices: new Set(), minDuration: 0, only: null, onlyCritical: false };

export class RowList {
  readonly columns: TraceColumns;
  readonly collapsed: Bits;
  /** Heads of runs that were opened. */
  readonly opened = new Set<RowIndex>();
  #isFolding = true;
  #focus: RowIndex = -1;
  #filter: RowFilter = NO_FILTER;
  #kept: Bits | null = null;
  /** Of runs that were asked for since the last change: a frame asks again for those on screen. */
  readonly #members = new Map<RowIndex, readonly RowIndex[]>();
  #entries: Entries;

  constructor(columns: TraceColumns) {
    this.columns = columns;
    this.collapsed = new Bits(columns.count);
    this.#entries = this.#build();
  }

  get length(): number {
    return this.#entries.length;
  }

  get isFolding(): boolean {
    return this.#isFolding;
  }

  get focus(): RowIndex {
    return this.#focus;
  }

  get filter(): RowFilter {
    return this.#filter;
  }

  rowAt(index: number): RowIndex {
    return index >= 0 && index < this.length ? ((this.#entries.list[index] as number) & ~GROUP_BIT) >>> 0 : -1;
  }

  /** The entry stands for the whole run of like siblings whose head is `rowAt`. */
  isGroupAt(index: number): boolean {
    return index >= 0 && index < this.length && ((this.#entries.list[index] as number) & GROUP_BIT) !== 0;
  }

  /** The level in the tree as shown, from 0. */
  levelAt(index: number): number {
    const depth = (this.columns.depth[this.rowAt(index)] as number) + (this.#entries.shift?.[index] ?? 0);
    return depth - (this.#focus >= 0 ? (this.columns.depth[this.#focus] as number) : 0);
  }

  isExpandableAt(index: number): boolean {
    return this.isGroupAt(index) || hasChildren(this.columns, this.rowAt(index));
  }

  isExpandedAt(index: number): boolean {
    const row = this.rowAt(index);
    return this.isGroupAt(index) ? this.opened.has(row) : hasChildren(this.columns, row) && !this.collapsed.has(row);
  }

  /** Where the row is shown, or -1. Of a run and its head, the span itself. */
  indexOf(row: RowIndex): number {
    const { list, length, isSorted } = this.#entries;
    if (row < 0) return -1;
    if (!isSorted) return list.subarray(0, length).indexOf(row);
    let low = 0;
    let high = length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (((list[mid] as number) & ~GROUP_BIT) >>> 0 < row) low = mid + 1;
      else high = mid;
    }
    return low < length && list[low] === row >>> 0 ? low : -1;
  }

  indexOfGroup(head: RowIndex): number {
    const { list, length } = this.#entries;
    return list.subarray(0, length).indexOf((head | GROUP_BIT) >>> 0);
  }

  /** Where the row is shown, or the entry that hides it: its run, or the nearest row above; -1 outside the focus. */
  nearestIndex(row: RowIndex): number {
    for (let at = row; at >= 0; at = parentOf(this.columns, at)) {
      const index = this.indexOf(at);
      if (index >= 0) return index;
      const head = this.#isFolding ? groupMembers(this.columns, at)[0] : undefined;
      const group = head === undefined ? -1 : this.indexOfGroup(head);
      if (group >= 0) return group;
    }
    return -1;
  }

  /** The entry one level up, or -1. */
  parentIndex(index: number): number {
    const level = this.levelAt(index);
    for (let i = index - 1; i >= 0; i--) if (this.levelAt(i) < level) return i;
    return -1;
  }

  /** Whether the row itself passes the filter; the others are shown for what is below them. */
  passes(row: RowIndex): boolean {
    const { columns: c } = this;
    const { hiddenServices, minDuration, only, onlyCritical } = this.#filter;
    return (
      !hiddenServices.has(c.service[row] as number) &&
      (c.dur[row] as number) >= minDuration &&
      (only === null || only.has(row)) &&
      (!onlyCritical || ((c.flags[row] as number) & FLAG.critical) !== 0)
    );
  }

  /** The members of a run that the filter leaves. */
  membersAt(index: number): readonly RowIndex[] {
    const row = this.rowAt(index);
    const known = this.#members.get(row);
    if (known !== undefined) return known;
    const members = groupMembers(this.columns, row).filter((member) => this.#kept?.has(member) ?? true);
    this.#members.set(row, members);
    return members;
  }

  setFilter(filter: RowFilter): void {
    this.#filter = filter;
    this.#kept = keptRows(this.columns, filter);
    this.#entries = this.#build();
  }

  setFolding(isFolding: boolean): void {
    this.#isFolding = isFolding;
    this.#entries = this.#build();
  }

  /** Shows only the row and what is below it; -1: everything. */
  setFocus(row: RowIndex): void {
    this.#focus = row < this.columns.count ? row : -1;
    this.#entries = this.#build();
  }

  /** Opens or closes an entry. */
  toggleAt(index: number): void {
    this.setExpandedAt(index, !this.isExpandedAt(index));
  }

  setExpandedAt(index: number, isExpanded: boolean): void {
    const row = this.rowAt(index);
    if (this.isGroupAt(index)) {
      if (isExpanded) this.opened.add(row);
      else this.opened.delete(row);
    } else if (isExpanded) this.collapsed.delete(row);
    else if (hasChildren(this.columns, row)) this.collapsed.add(row);
    this.#entries = this.#build();
  }

  setSubtreeExpanded(row: RowIndex, isExpanded: boolean): void {
    for (let i = row, end = subtreeEnd(this.columns, row); i < end; i++) {
      if (isExpanded) this.collapsed.delete(i);
      else if (hasChildren(this.columns, i)) this.collapsed.add(i);
    }
    this.#entries = this.#build();
  }

  collapseAll(): void {
    const { count, subtree } = this.columns;
    const { words } = this.collapsed;
    for (let i = 0; i < count; i++) {
      if ((subtree[i] as number) > 1) words[i >>> 5] = (words[i >>> 5] as number) | (1 << (i & 31));
    }
    this.opened.clear();
    this.#entries = this.#build();
  }

  expandAll(): void {
    this.collapsed.clear();
    this.#entries = this.#build();
  }

  /** Closes the parents of the deepest rows that are shown. */
  collapseOneLevel(): void {
    let deepest = 0;
    for (let i = 0; i < this.length; i++) deepest = Math.max(deepest, this.columns.depth[this.rowAt(i)] as number);
    this.#setCollapsedAtDepth(deepest - 1, true);
  }

  /** Opens the closed rows nearest to the root. */
  expandOneLevel(): void {
    let nearest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.length; i++) {
      const row = this.rowAt(i);
      if (this.collapsed.has(row)) nearest = Math.min(nearest, this.columns.depth[row] as number);
    }
    this.#setCollapsedAtDepth(nearest, false);
  }

  /** Opens everything above a row, so that it is shown unless a filter or the focus hides it. */
  reveal(row: RowIndex): void {
    if (this.#focus >= 0 && !isWithin(this.columns, row, this.#focus)) this.#focus = -1;
    for (let at = row; at >= 0; at = parentOf(this.columns, at)) {
      if (at !== row) this.collapsed.delete(at);
      const head = groupMembers(this.columns, at)[0];
      if (head !== undefined) this.opened.add(head);
    }
    this.#entries = this.#build();
  }

  /** Takes over what was collapsed, opened and filtered by spans of an older version of the same trace. */
  adopt(older: RowList, rowOf: (olderRow: RowIndex) => RowIndex): void {
    for (let i = older.collapsed.next(0); i >= 0; i = older.collapsed.next(i + 1)) {
      const row = rowOf(i);
      if (row >= 0 && hasChildren(this.columns, row)) this.collapsed.add(row);
    }
    for (const head of older.opened) {
      const row = groupMembers(this.columns, rowOf(head))[0];
      if (row !== undefined) this.opened.add(row);
    }
    this.#isFolding = older.isFolding;
    this.#focus = older.focus < 0 ? -1 : rowOf(older.focus);
    this.setFilter({ ...older.filter, only: null });
  }

  #setCollapsedAtDepth(depth: number, isCollapsed: boolean): void {
    for (let i = 0; i < this.length; i++) {
      const row = this.rowAt(i);
      if (this.columns.depth[row] !== depth || this.isGroupAt(i)) continue;
      if (!isCollapsed) this.collapsed.delete(row);
      else if (hasChildren(this.columns, row)) this.collapsed.add(row);
    }
    this.#entries = this.#build();
  }

  #build(): Entries {
    this.#members.clear();
    return buildEntries(this.columns, {
      collapsed: this.collapsed,
      opened: this.#isFolding ? this.opened : null,
      kept: this.#kept,
      focus: this.#focus,
    });
  }
}
