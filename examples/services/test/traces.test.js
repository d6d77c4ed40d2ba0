// What is seen in Trackway after each request: the real services send to the real program, which is asked by its API.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { Service, testWithTrackway, Trace, TRACKWAY_BIN, Trackway, until } from './support.js';

const CLOCK_US = 1_000;

let trackway;
let a;
let b;
before(async () => {
  if (!TRACKWAY_BIN) return;
  trackway = await Trackway.start();
  b = await Service.start('service-b', trackway.env);
  a = await Service.start('service-a', { ...trackway.env, SERVICE_B_URL: b.url });
});
after(() => Promise.all([a?.end(), b?.end(), trackway?.end()]));

testWithTrackway('/healthy is found by its service and operation, with a span by hand below it', async () => {
  await a.get('/healthy');
  const search = '/api/traces?service=service-a&operation=GET%20%2Fhealthy&limit=1';
  const traces = await until('a search finds the trace', async () => {
    const found = await trackway.ask(search);
    return found[0]?.spans.length === 2 && found;
  });
  const trace = new Trace(traces[0]);
  const span = trace.span('process-request');
  assert.deepEqual(trace.way(span), ['service-a: process-request', 'service-a: GET /healthy']);
  assert.equal(span.tags['app.check'], 'self');
  assert.deepEqual(span.events, [{ event: 'check passed' }]);
  assert.equal(trace.span('GET /healthy').tags['span.kind'], 'server');
});

testWithTrackway('/serviceB is one trace through both services', async () => {
  const { status, traceId } = await a.get('/serviceB');
  assert.equal(status, 200);
  const trace = await trackway.trace(traceId, 6);
  const way = ['service-b: GET /work', 'service-a: GET', 'service-a: call-service-b', 'service-a: GET /serviceB'];
  for (const name of ['read-inventory', 'reserve-items']) {
    assert.deepEqual(trace.way(trace.span(name, 'service-b')), [`service-b: ${name}`, ...way], `${trace}`);
  }
  assert.equal(trace.span('GET').tags['span.kind'], 'client');
  assert.equal(trace.span('GET /work', 'service-b').tags['span.kind'], 'server');
  assert.equal(trace.span('read-inventory', 'service-b').tags['app.inventory.items'], 3);
});

testWithTrackway('/serverError has the exception on the span that failed, and both spans count as failed', async () => {
  const { status, traceId } = await a.get('/serverError');
  assert.equal(status, 500);
  const trace = await trackway.trace(traceId, 2);
  assertFailed(trace.span('read-prices'), /^the price list cannot be read/);
  const server = trace.span('GET /serverError');
  assert.equal(server.tags['otel.status_code'], 'ERROR');
  assert.equal(server.tags['http.response.status_code'], 500);
});

testWithTrackway('/notFound is no error of the service', async () => {
  const { status, traceId } = await a.get('/notFound');
  assert.equal(status, 404);
  const { tags } = (await trackway.trace(traceId, 1)).span('GET /notFound');
  assert.equal(tags['http.response.status_code'], 404);
  assert.equal(tags['otel.status_code'], undefined);
  assert.equal(tags.error, undefined);
});

testWithTrackway('/slow shows by its children where the time went', async () => {
  const { traceId } = await a.get('/slow?ms=400');
  const trace = await trackway.trace(traceId, 5);
  const steps = ['read-orders', 'wait-for-lock', 'render'].map((name) => trace.span(name));
  const report = trace.span('make-report');
  for (const step of steps) assert.equal(step.parent, report.id);
  // One after the other; the SDK takes the beginnings from a clock of milliseconds, so one may seem to be earlier.
  for (const [at, step] of steps.slice(1).entries()) {
    assert.ok(step.begin >= steps[at].end - CLOCK_US, `${steps[at].name} first\n${JSON.stringify(steps, null, 2)}`);
  }
  // Nearly all of the report is in them, and most of it in the lock.
  const took = ({ begin, end }) => end - begin;
  const inSteps = steps.reduce((total, step) => total + took(step), 0);
  assert.ok(inSteps > 0.8 * took(report) && inSteps <= took(report) + CLOCK_US, `${inSteps} of ${took(report)} µs`);
  assert.ok(took(steps[1]) > took(steps[0]) + took(steps[2]));
  assert.equal(report.tags['app.report.ms'], 400);
});

