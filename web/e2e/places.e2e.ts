// Nobody loses their place: Back and the way back bring a search again as it was, live is one switch, a pasted trace
// opens.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startBrowser, traceKeysReady, visit } from './browser.ts';
import { OtlpTrace, spanId } from './otlp.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => browser.close());

const seeded = (path: string) => inject('seeded') + path;

/** Which row is the current one, how far the list is scrolled, what its first rows are. */
async function place(page: Page): Promise<unknown> {
  await page.locator('tr[aria-current="true"]').waitFor();
  return page.evaluate(() => {
    const current = document.querySelector<HTMLElement>('tr[aria-current="true"]');
    let scroller: HTMLElement | null = current;
    while (scroller && scroller.scrollTop === 0) scroller = scroller.parentElement;
    return { current: current?.textContent, top: Math.round(scroller?.scrollTop ?? 0) };
  });
}

test('Back and the arrow of a trace bring the search again: its rows, its scroll, the row one left from', async () => {
  const { page, end } = await visit(browser, seeded('/search?range=24h&sort=slowest'));
  await page.getByRole('row').nth(20).waitFor();
  await page.keyboard.press('j');
  for (let i = 0; i < 35; i += 1) await page.keyboard.press('ArrowDown');
  const before = await place(page);
  expect(before).toMatchObject({ top: expect.any(Number) });
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/trace\//);
  await page.getByRole('treegrid').waitFor();
  await page.goBack();
  await page.waitForURL(/\/search/);
  await expect.poll(() => place(page)).toEqual(before);
  await page.goForward();
  await page.getByRole('treegrid').waitFor();
  await page.getByRole('link', { name: 'Explore' }).first().waitFor();
  await page.locator('header a[aria-label="Explore"]').click();
  await page.waitForURL((url) => url.pathname === '/search' && url.search === '?range=24h&sort=slowest');
  await expect.poll(() => place(page)).toEqual(before);
  await end();
});

test('spans that a link names are found in their trace', async () => {
  const { rich } = inject('ids');
  const { page, end } = await visit(browser, seeded(`/search?span=${spanId(3)}+${spanId(4)}@${rich}`));
  await page.getByRole('row').nth(1).waitFor();
  await page.getByRole('row').nth(1).getByRole('link').click();
  await page.waitForURL(/find=/);
  await page.getByText('0/2').waitFor();
  await end();
});

test('live is one switch: it follows spans on Explore, and asks again elsewhere', async () => {
  const { page, end } = await visit(browser, seeded('/services'));
  const live = page.getByRole('button', { name: 'Live' });
  await live.click();
  await page.locator('button[aria-pressed="true"]', { hasText: 'Live' }).waitFor();
  await page.waitForRequest((request) => request.url().includes('/red'), { timeout: 15_000 });
  await page.goto(seeded('/search'));
  await page.getByRole('row').nth(1).waitFor();
  await page.keyboard.press('l');
  await page.waitForURL(/live=1/);
  expect(await live.count()).toBe(1);
  await live.click();
  await page.waitForURL((url) => !url.search.includes('live'));
  await end();
});

test('pasted JSON opens as a trace, without a link to copy', async () => {
  const trace = new OtlpTrace('eeee0000000000000000000000000001');
  trace.span({ id: 1, service: 'pasted', name: 'from the clipboard', kind: 'internal', at: 1_790_000_000_000, ms: 30 });
  const json = JSON.stringify(OtlpTrace.request([trace]), null, 1);
  const { page, end } = await visit(browser, seeded('/settings'));
  await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
  await page.evaluate((words) => navigator.clipboard.writeText(words), json);
  await page.keyboard.press('/');
  await page.keyboard.press('Control+V');
  await page.getByRole('option', { name: /Open this JSON as a trace file/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/trace\/eeee/);
  await traceKeysReady(page);
  await page.keyboard.press('u');
  await page.getByText(/No link was copied/).waitFor();
  await end();
});
