// Sets up OpenTelemetry, before the service itself is loaded: node --import ./tracing.js service-a.js
//
// It has to come first: an instrumentation changes a module (http, express, pino) while that is being loaded.
// Where spans go and all else is set by the standard OTEL_* variables; below are only the defaults that differ.

import { register } from 'node:module';
import { basename } from 'node:path';

import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { ExpressInstrumentation } from '@opentelemetry/instrumentation-express';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { PinoInstrumentation } from '@opentelemetry/instrumentation-pino';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { NodeSDK } from '@opentelemetry/sdk-node';

// Traces are found by the name of their service. Without a name it is that of the file: service-a.js is service-a.
process.env.OTEL_SERVICE_NAME ||= basename(process.argv[1] ?? 'unknown', '.js');
// Spans are sent in batches, every five seconds. Who has just made a trace and looks for it would wait for that.
process.env.OTEL_BSP_SCHEDULE_DELAY ||= '500';
// The SDK would also send metrics and logs. Trackway takes traces; the logs go to standard output.
process.env.OTEL_METRICS_EXPORTER ||= 'none';
process.env.OTEL_LOGS_EXPORTER ||= 'none';

// Modules that are loaded by `import` can be changed only through this hook; for `require` it is not needed.
register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);

const sdk = new NodeSDK({
  instrumentations: [
    // The server's span of each request. Kubernetes probes every few seconds, and nobody looks for these traces.
    new HttpInstrumentation({ ignoreIncomingRequestHook: ({ url }) => url === '/live' || url === '/ready' }),
    // The client's span of each `fetch`, and the header "traceparent" by which the next service continues the trace.
    new UndiciInstrumentation(),
    // The route, by which the server's span is named: "GET /slow". Express also gives each middleware and handler a
    // span; without this list a trace shows them too.
    new ExpressInstrumentation({ ignoreLayersType: ['middleware', 'request_handler', 'router'] }),
    // The ids of trace and span in each line of the log.
    new PinoInstrumentation({ disableLogSending: true }),
  ],
});
sdk.start();

// A service must work without its collector. By default the SDK drops what it could not send and is silent; here that
// is said, but once: with every batch it would drown the log.
// The handler is a variable of the package "core", so package.json pins the version that the SDK itself uses.
let isSaid = false;
setGlobalErrorHandler((error) => {
  if (isSaid) return;
  isSaid = true;
  // Outside of any span: the line is not about the request after which the spans were to be sent.
  context.with(ROOT_CONTEXT, warn, undefined, error);
});

async function warn(error) {
  // Not imported above: pino would be loaded before it can be changed.
  const { log } = await import('./log.js');
  log.warn(
    {
      // A name that has two addresses fails with two errors, and then only the code says why.
      reason: error.message || error.code || error.name,
      endpoint: process.env.OTEL_EXPORTER_OTLP_ENDPOINT ?? 'not set: http://localhost:4318',
    },
    'spans could not be sent and are lost; the service goes on, and this is said only once. ' +
      'Check that the collector is up and that OTEL_EXPORTER_OTLP_ENDPOINT is its address',
  );
}
