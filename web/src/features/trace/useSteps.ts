// From match to match and from error to error: the next row of a set becomes the selection, and is brought into view.

import type { Matches } from '../../model/find.ts';
import { announce } from '../../ui/LiveRegion/LiveRegion.tsx';
import { text } from './keysText.ts';
import { type TracePage, useTracePage } from './state/page.tsx';

export type Steps = { readonly match: (direction: -1 | 1) => void; readonly error: (direction: -1 | 1) => void };

export function stepsOf({ session, find, selection, select }: TracePage): Steps {
  const step = (matches: Matches | null, none: string, direction: -1 | 1) => {
    if (matches === null || matches.count === 0) {
      announce(none);
      return;
    }
    const from = selection.row;
    const row = direction > 0 ? matches.next(from) : matches.previous(Math.max(0, from));
    if (row >= 0) select(row, { reveal: true });
  };
  return {
    match: (direction) => step(find.matches, text.noMatches, direction),
    error: (direction) => step(session.errors, text.noErrors, direction),
  };
}

export function useSteps(): Steps {
  return stepsOf(useTracePage());
}
