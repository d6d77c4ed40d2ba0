// Texts of the notice about slow answers.

import { catalogue, formatCount } from '../../i18n/catalogue.ts';

export const text = catalogue('SlowNotice', {
  working: 'Still working',
  seconds: (n: number) => `${formatCount(n)} s`,
  cancel: 'Cancel',
});
