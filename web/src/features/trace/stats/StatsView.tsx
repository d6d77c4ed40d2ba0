// Where the time of the trace goes: spans grouped by one or two keys.

import { ChevronDown } from 'lucide-react';
import { useMemo } from 'react';
import { formatDuration, formatExactNs } from '../../../format/duration.ts';
import { formatCountExact, formatPercent } from '../../../format/number.ts';
import { STAT_KEYS, type StatColumn, type StatRow, sortStats } from '../../../model/stats.ts';
import { cssColourOf, isHatched } from '../../../theme/palette.ts';
import { Button } from '../../../ui/Button/Button.tsx';
import { EmptyState } from '../../../ui/EmptyState/EmptyState.tsx';
import { ErrorBox } from '../../../ui/ErrorBox/ErrorBox.tsx';
import { ErrorCount } from '../../../ui/ErrorCount/ErrorCount.tsx';
import { MeterBar } from '../../../ui/MeterBar/MeterBar.tsx';
import { Popover, PopoverTrigger } from '../../../ui/Popover/Popover.tsx';
import { ServiceName } from '../../../ui/ServiceName/ServiceName.tsx';
import { Skeleton } from '../../../ui/Skeleton/Skeleton.tsx';
import type { TableColumn, TableSort } from '../../../ui/Table/tableTypes.ts';
import { VirtualTable } from '../../../ui/Table/VirtualTable.tsx';
import { update, useTracePage } from '../state/page.tsx';
import { KeyPicker } from '../toolbar/KeyPicker.tsx';
import css from './StatsView.module.css';
import { text } from './text.ts';
import { isStatKey, useStats } from './useStats.ts';

const NOTHING = '';
const LABELS = { [NOTHING]: text.nothing, ...Object.fromEntries(STAT_KEYS.map((key) => [key, text[key]])) };

function labelOf(key: string): string {
  return isStatKey(key) ? text[key] : key;
}

const COLUMNS = ['count', 'errors', 'total', 'self', 'average', 'p95', 'longest', 'share', 'key0', 'key1'];

/** The table of spans has the same word in the address; what it does not have here is the usual. */
function readSort(sort: string): TableSort {
  const column = sort.replace(/^-/, '');
  if (!COLUMNS.includes(column)) return { column: 'self', direction: 'descending' };
  return { column, direction: sort.startsWith('-') ? 'descending' : 'ascending' };
}

/** As the address says: one key means one. What is no key of ours is a field of the spans. */
function keysOf(group: readonly string[]): [string, string | null] {
  const [first, second] = group;
  if (first === undefined) return ['service', 'name'];
  return [first, second ?? null];
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

  const keyColumn = (key: string, i: number): TableColumn<StatRow> => ({
    id: `key${i}`,
    header: labelOf(key),
    minWidth: '104px',
    sort: 'ascending',
    isRowHeader: i === 0,
    cell: ({ keys }) => {
      const name = keys[i] ?? null;
      if (name === null) return <span className={css['none']}>{text.noValue}</span>;
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
        <KeyChoice
          label={text.groupBy}
          value={labelOf(first)}
          first={STAT_KEYS}
          except={[first]}
          onPick={(key) => update({ group: second === null || second === key ? [key] : [key, second] }, 'push')}
        />
        <KeyChoice
          label={text.andBy}
          value={second === null ? text.nothing : labelOf(second)}
          first={[NOTHING, ...STAT_KEYS]}
          except={[first, second ?? NOTHING]}
          onPick={(key) => update({ group: key === NOTHING ? [first] : [first, key] }, 'push')}
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
          rowKey={({ keys }) => JSON.stringify(keys)}
          totalRows={sorted.length}
          sort={sort}
          onSort={({ column, direction }) => update({ sort: direction === 'descending' ? `-${column}` : column })}
          empty={<EmptyState title={text.none} />}
        />
      )}
    </div>
  );
}

type KeyChoiceProps = {
  label: string;
  value: string;
  first: readonly string[];
  except: readonly string[];
  onPick: (key: string) => void;
};

/** One of our keys, or any field that the spans have. */
function KeyChoice({ label, value, first, except, onPick }: KeyChoiceProps) {
  return (
    <PopoverTrigger>
      <Button size="small" end={<ChevronDown aria-hidden size={14} />}>
        <span className={css['label']}>{label}</span> {value}
      </Button>
      <Popover label={label}>
        {(close) => (
          <KeyPicker
            first={first}
            except={except}
            labels={LABELS}
            onPick={(key) => {
              onPick(key);
              close();
            }}
          />
        )}
      </Popover>
    </PopoverTrigger>
  );
}
