// Which spans stand out in the flame view: what is not found, or is of a service that is not shown, stands back.

import { Bits } from '../../../model/bits.ts';
import { FLAG } from '../../../model/columns.ts';
import type { TracePage } from '../state/page.tsx';

/** Null: all are alike. */
export function highlightOf({ session, find, hiddenServices, state }: TracePage): Bits | null {
  const { columns } = session;
  const { matches } = find;
  const isAll = hiddenServices.size === 0 && state.minNs === 0 && state.critical !== 'only' && state.focus === null;
  if (isAll) return matches?.bits ?? null;
  const bits = new Bits(columns.count);
  const focus = state.focus === null ? -1 : session.rowOf(state.focus);
  const first = Math.max(0, focus);
  const end = focus < 0 ? columns.count : focus + (columns.subtree[focus] as number);
  for (let row = first; row < end; row++) {
    const isShown =
      !hiddenServices.has(columns.service[row] as number) &&
      (columns.dur[row] as number) >= state.minNs &&
      (state.critical !== 'only' || ((columns.flags[row] as number) & FLAG.critical) !== 0);
    if (isShown && (matches === null || matches.bits.has(row))) bits.add(row);
  }
  return bits;
}
