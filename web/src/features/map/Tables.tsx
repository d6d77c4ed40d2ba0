// The map as tables: services, and the calls between them. The same data, for screen readers, for who wants numbers,
// and where there are too many services for a picture.

import type { ReactNode } from 'react';
import { goTo } from '../../core/navigation.ts';
import { formatDuration } from '../../format/duration.ts';
import { formatCountExact, formatPercent, formatRate } from '../../format/number.ts';
import { cssColourOf, preferredSlot } from '../../theme/palette.ts';
import { ServiceName } from '../../ui/ServiceName/ServiceName.tsx';
import type { TableColumn, TableSort } from '../../ui/Table/Table.tsx';
import { VirtualTable } from '../../ui/Table/VirtualTable.tsx';
import type { MapState } from '../../url/index.ts';
import { type Call, type Drawn, errorShare, isFound, type Service } from './calls.ts';
import css from './Map.module.css';
import { serviceHref } from './places.ts';
import { RING_FROM } from './scale.ts';
import { text } from './text.ts';
import type { ChangeMap } from './useMap.ts';

type Measure<Row> = { [column: string]: (row: Row) => number | string };
type Red = Pick<Service, 'total' | 'rate'>;

const RED: Measure<Red> = {
  rate: ({ rate }) => rate,
  errors: ({ total }) => errorShare(total),
  p50: ({ total }) => total?.p50 ?? -1,
  p95: ({ total }) => total?.p95 ?? -1,
  p99: ({ total }) => total?.p99 ?? -1,
};
const SERVICE: Measure<Service> = {
  ...RED,
  name: ({ name }) => name,
  callers: (service) => service.in.length,
  callees: (service) => service.out.length,
};
const CALL: Measure<Call> = {
  ...RED,
  name: ({ caller }) => caller,
  callee: ({ callee }) => callee,
  kind: ({ isAsync }) => (isAsync ? 1 : 0),
};

function named(name: string): ReactNode {
  return <ServiceName name={name} color={cssColourOf(preferredSlot(name))} />;
}

function redColumns<Row extends Red>(): TableColumn<Row>[] {
  const quantile = (id: 'p50' | 'p95' | 'p99', isWideOnly: boolean): TableColumn<Row> => ({
    id,
    header: text[id],
    align: 'end',
    width: '80px',
    sort: 'descending',
    isWideOnly,
    cell: ({ total }) => (total === null ? '–' : formatDuration(total[id])),
  });
  return [
    {
      id: 'rate',
      header: text.requests,
      align: 'end',
      width: '80px',
      sort: 'descending',
      cell: ({ rate }) => formatRate(rate),
    },
    {
      id: 'errors',
      header: text.errors,
      align: 'end',
      width: '72px',
      sort: 'descending',
      cell: ({ total }) =>
        total === null ? (
          '–'
        ) : (
          <span data-bad={errorShare(total) >= RING_FROM || undefined} data-none={errorShare(total) === 0 || undefined}>
            {formatPercent(errorShare(total))}
          </span>
        ),
    },
    quantile('p50', true),
    quantile('p95', false),
    quantile('p99', true),
  ];
}

const serviceColumns: TableColumn<Service>[] = [
  { id: 'name', header: text.name, isRowHeader: true, sort: 'ascending', cell: ({ name }) => named(name) },
  ...redColumns<Service>(),
  {
    id: 'callers',
    header: text.callers,
    align: 'end',
    width: '88px',
    sort: 'descending',
    isWideOnly: true,
    cell: (service) => formatCountExact(service.in.length),
  },
  {
    id: 'callees',
    header: text.calls,
    align: 'end',
    width: '72px',
    sort: 'descending',
    isWideOnly: true,
    cell: (service) => formatCountExact(service.out.length),
  },
];

const callColumns: TableColumn<Call>[] = [
  { id: 'name', header: text.caller, isRowHeader: true, sort: 'ascending', cell: ({ caller }) => named(caller) },
  { id: 'callee', header: text.callee, sort: 'ascending', cell: ({ callee }) => named(callee) },
  {
    id: 'kind',
    header: text.kind,
    width: '64px',
    sort: 'descending',
    isWideOnly: true,
    cell: ({ isAsync }) => (isAsync ? text.kindAsync : text.kindSync),
  },
  ...redColumns<Call>(),
];

function sortOf(sort: string): TableSort {
  return sort.startsWith('-')
    ? { column: sort.slice(1), direction: 'descending' }
    : { column: sort, direction: 'ascending' };
}

function sorted<Row>(rows: readonly Row[], measure: Measure<Row>, { column, direction }: TableSort): Row[] {
  const value = measure[column] ?? measure['rate'];
  if (value === undefined) return [...rows];
  const sign = direction === 'descending' ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [x, y] = [value(a), value(b)];
    return x === y ? 0 : x < y ? -sign : sign;
  });
}

export type TablesProps = {
  drawn: Drawn;
  state: MapState;
  change: ChangeMap;
  as: 'table' | 'calls';
  empty: ReactNode;
};

export function Tables({ drawn, state, change, as, empty }: TablesProps) {
  const sort = sortOf(state.sort);
  const { find, selected } = state;
  const shared = {
    sort,
    onSort: ({ column, direction }: TableSort) => change({ sort: direction === 'descending' ? `-${column}` : column }),
    empty,
    className: css['table'],
  };
  if (as === 'table') {
    const rows = drawn.wanted.filter(({ name }) => isFound(name, find));
    return (
      <VirtualTable
        {...shared}
        caption={text.serviceTable}
        columns={serviceColumns}
        rows={sorted(rows, SERVICE, sort)}
        rowKey={({ name }) => name}
        current={selected.length === 1 ? (selected[0] ?? null) : null}
        onCurrentChange={(name) => change({ selected: [name] }, { replace: true })}
        keys={{
          ['Enter']: ({ name }: Service) => goTo(serviceHref(name, state.range)),
          f: ({ name }: Service) => change({ focus: name, selected: [name] }),
        }}
      />
    );
  }
  const rows = drawn.wantedCalls.filter(({ caller, callee }) => isFound(`${caller} ${callee}`, find));
  const current = rows.find(({ caller, callee }) => caller === selected[0] && callee === selected[1]);
  return (
    <VirtualTable
      {...shared}
      caption={text.callTable}
      columns={callColumns}
      rows={sorted(rows, CALL, sort)}
      rowKey={({ id }) => id}
      current={current?.id ?? null}
      onCurrentChange={(id) => {
        const call = rows.find((one) => one.id === id);
        if (call) change({ selected: [call.caller, call.callee] }, { replace: true });
      }}
    />
  );
}
