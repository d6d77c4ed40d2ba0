// The shop as people use it: its page and forms, how it starts and stops, and the load. Needs no Trackway.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { answerPage, shopPage } from '../page.js';
import { visits } from '../visits.js';
import { formOf, HOME, Program, script, Shop, TEST, until, Visitor } from './support.js';

const UNTRACED = { OTEL_SDK_DISABLED: 'true' };
const STOP_MS_MAX = 6_000;

let shop;
before(async () => {
  shop = await Shop.start(UNTRACED);
});
after(() => shop?.end());

const visitor = () => new Visitor(shop.urls.storefront);

test('a customer logs in, sees the catalog, buys, and logs out', TEST, async () => {
  const cleo = visitor();
  const first = await cleo.open();
  assert.equal(first.status, 200);
  assert.match(first.headers.get('content-type'), /^text\/html/);
  assert.throws(() => formOf(first.page, '/buy'), /no form is sent to \/buy/);

  assert.match((await cleo.logIn('cleo')).page, /Welcome, cleo\. You are a premium customer\./);
  const { page } = await cleo.open();
  for (const item of ['lamp, 42.00 €', 'chair, 89.00 €', 'table, 249.00 €', 'shelf, 65.00 €']) {
    assert.ok(page.includes(item), item);
  }
  const bought = await cleo.fillIn('/buy', { chair: '2', provider: 'globex-pay' });
  assert.equal(bought.status, 200);
  assert.match(bought.page, /Thank you, cleo\. You paid 220\.00 € by globex-pay\./);

  assert.match((await cleo.fillIn('/logout')).page, /You are logged out/);
  assert.ok(formOf((await cleo.open()).page, '/login'));
});

test('each of the three people is of the tier that README.md says', TEST, async () => {
  for (const [name, tier] of Object.entries({ ada: 'basic', ben: 'plus', cleo: 'premium' })) {
    assert.match((await visitor().logIn(name)).page, new RegExp(`You are a ${tier} customer`));
  }
});

test('nobody gets in with another password, another name, or a session that login did not make', TEST, async () => {
  for (const form of [{ customer: 'cleo', password: 'x' }, { customer: 'eve', password: 'shop' }, {}]) {
    const eve = visitor();
    const { status, page } = await eve.open('/login', { form });
    assert.equal(status, 401);
    assert.match(page, /no such customer, or the password/);
    assert.equal(eve.cookie, '');
  }
  const cleo = visitor();
  await cleo.logIn('cleo');
  const [, token] = cleo.cookie.split('=');
  for (const forged of [token.replace('cleo', 'ada'), token.slice(0, -1), 'x', '%']) {
    const eve = visitor();
    eve.cookie = `session=${forged}`;
    assert.equal((await eve.open('/buy', { form: { lamp: 1, provider: 'acme-pay' } })).status, 401, forged);
  }
});

test('what is no purchase is refused as the fault of who asks', TEST, async () => {
  const ada = visitor();
  await ada.logIn('ada');
  const refused = async (form) => (await ada.open('/buy', { form })).status;
  assert.equal(await refused({ lamp: 0, provider: 'acme-pay' }), 400);
  assert.equal(await refused({ boat: 1, provider: 'acme-pay' }), 400);
  assert.equal(await refused({ lamp: 10, provider: 'acme-pay' }), 400);
  assert.equal(await refused({ lamp: -1, chair: 2, provider: 'acme-pay' }), 400);
  assert.equal(await refused({ lamp: 1, provider: 'nobody-pay' }), 400);
  assert.equal(await refused({ lamp: 1, provider: 'acme-pay' }), 200);
});

test('what comes from elsewhere is never markup of the page', TEST, async () => {
  const odd = '"><script>';
  const session = { customer: odd, tier: odd };
  const items = [{ name: odd, cents: 1 }];
  const pages = [
    answerPage({ message: odd, isGood: true, traceId: odd }),
    shopPage({ session, items, people: [], providers: [odd], faults: { fault: odd, faults: [odd] } }),
    shopPage({ items: [], people: [odd], providers: [] }),
  ];
  for (const page of pages) assert.ok(!page.includes('<script>') && page.includes('&#62;&#60;script&#62;'), page);
  const { headers } = await visitor().open();
  assert.match(headers.get('content-security-policy'), /default-src 'none'/);
});

test("a page of another site can't send the forms", TEST, async () => {
  const eve = visitor();
  const form = { fault: 'failing' };
  for (const site of ['cross-site', 'same-site']) {
    assert.equal((await eve.open('/faults', { form, headers: { 'sec-fetch-site': site } })).status, 403);
  }
  assert.match((await eve.open()).page, /Payment is told: <strong>none</);
});

