// Opens trace files (Jaeger's JSON, OTLP's, either of them compressed) in the browser and keeps their traces.

import type { Skipped, TraceSummary } from '../api/types.ts';
import type { TraceColumns } from '../model/columns.ts';
import type { TraceSummaryFacts } from '../model/summary.ts';
import { putOpenedTrace } from './openedTraces.ts';

export type OpenedFile = { readonly traceIds: readonly string[]; readonly skipped: readonly Skipped[] };

async function textOf(file: File): Promise<string> {
  if (!file.name.endsWith('.gz')) return file.text();
  return new Response(file.stream().pipeThrough(new DecompressionStream('gzip'))).text();
}

function summaryOf(columns: TraceColumns, facts: TraceSummaryFacts): TraceSummary {
  return {
    traceId: columns.traceId,
    startNs: String(columns.startNs),
    durationNs: columns.durationNs,
    spans: facts.spans,
    errors: facts.errors,
    root: { service: facts.rootService, name: facts.rootName, kind: 'unspecified' },
    services: facts.services.map(({ name, spans, errors }) => ({ service: name, spans, errors })),
    isComplete: true,
    matched: [],
    matchedSpans: null,
  };
}

export async function openTraceFile(file: File): Promise<OpenedFile> {
  try {
    // Only who opens a file needs what reads it.
    const [{ readTraceFile }, { summarize }, text] = await Promise.all([
      import('../model/files.ts'),
      import('../model/summary.ts'),
      textOf(file),
    ]);
    const { traces, skipped } = readTraceFile(text, file.name);
    for (const { columns, details } of traces)
      putOpenedTrace({
        traceId: columns.traceId,
        fileName: file.name,
        summary: summaryOf(columns, summarize(columns)),
        columns,
        details,
      });
    return { traceIds: traces.map(({ columns }) => columns.traceId), skipped };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { traceIds: [], skipped: [{ what: file.name, why }] };
  }
}
