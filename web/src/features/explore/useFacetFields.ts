// Which facets there are: those that the reader keeps at the top, what every span has, and the attributes that most
// spans have, without those whose values are all different.

import { useQuery } from '@tanstack/react-query';
import { completionQuestion, type Window } from '../../api/questions.ts';
import { usePreferences } from '../../core/preferences.ts';
import { SERVICE } from '../../query/fields.ts';

export const FIXED_FACETS = [SERVICE, 'name', 'status', 'kind'];
const FREQUENT_MAX = 6;
/** Ends of names whose values tell one thing from all others: no use to choose from. */
const UNIQUE = /(?:^|[._:-])(?:id|uid|uuid|guid|port|address|ip|url|path|query|timestamp|length|size|full|text|time)$/i;

export type FacetFields = {
  /** Null: not known yet. */
  readonly shown: readonly string[] | null;
  /** What else can be one. */
  readonly others: readonly string[];
};

export function useFacetFields(window: Window): FacetFields {
  const { starred } = usePreferences();
  const { data, isPending } = useQuery({ ...completionQuestion('{ ', 2, window), staleTime: 60_000 });
  if (isPending) return { shown: null, others: [] };
  const attributes = (data?.items ?? []).filter(({ kind, text }) => kind === 'attribute' && !text.endsWith('.'));
  const frequent = attributes
    .map(({ text }) => text)
    .filter((field) => !UNIQUE.test(field) && !/request[-_.]id|peer\./i.test(field) && field !== SERVICE)
    .slice(0, FREQUENT_MAX);
  const shown = [...new Set([...starred, ...FIXED_FACETS, ...frequent])];
  return { shown, others: attributes.map(({ text }) => text).filter((field) => !shown.includes(field)) };
}
