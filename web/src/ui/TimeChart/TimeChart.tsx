// Values over time, drawn by uPlot. Charts of one `syncKey` have their crosshair in common. A press on a moment picks
// it, a drag picks a range; both by keys too: arrows move the crosshair, Enter picks the moment. (A range is chosen
// by keys in the time range of the page.) The values under the crosshair stand in the head, so that none hangs over
// the curve.

import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import 'uplot/dist/uPlot.min.css';
import { clockTime, dayText, type Zone } from '../../format/time.ts';
import { cx } from '../props.ts';
import { makePlot, type Plot } from './plot.ts';
import css from './TimeChart.module.css';
import { text } from './text.ts';

type TimeSeries = {
  label: string;
  values: readonly (number | null)[];
  tone: 'accent' | 'error' | 'strong' | 'quiet';
  /** A line, a line with its area, bars. */
  kind?: 'line' | 'area' | 'bars' | undefined;
  isDashed?: boolean | undefined;
};

export type TimeChartProps = {
  title: string;
  /** Seconds since the epoch, ascending. */
  at: readonly number[];
  fromNs: bigint;
  toNs: bigint;
  series: readonly TimeSeries[];
  format: (value: number) => string;
  /** Ticks of the axis of values, given its top and its height in pixels; without it they are chosen. */
  ticks?: ((top: number, heightPx: number) => readonly { at: number; label: string }[]) | undefined;
  /** The top of the axis where no value is above zero. */
  emptyTop?: number | undefined;
  zone: Zone;
  syncKey?: string | undefined;
  height?: number | undefined;
  /** What a press does, in words: "Show the traces of this minute". */
  pickLabel?: string | undefined;
  onPick?: ((index: number) => void) | undefined;
  onZoom?: ((fromNs: bigint, toNs: bigint) => void) | undefined;
};

const DAY_NS = 86_400_000_000_000n;

/** The day is told where the chart shows more than one. */
function momentText(seconds: number, { zone, fromNs, toNs }: TimeChartProps): string {
  const ns = BigInt(Math.round(seconds * 1000)) * 1_000_000n;
  const clock = clockTime(ns, zone, 0);
  return toNs - fromNs >= DAY_NS ? `${dayText(ns, zone)} ${clock.slice(0, 5)}` : clock;
}

function Head({ props, index }: { props: TimeChartProps; index: number | null }) {
  const { title, series, at, format } = props;
  const moment = index === null ? undefined : at[index];
  return (
    <div className={css['head']}>
      <h3 className={css['title']}>{title}</h3>
      <ul className={css['legend']} aria-hidden>
        {series.map(({ label, values, tone, isDashed }) => {
          const value = index === null ? null : (values[index] ?? null);
          return (
            <li key={label} className={css['item']}>
              <span className={cx(css['swatch'], css[tone], isDashed && css['dashed'])} />
              {label}
              {index !== null && <span className={css['value']}>{value === null ? '–' : format(value)}</span>}
            </li>
          );
        })}
        <li className={css['moment']}>{moment === undefined ? '' : momentText(moment, props)}</li>
      </ul>
    </div>
  );
}

export function TimeChart(props: TimeChartProps) {
  const { title, at, fromNs, toNs, series, format, zone, syncKey, height = 132, pickLabel, onPick } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [index, setIndex] = useState<number | null>(null);
  const hintId = useId();
  // Another look needs another plot; other values only go into the one that is there.
  const look = series.map(({ label, tone, kind, isDashed }) => `${label} ${tone} ${kind} ${isDashed}`).join('\n');

  // biome-ignore lint/correctness/useExhaustiveDependencies: what the plot draws comes by `latest`; the look makes it
  useEffect(() => {
    if (!box.current) return;
    plot.current = makePlot(box.current, () => latest.current, height, setIndex);
    return () => {
      plot.current?.destroy();
      plot.current = null;
    };
  }, [look, syncKey, height, zone]);
  const data = useMemo(() => ({ at, values: series.map(({ values }) => values) }), [at, series]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new plot has the values already
  useEffect(() => plot.current?.show(data.at, data.values), [data, fromNs, toNs]);

  const move = (next: number) => {
    const clamped = Math.max(0, Math.min(at.length - 1, next));
    setIndex(clamped);
    plot.current?.point(clamped);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const now = index ?? at.length - 1;
    const steps: Record<string, number> = {
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      PageDown: now - 10,
      PageUp: now + 10,
      Home: 0,
      End: at.length - 1,
    };
    const next = steps[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (next !== undefined) move(next);
    else if ((event.key === 'Enter' || event.key === ' ') && onPick && at.length > 0) onPick(now);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const spoken = (i: number) => {
    const values = series.map(({ label, values: all }) => {
      const value = all[i] ?? null;
      return `${label} ${value === null ? text.none : format(value)}`;
    });
    return [momentText(at[i] ?? 0, props), ...values].join(', ');
  };
  const current = index ?? Math.max(0, at.length - 1);
  return (
    <figure className={css['chart']}>
      <Head props={props} index={index} />
      <div
        ref={box}
        role="slider"
        tabIndex={0}
        aria-label={title}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, at.length - 1)}
        aria-valuenow={current}
        aria-valuetext={at.length === 0 ? text.empty : spoken(current)}
        aria-describedby={pickLabel === undefined ? undefined : hintId}
        className={cx(css['plot'], onPick && css['pickable'])}
        style={{ blockSize: height }}
        onKeyDown={onKeyDown}
        onFocus={(event) => {
          if (event.target.matches(':focus-visible')) move(current);
        }}
        onBlur={() => {
          setIndex(null);
          plot.current?.point(null);
        }}
      />
      {pickLabel !== undefined && (
        <span id={hintId} hidden>
          {pickLabel}
        </span>
      )}
    </figure>
  );
}
