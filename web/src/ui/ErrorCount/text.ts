// Texts of the count of errors.

import { catalogue, plural } from '../../i18n/catalogue.ts';

export const text = catalogue('ErrorCount', {
  errors: (n: number) => plural(n, { one: '# error', other: '# errors' }),
});
