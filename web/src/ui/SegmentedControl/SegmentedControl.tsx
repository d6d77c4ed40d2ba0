// One of a few, all in view: radio buttons that look like one control. The browser's own radios do the keys.

import type { LucideIcon } from 'lucide-react';
import { useId } from 'react';
import { cx } from '../props.ts';
import css from './SegmentedControl.module.css';

export type Segment<Id extends string = string> = {
  id: Id;
  label: string;
  icon?: LucideIcon | undefined;
  isDisabled?: boolean | undefined;
  /** The key that chooses it, for eyes. */
  keys?: string | undefined;
};

export type SegmentedControlProps<Id extends string> = {
  label: string;
  isLabelShown?: boolean | undefined;
  items: readonly Segment<Id>[];
  value: Id;
  onChange: (id: Id) => void;
  /** Icons alone; labels are spoken and shown as titles. */
  isIconOnly?: boolean | undefined;
};

export function SegmentedControl<Id extends string>(props: SegmentedControlProps<Id>) {
  const { label, isLabelShown = false, items, value, onChange, isIconOnly = false } = props;
  const name = useId();
  return (
    <div role="radiogroup" aria-label={label} className={css['group']}>
      {isLabelShown && (
        <span aria-hidden className={css['label']}>
          {label}
        </span>
      )}
      <div className={css['segments']}>
        {items.map(({ id, label: text, icon: Icon, isDisabled, keys }) => (
          <label
            key={id}
            className={cx(css['segment'], id === value && css['on'])}
            title={isIconOnly ? text : undefined}
          >
            <input
              type="radio"
              name={name}
              className={css['input']}
              checked={id === value}
              disabled={isDisabled}
              aria-label={isIconOnly ? text : undefined}
              onChange={() => onChange(id)}
            />
            {Icon && <Icon aria-hidden size={14} />}
            {!isIconOnly && text}
            {!isIconOnly && keys !== undefined && (
              <span aria-hidden className={css['keys']}>
                {keys}
              </span>
            )}
          </label>
        ))}
      </div>
    </div>
  );
}
