// Statistics of the spans that filters leave, computed by the worker. What was shown stays until new ones are there.
// Values of attributes come from the server, or from the file that the trace is from.

import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { traceColumnQuestion } from '../../../api/questions.ts';
import { openedTrace } from '../../../core/openedTraces.ts';
import { type FieldValues, STAT_KEYS, type StatBy, type StatKey, type StatRow } from '../../../model/stats.ts';
import { traceClient } from '../state/client.ts';
import { useTracePage } from '../state/page.tsx';
import { useShownBits } from '../state/useShownBits.ts';

type Stats = { readonly rows: readonly StatRow[] | null; readonly error: string | null };

export function isStatKey(key: string | undefined): key is StatKey {
  return STAT_KEYS.some((one) => one === key);
}

/** Keys that are no column of the trace are fields of its spans. */
export function useStats(first: string, second: string | null): Stats {
  const { session } = useTracePage();
  const bits = useShownBits();
  const [stats, setStats] = useState<Stats>({ rows: null, error: null });
  const { columns } = session;
  const one = useKey(columns, first);
  const two = useKey(columns, second);
  const wrong = one.error ?? two.error;
  useEffect(() => {
    if (one.by === null || (two.by === null && second !== null)) return;
    const abort = new AbortController();
    const keys = two.by === null ? ([one.by] as const) : ([one.by, two.by] as const);
    traceClient()
      .stats(columns, keys, bits, { signal: abort.signal })
      .then(
        (rows) => setStats({ rows, error: null }),
        (error: unknown) => {
          if (!abort.signal.aborted)
            setStats({ rows: null, error: error instanceof Error ? error.message : String(error) });
        },
      );
    return () => abort.abort();
  }, [columns, one.by, two.by, second, bits]);
  return wrong === null ? stats : { rows: null, error: wrong };
}

type Key = { readonly by: StatBy | null; readonly error: string | null };

function useKey({ traceId, version }: { traceId: string; version: string }, key: string | null): Key {
  const field = key === null || isStatKey(key) ? null : key;
  const { data, error } = useQuery({
    queryKey: ['values to group by', traceId, version, field],
    queryFn: async (context): Promise<FieldValues> => {
      const wanted = field ?? '';
      return (await openedTrace(traceId)?.column(wanted)) ?? traceColumnQuestion(traceId, wanted).queryFn(context);
    },
    enabled: field !== null,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  if (field !== null) return { by: data ?? null, error: error?.message ?? null };
  return { by: isStatKey(key ?? undefined) ? (key as StatKey) : null, error: null };
}
