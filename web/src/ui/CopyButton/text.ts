// Texts of the copy button.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('CopyButton', {
  copy: 'Copy',
  copied: 'Copied',
  failed: 'The browser did not allow copying',
});
