// The heads of the columns, with the axis of time.

// biome-ignore-all lint/a11y/useSemanticElements: rows are placed by hand, which no table of the browser allows
// biome-ignore-all lint/a11y/useFocusableInteractive: rows have the focus, their cells and heads do not

import { Suspense } from 'react';
import { Axis } from '../lazies.ts';
import { useTracePage } from '../state/page.tsx';
import { text } from './text.ts';
import { ValueColumnHead } from './ValueColumnHead.tsx';
import css from './Waterfall.module.css';

export function GridHead({ isStacked, timeWidth }: { isStacked: boolean; timeWidth: number }) {
  const { valueColumns } = useTracePage();
  return (
    <div role="rowgroup" className={css['head']}>
      <div role="row" aria-rowindex={1} className={css['headRow']}>
        <div role="columnheader" className={css['headCell']}>
          {text.rowsHead}
        </div>
        <div role="columnheader" className={css['headSelf']} title={text.selfLong}>
          {text.self}
        </div>
        {!isStacked && valueColumns.map((column) => <ValueColumnHead key={column.field} column={column} />)}
        <div role="columnheader" className={css['headTime']} aria-label={text.time}>
          <Suspense>
            <Axis width={timeWidth} />
          </Suspense>
        </div>
      </div>
    </div>
  );
}
