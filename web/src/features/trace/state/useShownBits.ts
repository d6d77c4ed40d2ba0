// The spans that filters leave, as a set: for the views that list spans without their tree. Null: all of them.

import { useMemo } from 'react';
import { Bits } from '../../../model/bits.ts';
import { isWithin } from '../../../model/tree.ts';
import { useRevision, useTracePage } from './page.tsx';

export function useShownBits(): Bits | null {
  const { session, find, state } = useTracePage();
  const revision = useRevision(session);
  const only = state.onlyMatches ? find.matches : null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the revision stands for the filter in the list of rows
  return useMemo(() => {
    const { rows, columns } = session;
    const { hiddenServices, minDuration, onlyCritical } = rows.filter;
    const isAll = hiddenServices.size === 0 && minDuration <= 0 && !onlyCritical && only === null && rows.focus < 0;
    if (isAll) return null;
    const bits = new Bits(columns.count);
    for (let row = 0; row < columns.count; row++) {
      if (rows.passes(row) && (rows.focus < 0 || isWithin(columns, row, rows.focus))) bits.add(row);
    }
    return bits;
  }, [session, revision, only]);
}
