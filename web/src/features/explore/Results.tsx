// The rows that were found, as a table that goes on as one scrolls.

import { type ReactNode, useLayoutEffect, useMemo, useRef } from 'react';
import type { Scope, Sort } from '../../api/types.ts';
import { useCommands } from '../../core/commands.ts';
import { cameBack, go } from '../../core/navigation.ts';
import { toggleInBasket, usePreferences } from '../../core/preferences.ts';
import type { Zone } from '../../format/time.ts';
import { VirtualTable } from '../../ui/Table/VirtualTable.tsx';
import { quoteText } from '../../url/queryText.ts';
import { placeOfRow } from './placeOfRow.ts';
import css from './Results.module.css';
import { fieldsOfRow } from './RowMenu.tsx';
import { resultColumns } from './resultColumns.tsx';
import type { ResultRow } from './rows.ts';
import { text } from './text.ts';
import type { Changes } from './useExplore.ts';
import { useIsNarrow } from './useIsNarrow.ts';

/** Where each list was, for who comes back to it. */
const places = new Map<string, { top: number; current: string | null }>();
const PLACES_MAX = 20;

type ResultsProps = {
  /** What the list is of: the same key is the same list. */
  listKey: string;
  rows: readonly ResultRow[];
  scope: Scope;
  q: string;
  cols: readonly string[];
  zone: Zone;
  nowNs: bigint;
  hasDates: boolean;
  /** Absent where rows have an order of their own. */
  sort?: Sort | undefined;
  total?: number | undefined;
  /** Of the traces nothing is known but the span. */
  isLive?: boolean | undefined;
  onEndReached?: (() => void) | undefined;
  isStale: boolean;
  empty: ReactNode;
  changes: Changes;
};

export function Results(props: ResultsProps) {
  const { listKey, rows, scope, q, cols, zone, nowNs, hasDates, sort, total, isLive = false } = props;
  const { onEndReached, isStale, empty, changes } = props;
  const box = useRef<HTMLDivElement>(null);
  const { basket } = usePreferences();
  const isNarrow = useIsNarrow();
  const longestNs = useMemo(() => rows.reduce((max, { durationNs }) => Math.max(max, durationNs), 0), [rows]);
  const columns = useMemo(
    () => resultColumns({ scope, q, cols, zone, nowNs, hasDates, isNarrow, longestNs, basket, isLive, changes }),
    [scope, q, cols, zone, nowNs, hasDates, isNarrow, longestNs, basket, isLive, changes],
  );

  // One comes back to the row that one left from.
  const hasRows = rows.length > 0;
  useLayoutEffect(() => {
    const scroller = box.current?.firstElementChild;
    if (!(scroller instanceof HTMLElement) || !hasRows) return;
    const kept = places.get(listKey);
    if (cameBack() && kept) {
      scroller.scrollTop = kept.top;
      const row = scroller.querySelector<HTMLElement>('tr[tabindex="0"]');
      if (kept.current !== null && document.activeElement === document.body) row?.focus({ preventScroll: true });
    }
    const note = () => {
      const { current = null } = places.get(listKey) ?? {};
      places.set(listKey, { top: scroller.scrollTop, current });
      const oldest = places.keys().next().value;
      if (places.size > PLACES_MAX && oldest !== undefined) places.delete(oldest);
    };
    scroller.addEventListener('scroll', note, { passive: true });
    return () => scroller.removeEventListener('scroll', note);
  }, [listKey, hasRows]);
  const noteCurrent = (current: string) => places.set(listKey, { top: places.get(listKey)?.top ?? 0, current });

  const toRows = () => box.current?.querySelector<HTMLElement>('tr[tabindex="0"]')?.focus();
  useCommands([
    { id: 'explore.rows', title: text.keyRows, group: text.group, keys: ['j', 'k'], isKeyOnly: true, run: toRows },
  ]);
  const fields = fieldsOfRow(scope);
  return (
    <div ref={box} className={css['results']} data-stale={isStale || undefined} aria-busy={isStale}>
      <VirtualTable
        key={listKey}
        className={css['scroller']}
        caption={text.results}
        columns={columns}
        rows={rows}
        rowKey={rowKey}
        totalRows={total}
        {...(sort && {
          sort: { column: sort, direction: 'descending' as const },
          onSort: ({ column }: { column: string }) => changes.setSort(column === 'slowest' ? 'slowest' : 'newest'),
        })}
        onCurrentChange={noteCurrent}
        onOpen={(row) => go(placeOfRow(row, q))}
        onMark={({ trace }) => toggleInBasket(trace.traceId)}
        isMarked={({ trace }) => basket.includes(trace.traceId)}
        keys={{
          f: (row) => changes.include(fields.name, quoteText(row.name)),
          'Shift+F': (row) => changes.exclude(fields.name, quoteText(row.name)),
        }}
        onEndReached={onEndReached}
        empty={empty}
      />
    </div>
  );
}

const rowKey = ({ key }: ResultRow) => key;
