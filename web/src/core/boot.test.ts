// @vitest-environment happy-dom
// What the server's configuration changes: the usual range of a search, how far back and how much one may ask.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

beforeEach(() => vi.resetModules());
afterEach(() => {
  document.body.innerHTML = '';
});

async function booted(block: unknown) {
  document.body.innerHTML = `<script type="application/json" id="boot">${JSON.stringify(block)}</script>`;
  return { ...(await import('./boot.ts')), ...(await import('./places.ts')), ...(await import('../url/index.ts')) };
}

test('a search that says no range has that of the server; links leave it out and name any other', async () => {
  const { parseUrl, printUrl, defaults, placeOfSearch } = await booted({ searchLookback: '6h' });
  const { route } = parseUrl('/search');
  expect(route).toMatchObject({ state: { range: { kind: 'relative', last: '6h' } } });
  expect(defaults.search()).toMatchObject({ state: { range: { last: '6h' } } });
  expect(printUrl(route)).toBe('/search');
  const hour = { ...route, ...placeOfSearch({ range: { kind: 'relative', last: '1h' } }) } as typeof route;
  expect(printUrl(hour)).toBe('/search?range=1h');
  expect(parseUrl('/search?range=1h').route).toEqual(hour);
  expect(parseUrl('/services').route).toMatchObject({ state: { range: { last: '1h' } } });
});

test('what is broken or absent in the block leaves what is usual', async () => {
  const { parseUrl, pageRowsMax, mayLookBack } = await booted({ searchLookback: 'long ago', searchLimitMax: 'x' });
  expect(parseUrl('/search').route).toMatchObject({ state: { range: { last: '1h' } } });
  expect(pageRowsMax).toBe(1_000);
  expect(mayLookBack('9999w')).toBe(true);
});

test('limits of the configuration hold beside those of the server', async () => {
  const given = { searchLimitMax: 200, searchLookbackMax: '2d', limits: { pageTracesMax: 500, queryBytesMax: 1 } };
  const { pageRowsMax, mayLookBack } = await booted(given);
  expect(pageRowsMax).toBe(200);
  expect([mayLookBack('24h'), mayLookBack('48h'), mayLookBack('7d')]).toEqual([true, true, false]);
});
