// Texts of the age of what is shown.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('Ago', {
  updated: (ago: string) => `updated ${ago}`,
  updating: 'updating…',
});
