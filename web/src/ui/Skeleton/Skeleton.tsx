// The shape of rows to come. It takes their room at once and is seen after 150 ms. It does not move.

import { useAfter } from '../hooks/useAfter.ts';
import { VisuallyHidden } from '../VisuallyHidden/VisuallyHidden.tsx';
import css from './Skeleton.module.css';
import { text } from './text.ts';

export type SkeletonProps = {
  rows?: number | undefined;
  /** Widths of the columns, as for `grid-template-columns`. */
  columns?: string | undefined;
  label?: string | undefined;
  delayMs?: number | undefined;
};

// Uneven, so that it looks like text, and the same each time.
const shares = [0.72, 0.5, 0.86, 0.6, 0.94, 0.42, 0.78];

export function Skeleton({ rows = 8, columns = '2fr 1fr 1fr', label = text.loading, delayMs = 150 }: SkeletonProps) {
  const isShown = useAfter(delayMs);
  const perRow = columns.trim().split(/\s+(?![^(]*\))/).length;
  return (
    <div role="status" className={css['skeleton']} data-shown={isShown}>
      {isShown && <VisuallyHidden>{label}</VisuallyHidden>}
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows that are not there have no other name
        <div key={row} aria-hidden className={css['row']} style={{ gridTemplateColumns: columns }}>
          {Array.from({ length: perRow }, (_, column) => (
            <span
              // biome-ignore lint/suspicious/noArrayIndexKey: as above
              key={column}
              className={css['bar']}
              style={{ inlineSize: `${(shares[(row * perRow + column) % shares.length] ?? 1) * 100}%` }}
            />
          ))}
        </div>
      ))}
    </div>
  );
}
