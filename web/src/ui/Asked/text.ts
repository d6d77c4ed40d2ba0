// Texts of a part that waits for an answer.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('Asked', {
  retry: 'Retry',
  cancelled: 'Not asked any further.',
  stale: (why: string, ago: string) => `Not up to date: ${why} What is shown came ${ago}.`,
  skipped: (what: string) => `Not everything could be read: ${what}`,
});
