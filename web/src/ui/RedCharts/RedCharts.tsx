// Rate, errors and durations over time: three charts with one crosshair, or the same as a table.

import { ChartLine, Table2 } from 'lucide-react';
import { formatDuration } from '../../format/duration.ts';
import { linearTicks } from '../../format/durationAxis.ts';
import { formatPercent, formatRate } from '../../format/number.ts';
import type { Zone } from '../../format/time.ts';
import type { RedCourse } from '../../model/red.ts';
import { SegmentedControl } from '../SegmentedControl/SegmentedControl.tsx';
import { TimeChart } from '../TimeChart/TimeChart.tsx';
import { evenTicks } from '../TimeChart/ticks.ts';
import { CourseTable } from './CourseTable.tsx';
import css from './RedCharts.module.css';
import { text } from './text.ts';

export type RedChartsProps = {
  /** What it is about: "checkout". */
  name: string;
  course: RedCourse;
  fromNs: bigint;
  toNs: bigint;
  zone: Zone;
  as: 'charts' | 'table';
  onAs: (as: 'charts' | 'table') => void;
  /** The step with this number is to be looked at. */
  onPick: (index: number) => void;
  onZoom: (fromNs: bigint, toNs: bigint) => void;
  headingId: string;
};

function durationTicks(top: number, heightPx: number) {
  return linearTicks(0, top, heightPx, 28);
}

/** One unit on one axis: the one that suits its top. */
function rateTicks(top: number, heightPx: number) {
  const [unit, per] = top >= 1 ? ['s', 1] : top * 60 >= 1 ? ['min', 60] : ['h', 3600];
  return evenTicks(top * per, heightPx, (at) =>
    per === 1 ? formatRate(at) : `${Number(at.toPrecision(3))}/${unit}`,
  ).map(({ at, label }) => ({ at: at / per, label }));
}

function Charts({ course, name, fromNs, toNs, zone, onPick, onZoom }: RedChartsProps) {
  const shared = { at: course.at, fromNs, toNs, zone, onPick, onZoom, pickLabel: text.pick, syncKey: `red ${name}` };
  return (
    <div className={css['charts']}>
      <TimeChart
        {...shared}
        title={text.rate}
        format={formatRate}
        ticks={rateTicks}
        series={[{ label: text.spans, values: course.rate, tone: 'accent', kind: 'area' }]}
      />
      <TimeChart
        {...shared}
        title={text.errors}
        format={formatPercent}
        emptyTop={0.01}
        series={[{ label: text.failing, values: course.errorShare, tone: 'error', kind: 'bars' }]}
      />
      <TimeChart
        {...shared}
        title={text.durations}
        format={formatDuration}
        emptyTop={1e6}
        ticks={durationTicks}
        series={[
          { label: 'p50', values: course.p50, tone: 'accent' },
          { label: 'p95', values: course.p95, tone: 'strong' },
          { label: 'p99', values: course.p99, tone: 'quiet', isDashed: true },
        ]}
      />
    </div>
  );
}

export function RedCharts(props: RedChartsProps) {
  const { as, onAs, headingId } = props;
  return (
    <section aria-labelledby={headingId} className={css['section']}>
      <div className={css['head']}>
        <h2 id={headingId} className={css['heading']}>
          {text.overTime}
        </h2>
        {as === 'charts' && <span className={css['hint']}>{text.hint}</span>}
        <SegmentedControl
          label={text.shownAs}
          items={[
            { id: 'charts', label: text.charts, icon: ChartLine },
            { id: 'table', label: text.table, icon: Table2 },
          ]}
          value={as}
          onChange={onAs}
        />
      </div>
      {as === 'charts' ? <Charts {...props} /> : <CourseTable {...props} />}
    </section>
  );
}
