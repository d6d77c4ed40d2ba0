// Visits the shop like many customers do, and says what came of it.
//
//     node load.js --url http://127.0.0.1:8090 --rate 8 --seconds 120 --seed 1
//
// The same seed makes the same visits in the same order. Ends by itself, or with Ctrl-C; the exit code is 1 when
// nothing was answered.

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { PASSWORD } from './customers.js';
import { visits } from './visits.js';

const RATE_MAX = 200;
const SECONDS_MAX = 86_400;
const SEED_MAX = 2 ** 32 - 1;
const UNDER_WAY_MAX = 200;
const ANSWER_MS_MAX = 15_000;

const USAGE = `Usage: node load.js [--url URL] [--rate VISITS_A_SECOND] [--seconds SECONDS] [--seed NUMBER]
  --url      where the storefront is (http://127.0.0.1:8090)
  --rate     visits a second, up to ${RATE_MAX} (8)
  --seconds  how long, up to ${SECONDS_MAX} (120)
  --seed     a whole number; the same one makes the same visits (1)`;

const { url, rate, seconds, seed } = readFlags();
const sessions = new Map();
const results = new Map();
let underWay = 0;
let leftOut = 0;
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

console.log(`${rate} visits a second to ${url.href} for ${seconds} s, seed ${seed}`);
const begin = performance.now();
const planned = visits(seed);
for (let number = 0; number < rate * seconds; number += 1) {
  // By the clock and not by adding pauses, so that a late visit makes no later ones.
  const due = begin + (number * 1000) / rate;
  await sleep(Math.max(0, due - performance.now()), undefined, { signal: stop.signal }).catch(() => {});
  if (stop.signal.aborted) break;
  const next = planned.next().value;
  if (underWay < UNDER_WAY_MAX) visit(next);
  else leftOut += 1;
}
while (underWay > 0) await sleep(20);
report();

async function visit({ customer, cart, provider }) {
  underWay += 1;
  // A customer logs in once, and all visits wait for that.
  if (!sessions.has(customer)) sessions.set(customer, send('log in', '/login', { customer, password: PASSWORD }));
  const cookie = (await sessions.get(customer))?.headers.get('set-cookie')?.split(';')[0] ?? '';
  if (cart) await send('buy', '/buy', { ...cart, provider }, cookie);
  else await send('look', '/', undefined, cookie);
  underWay -= 1;
}

/** Sends what the page's form would send, and counts what came back. */
async function send(what, path, form, cookie) {
  const begin = performance.now();
  try {
    const answer = await fetch(new URL(path, url), {
      method: form ? 'POST' : 'GET',
      headers: cookie ? { cookie } : {},
      body: form && new URLSearchParams(form),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    await answer.arrayBuffer();
    count(what, answer.status, performance.now() - begin);
    return answer;
  } catch (error) {
    count(what, error.cause?.code ?? error.cause?.message ?? error.name, performance.now() - begin);
  }
}

/** Durations are counted by millisecond, so that memory does not grow with the number of visits. */
function count(what, status, duration) {
  if (!results.has(what)) results.set(what, { statuses: new Map(), durations: new Map() });
  const { statuses, durations } = results.get(what);
  const ms = Math.round(duration);
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
  durations.set(ms, (durations.get(ms) ?? 0) + 1);
}

function report() {
  row('', 'times', 'mean', 'median', '95 %', '99 %', 'answers');
  let answered = 0;
  for (const [what, { statuses, durations }] of results) {
    const sorted = [...durations].sort(([a], [b]) => a - b);
    const times = sum(sorted.map(([, times]) => times));
    const mean = sum(sorted.map(([ms, times]) => ms * times)) / times;
    const figures = [mean, ...[0.5, 0.95, 0.99].map((share) => quantile(sorted, share * times))];
    const answers = [...statuses].map(([status, times]) => `${status} × ${times}`).join(', ');
    row(what, times, ...figures.map((ms) => `${Math.round(ms)} ms`), answers);
    answered += sum([...statuses].map(([status, times]) => (typeof status === 'number' ? times : 0)));
  }
  if (leftOut > 0) console.log(`${leftOut} were left out: ${UNDER_WAY_MAX} were under way, the shop does not keep up`);
  if (answered > 0) return;
  console.error(`nothing answered at ${url.href}: is the shop running there?`);
  process.exitCode = 1;
}

/** The smallest duration that so many did not exceed. */
function quantile(sorted, rank) {
  let left = rank;
  for (const [ms, times] of sorted) {
    left -= times;
    if (left <= 0) return ms;
  }
  return 0;
}

function row(...cells) {
  const widths = [8, 7, 9, 9, 9, 9];
  console.log(cells.map((cell, column) => String(cell).padEnd(widths[column] ?? 0)).join(''));
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

function readFlags() {
  try {
    const { values } = parseArgs({
      options: {
        url: { type: 'string', default: 'http://127.0.0.1:8090' },
        rate: { type: 'string', default: '8' },
        seconds: { type: 'string', default: '120' },
        seed: { type: 'string', default: '1' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const seed = Number(values.seed);
    if (!Number.isInteger(seed) || seed < 0 || seed > SEED_MAX) {
      throw new Error(`--seed must be a whole number from 0 to ${SEED_MAX}, not "${values.seed}"`);
    }
    const [rate, seconds] = [upTo(RATE_MAX, '--rate', values.rate), upTo(SECONDS_MAX, '--seconds', values.seconds)];
    return { url: new URL(values.url), rate, seconds, seed };
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
