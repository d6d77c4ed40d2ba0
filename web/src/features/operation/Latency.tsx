// How durations are spread over time: a heatmap, and the same as a table. A press on a cell opens its slowest trace.

import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import type { OverviewAnswer } from '../../api/types.ts';
import { cellAtOrBelow } from '../../canvas/grid.ts';
import { useCanvasTheme } from '../../core/canvasTheme.ts';
import { go } from '../../core/navigation.ts';
import { placeOfTrace } from '../../core/places.ts';
import { usePreferences } from '../../core/preferences.ts';
import { formatDuration } from '../../format/duration.ts';
import { formatCount } from '../../format/number.ts';
import { clockTime, dayText, type Zone } from '../../format/time.ts';
import { timeTicks } from '../../format/timeAxis.ts';
import { Table, type TableColumn } from '../../ui/Table/Table.tsx';
import { HEAT_PX, type Heat, heatOf, worstCells } from './heat.ts';
import { paintHeat } from './heatCanvas.ts';
import css from './Operation.module.css';
import { text } from './text.ts';

/** The last one would be cut. */
const LABEL_PX = 36;

type LatencyProps = { answer: OverviewAnswer; as: 'charts' | 'table'; name: string };

function openCell(answer: OverviewAnswer, cell: number): void {
  const slowest = answer.cells.slowest[cell];
  if (slowest) go(placeOfTrace(slowest.traceId, slowest.spanId));
}

function momentText(heat: Heat, step: number, zone: Zone): string {
  const at = heat.fromNs + BigInt(Math.round(step * heat.stepNs));
  return `${dayText(at, zone)} ${clockTime(at, zone, 0)}`;
}

function cellText(answer: OverviewAnswer, heat: Heat, cell: number, zone: Zone): string {
  const { step, bucket, count, errors, slowest } = answer.cells;
  const range = answer.buckets[bucket[cell] ?? 0];
  return text.cell(
    momentText(heat, step[cell] ?? 0, zone),
    range ? `${formatDuration(range.fromNs)} – ${formatDuration(range.toNs)}` : '',
    count[cell] ?? 0,
    errors[cell] ?? 0,
    formatDuration(slowest[cell]?.durationNs ?? 0),
  );
}

function DurationAxis({ heat }: { heat: Heat }) {
  return (
    <div aria-hidden className={css['durationAxis']} style={{ blockSize: HEAT_PX }}>
      {heat.ticks.map(({ share, label }) => (
        <span key={label} className={css['durationTick']} style={{ insetBlockEnd: `${share * 100}%` }}>
          {label}
        </span>
      ))}
    </div>
  );
}

function TimeAxis({ heat, width, zone }: { heat: Heat; width: number; zone: Zone }) {
  const span = Number(heat.toNs - heat.fromNs);
  return (
    <div aria-hidden className={css['timeAxis']}>
      {timeTicks(heat.fromNs, heat.toNs, width, zone)
        .map(({ atNs, label }) => ({ share: Number(atNs - heat.fromNs) / span, label }))
        .filter(({ share }) => (1 - share) * width >= LABEL_PX)
        .map(({ share, label }) => (
          <span key={share} className={css['timeTick']} style={{ insetInlineStart: `${share * 100}%` }}>
            {label}
          </span>
        ))}
    </div>
  );
}

