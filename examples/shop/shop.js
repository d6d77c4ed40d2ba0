// Starts all four services, each in a process of its own, and says where they are.
//
//     node shop.js all                  on ports 8090 to 8093
//     node shop.js all --free-ports     on ports that are free
//
// Ends with Ctrl-C, or when one of the four does. Their logs go to standard output, warnings only unless LOG_LEVEL says
// more. Only the storefront is told HOST: the others are asked by it alone, and stay on loopback.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SERVICES = {
  login: 'who is it?',
  catalog: 'what is there, what does it cost?',
  payment: 'charges the card',
  storefront: 'the page: open it in a browser',
};
const USAGE = 'Usage: node shop.js all [--free-ports]';

const [what, ...flags] = process.argv.slice(2);
if (what !== 'all' || flags.some((flag) => flag !== '--free-ports')) {
  console.error(USAGE);
  process.exit(2);
}

const children = new Map();
const urls = {};
let isStopping = false;
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop(0));

// The storefront comes last: it is told where the others are.
for (const [name, task] of Object.entries(SERVICES)) {
  urls[name] = await start(name);
  console.log(`${name.padEnd(10)} ${urls[name].padEnd(22)} ${task}`);
}
console.log(`payment is told to do wrong: ${process.env.PAYMENT_FAULT || 'none'}`);
console.log(`spans go to ${process.env.OTEL_EXPORTER_OTLP_ENDPOINT || 'http://localhost:4318'}`);

/** Starts one service and waits until it listens. */
function start(name) {
  const env = { LOG_LEVEL: 'warn', ...process.env, OTEL_SERVICE_NAME: name, PORT: flags.length > 0 ? '0' : '' };
  if (name !== 'storefront') env.HOST = '';
  for (const [other, url] of Object.entries(urls)) env[`${other.toUpperCase()}_URL`] = url;
  const file = (path) => new URL(path, import.meta.url);
  const child = fork(fileURLToPath(file(`${name}.js`)), { env, execArgv: ['--import', file('tracing.js').href] });
  children.set(name, child);
  child.once('exit', (code, signal) => {
    children.delete(name);
    if (!isStopping) console.error(`${name} ended with ${code ?? signal}, so the others are stopped`);
    stop(1);
  });
  return new Promise((resolve) => {
    child.once('message', ({ url }) => resolve(url));
  });
}

/** The services stop by themselves within five seconds. */
function stop(code) {
  if (!isStopping) process.exitCode = code;
  isStopping = true;
  for (const child of children.values()) child.kill('SIGTERM');
}
