// Texts of the table of attributes.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('KeyValueTable', {
  key: 'Key',
  value: 'Value',
  actions: 'Actions',
  more: 'Show all',
  less: 'Show less',
});
