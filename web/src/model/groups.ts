// Finds runs of like siblings: at least `RUN_MIN` siblings, one right after the other, of the same service and name,
// whatever is below them. Fewer are read faster than a folded row is opened.
//
// For traces that were read from files; the server does the same for its own, and numbers runs alike: by their parents'
// rows, those at the top last.

import { FLAG, type RowIndex, type TraceColumns } from './columns.ts';
import { subtreeEnd } from './tree.ts';

export const RUN_MIN = 4;

type Grouped = Pick<TraceColumns, 'count' | 'depth' | 'subtree' | 'service' | 'name' | 'flags' | 'group'>;

/** Writes `group` and the flag of heads; says how many runs there are. */
export function markGroups(columns: Grouped): number {
  const { count, service, name, flags, group } = columns;
  let runs = 0;
  /** Looks at the siblings from `first` on, all of whose rows are before `end`. */
  const markAmong = (first: RowIndex, end: RowIndex): void => {
    for (let head = first, next = first; head < end; head = next) {
      let length = 0;
      for (; next < end && service[next] === service[head] && name[next] === name[head]; length++)
        next = subtreeEnd(columns, next);
      if (length < RUN_MIN) continue;
      runs += 1;
      flags[head] = (flags[head] as number) | FLAG.groupHead;
      for (let i = head; i < next; i = subtreeEnd(columns, i)) group[i] = runs;
    }
  };
  group.fill(0);
  for (let i = 0; i < count; i++) flags[i] = (flags[i] as number) & ~FLAG.groupHead;
  for (let i = 0; i < count; i++) markAmong(i + 1, subtreeEnd(columns, i));
  markAmong(0, count);
  return runs;
}
