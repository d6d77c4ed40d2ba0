// What the web app takes on the real program: the first load, reactions to keys and pointers, and traces of 10,000,
// 100,000 and a million spans from the address to the first rows, scrolled, zoomed, closed, searched. Each figure of
// several times is their p95, and stands beside its budget; memory alone fails.

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBrowser, traceKeysReady } from '../e2e/browser.ts';
import { OtlpTrace } from '../e2e/otlp.ts';
import { type Program, sendOtlp, settle, startProgram } from '../e2e/program.ts';
import { measureFirstLoad, measureOpening, measureQuery, measureRoutes } from './appReactions.ts';
import { random } from './generate.ts';
import { Figures, p95, watchPage } from './reaction.ts';
import { measureDetails, measureFind, measureHover, measureRows } from './traceReactions.ts';

const SIZES = [10_000, 100_000, 1_000_000];
/** Milliseconds from the address to the first rows, with all that is cold. */
const FIRST_ROWS_MS: Readonly<Record<number, number>> = { 100000: 1_000, 1000000: 3_000 };
/** Traces that are opened from a list, and in how many milliseconds. */
const OPENED = [
  [1_000, 150],
  [10_000, 250],
] as const;
const FRAME_MS = 8;
const SMALL_TRACES = 3_000;
const SMALL_SPANS = 6;
const REQUEST_SPANS = 10_000;
const FRAMES = 120;
const SERVICES = 60;
const NAMES = 800;
/** What a trace may take in the page, in bytes: so many a span, and for everything else. */
const SPAN_BYTES_MAX = 64;
const BASE_BYTES_MAX = 20e6;

let browser: Browser;
let program: Program;
const figures = new Figures();
const sent = new Set<number>();

beforeAll(async () => {
  [browser, program] = await Promise.all([startBrowser(), startProgram(['--set', 'memory.limit=1GiB'])]);
});

afterAll(async () => {
  await browser.close();
  await program.stop();
  const machine = `${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown'}`;
  const out = new URL('../../bench/out/', import.meta.url).pathname;
  mkdirSync(out, { recursive: true });
  writeFileSync(`${out}UI.json`, `${JSON.stringify({ machine, figures }, null, 2)}\n`);
  console.log(`${machine}; milliseconds as figure (budget)`);
  figures.print();
});

function traceIdOf(spans: number): string {
  return `eeee${spans.toString(16).padStart(28, '0')}`;
}

/** A trace as loops and calls make it: every span below one of the last few dozen. */
async function send(spans: number): Promise<void> {
  if (sent.has(spans)) return;
  sent.add(spans);
  const chance = random(7);
  const traceId = traceIdOf(spans);
  const start = Date.now() - 60_000;
  for (let from = 0; from < spans; from += REQUEST_SPANS) {
    const part = new OtlpTrace(traceId);
    for (let id = from; id < Math.min(from + REQUEST_SPANS, spans); id++) {
      const parent = id === 0 ? {} : { parent: Math.max(1, id - Math.floor(chance() * 38)) };
      const at = start + (id / spans) * 30_000;
      const service = `service-${id % SERVICES}`;
      const ms = id === 0 ? 30_000 : chance() * 40;
      const error = chance() < 0.01 ? { error: 'failed' } : {};
      part.span({
        id: id + 1,
        ...parent,
        service,
        name: `operation ${id % NAMES}`,
        kind: 'internal',
        at,
        ms,
        ...error,
      });
    }
    await sendOtlp(program, OtlpTrace.request([part]));
  }
}

/** Many small ones, for lists. */
async function sendSmall(): Promise<void> {
  const chance = random(8);
  for (let from = 0; from < SMALL_TRACES; from += 500) {
    const traces = Array.from({ length: 500 }, (_, n) => {
      const trace = OtlpTrace.numbered(from + n + 1);
      const start = Date.now() - 120_000 - chance() * 3_000_000;
      for (let id = 1; id <= SMALL_SPANS; id++) {
        const k = from + n + id;
        trace.span({
          id,
          ...(id === 1 ? {} : { parent: Math.ceil(id / 2) }),
          service: `service-${k % SERVICES}`,
          name: `operation ${k % NAMES}`,
          kind: 'server',
          at: start + id,
          ms: chance() * 200,
        });
      }
      return trace;
    });
    await sendOtlp(program, OtlpTrace.request(traces));
  }
}