testWithTrackway('probes make no traces', async () => {
  const before = await a.get('/live');
  await a.get('/ready');
  assert.equal(before.traceId, null);
  // Spans are sent in the order of their ends: when this one is there, theirs would be too.
  await trackway.trace((await a.get('/notFound')).traceId, 1);
  const traces = await trackway.ask('/api/traces?service=service-a&limit=1000');
  const paths = traces.flatMap((trace) => new Trace(trace).spans).map(({ tags }) => tags['url.path']);
  assert.ok(paths.includes('/notFound'));
  assert.deepEqual(paths.filter((path) => path === '/live' || path === '/ready'), []);
});

testWithTrackway('a line of the log has the ids of a span that is kept', async () => {
  const { traceId } = await a.get('/serverError');
  const trace = await trackway.trace(traceId, 2);
  const lines = await until('both lines are there', () => {
    const found = a.log().filter(({ trace_id }) => trace_id === traceId);
    return found.length === 2 && found;
  });
  assert.deepEqual(lines.map(({ msg }) => msg), ['failed', 'answered']);
  for (const { span_id } of lines) assert.equal(span_id, trace.span('GET /serverError').id);
});

testWithTrackway('attributes are those of the current semantic conventions', async () => {
  const { traceId } = await a.get('/serviceB');
  const trace = await trackway.trace(traceId, 6);
  const names = new Set(trace.spans.flatMap(({ tags }) => Object.keys(tags)));
  for (const name of ['http.request.method', 'http.response.status_code', 'http.route', 'url.path', 'url.full']) {
    assert.ok(names.has(name), name);
  }
  const old = /^(http\.(method|status_code|url|target|host|scheme|flavor|user_agent|client_ip)|net\..*)$/;
  assert.deepEqual([...names].filter((name) => old.test(name)), []);
});

testWithTrackway('a service has the name that OTEL_SERVICE_NAME gives it', async () => {
  const named = await Service.start('service-b', { ...trackway.env, OTEL_SERVICE_NAME: 'stock' });
  try {
    const { traceId } = await named.get('/work');
    assert.equal((await trackway.trace(traceId, 3)).span('GET /work', 'stock').service, 'stock');
    assert.equal(named.log().at(-1).service, 'stock');
  } finally {
    await named.end();
  }
});

testWithTrackway('spans can be sent over gRPC by the standard variables alone', async () => {
  const overGrpc = await Service.start('service-b', {
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://${trackway.addresses.otlp_grpc}`,
  });
  try {
    const { traceId } = await overGrpc.get('/work');
    assert.equal((await trackway.trace(traceId, 3)).spans.length, 3);
  } finally {
    await overGrpc.end();
  }
});

testWithTrackway('/serviceB says in answer and trace that service B is away', async () => {
  const other = await Service.start('service-b', trackway.env);
  const alone = await Service.start('service-a', { ...trackway.env, SERVICE_B_URL: other.url });
  try {
    assert.equal((await alone.get('/serviceB')).status, 200);
    await other.end('SIGKILL');
    const { status, body, traceId } = await alone.get('/serviceB');
    assert.equal(status, 502);
    assert.match(body.error, /^no answer from service B at http:\/\/127.0.0.1:\d+ \(SERVICE_B_URL\): (ECONN|UND_ERR)/);
    const trace = await trackway.trace(traceId, 3);
    assertFailed(trace.span('call-service-b'), /^no answer from service B/);
    assert.equal(trace.span('GET').tags['otel.status_code'], 'ERROR');
    assert.equal(trace.span('GET /serviceB').tags['http.response.status_code'], 502);
  } finally {
    await Promise.all([alone.end(), other.end()]);
  }
});

/** The span says that it failed, and has the exception with its stack. */
function assertFailed(span, message) {
  assert.equal(span.tags['otel.status_code'], 'ERROR');
  assert.match(span.tags['otel.status_description'], message);
  assert.equal(span.tags['error.type'], 'Error');
  assert.equal(span.events.length, 1, 'one event, the exception');
  const [exception] = span.events;
  assert.equal(exception.event, 'exception');
  assert.match(exception['exception.message'], message);
  assert.match(exception['exception.stacktrace'], /service-a\.js/);
}
