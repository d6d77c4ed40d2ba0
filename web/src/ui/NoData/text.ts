// The words of an empty store, and of when something came last.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('NoData', {
  title: 'Nothing has arrived yet',
  hint: 'Send a first trace; how to is on the home page.',
  toHome: 'How to send traces',
  lastSeen: (ago: string) => `The last spans arrived ${ago}.`,
  lastOf: (service: string, ago: string) => `The last spans of ${service} arrived ${ago}.`,
});
