// What people do, one flow a test, on the real program.

import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { picture, startBrowser, traceKeysReady, visit } from './browser.ts';
import { OtlpTrace, spanId } from './otlp.ts';
import { sendOtlp, startProgram } from './program.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => browser.close());

const seeded = (path: string) => inject('seeded') + path;
const query = (q: string) => `/search?q=${encodeURIComponent(q)}`;

test('a query is written as text, mended by its proposal, and shown as conditions', async () => {
  const seen = await visit(browser, seeded('/search'));
  const { page } = seen;
  seen.expected.add(400);
  await page.getByRole('button', { name: 'Edit as text' }).click();
  await page.getByRole('textbox', { name: 'Query' }).click();
  await page.keyboard.type('{ duration > 500 }');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'write 500ms' }).click();
  await page.getByRole('button', { name: 'Run' }).click();
  await page.waitForURL(/500ms/);
  await page.getByRole('button', { name: 'Edit as conditions' }).click();
  await page.getByRole('group', { name: 'Conditions' }).getByText('500ms').waitFor();
  await page
    .getByText(/of about|all shown/)
    .first()
    .waitFor();
  await picture(page, 'flow-query');
  await seen.end();
});

test('a value of a facet is taken in, then out, and Back undoes it', async () => {
  const { page, end } = await visit(browser, seeded('/search'));
  const facets = page.getByRole('complementary', { name: 'Facets' });
  await facets.getByText('payment', { exact: true }).first().hover();
  await facets
    .getByTitle('Only service payment')
    .or(facets.getByTitle(/^Only .*payment/))
    .first()
    .click();
  await page.waitForURL(/q=.*payment/);
  await page.goBack();
  await page.waitForURL((url) => !url.search.includes('payment'));
  await facets.getByText('bank', { exact: true }).first().hover();
  await facets
    .getByTitle(/^Exclude .*bank/)
    .first()
    .click();
  await page.waitForURL(/q=.*(%21|!)(%3D|=).*bank/);
  await end();
});

test('the slowest come first over all matches, and the list goes on to its end', async () => {
  const { page, end } = await visit(browser, seeded('/search?sort=slowest&range=24h'));
  await page
    .getByText(/of about/)
    .first()
    .waitFor();
  const first = page.getByRole('row').nth(1);
  await first.waitFor();
  expect(await first.textContent()).toMatch(/2\.\d+ s/);
  await end();
});

test('in the scope of spans a row is a span, and the slowest come first whatever traces they are of', async () => {
  const { page, end } = await visit(browser, seeded('/search?scope=spans&sort=slowest&range=24h'));
  await page.getByRole('row').nth(11).waitFor();
  const units = new Map([
    ['s', 1e9],
    ['ms', 1e6],
    ['µs', 1e3],
    ['ns', 1],
  ]);
  const rows = (await page.getByRole('row').allTextContents()).slice(1);
  const durations = rows.flatMap((row) => {
    const [, number, unit] = /(\d+(?:\.\d+)?)\s(ms|µs|ns|s)/.exec(row) ?? [];
    return number && unit ? [Number(number) * (units.get(unit) ?? Number.NaN)] : [];
  });
  expect(durations.length).toBeGreaterThan(10);
  expect(durations).toEqual([...durations].sort((a, b) => b - a));
  const links = await page
    .getByRole('row')
    .getByRole('link')
    .evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''));
  const traces = new Set(links.flatMap((href) => /trace\/[0-9a-f]{32}/.exec(href) ?? []));
  expect(traces.size).toBeLessThan(links.length);
  expect(new Set(links).size).toBe(links.length);
  await end();
});

test('two traces are put aside and compared', async () => {
  const { page, end } = await visit(
    browser,
    seeded(`/search?traceID=${inject('ids').rich}&traceID=${inject('ids').quick}`),
  );
  await page.getByRole('checkbox').nth(0).waitFor({ state: 'attached' });
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.getByRole('region', { name: 'Compare (2)' }).getByRole('button', { name: 'Compare' }).click();
  await page.waitForURL(/\/trace\/[0-9a-f]{32}\.\.\.[0-9a-f]{32}/);
  await page.getByText('×340', { exact: false }).first().waitFor();
  await end();
});

