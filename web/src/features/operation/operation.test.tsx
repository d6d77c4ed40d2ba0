// @vitest-environment happy-dom
// The page of an operation: its series among others, what its time is made of, durations over time by key and as a
// table.

import { cleanup, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import type { OverviewAnswer, PathAnswer } from '../../api/types.ts';
import { goTo, useRoute } from '../../core/navigation.ts';
import { fakeServer, renderPage } from '../../core/pages.testing.tsx';
import { redAnswer, redPoint, redSeries } from '../../model/red.testing.ts';
import type { RouteOf } from '../../url/index.ts';
import { worstCells } from './heat.ts';
import Operation from './route.tsx';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const RED = redAnswer([
  redSeries('checkout', redPoint(180, 9, 50), {
    operation: 'GET /a/b',
    kind: 'server',
    ownNs: 3e9,
    criticalNs: 1.5e9,
    failed: TRACE,
  }),
  redSeries('checkout', redPoint(600, 0, 5), { operation: 'GET /a/b', kind: 'client', ownNs: 1e9, criticalNs: 0 }),
  redSeries('checkout', redPoint(60), { operation: 'other', kind: 'server' }),
]);
const pointer = (durationNs: number) => ({ traceId: TRACE, spanId: SPAN, durationNs });
const OVERVIEW: OverviewAnswer = {
  fromNs: '1795852740000000000',
  toNs: '1795852920000000000',
  stepNs: 60e9,
  points: 12,
  errors: 1,
  spans: 12,
  cells: {
    step: [0, 0, 2],
    bucket: [0, 1, 1],
    count: [7, 2, 3],
    errors: [0, 1, 0],
    slowest: [pointer(4e6), pointer(90e6), pointer(60e6)],
  },
  buckets: [
    { fromNs: 1e6, toNs: 10e6 },
    { fromNs: 10e6, toNs: 100e6 },
  ],
  facets: [],
  facetShare: 1,
  skipped: [],
};
const PATH: PathAnswer = {
  spans: 40,
  meanNs: 100e6,
  parts: [
    {
      ...{ service: 'bank', operation: 'debit', meanNs: 70e6, share: 0.7, calls: 1.5, ofSpans: 40 },
      ...{ traceId: TRACE, spanId: SPAN },
    },
    {
      ...{ service: 'checkout', operation: 'GET /a/b', meanNs: 30e6, share: 0.3, calls: 1, ofSpans: 40 },
      ...{ traceId: TRACE, spanId: SPAN },
    },
  ],
  others: 0,
  attributes: ['span.card'],
  leftOut: 2,
  skipped: [],
};

function Page() {
  const route = useRoute();
  return route.page === 'operation' ? <Operation route={route as RouteOf<'operation'>} /> : null;
}

function show(url: string, answers: Parameters<typeof fakeServer>[0] = { red: RED, overview: OVERVIEW, path: PATH }) {
  const asked = fakeServer(answers);
  goTo(url);
  renderPage(<Page />);
  return asked;
}

const URL_OF = '/services/checkout/GET%20%2Fa%2Fb';

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test('of a name with two kinds the one that serves is shown, and the other can be chosen', async () => {
  show(URL_OF);
  expect(await screen.findByText('5 %')).toBeTruthy();
  await userEvent.click(screen.getByRole('radio', { name: 'client' }));
  expect(new URL(location.href).searchParams.get('kind')).toBe('client');
  const explore = new URL(screen.getByRole('link', { name: 'Explore' }).getAttribute('href') ?? '', 'http://x');
  expect(explore.searchParams.get('q')).toBe(
    '{ resource.service.name = "checkout" && name = "GET /a/b" && kind = client }',
  );
});

test('what its time is made of', async () => {
  show(URL_OF);
  const part = await screen.findByRole('region', { name: 'What its time is made of' });
  const shares = within(part)
    .getAllByRole('meter')
    .map((meter) => meter.getAttribute('aria-valuetext'));
  expect(shares).toEqual(['75 %', '100 %', '50 %']);
});

test('time that is not known yet is not shown as nothing', async () => {
  show('/services/checkout/other', { red: redAnswer([redSeries('checkout', redPoint(60), { operation: 'other' })]) });
  expect(await screen.findByText(/Not known yet/)).toBeTruthy();
});

test('the slowest span of each moment is read by arrows and opened by Enter', async () => {
  show(URL_OF);
  const heat = await screen.findByRole('slider', { name: 'Durations of GET /a/b over time' });
  heat.focus();
  await userEvent.keyboard('{ArrowRight}');
  expect(heat.getAttribute('aria-valuetext')).toContain('2 spans, 1 error, slowest 90 ms');
  await userEvent.keyboard('{ArrowRight}');
  expect(heat.getAttribute('aria-valuetext')).toContain('slowest 60 ms');
  await userEvent.keyboard('{Enter}');
  expect(location.pathname + location.search).toBe(`/trace/${TRACE}?span=${SPAN}`);
});

test('durations over time have a table, the latest first', async () => {
  show(`${URL_OF}?as=table`);
  const table = await screen.findByRole('table', { name: 'Durations of GET /a/b over time' });
  const rows = within(table).getAllByRole('row').slice(1);
  expect(rows.map((row) => row.textContent?.replace(/^.*:\d\d/, ''))).toEqual(['3060 ms', '9190 ms']);
  expect(worstCells(OVERVIEW)).toEqual([
    { step: 0, cell: 1 },
    { step: 2, cell: 2 },
  ]);
});

test('the rest lives when the durations have no answer', async () => {
  show(URL_OF, { red: RED });
  expect(await screen.findByText('The durations could not be read')).toBeTruthy();
  expect(screen.getByRole('link', { name: 'A failing trace' }).getAttribute('href')).toBe(`/trace/${TRACE}`);
});

test('an operation that was silent offers longer times', async () => {
  show('/services/checkout/gone?range=5m');
  expect(await screen.findByText('No spans of gone in this time')).toBeTruthy();
  expect(screen.getByRole('link', { name: 'Last 7 days' }).getAttribute('href')).toBe(
    '/services/checkout/gone?range=7d',
  );
});

test('its time goes to the operations on its critical path, the largest part first, with an example of each', async () => {
  const asked = show('/services/checkout/GET%20%2Fa%2Fb?kind=server');
  const table = await screen.findByRole('table', { name: 'Average critical path' });
  const rows = within(table).getAllByRole('row').slice(1);
  expect(rows.map((row) => row.textContent)).toEqual([
    expect.stringMatching(/bank.*debit.*70 %.*70 ms.*1\.5/),
    expect.stringMatching(/checkout.*GET \/a\/b.*itself.*30 %.*30 ms/),
  ]);
  const example = within(rows[0] as HTMLElement).getByRole('link', { name: 'Trace' });
  expect(example.getAttribute('href')).toContain(`/trace/${TRACE}?span=${SPAN}`);
  screen.getByText(/a sample of 40 spans went, 100 ms on average/);
  screen.getByText('2 traces were too long to be looked at.');
  const path = asked.find((url) => url.startsWith('path?'));
  expect(path).toMatch(/service=checkout&operation=GET.*&kind=server&from=/);
});

test('attributes that tell its spans apart, each value a search of the operation', async () => {
  const value = (text: string, count: number, errors: number) => ({ value: text, literal: `"${text}"`, count, errors });
  const overview = (url: URL) => {
    const fields = url.searchParams.getAll('facets');
    const values = [value('visa', 30, 3), value('amex', 10, 0)];
    const facets = fields.map((field) => ({
      field,
      values: field === 'span.card' ? values : [value('same', 40, 3)],
      others: 0,
      missing: 0,
    }));
    return { ...OVERVIEW, facets };
  };
  const path = { ...PATH, attributes: ['span.card', 'span.same'] };
  show('/services/checkout/GET%20%2Fa%2Fb?range=3h&kind=server', { red: RED, overview, path });
  const table = await screen.findByRole('table', { name: 'Values of span.card of GET /a/b' });
  expect(
    within(table)
      .getAllByRole('row')
      .slice(1)
      .map((row) => row.textContent),
  ).toEqual(['visa3010 %', 'amex100 %']);
  const link = new URL(within(table).getByText('visa').getAttribute('href') ?? '', 'http://x');
  expect(link.searchParams.get('q')).toBe(
    '{ resource.service.name = "checkout" && name = "GET /a/b" && kind = server && span.card = "visa" }',
  );
  expect([link.searchParams.get('scope'), link.searchParams.get('range')]).toEqual(['spans', '3h']);
  // What all of them have is no difference.
  expect(screen.queryByRole('table', { name: 'Values of span.same of GET /a/b' })).toBeNull();
});

test('without repeating attributes nothing is said of them, and without a difference that there is none', async () => {
  show('/services/checkout/GET%20%2Fa%2Fb', { red: RED, overview: OVERVIEW, path: { ...PATH, attributes: [] } });
  await screen.findByRole('heading', { name: 'Average critical path' });
  await screen.findByRole('table', { name: /critical path/i });
  expect(screen.queryByRole('heading', { name: 'Attributes' })).toBeNull();
  cleanup();
  show('/services/checkout/GET%20%2Fa%2Fb', { red: RED, overview: OVERVIEW, path: PATH });
  expect(await screen.findByText('No attribute tells its spans apart.')).toBeTruthy();
});
