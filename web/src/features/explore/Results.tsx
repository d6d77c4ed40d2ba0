// The rows that were found, as a table that goes on as one scrolls.

import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import type { Scope, Sort } from '../../api/types.ts';
import { commandsOf, useCommands } from '../../core/commands.ts';
import { cameBack, go } from '../../core/navigation.ts';
import { toggleInBasket, usePreferences } from '../../core/preferences.ts';
import type { Zone } from '../../format/time.ts';
import { VirtualTable } from '../../ui/Table/VirtualTable.tsx';
import { quoteText } from '../../url/queryText.ts';
import { EXPLORE_COMMANDS } from './commands.ts';
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

function keepPlace(listKey: string, changes: Partial<{ top: number; current: string | null }>): void {
  places.set(listKey, { top: 0, current: null, ...places.get(listKey), ...changes });
  const oldest = places.keys().next().value;
  if (places.size > PLACES_MAX && oldest !== undefined) places.delete(oldest);
}

/** The rows set their own place when they are laid out, which takes a frame. */
function afterLayout(act: () => void): { cancel: () => void } {
  let frame = requestAnimationFrame(() => {
    frame = requestAnimationFrame(act);
  });
  return { cancel: () => cancelAnimationFrame(frame) };
}

/** Back to the row that one left from, unless the focus is somewhere already; a heading has it as on any new page. */
function restore(scroller: HTMLElement, top: number): void {
  scroller.scrollTop = top;
  const { activeElement } = document;
  if (activeElement === document.body || activeElement?.tagName === 'H1')
    scroller.querySelector<HTMLElement>('tr[aria-current="true"]')?.focus({ preventScroll: true });
}

type ResultsProps = {
  /** What the list is of: the same key is the same list. Give it as `key`, too. */
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

  const [current, setCurrent] = useState(() => (cameBack() ? (places.get(listKey)?.current ?? null) : null));
  const hasRows = rows.length > 0;
  useEffect(() => {
    const scroller = box.current?.firstElementChild;
    if (!(scroller instanceof HTMLElement) || !hasRows) return;
    const kept = cameBack() ? places.get(listKey) : undefined;
    const frame = kept && afterLayout(() => restore(scroller, kept.top));
    const note = () => {
      // A page that is on its way out is not laid out any more.
      if (scroller.clientHeight > 0) keepPlace(listKey, { top: scroller.scrollTop });
    };
    scroller.addEventListener('scroll', note, { passive: true });
    return () => {
      frame?.cancel();
      scroller.removeEventListener('scroll', note);
    };
  }, [listKey, hasRows]);

  const toRows = () => box.current?.querySelector<HTMLElement>('tr[tabindex="0"]')?.focus();
  useCommands(commandsOf(EXPLORE_COMMANDS, { 'explore.rows': toRows }));
  const fields = fieldsOfRow(scope);
  return (
    <div
      ref={box}
      className={css['results']}
      data-stale={isStale || undefined}
      aria-busy={isStale}
      onClickCapture={(event) => {
        // The link in a row leads away without making it the current one.
        const index = (event.target as Element).closest<HTMLElement>('[data-row]')?.dataset['row'];
        const row = index === undefined ? undefined : rows[Number(index)];
        if (row) keepPlace(listKey, { current: row.key });
      }}
    >
      <VirtualTable
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
        current={current}
        onCurrentChange={(key) => {
          setCurrent(key);
          keepPlace(listKey, { current: key });
        }}
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
