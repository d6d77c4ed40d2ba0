// uPlot behind a few calls: made for an element, given values, told where its crosshair is.

import uPlot from 'uplot';
import type { Zone } from '../../format/time.ts';
import { timeTicks } from '../../format/timeAxis.ts';
import { onThemeChange } from '../hooks/onThemeChange.ts';
import { toneColours } from './colours.ts';
import type { TimeChartProps } from './TimeChart.tsx';
import { evenTicks } from './ticks.ts';

export type Plot = {
  readonly show: (at: readonly number[], values: readonly (readonly (number | null)[])[]) => void;
  /** Puts the crosshair at a moment; null takes it away. */
  readonly point: (index: number | null) => void;
  readonly destroy: () => void;
};

/** A press whose pointer moved farther is a drag. */
const CLICK_PX = 5;
const AXIS_PX = 52;
const TIME_TICK_PX = 64;
const FONT = '11px "Inter Variable", system-ui, sans-serif';

const seconds = (ns: bigint) => Number(ns / 1_000_000n) / 1000;
const nanos = (at: number) => BigInt(Math.round(at * 1e6)) * 1000n;

type Colours = ReturnType<typeof toneColours>;

function axesOf(props: () => TimeChartProps, colours: () => Colours): uPlot.Axis[] {
  const shared = { font: FONT, stroke: () => colours().text };
  return [
    {
      ...shared,
      size: 24,
      gap: 4,
      grid: { show: false },
      ticks: { stroke: () => colours().line, width: 1, size: 4 },
      splits: (plot, _axis, min, max) => timeTicksOf(plot, min, max, props().zone).map(({ atNs }) => seconds(atNs)),
      values: (plot, splits) => {
        const { min = 0, max = 0 } = plot.scales['x'] ?? {};
        const ticks = timeTicksOf(plot, min ?? 0, max ?? 0, props().zone);
        return splits.map((at) => ticks.find((tick) => seconds(tick.atNs) === at)?.label ?? '');
      },
    },
    {
      ...shared,
      size: AXIS_PX,
      gap: 6,
      grid: { stroke: () => colours().line, width: 1 },
      ticks: { show: false },
      splits: (plot, _axis, _min, max) => ticksOf(props(), max, plot).map(({ at }) => at),
      values: (plot, splits) => {
        const ticks = ticksOf(props(), plot.scales['y']?.max ?? 0, plot);
        return splits.map((at) => ticks.find((tick) => tick.at === at)?.label ?? '');
      },
    },
  ];
}

function timeTicksOf(plot: uPlot, min: number, max: number, zone: Zone) {
  return timeTicks(nanos(min), nanos(max), plot.bbox.width / devicePixelRatio, zone, TIME_TICK_PX);
}

function ticksOf({ ticks, format }: TimeChartProps, top: number, plot: uPlot) {
  const height = plot.bbox.height / devicePixelRatio;
  return ticks ? ticks(top, height) : evenTicks(top, height, format);
}

function seriesOf(props: () => TimeChartProps, colours: () => Colours): uPlot.Series[] {
  return props().series.map(({ label, tone, kind = 'line', isDashed = false }) => ({
    label,
    stroke: () => colours()[tone],
    width: kind === 'bars' ? 0 : 1.5,
    // Bars and areas are read as amounts; a line alone as a level.
    ...(kind !== 'line' && { fill: () => (kind === 'bars' ? colours()[tone] : colours().soft) }),
    ...(kind === 'bars' && { paths: bars() }),
    ...(isDashed && { dash: [4, 3] }),
    points: {
      // A point with no neighbours would not be seen in a line.
      show: kind === 'bars' ? false : undefined,
      size: 4,
      fill: () => colours()[tone],
      filter: (plot: uPlot, i: number) => lonely(plot.data[i] ?? []),
    },
  })) as uPlot.Series[];
}

function bars(): uPlot.Series.PathBuilder | undefined {
  return uPlot.paths.bars?.({ size: [0.8, 40], align: 0 });
}

