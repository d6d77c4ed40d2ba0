// By keys alone: a trace that failed is found, opened, its error read, a link to it copied. Nothing here has a pointer,
// and whatever has the focus on the way must be seen to have it.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { picture, startBrowser, traceKeysReady, visit } from './browser.ts';

const STOPS_MAX = 60;

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => browser.close());

type Stop = { readonly name: string; readonly wrong: string | null };

/** What has the focus, and what keeps it from being seen. */
function stopOf(page: Page): Promise<Stop> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLElement | null;
    if (element === null || element === document.body) return { name: 'nothing', wrong: 'nothing has the focus' };
    const label = element.getAttribute('aria-label') ?? element.closest('label')?.textContent ?? element.textContent;
    const name = `${element.getAttribute('role') ?? element.tagName.toLowerCase()} ${label?.trim().slice(0, 80) ?? ''}`;
    // A field may leave the line to the box around it; what is as large as a page says nothing.
    const around: Element[] = [];
    for (let one: Element | null = element; one !== null && around.length < 7; one = one.parentElement) {
      if (one === element || one.clientHeight < 80) around.push(one);
    }
    const isDrawn = ({ outlineStyle, outlineWidth, outlineColor }: CSSStyleDeclaration) =>
      outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 1 && !/, 0\)$|^transparent$/.test(outlineColor);
    // The line of a splitter is drawn within its target.
    const marked = around.find((one) => isDrawn(getComputedStyle(one)) || isDrawn(getComputedStyle(one, '::before')));
    if (marked === undefined) return { name, wrong: 'no line is drawn around it' };
    const { left, top, right, bottom } = marked.getBoundingClientRect();
    if (right <= 0 || bottom <= 0 || left >= innerWidth || top >= innerHeight) return { name, wrong: 'off the screen' };
    const x = Math.min(innerWidth - 1, Math.max(0, (left + Math.min(right, left + 200)) / 2));
    const y = Math.min(innerHeight - 1, Math.max(0, (top + Math.min(bottom, top + 60)) / 2));
    const there = document.elementFromPoint(x, y);
    const isCovered = there !== null && !marked.contains(there) && !there.contains(marked);
    return { name, wrong: isCovered ? `covered by ${there.className}` : null };
  });
}

/** Tab until what is named has the focus; every stop on the way is seen. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  const passed: string[] = [];
  for (let n = 0; n < STOPS_MAX; n++) {
    await page.keyboard.press('Tab');
    const stop = await stopOf(page);
    expect(stop.wrong, `${stop.name}, after ${passed.join(' → ')}`).toBeNull();
    if (name.test(stop.name)) return;
    passed.push(stop.name);
  }
  throw new Error(`Tab does not lead to ${name}; it led to ${passed.join(' → ')}`);
}

/** What a key brings may take a moment to come; then the focus is where one looks. */
async function focusIsOn(page: Page, name: RegExp): Promise<void> {
  await expect.poll(async () => (await stopOf(page)).name, { timeout: 5_000 }).toMatch(name);
  expect((await stopOf(page)).wrong).toBeNull();
}

test('without a pointer: from Home to a trace that failed, its error, and a link to it', async () => {
  const { page, end } = await visit(browser, inject('seeded'));
  const { keyboard } = page;
  await page.getByText('Needs a look').first().waitFor();

  // Past the frame at once, and through it.
  await keyboard.press('Tab');
  expect((await stopOf(page)).name).toContain('Skip to content');
  await tabTo(page, /^a Explore/);
  await keyboard.press('Enter');
  await page.waitForURL(/\/search/);

  // A query, as text.
  await page.getByRole('button', { name: 'Edit as text' }).waitFor();
  await tabTo(page, /^button Edit as text/);
  await keyboard.press('Enter');
  await page.locator('[role=textbox][aria-label=Query]:focus').waitFor();
  await focusIsOn(page, /^textbox Query/);
  await keyboard.type('{ status = error && name = "POST /charge" }');
  await keyboard.press('Escape');
  await tabTo(page, /^button Run/);
  await keyboard.press('Enter');
  await page.waitForURL(/q=.*error/);
  await page.getByRole('row').nth(1).waitFor();

  // The first that failed opens at the span that failed.
  await keyboard.press('j');
  await focusIsOn(page, /^tr .*\/checkout/);
  await keyboard.press('Enter');
  await page.waitForURL(/\/trace\/[0-9a-f]{32}\?.*span=/);
  await traceKeysReady(page);
  await page.getByRole('treegrid').locator('[role="row"][aria-selected="true"]').waitFor();

  // To an error, down and up the rows, and into its details.
  await keyboard.press('e');
  await tabTo(page, /^row .*, error/);
  await keyboard.press('ArrowUp');
  await focusIsOn(page, /^row (?!payment)/);
  await keyboard.press('ArrowDown');
  await focusIsOn(page, /^row payment POST \/charge.*, error/);
  await tabTo(page, /^section The span as JSON/);
  const said = await page.evaluate(() => document.activeElement?.textContent ?? '');
  expect(said).toContain('card declined');
  await page.getByText('card declined').first().waitFor();
  await picture(page, 'keyboard-error');

  await keyboard.press('u');
  const link = new URL(await page.evaluate(() => navigator.clipboard.readText()));
  expect(link.pathname).toMatch(/^\/trace\/[0-9a-f]{32}$/);
  expect(link.searchParams.get('span')).toBe(new URL(page.url()).searchParams.get('span'));
  await end();
});
