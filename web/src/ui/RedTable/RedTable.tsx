// Services or operations with their rate, errors and durations, in an order that the reader chooses. Impact is rate ×
// p95: the row where a faster answer would save most stands first.

import type { ReactNode } from 'react';
import { formatDuration } from '../../format/duration.ts';
import { formatPercent, formatRate } from '../../format/number.ts';
import type { Change, RedCourse, RedStat } from '../../model/red.ts';
import { MeterBar } from '../MeterBar/MeterBar.tsx';
import { cx } from '../props.ts';
import { Sparkline } from '../Sparkline/Sparkline.tsx';
import { Table, type TableColumn, type TableSort } from '../Table/Table.tsx';
import css from './RedTable.module.css';
import { RED_SORTS, type RedColumnId, sorted } from './sorted.ts';
import { changeWords, text } from './text.ts';

export type RedRow = {
  key: string;
  name: string;
  /** Without one the name leads nowhere. */
  href?: string | undefined;
  /** Before the name: the colour of the service. */
  lead?: ReactNode;
  /** After the name, quiet: the kind of span. */
  detail?: string | undefined;
  stat: RedStat;
  course?: RedCourse | undefined;
  /** Nanoseconds of its own, without those of its children; 0 where that is not known. */
  ownNs?: number | undefined;
  /** Links at the end. */
  links?: ReactNode;
};

/** `trend` is the course of p95; `own` appears where it is known. */
type RedExtra = 'impact' | 'p99' | 'change' | 'trend' | 'own' | 'links';

export type RedTableProps = {
  caption: string;
  /** "Service", "Operation". */
  nameHeader: string;
  rows: readonly RedRow[];
  extras: readonly RedExtra[];
  sort?: TableSort | undefined;
  onSort?: ((sort: { column: RedColumnId; direction: TableSort['direction'] }) => void) | undefined;
  onOpen: (row: RedRow) => void;
  linksWidth?: string | undefined;
  /** Links stay where the table is narrow. */
  areLinksKept?: boolean | undefined;
  empty?: ReactNode;
  className?: string | undefined;
};

function ErrorShare({ share, spans }: { share: number; spans: number }) {
  if (spans === 0) return <span className={css['none']}>{'–'}</span>;
  const tone = share >= 0.01 ? css['bad'] : share === 0 ? css['none'] : undefined;
  return (
    <span className={cx(css['errors'], tone)}>
      {share >= 0.01 && <span aria-hidden className={css['dot']} />}
      {formatPercent(share)}
    </span>
  );
}

function ChangeText({ change }: { change: Change | null }) {
  if (change === null) return <span className={css['none']}>{'–'}</span>;
  const { ratio, now, before } = change;
  const isWorse = ratio >= 1.5;
  return (
    <span
      className={cx(css['change'], isWorse ? css['worse'] : css['none'])}
      title={text.changeTitle(formatDuration(now), formatDuration(before))}
    >
      {isWorse && <span aria-hidden>{'▲ '}</span>}
      {changeWords(ratio)}
    </span>
  );
}

function Trend({ course, name }: { course: RedCourse | undefined; name: string }) {
  if (!course) return null;
  const told = course.p95.filter((value) => value !== null);
  if (told.length === 0) return <span className={css['none']}>{'–'}</span>;
  const [first, last] = [told[0] ?? 0, told.at(-1) ?? 0];
  const label = text.trend(
    name,
    formatDuration(first),
    formatDuration(last),
    formatDuration(told.reduce((a, b) => Math.max(a, b), 0)),
  );
  return <Sparkline label={label} values={course.p95} width={88} />;
}

function Name({ row }: { row: RedRow }) {
  return (
    <span className={css['name']}>
      {row.lead}
      {/* Rows are reached by Tab and opened by Enter; a link of each would be a second way through the same list. */}
      {row.href !== undefined && (
        <a href={row.href} tabIndex={-1} className={css['link']} title={row.name}>
          {row.name}
        </a>
      )}
      {row.href === undefined && <span className={css['nowhere']}>{row.name}</span>}
      {row.detail !== undefined && <span className={css['detail']}>{row.detail}</span>}
    </span>
  );
}

