// Where a row leads: to its trace, at the span that matched or that the link names; several are found there.

import { placeOfTrace } from '../../core/places.ts';
import type { Place } from '../../url/index.ts';
import type { ResultRow } from './rows.ts';

export function placeOfRow({ trace, span, named = [] }: ResultRow, q: string): Place {
  // Ids are words to find; the server's answer holds but a few of the spans of a trace, so not all of these.
  const [first = span?.spanId, ...others] = named;
  const place = placeOfTrace(trace.traceId, others.length === 0 ? first : null);
  if (place.page === 'trace' && others.length > 0)
    return { ...place, state: { ...place.state, find: named.join(' ') } };
  const isFound = q !== '' && span !== null && trace.matchedSpans !== 1;
  return place.page === 'trace' && isFound ? { ...place, state: { ...place.state, find: q } } : place;
}
