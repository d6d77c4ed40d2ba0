// The words for answers that did not come.

import { catalogue } from '../i18n/catalogue.ts';

export const text = catalogue('api', {
  noAnswer: 'The server does not answer.',
  noAnswerHint: 'Is it running, and reachable from here?',
  answered: (status: number, what: string) => `The server answered ${status}: ${what}`,
});
