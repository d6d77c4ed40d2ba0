// Texts of banners.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('Banner', {
  info: 'Note',
  warn: 'Warning',
  error: 'Error',
  dismiss: 'Dismiss',
});
