// Texts of dialogs.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('Dialog', {
  close: 'Close',
});
