// Service A: what people call. Each endpoint makes a trace of another kind; README.md lists them.

import { setTimeout as sleep } from 'node:timers/promises';

import { createApp, serve } from './server.js';
import { inSpan } from './spans.js';

const SERVICE_B_URL = process.env.SERVICE_B_URL || 'http://localhost:8081';
const SERVICE_B_MS_MAX = 5_000;
const SLOW_MS_DEFAULT = 1_500;
const SLOW_MS_MAX = 10_000;

const app = createApp();

// The simplest trace: the server's span, and below it one that was made by hand.
app.get('/healthy', async (_request, response) => {
  await inSpan('process-request', (span) => {
    // An attribute says something of the whole span and can be searched for; an event says when something happened.
    span.setAttributes({ 'app.check': 'self', 'app.uptime_s': Math.round(process.uptime()) });
    span.addEvent('check passed');
  });
  response.json({ status: 'healthy' });
});

// A trace through two services. When the other one is away the span says why, and the answer is 502.
app.get('/serviceB', async (_request, response) => {
  response.json(await inSpan('call-service-b', askServiceB));
});

async function askServiceB() {
  try {
    // The header that continues the trace is added by the instrumentation of fetch.
    const answer = await fetch(new URL('/work', SERVICE_B_URL), { signal: AbortSignal.timeout(SERVICE_B_MS_MAX) });
    if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    return await answer.json();
  } catch (error) {
    // Of itself fetch says only "fetch failed"; what failed is in the cause.
    const reason = error.cause?.code ?? error.cause?.message ?? error.message;
    const message = `no answer from service B at ${SERVICE_B_URL} (SERVICE_B_URL): ${reason}`;
    throw Object.assign(new Error(message, { cause: error }), { status: 502 });
  }
}

// A trace with an error. Nothing catches it here, so the request is answered 500.
app.get('/serverError', async () => {
  await inSpan('read-prices', () => {
    throw new Error('the price list cannot be read (this endpoint always fails)');
  });
});

// A trace without an error, although the answer is 404: it is the caller who asked for what is not there.
app.get('/notFound', (_request, response) => {
  response.status(404).json({ error: 'this is never found' });
});

// A trace that shows where the time went: /slow?ms=3000.
app.get('/slow', async (request, response) => {
  const asked = Number(request.query.ms ?? SLOW_MS_DEFAULT);
  if (!(asked >= 0)) {
    response.status(400).json({ error: `ms must be a number from 0 to ${SLOW_MS_MAX}` });
    return;
  }
  const ms = Math.min(asked, SLOW_MS_MAX);
  await inSpan('make-report', async (span) => {
    span.setAttribute('app.report.ms', ms);
    await inSpan('read-orders', () => sleep(ms * 0.2));
    await inSpan('wait-for-lock', () => sleep(ms * 0.7));
    await inSpan('render', () => sleep(ms * 0.1));
  });
  response.json({ status: 'done', ms });
});

serve(app, 8080);
