// What the four services share: probes, a line of log for each request, answers to errors, questions to each other, and
// a stop that loses no spans. ../services/server.js is its elder brother.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { trace } from '@opentelemetry/api';
import express from 'express';

import { log } from './log.js';

const DRAIN_MS_MAX = 3_000;
const FLUSH_MS_MAX = 1_500;
const SWEEP_MS = 50;
const ANSWER_MS_MAX = 10_000;
const BODY_MAX = '16kb';

/** Makes an app that answers probes and reads JSON and forms. The service adds its endpoints and calls `serve`. */
export function createApp() {
  const app = express();
  app.disable('x-powered-by');
  app.get(['/live', '/ready'], (_request, response) => response.json({ status: 'ok' }));
  app.use(tellTrace, express.json({ limit: BODY_MAX }), express.urlencoded({ limit: BODY_MAX, extended: false }));
  return app;
}

/** Listens on HOST and PORT until SIGTERM or SIGINT. */
export function serve(app, defaultPort) {
  app.use((request, response) => {
    response.status(404).json({ error: `there is no ${request.method} ${request.path}` });
  });
  app.use(answerError);
  const host = process.env.HOST || '127.0.0.1';
  const port = Number(process.env.PORT || defaultPort);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    refuse(`PORT must be a number from 0 (any free port) to 65535, not "${process.env.PORT}"`);
  }
  const server = app.listen(port, host, (error) => {
    if (error) refuse(`cannot listen on ${host}:${port}: ${error.code}; is the shop running already?`);
    const url = `http://${host}:${server.address().port}`;
    log.info({ url }, 'listening');
    if (!provider()) log.warn('no traces are sent: was this started with "node --import ./tracing.js"?');
    // shop.js, when that is the parent.
    process.send?.({ url });
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'disconnect']) process.once(signal, () => stop(server));
}

/** Says why the service can't run, and ends it. */
export function refuse(why) {
  log.fatal(why);
  process.exit(1);
}

/** Asks another service and returns its answer; an error has the status that the service answered, or 502. */
export async function ask(base, path, { body, token } = {}) {
  let answer;
  try {
    answer = await fetch(new URL(path, base), {
      method: body ? 'POST' : 'GET',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
  } catch (error) {
    const reason = error.cause?.code ?? error.cause?.message ?? error.message;
    throw Object.assign(new Error(`no answer from ${base}${path}: ${reason}`, { cause: error }), { status: 502 });
  }
  const told = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(told.error), { status: answer.status });
  return told;
}

function tellTrace(request, response, next) {
  const begin = performance.now();
  const span = trace.getActiveSpan();
  if (span) {
    response.locals.traceId = span.spanContext().traceId;
    response.set('x-trace-id', response.locals.traceId);
  }
  response.once('finish', () => {
    const { method, path } = request;
    log.info({ method, path, status: response.statusCode, ms: Math.round(performance.now() - begin) }, 'answered');
  });
  next();
}

/** What a handler throws ends here. Express knows by the four parameters that this is for errors. */
function answerError(error, _request, response, next) {
  // An error with a status was foreseen. Its reason is in the trace, and a terminal full of it helps nobody.
  log[error.status ? 'info' : 'error']({ err: error }, 'failed');
  if (response.headersSent) return next(error);
  response.status(error.status ?? 500).json({ error: error.message });
}

/** Stops accepting, lets requests finish, sends the spans that still wait, and ends the process. */
async function stop(server) {
  const closed = once(server, 'close');
  server.close();
  setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  await Promise.race([closed, sleep(DRAIN_MS_MAX)]);
  server.closeAllConnections();
  await closed;
  const flushed = provider()?.shutdown().catch(() => {});
  await Promise.race([flushed, sleep(FLUSH_MS_MAX)]);
  process.exit(0);
}

/** The provider that tracing.js registered, if it did. */
function provider() {
  const registered = trace.getTracerProvider().getDelegate();
  return registered.shutdown && registered;
}
