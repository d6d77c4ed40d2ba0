// What the reader of docs/kubernetes.md is told to look at, in a real browser: the traces of service A are found, one
// is opened, and a span says when it began, when it ended and how long it took. Each step leaves a picture.
//
//   node browser.mjs URL FOLDER

import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';

const [url, folder] = process.argv.slice(2);
const { chromium } = createRequire(new URL('../../web/package.json', import.meta.url))('playwright-core');
mkdirSync(folder, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
let step = 0;

/** Says and shows how far it has come. */
async function show(page, what) {
  step += 1;
  const file = `${folder}/${step}-${what.replaceAll(' ', '-')}.png`;
  await page.screenshot({ path: file });
  console.log(`${step}. ${what}: ${file}`);
}

/** What the server itself says of a span's times, in the words in which the page shows them to the nanosecond. */
async function timesOf(address, operation) {
  const id = new URL(address).pathname.split('/').at(-1);
  const { result } = await (await fetch(`${url}/api/v3/traces/${id}`)).json();
  const spans = result.resourceSpans.flatMap((resource) => resource.scopeSpans).flatMap((scope) => scope.spans);
  const { startTimeUnixNano, endTimeUnixNano } = spans.find((span) => span.name === operation);
  const [start, end] = [BigInt(startTimeUnixNano), BigInt(endTimeUnixNano)];
  return { 'Starts at': utc(start), 'Ends at': utc(end), Duration: `${(end - start).toLocaleString('en-US')} ns` };
}

function utc(ns) {
  const second = new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19).replace('T', ' ');
  return `${second}.${String(ns % 1_000_000_000n).padStart(9, '0')} UTC`;
}

try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(url);
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').nth(1).click();
  await page.getByText('Filter', { exact: true }).first().click();
  await page.getByRole('combobox', { name: 'Field' }).fill('service');
  await page.keyboard.press('Enter');
  await page.getByRole('option', { name: /service-a/ }).click();
  for (const operation of ['GET /healthy', 'GET /serviceB', 'GET /serverError']) {
    await page.getByRole('row').filter({ hasText: operation }).first().waitFor();
  }
  await show(page, 'traces of service A');

  await page.getByRole('row').filter({ hasText: 'GET /serviceB' }).first().getByRole('link').first().click();
  await page.getByRole('treegrid').waitFor();
  await page.getByRole('row').filter({ hasText: 'service-b' }).first().waitFor();
  await show(page, 'a trace through both services');

  await page.getByRole('row').filter({ hasText: 'read-inventory' }).first().click();
  for (const [word, exactly] of Object.entries(await timesOf(page.url(), 'read-inventory'))) {
    const fact = page.locator('dl > div').filter({ has: page.getByText(word, { exact: true }) });
    await fact.first().getByRole('button').hover();
    await page.getByRole('tooltip').filter({ hasText: exactly }).waitFor();
  }
  await page.mouse.move(0, 0);
  await page.getByRole('tooltip').waitFor({ state: 'hidden' });
  await page.getByText('Duration', { exact: true }).first().scrollIntoViewIfNeeded();
  await show(page, 'a span with its times');
} finally {
  await browser.close();
}
