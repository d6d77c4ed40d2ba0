// For tests: a trace as if it had been opened from a file, without a worker.

import type { SpanDetails } from '../api/types.ts';
import { buildFlameIndex } from '../canvas/flameIndex.ts';
import { rowsOf } from '../model/attributeTests.ts';
import type { TraceColumns } from '../model/columns.ts';
import { columnOfFile, keysOfFile } from '../model/fileColumn.ts';
import { putOpenedTrace } from './openedTraces.ts';

type InMemory = {
  readonly fileName: string;
  readonly columns: TraceColumns;
  readonly details: readonly SpanDetails[];
};

export function putTraceOfFile({ fileName, columns, details }: InMemory): void {
  putOpenedTrace({
    traceId: columns.traceId,
    fileName,
    columns,
    flame: buildFlameIndex(columns),
    details: async (rows) => rows.map((row) => details[row]).filter((one) => one !== undefined),
    find: async (sought) => rowsOf(details, sought),
    column: async (field) => columnOfFile(details, field),
    keys: async () => keysOfFile(details),
  });
}
