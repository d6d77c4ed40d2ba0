// The words of the notice about a file that is being read.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('ReadingFile', {
  reading: (name: string, read: string, all: string) => `Reading ${name}: ${read} of ${all}`,
  building: (name: string, all: string) => `Reading ${name}: all ${all} are read, its spans are put in order…`,
  cancel: 'Cancel',
  skipped: (what: string, why: string) => `${what}: ${why}`,
});
