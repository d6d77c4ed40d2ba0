// The places that buttons and keys lead to, with nothing chosen yet.

import type { Place } from '../url/index.ts';
import { parseUrl } from '../url/index.ts';

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
