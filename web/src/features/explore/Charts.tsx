// All matches from afar, above the results: counts, latency, their common axis of time; or the same as a table.

import { Suspense, useRef } from 'react';
import type { Scope } from '../../api/types.ts';
import type { Theme } from '../../canvas/theme.ts';
import { useCanvasTheme } from '../../core/canvasTheme.ts';
import type { Zone } from '../../format/time.ts';
import { timeTicks } from '../../format/timeAxis.ts';
import { useWidth } from './ChartCanvas.tsx';
import css from './Charts.module.css';
import { Heatmap } from './Heatmap.tsx';
import { Histogram } from './Histogram.tsx';
import { ChartsTable } from './lazies.ts';
import { instantAt, type Overview } from './overview.ts';
import { text } from './text.ts';
import type { Changes } from './useExplore.ts';

export type ChartProps = {
  overview: Overview;
  theme: Theme;
  zone: Zone;
  scope: Scope;
  changes: Changes;
};

const LABEL_PX = 56;

function TimeAxis({ overview, zone }: { overview: Overview; zone: Zone }) {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const to = instantAt(overview, 1);
  const span = Number(to - overview.fromNs);
  return (
    <div ref={place} aria-hidden className={css['times']}>
      {timeTicks(overview.fromNs, to, width, zone).map(({ atNs, label }) => {
        const share = Number(atNs - overview.fromNs) / span;
        // A label that would not be whole is left out.
        if (share * width > width - LABEL_PX) return null;
        return (
          <span key={String(atNs)} className={css['time']} style={{ insetInlineStart: `${share * 100}%` }}>
            {label}
          </span>
        );
      })}
    </div>
  );
}

type ChartsProps = Omit<ChartProps, 'theme'> & { asTable: boolean; isStale: boolean };

export function Charts({ asTable, isStale, ...props }: ChartsProps) {
  const theme = useCanvasTheme();
  const { overview, zone } = props;
  if (asTable)
    return (
      <Suspense>
        <ChartsTable {...props} theme={theme} />
      </Suspense>
    );
  return (
    <section className={css['charts']} aria-label={text.charts} data-stale={isStale || undefined}>
      <Histogram {...props} theme={theme} />
      <Heatmap {...props} theme={theme} />
      <span />
      <TimeAxis overview={overview} zone={zone} />
    </section>
  );
}
