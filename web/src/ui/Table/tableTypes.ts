// What the table, its rows and its two bodies share.

import type { ReactNode } from 'react';

export type SortDirection = 'ascending' | 'descending';
export type TableSort = { column: string; direction: SortDirection };

export type TableColumn<Row> = {
  id: string;
  header: string;
  /** Only spoken: for columns of tick boxes and menus. */
  isHeaderHidden?: boolean | undefined;
  /** `end` for numbers. */
  align?: 'start' | 'end' | undefined;
  /** CSS width; without one the column takes what is left. */
  width?: string | undefined;
  /** The least width of a column without one of its own: the table scrolls sideways before it gets narrower. */
  minWidth?: string | undefined;
  isMono?: boolean | undefined;
  /** Left out where the table is narrower than 600 px. */
  isWideOnly?: boolean | undefined;
  /** Makes it sortable: the direction of the first press. */
  sort?: SortDirection | undefined;
  /** Names the row: at most one column. */
  isRowHeader?: boolean | undefined;
  cell: (row: Row, index: number) => ReactNode;
};

export type RowProps<Row> = {
  columns: readonly TableColumn<Row>[];
  row: Row;
  index: number;
  isCurrent: boolean;
  isTabStop: boolean;
  isFocusable: boolean;
  isMarked: boolean;
  isNumbered: boolean;
};

export type BodyProps<Row> = {
  rows: readonly Row[];
  currentIndex: number;
  scroller: React.RefObject<HTMLDivElement | null>;
  renderRow: (row: Row, index: number) => ReactNode;
  onEndReached?: (() => void) | undefined;
};
