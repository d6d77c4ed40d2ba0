// Shows that the tests bite: each fault below is planted in a copy of this folder, and the named test must then fail.
//
//     TRACKWAY_BIN=/path/to/trackway npm run test-planted

import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { catchAll } from '../../test/planted.js';
import { HOME, PROJECT } from './support.js';

const TEST_MS_MAX = 180_000;
const FAULTS = [
  {
    what: 'slow is slow for every provider',
    file: 'payment.js',
    from: "fault === 'slow' && provider === 'acme-pay' ? BOOK_SLOW_MS",
    to: "fault === 'slow' ? BOOK_SLOW_MS",
    test: 'slow: premium customers of acme-pay wait, so few that only the p99 shows it',
  },
  {
    what: 'slow is slow for every tier, and is seen without looking',
    file: 'payment.js',
    from: "    if (tier === 'premium') await",
    to: '    await',
    test: 'slow: premium customers of acme-pay wait, so few that only the p99 shows it',
  },
  {
    what: 'the lock lets everybody in',
    file: 'payment.js',
    from: '    await before;\n',
    to: '',
    test: 'slow: who comes while another charge holds the lock waits for it',
  },
  {
    what: 'failing declines the cards of all providers',
    file: 'payment.js',
    from: "fault === 'failing' && provider === 'globex-pay'",
    to: "fault === 'failing'",
    test: 'failing: every card of globex-pay is declined, and the exception says why',
  },
  {
    what: 'the exception is not recorded',
    file: 'spans.js',
    from: '      span.recordException(',
    to: '      void (',
    test: 'failing: every card of globex-pay is declined, and the exception says why',
  },
  {
    what: 'the stack says where the folder is',
    file: 'spans.js',
    from: ".replaceAll(HOME, '')",
    to: '',
    test: 'failing: every card of globex-pay is declined, and the exception says why',
  },
  {
    what: 'flaky shows in the answer',
    file: 'payment.js',
    from: '    if (!isLost) return answer',
    to: '    return answer',
    test: 'flaky: all purchases succeed, those by initech-pay after tries that nobody hears of',
  },
  {
    what: 'flaky is asked once',
    file: 'payment.js',
    from: 'const LOST_ANSWERS = [2, 4, 3, 5];',
    to: 'const LOST_ANSWERS = [0];',
    test: 'flaky: all purchases succeed, those by initech-pay after tries that nobody hears of',
  },
  {
    what: 'there is a fault without one having been asked for',
    file: 'payment.js',
    from: "process.env.PAYMENT_FAULT || 'none'",
    to: "'flaky'",
    test: 'none: nothing fails, nothing is asked twice, and nothing is slow',
  },
  {
    what: 'the form does not reach payment',
    file: 'storefront.js',
    from: "  await ask(PAYMENT_URL, '/faults', { body: { fault: request.body?.fault } });\n",
    to: '',
    test: 'payment is broken and mended by the form of the page, and by payment itself',
  },
  {
    what: 'the question for the fault is part of the trace',
    file: 'storefront.js',
    from: 'context.with(suppressTracing(context.active()), ',
    to: 'context.with(context.active(), ',
    test: 'what is set on the form is no trace, and holds for the next purchase',
  },
  {
    what: 'a span is not below the one that is active',
    file: 'spans.js',
    from: 'tracer.startActiveSpan(name, async',
    to: 'tracer.startActiveSpan(name, { root: true }, async',
    test: 'a purchase is one trace through all four services, with the steps of each',
  },
  {
    what: 'payment does not say whose purchase it is',
    file: 'payment.js',
    from: "'customer.tier': tier, 'cart.items': items",
    to: "'cart.items': items",
    test: 'a purchase is one trace through all four services, with the steps of each',
  },
  {
    what: 'any password will do',
    file: 'login.js',
    from: 'timingSafeEqual(given, expected) && tier !== undefined',
    to: 'tier !== undefined',
    test: 'nobody gets in with another password, another name, or a session that login did not make',
  },
  {
    what: 'a session is not checked',
    file: 'login.js',
    from: 'own.length === given.length && timingSafeEqual(own, given)',
    to: 'true',
    test: 'nobody gets in with another password, another name, or a session that login did not make',
  },
  {
    what: 'the page shows markup of others',
    file: 'page.js',
    from: ".replace(/[&<>\"']/g, (letter) => `&#${letter.codePointAt(0)};`)",
    to: '',
    test: 'what comes from elsewhere is never markup of the page',
  },
  {
    what: 'any site can send the forms',
    file: 'storefront.js',
    from: 'app.use(protect);\n',
    to: '',
    test: "a page of another site can't send the forms",
  },
  {
    what: 'services outlive shop.js',
    file: 'server.js',
    from: ", 'disconnect']",
    to: ']',
    test: 'a stop ends all four, also when shop.js is killed',
  },
  {
    what: 'the load forgets the seed',
    file: 'visits.js',
    from: '  let state = seed >>> 0;',
    to: '  let state = Math.floor(Math.random() * 2 ** 32);',
    test: 'the same seed makes the same visits, another seed makes others',
  },
  {
    what: 'the exercise names what the app has not',
    file: '../../docs/tutorial/README.md',
    from: '**Durations over time**',
    to: '**Durations by time**',
    test: 'what the exercise calls by name is called so in the app and in the shop',
  },
];

// The exercise is copied, too, for faults of its own; it is held to the web app's words.
catchAll(HOME, FAULTS, TEST_MS_MAX, (project) => {
  mkdirSync(join(project, 'docs'));
  cpSync(join(PROJECT, 'docs', 'tutorial'), join(project, 'docs', 'tutorial'), { recursive: true });
  symlinkSync(join(PROJECT, 'web'), join(project, 'web'));
});
