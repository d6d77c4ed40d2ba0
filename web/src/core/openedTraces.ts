// Traces that were opened from files: in memory only, until the page is closed. Nothing of them is sent anywhere.

import { useSyncExternalStore } from 'react';
import type { SpanDetails } from '../api/types.ts';
import type { TraceColumns } from '../model/columns.ts';

export type OpenedTrace = {
  readonly traceId: string;
  readonly fileName: string;
  readonly columns: TraceColumns;
  /** One a row of `columns`. */
  readonly details: readonly SpanDetails[];
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
