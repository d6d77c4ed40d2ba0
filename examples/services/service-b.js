// Service B: what service A asks. Its spans are in the trace that service A began.

import { setTimeout as sleep } from 'node:timers/promises';

import { createApp, serve } from './server.js';
import { inSpan } from './spans.js';

const ITEMS = ['lamp', 'chair', 'table'];
const READ_MS = 20;
const RESERVE_MS = 10;

const app = createApp();

app.get('/work', async (_request, response) => {
  const items = await inSpan('read-inventory', async (span) => {
    await sleep(READ_MS);
    span.setAttribute('app.inventory.items', ITEMS.length);
    return ITEMS;
  });
  await inSpan('reserve-items', () => sleep(RESERVE_MS));
  response.json({ service: 'service-b', items });
});

serve(app, 8081);
