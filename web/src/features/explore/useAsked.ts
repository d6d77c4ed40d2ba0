// What the page asks: the state of the link with its time range as two instants, and the question about all matches.

import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Window } from '../../api/questions.ts';
import { pageRowsMax } from '../../core/boot.ts';
import { cameBack } from '../../core/navigation.ts';
import { type RouteOf, resolveRange } from '../../url/index.ts';
import { printQuery, quoteText } from '../../url/queryText.ts';
import type { SearchAsked } from './searchPage.ts';

type State = RouteOf<'search'>['state'];

export const PAGE_ROWS = 50;
/** A question that is older is asked anew when the page is opened again, but not when one comes back to it. */
const FRESH_MS = 2_000;

/**
 * The instant that a relative range ends at. It stays while the question is the same, so that what is shown belongs
 * together; the command "refresh" makes a new one.
 */
function useNowNs(key: string): bigint {
  const { data } = useQuery({
    queryKey: ['now', 'explore', key],
    queryFn: () => Date.now(),
    initialData: () => Date.now(),
    staleTime: cameBack() ? Number.POSITIVE_INFINITY : FRESH_MS,
  });
  return BigInt(data) * 1_000_000n;
}

/** Traces by their ids, whenever they were. */
function queryOfTraces(ids: readonly string[]): string {
  return printQuery([ids.map((id) => `trace:id = ${quoteText(id)}`).join(' || ')]);
}

export type Asked = { readonly search: SearchAsked; readonly window: Window; readonly nowNs: bigint };

export function useAsked(state: State): Asked {
  const { q, scope, sort, cols, limit, range, traces } = state;
  const rangeKey = range.kind === 'relative' ? range.last : `${range.fromNs}-${range.toNs ?? ''}`;
  const ids = traces.map(({ traceId }) => traceId).join(',');
  const colsKey = JSON.stringify(cols);
  const nowNs = useNowNs(JSON.stringify([q, scope, sort, colsKey, rangeKey, ids]));
  // biome-ignore lint/correctness/useExhaustiveDependencies: the keys stand for the lists and the range
  return useMemo(() => {
    const { fromNs, toNs } = resolveRange(range, nowNs);
    const window = { from: fromNs, to: toNs };
    const search: SearchAsked =
      traces.length > 0
        ? {
            q: queryOfTraces(traces.map(({ traceId }) => traceId)),
            scope: 'traces',
            sort: 'newest',
            cols,
            limit: Math.min(traces.length, pageRowsMax),
            from: 0n,
            to: nowNs,
          }
        : { q, scope, sort, cols, limit: Math.min(limit ?? PAGE_ROWS, pageRowsMax), ...window };
    return { search, window, nowNs };
  }, [q, scope, sort, colsKey, limit, rangeKey, ids, nowNs]);
}
