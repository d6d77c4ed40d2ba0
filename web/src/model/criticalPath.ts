// The critical path of a trace: at each moment the one span that its end waited for.
//
// Found by walking back from the end of the root: the child that finished last is on the path up to when it began, then
// the one that had finished last by then, and so on; what no child covers is the span's own. A child counts only as far
// as it lies inside its parent; of several that finished together, the longest was waited for. Several rows at the top
// are taken for the children of one span from the first start to the last end. Where a clock cuts starts to the
// millisecond, calls in sequence seem to overlap by less than one, and are taken for what they are. For traces read
// from files; the server does the same for its own (`crates/model/src/tree/own_time.rs`, which says more).

import { FLAG, type RowIndex, type TraceColumns } from './columns.ts';
import { subtreeEnd } from './tree.ts';

/** What the coarsest clocks tell a start in. */
const TICK_NS = 1e6;

interface Step {
  /** -1: what all rows at the top are the children of. */
  readonly row: RowIndex;
  /** The piece of time that is looked at: from the later end down to the earlier one. */
  readonly from: number;
  readonly to: number;
  /** Down to here the path is known. */
  at: number;
  /** When the child began by whose start one came there; null at the end. */
  began: number | null;
  /** Children still to look at, the next one at the end. */
  readonly children: RowIndex[];
}

/** Whether a child ended before a sibling began, though it seems to end after that: by a clock that cuts. */
function isCut(began: number, ended: number, siblingBegan: number | null): boolean {
  if (siblingBegan === null || began >= siblingBegan) return false;
  return (siblingBegan - began) % TICK_NS === 0 && ended - siblingBegan < TICK_NS;
}

/** Pieces by time. Writes the flag of rows on the path. */
export function findCriticalPath(columns: TraceColumns): TraceColumns['critical'] {
  const { start, dur, flags, count } = columns;
  const pieces: { row: RowIndex; from: number; to: number }[] = [];
  const fromIn = (row: RowIndex, from: number): number => Math.max(start[row] as number, from);
  const toIn = (row: RowIndex, to: number): number => Math.min((start[row] as number) + (dur[row] as number), to);
  const put = (row: RowIndex, from: number, to: number): void => {
    if (row < 0 || to <= from) return;
    flags[row] = (flags[row] as number) | FLAG.critical;
    pieces.push({ row, from, to });
  };
  const stepInto = (row: RowIndex, from: number, to: number): Step => {
    const children: RowIndex[] = [];
    const end = row < 0 ? count : subtreeEnd(columns, row);
    for (let child = row + 1; child < end; child = subtreeEnd(columns, child))
      if (fromIn(child, from) < toIn(child, to)) children.push(child);
    children.sort((a, b) => toIn(a, to) - toIn(b, to) || fromIn(b, from) - fromIn(a, from) || b - a);
    return { row, from, to, at: to, began: null, children };
  };

  /** Takes out the child that came behind another, though it seems to lie inside it: both by a clock that cuts. */
  const takeBehind = ({ children, to }: Step, child: RowIndex, from: number): RowIndex | undefined => {
    const began = start[child] as number;
    const tick = began + Math.floor((dur[child] as number) / TICK_NS) * TICK_NS;
    if (tick === began || tick <= from) return undefined;
    for (let at = children.length - 1; at >= 0 && toIn(children[at] as RowIndex, to) > tick; at -= 1)
      if (start[children[at] as RowIndex] === tick) return children.splice(at, 1)[0];
    return undefined;
  };

  // One root is the whole path, whatever else goes on.
  const isOne = count > 0 && subtreeEnd(columns, 0) === count;
  const steps = [
    isOne ? stepInto(0, start[0] as number, toIn(0, Number.POSITIVE_INFINITY)) : stepInto(-1, 0, columns.durationNs),
  ];
  while (steps.length > 0) {
    const step = steps.at(-1) as Step;
    let child = step.children.pop();
    if (child === undefined) {
      put(step.row, step.from, step.at);
      steps.pop();
      continue;
    }
    let from = fromIn(child, step.from);
    let ended = toIn(child, step.to);
    if (ended > step.at) {
      // It ran beside what is on the path.
      const began = start[child] as number;
      if (from >= step.at || !isCut(began, began + (dur[child] as number), step.began)) continue;
    } else {
      const behind = takeBehind(step, child, from);
      if (behind !== undefined) {
        step.children.push(child);
        child = behind;
        from = fromIn(child, step.from);
        ended = toIn(child, step.to);
      }
    }
    const to = Math.min(ended, step.at);
    put(step.row, to, step.at);
    step.at = from;
    step.began = start[child] as number;
    steps.push(stepInto(child, step.at, to));
  }
  pieces.reverse();
  return {
    row: Uint32Array.from(pieces, (piece) => piece.row),
    from: Float64Array.from(pieces, (piece) => piece.from),
    to: Float64Array.from(pieces, (piece) => piece.to),
  };
}
