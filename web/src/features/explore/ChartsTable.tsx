// The numbers of the charts as a table: the same data for whoever reads or hears rather than sees.

import { useMemo } from 'react';
import { go } from '../../core/navigation.ts';
import { placeOfTrace } from '../../core/places.ts';
import { formatDuration } from '../../format/duration.ts';
import { formatCountExact } from '../../format/number.ts';
import { zoneLabel } from '../../format/time.ts';
import { ErrorCount } from '../../ui/ErrorCount/ErrorCount.tsx';
import { Table, type TableColumn } from '../../ui/Table/Table.tsx';
import css from './Charts.module.css';
import type { ChartProps } from './Charts.tsx';
import { cellTimes } from './cellText.ts';
import type { Cell } from './overview.ts';
import { text } from './text.ts';

type Row = { step: number; times: string; count: number; errors: number; slowest: Cell };

export function ChartsTable({ overview, zone }: ChartProps) {
  const rows = useMemo(() => {
    const bySlowest = new Map<number, Cell>();
    for (const cell of overview.cells) {
      const known = bySlowest.get(cell.step);
      if (!known || known.slowest.durationNs < cell.slowest.durationNs) bySlowest.set(cell.step, cell);
    }
    return [...bySlowest].map(
      ([step, slowest]): Row => ({
        step,
        times: cellTimes(slowest, overview, zone),
        count: overview.steps.counts[step] ?? 0,
        errors: overview.steps.errors[step] ?? 0,
        slowest,
      }),
    );
  }, [overview, zone]);
  const columns: TableColumn<Row>[] = [
    {
      id: 'time',
      header: text.tableTime(zoneLabel(overview.fromNs, zone)),
      isRowHeader: true,
      cell: ({ times }) => times,
    },
    { id: 'count', header: text.tableCount, align: 'end', width: '96px', cell: ({ count }) => formatCountExact(count) },
    {
      id: 'errors',
      header: text.tableErrors,
      align: 'end',
      width: '80px',
      cell: ({ errors }) => <ErrorCount count={errors} />,
    },
    {
      id: 'slowest',
      header: text.tableSlowest,
      align: 'end',
      width: '112px',
      cell: ({ slowest }) => formatDuration(slowest.slowest.durationNs),
    },
  ];
  return (
    <Table
      caption={text.tableCaption}
      className={css['table']}
      columns={columns}
      rows={rows}
      rowKey={({ step }) => String(step)}
      onOpen={({ slowest }) => go(placeOfTrace(slowest.slowest.traceId, slowest.slowest.spanId))}
    />
  );
}
