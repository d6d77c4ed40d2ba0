// What the map draws: around a focus, above a threshold, never too much, and always the same.

import { expect, test } from 'vitest';
import { BUSIEST, chooseDrawn, DRAWN_MAX, isFound, readCalls, shownAs } from './calls.ts';
import { many, SHOP } from './fake.testing.ts';
import { flowOf, REST_ID } from './flow.ts';
import { arrowOf } from './geometry.ts';
import { place } from './layout.ts';
import { pictureOf, svgText } from './picture.ts';
import { callLabel, scaleOf, valueText } from './scale.ts';
import { stepFrom } from './walk.ts';

const shop = readCalls(SHOP);
const names = (services: readonly { name: string }[]) => services.map(({ name }) => name);
const all = { focus: null, hops: 2, min: 0 } as const;

test('services know who calls them and whom they call, also where they send nothing themselves', () => {
  const redis = shop.services.get('redis');
  expect(redis?.total).toBeNull();
  expect(redis?.rate).toBe(20);
  expect(shop.services.get('checkout')?.out.map(({ callee }) => callee)).toEqual(['cart', 'mail']);
  expect(shop.services.get('cart')?.in.map(({ caller }) => caller)).toEqual(['web', 'checkout']);
});

test('hops go up to callers and down to what is called, not sideways', () => {
  const around = (focus: string, hops: 1 | 2 | 3 | 'all') => names(chooseDrawn(shop, { focus, hops, min: 0 }).services);
  expect(around('checkout', 1)).toEqual(['cart', 'checkout', 'mail', 'web']);
  expect(around('checkout', 2)).toEqual(['cart', 'checkout', 'mail', 'redis', 'web']);
  expect(around('mail', 1)).toEqual(['checkout', 'mail']);
  expect(around('mail', 'all')).toEqual(['checkout', 'mail', 'web']);
  // A focus that is not there: the map as it opens.
  expect(around('gone', 1)).toHaveLength(5);
});

test('rare calls are hidden, and services that are left without any', () => {
  const { services, calls } = chooseDrawn(shop, { ...all, min: 4 });
  expect(calls.map(({ callee }) => callee)).toEqual(['redis', 'cart', 'cart', 'checkout']);
  expect(names(services)).toEqual(['cart', 'checkout', 'redis', 'web']);
  expect(chooseDrawn(shop, { ...all, min: 1e6 }).wantedCalls).toEqual([]);
});

test.each([
  [60, BUSIEST, 20],
  [1_000, BUSIEST, 960],
])('of %d services the busiest %d are drawn, the rest is one node', (count, drawnCount, rest) => {
  const drawn = chooseDrawn(readCalls(many(count)), all);
  expect([drawn.services.length, drawn.rest.length, drawn.wanted.length]).toEqual([drawnCount, rest, count]);
  expect(drawn.rest[0]?.rate).toBeLessThanOrEqual(Math.min(...drawn.services.map(({ rate }) => rate)));
  expect(shownAs({ as: 'auto' }, drawn)).toBe(count > DRAWN_MAX ? 'table' : 'graph');
  expect(shownAs({ as: 'graph' }, drawn)).toBe('graph');
});

test('never more than 150 are drawn, whatever the link asks for', () => {
  const calls = readCalls(many(1_000));
  expect(chooseDrawn(calls, { ...all, hops: 'all' }).services).toHaveLength(DRAWN_MAX);
  const focused = chooseDrawn(calls, { focus: 'service-0000', hops: 'all', min: 0 });
  expect(focused.services.length).toBeLessThanOrEqual(DRAWN_MAX);
  // The focus and what is near it are the last to be left out.
  expect(names(focused.services)).toContain('service-0000');
});

test.each([
  ['shop', SHOP],
  ['60 services', many(60)],
  ['1,000 services', many(1_000)],
])('the same calls give the same picture, in whatever order they come: %s', (_, answer) => {
  const mixed = { ...answer, nodes: answer.nodes.toReversed(), edges: answer.edges.toReversed() };
  const [one, other] = [answer, mixed].map((given) => {
    const drawn = chooseDrawn(readCalls(given), { ...all, hops: 'all' });
    const placed = place(drawn);
    return { placed, svg: svgText(pictureOf(drawn, placed, 'latency', 'dark')) };
  });
  expect(other?.placed).toEqual(one?.placed);
  expect(other?.svg).toBe(one?.svg);
});

