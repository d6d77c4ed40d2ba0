// Where a row leads: to its trace, at the span that matched; where several did, they are found there.

import { placeOfTrace } from '../../core/places.ts';
import type { Place } from '../../url/index.ts';
import type { ResultRow } from './rows.ts';

export function placeOfRow({ trace, span }: ResultRow, q: string): Place {
  const place = placeOfTrace(trace.traceId, span?.spanId);
  const isFound = q !== '' && span !== null && trace.matchedSpans !== 1;
  return place.page === 'trace' && isFound ? { ...place, state: { ...place.state, find: q } } : place;
}
