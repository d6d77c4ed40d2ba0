// The charts as a table: a row a step, the latest first.

import { formatDuration } from '../../format/duration.ts';
import { formatPercent, formatRate, NO_VALUE } from '../../format/number.ts';
import { clockTime, dayText, type Zone, zoneLabel } from '../../format/time.ts';
import type { RedCourse } from '../../model/red.ts';
import { Table, type TableColumn } from '../Table/Table.tsx';
import css from './RedCharts.module.css';
import { text } from './text.ts';

type CourseTableProps = { name: string; course: RedCourse; zone: Zone; toNs: bigint; onPick: (index: number) => void };

type Row = { index: number };

const nanos = (at: number) => BigInt(Math.round(at * 1000)) * 1_000_000n;

/** A row is called by when its step begins; the course has the middles. */
function beginsAt({ at }: RedCourse, index: number): bigint {
  return nanos((at[index] ?? 0) - ((at[1] ?? 0) - (at[0] ?? 0)) / 2);
}

function columnsOf(course: RedCourse, zone: Zone, toNs: bigint): TableColumn<Row>[] {
  const number = (id: string, header: string, values: readonly (number | null)[], format: (n: number) => string) => ({
    id,
    header,
    align: 'end' as const,
    width: '88px',
    cell: ({ index }: Row) => {
      const value = values[index] ?? null;
      return value === null ? NO_VALUE : format(value);
    },
  });
  return [
    {
      id: 'time',
      header: text.time(zoneLabel(toNs, zone)),
      isRowHeader: true,
      cell: ({ index }) => {
        const at = beginsAt(course, index);
        return `${dayText(at, zone)} ${clockTime(at, zone, 0)}`;
      },
    },
    number('rate', text.rate, course.rate, formatRate),
    number('errors', text.errors, course.errorShare, formatPercent),
    number('p50', 'p50', course.p50, formatDuration),
    number('p95', 'p95', course.p95, formatDuration),
    number('p99', 'p99', course.p99, formatDuration),
  ];
}

export function CourseTable({ name, course, zone, toNs, onPick }: CourseTableProps) {
  const rows = course.at.map((_, index) => ({ index })).reverse();
  return (
    <Table
      caption={text.caption(name)}
      columns={columnsOf(course, zone, toNs)}
      rows={rows}
      rowKey={({ index }) => String(index)}
      onOpen={({ index }) => onPick(index)}
      className={css['table']}
    />
  );
}
