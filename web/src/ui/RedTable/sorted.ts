// The orders of a table of services or operations. Equal ones stand by name, so that rows do not jump at a refresh.

import type { TableSort } from '../Table/tableTypes.ts';
import type { RedRow } from './RedTable.tsx';

export type RedColumnId = 'impact' | 'name' | 'rate' | 'errors' | 'p50' | 'p95' | 'p99' | 'change';

export const RED_SORTS: readonly RedColumnId[] = ['impact', 'name', 'rate', 'errors', 'p50', 'p95', 'p99', 'change'];

const byName = (a: RedRow, b: RedRow) => a.name.localeCompare(b.name) || (a.key < b.key ? -1 : 1);

function numberOf({ stat }: RedRow, column: string): number {
  switch (column) {
    case 'rate':
      return stat.perSecond;
    case 'errors':
      return stat.errorShare;
    case 'p50':
      return stat.p50;
    case 'p95':
      return stat.p95;
    case 'p99':
      return stat.p99;
    case 'change':
      return stat.change?.ratio ?? 0;
    default:
      return stat.impact;
  }
}

export function sorted(rows: readonly RedRow[], { column, direction }: TableSort): RedRow[] {
  const sign = direction === 'ascending' ? 1 : -1;
  if (column === 'name') return [...rows].sort((a, b) => sign * byName(a, b));
  return [...rows].sort((a, b) => sign * (numberOf(a, column) - numberOf(b, column)) || byName(a, b));
}
