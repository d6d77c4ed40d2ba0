// Sets up OpenTelemetry, before the service itself is loaded: node --import ./tracing.js storefront.js
//
// As in ../services, where the reasons stand. Different here: the form of faults and the style sheet are not traced,
// and the span of a client has the path in its name ("POST /charge"), since no path of the shop has an id in it.

import { register } from 'node:module';
import { basename } from 'node:path';

import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { ExpressInstrumentation } from '@opentelemetry/instrumentation-express';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { PinoInstrumentation } from '@opentelemetry/instrumentation-pino';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { NodeSDK } from '@opentelemetry/sdk-node';

const UNTRACED = new Set(['/live', '/ready', '/faults', '/style.css']);

process.env.OTEL_SERVICE_NAME ||= basename(process.argv[1] ?? 'unknown', '.js');
process.env.OTEL_BSP_SCHEDULE_DELAY ||= '500';
process.env.OTEL_METRICS_EXPORTER ||= 'none';
process.env.OTEL_LOGS_EXPORTER ||= 'none';

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);

const sdk = new NodeSDK({
  instrumentations: [
    // What is done for such a request is not traced either, also not in the services that it asks.
    new HttpInstrumentation({ ignoreIncomingRequestHook: ({ url }) => UNTRACED.has(url) }),
    new UndiciInstrumentation({ requestHook: (span, { method, path }) => span.updateName(`${method} ${path}`) }),
    new ExpressInstrumentation({ ignoreLayersType: ['middleware', 'request_handler', 'router'] }),
    new PinoInstrumentation({ disableLogSending: true }),
  ],
});
sdk.start();

// Without a collector the shop goes on, loses its spans, and says so once.
let isSaid = false;
setGlobalErrorHandler((error) => {
  if (isSaid) return;
  isSaid = true;
  context.with(ROOT_CONTEXT, warn, undefined, error);
});

async function warn(error) {
  // Not imported above: pino would be loaded before it can be changed.
  const { log } = await import('./log.js');
  log.warn(
    {
      reason: error.message || error.code || error.name,
      endpoint: process.env.OTEL_EXPORTER_OTLP_ENDPOINT ?? 'not set: http://localhost:4318',
    },
    'spans could not be sent and are lost; the shop goes on, and this is said only once. ' +
      'Is Trackway running, and does OTEL_EXPORTER_OTLP_ENDPOINT say where?',
  );
}
