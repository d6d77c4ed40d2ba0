// A number as text: Enter or leaving takes it, arrow keys step, what is no number falls back to the last one.

import { useId, useState } from 'react';
import fieldCss from '../Field/Field.module.css';
import { cx } from '../props.ts';

export type NumberFieldProps = {
  label: string;
  labelPlace?: 'before' | 'above' | 'hidden' | undefined;
  value: number;
  onChange: (value: number) => void;
  min?: number | undefined;
  max?: number | undefined;
  step?: number | undefined;
  /** After the number: "ms". */
  unit?: string | undefined;
  /** Width in characters. */
  width?: number | undefined;
  isDisabled?: boolean | undefined;
};

export function NumberField(props: NumberFieldProps) {
  const {
    label,
    labelPlace = 'before',
    value,
    onChange,
    min = -Infinity,
    max = Infinity,
    step = 1,
    unit,
    width = 6,
    isDisabled,
  } = props;
  const [draft, setDraft] = useState<string | null>(null);
  const id = useId();
  function take(next: number) {
    setDraft(null);
    const clamped = Math.min(max, Math.max(min, next));
    if (Number.isFinite(clamped) && clamped !== value) onChange(clamped);
  }
  function takeDraft() {
    if (draft === null) return;
    const next = draft.trim() === '' ? Number.NaN : Number(draft);
    if (Number.isNaN(next)) setDraft(null);
    else take(next);
  }
  return (
    <div className={cx(fieldCss['field'], labelPlace === 'above' && fieldCss['above'])}>
      {labelPlace !== 'hidden' && (
        <label htmlFor={id} className={fieldCss['label']}>
          {label}
        </label>
      )}
      <span className={fieldCss['box']}>
        <input
          id={id}
          role="spinbutton"
          inputMode="decimal"
          className={cx(fieldCss['input'], fieldCss['number'])}
          style={{ inlineSize: `${width}ch` }}
          aria-label={labelPlace === 'hidden' ? label : undefined}
          aria-valuenow={value}
          aria-valuemin={Number.isFinite(min) ? min : undefined}
          aria-valuemax={Number.isFinite(max) ? max : undefined}
          aria-valuetext={unit === undefined ? undefined : `${value} ${unit}`}
          value={draft ?? String(value)}
          disabled={isDisabled}
          autoComplete="off"
          onChange={(event) => setDraft(event.target.value)}
          onBlur={takeDraft}
          onKeyDown={(event) => {
            const sign = { ArrowUp: 1, ArrowDown: -1 }[event.key];
            if (sign !== undefined) {
              event.preventDefault();
              take(value + sign * step * (event.shiftKey ? 10 : 1));
            } else if (event.key === 'Enter') {
              takeDraft();
            } else if (event.key === 'Escape' && draft !== null) {
              event.stopPropagation();
              setDraft(null);
            }
          }}
        />
        {unit !== undefined && (
          <span aria-hidden className={fieldCss['end']}>
            {unit}
          </span>
        )}
      </span>
    </div>
  );
}