test('payment is broken and mended by the form of the page, and by payment itself', TEST, async () => {
  const ben = visitor();
  await ben.logIn('ben');
  try {
    assert.match((await ben.fillIn('/faults', { fault: 'failing' })).page, /Payment is told: <strong>failing</);
    const failed = await ben.fillIn('/buy', { provider: 'globex-pay' });
    assert.equal(failed.status, 502);
    assert.match(failed.page, /did not go through\. Please try again/);
    assert.ok(!/contract|merchant/.test(failed.page + shop.output), 'nobody is told why, but for the trace');
    assert.equal((await ben.open('/faults', { form: { fault: 'burning' } })).status, 400);
  } finally {
    const body = JSON.stringify({ fault: 'none' });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${shop.urls.payment}/faults`, { method: 'POST', headers, body });
    assert.deepEqual(await answer.json(), { fault: 'none', faults: ['none', 'slow', 'failing', 'flaky'] });
  }
  assert.equal((await ben.fillIn('/buy', { provider: 'globex-pay' })).status, 200);
});

test('all services answer probes, and are on loopback', TEST, async () => {
  assert.deepEqual(Object.keys(shop.urls), ['login', 'catalog', 'payment', 'storefront']);
  for (const url of Object.values(shop.urls)) {
    assert.match(url, /^http:\/\/127\.0\.0\.1:/);
    for (const probe of ['/live', '/ready']) assert.equal((await fetch(url + probe)).status, 200);
  }
});

test('a stop ends all four, also when shop.js is killed', TEST, async () => {
  const lives = (url) => fetch(`${url}/live`).then(() => true, () => false);
  const all = (urls) => Promise.all(Object.values(urls).map(lives));
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    const other = await Shop.start(UNTRACED);
    assert.deepEqual(await all(other.urls), [true, true, true, true]);
    const begin = performance.now();
    const { code } = await other.end(signal);
    assert.equal(code, signal === 'SIGTERM' ? 0 : 'SIGKILL');
    await until('nobody answers', async () => !(await all(other.urls)).includes(true));
    assert.ok(performance.now() - begin < STOP_MS_MAX, `${performance.now() - begin} ms`);
  }
});

test('a fault that there is not ends payment with a line that says so, and then the others end', TEST, async () => {
  await assert.rejects(Shop.start({ ...UNTRACED, PAYMENT_FAULT: 'slwo' }), ({ message }) => {
    assert.match(message, /^ended with 1 before/);
    assert.match(message, /PAYMENT_FAULT must be one of none, slow/);
    assert.match(message, /payment ended with 1, so the others are stopped/);
    return true;
  });
});

test('a service starts by its own file, and says what it lacks', TEST, async () => {
  const flags = ['--import', './tracing.js', 'catalog.js'];
  const alone = new Program(HOME, process.execPath, flags, { ...UNTRACED, PORT: 'x' });
  assert.equal(await alone.ended, 1);
  assert.match(alone.output, /PORT must be a number/);
  const bare = new Program(HOME, process.execPath, ['catalog.js'], { PORT: '0' });
  await bare.untilItSays('it listens', () => bare.output.includes('listening'));
  assert.equal((await bare.end('SIGTERM')).code, 0);
  assert.match(bare.output, /no traces are sent: .*--import/);
});

test('the same seed makes the same visits, another seed makes others', TEST, () => {
  const first = (seed) => JSON.stringify([...take(visits(seed), 500)]);
  assert.equal(first(7), first(7));
  assert.notEqual(first(7), first(8));
});

test('the load visits as planned, and says what came of it', TEST, async () => {
  const output = await shop.load('--rate', '20', '--seconds', '2', '--seed', '7');
  const planned = [...take(visits(7), 40)];
  const buys = planned.filter(({ cart }) => cart).length;
  assert.match(output, new RegExp(`^buy +${buys} .* 200 × ${buys}$`, 'm'));
  assert.match(output, new RegExp(`^look +${40 - buys} .* 200 × ${40 - buys}$`, 'm'));
  const customers = new Set(planned.map(({ customer }) => customer)).size;
  assert.match(output, new RegExp(`^log in +${customers} .* 200 × ${customers}$`, 'm'));
});

test('the load fails when nothing answers, and refuses what is no rate and no seed', TEST, async () => {
  const nobody = script('load.js', '--url', 'http://127.0.0.1:1', '--seconds', '1');
  assert.equal(await nobody.ended, 1);
  assert.match(nobody.output, /is the shop running there\?/);
  for (const [flag, value] of [['--rate', 'many'], ['--seed', '1.5']]) {
    const wrong = script('load.js', flag, value);
    assert.equal(await wrong.ended, 2);
    assert.match(wrong.output, new RegExp(`${flag} must be a .*"${value}"\nUsage:`));
  }
});

function* take(all, most) {
  for (let left = most; left > 0; left -= 1) yield all.next().value;
}
