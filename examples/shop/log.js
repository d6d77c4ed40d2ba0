// The log of a service: a line of JSON for each event, on standard output.
//
// Inside a request each line has trace_id and span_id. They come from the instrumentation of pino (tracing.js), and by
// them one gets from a line of the log to the trace and back.

import pino from 'pino';

export const log = pino({
  level: process.env.LOG_LEVEL || 'info',
  base: { service: process.env.OTEL_SERVICE_NAME },
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }) },
});
