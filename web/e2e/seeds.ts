// The traces that the tests look at: an hour of a shop whose payments are slow since twenty minutes ago, the same hour
// a day before, when all was well, and some odd traces. The same every time but for the clock.

import { OtlpTrace, type Request, type SpanSpec } from './otlp.ts';

/** Traces that tests go to by id. */
export const SEED_IDS = {
  /** A checkout with 340 like queries, an exception, a link, events, JSON and SQL. */
  rich: 'aaaa0000000000000000000000000001',
  /** The same checkout, quick. */
  quick: 'aaaa0000000000000000000000000002',
  /** Spans without their parents, a circle, one that ends before it starts. */
  odd: 'aaaa0000000000000000000000000003',
  /** One span. */
  single: 'aaaa0000000000000000000000000004',
  /** Sixty services with long names. */
  wide: 'aaaa0000000000000000000000000005',
} as const;

/** The bank is what is slow. */
export const CULPRIT = { service: 'bank', name: 'HTTPS settle' };
export const SLOW_SINCE_MS = 20 * 60_000;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const EVERY_MS = 12_000;
const BATCH_TRACES = 40;

/** Small and even, from 0 to 1; the same for the same number. */
function noise(n: number): number {
  const x = Math.sin(n * 12.9898) * 43758.5453;
  return x - Math.floor(x);
}

function checkout(trace: OtlpTrace, at: number, slow: boolean, n: number): void {
  const jitter = 0.7 + noise(n) * 0.6;
  const settleMs = (slow ? 1_800 : 40) * jitter;
  const chargeMs = settleMs + 12;
  const isFailed = noise(n + 1_000) < 0.02;
  const items = 2 + Math.floor(noise(n + 7) * 3);
  const itemsMs = items * 6;
  const total = itemsMs + chargeMs + 30;
  const span = (spec: SpanSpec) => trace.span(spec);
  span({
    id: 1,
    service: 'frontend',
    name: 'POST /checkout',
    kind: 'server',
    at,
    ms: total + 8,
    attrs: route('/checkout', n),
  });
  span({ id: 2, parent: 1, service: 'checkout', name: 'PlaceOrder', kind: 'server', at: at + 3, ms: total });
  for (let i = 0; i < items; i++) {
    const attrs = {
      'db.system.name': 'postgresql',
      'db.query.text': 'SELECT id, name, stock FROM items WHERE id = $1',
    };
    span({
      id: 10 + i,
      parent: 2,
      service: 'inventory',
      name: 'SELECT items',
      kind: 'client',
      at: at + 8 + i * 6,
      ms: 5,
      attrs,
    });
  }
  const chargeAt = at + 12 + itemsMs;
  const failed = isFailed ? { error: 'card declined' } : {};
  span({
    id: 3,
    parent: 2,
    service: 'payment',
    name: 'POST /charge',
    kind: 'server',
    at: chargeAt,
    ms: chargeMs,
    attrs: route('/charge', n),
    ...failed,
  });
  span({
    id: 4,
    parent: 3,
    service: CULPRIT.service,
    name: CULPRIT.name,
    kind: 'server',
    at: chargeAt + 4,
    ms: settleMs,
    attrs: { 'server.address': `bank-${n % 3}` },
  });
  span({ id: 5, parent: 2, service: 'mail', name: 'publish receipt', kind: 'producer', at: at + total - 6, ms: 2 });
}

function browse(trace: OtlpTrace, at: number, n: number): void {
  const duration = 20 + noise(n) * 60;
  const isFailed = noise(n + 500) < 0.01;
  const attrs = route(n % 3 === 0 ? '/cart' : '/product/{id}', n);
  const name = n % 3 === 0 ? 'GET /cart' : 'GET /product/{id}';
  trace.span({
    id: 1,
    service: 'frontend',
    name,
    kind: 'server',
    at,
    ms: duration,
    attrs,
    ...(isFailed ? { error: 'timeout' } : {}),
  });
  trace.span({
    id: 2,
    parent: 1,
    service: 'catalog',
    name: 'GetProduct',
    kind: 'server',
    at: at + 4,
    ms: duration - 9,
  });
  trace.span({
    id: 3,
    parent: 2,
    service: 'cache',
    name: 'GET',
    kind: 'client',
    at: at + 6,
    ms: 2,
    attrs: { 'db.system.name': 'redis' },
  });
}

function route(path: string, n: number): Record<string, string | number> {
  return {
    'http.route': path,
    'http.response.status_code': noise(n + 1_000) < 0.02 ? 502 : 200,
    'app.region': n % 4 === 0 ? 'eu' : 'us',
  };
}

