// How many matched over time, and how many of them failed. Dragging chooses the time range; by keys the time range is
// in the bar on top and in the selection of the heatmap below.

import { useCallback, useRef } from 'react';
import { rasterHistogram } from '../../canvas/histogram.ts';
import { formatCount } from '../../format/number.ts';
import { ErrorCount } from '../../ui/ErrorCount/ErrorCount.tsx';
import { useHoverCard } from '../../ui/hooks/useHoverCard.ts';
import { ChartCanvas, type Size, useWidth } from './ChartCanvas.tsx';
import css from './Charts.module.css';
import type { ChartProps } from './Charts.tsx';
import { cellTimes } from './cellText.ts';
import { AreaBox } from './Heatmap.tsx';
import { asideOf } from './HeatmapCard.tsx';
import { rangeOf } from './HeatmapSelection.tsx';
import { type Area, snapped } from './overview.ts';
import { text } from './text.ts';
import { useBrush } from './useBrush.ts';

export const HISTOGRAM_PX = 32;

const whole = (area: Area): Area => ({ ...area, bottom: 0, top: 1 });

export function Histogram({ overview, theme, zone, scope, changes }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const { steps } = overview.grid;
  const { shown: step, point, handlers: cardHandlers } = useHoverCard<number>();
  const { dragged, handlers } = useBrush({
    onHover: (spot) => point(spot === null ? null : Math.min(steps - 1, Math.floor(spot.x * steps))),
    onPress: () => undefined,
    onSelect: (area) => changes.set({ range: rangeOf(overview, snapped(overview, whole(area))) }),
  });
  const paint = useCallback((size: Size) => rasterHistogram(overview.steps, size, theme), [overview, theme]);
  const most = overview.steps.counts.reduce((a, b) => Math.max(a, b), 0);
  const count = step === null ? 0 : (overview.steps.counts[step] ?? 0);
  const column = { left: (step ?? 0) / steps, right: ((step ?? 0) + 1) / steps };
  return (
    <>
      <div className={css['axis']} aria-hidden style={{ blockSize: HISTOGRAM_PX }}>
        <span className={css['most']}>{formatCount(most)}</span>
      </div>
      <div className={css['plot']}>
        <div ref={place} aria-hidden className={css['histogram']} {...handlers}>
          <ChartCanvas width={width} height={HISTOGRAM_PX} paint={paint} />
          {dragged !== null && <AreaBox area={snapped(overview, whole(dragged))} className={css['selected']} />}
        </div>
        {step !== null && dragged === null && count > 0 && (
          <div
            aria-hidden
            className={css['card']}
            style={{ ...asideOf(column), insetBlockStart: '100%' }}
            {...cardHandlers}
          >
            <div className={css['cardHead']}>{cellTimes(column, overview, zone)}</div>
            <div className={css['cardCount']}>
              {text.cellCount(scope, count)}
              <ErrorCount count={overview.steps.errors[step] ?? 0} />
            </div>
          </div>
        )}
      </div>
    </>
  );
}
