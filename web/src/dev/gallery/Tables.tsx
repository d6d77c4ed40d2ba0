// The table, plain and with 10,000 rows.

import { useState } from 'react';
import { Checkbox } from '../../ui/Checkbox/Checkbox.tsx';
import { DurationBar } from '../../ui/DurationBar/DurationBar.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { ErrorCount } from '../../ui/ErrorCount/ErrorCount.tsx';
import { ServiceName } from '../../ui/ServiceName/ServiceName.tsx';
import { Sparkline } from '../../ui/Sparkline/Sparkline.tsx';
import { Table, type TableColumn, type TableSort } from '../../ui/Table/Table.tsx';
import { VirtualTable } from '../../ui/Table/VirtualTable.tsx';
import css from './gallery.module.css';
import { Line, Section } from './Section.tsx';
import { type Sample, sampleRows, services } from './sample.ts';

const rows = sampleRows(10_000);

type Service = (typeof services)[number];
const serviceColumns: TableColumn<Service>[] = [
  {
    id: 'service',
    header: 'Service',
    sort: 'ascending',
    isRowHeader: true,
    cell: (s) => <ServiceName name={s.name} color={s.color} />,
  },
  {
    id: 'rate',
    header: 'rate/s',
    align: 'end',
    width: '80px',
    sort: 'descending',
    cell: (s) => (s.spans / 360).toFixed(1),
  },
  {
    id: 'errors',
    header: 'errors',
    align: 'end',
    width: '80px',
    sort: 'descending',
    cell: (s) => `${((100 * s.errors) / s.spans).toFixed(2)} %`,
  },
  { id: 'p95', header: 'p95', align: 'end', width: '80px', sort: 'descending', cell: (s) => `${s.p95} ms` },
  {
    id: 'trend',
    header: 'trend',
    isWideOnly: true,
    align: 'end',
    width: '112px',
    cell: (s) => <Sparkline label={`${s.name} over time`} values={s.trend} kind="bars" />,
  },
];

export function Tables() {
  const [sort, setSort] = useState<TableSort>({ column: 'rate', direction: 'descending' });
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set(['trace 1']));
  function toggle({ id }: Sample) {
    const next = new Set(marked);
    if (!next.delete(id)) next.add(id);
    setMarked(next);
  }
  const columns: TableColumn<Sample>[] = [
    {
      id: 'mark',
      header: 'Compare',
      isHeaderHidden: true,
      width: '40px',
      cell: (r) => (
        <Checkbox
          label={`Compare ${r.name}`}
          isLabelHidden
          tabIndex={-1}
          isSelected={marked.has(r.id)}
          onChange={() => toggle(r)}
        />
      ),
    },
    { id: 'time', header: 'Time, CET', width: '104px', isMono: true, cell: (r) => r.time },
    {
      id: 'name',
      header: 'Root',
      isRowHeader: true,
      cell: (r) => (
        <ServiceName
          name={services[r.service]?.name ?? ''}
          operation={r.name}
          color={services[r.service]?.color ?? ''}
        />
      ),
    },
    {
      id: 'duration',
      header: 'Duration',
      isWideOnly: true,
      width: '200px',
      cell: (r) => <DurationBar text={`${r.ms} ms`} value={r.ms} max={2140} />,
    },
    { id: 'spans', header: 'Spans', isWideOnly: true, align: 'end', width: '64px', cell: (r) => r.spans },
    { id: 'errors', header: 'Errors', align: 'end', width: '64px', cell: (r) => <ErrorCount count={r.errors} /> },
  ];
  return (
    <Section title="Tables">
      <Line label="Table" isWide>
        <Table
          caption="Services"
          columns={serviceColumns}
          rows={services}
          rowKey={({ name }) => name}
          sort={sort}
          onSort={setSort}
          onOpen={() => {}}
          footer="4 of 31 services"
        />
      </Line>
      <Line label="VirtualTable" isWide>
        <VirtualTable
          caption="Traces"
          className={css['tall']}
          columns={columns}
          rows={rows}
          rowKey={({ id }) => id}
          onOpen={() => {}}
          onMark={toggle}
          isMarked={({ id }) => marked.has(id)}
          totalRows={12_400}
        />
      </Line>
      <Line label="Empty" isWide>
        <Table
          caption="Nothing"
          columns={serviceColumns}
          rows={[]}
          rowKey={({ name }) => name}
          empty={<EmptyState isSmall level={3} title="No services yet" />}
        />
      </Line>
    </Section>
  );
}
