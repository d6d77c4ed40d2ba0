// The service "login": who is this? Port 8091.
//
// A session is a text that login signs, so nothing has to be remembered. The key is made at the start: when login
// starts again, everybody logs in again.

import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

import { PASSWORD, tierOf } from './customers.js';
import { createApp, serve } from './server.js';
import { inSpan, tell } from './spans.js';

const SESSION_MS = 12 * 3_600_000;
const HASH_BYTES = 32;
const KEY = randomBytes(HASH_BYTES);
const SALT = randomBytes(16);
// A quarter of the usual cost: there are two passwords a second under load, and one small machine for everything.
const COST = { N: 4_096 };

const hash = promisify(scrypt);
const expected = await hash(PASSWORD, SALT, HASH_BYTES, COST);
const app = createApp();

app.post('/login', async (request, response) => {
  const { customer, password } = request.body ?? {};
  const tier = tierOf(customer);
  tell({ 'customer.id': String(customer), ...(tier && { 'customer.tier': tier }) });
  const isRight = await inSpan('check-password', async (span) => {
    const given = await hash(String(password), SALT, HASH_BYTES, COST);
    const isSame = timingSafeEqual(given, expected) && tier !== undefined;
    span.addEvent(isSame ? 'password accepted' : 'password refused');
    return isSame;
  });
  // Whoever gives a wrong password makes no error of the service.
  if (!isRight) return response.status(401).json({ error: 'no such customer, or not the right password' });
  response.json({ customer, tier, token: seal(`${customer}.${Date.now() + SESSION_MS}`) });
});

app.get('/session', async (request, response) => {
  const customer = await inSpan('check-session', () => open(request.get('authorization')?.replace(/^Bearer /, '')));
  if (!customer) return response.status(401).json({ error: 'no session, or one that has ended' });
  tell({ 'customer.id': customer, 'customer.tier': tierOf(customer) });
  response.json({ customer, tier: tierOf(customer) });
});

function seal(text) {
  return `${text}.${createHmac('sha256', KEY).update(text).digest('base64url')}`;
}

/** The customer of a session that login has sealed and that has not ended. */
function open(token = '') {
  const [customer, until] = token.split('.');
  const own = Buffer.from(seal(`${customer}.${until}`));
  const given = Buffer.from(token);
  const isOurs = own.length === given.length && timingSafeEqual(own, given);
  return isOurs && Number(until) > Date.now() ? customer : undefined;
}

serve(app, 8091);
