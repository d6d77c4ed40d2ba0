// Times of events by row, for the ticks on bars: from the list of all events of a trace, which the server has in
// another order.

import type { Ns, RowIndex, TraceColumns } from './columns.ts';

const NONE = new Float64Array(0);

/** For a row the times of its events, ascending, from the trace's start. */
export function eventTimes(
  columns: Pick<TraceColumns, 'startNs' | 'count'>,
  events: readonly { readonly row: RowIndex; readonly timeNs: string }[],
): (row: RowIndex) => Float64Array {
  const times = new Map<RowIndex, Ns[]>();
  for (const { row, timeNs } of events) {
    if (!/^\d{1,20}$/.test(timeNs) || row < 0 || row >= columns.count) continue;
    const list = times.get(row) ?? [];
    times.set(row, list);
    list.push(Number(BigInt(timeNs) - columns.startNs));
  }
  const sorted = new Map(Array.from(times, ([row, list]) => [row, Float64Array.from(list).sort()]));
  return (row) => sorted.get(row) ?? NONE;
}
