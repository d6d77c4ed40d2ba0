// Texts of a block of code.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('CodeBlock', {
  copy: 'Copy',
  wrap: 'Wrap lines',
});
