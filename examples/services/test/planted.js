// Shows that the tests bite: each fault below is planted in a copy of this folder, and the named test must then fail.
//
//     TRACKWAY_BIN=/path/to/trackway npm run test-planted
//
// Refuses a fault whose place is not found exactly once: the code has changed, and the fault has to follow.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HOME = dirname(dirname(fileURLToPath(import.meta.url)));
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

if (!process.env.TRACKWAY_BIN) {
  console.error('TRACKWAY_BIN does not say where the program is');
  process.exit(2);
}
// Without a fault the same tests pass in such a copy; or else a failure below would show nothing.
const names = new Set(FAULTS.map(({ test }) => test));
const whole = run(undefined, `^(${[...names].map(literally).join('|')})$`);
if (whole.status !== 0) throw new Error(`the tests fail without a fault:\n${whole.stdout}`);
let caught = 0;
for (const fault of FAULTS) {
  const { status, stdout } = run(fault, `^${literally(fault.test)}$`);
  const failed = stdout.split('\n').filter((line) => line.startsWith('not ok '));
  const isCaught = status !== 0 && failed.some((line) => line.endsWith(fault.test));
  caught += isCaught ? 1 : 0;
  console.log(`${isCaught ? 'caught' : 'MISSED'}: ${fault.what} (${fault.test})`);
  if (!isCaught) console.log(stdout);
}
console.log(`${caught} of ${FAULTS.length} planted faults were caught`);
process.exitCode = caught === FAULTS.length ? 0 : 1;

/** Runs the tests whose names match, in a copy of this folder. */
function run(fault, pattern) {
  const folder = mkdtempSync(join(tmpdir(), 'trackway-planted-'));
  try {
    cpSync(HOME, folder, { recursive: true, filter: (path) => basename(path) !== 'node_modules' });
    symlinkSync(join(HOME, 'node_modules'), join(folder, 'node_modules'));
    if (fault) plant(fault, folder);
    const flags = ['--test', '--test-reporter=tap', `--test-name-pattern=${pattern}`];
    const files = ['endpoints', 'traces', 'outages'].map((file) => `test/${file}.test.js`);
    return spawnSync(process.execPath, [...flags, ...files], { cwd: folder, encoding: 'utf8', timeout: TEST_MS_MAX });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function plant({ file, from, to }, folder) {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${file} does not have this exactly once:\n${from}`);
  writeFileSync(path, text.replace(from, () => to));
}

/** A name as a pattern that matches it alone. */
function literally(name) {
  return name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
