// What links promise: what is printed reads as the same, nothing throws, defaults are left out, long lists are packed.

import { expect, test } from 'vitest';
import { setLanguage } from '../i18n/catalogue.ts';
import {
  freeze,
  parsePasted,
  parseUrl,
  printUrl,
  type RouteOf,
  resolveRange,
  type TraceState,
  URL_CHARS_MAX,
} from './index.ts';
import { PLAIN_CHARS_MAX, unpackParams } from './pack.ts';
import { PAGES, Random, randomRoute } from './random.testing.ts';

const SEED = Number(process.env['TRACKWAY_SEED'] ?? 20_261_128);
const NOW = 1_795_874_531_482_123_456n;

test.each(PAGES)('a printed link reads as the same state: %s', (page) => {
  for (let i = 0; i < 400; i += 1) {
    const route = randomRoute(new Random(SEED + i), page);
    const url = printUrl(route);
    expect(parseUrl(url), `seed ${SEED + i}: ${url}`).toEqual({ route, notices: expect.any(Array) });
    expect(printUrl(parseUrl(url).route)).toBe(url);
    expect(parseUrl(printUrl(route, '/jaeger'), '/jaeger/').route).toEqual(route);
  }
});

test.each(['search', 'trace', 'compare'] as const)(
  'a link with long lists is packed and reads as the same: %s',
  (page) => {
    let packed = 0;
    for (let i = 0; i < 60; i += 1) {
      const route = randomRoute(new Random(SEED + i), page, 150);
      const url = printUrl(route);
      packed += /[?&]s=/.test(url) ? 1 : 0;
      expect(parseUrl(url).route, `seed ${SEED + i}`).toEqual(route);
    }
    expect(packed).toBeGreaterThan(10);
  },
);

test('a link holds only ASCII without spaces, so that it survives chat and mail', () => {
  for (let i = 0; i < 300; i += 1) {
    const random = new Random(SEED + i);
    expect(printUrl(randomRoute(random, random.pick(PAGES)))).toMatch(/^\/[\w\-.~%?&=+:,/@!*;]*$/);
  }
});

test('nothing that anybody types or breaks throws', () => {
  const random = new Random(SEED);
  for (let i = 0; i < 3000; i += 1) {
    const whole = printUrl(randomRoute(random, random.pick(PAGES), 40));
    const at = random.below(whole.length);
    const broken = random.pick([
      whole.slice(0, at),
      whole.slice(0, at) + random.text() + whole.slice(at),
      `/${random.pick(['search', 'trace/abc', 'monitor', 'services'])}?${random.text()}&${random.text()}`,
      `/trace/abc?s=AQ${random.text()}`,
      random.text(),
    ]);
    const { route } = parseUrl(broken);
    expect(() => printUrl(route)).not.toThrow();
  }
});

const trace = (state: Partial<TraceState> = {}): RouteOf<'trace'> => {
  const { route } = parseUrl('/trace/4bf92f3577b34da6a3ce929d0e0e4736');
  if (route.page !== 'trace') throw new Error('no trace page');
  return { ...route, state: { ...route.state, ...state } };
};

test('a default is not printed, and what is can be read', () => {
  expect(printUrl(trace())).toBe('/trace/4bf92f3577b34da6a3ce929d0e0e4736');
  const state = {
    view: 'flame',
    zoom: { fromNs: 0, toNs: 5_000 },
    minNs: 1e6,
    services: ['cart', 'a,b'],
    fold: false,
  } as const;
  expect(
    printUrl(trace({ ...state, collapse: { depth: 3, except: ['00f067aa0ba902b7'], opened: ['a3ce929d0e0e4736'] } })),
  ).toBe(
    '/trace/4bf92f3577b34da6a3ce929d0e0e4736?view=flame&z=0-5000&services=cart,a%5C,b&min=1ms&fold=0&x=3,00f067aa0ba902b7,oa3ce929d0e0e4736',
  );
  expect(
    printUrl(parseUrl('/search?q={+duration+>+1s+}&from=1543917759557000&to=2018-12-04T13:00:00%2B01:00').route),
  ).toBe('/search?q=%7B+duration+%3E+1s+%7D&from=2018-12-04T10:02:39.557Z&to=2018-12-04T12:00:00Z');
});

test('thousands of closed rows fit into one field, and a broken one is told of', () => {
  const random = new Random(SEED);
  const except = Array.from({ length: 1000 }, () => random.hex(16));
  const url = printUrl(trace({ collapse: { depth: 2, except, opened: [] } }));
  expect(url.length).toBeLessThan(10_750);
  expect(parseUrl(url)).toEqual({ route: trace({ collapse: { depth: 2, except, opened: [] } }), notices: [] });
  expect(parseUrl(url.slice(0, -20)).notices).toHaveLength(1);
  expect(unpackParams('AgAB')).toBeNull();
  expect(unpackParams('AQD_____')).toBeNull();
  const short = printUrl(trace({ collapse: { depth: null, except: except.slice(0, 80), opened: [] } }));
  expect(short.length).toBeLessThanOrEqual(PLAIN_CHARS_MAX);
  expect(short).toContain(`x=${except[0]},`);
});

