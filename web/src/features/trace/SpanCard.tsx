// What is under the pointer, beside it: of a span, or of a run of like siblings. For eyes only; rows and the cursor of
// the flame view say the same.

import { formatDuration } from '../../format/duration.ts';
import { FLAG, type RowIndex } from '../../model/columns.ts';
import type { HoverCard } from '../../ui/hooks/useHoverCard.ts';
import css from './SpanCard.module.css';
import { useTracePage } from './state/page.tsx';
import type { TraceSession } from './state/session.ts';
import { text } from './text.ts';
import { nameOf, serviceOf } from './waterfall/rowText.ts';

const BESIDE_PX = 12;

/** Where the pointer came to it, in px of the element that the card lies in. */
export type PointedSpan = { readonly row: RowIndex; readonly isGroup: boolean; readonly x: number; readonly y: number };

/** Along a wide bar the card comes after. */
const FAR_PX = 240;

export function isSamePointed(a: PointedSpan, b: PointedSpan): boolean {
  return a.row === b.row && a.isGroup === b.isGroup && Math.abs(a.x - b.x) < FAR_PX;
}

function factsOf(session: TraceSession, { row, isGroup }: PointedSpan): string[] {
  const { columns } = session;
  if (isGroup) {
    const run = session.distribution(row);
    return [
      text.cardSum(formatDuration(run.sum)),
      text.cardAverage(formatDuration(run.sum / run.count)),
      text.cardStart(formatDuration(run.from)),
      ...(run.errors > 0 ? [text.cardErrors(run.errors)] : []),
    ];
  }
  return [
    formatDuration(columns.dur[row] as number),
    text.cardSelf(formatDuration(columns.self[row] as number)),
    text.cardStart(formatDuration(columns.start[row] as number)),
    ...(((columns.flags[row] as number) & FLAG.error) !== 0 ? [text.cardError] : []),
  ];
}

type SpanCardProps = { at: PointedSpan; width: number; height: number; handlers: HoverCard<PointedSpan>['handlers'] };

export function SpanCard({ at, width, height, handlers }: SpanCardProps) {
  const { session } = useTracePage();
  const { row, isGroup, x, y } = at;
  const isLeft = x > width / 2;
  const isAbove = y > height / 2;
  return (
    <div
      aria-hidden
      data-own-wheel
      className={css['card']}
      style={{
        [isLeft ? 'right' : 'left']: (isLeft ? width - x : x) + BESIDE_PX,
        [isAbove ? 'bottom' : 'top']: (isAbove ? height - y : y) + BESIDE_PX,
      }}
      {...handlers}
    >
      <strong>{serviceOf(session, row)}</strong> {nameOf(session, row)}
      {isGroup && ` ×${session.distribution(row).count}`}
      <div className={css['facts']}>{factsOf(session, at).join(' · ')}</div>
    </div>
  );
}
