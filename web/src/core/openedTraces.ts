// Traces that were opened from a file in this tab: they have an address like any other, and nobody but this tab has
// them. Whoever opens a file puts them here; the trace page looks here before it asks the server.

import type { SpanDetails } from '../api/types.ts';
import type { FlameIndex } from '../canvas/flameIndex.ts';
import type { RowIndex, TraceColumns } from '../model/columns.ts';

export type OpenedTrace = {
  readonly traceId: string;
  /** The file's name. */
  readonly fileName: string;
  readonly columns: TraceColumns;
  readonly flame: FlameIndex;
  readonly details: (rows: readonly RowIndex[]) => Promise<SpanDetails[]>;
};

const opened = new Map<string, OpenedTrace>();

export function keepOpenedTrace(trace: OpenedTrace): void {
  opened.set(trace.traceId, trace);
}

export function openedTrace(traceId: string): OpenedTrace | null {
  return opened.get(traceId) ?? null;
}
