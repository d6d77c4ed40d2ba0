// Which node of the common tree holds a span: down its path, by service and name.

import type { TraceColumns } from '../../model/columns.ts';
import type { TraceDiff } from '../../model/diff.ts';
import { ancestorsOf } from '../../model/tree.ts';

type Row = number;

export function nodeOfRow(diff: TraceDiff, trace: TraceColumns, side: 'a' | 'b', row: Row): number {
  const path = [row, ...ancestorsOf(trace, row)].sort((x, y) => (trace.depth[x] ?? 0) - (trace.depth[y] ?? 0));
  const [counts, rows] = side === 'a' ? [diff.countA, diff.rowA] : [diff.countB, diff.rowB];
  let from = 0;
  let end = diff.count;
  let found = 0;
  for (const step of path) {
    const service = trace.services[trace.service[step] ?? 0];
    const name = trace.names[trace.name[step] ?? 0];
    let best = -1;
    for (let node = from; node < end; node += diff.subtree[node] ?? 1) {
      if (counts[node] === 0) continue;
      if (diff.services[diff.service[node] ?? 0] !== service || diff.names[diff.name[node] ?? 0] !== name) continue;
      // Like siblings that are compared one by one are nodes of their own, each with its only span.
      if (best < 0 || rows[node] === step) best = node;
    }
    if (best < 0) return found;
    found = best;
    from = best + 1;
    end = best + (diff.subtree[best] ?? 1);
  }
  return found;
}
