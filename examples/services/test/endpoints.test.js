// The endpoints as README.md has them, and what a service says when it is started wrongly. Needs no Trackway.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { script, Service, TEST } from './support.js';

const UNTRACED = { OTEL_SDK_DISABLED: 'true' };
const ENDPOINTS = ['/live', '/ready', '/healthy', '/serviceB', '/serverError', '/notFound', '/slow'];

describe('endpoints', { concurrency: true }, () => {
  let a;
  let b;
  before(async () => {
    b = await Service.start('service-b', UNTRACED);
    a = await Service.start('service-a', { ...UNTRACED, SERVICE_B_URL: b.url });
  });
  after(() => Promise.all([a?.end(), b?.end()]));

  const expected = [
    ['/live', 200, { status: 'live' }],
    ['/ready', 200, { status: 'ready' }],
    ['/healthy', 200, { status: 'healthy' }],
    ['/serviceB', 200, { service: 'service-b', items: ['lamp', 'chair', 'table'] }],
    ['/serverError', 500, { error: 'the price list cannot be read (this endpoint always fails)' }],
    ['/notFound', 404, { error: 'this is never found' }],
    ['/slow?ms=1', 200, { status: 'done', ms: 1 }],
    ['/slow?ms=soon', 400, { error: 'ms must be a number from 0 to 10000' }],
    ['/slow?ms=-1', 400, { error: 'ms must be a number from 0 to 10000' }],
    ['/else', 404, { error: 'there is no GET /else', endpoints: ENDPOINTS.map((path) => `GET ${path}`) }],
  ];
  for (const [path, status, body] of expected) {
    test(`service A answers ${path} with ${status}`, TEST, async () => {
      const answer = await a.get(path);
      assert.equal(answer.status, status);
      assert.deepEqual(answer.body, body);
    });
  }

  test('/slow takes a second and a half unless told otherwise, and ten seconds at most', TEST, async () => {
    const begin = performance.now();
    const [usual, longest] = await Promise.all([
      a.get('/slow').then(({ body }) => ({ ...body, took: performance.now() - begin })),
      a.get('/slow?ms=60000').then(({ body }) => ({ ...body, took: performance.now() - begin })),
    ]);
    assert.equal(usual.ms, 1_500);
    assert.ok(usual.took >= 1_490, `${usual.took} ms`);
    assert.equal(longest.ms, 10_000);
    assert.ok(longest.took >= 9_990 && longest.took < 20_000, `${longest.took} ms`);
  });

  test('service B answers work and probes', TEST, async () => {
    assert.deepEqual((await b.get('/work')).body, { service: 'service-b', items: ['lamp', 'chair', 'table'] });
    assert.equal((await b.get('/live')).status, 200);
    assert.equal((await b.get('/ready')).status, 200);
    assert.equal((await b.get('/healthy')).status, 404);
  });

  test('a request is one line of the log, a probe is none', TEST, async () => {
    const quiet = await Service.start('service-b', UNTRACED);
    await quiet.get('/live');
    await quiet.get('/ready');
    await quiet.get('/work');
    await quiet.end('SIGTERM');
    const answered = quiet.log().filter(({ msg }) => msg === 'answered');
    assert.deepEqual(answered.map(({ method, path, status }) => [method, path, status]), [['GET', '/work', 200]]);
  });

  test('a service that is started without tracing.js works and says what is missing', TEST, async () => {
    const bare = await Service.start('service-b', {}, []);
    assert.equal((await bare.get('/work')).status, 200);
    await bare.end('SIGTERM');
    assert.match(bare.output, /no traces are sent: .*--import/);
  });

  test('a port that is no port, or is taken, ends a service with a line that says so', TEST, async () => {
    await assert.rejects(Service.start('service-b', { ...UNTRACED, PORT: '8081/tcp' }), /ended with 1 .*PORT must be/s);
    const taken = new URL(b.url).port;
    await assert.rejects(Service.start('service-b', { ...UNTRACED, PORT: taken }), /ended with 1 .*EADDRINUSE; HOST/s);
  });

  test('the load asks every endpoint at the rate that it is given, and counts the answers', TEST, async () => {
    const load = script('load.js', '--url', a.url, '--rate', '24', '--seconds', '1');
    assert.equal(await load.ended, 0, load.output);
    assert.match(load.output, /^24 requests in [0-9.]+ s, 24 answered$/m);
    assert.match(load.output, /^\/healthy +8 .* 200 × 8$/m);
    assert.match(load.output, /^\/serviceB +8 .* 200 × 8$/m);
    assert.match(load.output, /^\/slow\?ms=1200 +2 .* 200 × 2$/m);
    assert.match(load.output, /^\/serverError +2 .* 500 × 2$/m);
    assert.match(load.output, /^\/notFound +2 .* 404 × 2$/m);
  });

  test('the load fails when nothing answers, and refuses what is no rate', TEST, async () => {
    // Browsers and fetch refuse this port themselves, so that nobody can listen on it by chance.
    const nobody = script('load.js', '--url', 'http://127.0.0.1:1', '--seconds', '1');
    assert.equal(await nobody.ended, 1);
    assert.match(nobody.output, /is service A running there\?/);
    const wrong = script('load.js', '--rate', 'many');
    assert.equal(await wrong.ended, 2);
    assert.match(wrong.output, /--rate must be a number .*"many"\nUsage:/);
  });
});
