// The words above a trace that are there at once.

import { catalogue, plural } from '../../../i18n/catalogue.ts';

export const text = catalogue('traceHeader', {
  back: 'Explore',
  copyId: 'Copy trace id',
  spans: (n: number) => plural(n, { one: '# span', other: '# spans' }),
  services: (n: number) => plural(n, { one: '# service', other: '# services' }),
  errors: (n: number) => plural(n, { one: '# error', other: '# errors' }),
  noErrors: 'no errors',
  facts: 'About this trace',
});