type ColumnsOf = {
  nameHeader: string;
  extras: readonly RedExtra[];
  impactSum: number;
  impactMax: number;
  ownSum: number;
  links: string;
  areLinksKept: boolean;
};

function columnsOf({
  nameHeader,
  extras,
  impactSum,
  impactMax,
  ownSum,
  links,
  areLinksKept,
}: ColumnsOf): TableColumn<RedRow>[] {
  const has = (extra: RedExtra) => extras.includes(extra);
  const number = { align: 'end', width: '76px', sort: 'descending' } as const;
  const columns: (TableColumn<RedRow> | false)[] = [
    {
      id: 'name',
      header: nameHeader,
      sort: 'ascending',
      isRowHeader: true,
      cell: (row) => <Name row={row} />,
    },
    has('impact') && {
      id: 'impact',
      header: text.impact,
      width: '128px',
      isWideOnly: true,
      sort: 'descending',
      cell: ({ name, stat }) => {
        const share = impactSum > 0 ? stat.impact / impactSum : 0;
        return (
          <span className={css['share']}>
            <MeterBar
              label={text.impactOf(name)}
              value={stat.impact}
              max={impactMax}
              valueText={formatPercent(share)}
            />
            <span className={css['percent']}>{formatPercent(share)}</span>
          </span>
        );
      },
    },
    { ...number, id: 'rate', header: text.rate, cell: ({ stat }) => formatRate(stat.perSecond) },
    {
      ...number,
      id: 'errors',
      header: text.errors,
      cell: ({ stat }) => <ErrorShare share={stat.errorShare} spans={stat.spans} />,
    },
    { ...number, id: 'p50', header: text.p50, isWideOnly: true, cell: ({ stat }) => durationText(stat, stat.p50) },
    { ...number, id: 'p95', header: text.p95, cell: ({ stat }) => durationText(stat, stat.p95) },
    has('p99') && {
      ...number,
      id: 'p99',
      header: text.p99,
      isWideOnly: true,
      cell: ({ stat }) => durationText(stat, stat.p99),
    },
    has('change') && {
      ...number,
      id: 'change',
      header: text.dayBefore,
      width: '112px',
      isWideOnly: true,
      cell: ({ stat }) => <ChangeText change={stat.change} />,
    },
    has('own') &&
      ownSum > 0 && {
        id: 'own',
        header: text.own,
        align: 'end',
        width: '76px',
        isWideOnly: true,
        cell: ({ ownNs = 0 }) => formatPercent(ownNs / ownSum),
      },
    has('trend') && {
      id: 'trend',
      header: text.p95Trend,
      width: '112px',
      isWideOnly: true,
      cell: ({ course, name }) => <Trend course={course} name={name} />,
    },
    has('links') && {
      id: 'links',
      header: text.examples,
      width: links,
      isWideOnly: !areLinksKept,
      cell: ({ links: shown }) => shown,
    },
  ];
  return columns.filter((column) => column !== false);
}

function durationText(stat: RedStat, ns: number): string {
  return stat.spans === 0 ? '–' : formatDuration(ns);
}

export function RedTable(props: RedTableProps) {
  const { caption, nameHeader, rows, extras, sort, onSort, onOpen, linksWidth = '144px', empty, className } = props;
  const { areLinksKept = false } = props;
  const columns = columnsOf({
    nameHeader,
    extras,
    impactSum: rows.reduce((sum, { stat }) => sum + stat.impact, 0),
    // Bars are of the largest and percents of all: with sixty rows no bar would be seen else.
    impactMax: rows.reduce((most, { stat }) => Math.max(most, stat.impact), 0),
    ownSum: rows.reduce((sum, { ownNs = 0 }) => sum + ownNs, 0),
    links: linksWidth,
    areLinksKept,
  });
  return (
    <Table
      caption={caption}
      columns={columns}
      rows={sort ? sorted(rows, sort) : rows}
      rowKey={({ key }) => key}
      sort={sort}
      onSort={
        onSort &&
        ((next) => {
          const column = RED_SORTS.find((one) => one === next.column);
          if (column) onSort({ column, direction: next.direction });
        })
      }
      onOpen={onOpen}
      empty={empty}
      className={className}
    />
  );
}
