// What is seen in Trackway without a fault and with each, as docs/tutorial says it. Each fault has a shop of its own,
// and its spans are told apart by an attribute of their resource.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before } from 'node:test';

import { EXERCISE, Shop, testWithTrackway, TRACKWAY_BIN, Trackway, until, Visitor } from './support.js';

const LOAD = ['--rate', '20', '--seconds', '10', '--seed', '3'];
const VISITS = 200;
/** Services are slow at first; these come before. */
const WARM_UP = ['--rate', '5', '--seconds', '2', '--seed', '4'];
const WARM_UP_VISITS = 10;
/** More than any step takes without a fault, less than the slow one at its quickest. */
const SLOW_MS = 700;
const PURCHASE_WAY = ['payment: POST /charge', 'storefront: POST /charge', 'storefront: POST /buy'];

let trackway;
const shops = {};
before(async () => {
  if (!TRACKWAY_BIN) return;
  trackway = await Trackway.start();
});
after(async () => {
  await Promise.all(Object.values(shops).map((shop) => shop.end()));
  await trackway?.end();
});

/** A shop whose spans are known by a name; "runtime" is the one whose fault is set by its form. */
async function shopWith(name, fault = name) {
  const env = { ...trackway.env, OTEL_RESOURCE_ATTRIBUTES: `shop.fault=${name}` };
  if (fault !== 'runtime') env.PAYMENT_FAULT = fault;
  shops[name] ??= await Shop.start(env);
  return shops[name];
}

/** The queries of one shop: conditions are added to its own. */
function askOf(fault) {
  const queryOf = (conditions) => `{ resource.shop.fault = "${fault}" && ${conditions} }`;
  return {
    find: (conditions) => trackway.find(queryOf(conditions)),
    facet: (conditions, field) => trackway.facet(queryOf(conditions), field),
  };
}

/** Has the shop visited under a fault, and waits until all of it is in Trackway. */
async function loaded(fault) {
  const shop = await shopWith(fault);
  await shop.load(...WARM_UP);
  const output = await shop.load(...LOAD);
  await shop.end();
  const { find } = askOf(fault);
  const roots = 'resource.service.name = "storefront" && kind = server && name != "POST /login"';
  await until('all visits are there', async () => (await find(roots)).length === VISITS + WARM_UP_VISITS);
  return output;
}

const idsOf = (traces) => traces.map(({ traceId }) => traceId).sort();
/**
 * How long the spans that a query found took, the shortest first. A busy machine makes any of them long, and a fault
 * all of those that it is about: so the shortest tells the one from the other.
 */
function msOf(traces) {
  const spans = traces.flatMap(({ matched }) => matched);
  return spans.map(({ durationNs }) => durationNs / 1e6).sort((a, b) => a - b);
}
const BUYS = 'resource.service.name = "storefront" && name = "POST /buy"';

testWithTrackway('a purchase is one trace through all four services, with the steps of each', async () => {
  const shop = await shopWith('runtime');
  const cleo = new Visitor(shop.urls.storefront);
  await cleo.logIn('cleo');
  const { traceId, page } = await cleo.fillIn('/buy', { lamp: '2', chair: '1', provider: 'acme-pay' });
  assert.ok(page.includes(`href="${trackway.url}/trace/${traceId}"`), 'the page leads to the trace');
  const trace = await trackway.trace(traceId, 14);
  assert.equal(trace.spans.length, 14, `${trace}`);
  assert.deepEqual(trace.way(trace.span('login: check-session')), [
    'login: check-session', 'login: GET /session', 'storefront: GET /session', 'storefront: POST /buy',
  ]);
  assert.deepEqual(trace.way(trace.span('catalog: load-prices')), [
    'catalog: load-prices', 'catalog: POST /quote', 'storefront: POST /quote', 'storefront: POST /buy',
  ]);
  for (const step of ['ask-provider', 'wait-for-lock', 'book-points']) {
    const way = [`payment: ${step}`, 'payment: charge-card', ...PURCHASE_WAY];
    assert.deepEqual(trace.way(trace.span(`payment: ${step}`)), way, `${trace}`);
  }
  const save = trace.span('storefront: save-order');
  assert.deepEqual(trace.way(save), ['storefront: save-order', 'storefront: POST /buy']);
  for (const name of ['storefront: POST /buy', 'payment: POST /charge']) {
    const { tags } = trace.span(name, 'server');
    const buyer = [tags['customer.id'], tags['customer.tier'], tags['feature.new_cart']];
    assert.deepEqual(buyer, ['cleo', 'premium', false], name);
    const bill = [tags['cart.items'], tags['payment.cents'], tags['payment.provider']];
    assert.deepEqual(bill, [3, 17_300, 'acme-pay'], name);
  }
});

