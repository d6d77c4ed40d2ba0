// The order of the table view: rows by any column.
//
// Equal rows stay in the order of the trace, in both directions, so that sorting twice never shuffles.

import type { Bits } from './bits.ts';
import type { TraceColumns } from './columns.ts';
import { sortByKey } from './sortByKey.ts';

export const TABLE_COLUMNS = ['start', 'dur', 'self', 'service', 'name', 'kind', 'status', 'depth', 'subtree'] as const;
export type TableColumn = (typeof TABLE_COLUMNS)[number];

/** All rows, or those of `rows`. */
export function sortRows(
  columns: TraceColumns,
  by: TableColumn,
  isDescending: boolean,
  rows: Bits | null = null,
): Uint32Array {
  const { count } = columns;
  let order = new Uint32Array(count);
  let length = 0;
  for (let i = 0; i < count; i++) if (rows === null || rows.has(i)) order[length++] = i;
  order = order.slice(0, length);
  sortByKey(order, keysOf(columns, by, isDescending ? -1 : 1), 0, length, new Uint32Array(length));
  return order;
}

function keysOf(columns: TraceColumns, by: TableColumn, sign: 1 | -1): Float64Array {
  if (by === 'service') return byWord(columns.services, columns.service, sign);
  if (by === 'name') return byWord(columns.names, columns.name, sign);
  const values = columns[by];
  const keys = new Float64Array(columns.count);
  for (let i = 0; i < keys.length; i++) keys[i] = sign * (values[i] as number);
  return keys;
}

function byWord(words: readonly string[], codes: Uint32Array, sign: 1 | -1): Float64Array {
  const rank = new Float64Array(words.length);
  const order = Array.from(words.keys()).sort((a, b) =>
    (words[a] as string) < (words[b] as string) ? -1 : (words[a] as string) > (words[b] as string) ? 1 : 0,
  );
  order.forEach((word, k) => {
    rank[word] = sign * k;
  });
  return Float64Array.from(codes, (code) => rank[code] ?? 0);
}
