// Times, frames and memory of the trace page on traces of 10,000, 100,000 and a million spans: from the address to the
// first rows, while one scrolls and zooms, and closing all rows. Times are printed; memory alone fails.

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBrowser } from '../e2e/browser.ts';
import { OtlpTrace } from '../e2e/otlp.ts';
import { type Program, sendOtlp, settle, startProgram } from '../e2e/program.ts';
import { random } from './generate.ts';

const SIZES = [10_000, 100_000, 1_000_000];
const REQUEST_SPANS = 10_000;
const FRAMES = 120;
const SERVICES = 60;
const NAMES = 800;
/** What a trace may take in the page, in bytes: so many a span, and for everything else. */
const SPAN_BYTES_MAX = 64;
const BASE_BYTES_MAX = 20e6;

type Figures = Record<string, number>;

let browser: Browser;
let program: Program;
const figures: Record<string, Figures> = {};

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
  console.log(machine);
  console.table(figures);
});

function traceIdOf(spans: number): string {
  return `eeee${spans.toString(16).padStart(28, '0')}`;
}

/** A trace as loops and calls make it: every span below one of the last few dozen. */
async function send(spans: number): Promise<void> {
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

/** Counts what scripts take in each frame: all callbacks of a frame, and handlers of the wheel before it. */
const MEASURE_FRAMES = `
  window.frameMs = [];
  const original = window.requestAnimationFrame.bind(window);
  let open = null, spent = 0;
  window.requestAnimationFrame = (callback) => original((time) => {
    if (open !== time) { if (open !== null) window.frameMs.push(spent); open = time; spent = 0; }
    const begin = performance.now();
    callback(time);
    spent += performance.now() - begin;
  });
`;

function p95(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.95)] ?? 0;
}

async function frames(page: Page, step: (n: number) => Promise<void>): Promise<number> {
  await page.evaluate('window.frameMs.length = 0');
  for (let n = 0; n < FRAMES; n++) await step(n);
  return p95((await page.evaluate('window.frameMs')) as number[]);
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

test.each(SIZES)('%i spans', async (spans) => {
  await send(spans);
  await settle(program);
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.addInitScript(MEASURE_FRAMES);
  await page.goto(`${program.url}/settings`);
  await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
  const before = await heapBytes(page);
  const begin = Date.now();
  await page.goto(`${program.url}/trace/${traceIdOf(spans)}`);
  const rows = page.getByRole('treegrid').locator('[role="row"][aria-level]');
  await rows.first().waitFor();
  const firstRowsMs = Date.now() - begin;
  await page.waitForFunction(
    (count) => Number(document.querySelector('[role="treegrid"]')?.getAttribute('aria-rowcount')) > count / 4,
    spans,
    { timeout: 60_000 },
  );
  const wholeMs = Date.now() - begin;
  const box = await page.getByRole('treegrid').boundingBox();
  if (box === null) throw new Error('the waterfall has no size');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const scroll = await frames(page, (n) => page.mouse.wheel(0, n % 2 === 0 ? 900 : 500));
  const collapseMs = (await page.evaluate(async () => {
    const start = performance.now();
    document.dispatchEvent(new KeyboardEvent('keydown', { key: '{', shiftKey: true, bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => done(null)));
    return performance.now() - start;
  })) as number;
  // All are closed: the figure above is of that, and not of a key that did nothing.
  await page.waitForFunction(
    () => Number(document.querySelector('[role="treegrid"]')?.getAttribute('aria-rowcount')) < 100,
  );
  await page.keyboard.press('2');
  await page.getByRole('application').first().waitFor();
  const zoom = await frames(page, async (n) => {
    await page.keyboard.press(n % 40 < 20 ? 'w' : 's');
  });
  const heap = (await heapBytes(page)) - before;
  figures[`${spans} spans`] = {
    'first rows, ms': firstRowsMs,
    'whole trace, ms': wholeMs,
    'scroll, script ms a frame p95': Number(scroll.toFixed(1)),
    'flame zoom, script ms a frame p95': Number(zoom.toFixed(1)),
    'close all, ms': Number(collapseMs.toFixed(1)),
    'page memory, MB': Number((heap / 1e6).toFixed(1)),
  };
  expect(heap).toBeLessThan(spans * SPAN_BYTES_MAX + BASE_BYTES_MAX);
  await page.close();
});
