// @vitest-environment happy-dom
// The parts of the search page that draw nothing: the grid of all matches, files, the live list, one search.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FORMATS } from './download.ts';
import { found, ndjson, overview, START_NS, serve, trace } from './explore.testing.tsx';
import {
  around,
  type Cell,
  cellAt,
  countIn,
  instantAt,
  latencyOf,
  type Overview,
  overviewOf,
  snapped,
  walk,
} from './overview.ts';
import { rowsOf } from './rows.ts';
import { forgetSearches, isRunning, searchOf } from './searchRun.ts';
import { TAIL_ROWS_MAX, Tail } from './tail.ts';

const grid = overviewOf(overview);
const size = { width: 100, height: 120 };

beforeEach(forgetSearches);
afterEach(() => vi.unstubAllGlobals());

test('the overview shows the rows with something in them, in a frame that is not too tight', () => {
  expect(grid.grid.steps).toBe(10);
  expect(grid.buckets.map(({ fromNs }) => fromNs / 1e6)).toEqual([1, 2, 4, 8, 16, 32, 64, 128]);
  expect([...grid.steps.counts]).toEqual([0, 1_010, 0, 0, 190, 0, 0, 0, 0, 0]);
  expect([...grid.steps.errors]).toEqual([0, 9, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(grid.asPoints).toBeNull();
  expect(instantAt(grid, 0.5)).toBe(START_NS + 50_000_000_000n);
});

test('many rows of the server become few that can be told apart; their slowest stays', () => {
  const buckets = Array.from({ length: 61 }, (_, i) => ({ fromNs: 1e3 * 1.2 ** i, toNs: 1e3 * 1.2 ** (i + 1) }));
  const slowest = [0, 1, 2].map((i) => ({ traceId: `${i}`, spanId: null, durationNs: 1e3 * 1.2 ** (i * 30 + 0.5) }));
  const cells = { step: [0, 0, 0], bucket: [0, 30, 60], count: [1, 2, 3], errors: [0, 0, 0], slowest };
  const merged = overviewOf({ ...overview, buckets, cells });
  expect(merged.buckets.length).toBeLessThanOrEqual(20);
  expect(merged.buckets.at(-1)?.toNs).toBe(buckets.at(-1)?.toNs);
  expect(merged.cells.map(({ count }) => count)).toEqual([1, 2, 3]);
  expect(merged.cells[2]?.slowest.traceId).toBe('2');
});

test('few matches are points at their own latency', () => {
  const few = overviewOf({ ...overview, points: 3 });
  expect(few.asPoints).toHaveLength(3);
  const [first] = few.asPoints ?? [];
  expect(first?.x).toBeCloseTo(0.15);
  // 3.9 of 2 to 4 ms, the second of eight rows.
  expect(first?.y).toBeCloseTo((1 + Math.log2(3.9 / 2)) / 8, 5);
});

test('where all failed, shades still say how many', () => {
  const all = overviewOf({ ...overview, errors: 1_200 });
  expect(Math.max(...Array.from(all.grid.errors))).toBe(0);
  expect(all.cells.some(({ errors }) => errors > 0)).toBe(true);
});

test('the cell under the pointer is found, or the nearest within reach', () => {
  const [low, , high] = [grid.cells[0], grid.cells[2], grid.cells[1]] as [Cell, Cell, Cell];
  expect(cellAt(grid, { x: 0.15, y: 2.5 / 8 }, size)).toBe(low);
  expect(cellAt(grid, { x: 0.15, y: 5.2 / 8 }, size)).toBe(high);
  expect(cellAt(grid, { x: 0.15, y: 4.9 / 8 }, size)).toBe(high);
  expect(cellAt(grid, { x: 0.9, y: 0.9 }, size)).toBeNull();
});

test('keys walk to the next column with something in it, at the nearest height', () => {
  const [low, high, other] = grid.cells as [Cell, Cell, Cell];
  expect(walk(grid, null, 'ArrowLeft')).toBe(other);
  expect(walk(grid, other, 'ArrowLeft')).toBe(low);
  expect(walk(grid, low, 'ArrowUp')).toBe(high);
  expect(walk(grid, high, 'ArrowUp')).toBe(high);
  expect(walk(grid, high, 'ArrowRight')).toBe(other);
  expect(walk(grid, other, 'ArrowRight')).toBe(other);
  expect(walk(grid, other, 'Home')).toBe(low);
});

test('a selection grows to whole cells and becomes bounds that people read', () => {
  const area = snapped(grid, { left: 0.11, right: 0.15, bottom: 0.3, top: 0.7 });
  expect(area).toEqual({ left: 0.1, right: 0.2, bottom: 0.25, top: 0.75 });
  expect(countIn(grid, area)).toBe(1_010);
  expect(latencyOf(grid, area)).toEqual({ from: 4_000_000, to: 64_000_000 });
  expect(latencyOf(grid, { ...area, bottom: 0, top: 1 })).toEqual({ from: null, to: null });
  const odd: Overview = { ...grid, buckets: [{ fromNs: 983_040, toNs: 125_829_120 }, ...grid.buckets.slice(1)] };
  expect(latencyOf(odd, { ...area, bottom: 0, top: 1 / 8 }).to).toBe(126_000_000);
  const [low, high] = grid.cells as [Cell, Cell];
  expect(around(low, high)).toMatchObject({ bottom: low.bottom, top: high.top });
});

test('CSV quotes what it must and runs no formulas; JSON lines keep everything', () => {
  const name = '=cmd("x"), \n1';
  const rows = rowsOf([trace(2, { root: { service: 'web', name, kind: 'server' } })], 'traces');
  const { csv, jsonl } = FORMATS;
  expect(csv.head(['kind']).trim()).toBe('trace_id,span_id,start,service,name,duration_ns,spans,errors,kind');
  expect(csv.body(rows, ['kind'])).toContain(`,2026-11-28T08:53:22.000000000Z,web,"'=cmd(""x""), \n1",2000000,2,0,`);
  const line = JSON.parse(jsonl.body(rows, ['kind']));
  expect(line).toMatchObject({ name, durationNs: 2e6, columns: { kind: null }, spanId: null });
});

test('the same search is asked once, and one that nobody wants ends', async () => {
  vi.useFakeTimers();
  const { asked } = serve({ search: () => new Promise<Response>(() => undefined) });
  const question = { q: '', scope: 'traces', sort: 'newest', cols: [], limit: 50, from: 1n, to: 2n } as const;
  const run = searchOf(question);
  const leave = run.subscribe(() => undefined);
  expect(searchOf({ ...question })).toBe(run);
  expect(asked('search')).toHaveLength(1);
  leave();
  expect(isRunning(run.state)).toBe(true);
  await vi.advanceTimersByTimeAsync(1_500);
  expect(run.state.phase).toBe('cancelled');
  expect(searchOf(question)).not.toBe(run);
  vi.useRealTimers();
});

test('a search that breaks off keeps what came and says so', async () => {
  const [first] = found([trace(1)]);
  serve({ search: () => ndjson([...(first ? [first] : []), { type: 'progress', found: 1, elapsedMs: 1 }]) });
  const run = searchOf({ q: 'b', scope: 'traces', sort: 'newest', cols: [], limit: 50, from: 1n, to: 2n });
  await vi.waitFor(() => expect(run.state.phase).toBe('failed'));
  expect(run.state.traces).toHaveLength(1);
  expect(run.state.error?.message).toBe('The answer ended too early.');
});

test('the live list is bounded, newest first; what was left out is counted; paused it stands still', async () => {
  vi.useFakeTimers();
  const opened: { body?: ReadableStreamDefaultController<Uint8Array>; signal?: AbortSignal } = {};
  vi.stubGlobal('fetch', async (_: string, { signal }: { signal: AbortSignal }) => {
    const start = (body: ReadableStreamDefaultController<Uint8Array>) => Object.assign(opened, { body, signal });
    return new Response(new ReadableStream<Uint8Array>({ start: (body) => void start(body) }));
  });
  const tail = new Tail({ q: '{ }', scope: 'traces', cols: [] });
  await vi.waitFor(() => expect(tail.state.phase).toBe('open'));
  const bytes = new TextEncoder();
  const send = (event: unknown) => opened.body?.enqueue(bytes.encode(`data: ${JSON.stringify(event)}\n\n`));
  const span = (n: number) => ({ traceId: `${n}`, span: {} });
  send({ type: 'spans', spans: Array.from({ length: 700 }, (_, n) => span(n)) });
  send({ type: 'dropped', spans: 12 });
  expect(tail.state.spans).toHaveLength(0);
  await vi.waitFor(() => expect([tail.state.received, tail.state.dropped]).toEqual([700, 12]));
  await vi.advanceTimersByTimeAsync(300);
  expect(tail.state.spans).toHaveLength(TAIL_ROWS_MAX);
  expect(tail.state.spans[0]?.traceId).toBe('699');
  tail.setPaused(true);
  send({ type: 'spans', spans: [span(1_000)] });
  await vi.waitFor(() => expect(tail.state.received).toBe(701));
  await vi.advanceTimersByTimeAsync(300);
  expect(tail.state.spans[0]?.traceId).toBe('699');
  tail.setPaused(false);
  expect(tail.state.spans[0]?.traceId).toBe('1000');
  tail.close();
  expect(opened.signal?.aborted).toBe(true);
  vi.useRealTimers();
});
