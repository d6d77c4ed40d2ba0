// @vitest-environment happy-dom
// The query bar: conditions one by one and text are two views of one query; the server reads it.

import { act, cleanup, configure, fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { prefer, preferences, resetPreferences } from '../../core/preferences.ts';
import { failed, found, ndjson, parse, pretendLayout, query, serve, show } from './explore.testing.tsx';

configure({ asyncUtilTimeout: 5_000 });
vi.setConfig({ testTimeout: 20_000 });

// The editor needs a browser; the plain field does everything without it.
vi.mock('../../query/editor.ts', () => {
  throw new Error('no editor here');
});

beforeEach(() => {
  pretendLayout();
  resetPreferences();
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const conditions = () => screen.findByRole('group', { name: 'Conditions' });
const press = async (name: string | RegExp) => userEvent.click(await screen.findByRole('button', { name }));
const choose = async (name: string | RegExp) => userEvent.click(await screen.findByRole('menuitem', { name }));

test('a condition is added field by field; choosing a value of the list takes it', async () => {
  const { asked } = serve();
  show('/search?q={ status = error }');
  await press('Filter');
  const form = await screen.findByRole('dialog', { name: 'Add a filter' });
  const field = await within(form).findByRole('combobox', { name: 'Field' });
  await userEvent.type(field, 'serv');
  await userEvent.click(await screen.findByRole('option', { name: 'service' }));
  await userEvent.click(await screen.findByRole('option', { name: 'cart 812' }));
  await waitFor(() => expect(query().get('q')).toBe('{ status = error && resource.service.name = "cart" }'));
  // Shown at once, and searched.
  expect(within(await conditions()).getByText('cart')).toBeTruthy();
  expect(asked('search').at(-1)?.searchParams.get('q')).toContain('"cart"');
});

test('a typed value gets its quotes; what cannot be read is told in the form and not taken', async () => {
  serve({
    query: (url: URL) => {
      const q = url.searchParams.get('q') ?? '';
      const diagnostics = [{ severity: 'error', from: 0, to: 1, message: 'durations need a unit', proposal: null }];
      return q.includes('duration > 5 ') ? { canonical: null, chips: [], diagnostics } : parse(q);
    },
  });
  show('/search');
  await press('Filter');
  const [field] = await screen.findAllByRole('combobox', { name: 'Field' });
  await userEvent.type(field as HTMLElement, 'duration{Enter}');
  const [value] = await screen.findAllByRole('combobox', { name: 'Value' });
  await userEvent.type(value as HTMLElement, '5{Enter}');
  expect(await screen.findByText('durations need a unit')).toBeTruthy();
  expect(query().get('q')).toBeNull();
  await userEvent.type(value as HTMLElement, 'ms{Enter}');
  await waitFor(() => expect(query().get('q')).toBe('{ duration > 5ms }'));
});

test('names are typed out as the list shows them, and of a status a beginning is enough', async () => {
  serve({
    complete: (url: URL) => {
      const q = url.searchParams.get('q') ?? '';
      const value = (text: string) => ({ text, kind: 'value', detail: '', count: null });
      const attribute = { text: 'span.http.route', kind: 'attribute', detail: '', count: 9 };
      return { from: 0, to: 0, items: q.includes('status = ') ? [value('error')] : [attribute], isAll: true };
    },
  });
  show('/search');
  const add = async (name: string, typed: string) => {
    await press('Filter');
    await userEvent.type(
      (await screen.findAllByRole('combobox', { name: 'Field' }))[0] as HTMLElement,
      `${name}{Enter}`,
    );
    await userEvent.type((await screen.findAllByRole('combobox', { name: 'Value' }))[0] as HTMLElement, typed);
    // The list follows what is typed.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await userEvent.keyboard('{Enter}');
  };
  await add('status', 'err');
  await waitFor(() => expect(query().get('q')).toBe('{ status = error }'));
  await add('http.route', '/pay');
  await waitFor(() => expect(query().get('q')).toBe('{ status = error && span.http.route = "/pay" }'));
  await add('service', 'cart');
  await waitFor(() => expect(query().get('q')).toContain('&& resource.service.name = "cart" }'));
});

test('a condition is turned around, edited as text and removed', async () => {
  serve();
  show('/search?q={ status = error %26%26 .k = 1 }');
  await press('k = 1');
  await choose('Exclude');
  expect(query().get('q')).toBe('{ status = error && !(.k = 1) }');
  expect(within(await conditions()).getByText('not')).toBeTruthy();
  await press('Remove status = error');
  expect(query().get('q')).toBe('{ !(.k = 1) }');
  await press(/not/);
  await choose('Edit…');
  const field = await screen.findByRole('textbox', { name: /Edit/ });
  fireEvent.change(field, { target: { value: '.k > 2 || .j' } });
  fireEvent.keyDown(field, { key: 'Enter' });
  expect(query().get('q')).toBe('{ .k > 2 || .j }');
  await press('Remove all conditions');
  expect(query().get('q')).toBeNull();
});

test('the text is the same query; Enter runs it, Escape goes back to conditions', async () => {
  serve();
  show('/search?q={ status = error }');
  await conditions();
  await press('Edit as text');
  const field = await screen.findByRole('textbox', { name: 'Query' });
  expect((field as HTMLInputElement).value).toBe('{ status = error }');
  // Written at once, whatever the server does.
  fireEvent.change(field, { target: { value: '{ name = "x" }' } });
  expect((field as HTMLInputElement).value).toBe('{ name = "x" }');
  expect(query().get('q')).toBe('{ status = error }');
  fireEvent.keyDown(field, { key: 'Enter' });
  expect(query().get('q')).toBe('{ name = "x" }');
  fireEvent.keyDown(field, { key: 'Escape' });
  expect(within(await conditions()).getByText('x')).toBeTruthy();
  expect(preferences().queryAs).toBe('chips');
});

test('plain words are an error at their place, mended by one press; facets and charts keep away', async () => {
  const broken = parse('status error').diagnostics;
  const { asked } = serve({
    search: (url: URL) => (url.searchParams.get('q')?.startsWith('{') ? undefined : failed(400, 'no', broken)),
  });
  show('/search?q=status error');
  expect(await screen.findByText('The query has an error')).toBeTruthy();
  expect((await screen.findByRole('textbox', { name: 'Query' })).getAttribute('value')).toBe('status error');
  expect(asked('overview').filter((url) => url.searchParams.get('q') === 'status error')).toHaveLength(0);
  await press('write { status error }');
  expect(query().get('q')).toBe('{ status error }');
});

test('where nobody can read queries the text is one condition and the search goes on', async () => {
  serve({ query: () => failed(404, 'not here') });
  show('/search?q={ status = error }');
  expect(within(await conditions()).getByText('status = error')).toBeTruthy();
  expect(await screen.findByRole('row', { name: /GET \/2/ })).toBeTruthy();
});

test('what was run is remembered and can be run again', async () => {
  prefer({ history: ['{ name = "older" }'] });
  serve();
  show('/search?q={ status = error }');
  await screen.findByRole('row', { name: /GET \/2/ });
  expect(preferences().history).toEqual(['{ status = error }', '{ name = "older" }']);
  await press('Queries you ran');
  await choose('{ name = "older" }');
  expect(query().get('q')).toBe('{ name = "older" }');
});

test('columns are chosen from what spans have', async () => {
  serve();
  show('/search');
  await press('Columns');
  await userEvent.click(await screen.findByRole('option', { name: /http.route/ }));
  expect(query().get('cols')).toBe('span.http.route');
  await press('Remove the column http.route');
  expect(query().get('cols')).toBeNull();
});

test('the heatmap is walked by keys and told; Shift selects, and the selection becomes conditions', async () => {
  serve();
  show('/search');
  const heatmap = await screen.findByRole('application', { name: /Latency of 1,200 traces/ });
  act(() => heatmap.focus());
  fireEvent.keyDown(heatmap, { key: 'Home' });
  expect(screen.getAllByText(/4 ms – 8 ms, 1,000 traces, slowest 3.9 ms/).length).toBeGreaterThan(0);
  fireEvent.keyDown(heatmap, { key: 'ArrowUp', shiftKey: true });
  expect(await screen.findByText('1,010 traces')).toBeTruthy();
  await press('Only these');
  expect(query().get('q')).toBe('{ traceDuration >= 4ms && traceDuration < 64ms }');
  expect(query().get('from')).toBe('2026-11-28T08:53:30Z');
  expect(query().get('to')).toBe('2026-11-28T08:53:40Z');
});

test('Enter on a cell opens its slowest at its span; the same numbers are a table', async () => {
  serve();
  show('/search');
  const heatmap = await screen.findByRole('application', { name: /Latency/ });
  await press('How to show all matches');
  await userEvent.click(await screen.findByRole('menuitemradio', { name: 'As table' }));
  const table = await screen.findByRole('table', { name: 'All matches over time' });
  expect(within(table).getByRole('row', { name: /1,010.*9 errors.*60 ms/ })).toBeTruthy();
  expect(heatmap.isConnected).toBe(false);
  act(() => prefer({ charts: 'drawn' }));
  const again = await screen.findByRole('application', { name: /Latency/ });
  fireEvent.keyDown(again, { key: 'Home' });
  fireEvent.keyDown(again, { key: 'Enter' });
  expect(location.pathname + location.search).toBe(`/trace/${'a'.padStart(32, '0')}?span=000000000000000a`);
});

test('another service keeps the operation, and the way out is offered when the service has none of that name', async () => {
  const names = { version: '', nowNs: '0', program: {}, services: [{ service: 'web', lastNs: '1', operations: 1 }] };
  serve({
    search: (url: URL) => (/"web"/.test(url.searchParams.get('q') ?? '') ? undefined : ndjson(found([]))),
    status: names,
  });
  show('/search?q={ resource.service.name = "web" %26%26 name = "GET /" }');
  await press('service = web');
  await choose('Change…');
  const form = await screen.findByRole('dialog', { name: 'Change the filter' });
  const [value] = await within(form).findAllByLabelText('Value');
  await userEvent.clear(value as HTMLElement);
  await userEvent.type(value as HTMLElement, 'cart{Enter}');
  await waitFor(() => expect(query().get('q')).toBe('{ resource.service.name = "cart" && name = "GET /" }'));
  await press(/^Without name = "GET \/": /);
  expect(query().get('q')).toBe('{ resource.service.name = "cart" }');
});
