// The pages about services: `/services`, `/services/<service>` and `/services/<service>/<operation>` with
// `range from to kind sort find as`. And those with little to say: Home and Status.

import type { SpanKind } from '../api/types.ts';
import { choice, custom, type Field, type Fields, optionalText, text, timeRange } from './fields.ts';
import type { HomeState, RedColumn, RedSort, ServiceState, ServicesState, StatusState } from './state.ts';

const KINDS: readonly SpanKind[] = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

const RED_COLUMNS: readonly RedColumn[] = ['impact', 'name', 'rate', 'errors', 'p50', 'p95', 'p99', 'change'];

/** `sort=errors`; against the usual direction of the column `sort=errors,up` and `sort=name,down`. */
const redSort: Field<RedSort> = custom<RedSort>(
  'sort',
  { column: 'impact', direction: 'descending' },
  parseRedSort,
  ({ column, direction }) => {
    if (direction === usualDirection(column)) return column;
    return `${column},${direction === 'ascending' ? 'up' : 'down'}`;
  },
);

export const HOME: Fields<HomeState> = { range: timeRange('1h'), sort: redSort };

export const SERVICES: Fields<ServicesState> = { range: timeRange('1h'), sort: redSort, find: text('find') };

export const SERVICE: Fields<Omit<ServiceState, 'service'>> = {
  range: timeRange('1h'),
  kind: custom<SpanKind | null>('kind', null, parseKind, (kind) => kind ?? ''),
  sort: redSort,
  as: choice<ServiceState['as']>('as', ['charts', 'table']),
};

export const STATUS: Fields<StatusState> = {
  tab: choice<StatusState['tab']>('tab', ['overview', 'quality']),
  service: optionalText('service'),
  range: timeRange('48h'),
};

/** `server`, in any case. */
export function parseKind(value: string): SpanKind | null {
  return KINDS.find((kind) => kind === value.toLowerCase()) ?? null;
}

/** Names are read from A on, numbers from the largest on. */
export function usualDirection(column: RedColumn): RedSort['direction'] {
  return column === 'name' ? 'ascending' : 'descending';
}

function parseRedSort(value: string): RedSort | null {
  const [name, direction] = value.split(',', 2);
  const column = RED_COLUMNS.find((one) => one === name);
  if (column === undefined) return null;
  if (direction === undefined) return { column, direction: usualDirection(column) };
  if (direction !== 'up' && direction !== 'down') return null;
  return { column, direction: direction === 'up' ? 'ascending' : 'descending' };
}
