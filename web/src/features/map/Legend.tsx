// What shades, widths, dashes and rings of the map mean, and how much of it is drawn.

import { formatDuration } from '../../format/duration.ts';
import { formatPercent, formatRate } from '../../format/number.ts';
import type { Drawn } from './calls.ts';
import css from './Graph.module.css';
import type { Metric, Scale } from './scale.ts';
import { text } from './text.ts';

const NAME = { latency: text.legendP95, errors: text.legendErrors, rate: text.legendRate };

function valueText(metric: Metric, value: number): string {
  if (metric === 'latency') return formatDuration(value);
  return metric === 'rate' ? formatRate(value) : formatPercent(value);
}

export function Legend({ metric, scale, drawn }: { metric: Metric; scale: Scale; drawn: Drawn }) {
  const [least, most] = metric === 'errors' ? [0, 0.05] : [scale.least, scale.most];
  return (
    <div className={css['legend']}>
      <span className={css['legendItem']}>
        {NAME[metric]}
        <span className={css['legendValue']}>{valueText(metric, least)}</span>
        <span aria-hidden className={css['ramp']} data-metric={metric} />
        <span className={css['legendValue']}>
          {valueText(metric, most)}
          {metric === 'errors' && '+'}
        </span>
      </span>
      <span className={css['legendItem']}>
        <svg aria-hidden="true" width="24" height="8" className={css['wedge']}>
          <path d="M0 4L24 1V7Z" />
        </svg>
        {text.legendWidth}
      </span>
      <span className={css['legendItem']}>
        <svg aria-hidden="true" width="24" height="8" className={css['dash']}>
          <path d="M0 4H24" />
        </svg>
        {text.legendAsync}
      </span>
      <span className={css['legendItem']}>
        <span aria-hidden className={css['ring']} />
        {text.legendRing}
      </span>
      <span className={css['legendItem']}>
        {text.shown(drawn.services.length, drawn.wanted.length, drawn.calls.length)}
      </span>
    </div>
  );
}
