// @vitest-environment happy-dom
// Where a trace is reached from and leads to.

import { cleanup, fireEvent, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { generateTrace } from '../../../perf/generate.ts';
import { fitAll } from '../../canvas/viewport.ts';
import { cameBack, goTo, hrefOf, routeNow } from '../../core/navigation.ts';
import { prefer, resetPreferences } from '../../core/preferences.ts';
import type { TraceColumns } from '../../model/columns.ts';
import { statusAnswer } from '../../model/status.testing.ts';
import { spanIdOf } from '../../model/tree.ts';
import type { TraceState } from '../../url/index.ts';
import { fakeServer, openPage, TRACE_ID } from './testing.tsx';

vi.setConfig({ testTimeout: 20_000 });

const trace: TraceColumns = { ...generateTrace(60), traceId: TRACE_ID };

beforeEach(() => resetPreferences());
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test('the way back is to the search that one came from, as it was', async () => {
  fakeServer(trace);
  openPage();
  const bare = await screen.findByRole('link', { name: 'Explore' });
  expect(bare.getAttribute('href')).toBe('/search');
  cleanup();
  goTo('/search?q=%7B+status+=+error+%7D&sort=slowest');
  openPage();
  const link = await screen.findByRole('link', { name: 'Explore' });
  expect(link.getAttribute('href')).toBe('/search?q=%7B+status+=+error+%7D&sort=slowest');
  await userEvent.click(link);
  expect(routeNow()).toMatchObject({ page: 'search', state: { q: '{ status = error }', sort: 'slowest' } });
  expect(cameBack()).toBe(true);
});

test.each([
  ['?uiFind=00f067aa0ba902b7', /The link is to the span 00f067aa0ba902b7, which is not in this trace/],
  ['?focus=00f067aa0ba902b7', /only what is below the span 00f067aa0ba902b7/],
  ['?svcFilter=0000.3', /only some services, but this trace has others/],
])('what a link names and the trace does not have is told, and can be taken out: %s', async (query, notice) => {
  fakeServer(trace);
  openPage(query);
  await screen.findByText(notice);
  expect(screen.getByText('60 spans')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Dismiss' }));
  expect(screen.queryByText(notice)).toBeNull();
  expect(routeNow().state).toMatchObject({ span: null, focus: null, svcFilter: null });
});

test('a trace that is not there: the page says so, where it was looked for and since when anything is kept', async () => {
  const server = fakeServer(null);
  const usual = statusAnswer();
  const store = { ...usual.program.store, spans: 1_201_987, retention: 'age 7d, bytes 80%' };
  server.answers['status'] = () => ({
    body: statusAnswer({ store }, { nowNs: '1795869460000000000' }),
  });
  prefer({ zone: 'UTC' });
  openPage();
  await screen.findByRole('heading', { level: 1, name: /^Trace 4bf92f35… not found$/ });
  await waitFor(() => expect(document.title).toMatch(/^Trace 4bf92f35… not found/));
  await screen.findByText('Looked through: all of the store, 1,201,987 spans.');
  await screen.findByText('What is kept: age 7d, bytes 80%; so nothing from before 2026-11-21 12:37:40 UTC.');
  server.trace = trace;
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  await screen.findByText('60 spans');
});

test('keys zoom where the pointer is, else at the start of the selection, else in the middle', async () => {
  fakeServer(trace);
  openPage();
  await screen.findByRole('toolbar');
  const body = (await screen.findByRole('treegrid')).querySelector('canvas')?.parentElement as HTMLElement;
  const names = await waitFor(() =>
    Number.parseInt(body.closest<HTMLElement>('[style]')?.style.getPropertyValue('--names') ?? '', 10),
  );
  /** Which share of the window stays where it is. */
  const zoomed = async () => {
    await userEvent.keyboard('0');
    await waitFor(() => expect(routeNow().state).toMatchObject({ zoom: null }));
    await userEvent.keyboard('w');
    const { fromNs, toNs } = await waitFor(() => {
      const { zoom } = routeNow().state as TraceState;
      if (zoom === null) throw new Error('not zoomed');
      return zoom;
    });
    const all = fitAll({ durationNs: trace.durationNs }, 1);
    return (fromNs - all.from) / (fromNs - all.from + all.to - toNs);
  };
  expect(await zoomed()).toBeCloseTo(0.5, 2);
  fireEvent.pointerMove(body, { clientX: names + (1_000 - names) * 0.75 });
  expect(await zoomed()).toBeCloseTo(0.75, 2);
  fireEvent.pointerMove(body, { clientX: names - 20 });
  expect(await zoomed()).toBeCloseTo(0.5, 2);
  fireEvent.pointerMove(body, { clientX: names + (1_000 - names) * 0.25 });
  expect(await zoomed()).toBeCloseTo(0.25, 2);
  fireEvent.pointerLeave(body);
  expect(await zoomed()).toBeCloseTo(0.5, 2);
});

test('a folded run that is selected is what others see who get the link', async () => {
  const large = { ...generateTrace(400), traceId: TRACE_ID };
  fakeServer(large);
  openPage();
  await screen.findByRole('toolbar');
  const run = () => document.querySelector<HTMLElement>('[role=row][data-group]:not([hidden])');
  const label = await waitFor(() => run()?.getAttribute('aria-label') ?? Promise.reject(new Error('no run in view')));
  fireEvent.pointerDown(run() as HTMLElement, { button: 0, pointerId: 1, clientY: rowTop(run()) });
  fireEvent.pointerUp(run() as HTMLElement, { button: 0, pointerId: 1, clientY: rowTop(run()) });
  await waitFor(() => expect(routeNow().state).toMatchObject({ run: true }));
  const link = hrefOf(routeNow());
  expect(link).toContain('run=1');
  cleanup();
  openPage(link.slice(link.indexOf('?')));
  const selected = await waitFor(() => {
    const row = document.querySelector('[role=row][aria-selected=true]');
    expect(row).not.toBeNull();
    return row;
  });
  expect(selected?.getAttribute('aria-label')).toBe(label);
  expect(selected?.hasAttribute('data-group')).toBe(true);
  expect(routeNow().state).toMatchObject({ collapse: { opened: [] } });
  await userEvent.keyboard('{ArrowDown}');
  await waitFor(() => expect(routeNow().state).toMatchObject({ run: false }));
});

/** Rows are moved by a transform; the body is at the top. */
function rowTop(row: HTMLElement | null): number {
  return Number(/translateY\(([\d.]+)px/.exec(row?.style.transform ?? '')?.[1]) + 2;
}

test('a mark is in the link; a kept one stays when another is set, on Escape too, and can be let go', async () => {
  fakeServer(trace);
  openPage(`?span=${spanIdOf(trace, 0)}&mark=100-350`);
  await screen.findByRole('toolbar');
  expect((await screen.findByRole('status', { name: 'marked: 250 ns' })).textContent).toBe('250 ns');
  await userEvent.keyboard('{Shift>}M{/Shift}');
  expect(routeNow().state).toMatchObject({ mark: null, kept: [{ fromNs: 100, toNs: 350 }] });
  await userEvent.keyboard('m');
  expect(routeNow().state).toMatchObject({ mark: { fromNs: 0 }, kept: [{ fromNs: 100, toNs: 350 }] });
  await userEvent.keyboard('{Escape}');
  expect(routeNow().state).toMatchObject({ mark: null, span: spanIdOf(trace, 0), kept: [{ toNs: 350 }] });
  expect(hrefOf(routeNow())).toContain('kept=100-350');
  await userEvent.click(screen.getByRole('button', { name: /250 ns.*Let this mark go/ }));
  expect(routeNow().state).toMatchObject({ kept: [] });
});

test('what events are filtered by is in the link', async () => {
  const server = fakeServer(trace);
  const event = (name: string) => ({
    row: 0,
    event: { timeNs: String(trace.startNs), name, attributes: [], droppedAttributes: 0 },
  });
  server.answers['events'] = () => ({
    body: { version: trace.version, events: [event('began'), event('ended')], isAll: true, skipped: [] },
  });
  openPage('?view=events&events=end');
  await screen.findByText('ended');
  expect(screen.queryByText('began')).toBeNull();
  const field = screen.getByRole('searchbox', { name: /events/i });
  await userEvent.clear(field);
  await userEvent.type(field, 'beg');
  await screen.findByText('began');
  expect(hrefOf(routeNow())).toContain('events=beg');
});
