// The service "storefront": the page of the shop. Port 8090.
//
// A purchase asks login who it is, catalog what it costs, and payment for the money; its trace has all four services.

import { setTimeout as sleep } from 'node:timers/promises';

import { context } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';

import { PEOPLE, PROVIDERS } from './customers.js';
import { log } from './log.js';
import { answerPage, shopPage, STYLE } from './page.js';
import { ask, createApp, serve } from './server.js';
import { inSpan, tell } from './spans.js';

const LOGIN_URL = process.env.LOGIN_URL || 'http://127.0.0.1:8091';
const CATALOG_URL = process.env.CATALOG_URL || 'http://127.0.0.1:8092';
const PAYMENT_URL = process.env.PAYMENT_URL || 'http://127.0.0.1:8093';
const SAVE_MS = 8;

const app = createApp();
app.use(protect);

app.get('/', async (request, response) => {
  const session = await sessionOf(request);
  const { items } = session ? await ask(CATALOG_URL, '/items') : { items: [] };
  response.send(shopPage({ session, items, people: PEOPLE, providers: PROVIDERS, faults: await faults() }));
});

app.get('/style.css', (_request, response) => response.type('css').send(STYLE));

app.post('/login', async (request, response) => {
  const { customer, password } = request.body ?? {};
  tell({ 'customer.id': String(customer) });
  try {
    const { tier, token } = await ask(LOGIN_URL, '/login', { body: { customer, password } });
    tell({ 'customer.tier': tier });
    response.cookie('session', token, { httpOnly: true, sameSite: 'strict' });
    show(response, 200, `Welcome, ${customer}. You are a ${tier} customer.`);
  } catch (error) {
    if (error.status !== 401) throw error;
    show(response, 401, 'There is no such customer, or the password is another one.');
  }
});

app.post('/logout', (_request, response) => {
  response.clearCookie('session');
  show(response, 200, 'You are logged out.');
});

app.post('/buy', async (request, response) => {
  const session = await sessionOf(request);
  if (!session) return show(response, 401, 'Please log in first.');
  const { provider, ...counts } = request.body ?? {};
  const chosen = Object.entries(counts).map(([name, count]) => [name, Number(count)]);
  const cart = Object.fromEntries(chosen.filter(([, count]) => count !== 0));
  const items = Object.values(cart).reduce((total, count) => total + count, 0);
  // One half of the customers has a new cart, which is being tried out.
  const newCart = isInTrial(session.customer);
  const { customer, tier } = session;
  tell({ 'customer.id': customer, 'customer.tier': tier, 'cart.items': items, 'feature.new_cart': newCart });
  tell({ 'payment.provider': String(provider) });
  if (items === 0) return show(response, 400, 'Choose something first.');

  const { cents } = await ask(CATALOG_URL, '/quote', { body: { cart } });
  tell({ 'payment.cents': cents });
  await inSpan('save-order', () => sleep(SAVE_MS));
  try {
    await ask(PAYMENT_URL, '/charge', { body: { customer, tier, provider, cents, items, newCart } });
  } catch (error) {
    log.info({ err: error }, 'not paid');
    return show(response, error.status, 'Your payment did not go through. Please try again.');
  }
  const euros = (cents / 100).toFixed(2);
  show(response, 200, `Thank you, ${customer}. You paid ${euros} € by ${provider}.`);
});

app.post('/faults', async (request, response) => {
  await ask(PAYMENT_URL, '/faults', { body: { fault: request.body?.fault } });
  response.redirect(303, '/');
});

/** Only the shop's own page sends its forms; and the page loads nothing but its style. */
function protect(request, response, next) {
  response.set('content-security-policy', "default-src 'none'; style-src 'self'; form-action 'self'");
  const from = request.get('sec-fetch-site');
  if (request.method === 'POST' && from && from !== 'same-origin' && from !== 'none') {
    return response.status(403).json({ error: 'this form is sent by the page of the shop only' });
  }
  next();
}

async function sessionOf(request) {
  const token = /(?:^|; )session=([^;]+)/.exec(request.get('cookie') ?? '')?.[1];
  if (!token) return undefined;
  try {
    return await ask(LOGIN_URL, '/session', { token });
  } catch (error) {
    if (error.status === 401) return undefined;
    throw error;
  }
}

/** What payment is told to do wrong; the question is no part of anybody's visit, and so not of its trace. */
function faults() {
  return context.with(suppressTracing(context.active()), () => ask(PAYMENT_URL, '/faults')).catch(() => undefined);
}

function isInTrial(customer) {
  return [...customer].reduce((total, letter) => total + letter.codePointAt(0), 0) % 2 === 0;
}

function show(response, status, message) {
  response.status(status).send(answerPage({ message, isGood: status < 400, traceId: response.locals.traceId }));
}

serve(app, 8090);
