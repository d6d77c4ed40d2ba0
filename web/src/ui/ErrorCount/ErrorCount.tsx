// How many errors, as a dot and a number: "● 3". Nothing where there are none.

import { formatCount } from '../../i18n/catalogue.ts';
import { VisuallyHidden } from '../VisuallyHidden/VisuallyHidden.tsx';
import css from './ErrorCount.module.css';
import { text } from './text.ts';

export type ErrorCountProps = { count: number };

export function ErrorCount({ count }: ErrorCountProps) {
  if (count === 0) return null;
  return (
    <span className={css['errors']}>
      <span aria-hidden className={css['dot']} />
      <span aria-hidden>{formatCount(count)}</span>
      <VisuallyHidden>{text.errors(count)}</VisuallyHidden>
    </span>
  );
}
