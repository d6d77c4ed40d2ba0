// Finds runs of like siblings: at least `RUN_MIN` siblings, one right after the other, of the same service and name,
// whatever is below them. Fewer are read faster than a folded row is opened.
//
// For traces that were read from files; the server does the same for its own.

import { FLAG, type TraceColumns } from './columns.ts';

export const RUN_MIN = 4;

type Grouped = Pick<TraceColumns, 'count' | 'depth' | 'subtree' | 'service' | 'name' | 'flags' | 'group'>;

/** Writes `group` and the flag of heads; says how many runs there are. */
export function markGroups(columns: Grouped): number {
  const { count, depth, subtree, service, name, flags, group } = columns;
  // The run that is open at each depth; a row closes those below its own depth.
  const heads: number[] = [];
  const lengths: number[] = [];
  let runs = 0;

  const close = (d: number): void => {
    const head = heads[d] as number;
    if ((lengths[d] as number) < RUN_MIN) return;
    runs += 1;
    flags[head] = (flags[head] as number) | FLAG.groupHead;
    for (let i = head, left = lengths[d] as number; left > 0; left--, i += subtree[i] as number) group[i] = runs;
  };

  for (let i = 0; i < count; i++) {
    const d = depth[i] as number;
    while (heads.length > d + 1) {
      close(heads.length - 1);
      heads.pop();
      lengths.pop();
    }
    group[i] = 0;
    flags[i] = (flags[i] as number) & ~FLAG.groupHead;
    const head = heads[d];
    if (head !== undefined && service[head] === service[i] && name[head] === name[i]) {
      lengths[d] = (lengths[d] as number) + 1;
      continue;
    }
    if (head !== undefined) close(d);
    heads[d] = i;
    lengths[d] = 1;
  }
  for (let d = heads.length - 1; d >= 0; d--) close(d);
  return runs;
}
