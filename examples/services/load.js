// Sends requests to service A at a steady rate and says what came back.
//
//     node load.js --url http://localhost:8080 --rate 5 --seconds 60
//
// Ends by itself, or with Ctrl-C; the exit code is 1 when not one request was answered.

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

// Taken in turn: mostly what goes well, now and then what is slow or fails.
const PATHS = [
  '/healthy', '/serviceB', '/healthy', '/slow?ms=300', '/serviceB', '/healthy', '/notFound', '/serviceB',
  '/healthy', '/serverError', '/serviceB', '/slow?ms=1200',
];
const RATE_MAX = 500;
const SECONDS_MAX = 86_400;
// With more requests under way than this a service does not keep up, and further ones are left out.
const UNDER_WAY_MAX = 200;
const ANSWER_MS_MAX = 15_000;

const USAGE = `Usage: node load.js [--url URL] [--rate REQUESTS_A_SECOND] [--seconds SECONDS]
  --url      where service A is (http://localhost:8080)
  --rate     requests a second, up to ${RATE_MAX} (5)
  --seconds  how long, up to ${SECONDS_MAX} (60)`;

const { url, rate, seconds } = readFlags();
const results = new Map();
let underWay = 0;
let leftOut = 0;
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

console.log(`${rate} requests a second to ${url} for ${seconds} s`);
const begin = performance.now();
for (let number = 0; number < rate * seconds; number += 1) {
  // By the clock and not by adding pauses, so that a late request makes no later ones.
  const due = begin + (number * 1000) / rate;
  await sleep(Math.max(0, due - performance.now()), undefined, { signal: stop.signal }).catch(() => {});
  if (stop.signal.aborted) break;
  if (underWay < UNDER_WAY_MAX) ask(PATHS[number % PATHS.length]);
  else leftOut += 1;
}
while (underWay > 0) await sleep(20);
report();

function readFlags() {
  try {
    const { values } = parseArgs({
      options: {
        url: { type: 'string', default: 'http://localhost:8080' },
        rate: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '60' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    return {
      url: new URL(values.url),
      rate: upTo(RATE_MAX, '--rate', values.rate),
      seconds: upTo(SECONDS_MAX, '--seconds', values.seconds),
    };
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

function upTo(max, flag, text) {
  const number = Number(text);
  if (number > 0 && number <= max) return number;
  throw new Error(`${flag} must be a number over 0 and up to ${max}, not "${text}"`);
}

async function ask(path) {
  underWay += 1;
  const begin = performance.now();
  let status;
  try {
    const answer = await fetch(new URL(path, url), { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    await answer.arrayBuffer();
    status = answer.status;
  } catch (error) {
    status = error.cause?.code ?? error.cause?.message ?? error.name;
  }
  underWay -= 1;
  count(path, status, Math.round(performance.now() - begin));
}

/** Durations are counted by millisecond, so that memory does not grow with the number of requests. */
function count(path, status, ms) {
  if (!results.has(path)) results.set(path, { statuses: new Map(), durations: new Map() });
  const { statuses, durations } = results.get(path);
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
  durations.set(ms, (durations.get(ms) ?? 0) + 1);
}

function report() {
  row('endpoint', 'requests', 'median', '95 %', 'longest', 'answers');
  for (const [path, { statuses, durations }] of [...results].sort()) {
    const times = [...durations].sort(([a], [b]) => a - b);
    const answers = [...statuses].map(([status, times]) => `${status} × ${times}`).join(', ');
    row(path, sum(durations), ...[0.5, 0.95, 1].map((share) => `${quantile(times, share)} ms`), answers);
  }
  const all = [...results.values()].flatMap(({ statuses }) => [...statuses]);
  const answered = sum(all.filter(([status]) => typeof status === 'number'));
  console.log(`${sum(all)} requests in ${((performance.now() - begin) / 1000).toFixed(1)} s, ${answered} answered`);
  if (leftOut > 0) console.log(`${leftOut} were left out: ${UNDER_WAY_MAX} were under way, service A does not keep up`);
  if (answered > 0) return;
  console.error(`nothing answered at ${url}: is service A running there?`);
  process.exitCode = 1;
}

function row(...cells) {
  const widths = [16, 9, 9, 9, 9];
  console.log(cells.map((cell, column) => String(cell).padEnd(widths[column] ?? 0)).join(''));
}

function sum(pairs) {
  return [...pairs].reduce((total, [, times]) => total + times, 0);
}

/** The smallest duration that so great a share of the requests did not exceed. */
function quantile(sorted, share) {
  let left = share * sum(sorted);
  for (const [ms, times] of sorted) {
    left -= times;
    if (left <= 0) return ms;
  }
  return 0;
}
