// @vitest-environment happy-dom
// The search page with what does not come from a search: traces that a link names, files, spans as they arrive.

import { act, cleanup, configure, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { TailEvent } from '../../api/types.ts';
import { resetPreferences } from '../../core/preferences.ts';
import { startHere } from '../../worker/here.ts';
import { failed, found, matchedSpan, ndjson, pretendLayout, query, serve, show, trace } from './explore.testing.tsx';
import { TRY_AGAIN_MS } from './tail.ts';

// What a worker does is done here: there are none.
vi.mock('../../worker/client.ts', async (original) => ({
  ...(await original<typeof import('../../worker/client.ts')>()),
  startTraceWorker: () => startHere((input, init) => fetch(input, init)),
}));

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
  vi.useRealTimers();
});

const rows = () => screen.findByRole('table', { name: 'Results' }).then((table) => within(table).getAllByRole('row'));
const rowOf = (name: RegExp) => screen.findByRole('row', { name });

test('traces of a link are listed in its order, at the spans that it names; missing ones are told', async () => {
  const spanId = '00000000000000ab';
  const matched = [matchedSpan({ spanId })];
  const { asked } = serve({ search: () => ndjson(found([trace(3), trace(2, { matched })])) });
  show(`/search?traceID=2&traceID=3&traceID=9&span=${spanId}@2`);
  await rowOf(/GET \/2/);
  expect(asked('search')[0]?.searchParams.get('q')).toContain(`trace:id = "${trace(2).traceId}" || trace:id = `);
  const links = (await rows()).slice(1).map((row) => within(row).getByRole('link').getAttribute('href'));
  expect(links).toEqual([`/trace/${trace(2).traceId}?span=${spanId}`, `/trace/${trace(3).traceId}`]);
  expect(screen.getByText(/1 trace was not found: 0+9/)).toBeTruthy();
});

test('spans that a link names are kept whether or not they are among the few in the answer', async () => {
  serve({ search: () => ndjson(found([trace(2, { matched: [matchedSpan()] }), trace(3)])) });
  show('/search?span=00f067aa0ba902b7@2&span=a1+b2@3');
  await rowOf(/GET \/2/);
  const links = (await rows()).slice(1).map((row) => within(row).getByRole('link').getAttribute('href'));
  expect(links).toEqual([
    `/trace/${trace(2).traceId}?span=00f067aa0ba902b7`,
    `/trace/${trace(3).traceId}?find=00000000000000a1+00000000000000b2`,
  ]);
});

test('files dropped on the page are opened here: several traces are listed, and nothing is sent', async () => {
  const { asked } = serve();
  show('/search');
  await rowOf(/GET \/2/);
  const before = asked('search').length;
  const span = (traceID: string) => ({
    traceID,
    spanID: '1',
    operationName: `of ${traceID}`,
    references: [],
    startTime: 1_795_856_000_000_000,
    duration: 5_000,
    tags: [],
    logs: [],
    processID: 'p',
  });
  const processes = { p: { serviceName: 'filed', tags: [] } };
  const data = ['abc1', 'abc2'].map((traceID) => ({ traceID, spans: [span(traceID)], processes }));
  const files = [new File([JSON.stringify({ data })], 'traces.json'), new File(['no'], 'odd.txt')];
  const drop = (type: string) =>
    act(() => {
      window.dispatchEvent(Object.assign(new Event(type), { dataTransfer: { types: ['Files'], files } }));
    });
  drop('dragover');
  expect(screen.getByText(/Drop the file/)).toBeTruthy();
  drop('drop');
  expect(await rowOf(/filed of abc1/)).toBeTruthy();
  expect(
    query()
      .getAll('traceID')
      .map((id) => id.slice(-4)),
  ).toEqual(['abc1', 'abc2']);
  expect(screen.getByText(/odd.txt, line 1, column 1: it is not JSON: there is “n” where a value/)).toBeTruthy();
  expect(asked('search')).toHaveLength(before);
});

