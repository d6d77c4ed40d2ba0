// The keys of the flame view: a cursor that goes from span to span and is announced.

import type { RefObject } from 'react';
import type { FlameIndex } from '../../../canvas/flameIndex.ts';
import { neighbourOnDepth } from '../../../canvas/flameIndex.ts';
import { fitTo } from '../../../canvas/viewport.ts';
import { commandsOf, useCommands } from '../../../core/commands.ts';
import type { RowIndex, TraceColumns } from '../../../model/columns.ts';
import { nextSibling, parentOf, subtreeEnd } from '../../../model/tree.ts';
import { announce } from '../../../ui/LiveRegion/LiveRegion.tsx';
import { TRACE_COMMANDS } from '../commands.ts';
import { useTracePage } from '../state/page.tsx';
import { rowLabel } from '../waterfall/rowText.ts';
import { isFocusFree } from '../waterfall/useWaterfallKeys.ts';
import { text } from './text.ts';

function longestChild(columns: TraceColumns, row: RowIndex): RowIndex {
  let best = -1;
  if (subtreeEnd(columns, row) <= row + 1) return best;
  for (let child = row + 1; child >= 0; child = nextSibling(columns, child)) {
    if (best < 0 || (columns.dur[child] as number) > (columns.dur[best] as number)) best = child;
  }
  return best;
}

export function useFlameKeys(flame: FlameIndex, box: RefObject<HTMLElement | null>): void {
  const { session, selection, select, window } = useTracePage();
  const { columns } = session;
  const { row } = selection;
  const when = () => isFocusFree(box.current);
  function go(next: RowIndex): void {
    const to = row < 0 ? 0 : next;
    if (to < 0) return;
    select(to, { reveal: true });
    announce(text.cursor(rowLabel(session, to, false), (columns.depth[to] as number) + 1));
  }
  function zoomIn(): void {
    if (row < 0) return;
    const from = columns.start[row] as number;
    window.set(fitTo(window.view(1_000), window, from, from + (columns.dur[row] as number)));
  }
  const sideways = (direction: -1 | 1) => () => go(neighbourOnDepth(columns, flame, row, direction));
  useCommands(
    commandsOf(
      TRACE_COMMANDS,
      {
        'flame.up': () => go(parentOf(columns, row)),
        'flame.down': () => go(longestChild(columns, row)),
        'flame.left': sideways(-1),
        'flame.right': sideways(1),
        'flame.in': zoomIn,
      },
      when,
    ),
  );
}