testWithTrackway('a login has the check of the password, also of a wrong one, which is no error', async () => {
  const shop = await shopWith('runtime');
  const form = { customer: 'ben', password: 'wrong' };
  const { traceId } = await new Visitor(shop.urls.storefront).open('/login', { form });
  const trace = await trackway.trace(traceId, 4);
  const check = trace.span('login: check-password');
  assert.deepEqual(trace.way(check), [
    'login: check-password', 'login: POST /login', 'storefront: POST /login', 'storefront: POST /login',
  ]);
  assert.deepEqual(check.events, [{ event: 'password refused' }]);
  for (const span of ['login: check-password', 'login: POST /login']) {
    assert.equal(trace.span(span).tags['otel.status_code'], undefined, span);
  }
});

testWithTrackway('what is set on the form is no trace, and holds for the next purchase', async () => {
  const shop = await shopWith('runtime');
  const ben = new Visitor(shop.urls.storefront);
  await ben.logIn('ben');
  const set = await ben.fillIn('/faults', { fault: 'failing' });
  assert.equal(set.status, 200);
  const { status, traceId } = await ben.fillIn('/buy', { provider: 'globex-pay' });
  assert.equal(status, 502);
  await trackway.trace(traceId, 12);
  await ben.fillIn('/faults', { fault: 'none' });
  const after = await ben.fillIn('/buy', { provider: 'globex-pay' });
  await trackway.trace(after.traceId, 12);
  const { find } = askOf('runtime');
  assert.deepEqual(idsOf(await find('status = error && name = "ask-provider"')), [traceId]);
  assert.deepEqual(await find('.url.path =~ "/(faults|live|ready|style.css)"'), []);
  assert.deepEqual(await find('.url.full =~ ".*/faults"'), []);
});

testWithTrackway('none: nothing fails, nothing is asked twice, and nothing is slow', async () => {
  const output = await loaded('none');
  assert.match(output, /^buy .* 200 × \d+$/m);
  const { find, facet } = askOf('none');
  assert.deepEqual(await find('status = error'), []);
  assert.deepEqual(await find('span.payment.attempt > 1'), []);
  const buys = await find(BUYS);
  const bookings = await find('name = "book-points" && span.payment.provider = "acme-pay"');
  assert.ok(msOf(bookings)[0] < SLOW_MS, `${msOf(bookings)}`);
  for (const field of ['customer.tier', 'payment.provider']) {
    const counts = await facet(BUYS, `span.${field}`);
    assert.equal(Object.keys(counts).length, 3, field);
    assert.equal(Object.values(counts).reduce((total, count) => total + count), buys.length);
  }
});

testWithTrackway('slow: premium customers of acme-pay wait, so few that only the p99 shows it', async () => {
  const output = await loaded('slow');
  assert.match(output, /^buy .* 200 × \d+$/m);
  const { find, facet } = askOf('slow');
  assert.deepEqual(await find('status = error'), []);
  const buys = await find(BUYS);
  const premium = 'span.customer.tier = "premium"';
  const acme = 'span.payment.provider = "acme-pay"';
  const culprits = await find(`${BUYS} && ${premium} && ${acme}`);
  assert.ok(culprits.length > 0 && culprits.length < 0.05 * buys.length, `${culprits.length} of ${buys.length}`);
  // Each of them is slow, by the booking of points. Those who differ in one thing are not.
  const bookings = msOf(await find(`name = "book-points" && ${acme}`));
  assert.equal(bookings.length, culprits.length);
  assert.ok(bookings[0] > SLOW_MS, `${bookings[0]} ms`);
  const others = {
    'premium customers of others': await find(`name = "book-points" && !(${acme})`),
    'other customers of acme-pay': await find(`${BUYS} && ${acme} && !(${premium})`),
  };
  for (const [who, traces] of Object.entries(others)) {
    assert.ok(msOf(traces)[0] < SLOW_MS, `${who}: ${msOf(traces)}`);
  }
  // What the facets show of the slow ones, and of all.
  const slow = `${BUYS} && duration > ${SLOW_MS}ms`;
  assert.ok((await facet(slow, 'span.customer.tier')).premium >= culprits.length);
  assert.ok((await facet(slow, 'span.payment.provider'))['acme-pay'] >= culprits.length);
  assert.equal(Object.keys(await facet(BUYS, 'span.customer.tier')).length, 3);
  // They are less than five of a hundred, so the p95 does not show it, and more than one, so the p99 does.
  const all = msOf(buys);
  assert.ok(all[Math.ceil(0.99 * all.length) - 1] > SLOW_MS, `${all}`);
});

