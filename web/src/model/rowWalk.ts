// The walk that makes the list of rows (see rows.ts), apart from it because it is the one hot loop of the waterfall.
//
// Opened runs reorder their members, so the walk goes by segments of rows on a stack of its own: its depth is bounded
// by memory, not by the engine's call stack, whatever the trace looks like.

import { Bits } from './bits.ts';
import { FLAG, type Ns, type RowIndex, type TraceColumns } from './columns.ts';

/** Marks an entry that stands for a run of like siblings. */
export const GROUP_BIT = 0x80000000;

export interface Entries {
  /** Rows, with `GROUP_BIT` where the entry is a run. */
  readonly list: Uint32Array;
  readonly length: number;
  /** Levels that opened runs add to an entry; null: none is open. */
  readonly shift: Uint8Array | null;
  /** Rows ascend, so that a row can be found by halving. */
  readonly isSorted: boolean;
}

export interface WalkState {
  readonly collapsed: Bits;
  /** Heads of opened runs; null: runs are not folded at all. */
  readonly opened: ReadonlySet<RowIndex> | null;
  readonly kept: Bits | null;
  readonly focus: RowIndex;
}

export function buildEntries(columns: TraceColumns, state: WalkState): Entries {
  const { count, subtree, group, flags } = columns;
  const { opened, kept, focus } = state;
  const collapsed = state.collapsed.words;
  const first = Math.max(0, focus);
  const last = focus < 0 ? count : Math.min(count, focus + (subtree[focus] as number));
  // A run has at least two members, so its entry and they are never more than half again as many.
  const size = last - first + (opened === null ? 0 : opened.size);
  const list = new Uint32Array(size);
  const shift = opened !== null && opened.size > 0 ? new Uint8Array(size) : null;
  let length = 0;
  const put = (entry: number, levels: number): void => {
    if (shift !== null) shift[length] = levels;
    list[length++] = entry;
  };

  // Segments still to walk: first row, end, levels added, and the row that is shown as itself though it heads a run
  // (the focus, the members of an opened run), or -1.
  const todo: number[] = [first, last, 0, focus];
  while (todo.length > 0) {
    const plain = todo.pop() as number;
    const levels = todo.pop() as number;
    const end = todo.pop() as number;
    let i = todo.pop() as number;
    while (i < end) {
      const isHead = opened !== null && ((flags[i] as number) & FLAG.groupHead) !== 0 && i !== plain;
      if (isHead && group[i] !== 0) {
        const members = keptMembers(columns, kept, i, end);
        if (members.length >= 2) {
          put((i | GROUP_BIT) >>> 0, levels);
          const after = endOfRun(columns, i, end);
          if (opened.has(i)) {
            if (after < end) todo.push(after, end, levels, -1);
            // The shortest is pushed first and so walked last.
            members.sort((a, b) => (columns.dur[a] as number) - (columns.dur[b] as number) || b - a);
            for (const m of members)
              todo.push(m, Math.min(end, m + (subtree[m] as number)), Math.min(255, levels + 1), m);
            break;
          }
          i = after;
          continue;
        }
      }
      if (kept !== null && ((kept.words[i >>> 5] as number) & (1 << (i & 31))) === 0) {
        i += subtree[i] as number;
        continue;
      }
      if (shift !== null) shift[length] = levels;
      list[length++] = i;
      i += ((collapsed[i >>> 5] as number) & (1 << (i & 31))) !== 0 ? (subtree[i] as number) : 1;
    }
  }
  return { list, length, shift, isSorted: shift === null };
}

function endOfRun(columns: TraceColumns, head: RowIndex, end: number): RowIndex {
  const { group, subtree, depth } = columns;
  let i = head;
  while (i < end && group[i] === group[head] && depth[i] === depth[head]) i += subtree[i] as number;
  return i;
}

function keptMembers(columns: TraceColumns, kept: Bits | null, head: RowIndex, end: number): RowIndex[] {
  const { group, subtree } = columns;
  const members: RowIndex[] = [];
  for (let i = head; i < end && group[i] === group[head]; i += subtree[i] as number) {
    if (kept === null || kept.has(i)) members.push(i);
  }
  return members;
}

/** Rows that pass the filter or have something below them that does; null: the filter lets everything pass. */
export function keptRows(
  columns: TraceColumns,
  filter: { hiddenServices: ReadonlySet<number>; minDuration: Ns; only: Bits | null; onlyCritical: boolean },
): Bits | null {
  const { minDuration, only, onlyCritical, hiddenServices } = filter;
  if (hiddenServices.size === 0 && minDuration <= 0 && only === null && !onlyCritical) return null;
  const { count, depth, dur, flags, service } = columns;
  const isHidden = Uint8Array.from(columns.services, (_, s) => (hiddenServices.has(s) ? 1 : 0));
  const kept = new Bits(count);
  const words = kept.words;
  // Backwards: all rows below a row come right before it, and `wanted[d]` says that one of them at depth d is kept.
  const wanted = new Uint8Array(65_537 + 1);
  for (let i = count - 1; i >= 0; i--) {
    const d = depth[i] as number;
    const isKept =
      wanted[d + 1] === 1 ||
      (isHidden[service[i] as number] === 0 &&
        (dur[i] as number) >= minDuration &&
        (only === null || ((only.words[i >>> 5] as number) & (1 << (i & 31))) !== 0) &&
        (!onlyCritical || ((flags[i] as number) & FLAG.critical) !== 0));
    wanted[d + 1] = 0;
    if (isKept) {
      words[i >>> 5] = (words[i >>> 5] as number) | (1 << (i & 31));
      wanted[d] = 1;
    }
  }
  return kept;
}
