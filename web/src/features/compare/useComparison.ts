// Fetches both traces and compares them. Traces from files are taken from where the page keeps them.

import { useQuery } from '@tanstack/react-query';
import { urlOf } from '../../api/client.ts';
import { spanQuestion } from '../../api/questions.ts';
import type { SpanDetails } from '../../api/types.ts';
import { openedTrace, useOpenedTrace } from '../../core/openedTraces.ts';
import type { TraceColumns } from '../../model/columns.ts';
import type { TraceDiff } from '../../model/diff.ts';
import { spanIdOf } from '../../model/tree.ts';
import type { TraceId } from '../../url/index.ts';
import { startTraceWorker, type TraceClient } from '../../worker/client.ts';

let client: TraceClient | undefined;

/** One worker for all comparisons; it starts with the first. */
function worker(): TraceClient {
  client ??= startTraceWorker();
  return client;
}

export function skeletonUrl(id: TraceId): string {
  return urlOf(`traces/${id}/skeleton`);
}

/** Columns are large and never change in place: comparing an old answer with a new one would only cost time. */
const WHOLE = { structuralSharing: false, staleTime: 60_000, gcTime: 60_000, retry: false } as const;

export function useTrace(id: TraceId | null) {
  const file = useOpenedTrace(id ?? '');
  return useQuery({
    ...WHOLE,
    queryKey: ['compare', 'trace', id, file !== undefined],
    queryFn: async ({ signal }): Promise<TraceColumns> => {
      if (file) return file.columns;
      const { columns } = await worker().open(skeletonUrl(id ?? ''), { signal });
      return columns;
    },
    enabled: id !== null,
  });
}

const keyOf = (trace: TraceColumns | undefined) => (trace ? `${trace.traceId} ${trace.version} ${trace.count}` : '');

export function useDiff(a: TraceColumns | undefined, b: TraceColumns | undefined) {
  return useQuery({
    ...WHOLE,
    queryKey: ['compare', 'diff', keyOf(a), keyOf(b)],
    queryFn: async ({ signal }): Promise<TraceDiff> => {
      if (a === undefined || b === undefined) throw new Error('nothing to compare');
      return worker().diff(a, b, { signal });
    },
    enabled: a !== undefined && b !== undefined,
  });
}

/** All that is known of a span. Null: there is none at this row. */
export function useSpan(trace: TraceColumns, row: number) {
  const spanId = row < 0 ? '' : spanIdOf(trace, row);
  return useQuery({
    queryKey: ['compare', 'span', trace.traceId, spanId],
    queryFn: async (context): Promise<SpanDetails | null> => {
      if (row < 0) return null;
      const file = openedTrace(trace.traceId);
      if (file) return (await file.details([row]))[0] ?? null;
      const [span] = await spanQuestion(trace.traceId, spanId).queryFn(context);
      return span ?? null;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}
