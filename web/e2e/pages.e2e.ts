// Every page in both themes, loaded, empty and failed, at three widths and with spaced texts: what axe-core says of it,
// what of it is cut off, and pictures of it for people.
//
// A page is opened once for several looks: loading it costs more than looking at it.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { axe, changeTheme, type Look, picture, startBrowser, type Theme, visit } from './browser.ts';
import { cutTexts, overflow, pixels, spaceTexts } from './measure.ts';
import { spanId } from './otlp.ts';

type State = 'loaded' | 'empty' | 'failed';
type Case = {
  readonly name: string;
  readonly path: () => string;
  /** What is there once the page has settled, by state; a page without a state does not have it. */
  readonly shows: Partial<Record<State, RegExp>>;
};

const THEMES: readonly Theme[] = ['light', 'dark'];
const STATES: readonly State[] = ['loaded', 'empty', 'failed'];
const SERVICE_PATH = '/services/payment';

const CASES: readonly Case[] = [
  {
    name: 'home',
    path: () => '/',
    shows: { loaded: /Needs a look/, empty: /Nothing has arrived yet/, failed: /Retry/ },
  },
  {
    name: 'search',
    path: () => '/search',
    shows: { loaded: /about|of \d/, empty: /Nothing has arrived|no data/i, failed: /Retry/ },
  },
  {
    name: 'search-nothing',
    path: () => '/search?q=%7B%20name%20%3D%20%22nowhere%22%20%7D',
    shows: { loaded: /match/i },
  },
  { name: 'search-error', path: () => '/search?q=%7B%20duration%20%3E%205%20%7D', shows: { loaded: /unit/ } },
  {
    name: 'trace',
    path: () => `/trace/${inject('ids').rich}`,
    shows: { loaded: /GET \/checkout/, empty: /no trace|not found/i, failed: /Retry/ },
  },
  { name: 'trace-flame', path: () => `/trace/${inject('ids').rich}?view=flame`, shows: { loaded: /GET \/checkout/ } },
  { name: 'trace-table', path: () => `/trace/${inject('ids').rich}?view=table`, shows: { loaded: /SELECT items/ } },
  { name: 'trace-stats', path: () => `/trace/${inject('ids').rich}?view=stats`, shows: { loaded: /inventory/ } },
  { name: 'trace-events', path: () => `/trace/${inject('ids').rich}?view=events`, shows: { loaded: /exception/ } },
  { name: 'trace-odd', path: () => `/trace/${inject('ids').odd}`, shows: { loaded: /GET \/odd/ } },
  { name: 'trace-single', path: () => `/trace/${inject('ids').single}`, shows: { loaded: /tick/ } },
  { name: 'trace-wide', path: () => `/trace/${inject('ids').wide}`, shows: { loaded: /GET \/everything/ } },
  {
    name: 'compare',
    path: () => `/trace/${inject('ids').rich}...${inject('ids').quick}`,
    shows: { loaded: /slower/, empty: /no trace|not found/i, failed: /Retry/ },
  },
  {
    name: 'compare-side',
    path: () => `/trace/${inject('ids').rich}...${inject('ids').quick}?tab=side`,
    shows: { loaded: /slower/ },
  },
  { name: 'map', path: () => '/dependencies', shows: { loaded: /checkout/, empty: /Nothing|no /i, failed: /Retry/ } },
  { name: 'map-table', path: () => '/dependencies?as=table', shows: { loaded: /checkout/ } },
  { name: 'services', path: () => '/services', shows: { loaded: /payment/, empty: /Nothing|no /i, failed: /Retry/ } },
  {
    name: 'service',
    path: () => SERVICE_PATH,
    shows: { loaded: /POST \/charge/, empty: /no |Nothing/i, failed: /Retry/ },
  },
  {
    name: 'operation',
    path: () => `${SERVICE_PATH}/POST%20%2Fcharge`,
    shows: { loaded: /p95/, empty: /no |Nothing/i, failed: /Retry/ },
  },
  { name: 'status', path: () => '/status', shows: { loaded: /Adds up/, empty: /Adds up/, failed: /Retry/ } },
  { name: 'settings', path: () => '/settings', shows: { loaded: /Theme/ } },
  { name: 'not-found', path: () => '/nowhere', shows: { loaded: /There is no such page/ } },
];

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => browser.close());

