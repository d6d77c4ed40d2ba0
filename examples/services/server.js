// What both services share: probes, a line of log for each request, answers to errors, and a stop that loses nothing.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { trace } from '@opentelemetry/api';
import express from 'express';

import { log } from './log.js';

// Together they stay below five seconds; Kubernetes waits for thirty.
const DRAIN_MS_MAX = 3_000;
const FLUSH_MS_MAX = 1_500;
const SWEEP_MS = 50;

const underWay = new Set();

/** Makes an app that answers probes. The service adds its own endpoints and then calls `serve`. */
export function createApp() {
  const app = express();
  app.disable('x-powered-by');
  // Neither asks for other services: a service that is not ready because another is away makes one outage two.
  app.get('/live', (_request, response) => response.json({ status: 'live' }));
  app.get('/ready', (_request, response) => response.json({ status: 'ready' }));
  app.use(tellTrace);
  return app;
}

/** Listens on HOST and PORT until SIGTERM or SIGINT. */
export function serve(app, defaultPort) {
  const endpoints = app.router.stack.flatMap(({ route }) => (route ? [`GET ${route.path}`] : []));
  app.use((request, response) => {
    response.status(404).json({ error: `there is no ${request.method} ${request.path}`, endpoints });
  });
  app.use(answerError);

  const host = process.env.HOST || '127.0.0.1';
  const port = Number(process.env.PORT || defaultPort);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    refuse(`PORT must be a number from 0 (any free port) to 65535, not "${process.env.PORT}"`);
  }
  const server = app.listen(port, host, (error) => {
    if (error) refuse(`cannot listen on ${host}:${port}: ${error.code}; HOST and PORT choose another address`);
    log.info({ url: `http://${host}:${server.address().port}` }, 'listening');
    if (!provider()) log.warn('no traces are sent: was this started with "node --import ./tracing.js"?');
  });
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.once(signal, () => stop(server, signal));
  }
}

function refuse(why) {
  log.fatal(why);
  process.exit(1);
}

/** Writes a line when a request is answered, and tells the caller the id of its trace: curl -i shows it. */
function tellTrace(request, response, next) {
  const begin = performance.now();
  const span = trace.getActiveSpan();
  if (span) response.set('x-trace-id', span.spanContext().traceId);
  response.once('finish', () => {
    const { method, path } = request;
    log.info({ method, path, status: response.statusCode, ms: Math.round(performance.now() - begin) }, 'answered');
  });
  underWay.add(response);
  response.once('close', () => underWay.delete(response));
  next();
}

/** What a handler throws ends here. Express knows by the four parameters that this is for errors. */
function answerError(error, _request, response, next) {
  log.error({ err: error }, 'failed');
  // Half an answer can't be taken back; Express then closes the connection.
  if (response.headersSent) return next(error);
  response.status(error.status ?? 500).json({ error: error.message });
}

/** Stops accepting, lets requests finish, sends the spans that still wait, and ends the process. */
async function stop(server, signal) {
  log.info({ signal }, 'stopping');
  const closed = once(server, 'close').then(() => true);
  server.close();
  // Clients keep connections open for the next request; each is closed as soon as it has none.
  setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  if (!(await Promise.race([closed, sleep(DRAIN_MS_MAX, false)]))) {
    log.warn(`${underWay.size} requests take longer than ${DRAIN_MS_MAX} ms and are cut off`);
    // The span of a request ends when its response is closed, answered or not.
    const cut = [...underWay].map((response) => once(response, 'close'));
    server.closeAllConnections();
    await Promise.all(cut);
  }
  // Only now: the spans of the last requests have just ended.
  if (!(await Promise.race([flush(), sleep(FLUSH_MS_MAX, false)]))) {
    log.warn('the last spans could not be sent and are lost');
  }
  log.info('stopped');
  process.exit(0);
}

/** Sends the spans that still wait. */
async function flush() {
  try {
    await provider()?.shutdown();
    return true;
  } catch {
    return false;
  }
}

/** The provider that tracing.js registered, if it did. The API has only a stand-in for it. */
function provider() {
  const registered = trace.getTracerProvider().getDelegate();
  return registered.shutdown && registered;
}
