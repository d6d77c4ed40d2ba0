// Texts of the error box.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('ErrorBox', {
  retry: 'Retry',
  copyCurl: 'Copy as curl',
});
