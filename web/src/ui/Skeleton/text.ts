// Texts of waiting.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('Skeleton', {
  loading: 'Loading…',
});
