// Latency over time. Pointing tells, pressing opens the slowest, dragging selects; the arrow keys walk from cell to
// cell and are told by voice, Shift with them selects.

import { type KeyboardEvent, useCallback, useRef, useState } from 'react';
import { rasterHeatmap, rasterPoints } from '../../canvas/heatmap.ts';
import { go } from '../../core/navigation.ts';
import { placeOfTrace } from '../../core/places.ts';
import { latencyTicks } from '../../format/latencyAxis.ts';
import { useHoverCard } from '../../ui/hooks/useHoverCard.ts';
import { announce } from '../../ui/LiveRegion/LiveRegion.tsx';
import { ChartCanvas, type Size, useWidth } from './ChartCanvas.tsx';
import css from './Charts.module.css';
import type { ChartProps } from './Charts.tsx';
import { cellText } from './cellText.ts';
import { HeatmapCard } from './HeatmapCard.tsx';
import { HeatmapSelection } from './HeatmapSelection.tsx';
import { type Area, around, type Cell, cellAt, type Step, snapped, walk } from './overview.ts';
import { text } from './text.ts';
import { useBrush } from './useBrush.ts';

export const HEAT_PX = 112;
const STEPS: readonly string[] = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End'];

function openSlowest(cell: Cell | null): void {
  if (cell !== null) go(placeOfTrace(cell.slowest.traceId, cell.slowest.spanId));
}

export function Heatmap({ overview, theme, zone, scope, changes }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const [pointed, setPointed] = useState<Cell | null>(null);
  const { shown: told, point, handlers: cardHandlers } = useHoverCard<Cell>();
  const [cursor, setCursor] = useState<Cell | null>(null);
  const [anchor, setAnchor] = useState<Cell | null>(null);
  const [selection, setSelection] = useState<Area | null>(null);
  const ticks = latencyTicks(overview.buckets, HEAT_PX);
  const find = (spot: { x: number; y: number }) => cellAt(overview, spot, { width, height: HEAT_PX });
  const { dragged, handlers } = useBrush({
    onHover: (spot) => {
      const cell = spot === null ? null : find(spot);
      setPointed(cell);
      point(cell);
    },
    onPress: (spot) => (selection === null ? openSlowest(find(spot)) : setSelection(null)),
    onSelect: (area) => setSelection(snapped(overview, area)),
  });
  const paint = useCallback(
    ({ scale, ...size }: Size) =>
      overview.asPoints === null
        ? rasterHeatmap(overview.grid, size, theme)
        : rasterPoints(overview.asPoints, size, theme, Math.round(scale)),
    [overview, theme],
  );

  function keyDown(event: KeyboardEvent<HTMLElement>) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (STEPS.includes(event.key)) {
      const next = walk(overview, cursor, event.key as Step);
      setCursor(next);
      const start = event.shiftKey ? (anchor ?? cursor ?? next) : null;
      setAnchor(start);
      setSelection(start && next ? around(start, next) : null);
      if (next) announce(cellText(next, overview, zone, scope));
    } else if (event.key === 'Enter') openSlowest(cursor);
    else if (event.key === 'Escape' && (selection !== null || cursor !== null)) {
      setSelection(null);
      setAnchor(null);
      if (selection === null) setCursor(null);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const shown = dragged === null ? selection : snapped(overview, dragged);
  const marked = pointed ?? told ?? cursor;
  const ofCard = told ?? cursor;
  return (
    <>
      <div className={css['axis']} aria-hidden style={{ blockSize: HEAT_PX }}>
        {ticks.map(({ label, share }) => (
          <span key={label} className={css['latency']} style={{ insetBlockEnd: `${share * 100}%` }}>
            {label}
          </span>
        ))}
      </div>
      <div className={css['plot']}>
        <div
          ref={place}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the keys of a chart are its own
          tabIndex={0}
          role="application"
          aria-roledescription={text.heatmapRole}
          aria-label={text.heatmapLabel(text.cellCount(scope, overview.points))}
          className={css['heat']}
          onKeyDown={keyDown}
          onBlur={() => setCursor(null)}
          {...handlers}
        >
          <ChartCanvas width={width} height={HEAT_PX} paint={paint} />
          {shown !== null && <AreaBox area={shown} className={css['selected']} />}
          {marked !== null && dragged === null && (
            <AreaBox area={boxOf(marked, overview.asPoints !== null)} className={css['cursor']} />
          )}
        </div>
        {ofCard !== null && dragged === null && selection === null && (
          <HeatmapCard cell={ofCard} overview={overview} zone={zone} scope={scope} handlers={cardHandlers} />
        )}
        {selection !== null && dragged === null && (
          <HeatmapSelection
            overview={overview}
            area={selection}
            scope={scope}
            changes={changes}
            onClear={() => {
              setSelection(null);
              setAnchor(null);
              place.current?.focus();
            }}
          />
        )}
      </div>
    </>
  );
}

function boxOf(cell: Cell, asPoints: boolean): Area {
  if (!asPoints) return cell;
  return { left: cell.left, right: cell.right, bottom: cell.height - 0.04, top: cell.height + 0.04 };
}

export function AreaBox({ area, className }: { area: Area; className: string | undefined }) {
  const percent = (share: number) => `${share * 100}%`;
  return (
    <div
      aria-hidden
      className={className}
      style={{
        insetInlineStart: percent(area.left),
        inlineSize: percent(area.right - area.left),
        insetBlockEnd: percent(area.bottom),
        blockSize: percent(area.top - area.bottom),
      }}
    />
  );
}
