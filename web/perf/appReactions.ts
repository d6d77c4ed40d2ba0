// How fast the app itself reacts: the first load, going from page to page, writing a query, its results, opening a
// trace from them.

import type { Browser, Page } from 'playwright-core';
import { type Figures, p95, reaction, reactions, watchPage } from './reaction.ts';

const LOADS = 5;
const KEYS = 40;
const TIMES = 10;
const ON = 'app';

/** A page of a reader who was never here. */
async function freshPage(browser: Browser, isUsable?: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await watchPage(page, isUsable);
  return page;
}

/** When something was painted first, and when what the page is for could be used. */
export async function measureFirstLoad(
  browser: Browser,
  url: string,
  name: string,
  isUsable: string,
  figures: Figures,
) {
  const paint: number[] = [];
  const usable: number[] = [];
  for (let n = 0; n < LOADS; n++) {
    const page = await freshPage(browser, isUsable);
    await page.goto(url);
    await page.waitForFunction(() => window.usableMs !== undefined);
    usable.push((await page.evaluate(() => window.usableMs)) ?? 0);
    paint.push(
      await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN),
    );
    await page.context().close();
  }
  figures.put(ON, `first load of ${name}: painted, ms`, p95(paint), 600);
  figures.put(ON, `first load of ${name}: usable, ms`, p95(usable), 1_000);
}

export async function measureRoutes(browser: Browser, url: string, figures: Figures): Promise<void> {
  const page = await freshPage(browser);
  await page.goto(`${url}/settings`);
  const rail = page.getByRole('navigation', { name: 'Pages' });
  const took: number[] = [];
  for (const name of ['Explore', 'Services', 'Map', 'Status', 'Home', 'Settings', 'Explore', 'Services', 'Settings']) {
    const link = rail.getByRole('link', { name });
    await link.hover();
    await page.waitForTimeout(300);
    const before = JSON.stringify(await page.evaluate(() => document.querySelector('main h1')?.textContent));
    const isNew = `![undefined, ${before}].includes(document.querySelector('main h1')?.textContent)`;
    took.push(await reaction(page, 'click', isNew, () => link.click()));
    await page.waitForLoadState('networkidle');
  }
  figures.put(ON, 'route change, ms', p95(took), 100);
  await page.context().close();
}

const OPTION = '.cm-tooltip-autocomplete li';
const LINE = `document.querySelector('.cm-content')?.textContent`;

/** Writing a query as text: what is typed, what is suggested, what is found. */
export async function measureQuery(browser: Browser, url: string, figures: Figures): Promise<void> {
  const page = await freshPage(browser);
  await page.goto(`${url}/search`);
  await page.getByRole('button', { name: 'Edit as text' }).click();
  await page.getByRole('textbox', { name: 'Query' }).click();
  await page.locator('.cm-content').waitFor();
  const clear = async () => {
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Delete');
  };
  const type = (text: string) => page.keyboard.type(text, { delay: 30 });
  const press = (key: string, isDone: string) => reaction(page, 'keydown', isDone, () => page.keyboard.press(key));

  await type('{ name = "');
  const echo = await reactions(KEYS, async (n) => {
    const length = ((await page.evaluate(LINE)) as string).length;
    return press(String.fromCharCode(97 + (n % 26)), `${LINE}.length > ${length}`);
  });
  figures.put(ON, 'key to its echo in the query, ms', p95(echo), 50);

  // A list that is there gets shorter with each key.
  const narrowed: number[] = [];
  for (const word of ['duration', 'status', 'resource', 'name', 'kind']) {
    await clear();
    await type(`{ ${word[0]}`);
    await page.locator(OPTION).first().waitFor();
    for (let at = 1; at < 4; at++) {
      const begun = JSON.stringify(word.slice(0, at + 1));
      const isNarrow = `document.querySelector('${OPTION} .cm-completionMatchedText')?.textContent === ${begun}`;
      narrowed.push(await press(word[at] as string, isNarrow));
    }
  }
  figures.put(ON, 'suggestions, known, ms', p95(narrowed), 100);

  // Of a text that nobody asked for before.
  const values = await reactions(TIMES, async (n) => {
    await clear();
    await type(`{ name = "${n}" && resource.service.name =`);
    await page.waitForTimeout(500);
    return press(' ', `document.querySelector('${OPTION}')?.textContent.includes('service-')`);
  });
  figures.put(ON, 'suggestions with values, ms', p95(values), 250);

  const rows = await reactions(TIMES, async (n) => {
    await clear();
    await type(`{ name = "operation ${n + 1}" }`);
    await page.waitForTimeout(500);
    const isFound = `location.search.includes('operation+${n + 1}%22') || location.search.includes('operation%20${n + 1}%22')`;
    const hasRows = `document.querySelector('[aria-busy="false"] tr[data-row]')`;
    return press('Control+Enter', `(${isFound}) && ${hasRows}`);
  });
  figures.put(ON, 'first result rows, ms', p95(rows), 400);
  await page.context().close();
}

/** From the link in a list of results to its first rows. */
export async function measureOpening(
  browser: Browser,
  url: string,
  traceId: string,
  spans: number,
  budget: number,
  figures: Figures,
): Promise<void> {
  const took = await reactions(LOADS, async () => {
    const page = await freshPage(browser);
    await page.goto(`${url}/search?traceID=${traceId}`);
    const link = page.locator('tr[data-row] a').first();
    await link.hover();
    await page.waitForLoadState('networkidle');
    const hasRows = `document.querySelector('[role="treegrid"] [role="row"][aria-level]')`;
    const ms = await reaction(page, 'click', hasRows, () => link.click());
    await page.context().close();
    return ms;
  });
  figures.put(`${spans} spans`, 'opened from results, ms', p95(took), budget);
}
