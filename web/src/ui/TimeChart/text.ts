// Texts of the chart over time.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('TimeChart', {
  none: 'nothing',
  empty: 'Nothing in this time',
});