function lonely(values: ArrayLike<number | null | undefined>): number[] {
  const found: number[] = [];
  for (let i = 0; i < values.length; i += 1) {
    if ((values[i] ?? null) !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null) {
      found.push(i);
    }
  }
  return found;
}

/** Null where nothing can be drawn, as in a document without a screen. */
export function makePlot(
  box: HTMLElement,
  props: () => TimeChartProps,
  height: number,
  onIndex: (index: number | null) => void,
): Plot | null {
  if (!document.createElement('canvas').getContext('2d')) return null;
  let colours = toneColours(box);
  const { syncKey } = props();
  const plot = new uPlot(
    {
      width: Math.max(80, box.clientWidth),
      height,
      legend: { show: false },
      padding: [8, 8, 0, 0],
      scales: {
        x: { time: true, range: () => [seconds(props().fromNs), seconds(props().toNs)] },
        y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.08 : (props().emptyTop ?? 1)] },
      },
      axes: axesOf(props, () => colours),
      series: [{}, ...seriesOf(props, () => colours)],
      cursor: {
        y: false,
        drag: { x: props().onZoom !== undefined, y: false, setScale: false, dist: CLICK_PX },
        points: {
          size: 6,
          width: 1,
          stroke: (_plot, i) => toneOf(props(), i, colours),
          fill: () => colours.background,
        },
        ...(syncKey !== undefined && { sync: { key: syncKey, setSeries: false } }),
      },
      hooks: {
        setCursor: [(self) => onIndex(self.cursor.idx ?? null)],
        setSelect: [
          (self) => {
            const { left, width } = self.select;
            if (width < CLICK_PX) return;
            props().onZoom?.(nanos(self.posToVal(left, 'x')), nanos(self.posToVal(left + width, 'x')));
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    },
    [[...props().at], ...props().series.map(({ values }) => [...values])],
    box,
  );
  const stop = followPointer(plot, props);
  const onTheme = () => {
    colours = toneColours(box);
    // Paths of bars hold their colours.
    plot.redraw(true, true);
  };
  const stopTheme = onThemeChange(onTheme);
  const sizes = new ResizeObserver(() => {
    if (box.clientWidth > 0 && box.clientWidth !== plot.width) plot.setSize({ width: box.clientWidth, height });
  });
  sizes.observe(box);
  return {
    show: (at, values) => plot.setData([[...at], ...values.map((one) => [...one])], true),
    point: (index) => {
      const at = index === null ? undefined : plot.data[0][index];
      // By pointer the plots tell each other; by key it is done here.
      for (const one of syncKey === undefined ? [plot] : uPlot.sync(syncKey).plots) {
        one.setCursor(at === undefined ? { left: -10, top: -10 } : { left: one.valToPos(at, 'x'), top: 1 }, true);
      }
    },
    destroy: () => {
      stop();
      stopTheme();
      sizes.disconnect();
      plot.destroy();
    },
  };
}

function toneOf({ series }: TimeChartProps, i: number, colours: Colours): string {
  const tone = series[i - 1]?.tone;
  return tone === undefined ? colours.text : colours[tone];
}

/** A press without a drag picks the moment under the pointer. */
function followPointer(plot: uPlot, props: () => TimeChartProps): () => void {
  let downX: number | null = null;
  const down = (event: PointerEvent) => {
    downX = event.button === 0 ? event.clientX : null;
  };
  const up = (event: PointerEvent) => {
    const index = plot.cursor.idx;
    if (downX !== null && Math.abs(event.clientX - downX) <= CLICK_PX && typeof index === 'number') {
      props().onPick?.(index);
    }
    downX = null;
  };
  plot.over.addEventListener('pointerdown', down);
  plot.over.addEventListener('pointerup', up);
  return () => {
    plot.over.removeEventListener('pointerdown', down);
    plot.over.removeEventListener('pointerup', up);
  };
}
