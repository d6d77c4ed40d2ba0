// Where the time of the trace goes: spans grouped by one or two keys.

import { useMemo } from 'react';
import { formatDuration, formatExactNs } from '../../../format/duration.ts';
import { formatCountExact, formatPercent } from '../../../format/number.ts';
import { STAT_KEYS, type StatColumn, type StatKey, type StatRow, sortStats } from '../../../model/stats.ts';
import { cssColourOf, isHatched } from '../../../theme/palette.ts';
import { EmptyState } from '../../../ui/EmptyState/EmptyState.tsx';
import { ErrorBox } from '../../../ui/ErrorBox/ErrorBox.tsx';
import { ErrorCount } from '../../../ui/ErrorCount/ErrorCount.tsx';
import { MeterBar } from '../../../ui/MeterBar/MeterBar.tsx';
import { Select } from '../../../ui/Select/Select.tsx';
import { ServiceName } from '../../../ui/ServiceName/ServiceName.tsx';
import { Skeleton } from '../../../ui/Skeleton/Skeleton.tsx';
import type { TableColumn, TableSort } from '../../../ui/Table/tableTypes.ts';
import { VirtualTable } from '../../../ui/Table/VirtualTable.tsx';
import { update, useTracePage } from '../state/page.tsx';
import css from './StatsView.module.css';
import { text } from './text.ts';
import { useStats } from './useStats.ts';

const KEYS = STAT_KEYS.map((id) => ({ id, label: text[id] }));
const SECOND: readonly { id: StatKey | 'none'; label: string }[] = [{ id: 'none', label: text.nothing }, ...KEYS];

function isKey(key: string | undefined): key is StatKey {
  return STAT_KEYS.some((one) => one === key);
}

const COLUMNS = ['count', 'errors', 'total', 'self', 'average', 'p95', 'longest', 'share', 'key0', 'key1'];

/** The table of spans has the same word in the address; what it does not have here is the usual. */
function readSort(sort: string): TableSort {
  const column = sort.replace(/^-/, '');
  if (!COLUMNS.includes(column)) return { column: 'self', direction: 'descending' };
  return { column, direction: sort.startsWith('-') ? 'descending' : 'ascending' };
}

/** As the address says: one key means one. */
function keysOf(group: readonly string[]): [StatKey, StatKey | null] {
  const [first, second] = group;
  if (!isKey(first)) return ['service', 'name'];
  return [first, isKey(second) && second !== first ? second : null];
}

export function StatsView() {
  const { session, state } = useTracePage();
  const [first, second] = keysOf(state.group);
  const { rows, error } = useStats(first, second);
  const sort = useMemo(() => readSort(state.sort), [state.sort]);
  const sorted = useMemo(() => {
    if (rows === null) return null;
    const by = sort.column.startsWith('key') ? Number(sort.column.slice(3)) : (sort.column as StatColumn);
    return sortStats(rows, by, sort.direction === 'descending');
  }, [rows, sort]);

  const keyColumn = (key: StatKey, i: number): TableColumn<StatRow> => ({
    id: `key${i}`,
    header: text[key],
    minWidth: '104px',
    sort: 'ascending',
    isRowHeader: i === 0,
    cell: ({ keys }) => {
      const name = keys[i] ?? '';
      if (key !== 'service') return <span title={name}>{name}</span>;
      const slot = session.slots[session.columns.services.indexOf(name)] ?? -1;
      return <ServiceName name={name} color={cssColourOf(slot)} isHatched={isHatched(slot)} />;
    },
  });
  const time = (id: 'total' | 'self' | 'average' | 'p95' | 'longest', isWideOnly = false): TableColumn<StatRow> => ({
    id,
    header: text[id],
    align: 'end',
    width: '84px',
    sort: 'descending',
    isWideOnly,
    cell: (row) => <span title={formatExactNs(Math.round(row[id]))}>{formatDuration(row[id])}</span>,
  });
  const columns: TableColumn<StatRow>[] = [
    keyColumn(first, 0),
    ...(second === null ? [] : [keyColumn(second, 1)]),
    {
      id: 'count',
      header: text.count,
      align: 'end',
      width: '76px',
      sort: 'descending',
      cell: ({ count }) => formatCountExact(count),
    },
    {
      id: 'errors',
      header: text.errors,
      align: 'end',
      width: '72px',
      sort: 'descending',
      isWideOnly: true,
      cell: ({ errors }) => <ErrorCount count={errors} />,
    },
    time('total', true),
    time('self'),
    time('average', true),
    time('p95', true),
    time('longest', true),
    {
      id: 'share',
      header: text.share,
      width: '144px',
      isWideOnly: true,
      sort: 'descending',
      cell: ({ share }) => (
        <span className={css['share']}>
          <MeterBar label={text.share} value={share} max={1} valueText={text.shareOf(formatPercent(share))} />
          <span className={css['percent']}>{formatPercent(share)}</span>
        </span>
      ),
    },
  ];
  return (
    <div className={css['stats']}>
      <div className={css['keys']}>
        <Select
          label={text.groupBy}
          size="small"
          items={KEYS}
          value={first}
          onChange={(key) => update({ group: second === null || second === key ? [key] : [key, second] }, 'push')}
        />
        <Select
          label={text.andBy}
          size="small"
          items={SECOND.filter(({ id }) => id !== first)}
          value={second ?? 'none'}
          onChange={(key) => update({ group: key === 'none' ? [first] : [first, key] }, 'push')}
        />
        <span className={css['note']}>{text.note}</span>
      </div>
      {error !== null && <ErrorBox title={text.failed} message={error} />}
      {error === null && sorted === null && <Skeleton rows={12} columns="2fr 2fr 1fr 1fr 1fr" />}
      {sorted !== null && (
        <VirtualTable
          className={css['table']}
          caption={text.caption}
          columns={columns}
          rows={sorted}
          rowKey={({ keys }) => keys.join('\0')}
          totalRows={sorted.length}
          sort={sort}
          onSort={({ column, direction }) => update({ sort: direction === 'descending' ? `-${column}` : column })}
          empty={<EmptyState title={text.none} />}
        />
      )}
    </div>
  );
}