test('how far the reading of a file is, is told; it can be given up', async () => {
  serve();
  show('/search');
  await rowOf(/GET \/2/);
  const file = new File(['x'], 'big.json');
  Object.defineProperty(file, 'size', { value: 90_000_000 });
  Object.defineProperty(file, 'stream', { value: () => new ReadableStream() });
  act(() => {
    window.dispatchEvent(Object.assign(new Event('drop'), { dataTransfer: { types: ['Files'], files: [file] } }));
  });
  expect(await screen.findByText('Reading big.json: 0 B of 90 MB')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  expect(screen.queryByText(/Reading big.json/)).toBeNull();
  expect(screen.queryByText(/big.json/)).toBeNull();
});

/** An answer that goes on: events are written as they come, until it is ended. */
function following(): { answer: Response; write: (event: TailEvent) => void; end: () => void } {
  let writer: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      writer = controller;
    },
  });
  const bytes = new TextEncoder();
  return {
    answer: new Response(body),
    write: (event) => writer?.enqueue(bytes.encode(`data: ${JSON.stringify(event)}\n\n:\n\n`)),
    end: () => writer?.close(),
  };
}

test('what arrives can be followed: the list says how much came and stops when one wants', async () => {
  const tail = following();
  const { asked } = serve({ tail: (url: URL) => (url.search.includes('entry') ? tail : following()).answer });
  show('/search?live=1&scope=entry&cols=span.http.route');
  await screen.findByText('Waiting for spans…');
  const span = matchedSpan({ columns: ['/pay'] });
  tail.write({ type: 'spans', spans: [{ traceId: trace(4).traceId, span }] });
  tail.write({ type: 'dropped', spans: 7 });
  const row = await rowOf(/cart pay/);
  expect(within(row).getByRole('link').getAttribute('href')).toContain(`${trace(4).traceId}?span=00000000000000ab`);
  expect(within(row).getByText('/pay')).toBeTruthy();
  expect(screen.getByText('7 left out: they came too fast')).toBeTruthy();
  expect(asked('search')).toHaveLength(0);
  expect(asked('tail').map(({ search }) => search)).toEqual(['?scope=entry&cols=span.http.route']);
  // Another choice is followed at once.
  await userEvent.click(screen.getByRole('radio', { name: 'All spans' }));
  await waitFor(() => expect(asked('tail').at(-1)?.searchParams.get('scope')).toBe('spans'));
  expect(screen.getByRole('button', { name: 'Columns' })).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Stop' }));
  expect(query().get('live')).toBeNull();
});

test('why spans can not be followed is said in the words of the server, and nothing is tried until one wants', async () => {
  let isRefused = true;
  const tail = following();
  const { asked } = serve({ tail: () => (isRefused ? failed(422, 'not of a whole trace') : tail.answer) });
  show('/search?live=1&q=%7B%20traceDuration%20%3E%201s%20%7D');
  const box = await screen.findByRole('alert');
  expect(box.textContent).toMatch(/not of a whole trace.*a hint/);
  expect(screen.queryByText(/trying again/)).toBeNull();
  isRefused = false;
  await userEvent.click(within(box).getByRole('button', { name: 'Retry' }));
  await screen.findByText('Waiting for spans…');
  expect(screen.queryByRole('alert')).toBeNull();
  expect(asked('tail')).toHaveLength(2);
});

test('a connection that was lost is tried again, and what came stays', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const tails = [following(), following()];
  let at = 0;
  const { asked } = serve({ tail: () => tails[at++]?.answer });
  show('/search?live=1');
  await screen.findByText('Waiting for spans…');
  tails[0]?.write({ type: 'spans', spans: [{ traceId: trace(4).traceId, span: matchedSpan() }] });
  await rowOf(/cart pay/);
  tails[0]?.end();
  await screen.findByText('The connection was lost; trying again');
  await act(() => vi.advanceTimersByTimeAsync(TRY_AGAIN_MS));
  await screen.findByText('Spans as they arrive');
  expect(asked('tail')).toHaveLength(2);
  expect(await rowOf(/cart pay/)).toBeTruthy();
});
