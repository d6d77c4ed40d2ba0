// A real browser, and what every page must keep to while a test drives it: nothing thrown, nothing refused by the
// content policy, no answer of the server's that failed without the test expecting it.

import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

const OUT = process.env['TRACKWAY_E2E_OUT'] ?? new URL('../../target/web-e2e/', import.meta.url).pathname;
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

export type Theme = 'light' | 'dark';
export type Look = { theme?: Theme; width?: number; height?: number; isForced?: boolean };

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
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
}

export type Visit = {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Statuses of 400 and more that the test expects. */
  readonly expected: Set<number>;
  /** Ends the visit; fails when the page did something that no page may. */
  end(): Promise<void>;
};

/** Opens a page like a reader who comes for the first time. */
export async function visit(browser: Browser, url: string, look: Look = {}): Promise<Visit> {
  const { theme = 'light', width = 1280, height = 800, isForced = false } = look;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    forcedColors: isForced ? 'active' : 'none',
    reducedMotion: 'reduce',
    timezoneId: 'Europe/Berlin',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  const wrongs: string[] = [];
  const expected = new Set<number>();
  page.on('pageerror', (error) => wrongs.push(`thrown: ${error.message}`));
  page.on('console', (message) => {
    const isOfStatus = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isOfStatus) wrongs.push(`console: ${message.text()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400 && !expected.has(response.status()))
      wrongs.push(`status ${response.status()}: ${response.url()}`);
  });
  await page.goto(url);
  return {
    page,
    context,
    expected,
    async end() {
      await context.close();
      expect(wrongs).toEqual([]);
    },
  };
}

/** Keys of a trace come with its tools, a moment after the first rows. */
export async function traceKeysReady(page: Page): Promise<void> {
  await page.getByRole('toolbar').first().waitFor();
}

type Violation = { id: string; help: string; nodes: { target: string[]; failureSummary?: string }[] };
type WithAxe = { axe?: { run(root: Document, options: unknown): Promise<{ violations: Violation[] }> } };

/** Has the system change to another theme while the page is open. */
export async function changeTheme(page: Page, theme: Theme): Promise<void> {
  await page.emulateMedia({ colorScheme: theme });
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

/** What axe-core finds, a line each; empty when it finds nothing. */
export async function axe(page: Page): Promise<string[]> {
  // Text is evaluated by the driver, which the page's content policy does not bind.
  const isThere = await page.evaluate(() => (window as WithAxe).axe !== undefined);
  if (!isThere) await page.evaluate(readFileSync(AXE, 'utf8'));
  const violations = await page.evaluate(async (tags) => {
    const found = await (window as WithAxe).axe?.run(document, { runOnly: { type: 'tag', values: tags } });
    return found?.violations ?? [{ id: 'axe', help: 'axe-core did not load', nodes: [] }];
  }, AXE_TAGS);
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary = '' }) => `${id}: ${help}: ${target.join(' ')} ${failureSummary}`),
  );
}

/** A picture for people, named by what it shows. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(OUT, { recursive: true });
  await page.screenshot({ path: `${OUT}${name}.png` });
}
