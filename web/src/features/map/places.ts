// Where the map leads to.

import { hrefOf } from '../../core/navigation.ts';
import { placeOfQuery, placeOfService, placeOfTrace } from '../../core/places.ts';
import type { MapState, Place } from '../../url/index.ts';
import { attributeField, printComparison, printQuery } from '../../url/queryText.ts';

/** The same time range there, where the page has one. */
function within(place: Place, range: MapState['range']): string {
  return hrefOf('range' in place.state ? ({ ...place, state: { ...place.state, range } } as Place) : place);
}

export function serviceHref(service: string, range: MapState['range']): string {
  return within(placeOfService(service), range);
}

export function tracesHref(service: string, range: MapState['range']): string {
  const field = attributeField('service.name', 'resource');
  const query = printQuery([printComparison({ field, op: '=', value: { kind: 'text', text: service } })]);
  return within(placeOfQuery(query), range);
}

export function traceHref(traceId: string): string {
  return hrefOf(placeOfTrace(traceId));
}
