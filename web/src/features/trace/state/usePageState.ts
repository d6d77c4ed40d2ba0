// Puts the parts together: the address, the list of rows that follows from it, find, colours, the window of time.

import { useCallback, useEffect, useLayoutEffect, useMemo, useRef } from 'react';
import { reveal } from '../../../canvas/viewport.ts';
import { useCanvasTheme } from '../../../core/canvasTheme.ts';
import type { RowIndex } from '../../../model/columns.ts';
import type { RowFilter } from '../../../model/rows.ts';
import { spanIdOf } from '../../../model/tree.ts';
import type { RouteOf, TraceState, Zoom } from '../../../url/index.ts';
import { decodeSvcFilter } from '../../../url/svcFilter.ts';
import { type Mark, type Selection, type SelectOptions, stateNow, type TracePage, update } from './page.tsx';
import { revealing } from './selection.ts';
import type { TraceSession } from './session.ts';
import { TimeWindow } from './timeWindow.ts';
import { useColours } from './useColours.ts';
import { useEvents, useEventTimes } from './useEvents.ts';
import { useFind } from './useFind.ts';
import { useRowHeight } from './useRowHeight.ts';
import { useStable } from './useStable.ts';
import { useValueColumns } from './useValueColumns.ts';

const ZOOM_RESTS_MS = 120;

export function usePageState(
  session: TraceSession,
  route: RouteOf<'trace'>,
  isPartial: boolean,
  fileName: string | null,
): TracePage {
  const { embed } = route;
  const collapse = useStable(route.state.collapse);
  const services = useStable(route.state.services);
  const cols = useStable(route.state.cols);
  const zoom = useStable(route.state.zoom);
  const state: TraceState = { ...route.state, collapse, services, cols, zoom };
  const isFile = fileName !== null;
  const window = useTimeWindow(session, state);
  const find = useFind(session, state.find, isFile);
  const colours = useColours(session, state.colour, isFile);
  const valueColumns = useValueColumns(session, state.cols, isFile);
  const hiddenServices = useHiddenServices(session, state);
  const mark = useStable(state.mark && markOf(state.mark));
  const kept = useStable(state.kept.map(markOf));
  useShownRows(session, state, hiddenServices, state.onlyMatches ? (find.matches?.bits ?? null) : null);

  const row = state.span === null ? -1 : session.rowOf(state.span);
  const isGroup = state.run && row >= 0;
  const selection = useMemo<Selection>(() => ({ row, isGroup }), [row, isGroup]);
  const select = useCallback(
    (next: RowIndex, options: SelectOptions = {}) => {
      const now = stateNow();
      if (now === null) return;
      const { columns, rows } = session;
      const span = next < 0 ? null : spanIdOf(columns, next);
      const run = next >= 0 && options.isGroup === true;
      const opened = options.reveal === true && next >= 0 ? revealing(columns, rows, now, next, run) : {};
      if (span !== now.span || run !== now.run || Object.keys(opened).length > 0) update({ span, run, ...opened });
      if (options.reveal === true && next >= 0) {
        const from = columns.start[next] as number;
        const shown = reveal(window.view(1_000), columns, from, from + (columns.dur[next] as number));
        window.set(shown);
      }
    },
    [session, window],
  );
  // A link to a span opens what hides it; what is chosen here is in view already.
  const isLinked = useRef(state.span !== null);
  useEffect(() => {
    if (row < 0) return;
    if (isLinked.current) select(row, { reveal: true, isGroup });
    isLinked.current = false;
  }, [row, isGroup, select]);

  const events = useEvents(session, isPartial);
  const eventTimes = useEventTimes(session, events);
  const theme = useCanvasTheme();
  const rowHeight = useRowHeight();
  return {
    ...{ session, window, state, embed, isPartial, fileName, selection, find, colours, valueColumns, events },
    ...{ eventTimes, theme, rowHeight, mark, kept, select, hiddenServices },
  };
}

function markOf({ fromNs, toNs }: Zoom): Mark {
  return { from: fromNs, to: toNs };
}

function useTimeWindow(session: TraceSession, state: TraceState): TimeWindow {
  const { traceId, durationNs } = session.columns;
  const { zoom } = state;
  // biome-ignore lint/correctness/useExhaustiveDependencies: one window a trace; it follows the rest below
  const window = useMemo(() => new TimeWindow(durationNs, zoom), [traceId]);
  const written = useRef('');
  useEffect(() => window.setDuration(durationNs), [window, durationNs]);
  useEffect(() => {
    // What was just written comes back rounded.
    if (textOf(zoom) === written.current) return;
    written.current = textOf(zoom);
    if (zoom === null) window.showAll();
    else window.set({ from: zoom.fromNs, to: zoom.toNs });
  }, [window, zoom]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const write = () => {
      const next = window.zoom && { fromNs: Math.floor(window.zoom.fromNs), toNs: Math.ceil(window.zoom.toNs) };
      if (textOf(next) === written.current) return;
      written.current = textOf(next);
      update({ zoom: next });
    };
    const stop = window.subscribe(() => {
      clearTimeout(timer);
      timer = setTimeout(write, ZOOM_RESTS_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [window]);
  return window;
}

function textOf(zoom: TraceState['zoom']): string {
  return zoom === null ? '' : `${zoom.fromNs}-${zoom.toNs}`;
}

function useHiddenServices(session: TraceSession, state: TraceState): ReadonlySet<number> {
  const { services: names } = session.columns;
  const { services, svcFilter } = state;
  return useMemo(() => {
    const fromJaeger = svcFilter === null ? null : decodeSvcFilter(svcFilter, names);
    const shown = new Set(fromJaeger?.services ?? services);
    if (shown.size === 0) return new Set<number>();
    return new Set(names.flatMap((name, i) => (shown.has(name) ? [] : [i])));
  }, [names, services, svcFilter]);
}

function useShownRows(
  session: TraceSession,
  state: TraceState,
  hiddenServices: ReadonlySet<number>,
  only: RowFilter['only'],
): void {
  const { collapse, fold, minNs, critical, focus } = state;
  const onlyCritical = critical === 'only';
  const filter = useMemo<RowFilter>(
    () => ({ hiddenServices, minDuration: minNs, only, onlyCritical }),
    [hiddenServices, minNs, only, onlyCritical],
  );
  useLayoutEffect(() => {
    session.show({ collapse, isFolding: fold, focus: focus === null ? -1 : session.rowOf(focus), filter });
  }, [session, collapse, fold, focus, filter]);
}