async function frames(page: Page, step: (n: number) => Promise<void>): Promise<number> {
  await page.evaluate('window.frameMs.length = 0');
  for (let n = 0; n < FRAMES; n++) await step(n);
  return p95(await page.evaluate(() => window.frameMs));
}

/** Waits until between `from` and `to` rows are open. */
async function rowCount(page: Page, from: number, to: number): Promise<void> {
  await page.waitForFunction(
    ([low, high]) => {
      const rows = Number(document.querySelector('[role="treegrid"]')?.getAttribute('aria-rowcount'));
      return rows >= low && rows <= high;
    },
    [from, to] as const,
    { timeout: 60_000 },
  );
}

async function heapBytes(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize, backingStorageSize = 0 } = (await session.send('Runtime.getHeapUsage')) as {
    usedSize: number;
    backingStorageSize?: number;
  };
  return usedSize + backingStorageSize;
}

test('the app', async () => {
  await sendSmall();
  for (const [spans] of OPENED) await send(spans);
  await settle(program);
  const { url } = program;
  const canAsk = `document.querySelector('main h1') && document.querySelector('[aria-label="Conditions"]')`;
  const hasRows = `document.querySelector('[role="treegrid"] [role="row"][aria-level]')`;
  await measureFirstLoad(browser, `${url}/search`, 'Explore', canAsk, figures);
  await measureFirstLoad(browser, `${url}/trace/${traceIdOf(1_000)}`, 'a trace', hasRows, figures);
  await measureRoutes(browser, url, figures);
  await measureQuery(browser, url, figures);
  for (const [spans, budget] of OPENED) await measureOpening(browser, url, traceIdOf(spans), spans, budget, figures);
});

test.each(SIZES)('%i spans', async (spans) => {
  await send(spans);
  await settle(program);
  const on = `${spans} spans`;
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await watchPage(page);
  await page.goto(`${program.url}/settings`);
  await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
  const before = await heapBytes(page);
  const begin = Date.now();
  await page.goto(`${program.url}/trace/${traceIdOf(spans)}`);
  const rows = page.getByRole('treegrid').locator('[role="row"][aria-level]');
  await rows.first().waitFor();
  figures.put(on, 'first rows, ms', Date.now() - begin, FIRST_ROWS_MS[spans] ?? null);
  await rowCount(page, spans / 4, spans + 1);
  figures.put(on, 'whole trace, ms', Date.now() - begin);
  await traceKeysReady(page);
  const box = await page.getByRole('treegrid').boundingBox();
  if (box === null) throw new Error('the waterfall has no size');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const scroll = await frames(page, (n) => page.mouse.wheel(0, n % 2 === 0 ? 900 : 500));
  figures.put(on, 'scroll, script ms a frame', scroll, FRAME_MS);
  // Memory is that of a page that was used: all closed, the flame view looked at.
  await page.keyboard.press('{');
  await rowCount(page, 0, 100);
  await page.keyboard.press('2');
  await page.getByRole('application').first().waitFor();
  const zoom = await frames(page, async (n) => {
    await page.keyboard.press(n % 40 < 20 ? 'w' : 's');
  });
  figures.put(on, 'flame zoom, script ms a frame', zoom, FRAME_MS);
  const heap = (await heapBytes(page)) - before;
  const heapMax = spans * SPAN_BYTES_MAX + BASE_BYTES_MAX;
  figures.put(on, 'page memory, MB', heap / 1e6, heapMax / 1e6);
  await page.keyboard.press('0');
  await measureHover(page, on, figures);
  await page.keyboard.press('1');
  await page.keyboard.press('}');
  await rowCount(page, spans / 4, spans + 1);
  await page.keyboard.press('Home');
  await measureDetails(page, on, figures);
  await measureFind(page, on, figures);
  await measureRows(page, on, spans, figures);
  expect(heap).toBeLessThan(heapMax);
  await page.close();
});
