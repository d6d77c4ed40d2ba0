// The keys of the rows. Arrows act while the rows have the focus, or nothing has; letters always.

import type { RefObject } from 'react';
import { commandsOf, useCommands } from '../../../core/commands.ts';
import { prefer } from '../../../core/preferences.ts';
import { hasChildren, spanIdOf } from '../../../model/tree.ts';
import { copyText } from '../../../ui/CopyButton/copyText.ts';
import { announce } from '../../../ui/LiveRegion/LiveRegion.tsx';
import { TRACE_COMMANDS } from '../commands.ts';
import { text } from '../keysText.ts';
import { update, useTracePage } from '../state/page.tsx';
import type { WaterfallSurface } from './surface.ts';
import { closeAll, closeOneLevel, openAll, openOneLevel, setEntryOpen, setSubtreeOpen } from './toggle.ts';

/** Nothing that has keys of its own has the focus. */
export function isFocusFree(within: HTMLElement | null): boolean {
  const focused = document.activeElement;
  if (focused === null || focused === document.body) return true;
  return within?.contains(focused) === true || focused.matches('main, h1');
}

type Props = {
  readonly surface: WaterfallSurface | null;
  readonly active: number;
  readonly grid: RefObject<HTMLElement | null>;
};

/** Draws nothing: it is a component so that it can come later than the rows. */
export function WaterfallKeys({ surface, active, grid }: Props): null {
  const { session, selection, select } = useTracePage();
  const { rows, columns } = session;
  const when = () => isFocusFree(grid.current);

  function move(index: number): void {
    const to = Math.min(rows.length - 1, Math.max(0, index));
    if (to < 0) return;
    select(rows.rowAt(to), { isGroup: rows.isGroupAt(to) });
    surface?.reveal(to);
    surface?.focus(active);
  }
  function openOrIn(): void {
    if (active < 0) move(0);
    else if (rows.isExpandableAt(active) && !rows.isExpandedAt(active)) setEntryOpen(session, active, true);
    else if (rows.isExpandableAt(active)) move(active + 1);
  }
  function closeOrOut(): void {
    if (active < 0) return;
    if (rows.isExpandableAt(active) && rows.isExpandedAt(active)) setEntryOpen(session, active, false);
    else if (rows.parentIndex(active) >= 0) move(rows.parentIndex(active));
  }
  function focusSubtree(): void {
    if (rows.focus >= 0 && (active < 0 || rows.focus === selection.row)) update({ focus: null }, 'push');
    else if (selection.row >= 0 && hasChildren(columns, selection.row))
      update({ focus: spanIdOf(columns, selection.row) }, 'push');
  }
  async function copyId(): Promise<void> {
    if (selection.row >= 0 && (await copyText(spanIdOf(columns, selection.row)))) announce(text.idCopied);
  }
  const page = () => Math.max(1, Math.floor((surface?.height ?? 0) / (surface?.geometry.rowHeight ?? 24)) - 1);
  const ofRow = (isOpen: boolean) => () => {
    if (selection.row >= 0) setSubtreeOpen(session, selection.row, isOpen);
  };

  useCommands([
    ...commandsOf(
      TRACE_COMMANDS,
      {
        'trace.next': () => move(active + 1),
        'trace.previous': () => move(active - 1),
        'trace.pageDown': () => move(active + page()),
        'trace.pageUp': () => move(active - page()),
        'trace.first': () => move(0),
        'trace.last': () => move(rows.length - 1),
        'trace.open': openOrIn,
        'trace.close': closeOrOut,
        'trace.openSubtree': ofRow(true),
        'trace.closeSubtree': ofRow(false),
        'trace.details': () => prefer({ panelOpen: true }),
      },
      when,
    ),
    ...commandsOf(TRACE_COMMANDS, {
      'trace.levelLess': () => closeOneLevel(session),
      'trace.levelMore': () => openOneLevel(session),
      'trace.closeAll': closeAll,
      'trace.openAll': openAll,
      'trace.focus': focusSubtree,
      'trace.copyId': () => void copyId(),
    }),
  ]);
  return null;
}
