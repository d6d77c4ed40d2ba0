// How fast the trace page reacts once a trace is there: closing and opening rows, folding, filtering, finding,
// hovering, details of a span.

import type { Page } from 'playwright-core';
import { type Figures, p95, reaction, reactions } from './reaction.ts';

const TIMES = 10;
const DETAILS = 8;
const HOVERS = 200;
const SETTLED_MS = 1_000;
const ROW_BUDGET_MS = 50;

const ROW_COUNT = `Number(document.querySelector('[role="treegrid"]')?.getAttribute('aria-rowcount'))`;
const MATCHES = `document.querySelector('[aria-label^="Find words"]')?.closest('search')?.textContent.match(/\\/([\\d,.]+)/)?.[1]`;

/** Everything is open and nothing selected, before and after. */
export async function measureRows(page: Page, on: string, spans: number, figures: Figures): Promise<void> {
  const isClosed = `${ROW_COUNT} < 100`;
  const isOpen = `${ROW_COUNT} > ${spans / 4}`;
  const key = (press: string, isDone: string) =>
    reaction(page, 'keydown', isDone, () => page.keyboard.press(press, { delay: 20 }));
  const closed: number[] = [];
  const opened: number[] = [];
  for (let n = 0; n < TIMES; n++) {
    closed.push(await key('{', isClosed));
    opened.push(await key('}', isOpen));
  }
  figures.put(on, 'close all rows, ms', p95(closed), ROW_BUDGET_MS);
  figures.put(on, 'open all rows, ms', p95(opened), ROW_BUDGET_MS);
  await page.locator('[role="treegrid"] [role="row"][aria-level="1"]').first().click();
  await page.waitForURL(/span=/);
  const closedOne: number[] = [];
  const openedOne: number[] = [];
  for (let n = 0; n < TIMES; n++) {
    closedOne.push(await key('ArrowLeft', isClosed));
    openedOne.push(await key('ArrowRight', isOpen));
  }
  figures.put(on, 'close the root, ms', p95(closedOne), ROW_BUDGET_MS);
  figures.put(on, 'open the root, ms', p95(openedOne), ROW_BUDGET_MS);
  const folds = await reactions(TIMES, (n) => key('o', `${n % 2 === 0 ? '' : '!'}location.search.includes('fold=')`));
  figures.put(on, 'fold and unfold runs, ms', p95(folds), ROW_BUDGET_MS);
  await page.keyboard.press('Escape');
  figures.put(on, 'hide short spans, ms', p95(await hidings(page)), ROW_BUDGET_MS);
}

async function hidings(page: Page): Promise<number[]> {
  return reactions(TIMES, async (n) => {
    const before = await page.evaluate(ROW_COUNT);
    await page.keyboard.press('h');
    const form = page.getByRole('dialog', { name: 'Hide spans shorter than' });
    const button = n % 2 === 0 ? form.getByRole('button').first() : form.getByRole('button', { name: 'Hide none' });
    await button.waitFor();
    const took = await reaction(page, 'pointerup', `${ROW_COUNT} !== ${before}`, () => button.click({ delay: 20 }));
    await form.waitFor({ state: 'detached' });
    return took;
  });
}

export async function measureFind(page: Page, on: string, figures: Figures): Promise<void> {
  const field = page.getByRole('searchbox', { name: /^Find words/ });
  await field.click();
  // How many match each of the two texts that are then looked for in turn.
  const counts: string[] = [];
  for (const text of ['operation 7', 'operation 77']) {
    await field.fill(text);
    await page.waitForTimeout(SETTLED_MS);
    counts.push(JSON.stringify(await page.evaluate(MATCHES)));
  }
  const took = await reactions(TIMES, (n) =>
    reaction(page, 'keydown', `${MATCHES} === ${counts[n % 2]}`, () =>
      page.keyboard.press(n % 2 === 0 ? 'Backspace' : '7'),
    ),
  );
  figures.put(on, 'find a name, ms', p95(took), 100);
  await field.fill('');
  await page.keyboard.press('Escape');
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
}

/** Rows that were not looked at, then the same again. */
export async function measureDetails(page: Page, on: string, figures: Figures): Promise<void> {
  const rows = page.locator('[role="treegrid"] [role="row"][aria-level]');
  const ids: string[] = [];
  for (let n = 0; n < DETAILS; n++) ids.push((await rows.nth(n + 4).getAttribute('id')) ?? '');
  const isShown = `document.querySelector('[aria-selected="true"]')?.id === clicked &&
    [...document.querySelectorAll('h3')].some((h) => h.textContent.startsWith('Resource'))`;
  const click = async (id: string): Promise<number> => {
    const row = page.locator(`[id="${id}"]`);
    await page.evaluate(`window.clicked = ${JSON.stringify(id)}`);
    return reaction(page, 'pointerup', isShown, () => row.click({ position: { x: 200, y: 8 } }));
  };
  const fetched = await reactions(DETAILS, (n) => click(ids[n] as string));
  const cached = await reactions(DETAILS, (n) => click(ids[n] as string));
  figures.put(on, 'details of a span, fetched, ms', p95(fetched), 300);
  figures.put(on, 'details of a span, known, ms', p95(cached), 100);
}

/** On the flame view: what the page does at once when the pointer moves, which is to find the span below it. */
export async function measureHover(page: Page, on: string, figures: Figures): Promise<void> {
  const { took, isShown } = await page.evaluate(async (times) => {
    const box = document.querySelector('[role="application"]') as HTMLElement;
    const { left, top, width, height } = box.getBoundingClientRect();
    const move = (clientX: number, clientY: number): number => {
      const event = new PointerEvent('pointermove', { clientX, clientY, bubbles: true, pointerType: 'mouse' });
      const begin = performance.now();
      box.dispatchEvent(event);
      return performance.now() - begin;
    };
    const took = Array.from({ length: times }, (_, n) =>
      move(left + width * ((n * 0.618) % 1), top + height * ((n * 0.414) % 1)),
    );
    // The root is everywhere at the top.
    move(left + width / 2, top + 10);
    await new Promise((done) => setTimeout(done, 100));
    return { took, isShown: box.querySelector('strong') !== null };
  }, HOVERS);
  if (!isShown) throw new Error('nothing is shown of the span below the pointer');
  figures.put(on, 'flame hover, ms', p95(took), 4);
}
