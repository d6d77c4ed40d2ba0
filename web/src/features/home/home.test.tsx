// @vitest-environment happy-dom
// Home: services by impact, what needs a look and where it leads, the first steps while nothing has arrived.

import { cleanup, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { HomeAnswer, Look, StatusAnswer } from '../../api/types.ts';
import { fakeServer, renderPage, routeOf } from '../../core/pages.testing.tsx';
import { redAnswer, redPoint, redSeries } from '../../model/red.testing.ts';
import { statusAnswer } from '../../model/status.testing.ts';
import Home from './route.tsx';

const LOOK: Look = {
  service: 'checkout',
  operation: 'POST /pay',
  kind: 'server',
  what: 'slow',
  now: 2.1e9,
  before: 0.5e9,
  rule: 'p95 is 2.1 s, 500 ms at the same time yesterday',
  query: '{ name = "POST /pay" && duration >= 500ms }',
  example: null,
  spans: 400,
};

function home(more: Partial<HomeAnswer> = {}): HomeAnswer {
  return {
    spansPerSecond: 1240,
    services: redAnswer([redSeries('small', redPoint(900, 0, 5)), redSeries('large', redPoint(900, 27, 500))]),
    needsALook: [],
    lastSpanNs: '1795852740000000000',
    skipped: [],
    ...more,
  };
}

const EMPTY = home({ spansPerSecond: 0, services: redAnswer([]), lastSpanNs: null });

beforeEach(() => localStorage.clear());
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const show = (url = '/') => renderPage(<Home route={routeOf<'home'>(url)} />);

test('services stand by impact, with their numbers and a link', async () => {
  fakeServer({ home: home(), status: statusAnswer() });
  show('/?range=6h');
  const table = await screen.findByRole('table', { name: /by their impact/ });
  const rows = within(table).getAllByRole('row').slice(1);
  expect(rows.map((row) => within(row).getByRole('rowheader').textContent)).toEqual(['large', 'small']);
  expect(rows[0]?.textContent).toContain('5/s');
  expect(rows[0]?.textContent).toContain('3 %');
  expect(rows[0]?.textContent).toContain('500 ms');
  expect(within(table).getByText('large').getAttribute('href')).toBe('/services/large?range=6h');
  expect(screen.getByText('All good')).toBeTruthy();
  expect((await screen.findByRole('link', { name: /store/ })).textContent).toBe('store41 % (11 d left)');
});

test('without a limit the store has a share of the disk; without an estimate it says of how much', async () => {
  const { program } = statusAnswer();
  const store = { ...program.store, bytesMax: null, growth: null };
  fakeServer({ home: home(), status: statusAnswer({ store }) });
  show();
  expect((await screen.findByRole('link', { name: /store/ })).textContent).toBe('store21 % of 392 GB');
});

test('what needs a look says its rule and leads to the slowest traces and to the operation', async () => {
  fakeServer({ home: home({ needsALook: [LOOK] }) });
  show();
  const link = await screen.findByRole('link', { name: 'Slow traces of checkout POST /pay' });
  const url = new URL(link.getAttribute('href') ?? '', 'http://x/');
  expect(url.searchParams.get('q')).toBe(LOOK.query);
  expect(url.searchParams.get('sort')).toBe('slowest');
  expect(screen.getByText('POST /pay').getAttribute('href')).toBe('/services/checkout/POST%20%2Fpay');
  screen.getByRole('button', { name: /×4.2 vs yesterday/ }).focus();
  await userEvent.tab();
  await userEvent.tab({ shift: true });
  expect((await screen.findByRole('tooltip')).textContent).toBe(LOOK.rule);
  expect(screen.getByText('1 needs a look')).toBeTruthy();
});

test('an answer that fails leaves the rest of the page and says how to ask again', async () => {
  fakeServer({});
  localStorage.setItem('trackway.preferences.v1', '{}');
  show();
  expect(await screen.findByText('The services could not be read')).toBeTruthy();
  expect(screen.getByText('not there')).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Retry' })).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Copy as curl' })).toBeTruthy();
});

test('a time in which nothing came says when the last span came and offers a longer one', async () => {
  const lastSpanNs = String(BigInt(Date.now() - 3 * 3_600_000) * 1_000_000n);
  fakeServer({ home: home({ services: redAnswer([]), lastSpanNs }) });
  show('/?range=5m');
  expect(await screen.findByText('The last span came 3 h ago.')).toBeTruthy();
  expect(screen.getByRole('link', { name: 'Last 24 hours' }).getAttribute('href')).toBe('/?range=1d');
  expect(screen.getByText('No spans in this time')).toBeTruthy();
  expect(screen.queryByText('All good')).toBeNull();
});

test('what could not be read is told, and the rest is shown', async () => {
  fakeServer({ home: home({ skipped: [{ what: 'segment 12', why: 'damaged' }] }) });
  show();
  expect(await screen.findByText(/segment 12 \(damaged\)/)).toBeTruthy();
  expect(screen.getByText('large')).toBeTruthy();
});

test('while nothing has arrived the first steps stand here, and why nothing may have', async () => {
  const status: StatusAnswer = statusAnswer();
  fakeServer({ home: EMPTY, status });
  show();
  expect(await screen.findByRole('heading', { level: 1, name: 'Nothing has arrived yet' })).toBeTruthy();
  expect(screen.getByText(/listening… 00:0\d/)).toBeTruthy();
  expect(screen.getByText(/OTEL_EXPORTER_OTLP_ENDPOINT=http/)).toBeTruthy();
  expect(await screen.findByText(/OTLP HTTP refused a request at/)).toBeTruthy();
  expect(screen.getByText(/content type text\/plain/)).toBeTruthy();
  await userEvent.click(screen.getByRole('tab', { name: 'Go' }));
  expect(screen.getByText(/otlptracehttp.New/)).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Open a trace file' })).toBeTruthy();
});

test('the first steps turn into Home by themselves', async () => {
  let isHere = false;
  fakeServer({ home: () => (isHere ? home() : EMPTY), status: statusAnswer() });
  show();
  await screen.findByText('Nothing has arrived yet');
  isHere = true;
  await waitFor(() => expect(screen.getByText('large')).toBeTruthy(), { timeout: 4000 });
  expect(screen.queryByText('Nothing has arrived yet')).toBeNull();
});
