// A tick box, the browser's own, drawn to fit. Without a shown label (in tables) the target is still 24 px.

import { useEffect, useRef } from 'react';
import { cx } from '../props.ts';
import css from './Checkbox.module.css';

export type CheckboxProps = {
  label: string;
  isLabelHidden?: boolean | undefined;
  isSelected: boolean;
  isMixed?: boolean | undefined;
  isDisabled?: boolean | undefined;
  onChange: (isSelected: boolean) => void;
  /** -1 where a list of rows has the keys. */
  tabIndex?: number | undefined;
};

export function Checkbox(props: CheckboxProps) {
  const { label, isLabelHidden = false, isSelected, isMixed = false, isDisabled, onChange, tabIndex } = props;
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (input.current) input.current.indeterminate = isMixed;
  }, [isMixed]);
  return (
    <label className={cx(css['checkbox'], isLabelHidden && css['bare'])}>
      <input
        ref={input}
        type="checkbox"
        className={css['input']}
        checked={isSelected}
        disabled={isDisabled}
        tabIndex={tabIndex}
        aria-label={isLabelHidden ? label : undefined}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span aria-hidden className={css['box']} />
      {!isLabelHidden && label}
    </label>
  );
}