function rich(at: number): OtlpTrace {
  const trace = new OtlpTrace(SEED_IDS.rich);
  trace.span({
    id: 1,
    service: 'frontend',
    name: 'GET /checkout',
    kind: 'server',
    at,
    ms: 2_140,
    attrs: {
      'http.route': '/checkout',
      'http.request.header.accept': 'text/html',
      'user.agent': 'Mozilla/5.0',
      'app.cart': '{"items":[{"id":17,"count":2},{"id":4,"count":1}],"currency":"EUR"}',
    },
  });
  trace.span({ id: 2, parent: 1, service: 'checkout', name: 'POST /orders', kind: 'server', at: at + 12, ms: 2_080 });
  for (let i = 0; i < 340; i++) {
    trace.span({
      id: 1_000 + i,
      parent: 2,
      service: 'inventory',
      name: 'SELECT items',
      kind: 'client',
      at: at + 30 + i * 3.5,
      ms: 2 + noise(i) * 2,
      attrs: {
        'db.system.name': 'postgresql',
        'db.query.text': `SELECT id, name, stock FROM items WHERE category = 'tools' AND id = ${i} ORDER BY name`,
      },
    });
  }
  trace.span({
    id: 3,
    parent: 2,
    service: 'payment',
    name: 'POST /charge',
    kind: 'server',
    at: at + 1_300,
    ms: 310,
    error: 'card declined',
    attrs: { 'http.response.status_code': 502, 'app.user.tier': 'gold' },
    events: [
      { name: 'retry', at: at + 1_400, attrs: { attempt: 2 } },
      {
        name: 'exception',
        at: at + 1_500,
        attrs: {
          'exception.type': 'CardDeclined',
          'exception.message': 'card declined by issuer',
          'exception.stacktrace':
            'CardDeclined: card declined by issuer\n    at charge (payment/charge.js:41:11)\n    at settle (payment/settle.js:12:5)\n    at main (payment/main.js:7:3)',
        },
      },
    ],
    links: [{ trace: SEED_IDS.quick, span: 3 }],
  });
  trace.span({ id: 4, parent: 3, service: 'bank', name: 'HTTPS', kind: 'client', at: at + 1_310, ms: 280 });
  trace.span({ id: 5, parent: 2, service: 'mail', name: 'publish', kind: 'producer', at: at + 2_080, ms: 1 });
  trace.span({ id: 6, parent: 5, service: 'mailer', name: 'consume', kind: 'consumer', at: at + 2_100, ms: 240 });
  return trace;
}

function quick(at: number): OtlpTrace {
  const trace = new OtlpTrace(SEED_IDS.quick);
  trace.span({
    id: 1,
    service: 'frontend',
    name: 'GET /checkout',
    kind: 'server',
    at,
    ms: 410,
    attrs: { 'http.route': '/checkout' },
  });
  trace.span({ id: 2, parent: 1, service: 'checkout', name: 'POST /orders', kind: 'server', at: at + 10, ms: 360 });
  for (let i = 0; i < 3; i++)
    trace.span({
      id: 1_000 + i,
      parent: 2,
      service: 'inventory',
      name: 'SELECT items',
      kind: 'client',
      at: at + 30 + i * 4,
      ms: 3,
    });
  trace.span({ id: 3, parent: 2, service: 'payment', name: 'POST /charge', kind: 'server', at: at + 60, ms: 290 });
  trace.span({ id: 4, parent: 3, service: 'bank', name: 'HTTPS', kind: 'client', at: at + 70, ms: 260 });
  return trace;
}

function odd(at: number): OtlpTrace {
  const trace = new OtlpTrace(SEED_IDS.odd);
  trace.span({ id: 1, service: 'frontend', name: 'GET /odd', kind: 'server', at, ms: 100 });
  trace.span({ id: 2, parent: 99, service: 'lost', name: 'without a parent', kind: 'internal', at: at + 20, ms: 30 });
  trace.span({ id: 3, parent: 4, service: 'circle', name: 'goes round', kind: 'internal', at: at + 40, ms: 10 });
  trace.span({ id: 4, parent: 3, service: 'circle', name: 'and round', kind: 'internal', at: at + 42, ms: 5 });
  trace.span({
    id: 5,
    parent: 1,
    service: 'clock',
    name: 'ends before it starts',
    kind: 'internal',
    at: at + 50,
    ms: -20,
  });
  trace.span({ id: 6, parent: 1, service: 'clock', name: 'no time at all', kind: 'internal', at: at + 60, ms: 0 });
  return trace;
}

function wide(at: number): OtlpTrace {
  const trace = new OtlpTrace(SEED_IDS.wide);
  trace.span({ id: 1, service: 'gateway', name: 'GET /everything', kind: 'server', at, ms: 900 });
  for (let i = 0; i < 60; i++) {
    const service = `team-${String.fromCharCode(97 + (i % 20))}-a-service-with-quite-a-long-name-${i}`;
    const name = `com.example.commerce.v2.ReasonablyLongServiceName${i}/AnOperationWithAVeryLongNameIndeed`;
    trace.span({
      id: 10 + i,
      parent: i < 10 ? 1 : 10 + Math.floor(i / 3),
      service,
      name,
      kind: 'server',
      at: at + 5 + i * 8,
      ms: 300 - i * 4,
    });
  }
  return trace;
}

/** Everything, as OTLP requests. */
export function* seedRequests(nowMs: number): Generator<Request> {
  const traces: OtlpTrace[] = [];
  let n = 0;
  for (const end of [nowMs - DAY, nowMs]) {
    for (let at = end - HOUR + 30_000; at < end - 10_000; at += EVERY_MS) {
      n += 1;
      const isSlow = end === nowMs && at > nowMs - SLOW_SINCE_MS;
      const one = OtlpTrace.numbered(n * 2);
      checkout(one, at, isSlow, n);
      const two = OtlpTrace.numbered(n * 2 + 1);
      browse(two, at + 4_000, n);
      traces.push(one, two);
    }
  }
  traces.push(rich(nowMs - 90_000), quick(nowMs - 95_000), odd(nowMs - 100_000), wide(nowMs - 105_000));
  const single = new OtlpTrace(SEED_IDS.single);
  single.span({ id: 1, service: 'cron', name: 'tick', kind: 'internal', at: nowMs - 110_000, ms: 12 });
  traces.push(single);
  for (let i = 0; i < traces.length; i += BATCH_TRACES) yield OtlpTrace.request(traces.slice(i, i + BATCH_TRACES));
}
