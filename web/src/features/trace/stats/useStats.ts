// Statistics of the spans that filters leave: at once for small traces, from the worker for large ones. What was shown
// stays until the new ones are there.

import { useEffect, useState } from 'react';
import type { StatKey, StatRow } from '../../../model/stats.ts';
import { traceClient } from '../state/client.ts';
import { useTracePage } from '../state/page.tsx';
import { useShownBits } from '../state/useShownBits.ts';

export type Stats = { readonly rows: readonly StatRow[] | null; readonly error: string | null };

export function useStats(first: StatKey, second: StatKey | null): Stats {
  const { session } = useTracePage();
  const bits = useShownBits();
  const [stats, setStats] = useState<Stats>({ rows: null, error: null });
  const { columns } = session;
  useEffect(() => {
    const abort = new AbortController();
    const keys = second === null ? ([first] as const) : ([first, second] as const);
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
  }, [columns, first, second, bits]);
  return stats;
}
