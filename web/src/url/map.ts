// The service map in a link: `focus hops min metric as find sel sort mode operation ops` and the time range.

import { choice, custom, type Fields, flag, joinList, optionalText, splitList, text, timeRange } from './fields.ts';
import type { MapState } from './state.ts';

export const MAP: Fields<MapState> = {
  focus: optionalText('focus'),
  hops: custom<MapState['hops']>('hops', 2, parseHops, String),
  min: custom('min', 0, parseRate, (min) => String(Math.round(min * 1e6) / 1e6)),
  metric: choice<MapState['metric']>('metric', ['latency', 'errors', 'rate']),
  as: choice<MapState['as']>('as', ['auto', 'graph', 'table', 'calls']),
  find: text('find'),
  selected: custom<MapState['selected']>('sel', [], parseSelected, joinList),
  sort: text('sort', '-rate'),
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

function parseSelected(value: string): readonly string[] | null {
  const names = splitList(value);
  return names.length === 1 || names.length === 2 ? names : null;
}
