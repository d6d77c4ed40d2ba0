// The places that buttons and keys lead to, with nothing chosen yet.

import type { Place, SearchState, TimeRange } from '../url/index.ts';
import { parseUrl } from '../url/index.ts';
import { withConjunct } from '../url/queryText.ts';

function placeOf(path: string): () => Place {
  return () => parseUrl(path).route;
}

export const defaults = {
  home: placeOf('/'),
  search: placeOf('/search'),
  map: placeOf('/dependencies'),
  services: placeOf('/services'),
  status: placeOf('/status'),
  settings: placeOf('/settings'),
};

/** Links to one thing. */
export const placeOfTrace = (traceId: string, spanId?: string | null): Place =>
  parseUrl(`/trace/${traceId}${spanId ? `?span=${spanId}` : ''}`).route;
export const placeOfService = (service: string): Place => parseUrl(`/services/${encodeURIComponent(service)}`).route;
export const placeOfOperation = (service: string, operation: string): Place =>
  parseUrl(`/services/${encodeURIComponent(service)}/${encodeURIComponent(operation)}`).route;
export const placeOfQuery = (q: string): Place => parseUrl(`/search?q=${encodeURIComponent(q)}`).route;
export const placeOfCompare = (a: string, b: string): Place => parseUrl(`/trace/${a}...${b}`).route;

/** A search with all that is to be known of it; what is left out is usual. */
export function placeOfSearch(wanted: Partial<SearchState>): Place {
  const { state } = parseUrl('/search').route as Extract<Place, { page: 'search' }>;
  return { page: 'search', state: { ...state, ...wanted } };
}

/** The same search of what has a value in a field: `literal` is the value as a query writes it. */
export const placeOfValue =
  (wanted: Partial<SearchState> & { q: string }, field: string) =>
  ({ literal }: { literal: string }): Place => {
    const { q } = wanted;
    return placeOfSearch({ ...wanted, q: withConjunct(q, `${field} = ${literal}`) ?? q });
  };

export function placeOfMapAround(service: string): Place {
  const { state } = parseUrl('/dependencies').route as Extract<Place, { page: 'map' }>;
  return { page: 'map', state: { ...state, focus: service } };
}

/** The same place over another range; a place without one stays as it is. */
export function overRange<P extends Place>(place: P, range: TimeRange): P {
  // Every state with a range has it under this name, which TypeScript cannot follow over a union.
  return 'range' in place.state ? ({ ...place, state: { ...place.state, range } } as P) : place;
}
