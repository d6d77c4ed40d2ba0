// Which attributes are columns: the list, and a field that adds one.

import { X } from 'lucide-react';
import { useState } from 'react';
import type { Window } from '../../api/questions.ts';
import { fieldLabel } from '../../query/fields.ts';
import { ComboBox } from '../../ui/ComboBox/ComboBox.tsx';
import { IconButton } from '../../ui/IconButton/IconButton.tsx';
import css from './Toolbar.module.css';
import { text } from './text.ts';
import { useFields } from './useSuggestions.ts';

export type ColumnsProps = { cols: readonly string[]; window: Window; onChange: (cols: readonly string[]) => void };

export function ColumnsForm({ cols, window, onChange }: ColumnsProps) {
  const [typed, setTyped] = useState('');
  const { items, isLoading } = useFields(typed, window);
  const add = (field: string) => {
    setTyped('');
    if (!cols.includes(field)) onChange([...cols, field]);
  };
  return (
    <div className={css['columns']}>
      <ComboBox
        label={text.addColumn}
        labelPlace="above"
        placeholder={text.fieldPlaceholder}
        isMono
        autoFocus
        items={items
          .filter((item) => !cols.includes(item.text))
          .map((item) => ({ id: item.text, label: fieldLabel(item.text), count: item.count }))}
        isLoading={isLoading}
        inputValue={typed}
        onInputChange={setTyped}
        onSelect={({ id }) => add(id)}
        onCustom={add}
      />
      {cols.length === 0 && <p className={css['hint']}>{text.noColumns}</p>}
      <ul className={css['columnList']}>
        {cols.map((col) => (
          <li key={col} className={css['column']}>
            <span className={css['columnName']} title={col}>
              {fieldLabel(col)}
            </span>
            <IconButton
              size="small"
              icon={X}
              label={text.removeColumn(fieldLabel(col))}
              onPress={() => onChange(cols.filter((other) => other !== col))}
            />
          </li>
        ))}
      </ul>
    </div>
  );
}
