// The parts of the page that are fetched apart from it.

import { lazy } from 'react';

const late = () => import('./late.tsx');
const details = () => import('./details/part.tsx');

/** Begins to fetch what will be wanted in a moment. What fails now is tried again when it is drawn. */
export function fetchLate(hasSelection: boolean): void {
  late().catch(() => undefined);
  if (hasSelection) details().catch(() => undefined);
}

/** Sets something up once the late parts are there; what it returns takes that away again. */
export function whenLate(setUp: (parts: typeof import('./late.tsx')) => () => void): () => void {
  let takeDown: (() => void) | null = null;
  let isOver = false;
  late().then(
    (parts) => {
      if (!isOver) takeDown = setUp(parts);
    },
    () => undefined,
  );
  return () => {
    isOver = true;
    takeDown?.();
  };
}

export const Axis = lazy(() => late().then((m) => ({ default: m.Axis })));
export const BarCard = lazy(() => late().then((m) => ({ default: m.BarCard })));
export const HeaderMenu = lazy(() => late().then((m) => ({ default: m.HeaderMenu })));
export const Marks = lazy(() => late().then((m) => ({ default: m.Marks })));
export const Minimap = lazy(() => late().then((m) => ({ default: m.Minimap })));
export const NothingLeft = lazy(() => late().then((m) => ({ default: m.NothingLeft })));
export const Notices = lazy(() => late().then((m) => ({ default: m.Notices })));
export const RowsScrollbar = lazy(() => late().then((m) => ({ default: m.RowsScrollbar })));
export const Splitter = lazy(() => late().then((m) => ({ default: m.Splitter })));
export const StartFact = lazy(() => late().then((m) => ({ default: m.StartFact })));
export const ViewTabs = lazy(() => late().then((m) => ({ default: m.ViewTabs })));
export const Legend = lazy(() => late().then((m) => ({ default: m.Legend })));
export const Toolbar = lazy(() => late().then((m) => ({ default: m.Toolbar })));
export const TraceKeys = lazy(() => late().then((m) => ({ default: m.TraceKeys })));
export const Warnings = lazy(() => late().then((m) => ({ default: m.Warnings })));
export const WaterfallKeys = lazy(() => late().then((m) => ({ default: m.WaterfallKeys })));
export const DetailsPanel = lazy(() => details().then((m) => ({ default: m.DetailsPanel })));
export const SidePanel = lazy(() => details().then((m) => ({ default: m.SidePanel })));
export const TraceFailure = lazy(() => import('./TraceFailure.tsx').then((m) => ({ default: m.TraceFailure })));
export const FlameView = lazy(() => import('./flame/FlameView.tsx').then((m) => ({ default: m.FlameView })));
export const SpanTable = lazy(() => import('./table/SpanTable.tsx').then((m) => ({ default: m.SpanTable })));
export const StatsView = lazy(() => import('./stats/StatsView.tsx').then((m) => ({ default: m.StatsView })));
export const EventsView = lazy(() => import('./events/EventsView.tsx').then((m) => ({ default: m.EventsView })));