test('a trace is read by keys alone: errors, folded runs, details', async () => {
  const { page, end } = await visit(browser, seeded(`/trace/${inject('ids').rich}`));
  const grid = page.getByRole('treegrid');
  await grid.locator('[role="row"][aria-level]').first().waitFor();
  await traceKeysReady(page);
  await page.keyboard.press('e');
  await page.waitForURL(/span=/);
  expect(new URL(page.url()).searchParams.get('span')).toBe(spanId(3));
  await page.getByText('card declined by issuer').first().waitFor();
  await picture(page, 'flow-error-details');
  await page.keyboard.press('o');
  await page.waitForURL(/fold=/);
  await end();
});

test('an old link to a span of a Jaeger opens at that span', async () => {
  const { page, end } = await visit(browser, seeded(`/trace/${inject('ids').rich.toUpperCase()}?uiFind=${spanId(4)}`));
  const selected = page.getByRole('treegrid').locator('[role="row"][aria-selected="true"]');
  await selected.waitFor();
  expect(await selected.getAttribute('aria-label')).toContain('bank');
  await page.waitForURL((url) => url.pathname.endsWith(inject('ids').rich));
  await end();
});

test('the map leads from a service to its page, and has a table with the same numbers', async () => {
  const { page, end } = await visit(browser, seeded('/dependencies?focus=payment'));
  await page.getByText('bank').first().waitFor();
  await page
    .getByRole('radio', { name: 'Calls' })
    .or(page.getByRole('tab', { name: 'Calls' }))
    .first()
    .click();
  await page.getByRole('row').filter({ hasText: 'checkout' }).filter({ hasText: 'payment' }).first().waitFor();
  await page.goto(seeded('/dependencies?sel=payment'));
  await page.getByRole('link', { name: 'Service', exact: true }).click();
  await page.waitForURL(/\/services\/payment/);
  await end();
});

test('a first trace: nothing is there, a test trace is sent, its page opens', async () => {
  const program = await startProgram();
  try {
    const { page, end } = await visit(browser, program.url);
    await page.getByRole('button', { name: 'Send a test trace' }).click();
    await page.waitForURL(/\/trace\//);
    await page.getByText('SELECT greetings').first().waitFor();
    await end();
  } finally {
    await program.stop();
  }
});

test('what was refused is told on Status, with the words that the sender was told', async () => {
  const program = await startProgram();
  try {
    await fetch(`${program.otlp}/v1/traces`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' });
    const { page, end } = await visit(browser, `${program.url}/status`);
    await page
      .getByText(/content type "text\/plain" is not taken here/)
      .first()
      .waitFor();
    await picture(page, 'flow-refused');
    await end();
  } finally {
    await program.stop();
  }
});

test("theme and zone are the reader's: kept, and never in a link", async () => {
  const { page, end } = await visit(browser, seeded('/settings'));
  await page
    .getByRole('radio', { name: 'Dark' })
    .or(page.getByText('Dark', { exact: true }))
    .first()
    .click();
  await page.waitForFunction(() => document.documentElement.dataset['theme'] === 'dark');
  await page.reload();
  await page.waitForFunction(() => document.documentElement.dataset['theme'] === 'dark');
  expect(page.url()).not.toContain('dark');
  await end();
});

test('in a frame of a Jaeger only the page is left, whatever is pressed', async () => {
  const { page, end } = await visit(browser, seeded(`/trace/${inject('ids').rich}?uiEmbed=v0&uiTimelineHideMinimap=1`));
  await page.getByRole('treegrid').waitFor();
  expect(await page.getByRole('navigation', { name: 'Pages' }).count()).toBe(0);
  expect(await page.getByRole('group', { name: /minimap|overview/i }).count()).toBe(0);
  await traceKeysReady(page);
  await page.keyboard.press('2');
  await page.waitForURL(/uiEmbed=v0/);
  await end();
});

/** Spans that are sent to a page that follows, five a second, until it tells of one. */
const BURSTS_MAX = 100;

test('spans are followed as they arrive', async () => {
  const program = await startProgram();
  try {
    const { page, end } = await visit(browser, `${program.url}${query('{ status = error }')}`);
    await page.getByRole('button', { name: 'Live' }).click();
    await page
      .getByText(/arriv|live|waiting/i)
      .first()
      .waitFor();
    // Nobody says when the page has begun to follow: spans come until it tells of one.
    const told = page.getByText('it happened').first();
    for (let number = 1; number <= BURSTS_MAX && !(await told.isVisible()); number++) {
      const trace = new OtlpTrace(`cccc0000000000000000000000000${String(number).padStart(3, '0')}`);
      trace.span({
        id: 1,
        service: 'tailed',
        name: 'it happened',
        kind: 'server',
        at: Date.now() - 50,
        ms: 20,
        error: 'yes',
      });
      await sendOtlp(program, OtlpTrace.request([trace]));
      await page.waitForTimeout(200);
    }
    await told.waitFor();
    await end();
  } finally {
    await program.stop();
  }
});

test('a trace file opens in the browser, and nothing of it is sent', async () => {
  const file = join(tmpdir(), `trackway-e2e-${process.pid}.json`);
  const trace = new OtlpTrace('dddd0000000000000000000000000001');
  trace.span({ id: 1, service: 'from-a-file', name: 'read', kind: 'internal', at: 1_790_000_000_000, ms: 30 });
  trace.span({
    id: 2,
    parent: 1,
    service: 'from-a-file',
    name: 'parse',
    kind: 'internal',
    at: 1_790_000_000_010,
    ms: 15,
  });
  writeFileSync(file, JSON.stringify(OtlpTrace.request([trace])));
  const { page, end } = await visit(browser, seeded('/search'));
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') asked.push(request.url());
  });
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Open a trace file…' }).click(),
  ]);
  await chooser.setFiles(file);
  await page.waitForURL(/\/trace\/dddd/);
  await page.getByText('parse').first().waitFor();
  expect(asked).toEqual([]);
  await end();
});

