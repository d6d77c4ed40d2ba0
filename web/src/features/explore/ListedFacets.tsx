// The values that there are, where the store can't count how often: those of the fields that almost every question
// begins with.

import type { Window } from '../../api/questions.ts';
import type { Facet } from '../../api/types.ts';
import { SERVICE, valueLabel } from '../../query/fields.ts';
import { Facets } from './Facets.tsx';
import type { Changes } from './useExplore.ts';
import { type Suggestions, useValues } from './useSuggestions.ts';

const NONE: readonly string[] = [];

function facetOf(field: string, { items }: Suggestions): Facet {
  const values = items.map(({ text }) => ({ value: valueLabel(text), literal: text, count: 0, errors: 0 }));
  return { field, values, others: 0, missing: 0 };
}

type ListedFacetsProps = { window: Window; cols: readonly string[]; changes: Changes };

export function ListedFacets({ window, cols, changes }: ListedFacetsProps) {
  const services = useValues(SERVICE, '=', '', window);
  const names = useValues('name', '=', '', window);
  const statuses = useValues('status', '=', '', window);
  const kinds = useValues('kind', '=', '', window);
  const isLoading = services.isLoading && names.isLoading;
  const facets = [
    facetOf(SERVICE, services),
    facetOf('name', names),
    facetOf('status', statuses),
    facetOf('kind', kinds),
  ];
  return (
    <Facets
      facets={isLoading ? null : facets}
      share={1}
      isStale={false}
      isCounted={false}
      others={NONE}
      cols={cols}
      changes={changes}
    />
  );
}
