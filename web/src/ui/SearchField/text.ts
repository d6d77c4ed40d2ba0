// Texts of the search field.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('SearchField', {
  clear: 'Clear',
});
