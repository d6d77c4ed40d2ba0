// The words of the numbers.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('redNumbers', {
  rate: 'rate',
  errors: 'errors',
  vsDayBefore: (change: string) => `${change} vs yesterday`,
});
