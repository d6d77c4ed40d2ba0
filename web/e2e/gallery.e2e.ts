// The gallery of components in both themes: what axe-core says of it. It is served from the sources, since no program
// has it.

import type { Browser } from 'playwright-core';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { axe, picture, startBrowser, type Theme, visit } from './browser.ts';

let browser: Browser;
let server: ViteDevServer;
beforeAll(async () => {
  server = await createServer({
    root: new URL('..', import.meta.url).pathname,
    logLevel: 'error',
    // Modules may be linked to from elsewhere.
    server: { port: 0, host: '127.0.0.1', watch: null, hmr: false, fs: { strict: false } },
  });
  await server.listen();
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test.each<Theme>(['light', 'dark'])('every component, %s', async (theme) => {
  const address = server.httpServer?.address();
  if (typeof address !== 'object' || address === null) throw new Error('the gallery is not served');
  const url = `http://127.0.0.1:${address.port}/src/dev/gallery.html?theme=${theme}`;
  const { page, end } = await visit(browser, url, { theme, height: 2_000 });
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.evaluate(() => document.fonts.ready);
  await picture(page, `gallery-${theme}`);
  expect(await axe(page)).toEqual([]);
  await end();
});