test('sharing fixes the time, and only the time', () => {
  const { route } = parseUrl('/search?range=15m&sort=slowest');
  expect(printUrl(freeze(route, NOW))).toBe(
    '/search?from=2026-11-28T13:47:11.482123456Z&to=2026-11-28T14:02:11.482123456Z&sort=slowest',
  );
  const open = parseUrl('/services/cart?from=2026-11-28T13:00:00Z').route;
  expect(printUrl(freeze(open, NOW))).toContain('to=2026-11-28T14:02:11.482123456Z');
  expect(freeze(trace(), NOW)).toEqual(trace());
  expect(resolveRange({ kind: 'relative', last: '99999w' }, NOW).fromNs).toBe(0n);
});

test.each([
  ['1795874531', 1_795_874_531_000_000_000n],
  ['1795874531482', 1_795_874_531_482_000_000n],
  ['1795874531482123', 1_795_874_531_482_123_000n],
  ['1795874531482123456', NOW],
  ['2026-11-28T14:02:11.482123456Z', NOW],
  ['2026-11-28T15:02:11.482123456%2B01:00', NOW],
  ['2026-11-28 14:02:11Z', 1_795_874_531_000_000_000n],
])('from=%s is read as the same instant', (from, ns) => {
  const { route, notices } = parseUrl(`/search?from=${from}`);
  expect(route.state).toMatchObject({ range: { fromNs: ns, toNs: null } });
  expect(notices).toEqual([]);
});

test.each([
  ['/search?from=yesterday', 'from=yesterday is not a time and left out'],
  // Milliseconds of the year 2603, which no 64-bit nanoseconds hold, and no microseconds of 1970.
  ['/search?from=20000000000000', 'from=20000000000000 is not a time and left out'],
  ['/search?range=0h', 'range=0h is not understood and left out'],
  [
    '/search?from=1800000000&to=1700000000',
    'the end of the time range is not after its start; the usual range is shown',
  ],
  ['/search?from=99999999999999999999', 'from=99999999999999999999 is not a time and left out'],
  ['/trace/abc?z=5-1', 'z=5-1 is not understood and left out'],
  ['/trace/abc?x=later', 'x=later is not understood and left out'],
  ['/trace/abc?s=AQ', null],
  ['/trace/abc?s=Ag', 'the packed part of the link is broken or of a later version, and left out'],
  ['/status?foo=1&bar=2', 'not known here: foo, bar'],
  [`/search?q=${'x'.repeat(URL_CHARS_MAX)}`, 'the link is too long; its end is left out'],
])('%.50s says what it left out', (url, notice) => {
  expect(parseUrl(url).notices).toEqual(notice === null ? [] : [notice]);
});

test('the base path is taken off, also where it is the whole path', () => {
  expect(parseUrl('/jaeger/search', '/jaeger').route.page).toBe('search');
  expect(parseUrl('/jaeger', '/jaeger/').route.page).toBe('home');
  expect(parseUrl('/jaegers/search', '/jaeger').route.page).toBe('notFound');
  expect(parseUrl('/search#top', '/').route.page).toBe('search');
  expect(printUrl(parseUrl('/').route, '/ui/')).toBe('/ui/');
});

test('an operation whose slash a proxy has decoded is the same operation', () => {
  expect(parseUrl('/services/cart/GET /items/:id').route.state).toMatchObject({
    service: 'cart',
    operation: 'GET /items/:id',
  });
  expect(parseUrl('/services/cart/GET%20%2Fitems').route.state).toMatchObject({ operation: 'GET /items' });
});

test('half a surrogate pair does not stop a link from being printed', () => {
  expect(printUrl(trace({ find: 'a\ud83d' }))).toContain('find=a%EF%BF%BD');
});

test('a pasted link of any Jaeger is understood, anything else is not a link', () => {
  expect(
    parsePasted(' https://tracing.example/ops/jaeger/trace/abc?uiFind=00f067aa0ba902b7 ')?.route.state,
  ).toMatchObject({
    traceId: '00000000000000000000000000000abc',
    span: '00f067aa0ba902b7',
  });
  expect(parsePasted('/search?service=a')?.route.page).toBe('search');
  expect(parsePasted('checkout')).toBeNull();
  expect(parsePasted('https://example.com/')).toBeNull();
});

test('what a link lost is told in the language of the reader', () => {
  setLanguage('de', { links: { broken: (key: string, value: string) => `${key}=${value} ist unverständlich` } });
  expect(parseUrl('/trace/abc?z=5-1').notices).toEqual(['z=5-1 ist unverständlich']);
  setLanguage('en');
});
