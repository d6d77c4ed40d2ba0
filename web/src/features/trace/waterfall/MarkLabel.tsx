// How long the marked piece of time is.

import { formatDuration } from '../../../format/duration.ts';
import type { Mark } from '../state/page.tsx';
import { text } from './text.ts';
import css from './Waterfall.module.css';

export function MarkLabel({ mark }: { mark: Mark }) {
  const value = formatDuration(mark.to - mark.from);
  return (
    <span role="status" aria-label={text.marked(value)} className={css['markLabel']}>
      {value}
    </span>
  );
}
