// @vitest-environment happy-dom
// What views of a trace have beside its rows: groups by any key, cards under the pointer, times in full.

import { act, cleanup, fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { generateTrace } from '../../../perf/generate.ts';
import { routeNow } from '../../core/navigation.ts';
import { prefer, resetPreferences } from '../../core/preferences.ts';
import { FLAG, type TraceColumns } from '../../model/columns.ts';
import { groupMembers, spanIdOf } from '../../model/tree.ts';
import { detailsOf, failure, fakeServer, openPage, TRACE_ID } from './testing.tsx';

vi.setConfig({ testTimeout: 20_000 });

const trace: TraceColumns = { ...generateTrace(400), traceId: TRACE_ID };

beforeEach(() => resetPreferences());
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const group = () => {
  const route = routeNow();
  return route.page === 'trace' ? route.state.group : null;
};
const firstRow = () =>
  waitFor(() => {
    const element = document.querySelector<HTMLElement>('[role=row][aria-rowindex="2"]:not([hidden])');
    if (element === null) throw new Error('no row');
    return element;
  });

test('statistics are grouped by an attribute, and the link says by which', async () => {
  const server = fakeServer(trace);
  server.answers['keys'] = () => ({ body: { keys: [{ field: 'span.tier', spans: 400, distinct: 2 }], skipped: [] } });
  const rows = Array.from({ length: 400 }, (_, i) => (i < 100 ? 1 : i < 300 ? 2 : 0));
  server.answers['column'] = (url) => ({
    body: { version: trace.version, values: [`${url.searchParams.get('field')} gold`, 'free'], rows, skipped: [] },
  });
  openPage('?view=stats');
  const choose = async (label: RegExp, field: string) => {
    await userEvent.click(await screen.findByRole('button', { name: label }));
    const dialog = await screen.findByRole('dialog');
    await userEvent.type(within(dialog).getByRole('searchbox'), field);
    await userEvent.click(await within(dialog).findByRole('button', { name: new RegExp(field, 'i') }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  };
  await choose(/^[Aa]nd by/, 'span.tier');
  expect(group()).toEqual(['service', 'span.tier']);
  await choose(/^Group by/, 'span.region');
  expect(group()).toEqual(['span.region', 'span.tier']);
  await choose(/^[Aa]nd by/, 'nothing else');
  expect(group()).toEqual(['span.region']);
  const table = await screen.findByRole('table', { name: /Time of the trace/ });
  await within(table).findByText('span.region gold');
  const counts = within(table)
    .getAllByRole('row')
    .slice(1)
    .map((one) => within(one).getAllByRole('cell')[0]?.textContent);
  expect(counts.toSorted()).toEqual(['100', '100', '200']);
  within(table).getByText(/^no value$/i);
});

test('statistics by a field that the server refuses say why', async () => {
  const server = fakeServer(trace);
  server.answers['column'] = () => ({ status: 400, body: failure('there is no such field') });
  openPage('?view=stats&group=rubbish');
  await screen.findByText('there is no such field');
});

test('a bar under the pointer has a card, which Escape takes away and the pointer may go onto', async () => {
  fakeServer(trace);
  openPage();
  await screen.findByRole('toolbar');
  const first = await firstRow();
  const point = (x: number, y: number) => fireEvent.pointerMove(first, { clientX: x, clientY: y });
  const card = () => document.querySelector<HTMLElement>('[class*=card]');
  await waitFor(() => {
    point(700, 12);
    expect(card()).not.toBeNull();
  });
  const [service = '', name = ''] = [trace.services[trace.service[0] as number], trace.names[trace.name[0] as number]];
  expect(card()?.textContent).toContain(`${service} ${name}`);
  expect(card()?.textContent).toMatch(/ · self .+ · starts at 0 ns/);
  // Names are no bars.
  point(100, 12);
  fireEvent.pointerEnter(card() as HTMLElement);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(card()).not.toBeNull();
  await userEvent.keyboard('{Escape}');
  expect(card()).toBeNull();
  point(700, 12);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(card()).toBeNull();
});

test('views show their keys, while keys are on; what scrolls in the details has a name of its own', async () => {
  const server = fakeServer(trace);
  server.answers['spans'] = () => ({ body: { spans: [detailsOf(spanIdOf(trace, 5))], skipped: [] } });
  openPage(`?span=${spanIdOf(trace, 5)}`);
  const views = await screen.findByRole('radiogroup', { name: 'Views of the trace' });
  await waitFor(() => expect(views.textContent).toBe('Waterfall1Flame2Table3Statistics4Events5'));
  within(views).getByRole('radio', { name: 'Flame' });
  act(() => prefer({ singleKeys: false }));
  await waitFor(() => expect(views.textContent).toBe('WaterfallFlameTableStatisticsEvents'));
  await screen.findByRole('region', { name: 'What the span holds' });
});

test('times: events say their zone once and have local time, UTC and age behind them; durations have all digits', async () => {
  const server = fakeServer(trace);
  prefer({ zone: 'Europe/Berlin' });
  const at = trace.startNs + 1_234_567n;
  const event = { timeNs: String(at), name: 'retry', attributes: [], droppedAttributes: 0 };
  server.answers['events'] = () => ({
    body: { version: trace.version, events: [{ row: 5, event }], isAll: true, skipped: [] },
  });
  server.answers['spans'] = () => ({ body: { spans: [detailsOf(spanIdOf(trace, 5))], skipped: [] } });
  openPage(`?span=${spanIdOf(trace, 5)}`);
  await screen.findByRole('toolbar');
  await userEvent.keyboard('5');
  const events = await screen.findByRole('table', { name: /Events of all spans/ });
  await within(events).findByText('retry');
  within(events).getByRole('columnheader', { name: /^Time \(.+\)/ });
  const tip = events.querySelector('[title*=UTC]')?.getAttribute('title')?.split('\n');
  expect(tip).toEqual([
    expect.stringMatching(/\.\d{9} /),
    expect.stringMatching(/\.\d{9} UTC$/),
    expect.stringMatching(/ago$/),
  ]);
  await userEvent.keyboard('3');
  const table = await screen.findByRole('table', { name: /Spans of the trace/ });
  await waitFor(() => expect(table.querySelectorAll('td [title$=" ns"]').length).toBeGreaterThan(5));
  const details = await screen.findByRole('complementary', { name: 'Details of the span' });
  const start = await waitFor(() => {
    const fact = within(details).getByText('Starts at').parentElement;
    if (!fact) throw new Error('no start');
    return within(fact).getByRole('button');
  });
  act(() => start.focus());
  await userEvent.hover(start);
  expect((await screen.findByRole('tooltip')).textContent).toMatch(/UTC.*ago/);
});

test('a match within a folded run is scrolled to once the run has opened', async () => {
  const server = fakeServer(trace);
  const heads = Array.from({ length: trace.count }, (_, row) => row).filter(
    (row) => ((trace.flags[row] as number) & FLAG.groupHead) !== 0,
  );
  const runs = heads.map((head) => groupMembers(trace, head)).sort((a, b) => b.length - a.length);
  // Members stand by duration, so the shortest of the largest run is far below its head.
  const run = runs[0]?.sort((a, b) => (trace.dur[a] as number) - (trace.dur[b] as number)) ?? [];
  const [shortest = -1] = run;
  expect(run.length).toBeGreaterThan(24);
  server.answers['find'] = () => ({ body: { version: trace.version, rows: [shortest], diagnostics: [] } });
  openPage('?find=%7B+kind+%3D+server+%7D');
  await screen.findByText('0/1');
  await userEvent.keyboard('n');
  await waitFor(() => {
    const chosen = document.querySelector<HTMLElement>('[role=row][aria-selected=true]');
    expect(chosen?.hasAttribute('data-group')).toBe(false);
    const y = Number(/translateY\((-?[\d.]+)px\)/.exec(chosen?.style.transform ?? '')?.[1]);
    expect(y).toBeGreaterThanOrEqual(0);
    expect(y).toBeLessThan(480);
  });
});
