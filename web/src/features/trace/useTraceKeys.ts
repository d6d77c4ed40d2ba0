// The keys that all views of a trace share: views, zoom and pan, marks, matches, errors, panel.

import { fitTo } from '../../canvas/viewport.ts';
import { commandsOf, useCommands } from '../../core/commands.ts';
import { prefer, preferences, setSize } from '../../core/preferences.ts';
import { announce } from '../../ui/LiveRegion/LiveRegion.tsx';
import { TRACE_COMMANDS } from './commands.ts';
import { PANEL_PX, SIDE_SIZE } from './details/sizes.ts';
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

  useCommands(
    commandsOf(TRACE_COMMANDS, {
      'trace.view.waterfall': () => update({ view: 'waterfall' }, 'push'),
      'trace.view.flame': () => update({ view: 'flame' }, 'push'),
      'trace.view.table': () => update({ view: 'table' }, 'push'),
      'trace.view.stats': () => update({ view: 'stats' }, 'push'),
      'trace.view.events': () => update({ view: 'events' }, 'push'),
      'trace.zoomIn': zoom(1),
      'trace.zoomOut': zoom(-1),
      'trace.zoomInMore': zoom(FASTER),
      'trace.zoomOutMore': zoom(-FASTER),
      'trace.panLeft': pan(-1),
      'trace.panRight': pan(1),
      'trace.panLeftMore': pan(-FASTER),
      'trace.panRightMore': pan(FASTER),
      'trace.whole': () => window.showAll(),
      'trace.fit': fit,
      'trace.measure': measure,
      'trace.keepMark': keep,
      'trace.nextMatch': () => steps.match(1),
      'trace.previousMatch': () => steps.match(-1),
      'trace.nextError': () => steps.error(1),
      'trace.previousError': () => steps.error(-1),
      'trace.critical': () => update({ critical: stateNow()?.critical === 'only' ? 'shown' : 'only' }, 'push'),
      'trace.fold': () => update({ fold: !(stateNow()?.fold ?? true) }, 'push'),
      'trace.up': up,
      'trace.panel': () => prefer({ panelOpen: !preferences().panelOpen }),
      'trace.panelPlace': panelPlace,
      'trace.panelLarger': () => resize(PANEL_STEP_PX),
      'trace.panelSmaller': () => resize(-PANEL_STEP_PX),
    }),
  );
  return null;
}