testWithTrackway('slow: who comes while another charge holds the lock waits for it', async () => {
  const shop = await shopWith('runtime');
  const visitors = await Promise.all(['cleo', 'customer-1', 'customer-11'].map(async (name) => {
    const visitor = new Visitor(shop.urls.storefront);
    await visitor.logIn(name);
    return visitor;
  }));
  await visitors[0].fillIn('/faults', { fault: 'slow' });
  const answers = await Promise.all(visitors.map((visitor) => visitor.fillIn('/buy', { provider: 'acme-pay' })));
  await visitors[0].fillIn('/faults', { fault: 'none' });
  const traces = await Promise.all(answers.map(({ traceId }) => trackway.trace(traceId, 14)));
  const waits = traces.map((trace) => trace.span('payment: wait-for-lock').ms).sort((a, b) => a - b);
  assert.ok(waits[0] < SLOW_MS && waits[1] > SLOW_MS && waits[2] > 2 * SLOW_MS, waits.join(', '));
});

testWithTrackway('failing: every card of globex-pay is declined, and the exception says why', async () => {
  await loaded('failing');
  const { find, facet } = askOf('failing');
  const failed = idsOf(await find('status = error'));
  assert.ok(failed.length > 0);
  assert.deepEqual(idsOf(await find(`${BUYS} && span.payment.provider = "globex-pay"`)), failed);
  assert.deepEqual(idsOf(await find(`${BUYS} && span.http.response.status_code = 502`)), failed);
  assert.deepEqual(idsOf(await find('event:name = "exception" && event.exception.type = "CardDeclined"')), failed);
  assert.deepEqual(await facet(`${BUYS} && status = error`, 'span.payment.provider'), { 'globex-pay': failed.length });

  const trace = await trackway.trace(failed[0], 12);
  const ask = trace.span('payment: ask-provider');
  assert.equal(ask.tags['error.type'], 'CardDeclined');
  const [{ event, ...exception }] = ask.events;
  assert.equal(event, 'exception');
  assert.equal(
    exception['exception.message'],
    'globex-pay declined the card: the contract of merchant 7731 has ended',
  );
  assert.match(exception['exception.stacktrace'], /^CardDeclined: .*\n +at (?:async )?(?:\S+ \()?payment\.js:\d+/);
  assert.ok(!exception['exception.stacktrace'].includes('file:'), 'where the shop is on this machine');
  const errors = trace.spans.filter(({ tags }) => tags['otel.status_code'] === 'ERROR').map(({ name }) => name);
  assert.deepEqual(errors.sort(), ['payment: ask-provider', 'payment: charge-card', ...PURCHASE_WAY].sort());
});

testWithTrackway('flaky: all purchases succeed, those by initech-pay after tries that nobody hears of', async () => {
  const output = await loaded('flaky');
  assert.match(output, /^buy .* 200 × \d+$/m);
  const { find } = askOf('flaky');
  assert.deepEqual(await find('status = error && kind != internal'), []);
  const retried = await find('name = "charge-card" && span.payment.attempts > 1');
  assert.ok(retried.length > 0);
  assert.deepEqual(idsOf(await find(`${BUYS} && span.payment.provider = "initech-pay"`)), idsOf(retried));
  assert.deepEqual(idsOf(await find('status = error && name = "ask-provider"')), idsOf(retried));
  for (const { traceId, errors } of retried.slice(0, 4)) {
    const trace = await trackway.trace(traceId, 14);
    const tries = trace.all('payment: ask-provider');
    const charge = trace.span('payment: charge-card');
    assert.equal(charge.tags['payment.attempts'], tries.length);
    assert.equal(errors, tries.length - 1);
    assert.ok(tries.length >= 3 && tries.length <= 6, `${trace}`);
    const types = tries.map(({ tags }) => tags['error.type']);
    assert.deepEqual(types, [...Array(tries.length - 1).fill('ProviderTimeout'), undefined]);
    assert.ok(charge.ms > errors * 180, `${charge.ms} ms`);
  }
});

testWithTrackway('every query that the exercise has its reader type finds something', async () => {
  // Of a shop of its own, so that this does not hang on the tests above.
  const shop = await shopWith('flaky-again', 'flaky');
  const ben = new Visitor(shop.urls.storefront);
  await ben.logIn('ben');
  const { traceId } = await ben.fillIn('/buy', { provider: 'initech-pay' });
  await trackway.trace(traceId, 14);
  const queries = [...readFileSync(EXERCISE, 'utf8').matchAll(/^ *({ .* })$/gm)].map(([, query]) => query);
  assert.ok(queries.length > 0);
  for (const query of queries) assert.ok((await trackway.find(query)).length > 0, query);
});