test('services do not cover each other, and callers stand left of what they call where nothing goes round', () => {
  const drawn = chooseDrawn(readCalls(many(60)), { ...all, hops: 'all' });
  const placed = place(drawn);
  const at = [...placed.nodes.values()];
  for (const [i, a] of at.entries()) {
    for (const b of at.slice(i + 1)) expect(Math.abs(a.x - b.x) >= 176 || Math.abs(a.y - b.y) >= 44).toBe(true);
  }
  for (const { caller, callee } of drawn.calls) {
    expect(placed.nodes.get(caller)?.x).toBeLessThan(placed.nodes.get(callee)?.x ?? 0);
  }
});

test('a service that calls itself has a loop on top', () => {
  const first = SHOP.edges[0];
  if (!first) throw new Error('no calls');
  const self = { ...SHOP, edges: [...SHOP.edges, { ...first, caller: 'cart', callee: 'cart' }] };
  const placed = place(chooseDrawn(readCalls(self), all));
  const loop = placed.calls.get(JSON.stringify(['cart', 'cart', false]));
  expect(loop?.path).toMatch(/^M\d+ \d+C/);
  expect(loop && arrowOf(loop, 1)).toMatch(/^M/);
});

test('shades follow the measure, widths the rate, and all are between their ends', () => {
  const drawn = chooseDrawn(shop, all);
  const call = (callee: string) => drawn.calls.find((one) => one.callee === callee) ?? { total: null, rate: 0 };
  const latency = scaleOf(drawn, 'latency');
  expect(latency.shade(call('checkout'))).toBe(1);
  expect(latency.shade(call('redis'))).toBe(0);
  expect(latency.width(call('redis'))).toBe(6);
  expect(latency.width(call('mail'))).toBe(1);
  const errors = scaleOf(drawn, 'errors');
  expect(errors.shade(call('checkout'))).toBeCloseTo(0.6);
  expect(errors.shade(call('mail'))).toBe(0);
  expect(valueText(call('checkout'), 'errors')).toBe('3 %');
  expect(valueText(call('checkout'), 'latency')).toBe('2.1 s');
  expect(valueText(call('checkout'), 'rate')).toBe('10/s');
  expect(valueText({ total: null, rate: 1 }, 'latency')).toBe('–');
  expect(callLabel(call('checkout'), 'latency')).toEqual({ above: '2.1 s', below: '10/s · 3 %', main: 'above' });
  expect(callLabel(call('checkout'), 'errors')).toEqual({ above: '10/s', below: '3 %', main: 'below' });
});

test('arrow keys walk along calls, and between those above each other', () => {
  const drawn = chooseDrawn(shop, all);
  const placed = place(drawn);
  expect(stepFrom('web', 'left', drawn, placed)).toBeNull();
  const next = stepFrom('web', 'right', drawn, placed);
  expect(['checkout', 'cart']).toContain(next);
  expect(stepFrom('cart', 'right', drawn, placed)).toBe('redis');
  expect(stepFrom('redis', 'left', drawn, placed)).toBe('cart');
  expect(stepFrom('nobody', 'up', drawn, placed)).toBeNull();
  // Whoever goes up can come back down.
  for (const { name } of drawn.services) {
    const above = stepFrom(name, 'up', drawn, placed);
    if (above !== null) expect(stepFrom(above, 'down', drawn, placed)).not.toBeNull();
  }
});

test('what is looked at stands out, the rest is quiet', () => {
  const drawn = chooseDrawn(shop, all);
  const placed = place(drawn);
  const looked = { metric: 'latency', find: '', selected: ['mail'], focus: null, tabStop: 'mail', near: null } as const;
  const { nodes, edges } = flowOf(drawn, placed, looked);
  const quiet = nodes.filter((node) => node.type === 'service' && node.data.isQuiet).map(({ id }) => id);
  expect(quiet).toEqual(['cart', 'redis', 'web']);
  expect(edges.filter(({ data }) => data?.label !== null).map(({ target }) => target)).toEqual(['mail']);
  const large = chooseDrawn(readCalls(many(60)), all);
  expect(flowOf(large, place(large), looked).nodes.at(-1)).toMatchObject({ id: REST_ID, data: { count: 20 } });
});

test('a picture is whole SVG with names that are safe in it', () => {
  const odd = { ...SHOP, nodes: [{ service: '<b>&"', total: SHOP.nodes[0]?.total ?? null }] } as typeof SHOP;
  const drawn = chooseDrawn(readCalls(odd), all);
  const svg = svgText(pictureOf(drawn, place(drawn), 'errors', 'light'));
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="\d+" height="\d+"/);
  expect(svg).toContain('&lt;b&gt;&amp;&quot;');
  expect(svg).toContain('stroke-dasharray');
});

test('texts find services by all of their words', () => {
  expect([isFound('checkout-api', 'API check'), isFound('checkout-api', 'x'), isFound('a', '')]).toEqual([
    true,
    false,
    true,
  ]);
});
