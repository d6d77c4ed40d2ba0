// One number with its name: "0.42 % errors". A change against before is told by sign and words.

import { cx } from '../props.ts';
import css from './Stat.module.css';

export type StatProps = {
  label: string;
  value: string;
  unit?: string | undefined;
  /** "×4.2 vs yesterday" */
  change?: string | undefined;
  tone?: 'normal' | 'error' | 'warn' | undefined;
  /** On one line instead of two. */
  isInline?: boolean | undefined;
};

export function Stat({ label, value, unit, change, tone = 'normal', isInline = false }: StatProps) {
  return (
    <dl className={cx(css['stat'], isInline && css['inline'], css[tone])}>
      <dt className={css['label']}>{label}</dt>
      <dd className={css['value']}>
        {value}
        {unit !== undefined && <span className={css['unit']}>{` ${unit}`}</span>}
        {change !== undefined && <span className={css['change']}>{change}</span>}
      </dd>
    </dl>
  );
}
