// What is at the pointer or at the cursor of the keys, beside it.

import type { Scope } from '../../api/types.ts';
import { formatDuration } from '../../format/duration.ts';
import type { Zone } from '../../format/time.ts';
import { ErrorCount } from '../../ui/ErrorCount/ErrorCount.tsx';
import type { HoverCard } from '../../ui/hooks/useHoverCard.ts';
import css from './Charts.module.css';
import { cellLatency, cellTimes } from './cellText.ts';
import type { Cell, Overview } from './overview.ts';
import { text } from './text.ts';

type HeatmapCardProps = {
  cell: Cell;
  overview: Overview;
  zone: Zone;
  scope: Scope;
  handlers: HoverCard<Cell>['handlers'];
};

export function HeatmapCard({ cell, overview, zone, scope, handlers }: HeatmapCardProps) {
  return (
    <div
      aria-hidden
      className={css['card']}
      // Below and aside: who goes on along a line does not run into it.
      style={{
        ...asideOf(cell),
        insetBlockStart: `calc(${(1 - (overview.asPoints === null ? cell.bottom : cell.height)) * 100}% + 4px)`,
      }}
      {...handlers}
    >
      <div className={css['cardHead']}>{cellTimes(cell, overview, zone)}</div>
      <div>{cellLatency(cell, overview)}</div>
      <div className={css['cardCount']}>
        {text.cellCount(scope, cell.count)}
        <ErrorCount count={cell.errors} />
      </div>
      {cell.count > 1 && <div>{text.cellSlowest(formatDuration(cell.slowest.durationNs))}</div>}
      <div className={css['cardHint']}>{text.cellHint}</div>
    </div>
  );
}

export function asideOf({ left, right }: { left: number; right: number }) {
  return left < 0.5 ? { insetInlineStart: `${right * 100}%` } : { insetInlineEnd: `${(1 - left) * 100}%` };
}
