// The critical path of a trace: at each moment the one span that its end waited for.
//
// Found by walking back from the end of the root: the child that finished last is on the path up to when it began, then
// the one that finished last before that, and so on; what no child covers is the span's own. A child that runs past its
// parent's end counts up to it. For traces read from files; the server does the same for its own.

import { FLAG, type RowIndex, type TraceColumns } from './columns.ts';
import { subtreeEnd } from './tree.ts';

interface Step {
  readonly row: RowIndex;
  /** The piece of time that is looked at: from the later end down to the earlier one. */
  readonly from: number;
  readonly to: number;
  /** Down to here the path is known. */
  at: number;
  /** Children still to look at, the last to finish at the end. */
  readonly children: RowIndex[];
}

/** Pieces by time. Writes the flag of rows on the path. */
export function findCriticalPath(columns: TraceColumns): TraceColumns['critical'] {
  const { start, dur, flags } = columns;
  const pieces: { row: RowIndex; from: number; to: number }[] = [];
  const endOf = (row: RowIndex): number => (start[row] as number) + (dur[row] as number);
  const put = (row: RowIndex, from: number, to: number): void => {
    if (to <= from) return;
    flags[row] = (flags[row] as number) | FLAG.critical;
    pieces.push({ row, from, to });
  };
  const stepInto = (row: RowIndex, from: number, to: number): Step => {
    const children: RowIndex[] = [];
    for (let child = row + 1, end = subtreeEnd(columns, row); child < end; child = subtreeEnd(columns, child))
      children.push(child);
    children.sort((a, b) => endOf(a) - endOf(b) || b - a);
    return { row, from, to, at: to, children };
  };

  const root = rootOf(columns);
  const steps = root < 0 ? [] : [stepInto(root, start[root] as number, endOf(root))];
  while (steps.length > 0) {
    const step = steps.at(-1) as Step;
    const child = step.children.pop();
    if (child === undefined) {
      put(step.row, step.from, step.at);
      steps.pop();
      continue;
    }
    // Past the end only at the very end, where it is cut: later it ran beside what is on the path.
    const end = step.at === step.to ? Math.min(endOf(child), step.to) : endOf(child);
    const from = Math.max(start[child] as number, step.from);
    if (end > step.at || from >= end) continue;
    put(step.row, end, step.at);
    step.at = from;
    steps.push(stepInto(child, from, end));
  }
  pieces.reverse();
  return {
    row: Uint32Array.from(pieces, (piece) => piece.row),
    from: Float64Array.from(pieces, (piece) => piece.from),
    to: Float64Array.from(pieces, (piece) => piece.to),
  };
}

/** The longest at the top level, orphans only where there is nothing else. */
function rootOf(columns: TraceColumns): RowIndex {
  let best = -1;
  const isOrphan = (row: RowIndex): boolean => ((columns.flags[row] as number) & FLAG.orphan) !== 0;
  for (let row = 0; row < columns.count; row = subtreeEnd(columns, row)) {
    if (best < 0 || (isOrphan(best) && !isOrphan(row))) best = row;
    else if (isOrphan(best) === isOrphan(row) && (columns.dur[row] as number) > (columns.dur[best] as number))
      best = row;
  }
  return best;
}
