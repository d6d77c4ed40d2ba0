// @vitest-environment happy-dom
// The trace page as people use it: its states, rows and their keys, find, filters, views, details.

import { act, cleanup, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { generateTrace } from '../../../perf/generate.ts';
import { routeNow } from '../../core/navigation.ts';
import { resetPreferences } from '../../core/preferences.ts';
import { FLAG, type TraceColumns } from '../../model/columns.ts';
import { spanIdOf } from '../../model/tree.ts';
import type { TraceState } from '../../url/index.ts';
import { detailsOf, failure, fakeServer, openPage, TRACE_ID } from './testing.tsx';

vi.setConfig({ testTimeout: 20_000 });

const trace: TraceColumns = { ...generateTrace(400), traceId: TRACE_ID };

beforeEach(() => resetPreferences());
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function state(): TraceState {
  const route = routeNow();
  if (route.page !== 'trace') throw new Error('not a trace');
  return route.state;
}
const grid = () => screen.findByRole('treegrid');
const rowCount = async () => Number((await grid()).getAttribute('aria-rowcount')) - 1;
async function row(index: number): Promise<HTMLElement> {
  const found = await waitFor(() => {
    const element = document.querySelector<HTMLElement>(`[role=row][aria-rowindex="${index + 2}"]:not([hidden])`);
    if (element === null) throw new Error(`no row ${index}`);
    return element;
  });
  return found;
}
async function ready(query = ''): Promise<void> {
  openPage(query);
  await row(0);
  await screen.findByRole('toolbar');
}

test('a trace that is there: its facts, rows with levels and names', async () => {
  fakeServer(trace);
  await ready();
  expect(screen.getByText('400 spans')).toBeTruthy();
  expect(screen.getByText(TRACE_ID)).toBeTruthy();
  const first = await row(0);
  expect(first.getAttribute('aria-level')).toBe('1');
  expect(first.getAttribute('aria-expanded')).toBe('true');
  expect(first.getAttribute('aria-label')).toMatch(/^service-\d+ .+, [\d.]+ \S+, starts at 0 ns/);
  expect(first.tabIndex).toBe(0);
  expect(within(first).getAllByRole('gridcell').length).toBe(3);
  expect(document.title).toContain('service-');
});

test('a trace that is not there, and one that cannot be loaded', async () => {
  const server = fakeServer(null);
  openPage();
  await screen.findByText('Trace not found');
  cleanup();
  server.trace = trace;
  server.status = 500;
  openPage();
  expect((await screen.findByRole('alert')).textContent).toContain('the store is on fire');
  server.status = 200;
  await userEvent.click(screen.getByRole('button', { name: 'Retry' }));
  await row(0);
});

test('arrows move the focus and the selection, close and open', async () => {
  fakeServer(trace);
  await ready();
  const all = await rowCount();
  await userEvent.keyboard('{ArrowDown}{ArrowDown}');
  expect(state().span).toBe(spanIdOf(trace, 1));
  await waitFor(async () => expect(document.activeElement).toBe(await row(1)));
  expect((await row(1)).getAttribute('aria-selected')).toBe('true');
  await userEvent.keyboard('{ArrowUp}{ArrowLeft}');
  await waitFor(async () => expect(await rowCount()).toBeLessThan(all));
  expect((await row(0)).getAttribute('aria-expanded')).toBe('false');
  expect(state().collapse.except).toEqual([spanIdOf(trace, 0)]);
  await userEvent.keyboard('{ArrowRight}');
  await waitFor(async () => expect(await rowCount()).toBe(all));
  await userEvent.keyboard('{End}');
  await waitFor(async () => expect(document.activeElement).toBe(await row(all - 1)));
});

test('short spans are hidden, in words that are checked', async () => {
  fakeServer(trace);
  await ready();
  const all = await rowCount();
  await userEvent.keyboard('h');
  const field = await screen.findByRole('textbox');
  await userEvent.type(field, '5{Enter}');
  expect((await screen.findByRole('alert')).textContent).toContain('unit');
  await userEvent.type(field, '0us{Enter}');
  await waitFor(() => expect(state().minNs).toBe(50_000));
  await waitFor(async () => expect(await rowCount()).toBeLessThan(all));
});

test('all rows close and open; repeats fold and unfold', async () => {
  fakeServer(trace);
  await ready();
  const all = await rowCount();
  await userEvent.keyboard('{{');
  await waitFor(async () => expect(await rowCount()).toBeLessThan(10));
  expect(state().collapse.depth).toBe(0);
  await userEvent.keyboard('}');
  await waitFor(async () => expect(await rowCount()).toBe(all));
  await userEvent.keyboard('o');
  await waitFor(async () => expect(await rowCount()).toBe(400));
  expect(state().fold).toBe(false);
});

test('a folded run says how many, opens into its members, and has details of its own', async () => {
  fakeServer(trace);
  const head = Array.from({ length: 400 }, (_, i) => i).find(
    (i) => ((trace.flags[i] as number) & FLAG.groupHead) !== 0,
  );
  if (head === undefined) throw new Error('the trace has no run');
  await ready();
  const folded = await waitFor(() => {
    const element = document.querySelector<HTMLElement>('[role=row][data-group]:not([hidden])');
    if (element === null) throw new Error('no run in view');
    return element;
  });
  expect(folded.getAttribute('aria-label')).toMatch(/sum .+, \d+ repeats$/);
  expect(folded.textContent).toMatch(/×\d+/);
});

test('find: words here, a query on the server; next and previous, only matches', async () => {
  const server = fakeServer(trace);
  server.answers['find'] = () => ({ body: { version: trace.version, rows: [3, 7, 11], diagnostics: [] } });
  await ready();
  const field = screen.getByRole('searchbox');
  await userEvent.type(field, '{{ kind = server }');
  await screen.findByText('0/3');
  expect(server.asked.some((one) => one.startsWith('GET find?q='))).toBe(true);
  await userEvent.type(field, '{Enter}');
  expect(state().span).toBe(spanIdOf(trace, 3));
  await screen.findByText('1/3');
  act(() => field.blur());
  await userEvent.keyboard('n');
  expect(state().span).toBe(spanIdOf(trace, 7));
  await userEvent.keyboard('{Shift>}N{/Shift}');
  expect(state().span).toBe(spanIdOf(trace, 3));
  const all = await rowCount();
  await userEvent.click(screen.getByLabelText('Only matches'));
  await waitFor(async () => expect(await rowCount()).toBeLessThan(all));
  await userEvent.clear(field);
  await userEvent.type(field, 'service-1');
  expect(state().onlyMatches).toBe(false);
  await waitFor(() => expect(screen.getByText(/^0\/\d+$|^\d+\/\d+$/)).toBeTruthy());
});

test('words are looked up here in names, then on the server in all that spans hold', async () => {
  const server = fakeServer(trace);
  let answer = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  server.answers['find'] = async () => {
    await asked;
    return { body: { version: trace.version, rows: [5, 9], diagnostics: [] } };
  };
  await ready('?find=only-in-attributes');
  await screen.findByText('0/0 …');
  act(() => answer());
  await screen.findByText('0/2');
  expect(server.asked.filter((one) => one.startsWith('GET find'))).toEqual(['GET find?words=only-in-attributes']);
  await userEvent.keyboard('n');
  expect(state().span).toBe(spanIdOf(trace, 5));
});

test('a query that is wrong says so, and the page lives', async () => {
  const server = fakeServer(trace);
  server.answers['find'] = () => ({ status: 400, body: failure('expected a value') });
  await ready('?find=%7B+a+%3D+%7D');
  await screen.findByText('expected a value');
  expect(await rowCount()).toBeGreaterThan(10);
});

test('errors one after the other', async () => {
  fakeServer(trace);
  await ready();
  const errors = Array.from({ length: 400 }, (_, i) => i).filter(
    (i) => ((trace.flags[i] as number) & FLAG.error) !== 0,
  );
  await userEvent.keyboard('e');
  expect(state().span).toBe(spanIdOf(trace, errors[0] ?? -1));
  await userEvent.keyboard('{Shift>}E{/Shift}');
  expect(state().span).toBe(spanIdOf(trace, errors.at(-1) ?? -1));
});

test('a service is hidden by the legend, and everything comes back when nothing is left', async () => {
  fakeServer(trace);
  openPage('?min=1h');
  await userEvent.click(await screen.findByRole('button', { name: 'Show everything' }));
  await waitFor(() => expect(state().minNs).toBe(0));
  const legend = await screen.findByRole('region', { name: 'Services' });
  const entry = within(legend).getAllByRole('button')[0] as HTMLElement;
  await userEvent.click(entry);
  expect(state().services.length).toBeGreaterThan(0);
  expect(entry.getAttribute('aria-pressed')).toBe('false');
});

test('zoom by keys is written into the link, and taken back', async () => {
  fakeServer(trace);
  await ready();
  await userEvent.keyboard('w');
  await waitFor(() => expect(state().zoom).not.toBeNull());
  await userEvent.keyboard('0');
  await waitFor(() => expect(state().zoom).toBeNull());
});

test('views on keys keep the selection', async () => {
  const server = fakeServer(trace);
  server.answers['events'] = () => ({ body: { version: trace.version, events: [], isAll: true, skipped: [] } });
  await ready(`?span=${spanIdOf(trace, 5)}`);
  for (const [key, view] of [
    ['2', 'flame'],
    ['3', 'table'],
    ['4', 'stats'],
    ['5', 'events'],
    ['1', 'waterfall'],
  ] as const) {
    await userEvent.keyboard(key);
    expect(state().view).toBe(view);
    expect(state().span).toBe(spanIdOf(trace, 5));
    if (view === 'table') await screen.findByRole('table', { name: /Spans of the trace/ });
    if (view === 'stats') await screen.findByRole('table', { name: /Time of the trace/ });
    if (view === 'flame') await screen.findByRole('application', { name: /Flame view/ });
  }
});

test('details: the error first, attributes by namespace, filter and raw; off and on by key', async () => {
  const server = fakeServer(trace);
  const id = spanIdOf(trace, 5);
  const text = (value: string) => ({ type: 'string', value }) as const;
  const exception = {
    ...{ timeNs: String(trace.startNs), name: 'exception', droppedAttributes: 0 },
    attributes: [
      { key: 'exception.type', value: text('Boom') },
      {
        key: 'exception.stacktrace',
        value: text('Boom: no\n    at own (/srv/a.ts:1:1)\n    at x (node:internal/y:1:1)'),
      },
    ],
  };
  const attributes = ['http.method', 'http.route', 'a', 'b', 'c', 'd', 'e', 'f'].map((key) => ({
    key,
    value: text(`v ${key}`),
  }));
  const span = detailsOf(id, { status: 'error', statusMessage: 'it broke', attributes, events: [exception] });
  server.answers['spans'] = () => ({ body: { spans: [span], skipped: [] } });
  await ready(`?span=${id}`);
  const panel = await screen.findByRole('complementary', { name: 'Details of the span' });
  await within(panel).findByText('it broke');
  const said = panel.textContent ?? '';
  expect(said.indexOf('it broke')).toBeLessThan(said.indexOf('http.method'));
  expect(within(panel).getByText('Boom')).toBeTruthy();
  await userEvent.click(within(panel).getByLabelText('Own code only'));
  expect(panel.textContent).not.toContain('node:internal');
  await userEvent.type(within(panel).getByRole('searchbox'), 'route');
  expect(within(panel).queryByText('v http.method')).toBeNull();
  expect(within(panel).getByText('v http.route')).toBeTruthy();
  act(() => (document.activeElement as HTMLElement).blur());
  await userEvent.keyboard('\\');
  await waitFor(() => expect(screen.queryByRole('complementary', { name: 'Details of the span' })).toBeNull());
});

test('details that cannot be had leave the rest alone', async () => {
  const server = fakeServer(trace);
  server.answers['spans'] = () => ({ status: 500, body: failure('no disk') });
  await ready(`?span=${spanIdOf(trace, 5)}`);
  const panel = await screen.findByRole('complementary', { name: 'Details of the span' });
  await within(panel).findByText('no disk');
  expect(await rowCount()).toBeGreaterThan(10);
});

test('a link to a span opens what hides it', async () => {
  fakeServer(trace);
  const deep = trace.depth.indexOf(6);
  await ready(`?uiFind=${spanIdOf(trace, deep)}&x=0`);
  await waitFor(() => expect(document.querySelector('[aria-selected=true]')?.getAttribute('aria-level')).toBe('7'));
});
