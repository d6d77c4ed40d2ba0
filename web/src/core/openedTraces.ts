// Traces that were opened from files: in memory only, until the page is closed. Nothing of them is sent anywhere.
//
// Their columns are here, as those of the server's traces; everything else about their spans stays with the worker that
// read the file, and is asked for as it would be of the server.

import { useSyncExternalStore } from 'react';
import type { SpanDetails, TraceKey } from '../api/types.ts';
import type { FlameIndex } from '../canvas/flameIndex.ts';
import type { TraceColumns } from '../model/columns.ts';
import type { FileSought } from '../model/fileQuery.ts';
import type { FieldValues } from '../model/stats.ts';
import type { Place } from '../url/index.ts';

export type OpenedTrace = {
  readonly traceId: string;
  readonly fileName: string;
  readonly columns: TraceColumns;
  readonly flame: FlameIndex;
  /** Of these rows of `columns`, in their order. */
  readonly details: (rows: readonly number[]) => Promise<readonly SpanDetails[]>;
  /** The rows with what is looked for. */
  readonly find: (sought: FileSought) => Promise<Uint32Array>;
  readonly column: (field: string) => Promise<FieldValues>;
  readonly keys: () => Promise<readonly Pick<TraceKey, 'field' | 'spans'>[]>;
};

const opened = new Map<string, OpenedTrace>();
const listeners = new Set<() => void>();

/** The trace with this id, where it came from a file; undefined: the server has it, if anyone. */
export function openedTrace(traceId: string): OpenedTrace | undefined {
  return opened.get(traceId);
}

export function putOpenedTrace(trace: OpenedTrace): void {
  opened.set(trace.traceId, trace);
  for (const listener of listeners) listener();
}

export function useOpenedTrace(traceId: string): OpenedTrace | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => opened.get(traceId),
  );
}

/** Whether a place shows what only this tab has: nobody else can open a link to it. */
export function isOnlyHere({ page, state }: Place): boolean {
  if (page === 'trace') return opened.has(state.traceId);
  if (page === 'search') return state.traces.some(({ traceId }) => opened.has(traceId));
  return page === 'compare' && [state.a, state.b].some((id) => id !== null && opened.has(id));
}
