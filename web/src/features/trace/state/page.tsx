// What the parts of the trace page share: the trace, what the address says about it, the selection, and how to change
// them.

import { createContext, type ReactNode, useContext, useSyncExternalStore } from 'react';
import type { Theme } from '../../../canvas/theme.ts';
import { go, routeNow } from '../../../core/navigation.ts';
import type { RowIndex } from '../../../model/columns.ts';
import type { EmbedState, TraceState, Zoom } from '../../../url/index.ts';
import type { TraceSession } from './session.ts';
import type { TimeWindow } from './timeWindow.ts';
import type { PageColours } from './useColours.ts';
import type { TraceEvents } from './useEvents.ts';
import type { FindState } from './useFind.ts';
import type { ValueColumn } from './useValueColumns.ts';

/** A piece of time that is marked to be measured. */
export type Mark = { readonly from: number; readonly to: number };

/** More could not be told apart. */
const KEPT_MAX = 20;

export type Selection = {
  /** -1: nothing is selected. */
  readonly row: RowIndex;
  /** The run of like siblings that the row heads, not the row itself. */
  readonly isGroup: boolean;
};

export type SelectOptions = {
  readonly isGroup?: boolean;
  /** Opens what hides the row, and moves the window of time to it. */
  readonly reveal?: boolean;
};

export type TracePage = {
  readonly session: TraceSession;
  readonly window: TimeWindow;
  readonly state: TraceState;
  readonly embed: EmbedState;
  readonly isPartial: boolean;
  /** The file that the trace is from; the server does not know it. */
  readonly fileName: string | null;
  readonly selection: Selection;
  readonly find: FindState;
  readonly colours: PageColours;
  readonly valueColumns: readonly ValueColumn[];
  readonly events: TraceEvents;
  /** Times of the events of a row; null until they are known. */
  readonly eventTimes: ((row: RowIndex) => Float64Array) | null;
  readonly theme: Theme;
  readonly rowHeight: number;
  readonly mark: Mark | null;
  readonly kept: readonly Mark[];
  readonly select: (row: RowIndex, options?: SelectOptions) => void;
  readonly hiddenServices: ReadonlySet<number>;
};

const Context = createContext<TracePage | null>(null);

export function TracePageProvider({ page, children }: { page: TracePage; children: ReactNode }) {
  return <Context value={page}>{children}</Context>;
}

export function useTracePage(): TracePage {
  const page = useContext(Context);
  if (page === null) throw new Error('not within a trace page');
  return page;
}

/** Changes the address; `push` where it changes what is shown, so that Back brings it again. */
export function update(changes: Partial<TraceState>, how: 'push' | 'replace' = 'replace'): void {
  const route = routeNow();
  if (route.page !== 'trace') return;
  go({ page: 'trace', state: { ...route.state, ...changes } }, { replace: how === 'replace' });
}

export function setMark(mark: Mark | null): void {
  update({ mark: mark === null ? null : rounded(mark) });
}

/** Keeps a mark while others are set, or lets a kept one go. */
export function keepMark(mark: Mark, kept: readonly Mark[]): void {
  const one = rounded(mark);
  const all = kept.map(rounded);
  const others = all.filter(({ fromNs, toNs }) => fromNs !== one.fromNs || toNs !== one.toNs);
  update({ mark: null, kept: others.length < all.length ? others : [...all, one].slice(-KEPT_MAX) });
}

/** As a link has it. */
function rounded({ from, to }: Mark): Zoom {
  return { fromNs: Math.max(0, Math.floor(from)), toNs: Math.max(0, Math.ceil(to)) };
}

/** The state now, for who runs long after it was drawn. */
export function stateNow(): TraceState | null {
  const route = routeNow();
  return route.page === 'trace' ? route.state : null;
}

/** Draws anew when the window of time moves. */
export function useWindowBounds(window: TimeWindow): { readonly from: number; readonly to: number } {
  return useSyncExternalStore(window.subscribe, () => window.bounds);
}

/** Draws anew when the list of rows changes. */
export function useRevision(session: TraceSession): number {
  return useSyncExternalStore(session.subscribe, session.revision);
}
