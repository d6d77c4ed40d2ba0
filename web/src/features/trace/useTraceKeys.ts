// The keys that all views of a trace share: views, zoom and pan, marks, matches, errors, panel.

import { fitTo } from '../../canvas/viewport.ts';
import { useCommands } from '../../core/commands.ts';
import { prefer, preferences, setSize } from '../../core/preferences.ts';
import { announce } from '../../ui/LiveRegion/LiveRegion.tsx';
import { PANEL_PX, SIDE_SIZE } from './details/sizes.ts';
import { VIEWS } from './header/ViewTabs.tsx';
import { text } from './keysText.ts';
import { keepMark, setMark, stateNow, update, useTracePage } from './state/page.tsx';
import { stepsOf } from './useSteps.ts';
import { panWindow, zoomWindow } from './waterfall/gestures.ts';

const ZOOM = 0.8;
const PAN_SHARE = 0.1;
const FASTER = 4;
const PANEL_STEP_PX = 48;
/** Any width: only shares of it matter here. */
const WIDTH = 1_000;

/** Draws nothing: it is a component so that it can come later than the rows. */
export function TraceKeys(): null {
  const page = useTracePage();
  const { session, window, selection, mark, kept, select } = page;
  const { columns } = session;
  const steps = stepsOf(page);
  const { row } = selection;
  const group = text.groupTrace;

  /** Of the window: where the pointer is, else where the selected span begins when it is in view, else the middle. */
  function cursor(): number {
    if (window.pointer !== null) return window.pointer * WIDTH;
    const { from, to } = window.bounds;
    const at = row < 0 ? from - 1 : (columns.start[row] as number);
    return at >= from && at <= to ? ((at - from) / (to - from)) * WIDTH : WIDTH / 2;
  }
  const zoom = (times: number) => () => zoomWindow(window, WIDTH, cursor(), ZOOM ** times);
  const pan = (times: number) => () => panWindow(window, WIDTH, WIDTH * PAN_SHARE * times);
  function ofSelection(): { from: number; to: number } | null {
    if (row < 0) return null;
    if (selection.isGroup) return session.distribution(row);
    const from = columns.start[row] as number;
    return { from, to: from + (columns.dur[row] as number) };
  }
  function fit(): void {
    const time = ofSelection();
    if (time !== null) window.set(fitTo(window.view(WIDTH), window, time.from, time.to));
  }
  function measure(): void {
    const time = mark === null ? (ofSelection() ?? window.bounds) : null;
    setMark(time === null ? null : { from: time.from, to: time.to });
  }
  function keep(): void {
    const time = mark ?? ofSelection();
    if (time === null) return;
    keepMark(time, kept);
    announce(text.kept);
  }
  function up(): void {
    const state = stateNow();
    if (state === null) return;
    if (mark !== null) setMark(null);
    else if (state.focus !== null) update({ focus: null }, 'push');
    else if (state.span !== null) select(-1);
    else window.showAll();
  }
  function panelPlace(): void {
    const order = ['right', 'bottom', 'inline'] as const;
    const next = order[(order.indexOf(preferences().panel) + 1) % order.length] ?? 'right';
    prefer({ panel: next, panelOpen: true });
  }
  function resize(by: number): void {
    const name = SIDE_SIZE[preferences().panel === 'bottom' ? 'bottom' : 'right'];
    const now = preferences().sizes[name] ?? PANEL_PX;
    setSize(name, Math.max(200, now + by));
  }

  useCommands([
    ...VIEWS.map(({ id, label }, i) => ({
      id: `trace.view.${id}`,
      title: text.view(label),
      group,
      keys: [String(i + 1)],
      run: () => update({ view: id }, 'push'),
    })),
    { id: 'trace.zoomIn', title: text.zoomIn, group, keys: ['w'], run: zoom(1) },
    { id: 'trace.zoomOut', title: text.zoomOut, group, keys: ['s'], run: zoom(-1) },
    { id: 'trace.zoomInMore', title: text.zoomInMore, group, keys: ['Shift+w'], run: zoom(FASTER) },
    { id: 'trace.zoomOutMore', title: text.zoomOutMore, group, keys: ['Shift+s'], run: zoom(-FASTER) },
    { id: 'trace.panLeft', title: text.panLeft, group, keys: ['a'], run: pan(-1) },
    { id: 'trace.panRight', title: text.panRight, group, keys: ['d'], run: pan(1) },
    { id: 'trace.panLeftMore', title: text.panLeftMore, group, keys: ['Shift+a'], run: pan(-FASTER) },
    { id: 'trace.panRightMore', title: text.panRightMore, group, keys: ['Shift+d'], run: pan(FASTER) },
    { id: 'trace.whole', title: text.whole, group, keys: ['0'], run: () => window.showAll() },
    { id: 'trace.fit', title: text.fit, group, keys: ['z'], run: fit },
    { id: 'trace.measure', title: text.measure, group, keys: ['m'], run: measure },
    { id: 'trace.keepMark', title: text.keepMark, group, keys: ['Shift+m'], run: keep },
    { id: 'trace.nextMatch', title: text.nextMatch, group, keys: ['n'], run: () => steps.match(1) },
    { id: 'trace.previousMatch', title: text.previousMatch, group, keys: ['Shift+n'], run: () => steps.match(-1) },
    { id: 'trace.nextError', title: text.nextError, group, keys: ['e'], run: () => steps.error(1) },
    { id: 'trace.previousError', title: text.previousError, group, keys: ['Shift+e'], run: () => steps.error(-1) },
    {
      id: 'trace.critical',
      title: text.critical,
      group,
      keys: ['p'],
      run: () => update({ critical: stateNow()?.critical === 'only' ? 'shown' : 'only' }, 'push'),
    },
    {
      id: 'trace.fold',
      title: text.fold,
      group,
      keys: ['o'],
      run: () => update({ fold: !(stateNow()?.fold ?? true) }, 'push'),
    },
    { id: 'trace.up', title: text.up, group, keys: ['Escape'], run: up },
    {
      id: 'trace.panel',
      title: text.panelToggle,
      group: text.groupPanel,
      keys: ['\\'],
      run: () => prefer({ panelOpen: !preferences().panelOpen }),
    },
    { id: 'trace.panelPlace', title: text.panelPlace, group: text.groupPanel, keys: ['|'], run: panelPlace },
    {
      id: 'trace.panelLarger',
      title: text.panelLarger,
      group: text.groupPanel,
      keys: ['<'],
      run: () => resize(PANEL_STEP_PX),
    },
    {
      id: 'trace.panelSmaller',
      title: text.panelSmaller,
      group: text.groupPanel,
      keys: ['>'],
      run: () => resize(-PANEL_STEP_PX),
    },
  ]);
  return null;
}
