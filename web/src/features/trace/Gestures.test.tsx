// @vitest-environment happy-dom
// Time under the pointer: dragging on the minimap and its ends, wheel, pinch and drag over the rows.

import { cleanup, fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { generateTrace } from '../../../perf/generate.ts';
import { routeNow } from '../../core/navigation.ts';
import { resetPreferences } from '../../core/preferences.ts';
import { formatDuration } from '../../format/duration.ts';
import type { TraceColumns } from '../../model/columns.ts';
import type { Zoom } from '../../url/index.ts';
import { fakeServer, openPage, TRACE_ID } from './testing.tsx';

vi.setConfig({ testTimeout: 20_000 });

const trace: TraceColumns = { ...generateTrace(400), traceId: TRACE_ID };
const DURATION = trace.durationNs;
/** As the page is in a test: 1,000 px wide, of which names take 400. */
const WIDTH = 1_000;
const NAMES = 400;
const TIME = WIDTH - NAMES;

beforeEach(() => {
  resetPreferences();
  vi.spyOn(HTMLElement.prototype, 'getBoundingClientRect').mockReturnValue(new DOMRect(0, 0, WIDTH, 480));
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

function zoom(): Zoom | null {
  const route = routeNow();
  if (route.page !== 'trace') throw new Error('not a trace');
  return route.state.zoom;
}
/** What is shown, as shares of the trace, once the address has it. */
async function shown(is: (from: number, to: number) => void): Promise<void> {
  await waitFor(() => {
    const now = zoom();
    if (now === null) throw new Error('all is shown');
    is(now.fromNs / DURATION, now.toNs / DURATION);
  });
}
async function ready(query = ''): Promise<{ strip: HTMLElement; rows: HTMLElement }> {
  openPage(query);
  const group = await screen.findByRole('group', { name: 'Overview of the trace' });
  await screen.findByRole('toolbar');
  const strip = within(group).getAllByRole('slider')[0]?.parentElement;
  const rows = screen.getAllByRole('rowgroup').at(-1)?.parentElement;
  if (!strip || !rows) throw new Error('the page has no strip or no rows');
  return { strip, rows };
}
type At = readonly [x: number, y?: number];
const point = ([clientX, clientY = 20]: At, more: PointerEventInit) => ({
  ...{ clientX, clientY, pointerId: 1, button: 0, buttons: 1, pointerType: 'mouse', bubbles: true },
  ...more,
});
function drag(element: Element, from: At, to: At, more: PointerEventInit = {}): void {
  const middle: At = [(from[0] + to[0]) / 2, ((from[1] ?? 20) + (to[1] ?? 20)) / 2];
  fireEvent.pointerDown(element, point(from, more));
  fireEvent.pointerMove(element, point(middle, more));
  fireEvent.pointerMove(element, point(to, more));
  fireEvent.pointerUp(element, point(to, more));
}
/** False: the page keeps the wheel to itself. Wheels have no place or keys in happy-dom, so a mouse is given one. */
function wheel(element: Element, clientX: number, { deltaX = 0, deltaY = 0, deltaMode = 0, ...more }: WheelEventInit) {
  const event = new MouseEvent('wheel', { clientX, clientY: 20, bubbles: true, cancelable: true, ...more });
  return fireEvent(element, Object.assign(event, { deltaX, deltaY, deltaMode }));
}
/** The last row on screen; the first one is kept for the focus wherever the list is. */
const bottom = () =>
  Math.max(
    ...[...document.querySelectorAll('[role=row][aria-level]:not([hidden])')].map((row) =>
      Number(row.getAttribute('aria-rowindex')),
    ),
  );

test('a drag on the minimap shows what it went over, in either direction', async () => {
  fakeServer(trace);
  const { strip } = await ready();
  drag(strip, [200], [500]);
  await shown((from, to) => {
    expect(from).toBeCloseTo(0.2, 3);
    expect(to).toBeCloseTo(0.5, 3);
  });
  drag(strip, [900], [600]);
  await shown((from, to) => {
    expect(from).toBeCloseTo(0.6, 3);
    expect(to).toBeCloseTo(0.9, 3);
  });
});

test('a press on the minimap moves what is shown there, two presses show all', async () => {
  fakeServer(trace);
  const { strip } = await ready();
  drag(strip, [300], [302]);
  expect(zoom()).toBeNull();
  drag(strip, [200], [400]);
  await shown((from) => expect(from).toBeCloseTo(0.2, 3));
  drag(strip, [700], [701]);
  await shown((from, to) => {
    expect(from).toBeCloseTo(0.6, 3);
    expect(to).toBeCloseTo(0.8, 3);
  });
  fireEvent.doubleClick(strip);
  await waitFor(() => expect(zoom()).toBeNull());
});

test('a drag that is taken from the page changes nothing', async () => {
  fakeServer(trace);
  const { strip } = await ready();
  fireEvent.pointerDown(strip, point([200], {}));
  fireEvent.pointerMove(strip, point([500], {}));
  fireEvent.pointerCancel(strip, point([500], {}));
  fireEvent.pointerMove(strip, point([600], {}));
  fireEvent.pointerUp(strip, point([600], {}));
  await new Promise((done) => setTimeout(done, 300));
  expect(zoom()).toBeNull();
});

test('the ends of what is shown move by pointer and by keys, and not past each other', async () => {
  fakeServer(trace);
  await ready();
  const from = screen.getByRole('slider', { name: 'Start of what is shown' });
  const to = screen.getByRole('slider', { name: 'End of what is shown' });
  drag(from, [0], [300]);
  await shown((start, end) => {
    expect(start).toBeCloseTo(0.3, 3);
    expect(end).toBeCloseTo(1, 3);
  });
  drag(to, [1_000], [100]);
  await shown((start, end) => {
    expect(start).toBeCloseTo(0.3, 3);
    expect(end).toBeGreaterThan(start);
  });
  to.focus();
  await userEvent.keyboard('{End}{Shift>}{ArrowLeft}{/Shift}');
  await shown((_, end) => expect(end).toBeCloseTo(0.9, 3));
  await userEvent.keyboard('{ArrowRight}');
  await shown((_, end) => expect(end).toBeCloseTo(0.91, 3));
});

test('the wheel over the minimap moves along the trace, once it is zoomed', async () => {
  fakeServer(trace);
  const { strip } = await ready();
  expect(wheel(strip, 500, { deltaY: 100 })).toBe(true);
  drag(strip, [200], [400]);
  await shown((from) => expect(from).toBeCloseTo(0.2, 3));
  expect(wheel(strip, 500, { deltaY: 100 })).toBe(false);
  await shown((from, to) => {
    expect(from).toBeCloseTo(0.22, 3);
    expect(to).toBeCloseTo(0.42, 3);
  });
});

test('the wheel with Ctrl, which a pinch on a trackpad is, zooms where the pointer is', async () => {
  fakeServer(trace);
  const { rows } = await ready();
  const at = NAMES + TIME / 4;
  // The page itself is not to be zoomed.
  expect(wheel(rows, at, { deltaY: -100, ctrlKey: true })).toBe(false);
  await shown((from, to) => {
    expect(to - from).toBeCloseTo(Math.exp(-0.5), 3);
    expect((0.25 - from) / (to - from)).toBeCloseTo(0.25, 3);
  });
  wheel(rows, at, { deltaY: 400, ctrlKey: true });
  await waitFor(() => expect(zoom()).toBeNull());
});

test('the wheel scrolls the rows; sideways, or with Shift, it pans', async () => {
  fakeServer(trace);
  const { rows, strip } = await ready();
  drag(strip, [200], [400]);
  await shown((from) => expect(from).toBeCloseTo(0.2, 3));
  const before = bottom();
  wheel(rows, 700, { deltaY: 24 * 100 });
  await waitFor(() => expect(bottom()).toBe(before + 100));
  wheel(rows, 700, { deltaY: -3 * 16, deltaMode: 1 });
  await waitFor(() => expect(bottom()).toBe(before + 100 - 32));
  expect(zoom()?.fromNs).toBe(Math.floor(DURATION * 0.2));
  wheel(rows, 700, { deltaX: TIME / 2, deltaY: 3 });
  await shown((from, to) => {
    expect(from).toBeCloseTo(0.3, 3);
    expect(to).toBeCloseTo(0.5, 3);
  });
  wheel(rows, 700, { deltaY: -TIME, shiftKey: true });
  await shown((from) => expect(from).toBeCloseTo(0.1, 3));
});

test('two fingers apart zoom in between them', async () => {
  fakeServer(trace);
  const { rows } = await ready();
  const finger = (id: number, x: number) => point([x], { pointerId: id, pointerType: 'touch' });
  const middle = NAMES + TIME / 2;
  fireEvent.pointerDown(rows, finger(1, middle - 50));
  fireEvent.pointerDown(rows, finger(2, middle + 50));
  fireEvent.pointerMove(rows, finger(1, middle - 100));
  fireEvent.pointerMove(rows, finger(2, middle + 100));
  fireEvent.pointerUp(rows, finger(1, middle - 100));
  fireEvent.pointerUp(rows, finger(2, middle + 100));
  await shown((from, to) => {
    expect(to - from).toBeCloseTo(0.5, 2);
    expect((from + to) / 2).toBeCloseTo(0.5, 1);
  });
  // Nothing was pressed, so nothing is chosen.
  expect(document.querySelector('[aria-selected=true]')).toBeNull();
});

test('a drag over the bars pans and scrolls; over the names it does nothing; a press chooses', async () => {
  fakeServer(trace);
  const { rows, strip } = await ready();
  drag(strip, [400], [600]);
  await shown((from) => expect(from).toBeCloseTo(0.4, 3));
  const before = bottom();
  drag(rows, [NAMES + 400, 300], [NAMES + 100, 60]);
  await shown((from, to) => {
    expect(from).toBeCloseTo(0.5, 2);
    expect(to).toBeCloseTo(0.7, 2);
  });
  await waitFor(() => expect(bottom()).toBe(before + 10));
  drag(rows, [100, 300], [300, 60]);
  await new Promise((done) => setTimeout(done, 50));
  expect(bottom()).toBe(before + 10);
  // The heads are the first line of the grid.
  drag(rows, [NAMES + 100, 24 * 3 + 5], [NAMES + 101, 24 * 3 + 5]);
  await waitFor(() =>
    expect(document.querySelector('[aria-selected=true]')?.getAttribute('aria-rowindex')).toBe(String(10 + 3 + 2)),
  );
});

test('a drag with Shift measures', async () => {
  fakeServer(trace);
  const { rows } = await ready();
  drag(rows, [NAMES, 20], [NAMES + TIME / 2, 20], { shiftKey: true });
  const half = formatDuration(DURATION / 2);
  await screen.findByRole('status', { name: `marked: ${half}` });
  expect(zoom()).toBeNull();
  await userEvent.keyboard('{Escape}');
  await waitFor(() => expect(screen.queryByRole('status', { name: /^marked/ })).toBeNull());
});
