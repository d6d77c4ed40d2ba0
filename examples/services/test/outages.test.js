// A service when its collector is away, and when it is stopped itself.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { Service, TEST, testWithTrackway, Trackway, until } from './support.js';

const STOP_MS_MAX = 5_000;
// So that a batch counts as lost after its first try; by default it is tried again for ten seconds.
const IMPATIENT = { OTEL_EXPORTER_OTLP_TIMEOUT: '500' };
const WARNING = /^spans could not be sent/;

test('without a collector a service works, and says so in one line', TEST, async () => {
  let batches = 0;
  const collector = createServer((request) => {
    batches += 1;
    request.socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const endpoint = `http://127.0.0.1:${collector.address().port}`;
  const service = await Service.start('service-b', { ...IMPATIENT, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  try {
    for (let batch = 1; batch <= 3; batch += 1) {
      assert.equal((await service.get('/work')).status, 200);
      await until(`${batch} batches have failed`, () => batches >= batch);
    }
    await until('the warning is there', () => service.log().some(({ msg }) => WARNING.test(msg)));
  } finally {
    await service.end('SIGTERM');
    collector.close();
  }
  const warnings = service.log().filter(({ msg }) => WARNING.test(msg));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0].msg, /OTEL_EXPORTER_OTLP_ENDPOINT/);
  assert.equal(warnings[0].endpoint, endpoint);
  assert.equal(warnings[0].level, 'warn');
  assert.ok(warnings[0].reason);
  assert.equal(warnings[0].trace_id, undefined);
});

testWithTrackway('spans are kept again when the collector is back', async () => {
  const first = await Trackway.start();
  const { port } = new URL(`http://${first.addresses.otlp_http}`);
  const service = await Service.start('service-b', { ...first.env, ...IMPATIENT });
  let second;
  try {
    await first.trace((await service.get('/work')).traceId, 3);
    await first.end('SIGTERM');
    assert.equal((await service.get('/work')).status, 200);
    await until('the warning is there', () => service.log().some(({ msg }) => WARNING.test(msg)));
    second = await Trackway.start([`listen.otlp_http=${port}`]);
    await second.trace((await service.get('/work')).traceId, 3);
  } finally {
    await Promise.all([service.end(), first.end(), second?.end()]);
  }
});

testWithTrackway('a stop under load answers what was begun, and every answer has its trace', async () => {
  const trackway = await Trackway.start();
  // The delay is longer than the test: what is there at the end, the stop itself has sent.
  const patient = { ...trackway.env, OTEL_BSP_SCHEDULE_DELAY: '60000' };
  const b = await Service.start('service-b', patient);
  const a = await Service.start('service-a', { ...patient, SERVICE_B_URL: b.url });
  try {
    const answers = [];
    const ask = async (path) => {
      const answer = await a.get(path).catch(() => undefined);
      if (answer) answers.push({ path, ...answer });
      return answer;
    };
    let isAsking = true;
    const clients = ['/healthy', '/serviceB', '/serverError', '/notFound'].map(async (path) => {
      while (isAsking && (await ask(path)));
    });
    const begun = Array.from({ length: 10 }, () => ask('/slow?ms=800'));
    await until('there are 100 answers', () => answers.length >= 100);
    const { code, ms } = await a.end('SIGTERM');
    isAsking = false;
    await Promise.all([...clients, ...begun]);

    assert.equal(code, 0, a.output);
    assert.ok(ms < STOP_MS_MAX, `${ms} ms`);
    assert.equal(answers.filter(({ path }) => path.startsWith('/slow')).length, 10, 'what was begun was answered');
    const spans = { '/healthy': 2, '/serviceB': 3, '/serverError': 2, '/notFound': 1, '/slow?ms=800': 5 };
    for (const { path, traceId } of answers) {
      const trace = await trackway.trace(traceId, spans[path]);
      trace.span(`GET ${path.split('?')[0]}`);
    }
    await assert.rejects(a.get('/healthy'));
  } finally {
    await Promise.all([a.end(), b.end(), trackway.end()]);
  }
});

testWithTrackway('a request that takes longer than a stop waits is cut off, and its span is kept', async () => {
  const trackway = await Trackway.start();
  const service = await Service.start('service-a', trackway.env);
  try {
    const cut = assert.rejects(service.get('/slow?ms=10000'));
    await until('the first step is kept', async () => (await trackway.ask('/api/traces?service=service-a')).length > 0);
    const { code, ms } = await service.end('SIGTERM');
    await cut;
    assert.equal(code, 0, service.output);
    assert.ok(ms < STOP_MS_MAX, `${ms} ms`);
    const server = await until('the span of the server is kept', async () => {
      const [trace] = await trackway.ask('/api/traces?service=service-a');
      return trace.spans.find(({ operationName }) => operationName === 'GET /slow');
    });
    assert.ok(server.duration >= 2_000_000, `${server.duration} µs`);
  } finally {
    await Promise.all([service.end(), trackway.end()]);
  }
});

test('a stop without a collector takes less than five seconds', TEST, async () => {
  // It takes connections and never answers, which is worse than nothing at all.
  const collector = createServer(() => {}).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const service = await Service.start('service-b', {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.address().port}`,
  });
  try {
    await service.get('/work');
    const { code, ms } = await service.end('SIGINT');
    assert.equal(code, 0, service.output);
    assert.ok(ms < STOP_MS_MAX, `${ms} ms`);
    assert.match(service.output, /the last spans could not be sent/);
  } finally {
    await service.end();
    collector.closeAllConnections();
    collector.close();
  }
});
