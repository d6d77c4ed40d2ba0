// @vitest-environment happy-dom
// Downloads of all matches: page after page, with an end that is told whatever it is.

import { act, cleanup, configure, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { resetPreferences } from '../../core/preferences.ts';
import { DOWNLOAD_ROWS_MAX } from './DownloadMenu.tsx';
import { downloads } from './downloadRun.ts';
import { failed, found, matchedSpan, ndjson, overview, pretendLayout, serve, show, trace } from './explore.testing.tsx';

configure({ asyncUtilTimeout: 5_000 });
vi.setConfig({ testTimeout: 20_000 });

let saved: { name: string; text: Promise<string> }[] = [];

beforeEach(() => {
  pretendLayout();
  resetPreferences();
  saved = [];
  let last: Blob | null = null;
  vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
    last = blob as Blob;
    return 'blob:x';
  });
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    if (last) saved.push({ name: this.download, text: last.text() });
  });
});
afterEach(() => {
  act(() => downloads.dismiss());
  cleanup();
  vi.unstubAllGlobals();
});

const PAGE_MAX = '1000';
/** The list has a page of its own; what a download asks for is larger. */
const isDownload = (url: URL) => url.searchParams.get('limit') === PAGE_MAX;

async function choose(item: RegExp): Promise<void> {
  await userEvent.click(await screen.findByRole('button', { name: 'Download results' }));
  await userEvent.click(await screen.findByRole('menuitem', { name: item }));
}

async function savedAt(at: number): Promise<{ name: string; lines: string[] }> {
  await waitFor(() => expect(saved.length).toBeGreaterThan(at));
  const { name = '', text = '' } = saved[at] ?? {};
  return { name, lines: (await text).trimEnd().split(/\r?\n/) };
}

/** Pages of a list that has more than is shown, and of the download; the list itself has one page without fruit. */
function servePages(pages: (() => Response | Promise<Response>)[]) {
  return serve({
    search: (url: URL) => {
      if (isDownload(url)) return pages.shift()?.();
      return ndjson(url.searchParams.has('cursor') ? found([], 'more') : found([trace(9)], 'more'));
    },
  });
}

test('all pages are asked for with the cursor, in the order and with the columns of the list', async () => {
  const matched = [matchedSpan({ columns: ['/pay'] })];
  const { asked } = servePages([
    () => ndjson(found([trace(1, { matched }), trace(2)], 'one')),
    () => ndjson(found([], 'two')),
    () => ndjson(found([trace(3)])),
  ]);
  show('/search?q={ status = error }&sort=slowest&cols=span.http.route');
  await screen.findByRole('row', { name: /GET \/9/ });
  await choose(/^CSV/);
  const { name, lines } = await savedAt(0);
  expect(name).toMatch(/^traces-[\dT-]+\.csv$/);
  expect(lines[0]).toMatch(/^trace_id,.*,span\.http\.route$/);
  expect(lines.slice(1).map((line) => /GET \/\d/.exec(line)?.[0])).toEqual(['GET /1', 'GET /2', 'GET /3']);
  expect(lines[1]).toMatch(/,\/pay$/);
  const urls = asked('search').filter(isDownload);
  expect(urls.map((url) => url.searchParams.get('cursor'))).toEqual([null, 'one', 'two']);
  const list = asked('search')[0]?.searchParams;
  for (const key of ['q', 'sort', 'scope', 'from', 'to', 'cols'])
    expect(new Set([list?.get(key), ...urls.map((url) => url.searchParams.get(key))]).size).toBe(1);
  expect(await screen.findByText(/Downloaded all 3 rows. Saved as traces-/)).toBeTruthy();
});

test('progress is shown and can be cancelled; what came can be saved, and says that it is not all', async () => {
  servePages([() => ndjson(found([trace(1), trace(2)], 'one')), () => new Promise<Response>(() => undefined)]);
  show('/search');
  await screen.findByRole('row', { name: /GET \/9/ });
  await choose(/^JSON lines/);
  await screen.findByText('Downloading: 2 rows');
  await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  expect(await screen.findByText('Download cancelled after 2 rows.')).toBeTruthy();
  expect(saved).toEqual([]);
  await userEvent.click(screen.getByRole('button', { name: 'Save 2 rows' }));
  const { name, lines } = await savedAt(0);
  expect(name).toMatch(/-incomplete-2\.jsonl$/);
  expect(lines.map((line) => JSON.parse(line).name)).toEqual(['GET /1', 'GET /2']);
});

test('a page that fails is told; what came can be saved, and it goes on from that page', async () => {
  const { asked } = servePages([
    () => ndjson(found([trace(1)], 'one')),
    () => failed(503, 'too many questions at once'),
    // Breaks off in the middle: its rows are asked for again.
    () => ndjson(found([trace(2)]).slice(0, 2)),
    () => ndjson(found([trace(2), trace(3)])),
  ]);
  show('/search');
  await screen.findByRole('row', { name: /GET \/9/ });
  await choose(/^CSV/);
  expect(await screen.findByText(/The download failed after 1 row: too many questions/)).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Save 1 row' }));
  expect((await savedAt(0)).name).toMatch(/-incomplete-1\.csv$/);
  await userEvent.click(screen.getByRole('button', { name: 'Go on' }));
  expect(await screen.findByText(/The download failed after 2 rows: The answer ended/)).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Go on' }));
  const { name, lines } = await savedAt(1);
  expect(name).not.toContain('incomplete');
  expect(lines.slice(1).map((line) => /GET \/\d/.exec(line)?.[0])).toEqual(['GET /1', 'GET /2', 'GET /3']);
  const urls = asked('search').filter(isDownload);
  expect(urls.map((url) => url.searchParams.get('cursor'))).toEqual([null, 'one', 'one', 'one']);
});

test('a file ends at the most rows that it may have, and its name and a word say so', async () => {
  const page = Array.from({ length: 20_001 }, (_, n) => trace(n + 1));
  servePages(Array.from({ length: 9 }, () => () => ndjson(found(page, 'more'))));
  show('/search');
  await screen.findByRole('row', { name: /GET \/9/ });
  await choose(/^CSV/);
  expect(await screen.findByText(/first 100,000 rows, which is the most; there are more/)).toBeTruthy();
  const { name, lines } = await savedAt(0);
  expect(name).toMatch(/-first-100000\.csv$/);
  expect(lines).toHaveLength(DOWNLOAD_ROWS_MAX + 1);
});

test('the menu says how many there are; a list that is all here is saved without asking', async () => {
  const { asked } = serve({ overview: { ...overview, points: 250_000 } });
  show('/search');
  await screen.findByRole('row', { name: /GET \/3/ });
  await choose(/^CSV 2 rows/);
  expect((await savedAt(0)).lines).toHaveLength(3);
  expect(asked('search').filter(isDownload)).toEqual([]);
  cleanup();
  servePages([]);
  show('/search');
  await screen.findByRole('row', { name: /GET \/9/ });
  await userEvent.click(await screen.findByRole('button', { name: 'Download results' }));
  expect(await screen.findByRole('menuitem', { name: /^CSV all, about 1,200 traces/ })).toBeTruthy();
});
