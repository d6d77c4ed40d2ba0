// The words for answers that did not come.

import { catalogue } from '../i18n/catalogue.ts';

export const text = catalogue('api', {
  noAnswer: 'The server does not answer.',
  noAnswerHint: 'Is it running, and reachable from here?',
  answered: (status: number, what: string) => `The server answered ${status}: ${what}`,
  answeredOnly: (status: number) => `The server answered ${status}.`,
  unreadable: 'The answer could not be read.',
  cutOff: 'It may have been cut off, or come from another program.',
  notOurs: 'What came is a web page: a proxy or a login may stand between this page and the server.',
});
