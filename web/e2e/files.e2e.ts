// A trace taken along as files: OTLP's JSON, Jaeger's, and the flame view as a picture.

import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { readTraceFile } from '../src/model/files.ts';
import { startBrowser, traceKeysReady, visit } from './browser.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => browser.close());

async function fileOf(page: Page, item: string): Promise<{ name: string; bytes: Buffer }> {
  await page.getByRole('button', { name: 'More about this trace' }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: item }).click(),
  ]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

test('OTLP and Jaeger JSON read back as the same trace; the flame view is a picture of all its levels', async () => {
  const id = inject('ids').rich;
  const { page, end } = await visit(browser, `${inject('seeded')}/trace/${id}?view=flame`);
  await traceKeysReady(page);
  for (const [item, name] of [
    ['Download as OTLP JSON', `trace-${id}.otlp.json`],
    ['Download as Jaeger JSON', `trace-${id}.json`],
  ] as const) {
    const file = await fileOf(page, item);
    expect(file.name).toBe(name);
    const { traces, skipped } = readTraceFile(file.bytes.toString(), file.name);
    expect(skipped).toEqual([]);
    expect(traces.map(({ columns }) => [columns.traceId, columns.count])).toEqual([[id, 346]]);
  }
  const picture = await fileOf(page, 'Download the flame view as PNG');
  expect(picture.name).toBe(`trace-${id}-flame.png`);
  expect(picture.bytes.subarray(1, 4).toString()).toBe('PNG');
  // Head, axis and four levels between margins.
  expect([picture.bytes.readUInt32BE(16), picture.bytes.readUInt32BE(20)]).toEqual([1_632, 36 + 24 + 4 * 20 + 32]);
  await end();
});
