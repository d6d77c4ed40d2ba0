// The frame: the page below its path, links of all kinds, keys, what is not there.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startBrowser, visit } from './browser.ts';
import { startProgram } from './program.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => browser.close());

test('a page that is not there says so, inside the app, and leads on', async () => {
  const { page, end } = await visit(browser, `${inject('seeded')}/no/such/page`);
  await page.getByRole('heading', { name: 'There is no such page' }).first().waitFor();
  await page.getByRole('button', { name: 'Home' }).click();
  await page.waitForURL((url) => url.pathname === '/');
  await end();
});

test('keys lead to pages, and the sheet lists them', async () => {
  const { page, end } = await visit(browser, `${inject('seeded')}/settings`);
  await page.getByRole('heading', { level: 1 }).waitFor({ state: 'attached' });
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('g');
  await page.keyboard.press('m');
  await page.waitForURL(/\/dependencies/);
  await end();
});

test('the box opens a trace by its id, a service by its name, a link of a Jaeger', async () => {
  const { page, end } = await visit(browser, `${inject('seeded')}/settings`);
  const type = async (text: string) => {
    await page.keyboard.press('/');
    await page.getByRole('combobox', { name: 'Go to' }).fill(text);
  };
  await type(inject('ids').rich);
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(`/trace/${inject('ids').rich}`));
  await page.goto(`${inject('seeded')}/settings`);
  await type('payment');
  await page
    .getByRole('option', { name: /^payment/ })
    .first()
    .waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/services\/payment/);
  await page.goto(`${inject('seeded')}/settings`);
  await type('http://jaeger.example:16686/search?service=frontend&lookback=1h&tags=%7B%22error%22%3A%22true%22%7D');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/search\?q=/);
  expect(new URL(page.url()).searchParams.get('q')).toContain('resource.service.name = "frontend"');
  await end();
});

test('below a path of a proxy everything works the same', async () => {
  const program = await startProgram(['--set', 'ui.base_path=/jaeger'], '/jaeger');
  try {
    const { page, end } = await visit(browser, `${program.url}/status`);
    await page.getByRole('heading', { level: 1 }).first().waitFor();
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.waitForURL((url) => url.pathname === '/jaeger/settings');
    await end();
  } finally {
    await program.stop();
  }
});
