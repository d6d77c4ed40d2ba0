// @vitest-environment happy-dom
// The search page as a whole: what it asks, what it shows of the answers, in all states.

import { act, cleanup, configure, fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { goTo } from '../../core/navigation.ts';
import { prefer, preferences, resetPreferences } from '../../core/preferences.ts';
import {
  failed,
  found,
  matchedSpan,
  ndjson,
  overview,
  pretendLayout,
  query,
  START_NS,
  serve,
  show,
  trace,
} from './explore.testing.tsx';

// Whole pages take their time without a browser.
configure({ asyncUtilTimeout: 5_000 });
vi.setConfig({ testTimeout: 20_000 });

beforeEach(() => {
  pretendLayout();
  resetPreferences();
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const rowOf = (name: RegExp) => screen.findByRole('row', { name });

test('without a query everything of the last hour is listed, newest first, with about how many there are', async () => {
  const first = ndjson(found([trace(2), trace(3)], 'next'));
  const { asked } = serve({
    search: (url: URL) => (url.searchParams.has('cursor') ? new Promise<Response>(() => undefined) : first),
  });
  show('/search');
  await rowOf(/GET \/2/);
  const [search] = asked('search');
  expect(Object.fromEntries(search?.searchParams ?? [])).toMatchObject({
    scope: 'traces',
    sort: 'newest',
    limit: '50',
  });
  const { from, to } = Object.fromEntries(search?.searchParams ?? []);
  expect(BigInt(to ?? 0) - BigInt(from ?? 0)).toBe(3_600_000_000_000n);
  expect(await screen.findByText('2 of about 1,200 traces')).toBeTruthy();
  const row = await rowOf(/GET \/3/);
  expect(within(row).getByText('1 error')).toBeTruthy();
  expect(within(row).getByText('2 services')).toBeTruthy();
});

test('where the store counts nothing, services and names are listed without counts, and nothing looks broken', async () => {
  serve({ overview: () => failed(501, "this backend can't show all that matches") });
  show('/search');
  await rowOf(/GET \/2/);
  const facets = await screen.findByRole('complementary', { name: 'Facets' });
  const service = await within(facets).findByRole('region', { name: 'service' });
  expect(within(service).getByText('cart')).toBeTruthy();
  expect(within(service).queryByText('812')).toBeNull();
  expect(screen.queryByText(/can't show/)).toBeNull();
  fireEvent.click(within(service).getByTitle('Only cart'));
  await waitFor(() => expect(query().toString()).toContain('cart'));
});

test('the end of the list asks for more by the cursor; a page without any asks only by hand', async () => {
  const answers = [found([trace(2)], 'one'), found([trace(5)], 'two'), found([], 'three'), found([trace(7)])];
  const { asked } = serve({ search: () => ndjson(answers.shift() ?? []) });
  show('/search');
  const further = await screen.findByRole('button', { name: 'Look further back' });
  expect(asked('search').map((url) => url.searchParams.get('cursor'))).toEqual([null, 'one', 'two']);
  await userEvent.click(further);
  await rowOf(/GET \/7/);
  expect(screen.getAllByText('3 traces').length).toBeGreaterThan(0);
});

test('rows come before the search has ended', async () => {
  let end: (() => void) | undefined;
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      const write = (line: unknown) => controller.enqueue(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
      write({ type: 'trace', trace: trace(2) });
      write({ type: 'progress', found: 1, elapsedMs: 1 });
      end = () => {
        for (const line of found([trace(4)])) write(line);
        controller.close();
      };
    },
  });
  serve({ search: () => new Response(stream) });
  show('/search');
  await rowOf(/GET \/2/);
  expect(screen.getByText('streaming')).toBeTruthy();
  act(() => end?.());
  await rowOf(/GET \/4/);
  expect(screen.queryByText('streaming')).toBeNull();
});

test('scope, order and columns are in the address and are asked of the server', async () => {
  const matched = [matchedSpan({ columns: ['/pay'] })];
  const { asked } = serve({ search: () => ndjson(found([trace(2, { matched, matchedSpans: 1 })])) });
  show('/search?cols=span.http.route');
  await rowOf(/GET \/2/);
  expect(screen.getByRole('columnheader', { name: 'http.route' })).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Duration' }));
  expect(query().get('sort')).toBe('slowest');
  await userEvent.click(screen.getByRole('radio', { name: 'All spans' }));
  expect(query().get('scope')).toBe('spans');
  const row = await rowOf(/cart pay/);
  expect(within(row).getByText('/pay')).toBeTruthy();
  expect(within(row).getByRole('link').getAttribute('href')).toContain(`${trace(2).traceId}?span=00000000000000ab`);
  const last = asked('search').at(-1)?.searchParams;
  expect(last?.getAll('cols')).toEqual(['span.http.route']);
  expect([last?.get('sort'), last?.get('scope')]).toEqual(['slowest', 'spans']);
});

test('keys walk over the rows, x puts aside for comparing, f filters, Enter opens at the span that matched', async () => {
  const matched = [matchedSpan()];
  serve({ search: () => ndjson(found([trace(2, { matched, matchedSpans: 3 }), trace(3)])) });
  show('/search?q={ status = error }');
  const row = await rowOf(/GET \/2/);
  act(() => row.focus());
  await userEvent.keyboard('x');
  expect(preferences().basket).toEqual([trace(2).traceId]);
  await userEvent.keyboard('jk{Enter}');
  expect(location.pathname).toBe(`/trace/${trace(2).traceId}`);
  expect(Object.fromEntries(query())).toEqual({ span: '00000000000000ab', find: '{ status = error }' });
});

test('f on a row adds its operation to the query, Shift+F excludes it', async () => {
  serve();
  show('/search');
  const row = await rowOf(/GET \/2/);
  act(() => row.focus());
  await userEvent.keyboard('f');
  expect(query().get('q')).toBe('{ rootName = "GET /2" }');
});

test('a value of a facet includes and excludes itself; another press takes it back', async () => {
  serve();
  show('/search?q={ status = error }');
  const service = await screen.findByRole('region', { name: 'service' });
  expect(within(service).getByText('812')).toBeTruthy();
  await screen.findByText('status');
  const press = async (name: string, item: string) => {
    const group = await screen.findByRole('region', { name });
    await userEvent.click(within(group).getAllByRole('button', { name: item })[0] as HTMLElement);
  };
  await press('service', 'cart');
  await userEvent.click(await screen.findByRole('menuitem', { name: /^Only this/ }));
  expect(query().get('q')).toBe('{ status = error && resource.service.name = "cart" }');
  await press('http.route', '/pay');
  await userEvent.click(await screen.findByRole('menuitem', { name: /^Exclude this/ }));
  expect(query().get('q')).toContain('&& !(span.http.route = "/pay") }');
  await press('service', 'cart');
  await userEvent.click(await screen.findByRole('menuitem', { name: /^Only this/ }));
  expect(query().get('q')).toBe('{ status = error && !(span.http.route = "/pay") }');
});

test('facets say that they count spans, whatever is listed', async () => {
  serve();
  show('/search');
  const facets = await screen.findByRole('complementary', { name: 'Facets' });
  const unit = await within(facets).findByText('spans');
  expect(unit.title).toMatch(/^How many of the matching spans/);
  expect(within(facets).getByText('812').title).toMatch(/^812 spans/);
});

test('facets are asked for: those that every span has, starred ones first; one can look for values', async () => {
  const { asked } = serve();
  show('/search');
  await screen.findByRole('region', { name: 'service' });
  const fields = () => asked('overview').at(-1)?.searchParams.getAll('facets');
  expect(fields()).toEqual(['resource.service.name', 'name', 'status', 'kind', 'span.http.route']);
  await userEvent.click(screen.getByRole('button', { name: 'Keep http.route at the top' }));
  await waitFor(() => expect(fields()?.[0]).toBe('span.http.route'));
  fireEvent.change(screen.getByRole('searchbox', { name: 'Find a field or value' }), { target: { value: 'we' } });
  expect(screen.queryByText('812')).toBeNull();
  expect(screen.getByText('640')).toBeTruthy();
});

test('an error of the search is shown in its place with a way to try again; everything else lives', async () => {
  let isDown = true;
  serve({ search: () => (isDown ? failed(500, 'the disk is gone') : ndjson(found([trace(2)]))) });
  show('/search');
  const alert = await screen.findByRole('alert');
  expect(alert.textContent).toContain('the disk is gone');
  expect(await screen.findByRole('region', { name: 'service' })).toBeTruthy();
  isDown = false;
  await userEvent.click(within(alert).getByRole('button', { name: 'Retry' }));
  await rowOf(/GET \/2/);
});

test('an error of the overview leaves the results alone', async () => {
  serve({ overview: () => failed(500, 'no overview today') });
  show('/search');
  await rowOf(/GET \/2/);
  expect((await screen.findAllByText('no overview today')).length).toBeGreaterThan(0);
});

test('what was not read is told', async () => {
  const lines = found([trace(2)]);
  const done = lines.at(-1);
  if (done?.type === 'done') done.skipped.push({ what: 'segment 7', why: 'it is damaged' });
  serve({ search: () => ndjson(lines) });
  show('/search');
  expect(await screen.findByText('Not all is here: segment 7 (it is damaged)')).toBeTruthy();
});

test('no match says without which condition there are some, and drops it', async () => {
  serve({
    search: () => ndjson(found([])),
    overview: (url: URL) => {
      const points = { '': 900, '{ name = "x" }': 40 }[url.searchParams.get('q') ?? ''] ?? 0;
      return { ...overview, points };
    },
  });
  show('/search?q={ name = "x" %26%26 status = error }');
  await userEvent.click(await screen.findByRole('button', { name: 'Without status = error: 40' }));
  expect(query().get('q')).toBe('{ name = "x" }');
});

test('no data at all leads to the first steps; none in this range says when there were some', async () => {
  serve({ search: () => ndjson(found([])), status: { services: [] } });
  show('/search');
  expect(await screen.findByText('Nothing has arrived yet')).toBeTruthy();
  cleanup();
  serve({ search: () => ndjson(found([])) });
  show('/search?range=5m');
  expect(await screen.findByText('Nothing in this time range')).toBeTruthy();
  expect(screen.getByText(/The last spans arrived .* d ago/)).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Last 24 hours' }));
  expect(query().get('range')).toBe('24h');
  cleanup();
  serve({ search: () => ndjson(found([])), status: { services: [{ service: 'web', lastNs: String(START_NS) }] } });
  show('/search?range=5m');
  await userEvent.click(await screen.findByRole('button', { name: 'The last hour with spans' }));
  expect(query().get('to')).toBe('2026-11-28T08:53:20.000000001Z');
});

test('of many conditions eight are left out in turn, two at a time; what is not counted can be dropped', async () => {
  const waiting: (() => void)[] = [];
  let most = 0;
  const { asked } = serve({
    search: () => ndjson(found([])),
    status: { services: [{ service: 'web', lastNs: '9000000000000000000' }] },
    overview: (url: URL) => {
      // The charts ask for many steps.
      if (url.searchParams.get('steps') !== '1') return { ...overview, points: 0 };
      const q = url.searchParams.get('q') ?? '';
      return new Promise<Response>((resolve) => {
        const answer = () => {
          waiting.splice(waiting.indexOf(answer), 1);
          const points = q === '' ? 900 : q.includes('.k3') ? 0 : 40;
          resolve(q.includes('.k5') ? Response.json({ ...overview, points }) : failed(422, 'not counted'));
        };
        waiting.push(answer);
        most = Math.max(most, waiting.length);
        setTimeout(answer, 5);
      });
    },
  });
  const q = Array.from({ length: 10 }, (_, n) => `.k${n} = 1`).join(' && ');
  show(`/search?q=${encodeURIComponent(`{ ${q} }`)}`);
  expect(await screen.findByRole('button', { name: 'Without .k3 = 1: 40' })).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Without .k5 = 1' })).toBeTruthy();
  expect(screen.queryByRole('button', { name: /Without .k[08]/ })).toBeNull();
  expect(most).toBe(2);
  const left = asked('overview').filter((url) => url.searchParams.get('steps') === '1');
  expect(left).toHaveLength(9);
});

test('a slow search can be cancelled and asked again', async () => {
  serve({ search: () => new Promise<Response>(() => undefined) });
  show('/search');
  await userEvent.click(await screen.findByRole('button', { name: 'Cancel' }));
  expect((await screen.findAllByText(/Cancelled after/)).length).toBeGreaterThan(0);
  serve();
  await userEvent.click(screen.getByRole('button', { name: 'Search again' }));
  await rowOf(/GET \/2/);
});

test('a slow search says what it reads: range and query, also above the rows of the search before', async () => {
  prefer({ zone: 'UTC' });
  serve();
  show('/search');
  await rowOf(/GET \/2/);
  serve({ search: () => new Promise<Response>(() => undefined) });
  act(() => goTo('/search?range=24h&q={ status = error }'));
  expect(await screen.findByText(/Last 24 hours, for { status = error }/)).toBeTruthy();
  expect(screen.getAllByRole('button', { name: 'Cancel' }).length).toBeGreaterThan(0);
  expect(await rowOf(/GET \/2/)).toBeTruthy();
  act(() => goTo('/search?from=2026-11-28T10:00:00Z&to=2026-11-28T11:30:00Z'));
  expect(await screen.findByText(/all spans, 10:00:00 – 11:30:00 UTC/)).toBeTruthy();
  act(() => goTo('/search?traceID=abc&traceID=def'));
  expect(await screen.findByText(/the 2 traces of the link/)).toBeTruthy();
});

test('old links that only fill the form wait for the button', async () => {
  const { asked } = serve();
  show('/search?q={ status = error }&run=0');
  await screen.findByText('Nothing has been searched yet');
  expect(asked('search')).toEqual([]);
  await userEvent.click(screen.getAllByRole('button', { name: 'Run' })[0] as HTMLElement);
  await rowOf(/GET \/2/);
});

test('a limit beyond what a page may have is no error: the rest comes by the cursor', async () => {
  const { asked } = serve();
  show('/search?limit=5000');
  await rowOf(/GET \/2/);
  expect(asked('search')[0]?.searchParams.get('limit')).toBe('1000');
});

test('the graph of results shows the list with a word about it', async () => {
  serve();
  show('/search?service=web&view=ddg');
  await rowOf(/GET \/2/);
  expect(screen.getByText(/call graph of results does not exist yet/)).toBeTruthy();
});
