// A table of rows: plain `<table>` semantics, a sticky head, keys of lists (useListKeys). Sorting is the caller's: it
// asks the server. For thousands of rows use VirtualTable, which has the same props.

import {
  type ComponentType,
  type FocusEvent,
  Fragment,
  type MouseEvent,
  type ReactNode,
  useEffect,
  useRef,
  useState,
} from 'react';
import { useListKeys } from '../hooks/useListKeys.ts';
import { cx } from '../props.ts';
import { VisuallyHidden } from '../VisuallyHidden/VisuallyHidden.tsx';
import css from './Table.module.css';
import { TableHead } from './TableHead.tsx';
import { TableRow } from './TableRow.tsx';
import type { BodyProps, TableColumn, TableSort } from './tableTypes.ts';

export type { TableColumn, TableSort } from './tableTypes.ts';

export type TableProps<Row> = {
  caption: string;
  columns: readonly TableColumn<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  sort?: TableSort | undefined;
  onSort?: ((sort: TableSort) => void) | undefined;
  /** The row that has the focus or was opened; kept here if the caller does not keep it. */
  current?: string | null | undefined;
  onCurrentChange?: ((key: string) => void) | undefined;
  /** Enter, or a press on a row beside its own controls. */
  onOpen?: ((row: Row) => void) | undefined;
  /** The key x. */
  onMark?: ((row: Row) => void) | undefined;
  isMarked?: ((row: Row) => boolean) | undefined;
  /** Further keys of a row: `{ f: …, 'Shift+F': … }`. */
  keys?: Readonly<Record<string, (row: Row) => void>> | undefined;
  /** All rows, where not all of them are here. */
  totalRows?: number | undefined;
  onEndReached?: (() => void) | undefined;
  /** Shown below the head when there are no rows. */
  empty?: ReactNode;
  footer?: ReactNode;
  className?: string | undefined;
};

/** The least width: columns without a width of their own never vanish; the table scrolls sideways instead. */
function leastWidth(columns: readonly TableColumn<never>[]): string {
  return columns.length === 0
    ? '0'
    : `calc(${columns.map(({ width, minWidth }) => width ?? minWidth ?? '144px').join(' + ')})`;
}

function PlainBody<Row>({ rows, renderRow }: BodyProps<Row>) {
  return <tbody>{rows.map(renderRow)}</tbody>;
}

export function Table<Row>(props: TableProps<Row> & { Body?: ComponentType<BodyProps<Row>> }) {
  const { caption, columns, rows, rowKey, sort, onSort, onCurrentChange, onOpen, onMark, isMarked, keys } = props;
  const { totalRows, onEndReached, empty, footer, className, Body = PlainBody } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [ownCurrent, setOwnCurrent] = useState<string | null>(null);
  const wantsFocus = useRef(false);
  const current = props.current === undefined ? ownCurrent : props.current;
  const currentIndex = current === null ? -1 : rows.findIndex((row) => rowKey(row) === current);
  const isInteractive = Boolean(onOpen || onMark || onCurrentChange || keys);
  const isNumbered = Body !== PlainBody || totalRows !== undefined;

  function move(index: number, withFocus: boolean) {
    const row = rows[index];
    if (row === undefined) return;
    wantsFocus.current = withFocus;
    const key = rowKey(row);
    if (key !== current) {
      setOwnCurrent(key);
      onCurrentChange?.(key);
    }
  }

  useEffect(() => {
    if (!wantsFocus.current) return;
    wantsFocus.current = false;
    const row = scroller.current?.querySelector<HTMLElement>(`[data-row="${currentIndex}"]`);
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: 'nearest' });
  }, [currentIndex]);

  const withRow = (act: ((row: Row) => void) | undefined) =>
    act &&
    ((index: number) => {
      const row = rows[index];
      if (row !== undefined) act(row);
    });
  const { onKeyDown } = useListKeys({
    count: rows.length,
    current: currentIndex,
    onMove: (index) => move(index, true),
    onOpen: withRow(onOpen),
    onMark: withRow(onMark),
    others:
      keys && Object.fromEntries(Object.entries(keys).map(([key, act]) => [key, (i: number) => withRow(act)?.(i)])),
  });

  function focus(event: FocusEvent<HTMLTableElement>) {
    const index = event.target instanceof HTMLElement ? event.target.dataset['row'] : undefined;
    if (index !== undefined) move(Number(index), false);
  }
  function press(event: MouseEvent<HTMLTableElement>) {
    const element = event.target instanceof Element ? event.target : null;
    const row = element?.closest<HTMLElement>('[data-row]');
    if (!row || element?.closest('button, a, input, label') || getSelection()?.type === 'Range') return;
    const index = Number(row.dataset['row']);
    move(index, false);
    withRow(onOpen)?.(index);
  }

  return (
    <div
      ref={scroller}
      className={cx(css['scroller'], className)}
      // Without a row that has the focus the box has it, so that it scrolls by keys.
      {...((!isInteractive || rows.length === 0) && { tabIndex: 0, role: 'region', 'aria-label': caption })}
    >
      <table
        className={cx(css['table'], isInteractive && css['interactive'])}
        style={{
          ['--least' as string]: leastWidth(columns),
          ['--least-narrow' as string]: leastWidth(columns.filter(({ isWideOnly }) => !isWideOnly)),
        }}
        aria-rowcount={isNumbered ? (totalRows ?? rows.length) + 1 : undefined}
        {...(isInteractive && { onKeyDown, onClick: press, onFocus: focus })}
      >
        <caption>
          <VisuallyHidden>{caption}</VisuallyHidden>
        </caption>
        <TableHead columns={columns} sort={sort} onSort={onSort} isNumbered={isNumbered} />
        <Body
          rows={rows}
          currentIndex={currentIndex}
          scroller={scroller}
          onEndReached={onEndReached}
          renderRow={(row, index) => (
            <Fragment key={rowKey(row)}>
              <TableRow
                columns={columns}
                row={row}
                index={index}
                isCurrent={index === currentIndex}
                isTabStop={index === Math.max(0, currentIndex)}
                isFocusable={isInteractive}
                isMarked={isMarked?.(row) ?? false}
                isNumbered={isNumbered}
              />
            </Fragment>
          )}
        />
      </table>
      {rows.length === 0 && empty}
      {footer && <div className={css['foot']}>{footer}</div>}
    </div>
  );
}
