// What the map shows: the calls of the time range, and what of them the link asks for.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { edgesQuestion } from '../../api/questions.ts';
import type { EdgesAnswer } from '../../api/types.ts';
import { go } from '../../core/navigation.ts';
import { rangeKey } from '../../core/ranged.ts';
import { nowNs } from '../../format/now.ts';
import { type MapState, resolveRange, type TimeRange } from '../../url/index.ts';
import { type Calls, chooseDrawn, type Drawn, readCalls } from './calls.ts';

/** A relative range is resolved when the question is asked, so that asking again moves it on. */
function askEdges(range: TimeRange, context: { signal: AbortSignal }): Promise<EdgesAnswer> {
  const { fromNs, toNs } = resolveRange(range, nowNs());
  return edgesQuestion({ from: fromNs, to: toNs }).queryFn(context);
}

export function useEdges(range: TimeRange) {
  return useQuery({
    queryKey: ['map', rangeKey(range)],
    queryFn: (context) => askEdges(range, context),
    placeholderData: keepPreviousData,
  });
}

export type MapModel = { readonly calls: Calls; readonly drawn: Drawn };

export function useMapModel(answer: EdgesAnswer | undefined, state: MapState): MapModel | null {
  const { focus, hops, min } = state;
  const calls = useMemo(() => (answer ? readCalls(answer) : null), [answer]);
  return useMemo(
    () => (calls ? { calls, drawn: chooseDrawn(calls, { focus, hops, min }) } : null),
    [calls, focus, hops, min],
  );
}

/** Changes the link: what is shown pushes, how it is shown replaces. */
export type ChangeMap = (change: Partial<MapState>, options?: { replace?: boolean }) => void;

export function changerOf(state: MapState): ChangeMap {
  return (change, options = {}) => go({ page: 'map', state: { ...state, ...change } }, options);
}
