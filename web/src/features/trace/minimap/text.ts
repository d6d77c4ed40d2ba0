// The words of the minimap.

import { catalogue } from '../../../i18n/catalogue.ts';

export const text = catalogue('traceMinimap', {
  minimap: 'Overview of the trace',
  shown: (from: string, to: string) => `Shown: ${from} to ${to}`,
  from: 'Start of what is shown',
  to: 'End of what is shown',
});
