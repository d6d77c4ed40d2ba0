// Shows that the tests bite: each fault below is planted in a copy of this folder, and the named test must then fail.
//
//     TRACKWAY_BIN=/path/to/trackway npm run test-planted

import { catchAll } from '../../test/planted.js';
import { HOME } from './support.js';

const TEST_MS_MAX = 120_000;
const FAULTS = [
  {
    what: 'the trace is not continued by the next service',
    file: 'tracing.js',
    from: '    new UndiciInstrumentation(),\n',
    to: '',
    test: '/serviceB is one trace through both services',
  },
  {
    what: 'an exception is not recorded',
    file: 'spans.js',
    from: '      span.recordException(error);\n',
    to: '',
    test: '/serverError has the exception on the span that failed, and both spans count as failed',
  },
  {
    what: 'an exception is not recorded when service B is away',
    file: 'spans.js',
    from: '      span.recordException(error);\n',
    to: '',
    test: '/serviceB says in answer and trace that service B is away',
  },
  {
    what: 'a span that failed does not count as failed',
    file: 'spans.js',
    from: '      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });\n',
    to: '',
    test: '/serverError has the exception on the span that failed, and both spans count as failed',
  },
  {
    what: 'a span by hand is not below the one that is active',
    file: 'spans.js',
    from: 'tracer.startActiveSpan(name, async',
    to: 'tracer.startActiveSpan(name, { root: true }, async',
    test: '/slow shows by its children where the time went',
  },
  {
    what: 'a span is not ended',
    file: 'spans.js',
    from: '      span.end();\n',
    to: '',
    test: '/healthy is found by its service and operation, with a span by hand below it',
  },
  {
    what: 'modules are not changed when they are imported',
    file: 'tracing.js',
    from: "register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);",
    to: '',
    test: 'a line of the log has the ids of a span that is kept',
  },
  {
    what: 'probes are traced',
    file: 'tracing.js',
    from: "url === '/live' || url === '/ready'",
    to: 'false',
    test: 'probes make no traces',
  },
  {
    what: 'a 404 counts as an error of the service',
    file: 'service-a.js',
    from: "  response.status(404).json({ error: 'this is never found' });",
    to: "  response.status(500).json({ error: 'this is never found' });",
    test: '/notFound is no error of the service',
  },
  {
    what: 'lost batches are not told',
    file: 'tracing.js',
    from: '  context.with(ROOT_CONTEXT, warn, undefined, error);',
    to: '',
    test: 'without a collector a service works, and says so in one line',
  },
  {
    what: 'each lost batch is told',
    file: 'tracing.js',
    from: '  isSaid = true;\n',
    to: '',
    test: 'without a collector a service works, and says so in one line',
  },
  {
    what: 'a stop does not send the spans that wait',
    file: 'server.js',
    from: '    await provider()?.shutdown();\n',
    to: '',
    test: 'a stop under load answers what was begun, and every answer has its trace',
  },
  {
    what: 'a stop does not wait for requests',
    file: 'server.js',
    from: 'const DRAIN_MS_MAX = 3_000;',
    to: 'const DRAIN_MS_MAX = 0;',
    test: 'a stop under load answers what was begun, and every answer has its trace',
  },
  {
    what: 'a stop waits for requests without an end',
    file: 'server.js',
    from: 'const DRAIN_MS_MAX = 3_000;',
    to: 'const DRAIN_MS_MAX = 60_000;',
    test: 'a request that takes longer than a stop waits is cut off, and its span is kept',
  },
  {
    what: 'spans of requests that are cut off are not waited for',
    file: 'server.js',
    from: '    await Promise.all(cut);\n',
    to: '',
    test: 'a request that takes longer than a stop waits is cut off, and its span is kept',
  },
  {
    what: 'a stop waits for a collector without an end',
    file: 'server.js',
    from: 'const FLUSH_MS_MAX = 1_500;',
    to: 'const FLUSH_MS_MAX = 60_000;',
    test: 'a stop without a collector takes less than five seconds',
  },
];

catchAll(HOME, FAULTS, TEST_MS_MAX);
