// The columns of the results: when, what, how long, how large, what failed, where it went; attributes after them.

import { Hourglass } from 'lucide-react';
import type { Scope } from '../../api/types.ts';
import { hrefOf } from '../../core/navigation.ts';
import { toggleInBasket } from '../../core/preferences.ts';
import { formatDuration, formatExactNs } from '../../format/duration.ts';
import { formatCountExact, NO_VALUE } from '../../format/number.ts';
import { clockTime, dayText, timeTooltip, type Zone, zoneLabel } from '../../format/time.ts';
import { fieldLabel, literalOf } from '../../query/fields.ts';
import { Checkbox } from '../../ui/Checkbox/Checkbox.tsx';
import { DurationBar } from '../../ui/DurationBar/DurationBar.tsx';
import { ErrorCount } from '../../ui/ErrorCount/ErrorCount.tsx';
import { ServiceName } from '../../ui/ServiceName/ServiceName.tsx';
import type { TableColumn } from '../../ui/Table/Table.tsx';
import { ValueMenu } from '../../ui/ValueMenu/ValueMenu.tsx';
import { placeOfRow } from './placeOfRow.ts';
import css from './Results.module.css';
import { RowMenu } from './RowMenu.tsx';
import type { ResultRow } from './rows.ts';
import { ServiceShares } from './ServiceShares.tsx';
import { serviceColour } from './serviceColour.ts';
import { text } from './text.ts';
import type { Changes } from './useExplore.ts';

export type ColumnsOptions = {
  readonly scope: Scope;
  readonly q: string;
  readonly cols: readonly string[];
  readonly zone: Zone;
  readonly nowNs: bigint;
  /** The range is longer than a day: times without a date would say little. */
  readonly hasDates: boolean;
  readonly isNarrow: boolean;
  readonly longestNs: number;
  readonly basket: readonly string[];
  readonly isLive: boolean;
  readonly changes: Changes;
};

type Column = TableColumn<ResultRow>;

function Start({ ns, options }: { ns: bigint; options: ColumnsOptions }) {
  const { zone, nowNs, hasDates } = options;
  const { local, utc, relative } = timeTooltip(ns, nowNs, zone);
  const clock = clockTime(ns, zone, hasDates ? 0 : 3);
  return (
    <time title={`${local}\n${utc}\n${relative}`} className={css['start']}>
      {hasDates ? `${dayText(ns, zone)} ${clock}` : clock}
    </time>
  );
}

function Name({ row, options }: { row: ResultRow; options: ColumnsOptions }) {
  const { service, name, trace, startNs } = row;
  const { isNarrow, isLive, scope } = options;
  const errors = scope === 'traces' ? trace.errors : row.hasError ? 1 : 0;
  return (
    <a className={css['name']} tabIndex={-1} href={hrefOf(placeOfRow(row, options.q))} title={`${service} ${name}`}>
      <span className={css['nameLine']}>
        <ServiceName name={service} operation={name === '' ? text.noRoot : name} color={serviceColour(service)} />
        {!trace.isComplete && <Hourglass aria-label={text.incomplete} size={12} className={css['growing']} />}
      </span>
      {isNarrow && (
        <span className={css['under']}>
          <Start ns={startNs} options={options} />
          {!isLive && <span>{text.spansShort(trace.spans)}</span>}
          <ErrorCount count={errors} />
        </span>
      )}
    </a>
  );
}

function columnOf(field: string, at: number, { cols, changes }: ColumnsOptions): Column {
  return {
    id: `col ${field}`,
    header: fieldLabel(field),
    width: '136px',
    isMono: true,
    isWideOnly: true,
    cell: ({ columns }) => {
      const value = columns[at] ?? null;
      if (value === null) return <span className={css['nothing']}>{NO_VALUE}</span>;
      // Columns come as text: what reads as a number or a truth is one.
      const literal = literalOf(field, '=', value);
      return (
        <ValueMenu
          field={field}
          value={value}
          actions={{
            filterIn: () => changes.include(field, literal),
            filterOut: () => changes.exclude(field, literal),
            removeColumn: () => changes.setCols(cols.filter((col) => col !== field)),
          }}
        >
          {value}
        </ValueMenu>
      );
    },
  };
}

export function resultColumns(options: ColumnsOptions): Column[] {
  const { scope, cols, zone, nowNs, hasDates, isNarrow, longestNs, basket, isLive, changes } = options;
  const isOfTraces = scope === 'traces';
  const spans: Column = {
    id: 'spans',
    header: text.spanCount,
    width: '64px',
    align: 'end',
    isWideOnly: true,
    cell: ({ trace }) => formatCountExact(trace.spans),
  };
  const services: Column = {
    id: 'services',
    header: text.services,
    width: '120px',
    isWideOnly: true,
    cell: ({ trace }) => <ServiceShares trace={trace} />,
  };
  // Of spans: what they are part of.
  const root: Column = {
    id: 'services',
    header: text.trace,
    width: '176px',
    isWideOnly: true,
    cell: ({ trace }) => (
      <span className={css['rootName']}>{trace.root ? `${trace.root.service} ${trace.root.name}` : text.noRoot}</span>
    ),
  };
  const columns: Column[] = [
    {
      id: 'mark',
      header: text.select,
      isHeaderHidden: true,
      width: '48px',
      cell: ({ trace, service, name }) => (
        <Checkbox
          label={text.mark(`${service} ${name}`)}
          isLabelHidden
          tabIndex={-1}
          isSelected={basket.includes(trace.traceId)}
          onChange={() => toggleInBasket(trace.traceId)}
        />
      ),
    },
    {
      id: 'newest',
      header: text.start(zoneLabel(nowNs, zone)),
      width: hasDates ? '124px' : '108px',
      isWideOnly: true,
      sort: 'descending',
      cell: ({ startNs }) => <Start ns={startNs} options={options} />,
    },
    {
      id: 'root',
      header: isOfTraces ? text.root : text.span,
      minWidth: isNarrow ? '160px' : '260px',
      isRowHeader: true,
      cell: (row) => <Name row={row} options={options} />,
    },
    {
      id: 'slowest',
      header: text.duration,
      width: isNarrow ? '88px' : '168px',
      align: isNarrow ? 'end' : 'start',
      sort: 'descending',
      cell: ({ durationNs }) =>
        isNarrow ? (
          <span title={formatExactNs(durationNs)} className={css['number']}>
            {formatDuration(durationNs)}
          </span>
        ) : (
          <span title={formatExactNs(durationNs)}>
            <DurationBar text={formatDuration(durationNs)} value={durationNs} max={longestNs} />
          </span>
        ),
    },
    ...(isOfTraces ? [spans] : []),
    {
      id: 'errors',
      header: text.errors,
      width: '64px',
      align: 'end',
      isWideOnly: true,
      cell: ({ trace, hasError }) => <ErrorCount count={isOfTraces ? trace.errors : hasError ? 1 : 0} />,
    },
    isOfTraces ? services : root,
    ...cols.map((field, at) => columnOf(field, at, options)),
    {
      id: 'actions',
      header: text.actions,
      isHeaderHidden: true,
      width: '48px',
      isWideOnly: true,
      cell: (row) => <RowMenu row={row} scope={scope} changes={changes} />,
    },
  ];
  return isLive ? columns.filter(({ id }) => id !== 'spans' && id !== 'services') : columns;
}
