// The sticky head of a table; sortable columns are buttons.

import { ArrowDown, ArrowUp } from 'lucide-react';
import { cx } from '../props.ts';
import { VisuallyHidden } from '../VisuallyHidden/VisuallyHidden.tsx';
import css from './Table.module.css';
import type { TableColumn, TableSort } from './tableTypes.ts';

type TableHeadProps<Row> = {
  columns: readonly TableColumn<Row>[];
  sort: TableSort | undefined;
  onSort: ((sort: TableSort) => void) | undefined;
  isNumbered: boolean;
};

export function TableHead<Row>({ columns, sort, onSort, isNumbered }: TableHeadProps<Row>) {
  function press(column: TableColumn<Row>) {
    const isReversed = sort?.column === column.id && sort.direction === 'ascending';
    const again = isReversed ? 'descending' : 'ascending';
    onSort?.({ column: column.id, direction: sort?.column === column.id ? again : (column.sort ?? 'ascending') });
  }
  return (
    <thead>
      <tr aria-rowindex={isNumbered ? 1 : undefined}>
        {columns.map((column) => {
          const direction = sort?.column === column.id ? sort.direction : undefined;
          const Arrow = (direction ?? column.sort) === 'ascending' ? ArrowUp : ArrowDown;
          const isSortable = column.sort !== undefined && onSort !== undefined;
          return (
            <th
              key={column.id}
              scope="col"
              aria-sort={isSortable ? (direction ?? 'none') : undefined}
              style={column.width === undefined ? undefined : { inlineSize: column.width }}
              className={cx(css['head'], column.align === 'end' && css['end'], column.isWideOnly && css['wideOnly'])}
            >
              {isSortable && (
                <button
                  type="button"
                  className={cx(css['sort'], direction && css['sorted'])}
                  onClick={() => press(column)}
                >
                  <span className={css['sortText']}>{column.header}</span>
                  <Arrow aria-hidden size={12} className={css['arrow']} />
                </button>
              )}
              {!isSortable &&
                (column.isHeaderHidden ? <VisuallyHidden>{column.header}</VisuallyHidden> : column.header)}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}