function Heatmap({ answer, name }: Omit<LatencyProps, 'as'>) {
  const { zone } = usePreferences();
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useCanvasTheme();
  const [width, setWidth] = useState(0);
  const [cell, setCell] = useState<number | null>(null);
  const heat = heatOf(answer);
  const worst = worstCells(answer);
  useEffect(() => {
    const element = canvas.current?.parentElement;
    if (!element) return;
    const sizes = new ResizeObserver(() => setWidth(element.clientWidth));
    sizes.observe(element);
    setWidth(element.clientWidth);
    return () => sizes.disconnect();
  }, []);
  useEffect(() => {
    if (canvas.current) paintHeat(canvas.current, heatOf(answer).grid, { width, height: HEAT_PX }, theme);
  }, [answer, width, theme]);

  const under = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const size = { width: box.width, height: box.height };
    const found = cellAtOrBelow(heat.grid, size, event.clientX - box.x, event.clientY - box.y);
    return found < 0 ? null : found;
  };
  const at = cell === null ? null : answer.cells.step[cell];
  const place = worst.findIndex(({ step }) => step === at);
  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Record<string, number> = {
      ArrowLeft: place - 1,
      ArrowRight: place + 1,
      Home: 0,
      End: worst.length - 1,
    };
    const next = moves[event.key];
    if (next !== undefined) setCell(worst[Math.max(0, Math.min(worst.length - 1, next))]?.cell ?? null);
    else if (event.key === 'Enter' && cell !== null) openCell(answer, cell);
    else return;
    event.preventDefault();
  };
  return (
    <div className={css['heat']}>
      <DurationAxis heat={heat} />
      <div
        role="slider"
        tabIndex={0}
        aria-label={text.heatOf(name)}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, worst.length - 1)}
        aria-valuenow={Math.max(0, place)}
        aria-valuetext={cell === null ? text.heatKeys : cellText(answer, heat, cell, zone)}
        className={css['heatBox']}
        onPointerMove={(event) => setCell(under(event))}
        onPointerLeave={() => setCell(null)}
        onClick={() => cell !== null && openCell(answer, cell)}
        onKeyDown={onKeyDown}
        data-hit={cell !== null || undefined}
      >
        <canvas ref={canvas} className={css['heatCanvas']} style={{ blockSize: HEAT_PX }} />
      </div>
      <TimeAxis heat={heat} width={width} zone={zone} />
      <p className={css['readout']}>{cell === null ? text.heatHint : cellText(answer, heat, cell, zone)}</p>
    </div>
  );
}

type Row = { step: number; cell: number };

function LatencyTable({ answer, name }: Omit<LatencyProps, 'as'>) {
  const { zone } = usePreferences();
  const heat = heatOf(answer);
  const rows = worstCells(answer).reverse();
  const sums = new Map<number, { count: number; errors: number }>();
  answer.cells.step.forEach((step, i) => {
    const sum = sums.get(step) ?? { count: 0, errors: 0 };
    sums.set(step, {
      count: sum.count + (answer.cells.count[i] ?? 0),
      errors: sum.errors + (answer.cells.errors[i] ?? 0),
    });
  });
  const columns: TableColumn<Row>[] = [
    { id: 'time', header: text.time, isRowHeader: true, cell: ({ step }) => momentText(heat, step, zone) },
    {
      id: 'spans',
      header: text.spans,
      align: 'end',
      width: '96px',
      cell: ({ step }) => formatCount(sums.get(step)?.count ?? 0),
    },
    {
      id: 'errors',
      header: text.failing,
      align: 'end',
      width: '96px',
      cell: ({ step }) => formatCount(sums.get(step)?.errors ?? 0),
    },
    {
      id: 'slowest',
      header: text.slowestSpan,
      align: 'end',
      width: '120px',
      cell: ({ cell }) => formatDuration(answer.cells.slowest[cell]?.durationNs ?? Number.NaN),
    },
  ];
  return (
    <Table
      caption={text.heatOf(name)}
      columns={columns}
      rows={rows}
      rowKey={({ step }) => String(step)}
      onOpen={({ cell }) => openCell(answer, cell)}
      className={css['latencyTable']}
    />
  );
}

export function Latency({ answer, as, name }: LatencyProps) {
  if (answer.cells.step.length === 0) return <p className={css['quiet']}>{text.noLatency}</p>;
  return as === 'charts' ? <Heatmap answer={answer} name={name} /> : <LatencyTable answer={answer} name={name} />;
}
