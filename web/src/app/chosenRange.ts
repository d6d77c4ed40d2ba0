// The time range that goes along from page to page: the one that the reader chose.

import { hrefOf } from '../core/navigation.ts';
import type { Route, TimeRange } from '../url/index.ts';

/** The range that a page was given: one that is not of the page itself goes along to the next. */
export function chosenRange(route: Route): TimeRange | null {
  if (!('range' in route.state) || route.page === 'status') return null;
  return /[?&](?:range|from|to)=/.test(hrefOf(route)) ? route.state.range : null;
}
