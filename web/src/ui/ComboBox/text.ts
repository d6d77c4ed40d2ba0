// Texts of the combo box.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('ComboBox', {
  loading: 'Loading…',
  nothing: 'No suggestions',
  show: 'Show suggestions',
});
