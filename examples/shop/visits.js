// What customers do in the shop. The same seed makes the same visits in the same order.

import { NUMBERED, PROVIDERS } from './customers.js';

const ITEMS = ['lamp', 'chair', 'table', 'shelf'];
const KINDS_MAX = 3;
const COUNT_MAX = 3;
/** Of four visits one only looks. */
const LOOKS = 0.25;

/** Without an end: who it is, and what is bought and by what it is paid; nothing of these when one only looks. */
export function* visits(seed) {
  const random = randomOf(seed);
  const upTo = (most) => 1 + Math.floor(random() * most);
  const oneOf = (list) => list[upTo(list.length) - 1];
  for (;;) {
    const customer = oneOf(NUMBERED);
    if (random() < LOOKS) {
      yield { customer };
      continue;
    }
    const cart = {};
    for (let kinds = upTo(KINDS_MAX); kinds > 0; kinds -= 1) cart[oneOf(ITEMS)] = upTo(COUNT_MAX);
    yield { customer, cart, provider: oneOf(PROVIDERS) };
  }
}

/** Numbers from 0 up to 1 (mulberry32). */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
