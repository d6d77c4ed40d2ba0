// The golden file of Jaeger's links: each has the state that it had in every release.

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseUrl, printUrl } from './index.ts';

const FILE = new URL('../../testdata/jaeger-urls.txt', import.meta.url);

const blocks = readFileSync(FILE, 'utf8').trim().split(/\n\n+/);
const cases = blocks.filter((block) => block.startsWith('/')).map((block) => block.split('\n'));

function asJson(url: string): string {
  const { route, notices } = parseUrl(url);
  const { embed, ...place } = route;
  const shown = embed.mode === 'off' ? place : route;
  return JSON.stringify({ ...shown, notices }, (_, value) => (typeof value === 'bigint' ? String(value) : value));
}

if (process.env['UPDATE'] === '1') {
  const updated = blocks.map((block) => {
    const [url = ''] = block.split('\n');
    return url.startsWith('/') ? `${url}\n${asJson(url)}` : block;
  });
  writeFileSync(FILE, `${updated.join('\n\n')}\n`);
}

test('the golden file has the links of the contract', () => {
  expect(cases.length).toBeGreaterThanOrEqual(41);
});

test.each(cases.map(([url = '', json = '']) => ({ url, short: url.slice(0, 100), json })))(
  '$short',
  ({ url, json }) => {
    // Under UPDATE the file that was read above is the old one.
    if (process.env['UPDATE'] !== '1') expect(asJson(url)).toBe(json);
  },
);

test.each(cases.map(([url = '']) => ({ url, short: url.slice(0, 100) })))(
  'printed as ours it is the same: $short',
  ({ url }) => {
    const { route } = parseUrl(url);
    const again = parseUrl(printUrl(route));
    expect(again.route).toEqual(route);
    if (route.page !== 'notFound') expect(again.notices).toEqual([]);
  },
);
