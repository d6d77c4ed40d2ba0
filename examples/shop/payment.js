// The service "payment": charges a card through one of three providers, and books points for premium customers.
// Port 8093.
//
// It can be broken, for people to look for the cause: by PAYMENT_FAULT when it starts, by POST /faults while it runs.
// For learning only: whoever reaches /faults can break the shop. Those who do the exercise should not read on.

import { setTimeout as sleep } from 'node:timers/promises';

import { PROVIDERS } from './customers.js';
import { log } from './log.js';
import { createApp, refuse, serve } from './server.js';
import { inSpan, tell } from './spans.js';

const FAULTS = ['none', 'slow', 'failing', 'flaky'];
const ASK_MS = 45;
const BOOK_MS = 6;
/** slow: premium customers of acme-pay wait for each other, so long for each. */
const BOOK_SLOW_MS = 1_000;
const WAITING_MAX = 8;
/** flaky: initech-pay does not answer in time, two to five times in turn, and then does. */
const TIMEOUT_MS = 180;
const BACK_OFF_MS = 60;
const LOST_ANSWERS = [2, 4, 3, 5];

/** What a provider does wrong is answered 502: payment itself is well. */
class ProviderError extends Error {
  status = 502;
  name = this.constructor.name;
}
class ProviderTimeout extends ProviderError {}
class CardDeclined extends ProviderError {}
class LockBusy extends ProviderError {}

/** Lets one in at a time, in the order in which they came. */
class Lock {
  waiting = 0;
  #last = Promise.resolve();

  /** Waits for its turn; the answer ends it. */
  async take() {
    if (this.waiting >= WAITING_MAX) throw new LockBusy(`${WAITING_MAX} charges wait for this lock already`);
    this.waiting += 1;
    const before = this.#last;
    let giveBack;
    this.#last = new Promise((done) => {
      giveBack = done;
    });
    await before;
    this.waiting -= 1;
    return giveBack;
  }
}

const locks = new Map(PROVIDERS.map((provider) => [provider, new Lock()]));
let fault = process.env.PAYMENT_FAULT || 'none';
if (!FAULTS.includes(fault)) refuse(`PAYMENT_FAULT must be one of ${FAULTS.join(', ')}, not "${fault}"`);
let flakyCharges = 0;

const app = createApp();

app.post('/charge', async (request, response) => {
  const { customer, tier, provider, cents, items, newCart } = request.body ?? {};
  if (!PROVIDERS.includes(provider) || !(cents > 0)) {
    return response.status(400).json({ error: `a charge has cents and a provider of ${PROVIDERS.join(', ')}` });
  }
  tell({ 'customer.id': customer, 'customer.tier': tier, 'cart.items': items, 'feature.new_cart': newCart });
  tell({ 'payment.provider': provider, 'payment.cents': cents });
  await inSpan('charge-card', async (span) => {
    span.setAttributes({ 'payment.provider': provider, 'customer.tier': tier });
    span.setAttribute('payment.attempts', await charge(provider, cents));
    if (tier === 'premium') await bookPoints(provider, cents);
  });
  response.json({ status: 'paid' });
});

app.get('/faults', (_request, response) => response.json({ fault, faults: FAULTS }));

app.post('/faults', (request, response) => {
  const wanted = request.body?.fault;
  if (!FAULTS.includes(wanted)) {
    return response.status(400).json({ error: `fault must be one of ${FAULTS.join(', ')}` });
  }
  fault = wanted;
  log.warn({ fault }, 'payment is told what to do wrong');
  response.json({ fault, faults: FAULTS });
});

/** Asks the provider until it answers, and returns how often it was asked. */
async function charge(provider, cents) {
  const isFlaky = fault === 'flaky' && provider === 'initech-pay';
  const lost = isFlaky ? LOST_ANSWERS[flakyCharges++ % LOST_ANSWERS.length] : 0;
  for (let attempt = 1; ; attempt += 1) {
    const isLost = attempt <= lost;
    const answer = askProvider(provider, cents, attempt, isLost);
    // Who only looks at what the customer got never hears of this error.
    if (!isLost) return answer.then(() => attempt);
    await answer.catch(() => sleep(BACK_OFF_MS));
  }
}

/** Stands for a request to the provider's own servers. */
function askProvider(provider, cents, attempt, isLost) {
  return inSpan('ask-provider', async (span) => {
    span.setAttributes({ 'payment.provider': provider, 'payment.attempt': attempt });
    if (isLost) {
      await sleep(TIMEOUT_MS);
      throw new ProviderTimeout(`${provider} did not answer within ${TIMEOUT_MS} ms (attempt ${attempt})`);
    }
    await sleep(around(ASK_MS));
    if (fault === 'failing' && provider === 'globex-pay') {
      throw new CardDeclined(`${provider} declined the card: the contract of merchant 7731 has ended`);
    }
  });
}

/** Points are booked by one charge of a provider at a time, behind a lock. */
async function bookPoints(provider, cents) {
  const lock = locks.get(provider);
  const giveBack = await inSpan('wait-for-lock', (span) => {
    span.setAttributes({ 'lock.name': `points of ${provider}`, 'lock.waiting': lock.waiting });
    return lock.take();
  });
  try {
    await inSpan('book-points', (span) => {
      span.setAttributes({ 'payment.provider': provider, 'points.booked': Math.floor(cents / 100) });
      return sleep(around(fault === 'slow' && provider === 'acme-pay' ? BOOK_SLOW_MS : BOOK_MS));
    });
  } finally {
    giveBack();
  }
}

function around(ms) {
  return ms * (0.75 + 0.5 * Math.random());
}

serve(app, 8093);
