// One trace as a small waterfall beside the other one: the same window of time, so that bars of both compare by eye.

// biome-ignore-all lint/a11y/useSemanticElements: a treegrid that has only the rows on screen is no table
// biome-ignore-all lint/a11y/useFocusableInteractive: rows have the focus, their cells and the head have none

import { ChevronDown, ChevronRight } from 'lucide-react';
import { type KeyboardEvent, type MouseEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { barRowsOf } from '../../canvas/barRows.ts';
import { paintBars } from '../../canvas/bars.ts';
import { useCanvasTheme } from '../../core/canvasTheme.ts';
import { formatDuration } from '../../format/duration.ts';
import { linearTicks } from '../../format/durationAxis.ts';
import { FLAG, type TraceColumns } from '../../model/columns.ts';
import { wordsOf } from '../../model/find.ts';
import { RowList } from '../../model/rows.ts';
import { latestEnd } from '../../model/tree.ts';
import { cssColourOf, isHatched, NEUTRAL_SLOT } from '../../theme/palette.ts';
import { listTarget } from '../../ui/hooks/useListKeys.ts';
import { ServiceDot } from '../../ui/ServiceName/ServiceName.tsx';
import { Highlight } from './Highlight.tsx';
import type { Slots } from './names.ts';
import css from './SideBySide.module.css';
import { text } from './text.ts';
import { useRowHeight, useWindow } from './useWindow.ts';

const HEAD = 28;
const PAGE = 20;
const LEVELS_MAX = 12;

export type MiniWaterfallProps = {
  side: 'a' | 'b';
  trace: TraceColumns;
  slots: Slots;
  /** The longer of both. */
  windowNs: number;
  find: string;
  /** The row of the chosen node, or -1. */
  row: number;
  onRow: (row: number) => void;
};

export function MiniWaterfall({ side, trace, slots, windowNs, find, row, onRow }: MiniWaterfallProps) {
  const list = useMemo(() => new RowList(trace), [trace]);
  // The list changes in place.
  const [version, setVersion] = useState(0);
  const rowHeight = useRowHeight(false);
  const { ref, first, end, scrollTop, height, show } = useWindow(rowHeight, list.length);
  const canvas = useRef<HTMLCanvasElement>(null);
  const lane = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const sheet = Math.max(0, height - HEAD);
  const theme = useCanvasTheme();
  const words = useMemo(() => wordsOf(find), [find]);
  const [at, setAt] = useState(0);
  const wantsFocus = useRef(false);
  const colours = useMemo(
    () => ({
      code: trace.service,
      slotOf: trace.services.map((service) => slots.get(service) ?? NEUTRAL_SLOT),
    }),
    [trace, slots],
  );

  useLayoutEffect(() => {
    const box = lane.current;
    if (!box) return;
    const observer = new ResizeObserver(() => setWidth(box.clientWidth));
    observer.observe(box);
    setWidth(box.clientWidth);
    return () => observer.disconnect();
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the version stands for the list
  useLayoutEffect(() => {
    const target = canvas.current;
    const surface = target?.getContext('2d');
    if (!target || !surface || width === 0) return;
    const scale = devicePixelRatio || 1;
    const firstRow = Math.floor(scrollTop / rowHeight);
    target.width = Math.round(width * scale);
    target.height = Math.round(sheet * scale);
    paintBars(surface, {
      columns: trace,
      rows: barRowsOf(list, firstRow, Math.ceil(sheet / rowHeight) + 1),
      theme,
      colours,
      window: { from: 0, to: Math.max(1, windowNs) },
      width,
      height: sheet,
      rowHeight,
      top: firstRow * rowHeight - scrollTop,
      scale,
      critical: null,
      eventsOf: null,
      latestEnd: (closed) => latestEnd(trace, closed),
      durationText: formatDuration,
    });
  }, [list, version, trace, theme, colours, windowNs, width, sheet, rowHeight, scrollTop]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: when another row is chosen
  useEffect(() => {
    if (row < 0) return;
    list.reveal(row);
    const index = list.nearestIndex(row);
    setVersion((before) => before + 1);
    setAt(Math.max(0, index));
    show(index, HEAD);
  }, [row, list]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: after a step by key
  useEffect(() => {
    show(at, HEAD);
    if (!wantsFocus.current) return;
    wantsFocus.current = false;
    ref.current?.querySelector<HTMLElement>(`[data-index="${at}"]`)?.focus({ preventScroll: true });
  }, [at]);

  function setExpanded(index: number, isExpanded: boolean) {
    list.setExpandedAt(index, isExpanded);
    setVersion((before) => before + 1);
  }
  function moveTo(index: number) {
    wantsFocus.current = true;
    setAt(Math.min(list.length - 1, Math.max(0, index)));
  }
  function key(event: KeyboardEvent<HTMLElement>) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const target = listTarget({ count: list.length, current: at, pageSize: PAGE }, event.key);
    if (target !== null) moveTo(target);
    else
      switch (event.key) {
        case 'ArrowRight':
          if (list.isExpandableAt(at) && !list.isExpandedAt(at)) setExpanded(at, true);
          else if (list.isExpandableAt(at)) moveTo(at + 1);
          break;
        case 'ArrowLeft':
          if (list.isExpandedAt(at)) setExpanded(at, false);
          else if (list.parentIndex(at) >= 0) moveTo(list.parentIndex(at));
          break;
        case 'Enter':
          onRow(list.rowAt(at));
          break;
        default:
          return;
      }
    event.preventDefault();
    event.stopPropagation();
  }
  function press(event: MouseEvent<HTMLElement>) {
    const element = event.target instanceof Element ? event.target : null;
    const index = Number(element?.closest<HTMLElement>('[data-index]')?.dataset['index'] ?? -1);
    if (index < 0) return;
    if (element?.closest('[data-toggle]')) setExpanded(index, !list.isExpandedAt(index));
    else {
      setAt(index);
      onRow(list.rowAt(index));
    }
  }

  const indexes = new Set<number>();
  for (let index = first; index < Math.min(end, list.length); index += 1) indexes.add(index);
  if (at < list.length) indexes.add(at);
  return (
    <div
      ref={ref}
      role="treegrid"
      aria-label={text.level(side)}
      aria-rowcount={list.length + 1}
      className={css['waterfall']}
      onKeyDown={key}
      onClick={press}
    >
      <div role="row" className={css['head']} aria-rowindex={1}>
        <div role="columnheader" className={css['headName']}>
          {text.side(side)}
        </div>
        <div role="columnheader" ref={lane} className={css['axis']} aria-label={text.sameScale}>
          {linearTicks(0, windowNs, width).map((tick) => (
            <span
              key={tick.at}
              className={css['tick']}
              style={{ insetInlineStart: `${(tick.at / Math.max(1, windowNs)) * 100}%` }}
            >
              {tick.label}
            </span>
          ))}
        </div>
      </div>
      <div aria-hidden className={css['sheet']}>
        <canvas ref={canvas} className={css['canvas']} style={{ inlineSize: `${width}px`, blockSize: `${sheet}px` }} />
      </div>
      <div role="rowgroup" className={css['rows']} style={{ blockSize: `${list.length * rowHeight}px` }}>
        {[...indexes]
          .sort((x, y) => x - y)
          .map((index) => {
            const span = list.rowAt(index);
            const service = trace.services[trace.service[span] ?? 0] ?? '';
            const operation = trace.names[trace.name[span] ?? 0] ?? '';
            const slot = slots.get(service) ?? NEUTRAL_SLOT;
            const isExpandable = list.isExpandableAt(index);
            const isExpanded = list.isExpandedAt(index);
            const members = list.isGroupAt(index) ? ` ${text.members(list.membersAt(index).length)}` : '';
            const isError = ((trace.flags[span] ?? 0) & FLAG.error) !== 0;
            const name = `${service} ${operation}${members}`;
            return (
              <div
                key={`${span} ${members}`}
                role="row"
                className={css['row']}
                tabIndex={index === at ? 0 : -1}
                data-index={index}
                aria-level={list.levelAt(index) + 1}
                aria-rowindex={index + 2}
                aria-expanded={isExpandable ? isExpanded : undefined}
                aria-selected={span === row}
                aria-label={text.barOf(
                  isError ? `${name}, ${text.error}` : name,
                  formatDuration(trace.dur[span] ?? 0),
                  formatDuration(trace.start[span] ?? 0),
                )}
                style={{ transform: `translateY(${index * rowHeight}px)` }}
              >
                <div
                  role="gridcell"
                  className={css['name']}
                  title={name}
                  style={{ paddingInlineStart: `${Math.min(list.levelAt(index), LEVELS_MAX) * 8}px` }}
                >
                  <span aria-hidden className={css['expander']} data-toggle={isExpandable || undefined}>
                    {isExpandable && (isExpanded ? <ChevronDown size={14} /> : <ChevronRight size={14} />)}
                  </span>
                  <ServiceDot color={cssColourOf(slot)} isHatched={isHatched(slot)} />
                  <span className={css['label']}>
                    <span className={css['service']}>
                      <Highlight text={service} words={words} />
                    </span>{' '}
                    <Highlight text={operation} words={words} />
                    {members}
                  </span>
                </div>
              </div>
            );
          })}
      </div>
    </div>
  );
}
