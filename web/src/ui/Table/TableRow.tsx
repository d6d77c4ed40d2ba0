// A row of a table. Its focus is roving: one row of the table is reached by Tab.

import { cx } from '../props.ts';
import css from './Table.module.css';
import type { RowProps } from './tableTypes.ts';

export function TableRow<Row>({
  columns,
  row,
  index,
  isCurrent,
  isTabStop,
  isFocusable,
  isMarked,
  isNumbered,
}: RowProps<Row>) {
  return (
    <tr
      data-row={index}
      tabIndex={isFocusable ? (isTabStop ? 0 : -1) : undefined}
      aria-current={isFocusable && isCurrent ? 'true' : undefined}
      aria-rowindex={isNumbered ? index + 2 : undefined}
      className={cx(css['row'], isMarked && css['marked'])}
    >
      {columns.map((column) => {
        const Cell = column.isRowHeader ? 'th' : 'td';
        return (
          <Cell
            key={column.id}
            scope={column.isRowHeader ? 'row' : undefined}
            className={cx(
              css['cell'],
              column.align === 'end' && css['end'],
              column.isMono && css['mono'],
              column.isWideOnly && css['wideOnly'],
            )}
          >
            {column.cell(row, index)}
          </Cell>
        );
      })}
    </tr>
  );
}
