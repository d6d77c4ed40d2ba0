// All that is known of a span: from the server, or from the file that the trace is from. Asked once the selection
// rests, so that moving through rows does not ask for each of them.

import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { spanQuestion } from '../../../api/questions.ts';
import type { SpanDetails } from '../../../api/types.ts';
import { openedTrace } from '../../../core/openedTraces.ts';
import type { RowIndex } from '../../../model/columns.ts';
import { spanIdOf } from '../../../model/tree.ts';
import type { TraceSession } from '../state/session.ts';

const RESTS_MS = 80;

export function useSpanDetails(session: TraceSession, row: RowIndex): UseQueryResult<SpanDetails | null> {
  const { columns } = session;
  const spanId = spanIdOf(columns, row);
  const startNs = columns.startNs + BigInt(Math.round(columns.start[row] as number));
  const { queryFn } = spanQuestion(columns.traceId, spanId);
  return useQuery({
    queryKey: ['span', columns.traceId, columns.version, spanId, row],
    queryFn: async ({ signal }) => {
      const file = openedTrace(columns.traceId);
      if (file !== undefined) return (await file.details([row]))[0] ?? null;
      await rest(signal);
      return chosen(await queryFn({ signal }), startNs, columns.names[columns.name[row] as number] ?? '');
    },
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
}

/** Several spans may share an id. */
function chosen(spans: readonly SpanDetails[], startNs: bigint, name: string): SpanDetails | null {
  const named = spans.filter((span) => span.name === name);
  return (
    named.find((span) => BigInt(span.startNs) === startNs) ??
    named[0] ??
    spans.find((span) => BigInt(span.startNs) === startNs) ??
    spans[0] ??
    null
  );
}

function rest(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, RESTS_MS);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
