// Opens trace files (Jaeger's JSON, OTLP's, either of them compressed) and keeps their traces. A worker reads them, so
// that a large one stops nothing; it starts with the first file and keeps the details of what is open.

import type { Skipped } from '../api/types.ts';
import type { TraceClient } from '../worker/client.ts';
import type { FileProgress } from '../worker/messages.ts';
import { putOpenedTrace } from './openedTraces.ts';

export type OpenedFile = { readonly traceIds: readonly string[]; readonly skipped: readonly Skipped[] };
export type OpenFileOptions = {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: FileProgress) => void;
};

let client: Promise<TraceClient> | null = null;
/** By the id of a trace the file that it is from. */
const fileOf = new Map<string, number>();

/** Only who opens a file needs what reads it. */
async function fileClient(): Promise<TraceClient> {
  client ??= import('../worker/client.ts').then(({ startTraceWorker }) => startTraceWorker());
  return client;
}

/** Fails only with the reason of the signal: what can't be read is told as skipped. */
export async function openTraceFile(file: File, options: OpenFileOptions): Promise<OpenedFile> {
  try {
    const reader = await fileClient();
    const opened = await reader.openFile(file.name, file, options);
    opened.traces.forEach(({ columns, flame }, at) => {
      putOpenedTrace({
        traceId: columns.traceId,
        fileName: file.name,
        columns,
        flame,
        details: (rows) => reader.details(opened.file, at, rows),
        find: (sought) => reader.find(opened.file, at, sought),
        column: (field) => reader.column(opened.file, at, field),
        keys: () => reader.keys(opened.file, at),
      });
      keep(columns.traceId, opened.file, reader);
    });
    return { traceIds: opened.traces.map(({ columns }) => columns.traceId), skipped: opened.skipped };
  } catch (error) {
    options.signal.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    return { traceIds: [], skipped: [{ what: file.name, why }] };
  }
}

/** A trace that is opened anew replaces itself; a file of which nothing is left is closed. */
function keep(traceId: string, file: number, reader: TraceClient): void {
  const before = fileOf.get(traceId);
  fileOf.set(traceId, file);
  if (before !== undefined && ![...fileOf.values()].includes(before)) void reader.closeFile(before);
}
