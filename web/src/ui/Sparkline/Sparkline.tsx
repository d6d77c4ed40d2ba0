// The course of a number in a table cell. What it shows is also said in words: the label holds the numbers that matter.

import { cx } from '../props.ts';
import css from './Sparkline.module.css';
import { barsOf, pathOf } from './shape.ts';

export type SparklineProps = {
  /** "Spans per second, last hour, from 180 to 240" */
  label: string;
  /** null where there was nothing. */
  values: readonly (number | null)[];
  kind?: 'line' | 'bars' | undefined;
  tone?: 'accent' | 'error' | 'quiet' | undefined;
  width?: number | undefined;
  height?: number | undefined;
  /** The top of the scale; else the largest value. */
  max?: number | undefined;
};

export function Sparkline(props: SparklineProps) {
  const { label, values, kind = 'line', tone = 'accent', width = 80, height = 16, max } = props;
  const top = max ?? Math.max(0, ...values.map((value) => value ?? 0));
  const size = { width, height, top };
  return (
    <svg
      role="img"
      aria-label={label}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      className={cx(css['spark'], css[tone])}
    >
      {kind === 'line' && <path d={pathOf(values, size)} className={css['line']} />}
      {kind === 'bars' && <path d={barsOf(values, size)} className={css['bars']} />}
    </svg>
  );
}
