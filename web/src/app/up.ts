// One level up from the pages that stand below another: Escape, once nothing on the page takes it.

import { lastLeft } from '../core/navigation.ts';
import { defaults, overRange, placeOfService, placeOfTrace } from '../core/places.ts';
import type { Place, Route } from '../url/index.ts';

/** As one left it where one came from there, over the range that one looks at now; null: there is nothing above. */
export function placeAbove(route: Route): Place | null {
  if (route.embed.mode !== 'off') return null;
  switch (route.page) {
    case 'operation': {
      const { service, range } = route.state;
      const before = lastLeft('service');
      const isSame = before?.page === 'service' && before.state.service === service;
      return overRange(isSame ? before : placeOfService(service), range);
    }
    case 'service':
      return overRange(lastLeft('services') ?? defaults.services(), route.state.range);
    case 'compare': {
      const known = route.state.a ?? route.state.b;
      return lastLeft('search', 'trace') ?? (known === null ? defaults.search() : placeOfTrace(known));
    }
    default:
      return null;
  }
}
