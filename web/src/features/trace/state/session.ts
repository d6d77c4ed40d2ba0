// What is kept about one version of a trace while it is shown: its list of rows, its indexes, and what drawing asks for
// again and again. Typed arrays and bounded caches only, nothing per span.

import { latestEnds } from '../../../canvas/barRows.ts';
import type { BarRow } from '../../../canvas/bars.ts';
import type { FlameIndex } from '../../../canvas/flameIndex.ts';
import { FLAG, type Ns, type RowIndex, type TraceColumns } from '../../../model/columns.ts';
import { CriticalIndex } from '../../../model/critical.ts';
import { findFlags, type Matches } from '../../../model/find.ts';
import { NO_FILTER, type RowFilter, RowList } from '../../../model/rows.ts';
import { distributionOf, type RowsDistribution } from '../../../model/rowsDistribution.ts';
import { summarize, type TraceSummaryFacts } from '../../../model/summary.ts';
import { groupMembers, rowOfSpan } from '../../../model/tree.ts';
import { assignColours, NEUTRAL_SLOT, type Slot } from '../../../theme/palette.ts';
import type { Collapse, SpanId } from '../../../url/index.ts';
import { ALL_OPEN, writeClosed } from './collapse.ts';

/** As painters have it: -1 for what has no colour of its own. */
export function canvasSlot(slot: Slot = NEUTRAL_SLOT): number {
  return slot < NEUTRAL_SLOT ? slot : -1;
}

/** Entries whose bars are remembered; far more than are ever on screen. */
const CACHED_MAX = 4_000;

export type ShownRows = {
  readonly collapse: Collapse;
  readonly isFolding: boolean;
  readonly focus: RowIndex;
  readonly filter: RowFilter;
};

export class TraceSession {
  readonly columns: TraceColumns;
  /** Null until all rows have come. */
  readonly flame: FlameIndex | null;
  readonly rows: RowList;
  readonly facts: TraceSummaryFacts;
  readonly critical: CriticalIndex;
  /** By service; -1: no colour of its own. */
  readonly slots: Int8Array;
  /** The latest end in a row's subtree. */
  readonly latestEnd: (row: RowIndex) => Ns;
  #shown: ShownRows = { collapse: ALL_OPEN, isFolding: true, focus: -1, filter: NO_FILTER };
  #revision = 0;
  #errors: Matches | null = null;
  readonly #bars = new Map<number, BarRow>();
  readonly #distributions = new Map<RowIndex, RowsDistribution>();
  readonly #rowOf = new Map<SpanId, RowIndex>();
  #hasRuns: boolean | null = null;
  readonly #listeners = new Set<() => void>();

  constructor(columns: TraceColumns, flame: FlameIndex | null) {
    this.columns = columns;
    this.flame = flame;
    this.rows = new RowList(columns);
    this.facts = summarize(columns);
    this.latestEnd = latestEnds(columns);
    this.critical = new CriticalIndex(columns.critical);
    const sizes = this.facts.services.map(({ name, spans }) => ({ service: name, spans }));
    const slots = assignColours(sizes);
    this.slots = Int8Array.from(columns.services, (name) => canvasSlot(slots.get(name)));
  }

  /** Changes with every change of the list of rows. */
  readonly revision = (): number => this.#revision;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Rows that failed. */
  get errors(): Matches {
    this.#errors ??= findFlags(this.columns, FLAG.error);
    return this.#errors;
  }

  /** Whether there are repeats to fold. */
  get hasRuns(): boolean {
    this.#hasRuns ??= this.columns.group.some((group) => group > 0);
    return this.#hasRuns;
  }

  readonly rowOf = (spanId: SpanId): RowIndex => {
    let row = this.#rowOf.get(spanId);
    if (row === undefined) {
      row = rowOfSpan(this.columns, spanId);
      if (this.#rowOf.size >= CACHED_MAX) this.#rowOf.clear();
      this.#rowOf.set(spanId, row);
    }
    return row;
  };

  /** Makes the list of rows anew where something of it changed. */
  show(next: ShownRows): void {
    const { rows } = this;
    const before = this.#shown;
    let isBuilt = false;
    if (next.collapse !== before.collapse) {
      writeClosed(this.columns, next.collapse, this.rowOf, rows.collapsed);
      rows.opened.clear();
      for (const id of next.collapse.opened) {
        const head = groupMembers(this.columns, this.rowOf(id))[0];
        if (head !== undefined) rows.opened.add(head);
      }
    }
    if (next.filter !== before.filter) {
      rows.setFilter(next.filter);
      isBuilt = true;
    }
    if (next.isFolding !== rows.isFolding) {
      rows.setFolding(next.isFolding);
      isBuilt = true;
    }
    if (next.focus !== rows.focus) {
      rows.setFocus(next.focus);
      isBuilt = true;
    }
    if (!isBuilt) {
      if (next.collapse === before.collapse) return;
      rows.setFolding(rows.isFolding);
    }
    this.#shown = next;
    this.#bars.clear();
    this.#revision += 1;
    for (const listener of this.#listeners) listener();
  }

  barAt(index: number): BarRow {
    const found = this.#bars.get(index);
    if (found !== undefined) return found;
    const { rows } = this;
    const row = rows.rowAt(index);
    const isGroup = rows.isGroupAt(index);
    const bar: BarRow = {
      row,
      members: isGroup ? rows.membersAt(index) : null,
      isClosed: !isGroup && rows.isExpandableAt(index) && !rows.isExpandedAt(index),
      isDimmed: !isGroup && !rows.passes(row),
    };
    if (this.#bars.size >= CACHED_MAX) this.#bars.clear();
    this.#bars.set(index, bar);
    return bar;
  }

  /** Of all members of a run, whatever a filter leaves of it. */
  distribution(head: RowIndex): RowsDistribution {
    let found = this.#distributions.get(head);
    if (found === undefined) {
      found = distributionOf(this.columns, groupMembers(this.columns, head));
      if (this.#distributions.size >= CACHED_MAX) this.#distributions.clear();
      this.#distributions.set(head, found);
    }
    return found;
  }
}
