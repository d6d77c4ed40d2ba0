// The app in a frame of another site's page: what that page is told, and that others may not frame it.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { picture, startBrowser, visit } from './browser.ts';
import { OtlpTrace, spanId } from './otlp.ts';
import { type Program, sendOtlp, startProgram } from './program.ts';

const TRACE_ID = 'eeee0000000000000000000000000001';

type Told = { source: string; type: string; height?: number; traceId?: string; spanId?: string | null };
type WithTold = { told: { from: string; data: Told }[] };

let browser: Browser;
let site: Server;
let program: Program;
let siteUrl = '';

/** A page that frames what its query names, and sizes the frame as it is told. */
function pageOf(framed: string, policy: string): string {
  return `<!doctype html><meta name="referrer" content="${policy}"><title>A site</title>
<iframe id="frame" src="${framed}" style="width: 900px; height: 400px"></iframe>
<script>
  window.told = [];
  addEventListener('message', (event) => {
    told.push({ from: event.origin, data: event.data });
    if (event.data.type === 'height') document.getElementById('frame').style.height = event.data.height + 'px';
  });
</script>`;
}

beforeAll(async () => {
  browser = await startBrowser();
  site = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://site');
    response.setHeader('content-type', 'text/html');
    response.end(pageOf(searchParams.get('framed') ?? '', searchParams.get('policy') ?? 'origin'));
  });
  await new Promise<void>((ready) => site.listen(0, '127.0.0.1', ready));
  siteUrl = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  program = await startProgram(['--set', `ui.frame_ancestors=${siteUrl}`]);
  const trace = new OtlpTrace(TRACE_ID);
  const at = Date.now() - 5_000;
  trace.span({ id: 1, service: 'shop', name: 'GET /', kind: 'server', at, ms: 100 });
  for (let i = 0; i < 30; i++)
    trace.span({ id: 2 + i, parent: 1, service: 'shop', name: `step ${i}`, kind: 'internal', at: at + i * 3, ms: 2 });
  await sendOtlp(program, OtlpTrace.request([trace]));
});
afterAll(async () => {
  await browser.close();
  await program.stop();
  site.close();
});

const at = (framed: string, policy = 'origin') =>
  `${siteUrl}/?framed=${encodeURIComponent(framed)}&policy=${encodeURIComponent(policy)}`;

test('a page around is told how high the frame would be, and the span that is chosen', async () => {
  const { page, end } = await visit(browser, at(`${program.url}/trace/${TRACE_ID}?embed=1`));
  const told = (type: string) =>
    page.evaluate((one) => (window as unknown as WithTold).told.filter(({ data }) => data.type === one), type);
  const app = page.frameLocator('#frame');
  await app.getByRole('treegrid').waitFor();
  expect(await app.getByRole('navigation', { name: 'Pages' }).count()).toBe(0);
  // 31 rows of 24 px and what stands above them; then all rows are seen, and no more is asked for.
  await expect.poll(async () => (await told('height')).at(-1)?.data.height).toBeGreaterThan(31 * 24);
  await app.getByText('step 29').waitFor();
  await page.waitForTimeout(500);
  const heights = (await told('height')).map(({ data }) => data.height ?? 0);
  expect(heights.at(-1)).toBeLessThan(31 * 24 + 300);
  expect(heights.length).toBeLessThan(6);
  expect(await app.locator('#main').evaluate((main) => main.scrollHeight - main.clientHeight)).toBe(0);

  await app.getByText('step 3', { exact: true }).click();
  await expect
    .poll(() => told('selection'))
    .toEqual([
      {
        from: new URL(program.url).origin,
        data: { source: 'trackway', type: 'selection', traceId: TRACE_ID, spanId: spanId(5) },
      },
    ]);
  await picture(page, 'framed');
  // Whatever is pressed, the frame stays a frame.
  await page.keyboard.press('2');
  await app.getByRole('application', { name: /Flame view/ }).waitFor();
  const framed = page.frames().find((frame) => frame !== page.mainFrame());
  await expect.poll(() => framed?.url()).toMatch(/view=flame.*embed=1/);
  await page.keyboard.press('Escape');
  await expect.poll(async () => (await told('selection')).at(-1)?.data.spanId).toBeNull();
  await end();
});

test('a page that hides its address is told nothing, nor is one that asked for the form of a Jaeger', async () => {
  for (const [framed, policy] of [
    [`${program.url}/trace/${TRACE_ID}?embed=1`, 'no-referrer'],
    [`${program.url}/trace/${TRACE_ID}?uiEmbed=v0`, 'origin'],
  ] as const) {
    const { page, end } = await visit(browser, at(framed, policy));
    const app = page.frameLocator('#frame');
    await app.getByText('step 3', { exact: true }).click();
    await app.locator('[role=row][aria-selected=true]').waitFor();
    await page.waitForTimeout(300);
    expect(await page.evaluate(() => (window as unknown as WithTold).told)).toEqual([]);
    await end();
  }
});
