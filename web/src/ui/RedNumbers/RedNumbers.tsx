// The numbers of a service or an operation over the whole time range: rate, errors, durations, and how they changed.

import type { RedSeries } from '../../api/types.ts';
import { formatDuration } from '../../format/duration.ts';
import { formatPercent, formatRate } from '../../format/number.ts';
import { statOfSeries } from '../../model/red.ts';
import { changeWords } from '../RedTable/text.ts';
import { Stat } from '../Stat/Stat.tsx';
import css from './RedNumbers.module.css';
import { text } from './text.ts';

export function RedNumbers({ series, seconds }: { series: RedSeries; seconds: number }) {
  const stat = statOfSeries(series, seconds);
  const { change } = stat;
  return (
    <div className={css['numbers']}>
      <Stat label={text.rate} value={formatRate(stat.perSecond)} />
      <Stat
        label={text.errors}
        value={formatPercent(stat.errorShare)}
        tone={stat.errorShare >= 0.01 ? 'error' : 'normal'}
      />
      <Stat label="p50" value={formatDuration(stat.p50)} />
      <Stat
        label="p95"
        value={formatDuration(stat.p95)}
        change={change ? text.vsDayBefore(changeWords(change.ratio)) : undefined}
        tone={change && change.ratio >= 1.5 ? 'warn' : 'normal'}
      />
      <Stat label="p99" value={formatDuration(stat.p99)} />
    </div>
  );
}
