// The head of a column of values: its field, and a button that takes it away.

// biome-ignore-all lint/a11y/useSemanticElements: rows are placed by hand, which no table of the browser allows
// biome-ignore-all lint/a11y/useFocusableInteractive: rows have the focus, their cells and heads do not

import { X } from 'lucide-react';
import { IconButton } from '../../../ui/IconButton/IconButton.tsx';
import { stateNow, update } from '../state/page.tsx';
import type { ValueColumn } from '../state/useValueColumns.ts';
import { text } from './text.ts';
import css from './Waterfall.module.css';

export function ValueColumnHead({ column }: { column: ValueColumn }) {
  const { field, error } = column;
  return (
    <div
      role="columnheader"
      className={css['headValue']}
      data-failed={error !== null || undefined}
      title={error ?? field}
    >
      <span className={css['headField']}>{field}</span>
      <IconButton
        icon={X}
        size="small"
        label={text.removeColumn(field)}
        onPress={() => update({ cols: (stateNow()?.cols ?? []).filter((one) => one !== field) })}
      />
    </div>
  );
}