async function fail(page: Page): Promise<void> {
  const body = JSON.stringify({
    error: { message: 'the store failed: a disk is gone', hint: 'look at the log', diagnostics: [] },
  });
  await page
    .context()
    .route(/\/api\//, (route) => route.fulfill({ status: 500, contentType: 'application/json', body }));
}

async function settled(page: Page, shows: RegExp): Promise<void> {
  await page.locator('#main').getByText(shows).first().waitFor();
  await page.evaluate(() => document.fonts.ready);
}

async function open(one: Case, state: State, look: Look) {
  const base = inject(state === 'empty' ? 'empty' : 'seeded');
  const seen = await visit(browser, state === 'failed' ? 'about:blank' : base + one.path(), look);
  if (state === 'empty') seen.expected.add(404);
  if (one.name === 'search-error') seen.expected.add(400);
  if (state === 'failed') {
    seen.expected.add(500);
    await fail(seen.page);
    await seen.page.goto(base + one.path());
  }
  await settled(seen.page, one.shows[state] ?? /./);
  return seen;
}

describe.each(STATES)('%s', (state) => {
  for (const one of CASES.filter((one) => one.shows[state] !== undefined)) {
    test(`${one.name} in both themes, and with the spacing of text that a reader may set`, async () => {
      const { page, end } = await open(one, state, {});
      await picture(page, `${one.name}-light-1280-${state}`);
      expect.soft(await axe(page), 'light').toEqual([]);
      await changeTheme(page, 'dark');
      await picture(page, `${one.name}-dark-1280-${state}`);
      expect.soft(await axe(page), 'dark').toEqual([]);
      await spaceTexts(page);
      await picture(page, `${one.name}-spaced-${state}`);
      expect.soft(await cutTexts(page), 'cut off').toEqual([]);
      expect.soft(await overflow(page), 'wider than the window').toBeLessThanOrEqual(0);
      await end();
    });
  }
});

describe('narrow', () => {
  for (const one of CASES) {
    test(`${one.name} keeps to its width`, async () => {
      const { page, end } = await open(one, 'loaded', { width: 390 });
      await picture(page, `${one.name}-light-390-loaded`);
      expect.soft(await overflow(page), '390 px').toBeLessThanOrEqual(0);
      if (one.name.startsWith('trace')) expect.soft(await axe(page)).toEqual([]);
      await page.setViewportSize({ width: 320, height: 800 });
      await picture(page, `${one.name}-light-320-loaded`);
      expect.soft(await overflow(page), '320 px').toBeLessThanOrEqual(0);
      await end();
    });
  }

  test.each(THEMES)('a trace with the details of its error, %s', async (theme) => {
    const path = `/trace/${inject('ids').rich}?span=${spanId(3)}`;
    const { page, end } = await visit(browser, inject('seeded') + path, { theme, width: 390, height: 844 });
    await page.getByText('card declined by issuer').first().waitFor();
    await picture(page, `trace-details-${theme}-390`);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(await axe(page)).toEqual([]);
    await end();
  });
});

describe('where the system forces its colours', () => {
  /** The ground of our dark theme, which the system does not know. */
  const ours = 'rgb(13, 15, 18)';
  for (const name of ['search', 'trace', 'trace-flame', 'compare-side', 'operation']) {
    test(`canvases of ${name} are in those`, async () => {
      const one = CASES.find((other) => other.name === name);
      if (one === undefined) throw new Error(`no page ${name}`);
      const { page, end } = await open(one, 'loaded', { theme: 'dark', isForced: true });
      await page.waitForFunction(() => [...document.querySelectorAll('canvas')].some(({ width }) => width > 1));
      const system = await page.evaluate(() => {
        const probe = document.body.appendChild(document.createElement('span'));
        probe.style.color = 'Canvas';
        const colour = getComputedStyle(probe).color;
        probe.remove();
        return colour;
      });
      expect(system).not.toBe(ours);
      await expect.poll(async () => (await pixels(page, [system]))[0], { timeout: 5_000 }).toBeGreaterThan(100);
      expect((await pixels(page, [ours]))[0]).toBe(0);
      await picture(page, `${name}-forced`);
      await end();
    });
  }
});

test('no page needs inline styles, the editor of queries apart', { timeout: 120_000 }, async () => {
  const { page, context, expected, end } = await visit(browser, 'about:blank');
  expected.add(400);
  expected.add(404);
  let replaced = 0;
  await context.route('**', async (route) => {
    if (route.request().resourceType() !== 'document') return route.fallback();
    const response = await route.fetch();
    const policy = response.headers()['content-security-policy'] ?? '';
    replaced += policy.includes("'unsafe-inline'") ? 1 : 0;
    const strict = policy.replace(" 'unsafe-inline'", '');
    return route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': strict } });
  });
  for (const one of CASES) {
    await page.goto(inject('seeded') + one.path());
    await settled(page, one.shows.loaded ?? /./);
  }
  expect(replaced).toBe(CASES.length);
  await end();
});
