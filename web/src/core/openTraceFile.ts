// Opens trace files (Jaeger's JSON, OTLP's, either of them compressed) in the browser and keeps their traces.

import type { Skipped } from '../api/types.ts';
import { putOpenedTrace } from './openedTraces.ts';

export type OpenedFile = { readonly traceIds: readonly string[]; readonly skipped: readonly Skipped[] };

async function textOf(file: File): Promise<string> {
  if (!file.name.endsWith('.gz')) return file.text();
  return new Response(file.stream().pipeThrough(new DecompressionStream('gzip'))).text();
}

export async function openTraceFile(file: File): Promise<OpenedFile> {
  try {
    // Only who opens a file needs what reads it.
    const [{ readTraceFile }, text] = await Promise.all([import('../model/files.ts'), textOf(file)]);
    const { traces, skipped } = readTraceFile(text, file.name);
    for (const { columns, details } of traces)
      putOpenedTrace({ traceId: columns.traceId, fileName: file.name, columns, details });
    return { traceIds: traces.map(({ columns }) => columns.traceId), skipped };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { traceIds: [], skipped: [{ what: file.name, why }] };
  }
}
