// A duration with a bar of its share of the longest one beside it: numbers stand under each other, bars start together.

import { cx } from '../props.ts';
import css from './DurationBar.module.css';

export type DurationBarProps = {
  /** "2.14 s" */
  text: string;
  value: number;
  max: number;
  tone?: 'accent' | 'error' | 'quiet' | undefined;
  /** A CSS colour instead of the tone: the service's. */
  color?: string | undefined;
};

export function DurationBar({ text, value, max, tone = 'accent', color }: DurationBarProps) {
  const share = max > 0 ? Math.min(1, Math.max(0, value / max)) : 0;
  return (
    <span className={css['duration']}>
      <span className={css['text']}>{text}</span>
      <span aria-hidden className={css['track']}>
        <span className={cx(css['bar'], css[tone])} style={{ inlineSize: `${share * 100}%`, backgroundColor: color }} />
      </span>
    </span>
  );
}
