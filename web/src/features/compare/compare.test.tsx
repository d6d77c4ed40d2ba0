// @vitest-environment happy-dom
// The page that compares: what the link says is shown, what is done changes the link.

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { encodeTrace } from '../../../perf/generate.ts';
import type { SpanDetails } from '../../api/types.ts';
import { handleKey } from '../../core/commands.ts';
import { goTo, useParsed } from '../../core/navigation.ts';
import { putTraceOfFile } from '../../core/openedTraces.testing.ts';
import { prefer } from '../../core/preferences.ts';
import type { TraceColumns } from '../../model/columns.ts';
import { traceOf } from '../../model/forest.ts';
import { startHere } from '../../worker/here.ts';
import Compare from './route.tsx';

vi.mock('../../worker/client.ts', async (original) => ({
  ...(await original<typeof import('../../worker/client.ts')>()),
  startTraceWorker: () => startHere((input, init) => fetch(input, init)),
}));

const A = 'a'.repeat(32);
const B = 'b'.repeat(32);
const a: TraceColumns = {
  ...traceOf(`
    web GET 0..2140000000 *
      shop order 10000000..2090000000
        stock SELECT 20000000..1220000000
        mail publish 1300000000..1301000000
  `),
  traceId: A,
};
const b: TraceColumns = {
  ...traceOf(`
    web GET 0..410000000 *
      shop order 10000000..370000000
        stock SELECT 20000000..29000000
  `),
  traceId: B,
};
const span = (spanId: string, version: string): SpanDetails => ({
  spanId,
  parentSpanId: null,
  service: 'web',
  name: 'GET',
  kind: 'server',
  status: 'unset',
  statusMessage: '',
  startNs: '0',
  durationNs: 5,
  traceState: '',
  flags: 0,
  attributes: [
    { key: 'http.route', value: { type: 'string', value: '/cart' } },
    { key: 'retries', value: { type: 'int', value: version } },
  ],
  droppedAttributes: 0,
  events: [],
  droppedEvents: 0,
  links: [],
  droppedLinks: 0,
  resource: [],
  scope: { name: '', version: '', attributes: [], droppedAttributes: 0 } as SpanDetails['scope'],
  warnings: [],
});

const answers = new Map<string, () => Response>();
const asked: string[] = [];

function Page() {
  const { route } = useParsed();
  return route.page === 'compare' ? <Compare route={route} /> : null;
}

let client = new QueryClient();

function open(url: string) {
  goTo(url);
  client = new QueryClient();
  render(
    <QueryClientProvider client={client}>
      <Page />
    </QueryClientProvider>,
  );
  document.addEventListener('keydown', handleKey);
}

beforeEach(() => {
  const json = (value: unknown) => () => new Response(JSON.stringify(value));
  answers.set(`${A}/skeleton`, () => new Response(encodeTrace(a) as BodyInit));
  answers.set(`${B}/skeleton`, () => new Response(encodeTrace(b) as BodyInit));
  answers.set(`${A}/spans`, json({ spans: [span('1', '3')], skipped: [] }));
  answers.set(`${B}/spans`, json({ spans: [span('1', '0')], skipped: [] }));
  vi.stubGlobal('fetch', async (input: string) => {
    asked.push(input);
    const key = [...answers.keys()].find((one) => input.includes(one));
    const missing = { error: { message: 'there is no such trace', hint: 'look elsewhere', diagnostics: [] } };
    return (key && answers.get(key)?.()) || new Response(JSON.stringify(missing), { status: 404 });
  });
});
afterEach(() => {
  cleanup();
  document.removeEventListener('keydown', handleKey);
  answers.clear();
  vi.unstubAllGlobals();
  prefer({ basket: [], recent: [] });
});

const rows = () =>
  within(screen.getByRole('treegrid'))
    .getAllByRole('row')
    .slice(1)
    .map((row) => row.getAttribute('aria-label') ?? '');

test('both traces are one tree with times, differences and what makes them', async () => {
  open(`/trace/${A}...${B}`);
  expect(await screen.findByText('A is 1.73 s slower')).toBeTruthy();
  expect(rows()).toEqual([
    'web GET, A 2.14 s, B 410 ms, +1.73 s, slower in A',
    'shop order, A 2.08 s, B 360 ms, +1.72 s, slower in A',
    'stock SELECT, A 1.2 s, B 9 ms, +1.19 s, slower in A',
    'mail publish, A 1 ms, B –, only in A',
  ]);
  expect(screen.getByRole('button', { name: 'stock SELECT (+1.19 s, 69 %)' })).toBeTruthy();
  expect(screen.getByRole('button', { name: '1 only in A' })).toBeTruthy();
});

test('a cause and what only one side has lead to their rows', async () => {
  open(`/trace/${A}...${B}?x=1`);
  await userEvent.click(await screen.findByRole('button', { name: /stock SELECT/ }));
  expect(screen.getByRole('row', { selected: true }).textContent).toContain('stock SELECT');
  await userEvent.click(screen.getByRole('button', { name: '1 only in A' }));
  expect(screen.getByRole('row', { selected: true }).textContent).toContain('mail publish');
});

