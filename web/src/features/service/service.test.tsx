// @vitest-environment happy-dom
// The page of a service: numbers, charts and their table, operations, neighbours, and how each fails alone.

import { cleanup, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import type { Edge } from '../../api/types.ts';
import { goTo, useRoute } from '../../core/navigation.ts';
import { fakeServer, renderPage } from '../../core/pages.testing.tsx';
import { redAnswer, redPoint, redSeries } from '../../model/red.testing.ts';
import { statusAnswer } from '../../model/status.testing.ts';
import type { RouteOf } from '../../url/index.ts';
import Service from './route.tsx';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SERIES = redSeries('checkout', redPoint(180, 9, 50), {
  dayBefore: redPoint(180, 0, 10),
  points: [redPoint(60, 6, 50), null, redPoint(120, 3, 40)],
  slowest: TRACE,
});
const operation = (name: string, kind: 'server' | 'client', spans: number) =>
  redSeries('checkout', redPoint(spans, 0, 10), { operation: name, kind, ownNs: spans * 1e6, slowest: TRACE });
const OPERATIONS = redAnswer([
  operation('POST /pay', 'server', 30),
  operation('GET /cart', 'server', 90),
  operation('SELECT', 'client', 600),
]);
const edge = (caller: string, callee: string, isAsync = false): Edge => ({
  caller,
  callee,
  isAsync,
  total: redPoint(180, 2, 9),
  slowest: TRACE,
  failed: null,
});
const EDGES = {
  seconds: 180,
  nodes: [],
  edges: [edge('', 'checkout'), edge('web', 'checkout'), edge('checkout', 'mail', true), edge('a', 'b')],
  skipped: [],
};

const red = (url: URL) =>
  url.searchParams.get('by') === 'operation'
    ? OPERATIONS
    : redAnswer(url.searchParams.get('kind') === 'internal' ? [] : [SERIES]);

function Page() {
  const route = useRoute();
  return route.page === 'service' ? <Service route={route as RouteOf<'service'>} /> : null;
}

function show(url: string, answers: Parameters<typeof fakeServer>[0] = { red, edges: EDGES }) {
  const asked = fakeServer(answers);
  goTo(url);
  renderPage(<Page />);
  return asked;
}

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test('numbers, change and ways on', async () => {
  show('/services/checkout?range=3h');
  expect(await screen.findByText('×5 vs yesterday')).toBeTruthy();
  const traces = new URL(screen.getByRole('link', { name: 'Traces' }).getAttribute('href') ?? '', 'http://x');
  expect(traces.searchParams.get('q')).toBe('{ resource.service.name = "checkout" }');
  expect(traces.searchParams.get('scope')).toBe('entry');
  expect(screen.getByRole('link', { name: 'Map' }).getAttribute('href')).toBe('/dependencies?focus=checkout&range=3h');
  expect(screen.getByRole('link', { name: 'A slow trace' }).getAttribute('href')).toBe(`/trace/${TRACE}`);
});

test('a moment of a chart is read by arrows and leads to its traces', async () => {
  show('/services/checkout');
  const chart = await screen.findByRole('slider', { name: 'Errors' });
  chart.focus();
  await userEvent.keyboard('{Home}');
  expect(chart.getAttribute('aria-valuetext')).toMatch(/share that fails 10 %$/);
  await userEvent.keyboard('{ArrowRight}');
  expect(chart.getAttribute('aria-valuetext')).toMatch(/share that fails nothing$/);
  await userEvent.keyboard('{Enter}');
  const { searchParams } = new URL(location.href);
  expect(location.pathname).toBe('/search');
  expect(searchParams.get('from')).toBe('2026-11-28T08:00:00Z');
  expect(searchParams.get('to')).toBe('2026-11-28T08:01:00Z');
  expect(searchParams.get('sort')).toBe('slowest');
});

test('the charts have a table with the same numbers, and the link says so', async () => {
  show('/services/checkout');
  await userEvent.click(await screen.findByRole('radio', { name: 'Table' }));
  const table = screen.getByRole('table', { name: /of checkout over time/ });
  const rows = within(table).getAllByRole('row').slice(1);
  expect(rows).toHaveLength(3);
  expect(rows[2]?.textContent).toMatch(/1\/s10 %20 ms50 ms100 ms$/);
  expect(rows[1]?.textContent).toMatch(/0\/s–––$|0\/s––––$/);
  expect(screen.queryByRole('slider')).toBeNull();
});

test('operations that enter the service stand by impact; another kind shows others', async () => {
  show('/services/checkout');
  const table = await screen.findByRole('table', { name: /^Operations of checkout/ });
  const names = () =>
    within(table)
      .getAllByRole('rowheader')
      .map((cell) => cell.textContent);
  expect(names()).toEqual(['GET /cart', 'POST /pay']);
  expect(within(table).getByRole('columnheader', { name: 'Own time' })).toBeTruthy();
  expect(within(table).getByText('POST /pay').getAttribute('href')).toBe(
    '/services/checkout/POST%20%2Fpay?kind=server',
  );
  cleanup();
  show('/services/checkout?kind=client');
  expect(await screen.findByText('SELECT')).toBeTruthy();
});

test('callers and callees, those from outside too', async () => {
  show('/services/checkout');
  const callers = await screen.findByRole('table', { name: 'Services that call checkout' });
  expect(within(callers).getByText('from outside').tagName).toBe('SPAN');
  expect(within(callers).getByText('web').getAttribute('href')).toBe('/services/web');
  const callees = screen.getByRole('table', { name: 'Services that checkout calls' });
  expect(
    within(callees)
      .getAllByRole('rowheader')
      .map((cell) => cell.textContent),
  ).toEqual(['mailasync']);
});

test('versions and instances with their errors, each a search; of fields that tell instances apart the best', async () => {
  const value = (text: string, count: number, errors: number) => ({ value: text, literal: `"${text}"`, count, errors });
  const facet = (field: string, values: ReturnType<typeof value>[], missing = 0) => ({
    field,
    values,
    others: 0,
    missing,
  });
  const overview = {
    facets: [
      facet('resource.service.version', [value('1.4.2', 900, 9), value('1.5.0', 100, 50)], 20),
      facet('resource.service.instance.id', [], 1020),
      facet('resource.k8s.pod.name', [value('checkout-7d', 1020, 59)]),
      facet('resource.host.name', [value('node-1', 1020, 59)]),
    ],
    facetShare: 1,
    skipped: [],
  };
  const asked = show('/services/checkout?range=3h', { red, edges: EDGES, overview });
  const versions = await screen.findByRole('table', { name: 'Versions of checkout' });
  expect(
    within(versions)
      .getAllByRole('row')
      .slice(1)
      .map((row) => row.textContent),
  ).toEqual(['1.4.29001 %', '1.5.010050 %']);
  expect(screen.getByText('20 spans say nothing of it')).toBeTruthy();
  const link = new URL(within(versions).getByText('1.5.0').getAttribute('href') ?? '', 'http://x');
  expect(link.searchParams.get('q')).toBe(
    '{ resource.service.name = "checkout" && resource.service.version = "1.5.0" }',
  );
  expect([link.searchParams.get('scope'), link.searchParams.get('range')]).toEqual(['spans', '3h']);
  const instances = screen.getByRole('table', { name: 'Instances of checkout' });
  expect(
    within(instances)
      .getAllByRole('rowheader')
      .map(({ textContent }) => textContent),
  ).toEqual(['checkout-7d']);
  expect(within(instances).getByRole('columnheader', { name: 'k8s.pod.name' })).toBeTruthy();
  const question = asked.find((url) => url.startsWith('overview')) ?? '';
  expect(new URL(question, 'http://x').searchParams.getAll('facets')).toHaveLength(4);
});

test('what fails fails alone', async () => {
  show('/services/checkout', { red });
  expect(await screen.findByText('The calls could not be read')).toBeTruthy();
  expect(screen.getByText('GET /cart')).toBeTruthy();
});

test('a kind without spans says so and leads back', async () => {
  show('/services/checkout?kind=internal');
  expect(await screen.findByText('checkout had no internal spans in this time')).toBeTruthy();
  expect(screen.getByRole('link', { name: 'Entering the service' }).getAttribute('href')).toBe('/services/checkout');
});

test('a silent service says when it was heard last', async () => {
  const lastNs = String(BigInt(Date.now() - 3 * 3_600_000) * 1_000_000n);
  const status = statusAnswer({}, { services: [{ service: 'checkout', lastNs, operations: 1 }] });
  show('/services/checkout?range=5m', { red: redAnswer([]), edges: EDGES, status });
  expect(await screen.findByText('Its last span came 3 h ago.')).toBeTruthy();
  cleanup();
  show('/services/nobody', { red: redAnswer([]), edges: EDGES, status });
  expect(await screen.findByText('No service of this name was ever heard of here.')).toBeTruthy();
});

test("Jaeger's page of a service is this one", async () => {
  const asked = show('/monitor?service=checkout&spanKind=client&timeframe=3600000');
  await screen.findByText('SELECT');
  expect(asked.some((url) => url.includes('kind=client'))).toBe(true);
});
