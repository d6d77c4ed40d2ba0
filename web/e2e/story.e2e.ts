// The story "payment is slow": from Home to the culprit, and to a colleague by link.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { picture, startBrowser, traceKeysReady, visit } from './browser.ts';
import { spanId } from './otlp.ts';
import { CULPRIT } from './seeds.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => browser.close());

/** Drags over the part of the heatmap in which the slow ones lie: its upper right. */
async function selectTopBand(page: Page): Promise<void> {
  const heatmap = page.getByRole('application', { name: /^Latency of/ });
  await heatmap.waitFor();
  const box = await heatmap.boundingBox();
  if (box === null) throw new Error('the heatmap has no size');
  await page.mouse.move(box.x + box.width * 0.55, box.y + 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 4, box.y + box.height * 0.45, { steps: 8 });
  await page.mouse.up();
}

/** The names of the rows that are shown, from the top. */
async function rowNames(page: Page): Promise<string[]> {
  const rows = page.getByRole('treegrid').locator('[role="row"][aria-level]');
  await rows.first().waitFor();
  return rows.evaluateAll((all) =>
    all
      .filter((row) => (row as HTMLElement).offsetParent !== null)
      .sort((a, b) => Number(a.getAttribute('aria-rowindex')) - Number(b.getAttribute('aria-rowindex')))
      .map((row) => row.getAttribute('aria-label') ?? row.textContent ?? ''),
  );
}

test('payment is slow: Home shows it, and three steps lead to the bank', async () => {
  const { page, end } = await visit(browser, inject('seeded'));
  // Home says that something is wrong, and with what it was compared.
  const row = page.getByRole('listitem').filter({ hasText: 'payment' }).filter({ hasText: 'p95' });
  await row.first().waitFor();
  await picture(page, 'story-1-home');
  // One click to the operation, one more to all of its spans.
  await row.first().getByRole('link', { name: 'POST /charge' }).first().click();
  await page.waitForURL(/\/services\/payment\/POST/);
  await page.getByRole('heading', { level: 1, name: /POST \/charge/ }).waitFor();
  await picture(page, 'story-2-operation');
  await page.locator('#main').getByRole('link', { name: 'Explore' }).click();
  await page.waitForURL(/\/search\?/);
  await selectTopBand(page);
  await page.getByRole('button', { name: 'Only these' }).click();
  await page.waitForURL(/duration/);
  // They are counted over time as the list has them.
  await page.getByRole('application', { name: /^Latency of/ }).waitFor();
  await picture(page, 'story-3-band');
  // An example opens at the span that matched.
  await page
    .getByRole('row')
    .getByRole('link', { name: /POST \/charge/ })
    .first()
    .click();
  await page.waitForURL(/\/trace\/[0-9a-f]{32}/);
  expect(page.url()).toContain('span=');
  const selected = page.getByRole('treegrid').locator('[role="row"][aria-selected="true"]');
  await selected.waitFor();
  expect(new URL(page.url()).searchParams.get('span')).toBe(spanId(3));
  // The critical path alone ends in the culprit.
  await traceKeysReady(page);
  await page.keyboard.press('p');
  await page.waitForURL(/crit=/);
  await page.waitForFunction(() => document.querySelectorAll('[role="row"][aria-level]').length > 0);
  const names = await rowNames(page);
  expect(names.join('\n')).toContain(`${CULPRIT.service} ${CULPRIT.name}`);
  await picture(page, 'story-4-critical');
  // Whoever gets the link sees the same, whatever they prefer.
  await page.keyboard.press('u');
  const link = await page.evaluate(() => navigator.clipboard.readText());
  await end();
  const other = await visit(browser, link, { theme: 'dark', width: 1440 });
  await other.page.getByRole('treegrid').locator('[role="row"][aria-selected="true"]').waitFor();
  expect(await rowNames(other.page)).toEqual(names);
  await picture(other.page, 'story-5-colleague');
  await other.end();
});
