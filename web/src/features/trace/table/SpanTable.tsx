// All spans as a table, sorted by any column: those that filters leave, without their tree.

import { useMemo } from 'react';
import { formatDuration, formatExactNs } from '../../../format/duration.ts';
import { formatCountExact } from '../../../format/number.ts';
import { FLAG, type RowIndex } from '../../../model/columns.ts';
import { KINDS, STATUSES } from '../../../model/stats.ts';
import { type TableColumn as SortedBy, sortRows, TABLE_COLUMNS } from '../../../model/table.ts';
import { cssColourOf, isHatched } from '../../../theme/palette.ts';
import { EmptyState } from '../../../ui/EmptyState/EmptyState.tsx';
import { ServiceName } from '../../../ui/ServiceName/ServiceName.tsx';
import type { TableColumn } from '../../../ui/Table/tableTypes.ts';
import { VirtualTable } from '../../../ui/Table/VirtualTable.tsx';
import { update, useTracePage } from '../state/page.tsx';
import { useShownBits } from '../state/useShownBits.ts';
import { nameOf, serviceOf } from '../waterfall/rowText.ts';
import css from './SpanTable.module.css';
import { text } from './text.ts';

/** More than anyone scrolls through, and less than a browser lets an element be high. */
const ROWS_MAX = 50_000;

function readSort(sort: string): { by: SortedBy; isDescending: boolean } {
  const name = sort.replace(/^-/, '');
  const by = TABLE_COLUMNS.find((column) => column === name);
  return by === undefined ? { by: 'start', isDescending: false } : { by, isDescending: sort.startsWith('-') };
}

export function SpanTable() {
  const { session, state, selection, select, valueColumns } = useTracePage();
  const { columns, slots } = session;
  const bits = useShownBits();
  const { by, isDescending } = readSort(state.sort);
  const order = useMemo(() => sortRows(columns, by, isDescending, bits), [columns, by, isDescending, bits]);
  const rows = useMemo(() => Array.from(order.subarray(0, ROWS_MAX)), [order]);

  const shown: TableColumn<RowIndex>[] = [
    {
      id: 'service',
      header: text.span,
      isRowHeader: true,
      sort: 'ascending',
      cell: (row) => {
        const slot = slots[columns.service[row] as number] ?? -1;
        return (
          <ServiceName
            name={serviceOf(session, row)}
            operation={nameOf(session, row)}
            color={cssColourOf(slot)}
            isHatched={isHatched(slot)}
          />
        );
      },
    },
    ...valueColumns.map(
      (column): TableColumn<RowIndex> => ({
        id: `value ${column.field}`,
        header: column.field,
        isMono: true,
        isWideOnly: true,
        width: '140px',
        cell: (row) => column.textOf(row),
      }),
    ),
    {
      id: 'start',
      header: text.start,
      align: 'end',
      width: '92px',
      sort: 'ascending',
      cell: (row) => <Duration ns={columns.start[row] as number} />,
    },
    {
      id: 'dur',
      header: text.dur,
      align: 'end',
      width: '92px',
      sort: 'descending',
      cell: (row) => <Duration ns={columns.dur[row] as number} />,
    },
    {
      id: 'self',
      header: text.self,
      align: 'end',
      width: '92px',
      sort: 'descending',
      isWideOnly: true,
      cell: (row) => <Duration ns={columns.self[row] as number} />,
    },
    {
      id: 'kind',
      header: text.kind,
      width: '92px',
      sort: 'ascending',
      isWideOnly: true,
      cell: (row) => KINDS[columns.kind[row] as number] ?? '',
    },
    {
      id: 'status',
      header: text.status,
      width: '76px',
      sort: 'descending',
      cell: (row) => {
        const isError = ((columns.flags[row] as number) & FLAG.error) !== 0;
        const status = STATUSES[columns.status[row] as number] ?? '';
        return isError ? <span className={css['error']}>{status}</span> : status;
      },
    },
    {
      id: 'subtree',
      header: text.subtree,
      align: 'end',
      width: '116px',
      sort: 'descending',
      isWideOnly: true,
      cell: (row) => formatCountExact((columns.subtree[row] as number) - 1),
    },
  ];
  return (
    <VirtualTable
      className={css['table']}
      caption={text.caption}
      columns={shown}
      rows={rows}
      rowKey={String}
      totalRows={rows.length}
      sort={{ column: by, direction: isDescending ? 'descending' : 'ascending' }}
      onSort={({ column, direction }) => update({ sort: direction === 'descending' ? `-${column}` : column })}
      current={selection.row < 0 ? null : String(selection.row)}
      onCurrentChange={(key) => select(Number(key))}
      empty={<EmptyState title={text.none} />}
      footer={order.length > ROWS_MAX ? text.first(ROWS_MAX, order.length) : undefined}
    />
  );
}

function Duration({ ns }: { ns: number }) {
  return <span title={formatExactNs(ns)}>{formatDuration(ns)}</span>;
}