test('a trace is archived, and is a pinned one then', async () => {
  const { page, end } = await visit(browser, seeded(`/trace/${inject('ids').quick}`));
  await page.getByRole('button', { name: 'Archive' }).click();
  await page
    .getByText(/Archived|kept for good/i)
    .first()
    .waitFor();
  await end();
});

test('cards under the pointer go with Escape and stay under the pointer that comes onto them', async () => {
  const { page, end } = await visit(browser, seeded(`/trace/${inject('ids').rich}`));
  await traceKeysReady(page);
  const card = page.locator('[class*=_card]:has(strong)');
  const check = async (area: { x: number; y: number; width: number }, top: number) => {
    await page.mouse.move(area.x + area.width * 0.6, area.y + top, { steps: 3 });
    await card.waitFor();
    // On its way the pointer may have come over something else.
    await page.waitForTimeout(400);
    const box = await card.boundingBox();
    if (box === null) throw new Error('the card has no place');
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.waitForTimeout(500);
    expect(await card.count()).toBe(1);
    await page.keyboard.press('Escape');
    expect(await card.count()).toBe(0);
  };
  const area = await page.getByRole('treegrid').boundingBox();
  if (area === null) throw new Error('no rows');
  await check(area, 40);
  await page.keyboard.press('2');
  const flame = page.getByRole('application', { name: /^Flame view/ });
  await flame.waitFor();
  const levels = await flame.boundingBox();
  if (levels === null) throw new Error('no levels');
  await check(levels, 8);
  await end();
});

test('the card of the heatmap goes with Escape and stays under the pointer', async () => {
  const { page, end } = await visit(browser, seeded('/search'));
  const heatmap = page.getByRole('application', { name: /^Latency of/ });
  await heatmap.waitFor();
  const box = await heatmap.boundingBox();
  if (box === null) throw new Error('the heatmap has no size');
  const card = page.locator('[class*=_card]:has([class*=_cardHint])');
  for (let share = 0.1; share < 1 && (await card.count()) === 0; share += 0.1) {
    await page.mouse.move(box.x + box.width * 0.9, box.y + box.height * share, { steps: 2 });
    await page.waitForTimeout(200);
  }
  const at = await card.boundingBox();
  if (at === null) throw new Error('the card has no place');
  await page.mouse.move(at.x + at.width - 10, at.y + 10);
  await page.waitForTimeout(500);
  expect(await card.count()).toBe(1);
  await page.keyboard.press('Escape');
  expect(await card.count()).toBe(0);
  await end();
});
