// Texts of the skip link.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('SkipLink', {
  toContent: 'Skip to content',
});