test('the tree is walked, closed and opened by keys', async () => {
  open(`/trace/${A}...${B}`);
  await screen.findByRole('treegrid');
  const first = screen.getAllByRole('row')[1];
  act(() => first?.focus());
  const press = (key: string, shiftKey = false) =>
    fireEvent.keyDown(document.activeElement ?? document.body, { key, shiftKey });
  press('ArrowDown');
  press('j');
  expect(document.activeElement?.textContent).toContain('stock SELECT');
  press('ArrowLeft');
  expect(document.activeElement?.textContent).toContain('shop order');
  press('ArrowLeft');
  expect(rows()).toHaveLength(2);
  expect(document.activeElement?.getAttribute('aria-expanded')).toBe('false');
  press('ArrowRight');
  expect(rows()).toHaveLength(4);
  press('Home');
  press('ArrowLeft', true);
  expect(rows()).toHaveLength(1);
  press('ArrowRight', true);
  expect(rows()).toHaveLength(4);
  fireEvent.keyDown(document.body, { key: '[' });
  expect(rows()).toHaveLength(2);
});

test('Enter shows what differs between the two spans of a row', async () => {
  open(`/trace/${A}...${B}`);
  await screen.findByRole('treegrid');
  act(() => screen.getAllByRole('row')[1]?.focus());
  fireEvent.keyDown(document.activeElement ?? document.body, { key: 'Enter' });
  const row = (await screen.findByRole('rowheader', { name: 'retries' })).closest('tr');
  expect(row?.textContent).toBe('retries30differs');
  expect(screen.queryByRole('rowheader', { name: 'http.route' })).toBeNull();
  await userEvent.click(screen.getByRole('radio', { name: /^All/ }));
  expect(screen.getByRole('rowheader', { name: 'http.route' })).toBeTruthy();
  expect(screen.getByRole('link', { name: 'Open in A' }).getAttribute('href')).toContain(`/trace/${A}?span=`);
});

test('sides are swapped by a key, and signs with them', async () => {
  open(`/trace/${A}...${B}`);
  await screen.findByText('A is 1.73 s slower');
  fireEvent.keyDown(document.body, { key: 'x' });
  expect(await screen.findByText('A is 1.73 s faster')).toBeTruthy();
  expect(location.pathname).toBe(`/trace/${B}...${A}`);
  expect(rows().at(-1)).toBe('mail publish, A –, B 1 ms, only in B');
});

test('a trace compared with itself has no difference', async () => {
  open(`/trace/${A}...${A}`);
  expect(await screen.findByText(/No difference/)).toBeTruthy();
  expect(rows().every((row) => row.endsWith('none'))).toBe(true);
});

test('words are marked, counted and gone through', async () => {
  open(`/trace/${A}...${B}?find=s`);
  await screen.findByRole('treegrid');
  expect(screen.getByText('3 matches')).toBeTruthy();
  expect(screen.getAllByText('s', { selector: 'mark' }).length).toBeGreaterThan(2);
  const field = screen.getByRole('searchbox');
  fireEvent.keyDown(field, { key: 'Enter' });
  expect(screen.getByRole('row', { selected: true }).textContent).toContain('shop order');
  expect(screen.getByText('1/3')).toBeTruthy();
});

test('a missing side is chosen from those put aside, or pasted', async () => {
  prefer({ basket: [B], recent: [{ traceId: B, title: 'web GET' }] });
  open(`/trace/${A}...`);
  expect(await screen.findByText('Choose trace B to compare with')).toBeTruthy();
  await userEvent.type(screen.getByRole('textbox', { name: 'Trace id' }), 'no id!');
  await userEvent.click(screen.getByRole('button', { name: 'Take' }));
  expect(screen.getByRole('alert').textContent).toBe('This is no trace id.');
  await userEvent.click(screen.getByRole('button', { name: 'bbbbbbbb web GET' }));
  expect(await screen.findByText('A is 1.73 s slower')).toBeTruthy();
});

test('a trace that is not there is told with the words of the server; the other side stays', async () => {
  open(`/trace/${A}...${'c'.repeat(32)}`);
  const box = await screen.findByRole('alert');
  expect(box.textContent).toContain('Trace B could not be read');
  expect(box.textContent).toContain('there is no such trace');
  expect(within(box).getByRole('button', { name: 'Retry' })).toBeTruthy();
  expect(await screen.findByText('4 spans')).toBeTruthy();
});

test('traces that were opened from files are compared without the server', async () => {
  const C = 'd'.repeat(32);
  const [details] = [[span('1', '9'), span('2', '9'), span('3', '9')]];
  putTraceOfFile({ fileName: 'slow.json', columns: { ...b, traceId: C }, details });
  asked.length = 0;
  open(`/trace/${C}...${B}?tab=attributes`);
  expect(await screen.findByRole('rowheader', { name: 'retries' })).toBeTruthy();
  expect(asked.some((url) => url.includes(C))).toBe(false);
});

test('side by side, both waterfalls are trees, and a row chosen in one is chosen in both', async () => {
  open(`/trace/${A}...${B}?tab=side`);
  const [left, right] = await screen.findAllByRole('treegrid');
  const row = within(left as HTMLElement).getByRole('row', { name: /^stock SELECT/ });
  await userEvent.click(row);
  const other = within(right as HTMLElement).getByRole('row', { selected: true });
  expect(other.getAttribute('aria-label')).toBe('stock SELECT, 9 ms, starts at 20 ms');
});

test('refresh reads both traces anew; what has come since is compared, and the chosen row stays', async () => {
  open(`/trace/${A}...${B}?node=2`);
  await screen.findByText(/1\.73 s slower/);
  answers.set(`${B}/skeleton`, () => new Response(encodeTrace({ ...a, traceId: B, version: '2' }) as BodyInit));
  await act(() => client.invalidateQueries());
  await screen.findByText(/No difference/);
  expect(new URLSearchParams(location.search).get('node')).toBe('2');
});
