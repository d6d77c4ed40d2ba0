// The service "catalog": what there is, and what it costs. Port 8092.

import { setTimeout as sleep } from 'node:timers/promises';

import { createApp, serve } from './server.js';
import { inSpan, tell } from './spans.js';

/** Prices in cents. */
const PRICES = { lamp: 4_200, chair: 8_900, table: 24_900, shelf: 6_500 };
export const COUNT_MAX = 9;
const LOAD_MS = 12;

const app = createApp();

app.get('/items', async (_request, response) => {
  const prices = await loadPrices();
  response.json({ items: Object.entries(prices).map(([name, cents]) => ({ name, cents })) });
});

app.post('/quote', async (request, response) => {
  const cart = Object.entries(request.body?.cart ?? {});
  const isGood = ([name, count]) => Object.hasOwn(PRICES, name) && Number.isInteger(count) && count > 0 && count <= 9;
  if (cart.length === 0 || !cart.every(isGood)) {
    return response.status(400).json({ error: 'a cart has names of items, each with a count from 1 to 9' });
  }
  tell({ 'cart.items': cart.reduce((total, [, count]) => total + count, 0) });
  const prices = await loadPrices();
  response.json({ cents: cart.reduce((total, [name, count]) => total + count * prices[name], 0) });
});

function loadPrices() {
  return inSpan('load-prices', async (span) => {
    span.setAttribute('prices.count', Object.keys(PRICES).length);
    await sleep(LOAD_MS * (0.7 + 0.6 * Math.random()));
    return PRICES;
  });
}

serve(app, 8092);
