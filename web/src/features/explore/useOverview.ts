// All matches: what the charts and the facets are drawn from.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { overviewQuestion, type Window } from '../../api/questions.ts';
import type { Facet, OverviewAnswer, Scope } from '../../api/types.ts';
import { type Overview, overviewOf } from './overview.ts';

const STEPS_WIDE = 120;
const STEPS_NARROW = 60;
const NARROW_PX = 700;

export type AllMatches = {
  readonly answer: OverviewAnswer | undefined;
  readonly overview: Overview | null;
  readonly facets: readonly Facet[] | null;
  readonly error: Error | null;
  readonly isStale: boolean;
  readonly isRetrying: boolean;
  readonly retry: () => void;
};

type Asked = { q: string; scope: Scope; facets: readonly string[] | null; window: Window; isOn: boolean };

export function useOverview({ q, scope, facets, window, isOn }: Asked): AllMatches {
  // Of the first look: a window that is made larger does not ask anew.
  const [steps] = useState(() => (innerWidth < NARROW_PX ? STEPS_NARROW : STEPS_WIDE));
  const { data, error, isPlaceholderData, isFetching, refetch } = useQuery({
    ...overviewQuestion({ q, scope, steps, facets: facets ?? [] }, window),
    enabled: isOn && facets !== null,
    placeholderData: keepPreviousData,
  });
  const overview = useMemo(() => (data ? overviewOf(data) : null), [data]);
  return {
    answer: data,
    overview,
    facets: data?.facets ?? null,
    error,
    isStale: isPlaceholderData,
    isRetrying: isFetching,
    retry: () => void refetch(),
  };
}

/** The store can't count all matches: what it lists is all there is. */
export function isNotHere(error: Error | null): boolean {
  return error instanceof ApiError && error.status === 501;
}

/** The query asks for what is judged trace by trace: its matches can be listed and not counted. */
export function isUncounted(error: Error | null): boolean {
  return error instanceof ApiError && error.status === 422;
}
