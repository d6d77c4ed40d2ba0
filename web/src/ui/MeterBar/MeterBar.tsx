// A share of a whole as a bar: how full the store is, how much of a selection has a value. Part of it may be errors.

import { cx } from '../props.ts';
import css from './MeterBar.module.css';

export type MeterBarProps = {
  label: string;
  value: number;
  max: number;
  /** The part of `value` in error colour, at the start. */
  errors?: number | undefined;
  tone?: 'accent' | 'warn' | 'error' | 'quiet' | undefined;
  /** "41 % of 200 GB"; what a screen reader says instead of the bare number. */
  valueText?: string | undefined;
};

const share = (part: number, whole: number) => `${whole > 0 ? Math.min(100, Math.max(0, (part / whole) * 100)) : 0}%`;

export function MeterBar({ label, value, max, errors = 0, tone = 'accent', valueText }: MeterBarProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: <meter> cannot be styled alike in all browsers
    <div
      role="meter"
      aria-label={label}
      aria-valuenow={value}
      aria-valuemin={0}
      aria-valuemax={max}
      aria-valuetext={valueText}
      className={cx(css['meter'], css[tone])}
    >
      <div className={css['fill']} style={{ inlineSize: share(value, max) }}>
        {errors > 0 && <div className={css['errors']} style={{ inlineSize: share(errors, value) }} />}
      </div>
    </div>
  );
}
