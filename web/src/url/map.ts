// The service map in a link: `focus hops min metric as find mode operation ops` and the time range.

import { choice, custom, type Fields, flag, optionalText, text, timeRange } from './fields.ts';
import type { MapState } from './state.ts';

export const MAP: Fields<MapState> = {
  focus: optionalText('focus'),
  hops: custom<MapState['hops']>('hops', 2, parseHops, String),
  min: custom('min', 0, parseRate, (min) => String(Math.round(min * 1e6) / 1e6)),
  metric: choice<MapState['metric']>('metric', ['latency', 'errors', 'rate']),
  as: choice<MapState['as']>('as', ['graph', 'table']),
  find: text('find'),
  mode: choice<MapState['mode']>('mode', ['calls', 'paths']),
  operation: optionalText('operation'),
  showOperations: flag('ops', false),
  range: timeRange('1h'),
};

function parseHops(value: string): MapState['hops'] | null {
  return ([1, 2, 3, 'all'] as const).find((hops) => String(hops) === value) ?? null;
}

/** Calls a second, as a plain number. */
function parseRate(value: string): number | null {
  return /^\d{1,9}(?:\.\d{1,9})?$/.test(value) ? Number(value) : null;
}
